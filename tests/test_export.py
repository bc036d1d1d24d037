"""Films made: what they hold, what they say, when they are made again, and how it fails."""

from __future__ import annotations

import errno
import json
import math
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from player.clock import HouseClock
from player.films import contact, film_parts
from player.films.engine_access import batch_of
from player.films.export import ExportError, ExportOptions, _disk_sentence, export
from player.films.export_plan import place_of, plan_of, visible_device
from player.films.film_facts import FilmError, facts_of
from player.films.manifest import Manifest, read_manifest, sha256_of, write_manifest
from player.films.part_making import Drawing, ballad_ws
from shows.fingerprint import ballad_fingerprint
from shows.show import Show
from shows.show_file import load_show, save_settings
from tests.child_python import ROOT
from tests.export_engine import (
    REAL,
    decoded,
    make_short_show,
    open_real,
    options,
    packets_of,
)
from tests.export_fake import SmoothEngine


def never() -> bool:
    return False


@pytest.fixture
def show(tmp_path: Path) -> Show:
    return make_short_show(tmp_path / "show")


def psnr_db(a: np.ndarray, b: np.ndarray) -> float:
    error = float(np.mean((a.astype(np.float64) - b) ** 2))
    return 10 * math.log10(255**2 / error) if error else math.inf


def test_a_film_holds_the_engine_s_pictures_frame_for_frame(show: Show) -> None:
    report = export(options(show), stop=never)
    assert report.films == show.ballad_ids and report.skipped == ()
    assert report.frames == 200
    for ballad_id in show.ballad_ids:
        film = decoded(show.folder / "films" / f"{ballad_id}.mp4")
        drawn = np.empty((100, 16, 16, 4), np.uint8)
        SmoothEngine(0).render(ballad_ws(show, ballad_id, 0, 100), drawn)
        assert film.shape == (100, 16, 16, 3)
        assert min(psnr_db(film[i], drawn[i, ..., :3]) for i in range(100)) >= 40


def test_times_are_exact_and_a_keyframe_begins_every_part_and_comes_often(show: Show) -> None:
    export(options(show, cycles=2), stop=never)
    packets = packets_of(show.folder / "films" / "ballad-1.mp4")
    assert [time for time, _ in packets] == [Fraction(i, 30) for i in range(200)]
    keyframes = [index for index, (_, is_key) in enumerate(packets) if is_key]
    # parts of 20 frames: 0 and 15 of each
    assert keyframes == [i for i in range(200) if i % 20 in (0, 15)]


def test_a_film_says_what_it_is_and_in_which_colours(show: Show) -> None:
    export(options(show), stop=never)
    path = show.folder / "films" / "ballad-2.mp4"
    with av.open(str(path)) as film:
        facts = facts_of(film.metadata["comment"])
        assert film.metadata["title"] == "Ballad number 2"
        video = film.streams.video[0]
        context = video.codec_context
        assert (video.frames, video.average_rate, context.pix_fmt) == (100, 30, "yuv444p10le")
        frame = next(film.decode(video))
        tags = (frame.color_range, frame.colorspace, frame.color_primaries, frame.color_trc)
        assert [int(tag) for tag in tags] == [1, 1, 1, 1]  # limited, BT.709 three times
    assert facts is not None
    assert facts.ballad == "ballad-2" and facts.fingerprint == ballad_fingerprint(show, "ballad-2")
    assert facts.generator_hash == show.latents["ballad-2"].generator_hash
    assert (facts.first_frame, facts.frames, facts.cycles) == (0, 100, 1)
    assert (facts.fps, facts.width_px, facts.height_px) == (Fraction(30), 16, 16)
    content = path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")  # plays before it has arrived


def test_the_manifest_lists_every_film_with_its_bytes(show: Show) -> None:
    export(options(show), stop=never)
    folder = show.folder / "films"
    manifest = read_manifest(folder)
    assert manifest is not None and sorted(manifest.films) == ["ballad-1.mp4", "ballad-2.mp4"]
    for name, film in manifest.films.items():
        assert (film.sha256, film.bytes) == sha256_of(folder / name)
        assert film.codec == "h264" and film.worst_psnr_db is not None and film.worst_psnr_db > 40
    assert {p.name for p in (folder / ".parts").iterdir()} == {"lock-0", "pinned.json"}


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"films": 3}', b"[" * 100_000, b"\xff\x00"]
)
def test_a_manifest_that_is_none_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    assert read_manifest(tmp_path) is None
    (tmp_path / "manifest.json").write_bytes(content)
    with pytest.raises(FilmError, match=r"manifest\.json is no list of films"):
        read_manifest(tmp_path)
    write_manifest(tmp_path, Manifest(generator_hash="ab"))
    assert read_manifest(tmp_path) == Manifest(generator_hash="ab")


def test_two_exports_are_equal_byte_for_byte(show: Show, tmp_path: Path) -> None:
    for name in "ab":
        export(options(show, out=tmp_path / name, ballads=("1",)), stop=never)
    assert sha256_of(tmp_path / "a" / "ballad-1.mp4")[1] > 1000
    hashes = {sha256_of(tmp_path / name / "ballad-1.mp4") for name in "ab"}
    assert len(hashes) == 1


def test_finished_films_stay_and_others_are_made_again(show: Show) -> None:
    folder = show.folder / "films"
    export(options(show), stop=never)
    kept = (folder / "ballad-1.mp4").stat().st_mtime_ns
    again = export(options(show), stop=never)
    assert again.skipped == show.ballad_ids and again.frames == 0 and again.films == ()
    assert "Nothing was left" in again.sentence()
    # cut short: the container's head is whole, its end is not
    content = (folder / "ballad-2.mp4").read_bytes()
    (folder / "ballad-2.mp4").write_bytes(content[:-50])
    assert export(options(show), stop=never).films == ("ballad-2",)
    assert (folder / "ballad-2.mp4").read_bytes() == content
    (folder / "manifest.json").unlink()
    (folder / "ballad-2.mp4").write_bytes(content[: len(content) // 2])
    assert export(options(show, missing=True), stop=never).films == ("ballad-2",)
    assert (folder / "ballad-1.mp4").stat().st_mtime_ns == kept
    assert export(options(show, resume=False), stop=never).films == show.ballad_ids
    assert (folder / "ballad-2.mp4").read_bytes() == content
    # a show that changed
    save_settings(show.folder, show.settings.model_copy(update={"noise_strength": 0.1}))
    assert export(options(load_show(show.folder)), stop=never).films == show.ballad_ids


def test_films_hold_as_many_cycles_as_live_repeats_after(show: Show) -> None:
    assert plan_of(options(show)).films[0].facts.frames == 100
    assert plan_of(options(show, cycles=3)).films[0].facts.frames == 300
    for cycles in (0, -1, 1001):
        with pytest.raises(ExportError, match="1 to 1000 cycles"):
            plan_of(options(show, cycles=cycles))


def test_stopped_in_the_middle_it_keeps_whole_parts_and_goes_on(show: Show) -> None:
    asked = iter(range(10_000))
    report = export(options(show), stop=lambda: next(asked) > 25)
    assert report.stopped and "go" in report.sentence() and 0 < report.frames < 200
    parts = show.folder / "films" / ".parts"
    assert not list(parts.glob("*.tmp"))
    whole = len(list(parts.glob("*.mp4"))) + 5 * len(list(parts.parent.glob("*.mp4")))
    assert 0 < whole < 10
    rest = export(options(show), stop=never)
    assert rest.frames == 200 - whole * 20 and len(rest.films) + len(rest.skipped) == 2
    assert decoded(show.folder / "films" / "ballad-1.mp4").shape[0] == 100


def test_a_part_of_another_show_is_not_joined(show: Show, tmp_path: Path) -> None:
    wanted = export(options(show, out=tmp_path / "a"), stop=never)
    other = make_short_show(tmp_path / "other")
    save_settings(other.folder, other.settings.model_copy(update={"noise_strength": 0.9}))
    parts = tmp_path / "b" / ".parts"
    asked = iter(range(10_000))
    export(options(other, out=tmp_path / "b"), stop=lambda: next(asked) > 25)
    assert list(parts.glob("*.mp4"))
    (parts / "ballad-2-00000.mp4").write_bytes(b"no film at all")
    for film in parts.parent.glob("*.mp4"):
        film.unlink()
    assert export(options(show, out=tmp_path / "b"), stop=never).films == wanted.films
    for ballad_id in show.ballad_ids:
        one, two = (tmp_path / name / f"{ballad_id}.mp4" for name in "ab")
        assert sha256_of(one) == sha256_of(two)


def test_a_sequence_of_pictures_is_exact(show: Show) -> None:
    report = export(options(show, codec="png", ballads=("ballad-1",)), stop=never)
    folder = show.folder / "films" / "ballad-1"
    assert report.films == ("ballad-1",)
    names = sorted(path.name for path in folder.glob("*.png"))
    assert names == [f"{i:06d}.png" for i in range(100)]
    drawn = np.empty((100, 16, 16, 4), np.uint8)
    SmoothEngine(0).render(ballad_ws(show, "ballad-1", 0, 100), drawn)
    for index in (0, 19, 20, 99):
        assert np.array_equal(decoded(folder / names[index])[0], drawn[index, ..., :3])
    assert export(options(show, codec="png", ballads=("1",)), stop=never).skipped == ("ballad-1",)


def test_press_films(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contact, "EDIT_S", 1)
    monkeypatch.setattr(contact, "CONTACT_WIDTH_PX", 320)
    monkeypatch.setattr(contact, "LEAST_PX", 64)
    monkeypatch.setattr(contact, "CONTACT_S", Fraction(1, 3))
    report = export(options(show, edit=True, contact=True), stop=never)
    assert report.press == ("edit.mp4", "contact.mp4")
    cut = decoded(show.folder / "films" / "edit.mp4")
    sheet = decoded(show.folder / "films" / "contact.mp4")
    assert cut.shape == (30, 64, 64, 3)
    assert sheet.shape[0] == 10 and sheet.shape[2] == 320
    assert report.frames == 200 + 30 + 2 * 10


def test_the_linear_cut_gives_every_ballad_its_share(show: Show) -> None:
    cues = contact.cut_cues(show, 1650)
    assert [cue.ballad_id for cue in cues] == list(show.ballad_ids)
    assert [cue.start_frame for cue in cues] == [0, 825]
    assert cues[0].morph_frames == 0 and cues[1].morph_frames == 10


def test_seven_pictures_stand_in_rows_of_four_and_three() -> None:
    pictures = np.full((7, 32, 32, 4), 255, np.uint8)
    sheet = contact.grid(pictures)
    assert sheet.shape == (2 * 34 + 2, 4 * 34 + 2, 4)
    assert sheet[2:34, :, 0].any(0).sum() == 4 * 32 and sheet[36:68, :, 0].any(0).sum() == 3 * 32
    assert np.array_equal(sheet[36:68], sheet[36:68, ::-1])  # the short row stands in the middle


@pytest.mark.parametrize("name", ["nobody", "0", "3", "../x", ""])
def test_an_unknown_ballad_is_answered_with_those_there_are(show: Show, name: str) -> None:
    with pytest.raises(ExportError, match=r"has no ballad .*1 ballad-1, 2 ballad-2"):
        export(options(show, ballads=(name,)), stop=never)


def test_a_ballad_made_elsewhere_is_not_missing(show: Show) -> None:
    path = show.ballad_folder("ballad-1") / "ballad.yaml"
    path.write_text(path.read_text() + "film: my.mp4\n")
    (show.ballad_folder("ballad-1") / "my.mp4").write_bytes(b"whatever")
    report = export(options(show, missing=True), stop=never)
    assert report.films == ("ballad-2",) and report.skipped == ("ballad-1",)


def test_a_pin_that_fits_no_engine_is_told(show: Show) -> None:
    parts = show.folder / "films" / ".parts"
    parts.mkdir(parents=True)
    hash_ = show.latents["ballad-1"].generator_hash
    path = {"precision": "float7", "singly_from": 4, "layers": [], "keeps_clamp": True}
    (parts / "pinned.json").write_text(json.dumps({"generator_hash": hash_, "engine_path": path}))
    with pytest.raises(ExportError, match=r"float7.*--fresh lets it choose anew"):
        export(options(show, factory=REAL), stop=never)
    for broken in (b"", b"{", b"[1]", b"\xff"):
        (parts / "pinned.json").write_bytes(broken)
        assert export(options(show, resume=False, ballads=("1",)), stop=never).frames == 100


def test_ballads_go_by_id_title_or_number(show: Show) -> None:
    for name in ("ballad-2", "ballad NUMBER 2", "2"):
        assert [f.facts.ballad for f in plan_of(options(show, ballads=(name,))).films] == [
            "ballad-2"
        ]


def test_what_is_missing_is_a_sentence(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ExportError, match="package no_such_package is missing; install"):
        export(options(show, factory="no_such_package:open"), stop=never)
    monkeypatch.setenv("EXPORT_FAULT", "it is on fire")
    with pytest.raises(ExportError, match=r"could not be opened: it is on fire \(.*Error\)\."):
        export(options(show), stop=never)
    show.generator_path.unlink()
    with pytest.raises(ExportError, match="is missing"):
        export(options(show), stop=never)
    with pytest.raises(ExportError, match="no show in"):
        export(ExportOptions(show.folder / "nowhere"), stop=never)


def test_an_engine_that_fails_in_the_middle_is_a_sentence(
    show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = iter(range(1000))
    draw = SmoothEngine.render

    def render(self: SmoothEngine, ws: np.ndarray, out: np.ndarray) -> None:
        if next(calls) > 14:
            raise RuntimeError("CUDA error: out of memory")
        draw(self, ws, out)

    monkeypatch.setattr(SmoothEngine, "render", render)
    with pytest.raises(ExportError, match="failed while it drew: CUDA error: out of memory"):
        export(options(show), stop=never)
    monkeypatch.setattr(SmoothEngine, "render", draw)
    assert export(options(show), stop=never).frames < 200  # finished parts were kept


def test_a_folder_that_cannot_be_written_or_is_too_small(
    show: Show, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="cannot be written"):
        export(options(show, out=tmp_path / "file" / "films"), stop=never)
    full = _disk_sentence(tmp_path, OSError(errno.ENOSPC, "No space left on device"))
    assert "is full" in full and "finished parts are kept" in full
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(ExportError, match=r"0\.0 GB left"):
        export(options(show), stop=never)


def test_a_full_disk_keeps_what_is_whole(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed = iter(range(1000))
    flush = film_parts._flush

    def full(path: Path) -> None:
        if next(flushed) > 6:
            raise OSError(errno.ENOSPC, "No space left on device")
        flush(path)

    monkeypatch.setattr(film_parts, "_flush", full)
    with pytest.raises(ExportError, match="is full"):
        export(options(show), stop=never)
    monkeypatch.setattr(film_parts, "_flush", flush)
    assert 0 < export(options(show), stop=never).frames < 200
    assert not list((show.folder / "films" / ".parts").glob("*.tmp"))


def test_two_exports_into_one_folder_do_not_mix(show: Show) -> None:
    parts = show.folder / "films" / ".parts"
    parts.mkdir(parents=True)
    with film_parts.FolderLock(parts, 0), pytest.raises(ExportError, match="Another export"):
        export(options(show), stop=never)
    assert export(options(show), stop=never).films == show.ballad_ids


@pytest.mark.parametrize(
    ("environment", "device"),
    [
        ({}, None),
        ({"LOCAL_RANK": "2"}, "2"),
        ({"LOCAL_RANK": "1", "CUDA_VISIBLE_DEVICES": "4,6"}, "6"),
        ({"LOCAL_RANK": "5", "CUDA_VISIBLE_DEVICES": "4,6"}, None),
        ({"LOCAL_RANK": "x"}, None),
    ],
)
def test_a_process_of_torchrun_takes_its_own_device(
    environment: dict[str, str], device: str | None
) -> None:
    assert visible_device(environment) == device


@pytest.mark.parametrize("world", ["0", "-1", "two", "3"])
def test_a_rank_that_cannot_be_is_refused(world: str) -> None:
    with pytest.raises(ExportError, match="torchrun"):
        place_of({"RANK": "3", "WORLD_SIZE": world})


def test_parts_cover_a_film_once_and_are_shared_out(show: Show) -> None:
    parts = film_parts.parts_of(show, "ballad-1", 90)
    assert [(p.first_frame, p.frames) for p in parts] == [
        (0, 20),
        (20, 20),
        (40, 20),
        (60, 20),
        (80, 10),
    ]
    halves = [film_parts.shared_out(parts, rank, 2) for rank in (0, 1)]
    assert sorted(halves[0] + halves[1], key=lambda p: p.index) == list(parts)


def test_importing_export_loads_no_engine() -> None:
    code = "import sys, player.films.export; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert not loaded & {"torch", "generator", "training", "moderngl", "glfw"}


@pytest.mark.skipif(sys.platform != "linux", reason="Linux's own idle class")
def test_idle_means_that_everything_else_goes_first() -> None:
    code = "import os; from player.films.export import _become_idle; _become_idle()"
    code += "; print(os.sched_getscheduler(0) == os.SCHED_IDLE or os.nice(0) == 19)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "True"


@pytest.mark.slow
def test_the_real_engine_is_pinned_and_repeats(show: Show, tmp_path: Path) -> None:
    for name in "ab":
        export(options(show, out=tmp_path / name, ballads=("1",), factory=REAL), stop=never)
    a, b = (decoded(tmp_path / name / "ballad-1.mp4") for name in "ab")
    pin = json.loads((tmp_path / "a" / ".parts" / "pinned.json").read_text())
    manifest = read_manifest(tmp_path / "a")
    assert manifest is not None and manifest.engine_path == pin["engine_path"] is not None
    if manifest.engine_path == read_manifest(tmp_path / "b").engine_path:  # type: ignore[union-attr]
        assert np.array_equal(a, b)
    # another ballad, and the folder without its pin: drawn as the first was
    shutil.rmtree(tmp_path / "a" / ".parts")
    export(options(show, out=tmp_path / "a", ballads=("2",), factory=REAL), stop=never)
    again = read_manifest(tmp_path / "a")
    assert again is not None and again.films["ballad-2.mp4"].facts.engine_path == pin["engine_path"]
    # drawn by the pin, two exports are equal in every pixel
    (tmp_path / "c" / ".parts").mkdir(parents=True)
    shutil.copy(tmp_path / "b" / ".parts" / "pinned.json", tmp_path / "c" / ".parts")
    export(options(show, out=tmp_path / "c", ballads=("1",), factory=REAL), stop=never)
    assert np.array_equal(b, decoded(tmp_path / "c" / "ballad-1.mp4"))


@pytest.mark.slow
def test_the_shipped_show_s_film_matches_its_live_pictures(tmp_path: Path) -> None:
    chosen = ExportOptions(
        ROOT / "shows" / "inspace", ("tam-lin",), out=tmp_path, factory=REAL, threads=1
    )
    plan = plan_of(chosen)
    asked = iter(range(100_000))
    batches = math.ceil(plan.show.segment_frames / batch_of(plan)) + 2
    export(chosen, stop=lambda: next(asked) > batches)
    film = decoded(tmp_path / ".parts" / "tam-lin-00000.mp4")
    engine = open_real(
        path=str(plan.show.generator_path),
        screens=batch_of(plan),
        noise_mode="const",
        threads=1,
        engine_path=json.loads((tmp_path / ".parts" / "pinned.json").read_text())["engine_path"],
    )
    drawn = np.empty((plan.show.segment_frames, *plan.size_px, 4), np.uint8)
    drawing = Drawing(plan.show, engine, batch_of(plan), HouseClock())
    drawing.draw(ballad_ws(plan.show, "tam-lin", 0, len(drawn)), drawn)
    worst_db = min(psnr_db(film[i], drawn[i, ..., :3]) for i in range(len(drawn)))
    assert len(film) == len(drawn) and worst_db >= 40
