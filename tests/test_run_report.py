"""The report of a run: what it reads from logs as they are found, and the page in a browser."""

from __future__ import annotations

import base64
import io
import json
import math
import re
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import sync_playwright

from generator.networks import GeneratorConfig
from tests.tiny_networks import striped_pictures, write_archive
from training.__main__ import VERBS, Verb, main
from training.learning.run_folder import RunFolder, sheet
from training.learning.run_log import parse_log
from training.learning.run_pictures import run_pictures, spread
from training.learning.run_plots import MOST_POINTS, plots, thinned
from training.learning.run_report import report, sentence
from training.learning.starts_file import described_set, read_starts, record_start
from training.learning.training_loop import Training, TrainingOptions

pytestmark = pytest.mark.usefixtures("one_torch_thread")
CHROMIUM = "/usr/bin/chromium"
CONFIG = GeneratorConfig(
    z_dim=8, w_dim=8, img_resolution=16, channel_base=128, channel_max=8, num_mapping_layers=1
)


@pytest.fixture(autouse=True)
def verb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(VERBS, "report", Verb("learning.run_report", "a page on a run"))


def tick(kimg: float, **more: float) -> dict[str, float]:
    return {"kimg": kimg, "sec_per_kimg": 30.0, "augment_p": 0.1, "g_loss": 1.0 / kimg, **more}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 40 ticks with everything that a run may hold."""
    path = tmp_path_factory.mktemp("runs") / "moorland"
    folder = RunFolder(path)
    training = Training(striped_pictures(4), CONFIG, TrainingOptions(batch=4))
    folder.save_state(training)
    folder.save_weights(training)
    folder.write_once("reals.png", lambda: sheet(striped_pictures(60)))
    for number in range(1, 41):
        line = tick(number, d_loss=1.2, r_t=0.5, novelty=number * 2.0)
        if number % 4 == 0:
            line["swd"] = 100.0 - number if number < 40 else 70.0
            name = f"fakes-{number:06d}.png"
            folder.write_once(name, lambda n=number: sheet(striped_pictures(60, seed=n)))
        folder.log(line)
    archive = write_archive(path.parent / "set.zip", striped_pictures(5))
    record_start(path, 0.0, [described_set(archive, 5, 16)], "cpu")
    return path


def copy_of(run: Path, to: Path) -> Path:
    to.mkdir()
    for file in run.iterdir():
        (to / file.name).write_bytes(file.read_bytes())
    return to


def test_a_log_is_read_as_it_is_found() -> None:
    texts = [
        json.dumps(tick(1)),
        "",
        json.dumps(tick(2, d_loss=math.nan)),
        json.dumps({"g_loss": 3.0}),
        "[1, 2]",
        json.dumps({"kimg": 3, "note": "words", "lossy": True, "d_loss": 0.5}),
        '{"kimg": 4, "g_lo',
    ]
    log = parse_log(texts)
    assert [line["kimg"] for line in log.lines] == [1, 2, 3]
    assert log.names == ("sec_per_kimg", "augment_p", "g_loss", "d_loss")
    kimgs, values = log.column("d_loss")
    assert kimgs == [2, 3] and math.isnan(values[0]) and values[1] == 0.5
    assert log.best("d_loss") == (3, 0.5) and log.best("swd") is None
    assert log.notes == (
        "3 lines of the log could not be read.",
        "d_loss was no number in 1 line, first at 2 kimg.",
    )


def test_of_lines_written_twice_the_later_counts() -> None:
    texts = [json.dumps(tick(kimg, d_loss=first)) for kimg, first in
             [(1, 0.0), (2, 0.0), (3, 0.0), (4, 0.0), (3, 1.0), (4.5, 1.0)]]  # fmt: skip
    log = parse_log(texts)
    assert log.column("d_loss") == ([1, 2, 3, 4.5], [0.0, 0.0, 1.0, 1.0])
    assert log.notes == (
        "2 lines of the log were written again after the run was resumed; the later ones count.",
    )


def test_the_sentence_sums_up_times_and_finds_the_best() -> None:
    lines = [tick(2, swd=50.0), tick(4, swd=40.0), tick(200, swd=45.0)]
    assert sentence(parse_log(map(json.dumps, lines))) == (
        "Shown 200 thousand pictures in 1 h 40 min; sliced Wasserstein distance 45.0, "
        "at its best 40.0 after 4 thousand."
    )
    assert sentence(parse_log([])) == "Nothing has been logged yet."


def test_long_logs_are_thinned_by_means_and_gaps_stay() -> None:
    kimgs = [float(number) for number in range(10 * MOST_POINTS)]
    values = [math.nan] * 10 + kimgs[10:]
    x, y = thinned(kimgs, values)
    assert len(x) == MOST_POINTS and x[-1] == kimgs[-1]
    assert math.isnan(y[0]) and y[1] == pytest.approx(14.5)
    assert thinned([1.0, 2.0], [3.0, math.nan])[0] == [1.0, 2.0]
    assert thinned([], []) == ([], [])


def test_there_is_a_plot_for_what_was_logged_and_no_other() -> None:
    log = parse_log([json.dumps(tick(1, novelty=1.0, swd=math.nan)), json.dumps(tick(2))])
    drawn = {plot.title: plot for plot in plots(log, {"ada_target": 0.6})}
    assert list(drawn) == [
        "Loss", "Augmentation p, and r_t, the mean sign of D(real)",
        "Seconds for a thousand pictures", "novelty",
    ]  # fmt: skip
    assert drawn["Loss"].alt == "Loss: G from 1 to 0.5."
    assert "target of r_t" in drawn["Augmentation p, and r_t, the mean sign of D(real)"].svg


@pytest.mark.parametrize(
    ("n", "most", "wanted"), [(3, 5, [0, 1, 2]), (9, 3, [0, 4, 8]), (0, 3, [])]
)
def test_chosen_sheets_are_spread_evenly(n: int, most: int, wanted: list[int]) -> None:
    assert spread(range(n), most) == wanted


@pytest.mark.slow
def test_pictures_are_scaled_to_the_page(tmp_path: Path) -> None:
    """Sheets of noise, the worst there is for JPEG, at 96 pixels a sample."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (6 * 96, 10 * 96, 3), dtype=np.uint8)
    for number in range(12):
        Image.fromarray(noise).save(tmp_path / f"fakes-{number:06d}.png", compress_level=0)
    Image.fromarray(noise).save(tmp_path / "reals.png", compress_level=0)
    found = run_pictures(tmp_path, 96)
    shown = [found.reals, found.fakes, *found.strips, *found.sheets]
    assert len(shown) == 2 + 12 + 6
    assert sum(len(one.data) for one in shown if one is not None) < 4_500_000
    assert found.fakes is not None and found.fakes.label == "Samples at 11 kimg"
    first = np.asarray(Image.open(io.BytesIO(base64.b64decode(found.strips[0].data))))
    assert first.shape[1] / first.shape[0] == pytest.approx(10, rel=0.02), "one row of a sheet"


def test_the_page_holds_everything(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path.name: path.read_bytes() for path in made.iterdir()}
    out = made.parent / "page.html"
    assert main(["report", str(made), "--out", str(out)]) == 0
    assert "page.html" in capsys.readouterr().out
    assert {path.name: path.read_bytes() for path in made.iterdir()} == before
    page = out.read_text()
    assert len(page) < 5_000_000
    assert "<script" not in page and not re.search(r'(src|href)="(?!data:|#)', page)
    hashes = re.findall(r"<td>([0-9a-f]{64})</td>", page)
    assert len(hashes) == 2, "of the generator and of the data set"
    for words in ("moorland", "novelty", "r1 gamma", "set.zip", "at its best 64.0 after 36 "):
        assert words in page
    assert page.count("<svg") == 5
    assert "About this page" not in page


def test_an_incomplete_run_is_told_of(made: Path, tmp_path: Path) -> None:
    run = copy_of(made, tmp_path / "run")
    with (run / "log.jsonl").open("a") as file:
        file.write('{"kimg": 41.0, "g_loss": NaN}\n{"kimg": 42.0, "g_l')
    (run / "state.pt").write_bytes((run / "state.pt").read_bytes()[:5000])
    (run / "generator.safetensors").unlink()
    (run / "fakes-000040.png").write_bytes(b"half a picture")
    (run / "starts.jsonl").write_text('{"date": "today", "sets": [{"name": "a<b.zip"}]}\n{"da')
    (run / "measure.json").write_text(json.dumps({"features": {"fid": 12.25}, "pictures": 6}))
    page = report(run)
    for words in (
        "1 line of the log could not be read.",
        "g_loss was no number in 1 line, first at 41 kimg.",
        "state.pt cannot be read, so the options are not known.",
        "generator.safetensors is missing",
        "fakes-000040.png cannot be read as a picture",
        "a&lt;b.zip",
        "features, fid",
        "12.25",
    ):
        assert words in page
    assert "r1 gamma" not in page and "<svg" in page


@pytest.mark.parametrize("kept", ["log.jsonl", "generator.safetensors", "state.pt"])
def test_one_file_is_enough(made: Path, tmp_path: Path, kept: str) -> None:
    (tmp_path / kept).write_bytes((made / kept).read_bytes())
    page = report(tmp_path)
    assert ("<svg" in page) == (kept == "log.jsonl")
    assert ("content hash" in page) == (kept == "generator.safetensors")
    assert ("r1 gamma" in page) == (kept == "state.pt")


def test_where_there_is_no_run_there_is_a_sentence(
    tmp_path: Path, made: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["report", str(tmp_path / "none")]) == 2
    assert "there is no run folder here" in capsys.readouterr().err
    assert main(["report", str(tmp_path)]) == 2
    assert "no log, state or generator of a run is here" in capsys.readouterr().err
    (tmp_path / "file").write_bytes(b"")
    assert main(["report", str(made), "--out", str(tmp_path / "file" / "page.html")]) == 2
    assert "the page cannot be written" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "jinja2", None)
    assert main(["report", str(made), "--out", str(tmp_path / "page.html")]) == 2
    assert "pip install -e '.[training]'" in capsys.readouterr().err


def test_starts_are_kept_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["x/__main__.py", "train", "my set.zip", "--kimg", "4"])
    archive = write_archive(tmp_path / "my set.zip", striped_pictures(5))
    one: dict[str, Any] = described_set(archive, 5, 16)
    record_start(tmp_path, 0.0, [one], "cpu")
    record_start(tmp_path, 2.0, [one, one], "cpu", workers=2)
    with (tmp_path / "starts.jsonl").open("a") as file:
        file.write('{"date": "20')
    first, second = read_starts(tmp_path)
    assert first["command"] == "python -m training train 'my set.zip' --kimg 4"
    assert first["sets"] == [{**one, "name": "my set.zip"}] and second["kimg"] == 2.0
    assert (first["workers"], second["workers"]) == (1, 2)
    assert len(second["sets"]) == 2 and str(tmp_path) not in json.dumps([first, second])
    assert read_starts(tmp_path / "elsewhere") == []
    other = described_set(write_archive(archive, striped_pictures(5, seed=1)), 5, 16)
    assert other["directory_sha256"] != one["directory_sha256"]


def test_options_are_those_of_the_state(made: Path) -> None:
    page = report(made)
    for name in asdict(TrainingOptions()):
        assert name.replace("_", " ") in page


@pytest.mark.slow
def test_the_page_fits_a_desk_and_a_phone(made: Path, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(report(made))
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for width in (1280, 400):
            page = browser.new_page(viewport={"width": width, "height": 800})
            told: list[str] = []
            page.on("console", lambda message, told=told: told.append(message.text))
            page.on("request", lambda request, told=told: told.append(request.url[:40]))
            page.goto((tmp_path / "page.html").as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") == width
            loaded = "[...document.images].every(image => image.complete && image.naturalWidth)"
            assert page.evaluate(loaded)
            assert page.locator("svg").count() == 5
            edges = "[...document.querySelectorAll('svg, img')].map(x => x.getBoundingClientRect())"
            widths = [edge["width"] for edge in page.evaluate(edges)]
            assert all(100 < edge <= width for edge in widths)
            outside = [url for url in told if not url.startswith(("file:", "data:"))]
            assert outside == [], "the page asks for nothing and complains of nothing"
        browser.close()
