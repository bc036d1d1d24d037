"""What one screen shows, as a value, and where a picture falls on an output. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from shows.schema import Fit as Fit
from shows.schema import Surround

FITS: tuple[Fit, ...] = ("cover", "contain", "stretch")
# Two blended key pictures, a film of up to three parts and a still, all fading at once.
MOST_LAYERS = 6


Focus = tuple[float, float]
CENTRE: Focus = (0.5, 0.5)


@dataclass(frozen=True)
class Layer:
    """One uploaded picture in a shot: `picture` counts from 0 in what `source` uploaded last."""

    source: str
    picture: int
    weight: float


@dataclass(frozen=True)
class Overlay:
    """An uploaded picture over the layers, each texel a block: a card, or a strip of frame numbers.

    rectangle: (x, y, width, height) in logical pixels of the screen (its size as the viewer sees
    it), from the top left. It is turned and mirrored with the screen, but neither warped, graded,
    blended nor faded, so that it can be read whatever the calibration. What lies outside the
    screen is cut off. Raises ValueError for a width or height below 1.
    """

    source: str
    picture: int
    rectangle: tuple[int, int, int, int]

    def __post_init__(self) -> None:
        if min(self.rectangle[2:]) < 1:
            raise ValueError(f"an overlay has a width and a height, not {self.rectangle[2:]}")


@dataclass(frozen=True)
class Shot:
    """What a screen shows: one picture, or up to six mixed in linear light.

    The layers' weights are 0..1 and sum to 1; one of weight 0 costs nothing. `gain` is relative
    luminance, 0 (black) to 1. Overlays lie over the layers, a later one over an earlier. whole: a
    test card, which is shown with all its edges and as it is: the screen's own crop, fit and look
    do not apply. frame: what a grain that moves is seeded with. Raises ValueError for any other
    number of layers, weights or gain.
    """

    layers: tuple[Layer, ...]
    gain: float
    fit: Fit
    overlays: tuple[Overlay, ...] = ()
    whole: bool = False
    focus: Focus = CENTRE
    frame: int = 0

    def __post_init__(self) -> None:
        if not 1 <= len(self.layers) <= MOST_LAYERS:
            raise ValueError(f"a shot has 1 to {MOST_LAYERS} layers, not {len(self.layers)}")
        weights = [layer.weight for layer in self.layers]
        if not (min(weights) >= 0 and abs(sum(weights) - 1) <= 1e-6):
            raise ValueError(f"the weights of a shot's layers sum to 1, these are {weights}")
        if not 0 <= self.gain <= 1:
            raise ValueError(f"a shot's gain is 0 to 1, not {self.gain}")
        if self.fit not in FITS:
            raise ValueError(f"a shot's fit is one of {', '.join(FITS)}, not {self.fit!r}")


@dataclass(frozen=True)
class FitRectangles:
    """`source` of the picture fills `target` of the output; each (x, y, width, height).

    Both are measured from the top left: the target in whole output pixels, inside the output; the
    source in picture pixels, inside the picture, not rounded.
    """

    target: tuple[int, int, int, int]
    source: tuple[float, float, float, float]


def fit_rectangle(
    fit: Fit,
    picture_wh: tuple[float, float],
    output_wh: tuple[int, int],
    focus: Focus = CENTRE,
) -> FitRectangles:
    """How a picture (or a part of one) meets an output, both in square pixels.

    cover fills the output and cuts the picture on two sides, so that `focus` comes as near to the
    middle as there is picture for; contain shows all of the picture, centred; stretch shows all of
    it on all of the output.
    """
    picture_w, picture_h = picture_wh
    output_w, output_h = output_wh
    whole = (0.0, 0.0, float(picture_w), float(picture_h))
    if fit == "stretch":
        return FitRectangles((0, 0, output_w, output_h), whole)
    if fit == "cover":
        magnification = max(output_w / picture_w, output_h / picture_h)
        source_w = min(float(picture_w), output_w / magnification)
        source_h = min(float(picture_h), output_h / magnification)
        x = min(max(focus[0] * picture_w - source_w / 2, 0.0), picture_w - source_w)
        y = min(max(focus[1] * picture_h - source_h / 2, 0.0), picture_h - source_h)
        return FitRectangles((0, 0, output_w, output_h), (x, y, source_w, source_h))
    magnification = min(output_w / picture_w, output_h / picture_h)
    target_w = min(output_w, max(1, round(picture_w * magnification)))
    target_h = min(output_h, max(1, round(picture_h * magnification)))
    left, top = (output_w - target_w) // 2, (output_h - target_h) // 2
    return FitRectangles((left, top, target_w, target_h), whole)


@dataclass(frozen=True)
class Placement:
    """A picture on an output, as the shader wants it.

    An output pixel at (x, y) from the top left, its centre at (x + 0.5, y + 0.5), lies at texel
    coordinate `scale` * that + `offset` of mip level `level`, whose first texel spans 0..1.
    `kernel` is (B, C) of Mitchell and Netravali's family of cubics. `sharp`: how much edges are
    kept if the look asks for that, 0 to 1.
    """

    target: tuple[int, int, int, int]
    scale: tuple[float, float]
    offset: tuple[float, float]
    level: int
    kernel: tuple[float, float]
    sharp: float = 0.0
    surround: Surrounding | None = None

    @property
    def levels(self) -> int:
        """The coarsest mip level that is read."""
        return max(self.level, self.surround.level if self.surround else 0)


@dataclass(frozen=True)
class Surrounding:
    """What lies around a picture that does not fill its output: the picture folded back at its
    edges, read from mip level `level`.

    edges: left, top, right, bottom of the picture in texel coordinates of the placement's level.
    share: texels of its own level to one of that, along x and y. dimmed: its light, a share of the
    picture's.
    """

    edges: tuple[float, float, float, float]
    level: int
    share: tuple[float, float]
    dimmed: float


# Of the picture's shorter side, the texels that are left in a surround.
_SURROUND_TEXELS: dict[Surround, int] = {"blur": 8, "colour": 1}
# Looked at beside the picture: as bright as it is it leads the eye away.
_SURROUND_DIMMED = 0.45


def sharpness(magnification: float) -> float:
    """How much edges are kept, 0 to 1: nothing up to one and a half, all of it from four on.

    Below, a texel's own edge is as sharp as the screen can show it.
    """
    return min(max((math.log2(magnification) - math.log2(1.5)) / math.log2(4 / 1.5), 0.0), 1.0)


def cubic_kernel(magnification: float) -> tuple[float, float]:
    """(B, C) of the cubic for this magnification (output pixels per texel, above 0).

    On the line B + 2C = 1 (Mitchell and Netravali, Reconstruction Filters in Computer Graphics,
    1988, section 3): Catmull-Rom at 1, where it returns every texel untouched, to Mitchell from
    2 upwards. Looked at with 64 px pictures on 256 to 1280 px: Catmull-Rom throughout draws stairs
    along slopes and dark rims around houses, the B-spline loses windows, birds and tree trunks.
    """
    blur = min(1.0, abs(math.log2(magnification))) / 3
    return blur, (1 - blur) / 2


@lru_cache(maxsize=256)
def place(
    fit: Fit,
    picture_wh: tuple[int, int],
    output_wh: tuple[int, int],
    crop: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0),
    shrinking: float = 1.0,
    focus: Focus = CENTRE,
    surround: Surround = "black",
    coarsest: int | None = None,
) -> Placement:
    """Where and how a picture is sampled. Sizes in pixels, all at least 1.

    surround: other than black, the target is the whole output. crop: left, top, right, bottom,
    shares of the picture that are cut off first. shrinking: by how much the output pixels of
    `output_wh`, if they are only logical ones, are smaller when drawn. A picture much larger than
    its place is read from the mip level (an area mean over 2^level texels squared) that is nearest
    to the output's size; the cubic does the rest, 0.7 to 1.4. coarsest: the coarsest level there
    is, None: whichever is wanted. Read from a finer one than wanted a picture flickers.
    """
    left, top, right, bottom = crop
    cropped_wh = picture_wh[0] * (1 - left - right), picture_wh[1] * (1 - top - bottom)
    seen = (
        (focus[0] - left) / (1 - left - right),
        (focus[1] - top) / (1 - top - bottom),
    )
    rectangles = fit_rectangle(fit, cropped_wh, output_wh, seen)
    target_x, target_y, target_w, target_h = rectangles.target
    source_x, source_y, source_w, source_h = rectangles.source
    source_x, source_y = source_x + left * picture_wh[0], source_y + top * picture_wh[1]
    shrink = max(source_w / target_w, source_h / target_h) * shrinking
    level = max(0, math.floor(math.log2(shrink) + 0.5))
    level = min(level, int(math.log2(min(picture_wh))))
    level = level if coarsest is None else min(level, coarsest)
    share_x = (picture_wh[0] >> level) / picture_wh[0]
    share_y = (picture_wh[1] >> level) / picture_wh[1]
    scale_x, scale_y = source_w / target_w * share_x, source_h / target_h * share_y
    magnification = 1 / (max(scale_x, scale_y) * shrinking)
    surrounding = None
    if surround != "black" and (target_w, target_h) != output_wh:
        coarsest = int(math.log2(min(picture_wh)))
        texels = _SURROUND_TEXELS.get(surround, min(picture_wh))
        around = min(max(level, coarsest - int(math.log2(texels))), coarsest)
        surrounding = Surrounding(
            edges=(
                source_x * share_x,
                source_y * share_y,
                (source_x + source_w) * share_x,
                (source_y + source_h) * share_y,
            ),
            level=around,
            share=(
                (picture_wh[0] >> around) / (picture_wh[0] >> level),
                (picture_wh[1] >> around) / (picture_wh[1] >> level),
            ),
            dimmed=_SURROUND_DIMMED,
        )
    return Placement(
        target=rectangles.target if surrounding is None else (0, 0, *output_wh),
        scale=(scale_x, scale_y),
        offset=(source_x * share_x - target_x * scale_x, source_y * share_y - target_y * scale_y),
        level=level,
        kernel=cubic_kernel(magnification),
        sharp=sharpness(magnification),
        surround=surrounding,
    )
