"""The shipped show, every frame of every ballad: no flash, and no seam."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from player.composer import LARGEST_STEP
from player.picture_book.stage import Stage
from shows.show_file import load_show
from shows.timeline import Cue, Cues, add_cue, latents_at, opening_cues

SHOW = Path(__file__).resolve().parent.parent / "shows" / "inspace"
SWITCH = 900
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage(load_show(SHOW), max(1, (os.cpu_count() or 2) // 2)) as opened:
        yield opened


def light(pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Mean linear light of each picture, 0 to 1."""
    c = np.arange(256) / 255
    table = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    mean: NDArray[np.float64] = table[pictures[..., :3]].mean(axis=(1, 2, 3))
    return mean


def walked(stage: Stage, cues: Cues, frames: range) -> Iterator[NDArray[np.uint8]]:
    for frame in frames:
        yield stage.pictures([latents_at(stage.show, cues, n, frame) for n in range(len(cues))])


def test_no_step_of_light_in_a_whole_cycle_with_a_switch_in_the_middle(stage: Stage) -> None:
    show = stage.show
    ids = show.ballad_ids
    cues = tuple(
        add_cue(
            screen,
            Cue(ids[(ids.index(screen[0].ballad_id) + 1) % len(ids)], SWITCH, 150),
            SWITCH,
        )
        for screen in opening_cues(show)
    )
    before, largest = None, 0.0
    for pictures in walked(stage, cues, range(show.cycle_frames(ids[0]))):
        now = light(pictures)
        if before is not None:
            largest = max(largest, float(np.abs(now - before).max()))
        before = now
    print(f"largest step of light: {largest:.4f} of white, limit {LARGEST_STEP:.4f}")
    assert largest < LARGEST_STEP / 2


def test_the_seam_is_no_larger_than_any_other_step(stage: Stage) -> None:
    show = stage.show
    cycle = show.cycle_frames(show.ballad_ids[0])
    cues = opening_cues(show)
    last, steps = None, []
    for pictures in walked(stage, cues, range(cycle - 60, cycle + 60)):
        colours = pictures[..., :3].astype(float)
        if last is not None:
            steps.append(np.abs(colours - last).mean(axis=(1, 2, 3)))
        last = colours
    at_seam, others = steps[59], np.delete(np.array(steps), 59, axis=0)
    print(f"step at the seam {at_seam.round(3)}, largest elsewhere {others.max(axis=0).round(3)}")
    assert (at_seam <= others.max(axis=0) + 1e-9).all()
