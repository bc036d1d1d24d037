"""The engine against `Generator.synthesis`, and its promises to the worker."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from generator import engine as engine_module
from generator.checkpoint import CheckpointError, save_generator
from generator.engine import SynthesisEngine, open_engine
from generator.networks import Generator, NoiseMode
from tests.tiny_networks import random_generator, random_ws

pytestmark = pytest.mark.usefixtures("one_torch_thread")

LEAST_PSNR_DB = 40.0
PRECISIONS = engine_module._precisions("cpu")


def make_engine(
    net: Generator,
    *,
    max_batch: int = 4,
    noise_mode: NoiseMode = "const",
    precision: torch.dtype = torch.float32,
) -> SynthesisEngine:
    return SynthesisEngine(net, max_batch=max_batch, noise_mode=noise_mode, precisions=[precision])


def drawn(engine: SynthesisEngine, ws: NDArray[np.float32]) -> NDArray[np.uint8]:
    out = np.zeros((len(ws), engine.height, engine.width, 4), np.uint8)
    engine.render(ws, out)
    return out


def wanted(net: Generator, ws: NDArray[np.float32], noise_mode: NoiseMode) -> NDArray[np.float32]:
    """Levels 0..255 before rounding: float32 [N, H, W, 3]."""
    image = net.synthesis(torch.from_numpy(ws), noise_mode=noise_mode)
    levels: NDArray[np.float32] = (image * 127.5 + 127.5).clamp(0, 255).permute(0, 2, 3, 1).numpy()
    return levels


@pytest.mark.parametrize("noise_mode", ["const", "none"])
@pytest.mark.parametrize("conv_clamp", [None, 0.75])
@pytest.mark.parametrize("precision", PRECISIONS, ids=str)
def test_every_precision_of_this_machine_draws_the_same_picture(
    precision: torch.dtype, conv_clamp: float | None, noise_mode: NoiseMode
) -> None:
    net = random_generator(conv_clamp=conv_clamp)
    ws = random_ws(net, 4)
    levels = wanted(net, ws, noise_mode)
    got = drawn(make_engine(net, noise_mode=noise_mode, precision=precision), ws)[..., :3]
    assert levels.std() > 20 and ((levels > 0) & (levels < 255)).mean() > 0.9
    error = float(np.square(got - levels).mean())
    psnr = 20 * math.log10(255 / math.sqrt(error))
    print(f"{precision} {psnr:.1f} dB, levels spread {levels.std():.0f}")
    assert psnr >= LEAST_PSNR_DB
    if precision == torch.float32:
        # rounding with a dither of a level's width is off by less than a level
        assert np.abs(got - levels).max() < 1.01


def test_noise_const_and_none_differ() -> None:
    net = random_generator()
    ws = random_ws(net, 1)
    with_noise = drawn(make_engine(net, max_batch=1), ws)
    assert (with_noise != drawn(make_engine(net, max_batch=1, noise_mode="none"), ws)).mean() > 0.1


@pytest.mark.parametrize("precision", PRECISIONS, ids=str)
def test_equal_ws_give_equal_pictures(precision: torch.dtype) -> None:
    net = random_generator()
    engine = make_engine(net, precision=precision)
    ws = random_ws(net, 4)
    ws[2] = ws[0]
    first = drawn(engine, ws)
    assert np.array_equal(first[0], first[2]) and not np.array_equal(first[0], first[1])
    assert np.array_equal(first, drawn(engine, ws))


@pytest.mark.parametrize("precision", PRECISIONS, ids=str)
def test_a_smaller_call_draws_what_a_full_one_draws(precision: torch.dtype) -> None:
    net = random_generator()
    engine = make_engine(net, precision=precision)
    ws = random_ws(net, 4)
    full = drawn(engine, ws)
    for n in (2, 3):
        assert np.array_equal(drawn(engine, ws[:n]), full[:n])
    # alone, the convolution library may sum in another order: a level here or there
    alone = drawn(engine, ws[:1])
    assert np.abs(alone.astype(int) - full[:1]).max() <= (1 if precision == torch.float32 else 4)


def test_the_dither_keeps_the_mean_of_a_gradient_finer_than_a_level() -> None:
    net = random_generator()
    engine = make_engine(net, max_batch=1)
    for level in (100.0, 100.25, 100.5, 100.9, 0.0, 255.0):
        flat = torch.full((1, 3, 32, 32), (level - 127.5) / 127.5)
        rounded = engine._levels(flat).numpy()
        assert abs(rounded.mean() - level) < 0.03
        assert set(np.unique(rounded)) <= {math.floor(level), math.ceil(level)}


def test_every_pixel_is_opaque() -> None:
    net = random_generator()
    assert (drawn(make_engine(net), random_ws(net, 3))[..., 3] == 255).all()


def test_a_view_of_a_larger_buffer_is_drawn_into() -> None:
    net = random_generator()
    engine = make_engine(net)
    ws = random_ws(net, 2)
    ring = np.zeros((3, 4, 32, 32, 4), np.uint8)
    engine.render(ws, ring[1, :2])
    assert np.array_equal(ring[1, :2], drawn(engine, ws))
    assert not ring[0].any() and not ring[2].any() and not ring[1, 2:].any()


@pytest.mark.parametrize(
    ("ws_shape", "out_shape"),
    [
        ((1, 7, 16), (1, 32, 32, 4)),
        ((1, 8, 15), (1, 32, 32, 4)),
        ((1, 16), (1, 32, 32, 4)),
        ((1, 8, 16), (2, 32, 32, 4)),
        ((1, 8, 16), (1, 32, 32, 3)),
        ((5, 8, 16), (5, 32, 32, 4)),
        ((0, 8, 16), (0, 32, 32, 4)),
    ],
)
def test_wrong_shapes_are_refused(ws_shape: tuple[int, ...], out_shape: tuple[int, ...]) -> None:
    engine = make_engine(random_generator())
    with pytest.raises(ValueError, match=r"wanted|at most 4"):
        engine.render(np.zeros(ws_shape, np.float32), np.zeros(out_shape, np.uint8))


def test_wrong_types_are_refused() -> None:
    engine = make_engine(random_generator())
    good_ws, good_out = np.zeros((1, 8, 16), np.float32), np.zeros((1, 32, 32, 4), np.uint8)
    with pytest.raises(ValueError, match="float32"):
        engine.render(good_ws.astype(np.float64), good_out)
    with pytest.raises(ValueError, match="uint8"):
        engine.render(good_ws, good_out.astype(np.float32))


def test_random_noise_is_refused() -> None:
    with pytest.raises(ValueError, match="flickers"):
        SynthesisEngine(random_generator(), max_batch=1, noise_mode="random")


def test_the_fastest_precision_measured_is_the_one_that_draws(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    net = random_generator()
    ws = random_ws(net, 2)
    alike = drawn(make_engine(net, max_batch=2, precision=torch.bfloat16), ws)
    seconds = iter([0.001, 0.002])
    monkeypatch.setattr(SynthesisEngine, "_measure", lambda *_: next(seconds))
    engine = SynthesisEngine(net, max_batch=2, precisions=[torch.bfloat16, torch.float32])
    assert engine.precision == torch.bfloat16 and "bfloat16" in engine.description
    assert np.array_equal(drawn(engine, ws), alike)


def test_an_engine_is_opened_on_a_saved_file(tmp_path: Path) -> None:
    net = random_generator()
    save_generator(net, tmp_path / "g.safetensors", torch.float32)
    engine = open_engine(tmp_path / "g.safetensors", screens=3, noise_mode="none", threads=1)
    assert (engine.num_ws, engine.w_dim, engine.width, engine.height) == (8, 16, 32, 32)
    assert "32x32" in engine.description
    ws = random_ws(net, 3)
    levels = wanted(net, ws, "none")
    error = float(np.square(drawn(engine, ws)[..., :3] - levels).mean())
    assert 20 * math.log10(255 / math.sqrt(error)) >= LEAST_PSNR_DB


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"none\.safetensors: there is no such file"):
        open_engine(tmp_path / "none.safetensors", threads=1)
