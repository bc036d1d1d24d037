"""Early pictures that match the full ones and those that do not, and pictures that are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from generator.early_stop import (
    PICTURES,
    EarlyStopTrial,
    difference,
    matching_sides,
    to_level,
    to_light,
)
from generator.engine import SynthesisEngine
from generator.networks import Generator
from tests.tiny_networks import random_generator, random_ws

pytestmark = pytest.mark.usefixtures("one_torch_thread")

SHOW = Path(__file__).resolve().parent.parent / "shows" / "inspace"


def painted(seed: int = 0, side_px: int = 32) -> NDArray[np.uint8]:
    """Soft shapes: [side, side, 4]."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side_px, :side_px] / side_px
    waves = [np.sin(2 * np.pi * (a * x + b * y) + c) for a, b, c in rng.uniform(-2, 2, (3, 3))]
    levels = np.stack([128 + 80 * wave for wave in waves], axis=-1)
    return np.dstack([levels, np.full((side_px, side_px), 255)]).astype(np.uint8)


def halved(full: NDArray[np.uint8]) -> NDArray[np.uint8]:
    light = to_light(full[..., :3]).reshape(len(full) // 2, 2, -1, 2, 3).mean(axis=(1, 3))
    levels = np.round(to_level(light) * 255)
    return np.dstack([levels, np.full(levels.shape[:2], 255)]).astype(np.uint8)


class PaintedEngine:
    """Draws soft shapes; its early picture is the full one made smaller, changed by `fault`."""

    height = 32
    resolutions: tuple[int, ...] = (16, 32)

    def __init__(self, fault: float = 0.0, worse_from: int = 0) -> None:
        self._fault, self._worse_from = fault, worse_from

    def render(self, ws: NDArray[np.float32], out: NDArray[np.uint8]) -> None:
        seed = int(ws[0, 0, 0])
        out[0] = full = painted(seed) if out.shape[1] == 32 else halved(painted(seed))
        if out.shape[1] == 16 and seed >= self._worse_from:
            out[0, ..., :3] = np.clip(full[..., :3] * (1 - self._fault), 0, 255)


def numbered(count: int) -> NDArray[np.float32]:
    return np.arange(count, dtype=np.float32)[:, None, None] * np.ones((1, 2, 4), np.float32)


def test_a_picture_made_smaller_matches() -> None:
    found = difference(painted(), halved(painted()))
    assert found.is_small and found.psnr_db > 45 and found.colour < 0.003
    assert found.contrast == pytest.approx(1.0, abs=0.003)


def test_each_fault_alone_is_enough() -> None:
    full, early = painted(), halved(painted())
    tinted, flat, shaken = early.copy(), early.copy(), early.copy()
    tinted[..., 0] = np.clip(tinted[..., 0] * 1.04, 0, 255)
    flat[..., :3] = np.round(early[..., :3] * 0.9 + early[..., :3].mean((0, 1)) * 0.1)
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 14, early[..., :3].shape)
    shaken[..., :3] = np.clip(early[..., :3] + noise, 0, 255)
    assert difference(full, tinted).colour > 0.02
    assert abs(difference(full, flat).contrast - 1) > 0.05
    assert difference(full, shaken).psnr_db < 28
    for other in (tinted, flat, shaken, halved(painted(1))):
        assert not difference(full, other).is_small


def test_pictures_without_light_compare() -> None:
    black = np.zeros((8, 8, 4), np.uint8)
    assert difference(black, black[:4, :4]).is_small
    assert not difference(black, np.full((4, 4, 4), 60, np.uint8)).is_small


@pytest.mark.parametrize("shape", [(8, 8, 4), (4, 4, 3), (3, 4, 4)])
def test_only_half_the_side_is_compared(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="is not twice"):
        difference(np.zeros((8, 8, 4), np.uint8), np.zeros(shape, np.uint8))


def test_light_and_levels_are_inverse() -> None:
    levels = np.arange(256, dtype=np.uint8)
    assert np.allclose(to_level(to_light(levels)) * 255, levels, atol=1e-9)
    assert to_light(levels)[188] == pytest.approx(0.503, abs=1e-3)


def test_sides_match_where_all_pictures_do() -> None:
    ws = numbered(PICTURES)
    assert matching_sides(PaintedEngine(), ws) == (16,)
    assert matching_sides(PaintedEngine(fault=0.1), ws) == ()
    assert matching_sides(PaintedEngine(fault=0.1, worse_from=PICTURES - 1), ws) == ()


def test_a_trial_says_nothing_before_it_has_seen_enough() -> None:
    trial = EarlyStopTrial(PaintedEngine())
    answers = [trial.step(ws) for ws in numbered(PICTURES)]
    assert answers == [None] * (PICTURES - 1) + [(16,)]
    refused = EarlyStopTrial(PaintedEngine(fault=0.1, worse_from=3))
    assert [refused.step(ws) for ws in numbered(4)] == [None, None, None, ()]


def test_an_engine_without_early_pictures_is_not_asked_for_any() -> None:
    engine = PaintedEngine()
    engine.resolutions = (32,)
    assert EarlyStopTrial(engine).step(numbered(1)[0]) == ()


def make_engine(net: Generator) -> SynthesisEngine:
    return SynthesisEngine(net, max_batch=2, precisions=["float32"])


def test_the_engine_tries_its_own_pictures() -> None:
    net = random_generator()
    trial = make_engine(net).early_stop_trial()
    assert trial.step(random_ws(net, 1)[0]) == (), "random weights: half-way is something else"
    assert trial.side_px == 16 and len(trial.differences) == 1


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_pictures_of_numbers_not_finite_are_refused(number: float) -> None:
    net = random_generator()
    engine = make_engine(net)
    out = np.zeros((2, 32, 32, 4), np.uint8)
    ws = random_ws(net, 2)
    ws[1, 3, 0] = number
    with pytest.raises(FloatingPointError, match="not made of finite numbers"):
        engine.render(ws, out)
    engine.render(random_ws(net, 2), out)
    assert (out[..., 3] == 255).all()


def test_a_model_of_numbers_not_finite_opens_no_engine() -> None:
    net = random_generator()
    with torch.no_grad():
        net.synthesis.blocks()[1].conv0.weight[0, 0, 0, 0] = torch.nan
    with pytest.raises(FloatingPointError):
        make_engine(net)
