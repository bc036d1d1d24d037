"""Pictures that cannot be right, and those that only look so."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from player.live.poison import STALE_REQUESTS, PoisonedOutputError, Seen, checked, differ, sampled


def pictures(seed: int = 0, side_px: int = 64, count: int = 7) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (count, side_px, side_px, 4), np.uint8)


def latents(seed: int = 0, count: int = 7) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal((count, 10, 64), dtype=np.float32)


def test_a_picture_of_one_colour_is_named() -> None:
    drawn = pictures()
    drawn[4, :, :, :3] = (0, 17, 255)
    with pytest.raises(PoisonedOutputError, match=r"picture 5 has one colour .*\(0, 17, 255\)"):
        checked(None, latents(), drawn)


@pytest.mark.parametrize("side_px", [4, 8, 16, 17, 64, 250])
def test_a_picture_of_two_colours_is_none(side_px: int) -> None:
    drawn = np.zeros((1, side_px, side_px, 4), np.uint8)
    drawn[:, side_px // 2 :] = 1
    checked(None, latents(count=1), drawn)


def test_alpha_alone_makes_no_picture() -> None:
    drawn = np.zeros((1, 64, 64, 4), np.uint8)
    drawn[..., 3] = pictures(count=1)[..., 3]
    with pytest.raises(PoisonedOutputError):
        checked(None, latents(count=1), drawn)


def played(
    requests: list[tuple[NDArray[np.float32], NDArray[np.uint8]]], seen: Seen | None = None
) -> Seen | None:
    for wanted, drawn in requests:
        seen = checked(seen, wanted, drawn)
    return seen


def test_one_picture_for_thirty_different_requests_is_stale() -> None:
    drawn = pictures()
    several = [(latents(seed), drawn) for seed in range(STALE_REQUESTS)]
    seen = played(several)
    assert seen is not None and seen.repeats == STALE_REQUESTS - 1
    with pytest.raises(PoisonedOutputError, match="30 different requests in a row"):
        checked(seen, latents(999), drawn)


def test_a_paused_show_is_not_stale() -> None:
    wanted, drawn = latents(), pictures()
    seen = played([(wanted + np.float32(1e-3), drawn)] * 1000, checked(None, wanted, drawn))
    assert seen is not None and seen.repeats == 0


def test_a_slow_morph_counts_from_where_the_picture_stood_still() -> None:
    start, end, drawn = latents(0), latents(1), pictures()
    morph = [(start + (end - start) * np.float32(k / 150), drawn) for k in range(150)]
    with pytest.raises(PoisonedOutputError):
        played(morph)


def test_one_other_picture_in_between_begins_anew() -> None:
    few = [(latents(seed), pictures(0)) for seed in range(STALE_REQUESTS - 1)]
    seen = played([*few, (latents(77), pictures(1)), *few])
    assert seen is not None and seen.repeats == len(few) - 1


def test_another_number_of_pictures_or_size_is_something_else() -> None:
    seen = checked(None, latents(), pictures())
    assert checked(seen, latents(count=1), pictures(count=1)).repeats == 0
    assert checked(seen, latents(), pictures(side_px=32)).repeats == 0
    assert differ(latents(count=1), latents(count=2))


def test_numbers_that_are_none_differ() -> None:
    assert differ(np.full((1, 2, 3), np.nan, np.float32), np.ones((1, 2, 3), np.float32))
    assert not differ(np.zeros((1, 2, 3), np.float32), np.zeros((1, 2, 3), np.float32))


def test_the_sample_is_small_and_a_copy() -> None:
    drawn = pictures(side_px=1000, count=2)
    sample = sampled(drawn)
    assert sample.shape == (2, 16, 16, 3) and not np.shares_memory(sample, drawn)
