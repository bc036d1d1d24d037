"""The engine against `Generator.synthesis`, and its promises to the worker."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from generator.calibration import calibrated, fast_precisions, psnr
from generator.checkpoint import CheckpointError, save_generator
from generator.dither import FILE, SIDE, dither, void_and_cluster
from generator.engine import SynthesisEngine, open_engine, to_rgba
from generator.engine_path import EnginePath, LayerPath
from generator.networks import Generator, NoiseMode
from generator.prepared import PreparedSynthesis
from tests.tiny_networks import random_generator, random_ws

pytestmark = pytest.mark.usefixtures("one_torch_thread")

LEAST_PSNR_DB = 40.0
PRECISIONS = fast_precisions("cpu")
LAYERS = 7  # of the 32-pixel network: 4x4 has one convolution, the others two
INPUTS = LayerPath("inputs")
TRANSPOSED, COMPOSITE = LayerPath("inputs", "transposed"), LayerPath("inputs", "composite")
OWN, OWN_UP = LayerPath("weights"), LayerPath("weights", "transposed")


def make_path(plain: LayerPath, up: LayerPath, *, precision: str, singly_from: int) -> EnginePath:
    layers = tuple(plain if place % 2 == 0 else up for place in range(LAYERS))
    return EnginePath(precision, singly_from, layers)


PATHS = {
    "scaled inputs, transposed": make_path(INPUTS, TRANSPOSED, precision="float32", singly_from=64),
    "scaled inputs, composite": make_path(INPUTS, COMPOSITE, precision="float32", singly_from=64),
    "own weights": make_path(OWN, OWN_UP, precision="float32", singly_from=4),
    "own weights in a batch": make_path(OWN, OWN_UP, precision="float32", singly_from=64),
    "one by one from 16": make_path(INPUTS, TRANSPOSED, precision="float32", singly_from=16),
}


def make_engine(
    net: Generator,
    *,
    max_batch: int = 4,
    noise_mode: NoiseMode = "const",
    precision: str = "float32",
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


# ---- every way of making a picture makes the same picture


@pytest.mark.parametrize("noise_mode", ["const", "none"])
@pytest.mark.parametrize("conv_clamp", [None, 0.75])
@pytest.mark.parametrize("name", PATHS)
def test_every_path_is_the_network_to_rounding(
    name: str, conv_clamp: float | None, noise_mode: NoiseMode
) -> None:
    net = random_generator(conv_clamp=conv_clamp)
    ws = torch.from_numpy(random_ws(net, 3))
    exact = net.synthesis(ws, noise_mode=noise_mode)
    with torch.inference_mode():
        made = PreparedSynthesis(net, PATHS[name], noise_mode, "cpu")(ws)
        early = PreparedSynthesis(net, PATHS[name], noise_mode, "cpu")(ws, 16)
    assert float((made - exact).abs().max() / exact.abs().max()) < 5e-6
    stopped = net.synthesis(ws, noise_mode=noise_mode, resolution=16)
    assert float((early - stopped).abs().max() / stopped.abs().max()) < 5e-6


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="torch without oneDNN")
def test_bias_and_activation_within_the_convolution_change_nothing() -> None:
    net = random_generator()
    fused = replace(
        PATHS["own weights"],
        layers=tuple(replace(layer, fused=True) for layer in PATHS["own weights"].layers),
    )
    ws = torch.from_numpy(random_ws(net, 2))
    exact = net.synthesis(ws, noise_mode="none")
    with torch.inference_mode():
        made = PreparedSynthesis(net, fused, "none", "cpu")(ws)
    assert float((made - exact).abs().max() / exact.abs().max()) < 5e-6


@pytest.mark.parametrize("noise_mode", ["const", "none"])
@pytest.mark.parametrize("conv_clamp", [None, 0.75])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_every_precision_of_this_machine_draws_the_same_picture(
    precision: str, conv_clamp: float | None, noise_mode: NoiseMode
) -> None:
    net = random_generator(conv_clamp=conv_clamp)
    ws = random_ws(net, 4)
    levels = wanted(net, ws, noise_mode)
    got = drawn(make_engine(net, noise_mode=noise_mode, precision=precision), ws)[..., :3]
    assert levels.std() > 20 and ((levels > 0) & (levels < 255)).mean() > 0.9
    error = float(np.square(got - levels).mean())
    decibel = 20 * math.log10(255 / math.sqrt(error))
    print(f"{precision} {decibel:.1f} dB, levels spread {levels.std():.0f}")
    assert decibel >= LEAST_PSNR_DB
    if precision == "float32":
        # rounding with a dither of a level's width is off by less than a level
        assert np.abs(got - levels).max() < 1.01


def test_noise_const_and_none_differ() -> None:
    net = random_generator()
    ws = random_ws(net, 1)
    with_noise = drawn(make_engine(net, max_batch=1), ws)
    assert (with_noise != drawn(make_engine(net, max_batch=1, noise_mode="none"), ws)).mean() > 0.1


def test_an_early_stop_is_drawn_into_a_smaller_picture() -> None:
    net = random_generator()
    engine = make_engine(net)
    ws = random_ws(net, 2)
    out = np.zeros((2, 16, 16, 4), np.uint8)
    engine.render(ws, out)
    image = net.synthesis(torch.from_numpy(ws), resolution=16)
    levels = (image * 127.5 + 127.5).clamp(0, 255).permute(0, 2, 3, 1).numpy()
    assert np.abs(out[..., :3] - levels).max() < 1.01


# ---- batches


@pytest.mark.parametrize("precision", PRECISIONS)
def test_equal_ws_are_drawn_once(precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    net = random_generator()
    engine = make_engine(net, precision=precision)
    ws = random_ws(net, 4)
    ws[2] = ws[0]
    ws[3] = ws[0]
    sizes = []
    draw = engine._render_different

    def watched(ws: NDArray[np.float32], out: NDArray[np.uint8], resolution: int) -> None:
        sizes.append(len(ws))
        draw(ws, out, resolution)

    monkeypatch.setattr(engine, "_render_different", watched)
    made = drawn(engine, ws)
    assert sizes == [2]
    assert np.array_equal(made[0], made[2]) and np.array_equal(made[0], made[3])
    assert not np.array_equal(made[0], made[1])
    assert np.array_equal(made[:2], drawn(engine, ws[:2]))


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("sizes", [(1, 2, 3, 4), (1, 4)])
def test_a_smaller_call_draws_what_a_full_one_draws(precision: str, sizes: tuple[int, ...]) -> None:
    net = random_generator()
    engine = make_engine(net, precision=precision)
    engine.batch_sizes = sizes
    ws = random_ws(net, 4)
    full = drawn(engine, ws)
    for n in (1, 2, 3):
        # in another batch the convolution library may sum in another order: a level here or there
        difference = np.abs(drawn(engine, ws[:n]).astype(int) - full[:n])
        assert difference.max() <= (1 if precision == "float32" else 4)
        assert (difference != 0).mean() < 0.2


# ---- calibration


def test_a_calibrated_path_is_remembered_and_a_spoilt_memory_is_made_anew(tmp_path: Path) -> None:
    net = random_generator()
    cache = tmp_path / "cache" / "paths.json"

    def choose(batch: int = 2) -> tuple[EnginePath, bool]:
        made = calibrated(net, batch=batch, noise_mode="const", device="cpu", cache=cache)
        assert made.psnr_db[1] >= LEAST_PSNR_DB
        return made.path, made.from_cache

    first, known = choose()
    assert not known and len(first.layers) == LAYERS
    assert choose() == (first, True)
    assert choose(batch=3)[1] is False, "another batch is another question"
    assert len(json.loads(cache.read_text())) == 2
    spoilt = {key: {**entry, "path": {"layers": 7}} for key, entry in _entries(cache).items()}
    cache.write_text(json.dumps(spoilt))
    assert choose()[1] is False
    cache.write_text("no JSON")
    assert choose()[1] is False and choose()[1] is True
    with torch.no_grad():
        net.synthesis.get_submodule("b8").conv1.weight.mul_(1.5)
    assert choose()[1] is False, "other weights, another error against float32"


def _entries(cache: Path) -> dict[str, dict[str, object]]:
    entries: dict[str, dict[str, object]] = json.loads(cache.read_text())
    return entries


def test_a_memory_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    net = random_generator()
    cache = blocked / "paths.json"
    for _ in range(2):
        made = calibrated(net, batch=1, noise_mode="none", device="cpu", cache=cache)
        assert not made.from_cache


def test_a_precision_that_spoils_the_picture_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    net = random_generator()
    monkeypatch.setattr("generator.calibration.LEAST_PSNR_DB", 119.0)
    made = calibrated(
        net, batch=1, noise_mode="const", device="cpu", precisions=("bfloat16", "float32")
    )
    assert made.path.precision == "float32"


def test_a_clamp_is_left_out_only_where_nothing_comes_near_it() -> None:
    for clamp, kept in ((0.75, True), (1e6, False)):
        made = calibrated(
            random_generator(conv_clamp=clamp), batch=1, noise_mode="const", device="cpu"
        )
        assert made.path.keeps_clamp is kept
    assert "clamp never reached" in str(made.path)


def test_a_path_is_pinned_and_survives_json() -> None:
    net = random_generator()
    for path in PATHS.values():
        again = EnginePath.from_dict(json.loads(json.dumps(path.to_dict())))
        assert again == path
    engine = SynthesisEngine(net, max_batch=1, path=path)
    assert engine.path == path and engine.calibration is None
    assert "pinned" in engine.description and "one sample at a time from 16 px" in str(path)
    with pytest.raises(ValueError, match="path of 3 layers, for a network of 7"):
        SynthesisEngine(net, max_batch=1, path=replace(path, layers=path.layers[:3]))
    for wrong in ({"precision": "int8"}, {"layers": [{"modulation": "magic"}]}):
        with pytest.raises((ValueError, TypeError)):
            EnginePath.from_dict({**path.to_dict(), **wrong})


def test_psnr_is_that_of_the_definition() -> None:
    wanted = torch.zeros(3, 4, 4)
    assert psnr(wanted + 0.02, wanted) == pytest.approx(10 * math.log10(4 / 0.0004))
    assert psnr(wanted, wanted) == 120.0
    assert psnr(wanted + 5, wanted + 1) == 120.0, "what lies outside -1..1 is not seen"


# ---- eight bits


def test_the_dither_keeps_the_mean_of_a_gradient_finer_than_a_level() -> None:
    tile = dither(64, 64) + 127.5
    for level in (100.0, 100.25, 100.5, 100.9, 0.0, 255.0):
        flat = torch.full((1, 3, 64, 64), (level - 127.5) / 127.5)
        rounded = to_rgba(flat, tile)[..., :3].numpy()
        assert abs(rounded.mean() - level) < 0.01
        assert set(np.unique(rounded)) <= {math.floor(level), math.ceil(level)}


def test_the_tile_is_blue_noise_and_made_by_the_algorithm_that_stands_there() -> None:
    ranks = np.load(FILE)
    assert sorted(ranks.flat) == list(range(SIDE * SIDE)), "every threshold once"
    power = np.abs(np.fft.fft2(ranks - ranks.mean())) ** 2
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(SIDE), np.fft.fftfreq(SIDE)))
    low, high = power[(frequency < 0.15) & (frequency > 0)].mean(), power[frequency > 0.3].mean()
    assert low < 0.02 * high
    small = void_and_cluster(16)
    assert sorted(small.flat) == list(range(256))
    assert np.array_equal(small, void_and_cluster(16))
    channels = dither(SIDE, SIDE).numpy()
    assert abs(np.corrcoef(channels[..., 0].flat, channels[..., 1].flat)[0, 1]) < 0.1
    assert dither(20, 100).shape == (20, 100, 3)


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


# ---- what is refused


@pytest.mark.parametrize(
    ("ws_shape", "out_shape"),
    [
        ((1, 7, 16), (1, 32, 32, 4)),
        ((1, 8, 15), (1, 32, 32, 4)),
        ((1, 16), (1, 32, 32, 4)),
        ((1, 8, 16), (2, 32, 32, 4)),
        ((1, 8, 16), (1, 32, 32, 3)),
        ((1, 8, 16), (1, 20, 20, 4)),
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


def test_grey_pictures_are_drawn_and_other_channels_refused() -> None:
    for channels in (1, 2):
        config = replace(random_generator().config, img_channels=channels)
        net = Generator(config).eval().requires_grad_(False)
        if channels == 2:
            with pytest.raises(ValueError, match="2 channels"):
                make_engine(net)
            return
        grey = drawn(make_engine(net, max_batch=1), random_ws(net, 1))[..., :3].astype(int)
        assert np.ptp(grey, axis=-1).max() <= 1 and grey.std() > 5


def test_an_engine_is_opened_on_a_saved_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    net = random_generator()
    save_generator(net, tmp_path / "g.safetensors", torch.float32)
    for how in ("calibrated in", "known from before"):
        engine = open_engine(tmp_path / "g.safetensors", screens=3, noise_mode="none", threads=1)
        assert (engine.num_ws, engine.w_dim, engine.width, engine.height) == (8, 16, 32, 32)
        assert "32x32" in engine.description and " ms a picture" in engine.description
        assert how in engine.description
    ws = random_ws(net, 3)
    levels = wanted(net, ws, "none")
    error = float(np.square(drawn(engine, ws)[..., :3] - levels).mean())
    assert 20 * math.log10(255 / math.sqrt(error)) >= LEAST_PSNR_DB


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"none\.safetensors: there is no such file"):
        open_engine(tmp_path / "none.safetensors", threads=1)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_draws_the_same_picture() -> None:
    net = random_generator()
    ws = random_ws(net, 4)
    levels = wanted(net, ws, "const")
    for precision in fast_precisions("cuda"):
        engine = SynthesisEngine(net, max_batch=4, device="cuda", precisions=[precision])
        for n in (4, 1, 4, 3):
            got = drawn(engine, ws[:n])[..., :3]
            error = float(np.square(got - levels[:n]).mean())
            assert 20 * math.log10(255 / math.sqrt(error)) >= LEAST_PSNR_DB, (precision, n)


@pytest.mark.parametrize("architecture", ["orig", "resnet"])
def test_networks_without_a_fast_path_are_drawn_and_the_log_says_so(architecture: str) -> None:
    config = replace(random_generator().config, architecture=architecture)
    net = Generator(config).eval().requires_grad_(False)
    engine = make_engine(net, max_batch=2)
    assert f"slow: no fast path for '{architecture}'" in engine.description
    assert engine.resolutions == (32,), "no running image, no early stop"
    ws = random_ws(net, 2)
    assert np.abs(drawn(engine, ws)[..., :3] - wanted(net, ws, "const")).max() < 1.01
