"""What the programs of a calibrated screen are told, and where an overlay falls. Pure.

GL counts a framebuffer's pixels from the bottom left, y up; everything that a calibration says
counts from the top left. `area` is the screen's rectangle in its framebuffer: (left, bottom, width,
height) in pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from player.wall.calibration import PreparedCalibration
from player.wall.homography import (
    Matrix,
    Point,
    inverse,
    mapped,
    scaling,
    sides,
    translation,
)

Box = tuple[int, int, int, int]
"""(x, y, width, height) in whole pixels."""
Columns = tuple[float, ...]
"""A matrix, its first column first."""


@dataclass(frozen=True)
class WarpUniforms:
    """For the shader, matrices column by column as GL reads them.

    to_logical: mat3, gl_FragCoord -> logical pixels. screen_sides: see `target_sides`, of the
    whole screen. viewport: all of the area that the screen lights.
    """

    to_logical: Columns
    screen_sides: Columns
    viewport: Box


@lru_cache(maxsize=256)
def warp_uniforms(prepared: PreparedCalibration, area: Box) -> WarpUniforms:
    """A calibrated screen that stands in this area."""
    width, height = prepared.logical_px
    corners = _in_framebuffer(prepared, area, (0, 0, width, height))
    return WarpUniforms(
        to_logical=_columns(prepared.to_logical @ _from_framebuffer(area)),
        screen_sides=target_sides(prepared, area, (0, 0, width, height)),
        viewport=clipped(_around(corners), area),
    )


@lru_cache(maxsize=256)
def target_sides(prepared: PreparedCalibration, area: Box, target: Box) -> Columns:
    """The sides of a rectangle of logical pixels.

    With corners pinned a mat3x4: gl_FragCoord -> distances in pixels, inside above 0. Else a vec4:
    left, bottom, right, top in gl_FragCoord, whole pixels.
    """
    corners = _in_framebuffer(prepared, area, target)
    if "warp" in prepared.features:
        return _columns(sides(corners))
    left, bottom, width, height = _around(corners)
    return left, bottom, left + width, bottom + height


@dataclass(frozen=True)
class OverlayPlace:
    """viewport: the part of the framebuffer that is covered, empty (0 wide or high) if none is.

    at: mat3, gl_FragCoord -> shares of the overlay's picture, from its top left.
    """

    viewport: Box
    at: Columns


@lru_cache(maxsize=256)
def overlay_place(prepared: PreparedCalibration, area: Box, rectangle: Box) -> OverlayPlace:
    """Where a rectangle of logical pixels lies, turned and mirrored with the screen, not warped."""
    x, y, width, height = rectangle
    upright = prepared.to_upright @ _from_framebuffer(area)
    corners = mapped(inverse(upright), ((x, y), (x + width, y + height)))
    left, right = sorted(round(corner[0]) for corner in corners)
    bottom, top = sorted(round(corner[1]) for corner in corners)
    at = scaling(1 / width, 1 / height) @ translation(-x, -y) @ upright
    return OverlayPlace(clipped((left, bottom, right - left, top - bottom), area), _columns(at))


def clipped(box: Box, area: Box) -> Box:
    """What of the box lies in the area; 0 wide or high where nothing does."""
    left, bottom = max(box[0], area[0]), max(box[1], area[1])
    right = min(box[0] + box[2], area[0] + area[2])
    top = min(box[1] + box[3], area[1] + area[3])
    return left, bottom, max(0, right - left), max(0, top - bottom)


def around(boxes: Sequence[Box]) -> Box:
    """The smallest box around all boxes."""
    x, y = min(box[0] for box in boxes), min(box[1] for box in boxes)
    right, top = max(box[0] + box[2] for box in boxes), max(box[1] + box[3] for box in boxes)
    return x, y, right - x, top - y


def _from_framebuffer(area: Box) -> Matrix:
    """gl_FragCoord -> output pixels from the area's top left, y down."""
    left, bottom, _, height = area
    return np.array([[1.0, 0.0, -left], [0.0, -1.0, bottom + height], [0.0, 0.0, 1.0]])


def _in_framebuffer(prepared: PreparedCalibration, area: Box, target: Box) -> tuple[Point, ...]:
    """The corners, in gl_FragCoord, of a rectangle of logical pixels."""
    x, y, width, height = target
    rectangle = ((x, y), (x + width, y), (x + width, y + height), (x, y + height))
    return mapped(inverse(_from_framebuffer(area)) @ prepared.from_logical, rectangle)


def _around(corners: Sequence[Point]) -> Box:
    """All pixels that a quadrilateral touches, its edge of half a pixel included."""
    # a corner that arithmetic has moved by 1e-12 lights no pixel more
    left, bottom = (math.floor(min(c[axis] for c in corners) + 1e-6) for axis in (0, 1))
    right, top = (math.ceil(max(c[axis] for c in corners) - 1e-6) for axis in (0, 1))
    return left, bottom, right - left, top - bottom


def _columns(matrix: Matrix) -> Columns:
    return tuple(matrix.T.ravel().tolist())
