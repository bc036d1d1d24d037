"""Pictures that cannot be right, and those that only look so."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from player.live.poison import PoisonedOutputError, Seen, blank, checked, differ, sampled


def pictures(seed: int = 0, side_px: int = 64, count: int = 7) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (count, side_px, side_px, 4), np.uint8)


def latents(seed: int = 0, count: int = 7) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal((count, 10, 64), dtype=np.float32)


def nothing(ws: NDArray[np.float32], out: NDArray[np.uint8]) -> None:
    raise AssertionError("nothing is asked for again")


def test_a_picture_of_one_colour_is_named() -> None:
    drawn = pictures()
    drawn[4, :, :, :3] = (0, 17, 255)
    with pytest.raises(PoisonedOutputError, match=r"picture 5 has one colour .*\(0, 17, 255\)"):
        checked(None, latents(), drawn, nothing)


@pytest.mark.parametrize("side_px", [4, 8, 16, 17, 64, 250])
def test_a_picture_of_two_colours_is_none(side_px: int) -> None:
    drawn = np.zeros((1, side_px, side_px, 4), np.uint8)
    drawn[:, side_px // 2 :] = 1
    checked(None, latents(count=1), drawn, nothing)


def test_alpha_alone_makes_no_picture() -> None:
    drawn = np.zeros((1, 64, 64, 4), np.uint8)
    drawn[..., 3] = pictures(count=1)[..., 3]
    with pytest.raises(PoisonedOutputError):
        checked(None, latents(count=1), drawn, nothing)


class Engine:
    """Draws the same, or what its latents say; counts how often it is asked to find out."""

    def __init__(self, *, stuck: bool) -> None:
        self.stuck, self.asked = stuck, 0

    def render(self, ws: NDArray[np.float32], out: NDArray[np.uint8]) -> None:
        self.asked += 1
        seed = 0 if self.stuck else int(abs(float(ws.sum())) * 1000)
        out[:] = pictures(seed, out.shape[1], len(out))


def played(
    requests: list[NDArray[np.float32]], engine: Engine, drawn: NDArray[np.uint8]
) -> Seen | None:
    """Every request is answered with the same picture."""
    seen = None
    for wanted in requests:
        seen = checked(seen, wanted, drawn, engine.render)
    return seen


def test_an_engine_that_stands_still_is_found_at_the_first_clearly_other_request() -> None:
    engine = Engine(stuck=True)
    with pytest.raises(PoisonedOutputError, match="clearly different requests gave one picture"):
        played([latents(0), latents(1)], engine, pictures())
    assert engine.asked == 1


def test_one_that_only_draws_two_alike_is_asked_once_for_each_and_goes_on() -> None:
    engine = Engine(stuck=False)
    few = [latents(seed) for seed in (0, 0, 1, 1, 1, 2)]
    seen = played(few, engine, pictures())
    assert engine.asked == 2 and seen is not None
    assert np.array_equal(seen.latents, latents(2))


def test_a_paused_show_does_not_stand_still() -> None:
    engine, wanted = Engine(stuck=True), latents()
    nearly = wanted + np.float32(1e-3)
    played([wanted, *[nearly] * 1000], engine, pictures())
    assert engine.asked == 0


def test_a_slow_morph_counts_from_where_the_picture_stood_still() -> None:
    engine, start, end = Engine(stuck=True), latents(0), latents(1)
    morph = [start + (end - start) * np.float32(k / 1500) for k in range(1500)]
    few = next(k for k, wanted in enumerate(morph) if differ(wanted, start))
    assert 2 < few < 100
    played(morph[:few], engine, pictures())
    with pytest.raises(PoisonedOutputError):
        played(morph[: few + 1], engine, pictures())


def test_what_an_engine_leaves_out_is_no_picture_of_before() -> None:
    drawn = pictures()
    blank(drawn)
    assert np.count_nonzero(drawn) > 0.8 * drawn.size  # a sample of it alone
    drawn[:3] = pictures(1, count=3)
    with pytest.raises(PoisonedOutputError, match=r"picture 4 has one colour .*\(0, 0, 0\)"):
        checked(None, latents(), drawn, Engine(stuck=False).render)


def test_another_number_of_pictures_or_size_is_something_else() -> None:
    engine = Engine(stuck=True)
    seen = checked(None, latents(), pictures(), engine.render)
    for wanted, drawn in (
        (latents(count=1), pictures(count=1)),
        (latents(), pictures(side_px=32)),
    ):
        checked(seen, wanted, drawn, engine.render)
    assert engine.asked == 0
    assert differ(latents(count=1), latents(count=2))


def test_numbers_that_are_none_differ() -> None:
    assert differ(np.full((1, 2, 3), np.nan, np.float32), np.ones((1, 2, 3), np.float32))
    assert not differ(np.zeros((1, 2, 3), np.float32), np.zeros((1, 2, 3), np.float32))


def test_the_sample_is_small_and_a_copy() -> None:
    drawn = pictures(side_px=1000, count=2)
    sample = sampled(drawn)
    assert sample.shape == (2, 16, 16, 3) and not np.shares_memory(sample, drawn)
