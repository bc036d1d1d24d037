"""The benches of the desk's pictures: that they measure what they say, not how fast this is."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from player.desk.latency_bench import LONGEST_NS, BenchError, Delay, delay_of, table
from player.desk.latency_show import STILLS, code_of, colour_of, make_coded_show
from player.desk.latency_watch import Sighting
from player.wall import thumbnail_bench
from player.wall.thumbnail_bench import Spent, summary
from shows.show_file import load_show
from tests.browser import chromium_path
from tests.installation_process import ROOT

MS = 1_000_000


def test_a_code_survives_jpeg_and_there_are_eight() -> None:
    for code in range(STILLS):
        image = Image.new("RGB", (112, 63), colour_of(code))
        content = io.BytesIO()
        image.save(content, "JPEG", quality=60)
        assert code_of(np.asarray(Image.open(content))) == code


def test_the_show_is_one_that_the_player_takes(tmp_path: Path) -> None:
    make_coded_show(tmp_path / "show", 3)
    show = load_show(tmp_path / "show", latents=False)
    assert len(show.settings.screens) == 3 and len(show.ballads[0].paintings) == STILLS


def test_every_event_is_measured_to_its_own_sighting() -> None:
    shown = [Sighting(0, 1, 1000 * MS), Sighting(1, 1, 1000 * MS), Sighting(0, 2, 1600 * MS)]
    seen = [
        Sighting(0, 1, 200 * MS),  # of the round before
        Sighting(1, 1, 995 * MS),  # seen before the message about it came
        Sighting(0, 1, 1040 * MS),
        Sighting(0, 1, 1900 * MS),
    ]
    assert delay_of(shown, seen) == Delay(2, 1, 40.0, 40.0, 40.0)
    late = [Sighting(0, 1, 1000 * MS + LONGEST_NS + 1)]
    with pytest.raises(BenchError, match="ever seen"):
        delay_of(shown[:1], late)
    told = table({"memory": Delay(2, 1, 20.4, 40.0, 44.0)})
    assert "| in the shared memory | 3 | 20 | 40 | 44 | 1 |" in told


def test_costs_are_medians_and_ratios_of_pairs() -> None:
    without = [Spent(10.0, 0, 0, 0), Spent(20.0, 0, 0, 0), Spent(10.0, 0, 0, 0)]
    with_them = [Spent(11.0, 0.5, 0.6, 7), Spent(21.0, 0.5, 0.6, 7), Spent(12.0, 0.9, 0.6, 1)]
    told = summary(without, with_them)
    assert (told["frame_ms"], told["small_ms"], told["looks"]) == (10.0, 0.5, 5.0)
    assert told["share"] == pytest.approx(0.015)
    assert (told["ratio_least"], told["ratio"], told["ratio_most"]) == (1.05, 1.1, 1.2)


@pytest.mark.slow
@pytest.mark.parametrize("more", [[], ["--fade", "--calibrated", "blend"]])
def test_the_cost_is_measured_on_a_real_wall(tmp_path: Path, more: list[str]) -> None:
    words = ["--size", "64x36", "--picture", "16", "--pairs", "2", *more]
    assert thumbnail_bench.main([*words, "--json", str(tmp_path / "cost.json")]) == 0
    told = json.loads((tmp_path / "cost.json").read_text())
    assert told["frame_ms"] > told["small_ms"] > 0 and 0 < told["looks"] <= 7


@pytest.mark.slow
@pytest.mark.alone
def test_every_stage_is_measured_from_real_processes(tmp_path: Path) -> None:
    words = ["--events", "3", "--screens", "2", "--size", "64x36"]
    words += ["--json", str(tmp_path / "delays.json")]
    done = subprocess.run(
        [sys.executable, "-m", "player.desk.latency_bench", *words],
        # NiceGUI behaves otherwise where it believes itself under test
        env={key: value for key, value in os.environ.items() if "PYTEST" not in key},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "delays.json").read_text())
    stages = {"memory", "jpeg"} | ({"browser"} if chromium_path() else set())
    assert set(told) == stages
    for delay in told.values():
        assert delay["seen"] > 0 and delay["seen"] + delay["missed"] >= 4
        assert 0 <= delay["median"] <= delay["p95"] <= delay["worst"]
    assert "in the shared memory" in done.stdout
