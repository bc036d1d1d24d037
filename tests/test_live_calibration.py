"""The screens calibrated while the installation plays, by liblo's oscsend."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import yaml

from player.wall.front_buffer import read_front_buffer
from tests.installation_process import Installation
from tests.live_show import make_live_show
from tests.test_hardening_running import limits
from tests.tick_helpers import wait_for


@pytest.mark.slow
def test_a_screen_is_dimmed_turned_undone_and_saved(tmp_path: Path) -> None:
    if shutil.which("oscsend") is None:
        pytest.skip("oscsend is missing: apt-get install liblo-tools")
    show = make_live_show(tmp_path / "show", moving=False)
    machine, front = tmp_path / "machine.yaml", tmp_path / "front"
    machine.write_text("schema_version: 1\nscreens: []\n")
    words = ("--show", show.folder, "--outputs", "headless", "--size", "64x48")
    with Installation(*words, "--machine", machine, "--front-buffer", front) as run:
        port = run.said(r"OSC: \S+ port (\d+)")[1]
        run.status_with("source live;")
        before = read_front_buffer(front)

        def oscsend(*message: str) -> None:
            subprocess.run(["oscsend", "127.0.0.1", port, *message], check=True)

        def shows(screen: int, wanted: np.ndarray) -> bool:
            return wait_for(
                lambda: np.abs(read_front_buffer(front)[screen] - wanted).max() <= 2, seconds=10
            )

        oscsend("/screen/2/brightness", "f", "0")
        assert shows(1, np.zeros_like(before[1], int))
        assert run.ask("/screen/2/brightness") == "brightness 0"
        oscsend("/calibration/undo")
        assert shows(1, before[1].astype(int))
        oscsend("/screen/3/rotation", "i", "180")
        assert shows(2, before[2, ::-1, ::-1].astype(int))
        others = [0, 1, 3, 4, 5, 6]
        np.testing.assert_array_equal(read_front_buffer(front)[others], before[others])
        oscsend("/calibration/save")
        saved = tmp_path / "calibration.yaml"
        assert wait_for(saved.exists, seconds=10)
        name = show.settings.screens[2].name
        assert yaml.safe_load(saved.read_text())["screens"][name] == {"rotation": 180}
    with Installation(*words, "--machine", machine, "--front-buffer", front) as again:
        again.status_with("source live;")
        np.testing.assert_allclose(
            read_front_buffer(front)[2].astype(int), before[2, ::-1, ::-1], atol=2
        )


@pytest.mark.slow
def test_a_save_on_a_full_disk_is_refused_and_the_show_goes_on(tmp_path: Path) -> None:
    show = make_live_show(tmp_path / "show", moving=False)
    machine, saved = tmp_path / "machine.yaml", tmp_path / "calibration.yaml"
    machine.write_text("schema_version: 1\nscreens: []\n")
    words = ("--show", show.folder, "--outputs", "headless", "--size", "64x48", "--mode", "slate")
    full = limits(tmp_path / "limits", "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))")
    with Installation(*words, "--machine", machine, **full) as run:
        run.said("Playing")
        assert run.answer("/save") == ("error", f"{saved} cannot be written: File too large.")
        assert run.reaches(run.frame() + 30)
    assert not saved.exists()
