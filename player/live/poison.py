"""Whether what an engine drew can be right: checks on a sample of its pixels.

A lost device or a damaged model often raises nothing and goes on to deliver grey, black, nothing,
or the same picture for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SAMPLES = 16  # rows, and columns, of a picture that are looked at
CLEARLY = 0.05  # of the root mean square of the latents: a step that changes a picture

Draw = Callable[[NDArray[np.float32], NDArray[np.uint8]], None]
"""An engine's `render`."""


class PoisonedOutputError(Exception):
    """Pictures that cannot be right; the text is a sentence's end, without the full stop."""


@dataclass(frozen=True)
class Seen:
    """The first of the requests whose pictures have been the same since.

    latents: [P, num_ws, w_dim]; sample: its sampled pixels.
    """

    latents: NDArray[np.float32]
    sample: NDArray[np.uint8]


def blank(pixels: NDArray[np.uint8]) -> None:
    """Before an engine draws into pixels [P, H, W, 4]: a picture that it leaves out then has one
    colour all over, and not that of an earlier request."""
    _spots(pixels)[...] = 0


def checked(
    seen: Seen | None, latents: NDArray[np.float32], pixels: NDArray[np.uint8], draw: Draw
) -> Seen:
    """What to hold the next request against. pixels: [P, H, W, 4], latents: [P, num_ws, w_dim].

    Raises PoisonedOutputError when a picture has one colour all over, or when pictures stand still:
    the latents are clearly others than when they were first seen, and quite other ones, drawn to
    find out, give the same again. Such a drawing costs a frame; a generator that does its work
    hardly ever asks for one.
    """
    sample = sampled(pixels)
    flat = (sample == sample[:, :1, :1]).all(axis=(1, 2, 3))
    if flat.any():
        picture = int(flat.argmax())
        colour = ", ".join(str(level) for level in sample[picture, 0, 0])
        raise PoisonedOutputError(f"picture {picture + 1} has one colour all over ({colour})")
    if seen is None or not np.array_equal(sample, seen.sample):
        return Seen(latents, sample)
    if not differ(latents, seen.latents):
        return seen
    # as many, all distinct and of the same order: an engine may draw equal ones once, another way
    quite_other, again = (latents / 2 + 1).astype(np.float32), np.zeros_like(pixels)
    draw(quite_other, again)
    if np.array_equal(sampled(again), sample):
        raise PoisonedOutputError("clearly different requests gave one picture")
    return Seen(latents, sample)


def sampled(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Some SAMPLES x SAMPLES colours of each picture, evenly spread: a copy [P, h, w, 3]."""
    return _spots(pixels).copy()


def _spots(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    rows, columns = (max(1, side // SAMPLES) for side in pixels.shape[1:3])
    return pixels[:, rows // 2 :: rows, columns // 2 :: columns, :3]


def differ(latents: NDArray[np.float32], others: NDArray[np.float32]) -> bool:
    """Whether some number is clearly another one; numbers that are none differ."""
    if latents.shape != others.shape:
        return True
    step = float(np.abs(latents - others).max())
    return not step <= CLEARLY * float(np.sqrt(np.square(others).mean()))
