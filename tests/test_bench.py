"""The benchmark command, quickly, and what it counts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from generator import bench, ceiling
from generator.checkpoint import save_generator
from generator.cost import fused_megabytes_per_picture, gflop_per_picture
from generator.networks import GeneratorConfig
from generator.textbook import textbook_synthesis
from tests.tiny_networks import random_generator, random_ws

pytestmark = pytest.mark.usefixtures("one_torch_thread")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "SECONDS_PER_ROUND", 0.001)
    monkeypatch.setattr(ceiling, "MATRIX", 64)
    monkeypatch.setattr(ceiling, "CONVOLUTION", (1, 16, 8, 8))
    monkeypatch.setattr(ceiling, "COPY_BYTES", 4096)
    monkeypatch.setattr(ceiling, "RUNS", 1)


def test_a_file_is_measured_with_its_early_stops_and_other_paths(
    quick: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_generator(random_generator(), tmp_path / "g.safetensors", torch.float32)
    report = tmp_path / "bench.json"
    arguments = [str(tmp_path / "g.safetensors"), "--rounds", "2", "--threads", "1"]
    assert bench.main([*arguments, "--json", str(report)]) == 0
    figures = json.loads(report.read_text())
    assert {"machine", "date", "ceiling_gflop_per_s", "early_stop", "paths"} <= figures.keys()
    of = figures["g.safetensors"]["batch_7"]
    rates = of["pictures_per_second"]
    for name in ("engine", "plain"):
        assert 0 < rates[name]["min"] <= rates[name]["median"] <= rates[name]["max"]
    assert of["psnr_db"][1] >= 36 and " ms a picture" in of["path"]
    assert set(figures["early_stop"]) == {"8", "16", "32"}
    assert figures["early_stop"]["32"]["psnr_db"] == 120.0, "the last resolution is the picture"
    undone = {"float32", "all together", "all transposed", "all composite", "weights per sample"}
    # which of them is the calibrated path itself depends on the machine, and on what else it does
    assert len(undone - set(figures["paths"])) <= 3
    assert {"as calibrated"} < set(figures["paths"]) <= {"as calibrated"} | undone
    printed = capsys.readouterr().out
    assert "| g.safetensors (" in printed and "early_stop:" in printed


def test_a_network_of_a_published_shape_is_measured(
    quick: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "SIZES", {64: (256, 8)})
    report = tmp_path / "bench.json"
    arguments = ["--sizes", "64", "--batch", "2", "--rounds", "1", "--threads", "1"]
    assert bench.main([*arguments, "--json", str(report)]) == 0
    assert json.loads(report.read_text())["64"]["batch_2"]["ratio"]["median"] > 0


def test_a_file_that_cannot_be_used_is_one_sentence(
    quick: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "g.safetensors").write_bytes(b"nothing")
    assert bench.main([str(tmp_path / "g.safetensors")]) == 2
    told = capsys.readouterr().err.strip().splitlines()
    assert len(told) == 1 and "g.safetensors" in told[0]


@pytest.mark.parametrize(
    ("size", "base", "most", "gflop"),
    [
        (64, 2048, 64, 0.25),
        (128, 4096, 128, 1.46),
        (256, 16384, 512, 30.2),
        (1024, 32768, 512, 150.8),
    ],
)
def test_a_picture_costs_what_is_known_of_published_shapes(
    size: int, base: int, most: int, gflop: float
) -> None:
    config = GeneratorConfig(img_resolution=size, channel_base=base, channel_max=most)
    assert gflop_per_picture(config) == pytest.approx(gflop, rel=0.015)
    assert fused_megabytes_per_picture(config, 4) > fused_megabytes_per_picture(config, 2)


@pytest.mark.parametrize("conv_clamp", [None, 0.75])
def test_the_plain_path_is_the_network(conv_clamp: float | None) -> None:
    net = random_generator(conv_clamp=conv_clamp)
    ws = torch.from_numpy(random_ws(net, 3))
    with torch.inference_mode():
        made, exact = textbook_synthesis(net, ws), net.synthesis(ws)
    assert float((made - exact).abs().max() / exact.abs().max()) < 5e-6
