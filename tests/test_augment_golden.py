"""Augmentation against reference numbers: every transform and group, at given percentiles.

Run with `pytest -rP tests/test_augment_golden.py` to see every array and its error.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from generator.resampling import resample_filter
from tests.golden import compares, golden_arrays, met
from training.learning.augment import (
    Colours,
    Geometry,
    colour_matrices,
    geometric_maps,
    recoloured,
)
from training.learning.warp import SYMLET_6, supersampled_warp

pytestmark = pytest.mark.usefixtures("one_torch_thread")

FILE = "augment.npz"
TOLERANCE = 2e-4  # absolute; the folder's README, section 8
GRADIENT_TOLERANCE = 1e-3  # of the largest absolute value

# the reference's names of our draws
GEOMETRY = {
    "xflip": ("flipped",), "rotate90": ("quarters",), "xint": ("shift_x", "shift_y"),
    "scale": ("size",), "rotate": ("turn",), "aniso": ("stretch",), "xfrac": ("slide_x", "slide_y"),
}  # fmt: skip
COLOURS = {
    "brightness": ("brightness",), "contrast": ("contrast",), "lumaflip": ("inverted",),
    "hue": ("hue",), "saturation": ("saturation",),
}  # fmt: skip
GROUPS = {
    "blit": ("xflip", "rotate90", "xint"),
    "geom": ("scale", "rotate", "aniso", "xfrac"),
    "color": tuple(COLOURS),
    "bgc": (*GEOMETRY, *COLOURS),
}


def at_percentile(q: float) -> dict[str, float]:
    """Every draw of ours at a percentile of its distribution, as the folder's README says."""
    uniform = 2 * q - 1
    normal = float(torch.erfinv(torch.tensor(uniform)))
    return {
        "flipped": 1 - 2 * math.floor(2 * q),
        "quarters": math.floor(4 * q),
        "shift_x": uniform / 8,
        "shift_y": uniform / 8,
        "size": 2 ** (0.2 * normal),
        "turn": uniform * math.pi,
        "stretch": 2 ** (0.2 * normal),
        "slide_x": 0.125 * normal,
        "slide_y": 0.125 * normal,
        "brightness": 0.2 * normal,
        "contrast": 2 ** (0.5 * normal),
        "inverted": math.floor(2 * q),
        "hue": uniform * math.pi,
        "saturation": 2**normal,
    }


def still(n: int) -> Geometry:
    one, zero = torch.ones(n), torch.zeros(n)
    return Geometry(
        flipped=one, quarters=zero, shift_x=zero, shift_y=zero, size=one, turn=zero, stretch=one,
        second_turn=zero, slide_x=zero, slide_y=zero,
    )  # fmt: skip


def unchanged(n: int) -> Colours:
    one, zero = torch.ones(n), torch.zeros(n)
    return Colours(brightness=zero, contrast=one, inverted=zero, hue=zero, saturation=one)


def augmented(images: Tensor, name: str, q: float) -> Tensor:
    """All of the named transform or group, at strength 1."""
    n, _, height, width = images.shape
    values = {draw: torch.full((n,), float(value)) for draw, value in at_percentile(q).items()}
    chosen = GROUPS.get(name, (name,))
    moves = {draw: values[draw] for part in chosen for draw in GEOMETRY.get(part, ())}
    colours = {draw: values[draw] for part in chosen for draw in COLOURS.get(part, ())}
    if moves:
        images = supersampled_warp(
            images, geometric_maps(replace(still(n), **moves), width, height)
        )
    if colours:
        images = recoloured(images, colour_matrices(replace(unchanged(n), **colours)))
    return images


def pictures(kind: str) -> Tensor:
    name = f"images_{kind}_u8" if kind else "images_u8"
    return torch.from_numpy(golden_arrays(FILE)[name]).float() / 127.5 - 1.0


@compares(FILE, "*_p??")
def test_every_transform_of_the_reference_is_met() -> None:
    for array in (name for name in golden_arrays(FILE) if name[-4:-2] == "_p"):
        kinds = [kind for kind in ("nonsquare", "gray") if kind in array]
        name, _, percentile = array.replace("".join(f"_{kind}" for kind in kinds), "").partition(
            "_p"
        )
        got = augmented(pictures("".join(kinds)), name, int(percentile) / 100)
        met(FILE, array, got, absolute=TOLERANCE)


@compares(FILE, "bgc_p37_grad_images")
def test_the_gradient_of_the_reference_is_met() -> None:
    images = pictures("").requires_grad_(True)
    outward = torch.from_numpy(golden_arrays(FILE)["bgc_p37_dy"])
    augmented(images, "bgc", 0.37).backward(outward)  # type: ignore[no-untyped-call]
    assert images.grad is not None
    met(FILE, "bgc_p37_grad_images", images.grad, of_max=GRADIENT_TOLERANCE)


@compares(FILE, "geom_filter_Hz_geom")
def test_the_low_pass_of_the_reference_is_met() -> None:
    met(FILE, "geom_filter_Hz_geom", resample_filter(SYMLET_6), of_max=1e-6)


def test_the_low_pass_is_orthogonal_to_its_even_shifts() -> None:
    taps = np.array(SYMLET_6)
    for shift in range(0, len(taps), 2):
        product = float(np.dot(taps[shift:], taps[: len(taps) - shift]))
        assert product == pytest.approx(1.0 if shift == 0 else 0.0, abs=1e-9)
