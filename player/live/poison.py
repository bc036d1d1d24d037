"""Whether what an engine drew can be right: pure checks on a sample of its pixels.

A lost device or a damaged model often raises nothing and goes on to deliver grey, black, or the
same picture for ever.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SAMPLES = 16  # rows, and columns, of a picture that are looked at
STALE_REQUESTS = 30  # in a row, all with one picture
CLEARLY = 0.05  # of the root mean square of the latents: a step that changes a picture


class PoisonedOutputError(Exception):
    """Pictures that cannot be right; the text is a sentence's end, without the full stop."""


@dataclass(frozen=True)
class Seen:
    """The first of the requests whose pictures have been the same since.

    latents: [P, num_ws, w_dim]; sample: its sampled pixels; repeats: how many requests for clearly
    other pictures have given the same since.
    """

    latents: NDArray[np.float32]
    sample: NDArray[np.uint8]
    repeats: int = 0


def checked(seen: Seen | None, latents: NDArray[np.float32], pixels: NDArray[np.uint8]) -> Seen:
    """What to hold the next request against. pixels: [P, H, W, 4], latents: [P, num_ws, w_dim].

    Raises PoisonedOutputError when a picture has one colour all over, or when STALE_REQUESTS
    requests in a row gave the same pictures although their latents differ.
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
    if seen.repeats + 1 >= STALE_REQUESTS:
        raise PoisonedOutputError(f"{STALE_REQUESTS} different requests in a row gave one picture")
    return Seen(seen.latents, seen.sample, seen.repeats + 1)


def sampled(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Some SAMPLES x SAMPLES colours of each picture, evenly spread: a copy [P, h, w, 3]."""
    rows, columns = (max(1, side // SAMPLES) for side in pixels.shape[1:3])
    return pixels[:, rows // 2 :: rows, columns // 2 :: columns, :3].copy()


def differ(latents: NDArray[np.float32], others: NDArray[np.float32]) -> bool:
    """Whether some number is clearly another one; numbers that are none differ."""
    if latents.shape != others.shape:
        return True
    step = float(np.abs(latents - others).max())
    return not step <= CLEARLY * float(np.sqrt(np.square(others).mean()))
