"""Projective maps of the plane as 3x3 matrices in float64, and how a screen is turned. Pure.

A matrix maps the column (x, y, 1) to (x', y', w'), which is the point (x' / w', y' / w'). Points
are measured from the top left, y down, unless said otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Point = tuple[float, float]
Quad = tuple[Point, Point, Point, Point]
"""Corners in the order top left, top right, bottom right, bottom left."""

UNIT_SQUARE: Quad = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))

# What the viewer sees at (u, v), in shares from the viewer's top left, of the output at (x, y), in
# shares from the top left of the monitor as the system drives it: rows of u and v over (x, y, 1).
_SEEN_WHEN_TURNED: dict[int, tuple[tuple[int, int, int], tuple[int, int, int]]] = {
    0: ((1, 0, 0), (0, 1, 0)),
    90: ((0, -1, 1), (1, 0, 0)),
    180: ((-1, 0, 1), (0, -1, 1)),
    270: ((0, 1, 0), (-1, 0, 1)),
}


def square_to_quad(quad: Quad) -> Matrix:
    """The map that takes the corners of the unit square to those of a convex quadrilateral.

    Closed form of Heckbert, Fundamentals of Texture Mapping and Image Warping (1989), section
    2.2.3. On the square w' is above 0. The quad must be strictly convex, see `corner_areas`.
    """
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = quad
    dx1, dx2, sx = x1 - x2, x3 - x2, x0 - x1 + x2 - x3
    dy1, dy2, sy = y1 - y2, y3 - y2, y0 - y1 + y2 - y3
    area = dx1 * dy2 - dx2 * dy1
    g, h = (sx * dy2 - dx2 * sy) / area, (dx1 * sy - sx * dy1) / area
    return np.array(
        [
            [x1 - x0 + g * x1, x3 - x0 + h * x3, x0],
            [y1 - y0 + g * y1, y3 - y0 + h * y3, y0],
            [g, h, 1.0],
        ]
    )


def corner_areas(quad: Quad) -> tuple[float, ...]:
    """Per corner, the signed area of the triangle that it makes with its two neighbours.

    All above 0: strictly convex and not mirrored.
    """
    areas = []
    for i, (x, y) in enumerate(quad):
        (before_x, before_y), (after_x, after_y) = quad[i - 1], quad[(i + 1) % 4]
        areas.append(
            ((after_x - x) * (before_y - y) - (before_x - x) * (after_y - y)) / 2,
        )
    return tuple(areas)


def output_to_seen(rotation: int, *, mirrored: bool, upturned: bool) -> Matrix:
    """From shares of the output as the system drives it to shares of what the viewer sees.

    rotation: 0, 90, 180 or 270 degrees that the monitor is turned clockwise. mirrored: left and
    right change places before the viewer's eyes; upturned: top and bottom do.
    """
    seen = np.array([*_SEEN_WHEN_TURNED[rotation], (0, 0, 1)], np.float64)
    flip = np.diag([-1.0 if mirrored else 1.0, -1.0 if upturned else 1.0, 1.0])
    flip[0, 2], flip[1, 2] = float(mirrored), float(upturned)
    return flip @ seen


def scaling(x: float, y: float) -> Matrix:
    """(x, y) times these factors."""
    return np.diag([x, y, 1.0])


def translation(x: float, y: float) -> Matrix:
    """(x, y) moved by this."""
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def inverse(matrix: Matrix) -> Matrix:
    """The way back, as the adjugate over the determinant: whole numbers stay whole."""
    a, b, c = matrix
    adjugate = np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)], axis=1)
    # + 0.0 turns the adjugate's -0.0 into 0.0
    result: Matrix = adjugate / (a @ adjugate[:, 0]) + 0.0
    return result


def mapped(matrix: Matrix, points: Sequence[Point]) -> tuple[Point, ...]:
    """The points' images. Raises ZeroDivisionError for one that lies at infinity."""
    images = []
    for x, y in points:
        u, v, w = (float(row[0] * x + row[1] * y + row[2]) for row in matrix)
        images.append((u / w, v / w))
    return tuple(images)


def sides(corners: Sequence[Point]) -> Matrix:
    """[4, 3]: rows (a, b, c) with a x + b y + c the distance of (x, y) from a side, inside above 0.

    corners: of a convex quadrilateral, in either direction around it. Distances are in the unit of
    the corners.
    """
    centre_x, centre_y = (sum(corner[axis] for corner in corners) / 4 for axis in (0, 1))
    rows = []
    for i, (x, y) in enumerate(corners):
        next_x, next_y = corners[(i + 1) % 4]
        length = math.hypot(next_x - x, next_y - y)
        a, b = (y - next_y) / length, (next_x - x) / length
        c = -(a * x + b * y)
        inwards = math.copysign(1.0, a * centre_x + b * centre_y + c)
        rows.append((inwards * a, inwards * b, inwards * c))
    return np.array(rows) + 0.0


def widest_stretch(matrix: Matrix, point: Point) -> float:
    """How many times a small step at this point is lengthened at most.

    The larger singular value of the map's Jacobian.
    """
    x, y = point
    u, v, w = matrix @ np.array([x, y, 1.0])
    rows = (matrix[:2, :2] - np.outer([u / w, v / w], matrix[2, :2])) / w
    return float(np.linalg.svd(rows, compute_uv=False)[0])
