"""How one screen is calibrated: values, what they make of an output, and changes to them. Pure.

Three places are told apart. The *output* is the rectangle of pixels that the system drives, as it
drives it. *Seen* is the same rectangle as the viewer sees it, after rotation and flip: upright,
measured from the viewer's top left. The *logical* screen is what a picture is fitted into: as large
as what is seen, before its four corners are pinned.

A picture passes, in this order: crop, fit, corners (geometry); decoded into linear light; times
brightness, colour and blend; black lifted; gamma; encoded; dithered. The fade of a blackout comes
between encoding and dither, so that black is black whatever the screen's own black is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, field_validator

from player.wall.homography import (
    UNIT_SQUARE,
    Matrix,
    Quad,
    corner_areas,
    inverse,
    mapped,
    output_to_seen,
    scaling,
    square_to_quad,
    widest_stretch,
)
from shows.schema import Fit, StrictModel, listed, parse_model

Flip = Literal["none", "horizontal", "vertical", "both"]
Feature = Literal["warp", "blend", "black", "gamma"]
"""What of a calibration has its own part in a program: corners, blend, black, gamma."""
CalibrationField = Literal[
    "rotation",
    "flip",
    "fit",
    "crop",
    "corner/1",
    "corner/2",
    "corner/3",
    "corner/4",
    "blend",
    "brightness",
    "colour",
    "black",
    "gamma",
]
"""What can be changed on its own. corner/1..4: top left, top right, bottom right, bottom left."""
FIELDS: tuple[CalibrationField, ...] = get_args(CalibrationField)
SHOWS_OWN_FIT = "show"  # how an operator says that the fit is the show's again
# Of the output's area, for the triangle of any corner and its two neighbours: what is left of a
# screen whose corner is dragged this far is a sliver, and the map of it no longer exact.
SMALLEST_CORNER_AREA = 0.005

Value = float | int | str
_Values = BeforeValidator(listed("numbers"))
_Points = BeforeValidator(listed("four corners"))
_Point = BeforeValidator(listed("two numbers, x and y"))
_Cut = Annotated[float, Field(ge=0, le=0.45)]
_Width = Annotated[float, Field(ge=0, le=0.5)]
_Gain = Annotated[float, Field(ge=0, le=2)]
_Place = Annotated[float, Field(ge=-0.5, le=1.5)]
_Corner = Annotated[tuple[_Place, _Place], _Point]


class ScreenCalibration(StrictModel):
    """One screen's values; by default nothing is changed.

    rotation: degrees that the monitor has been turned clockwise, as seen by who stands before it;
        the picture is turned back, so that it stands upright. At 90 the monitor's own top edge
        is on the right.
    flip: mirrors what is seen, for a projection from behind or by a mirror.
    fit: how a picture meets the screen; None: as the show says.
    crop: left, top, right, bottom: shares of the picture that are cut off before it is fitted.
    corners: where the picture's corners are seen: (x, y) in shares of the output as it is seen, in
        the order top left, top right, bottom right, bottom left; a little outside is possible.
    blend: left, top, right, bottom: the share of the screen's width or height over which the light
        falls to nothing towards that edge. The light of two neighbours that overlap by that share
        sums to the whole.
    brightness: linear light, 1 unchanged; above it bright parts are cut off.
    colour: red, green, blue, each as brightness.
    black: linear light that black is lifted to, everywhere but where a blend is: there the
        neighbour's own black adds up already.
    gamma: light to the power of 1 / gamma, so above 1 the middle tones become brighter; black and
        white stay. For a device whose own curve is not sRGB's; with the right value here the
        blend's sum is right on it.
    """

    rotation: Literal[0, 90, 180, 270] = 0
    flip: Flip = "none"
    fit: Fit | None = None
    crop: Annotated[tuple[_Cut, _Cut, _Cut, _Cut], _Values] = (0.0, 0.0, 0.0, 0.0)
    corners: Annotated[tuple[_Corner, _Corner, _Corner, _Corner], _Points] = UNIT_SQUARE
    blend: Annotated[tuple[_Width, _Width, _Width, _Width], _Values] = (0.0, 0.0, 0.0, 0.0)
    brightness: _Gain = 1.0
    colour: Annotated[tuple[_Gain, _Gain, _Gain], _Values] = (1.0, 1.0, 1.0)
    black: Annotated[float, Field(ge=0, le=0.2)] = 0.0
    gamma: Annotated[float, Field(ge=0.2, le=5)] = 1.0

    @field_validator("rotation", mode="before")
    @classmethod
    def _rotation_is_whole(cls, value: object) -> object:
        if type(value) is not int:  # True counts as 1 in Python
            raise ValueError("is one of the whole numbers 0, 90, 180 and 270")
        return value

    @field_validator("corners")
    @classmethod
    def _corners_make_a_screen(cls, value: Quad) -> Quad:
        if min(corner_areas(value)) < SMALLEST_CORNER_AREA:
            raise ValueError(
                "must go round a screen: top left, top right, bottom right, bottom left, none "
                "of them inside or on a line with its neighbours (to mirror a picture, use flip)"
            )
        return value


IDENTITY = ScreenCalibration()


@dataclass(frozen=True, eq=False)
class PreparedCalibration:
    """A calibration on an output of a certain size, as drawing wants it.

    size_px: of the output. logical_px: of the logical screen, (width, height). to_logical: output
    pixels, from the output's top left, to logical pixels; from_logical: back. to_upright: the same
    without the corners. shrinking: logical pixels that meet in one output pixel, at the centre and
    along its longer axis. light: brightness times colour. ramp_scale, ramp_bias: of left, top,
    right, bottom: the blend's ramp is at clamp(x or y in logical pixels * scale + bias, 0, 1).
    features: those that are not neutral. is_plain: drawn without a program of its own, since at
    most fit and crop are changed.
    """

    calibration: ScreenCalibration
    size_px: tuple[int, int]
    logical_px: tuple[int, int]
    to_logical: Matrix
    from_logical: Matrix
    to_upright: Matrix
    shrinking: float
    light: tuple[float, float, float]
    ramp_scale: tuple[float, ...]
    ramp_bias: tuple[float, ...]
    features: frozenset[Feature]
    is_plain: bool


def logical_size(calibration: ScreenCalibration, size_px: tuple[int, int]) -> tuple[int, int]:
    """(width, height) that a picture is fitted into: the output's, turned with the monitor."""
    width, height = size_px
    return (height, width) if calibration.rotation in (90, 270) else (width, height)


@lru_cache(maxsize=256)
def prepared(calibration: ScreenCalibration, size_px: tuple[int, int]) -> PreparedCalibration:
    """What the values mean on an output of this size in pixels, both sides at least 1."""
    logical_px = logical_size(calibration, size_px)
    seen = output_to_seen(
        calibration.rotation,
        mirrored=calibration.flip in ("horizontal", "both"),
        upturned=calibration.flip in ("vertical", "both"),
    )
    in_shares = seen @ scaling(1 / size_px[0], 1 / size_px[1])
    enlarged = scaling(*logical_px)
    pinned = "warp" in _features(calibration)
    unpinned = inverse(square_to_quad(calibration.corners)) if pinned else scaling(1.0, 1.0)
    to_upright, to_logical = enlarged @ in_shares, enlarged @ unpinned @ in_shares
    from_logical = inverse(to_logical)
    shrinking = 1.0
    if pinned:
        (centre,) = mapped(from_logical, [(logical_px[0] / 2, logical_px[1] / 2)])
        shrinking = widest_stretch(to_logical, centre)
    (red, green, blue), brightness = calibration.colour, calibration.brightness
    only_placed = calibration.model_copy(update={"fit": None, "crop": IDENTITY.crop})
    return PreparedCalibration(
        calibration=calibration,
        size_px=size_px,
        logical_px=logical_px,
        to_logical=to_logical,
        from_logical=from_logical,
        to_upright=to_upright,
        shrinking=shrinking,
        light=(red * brightness, green * brightness, blue * brightness),
        ramp_scale=_ramp_scale(calibration, logical_px),
        ramp_bias=_ramp_bias(calibration),
        features=_features(calibration),
        is_plain=only_placed == IDENTITY,
    )


def _features(calibration: ScreenCalibration) -> frozenset[Feature]:
    there: dict[Feature, bool] = {
        "warp": calibration.corners != UNIT_SQUARE,
        "blend": calibration.blend != IDENTITY.blend,
        "black": calibration.black != 0,
        "gamma": calibration.gamma != 1,
    }
    return frozenset(feature for feature, is_there in there.items() if is_there)


def _ramp_scale(
    calibration: ScreenCalibration, logical_px: tuple[int, int]
) -> tuple[float, float, float, float]:
    # without a width: a ramp that is at 1 everywhere
    left, top, right, bottom = (1 / width if width else 0.0 for width in calibration.blend)
    width_px, height_px = logical_px
    return left / width_px, top / height_px, -right / width_px, -bottom / height_px


def _ramp_bias(calibration: ScreenCalibration) -> tuple[float, float, float, float]:
    left, top, right, bottom = calibration.blend
    return (
        0.0 if left else 1.0,
        0.0 if top else 1.0,
        1 / right if right else 1.0,
        1 / bottom if bottom else 1.0,
    )


def with_values(
    calibration: ScreenCalibration, field: CalibrationField, values: Sequence[Value], where: str
) -> ScreenCalibration:
    """The calibration with one field changed. where: named in the faults, as in "screen 3".

    Raises ShowError with a sentence for a wrong count, type or range.
    """
    data: dict[str, Any] = calibration.model_dump()
    if field.startswith("corner/"):
        number = int(field.removeprefix("corner/"))
        corners: list[object] = list(calibration.corners)
        corners[number - 1] = tuple(values)
        data["corners"] = corners
    elif isinstance(data[field], tuple):
        data[field] = tuple(values)
    else:
        data[field] = values[0] if len(values) == 1 else list(values)
    if field == "fit" and data[field] == SHOWS_OWN_FIT:
        data[field] = None
    return parse_model(ScreenCalibration, data, where)


def value_text(calibration: ScreenCalibration, field: CalibrationField) -> str:
    """A field's values as they are typed after its address, with a blank between them."""
    if field.startswith("corner/"):
        value: object = calibration.corners[int(field.removeprefix("corner/")) - 1]
    else:
        value = getattr(calibration, field)
    if value is None:
        return SHOWS_OWN_FIT
    parts = value if isinstance(value, tuple) else (value,)
    return " ".join(part if isinstance(part, str) else f"{part:.6g}" for part in parts)
