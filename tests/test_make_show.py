"""The whole chain as one script: from nothing to a show that plays, with a model of its own."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from shows.show_file import load_show

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_make_show_in_small(tmp_path: Path) -> None:
    out = tmp_path / "made"
    done = subprocess.run(
        [ROOT / "scripts" / "make-show", out, "--small"],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    show, shipped = load_show(out / "show"), load_show(ROOT / "shows" / "inspace")
    hashes = {latents.generator_hash for latents in show.latents.values()}
    assert len(hashes) == 1
    assert not hashes & {latents.generator_hash for latents in shipped.latents.values()}
    assert sum(len(latents.ws) for latents in show.latents.values()) == 35
    report = json.loads((out / "report.json").read_text())
    assert report["frames_presented"] == 60 and report["frames_by_source"]["live"] > 0
    credits = (out / "show" / "credits.txt").read_text()
    assert hashes.pop()[:12] in credits
    assert "Ailsa" in credits and "BY-ND" not in credits
    log = (out / "log.txt").read_text()
    assert log.count("\n== ") + log.startswith("== ") == 2 * 13
