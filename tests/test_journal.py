import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from player.frame_report import FrameReport
from player.upkeep import journal as journal_module
from player.upkeep.journal import PICTURE_ROOM, Journal
from player.upkeep.journal_file import (
    MAX_LINE_BYTES,
    DayFile,
    Entry,
    day_path,
    entry_line,
    parsed_line,
    picture_path,
    plain,
    read_journal,
    sweep,
)
from player.upkeep.measures import GpuSensor, gpu_figures, process_measures, start_facts
from player.upkeep.minutes import Minutes
from player.upkeep.wall_time import (
    HOUR_NS,
    SECOND_NS,
    clock_text,
    instant_of,
    utc_day,
    utc_ns,
    utc_text,
    zone_of,
    zone_text,
)

NOON_NS = utc_ns("2026-11-21T12:00:00Z")
ALWAYS = (0, utc_ns("9999-01-01T00:00:00Z"))


def no_facts() -> Mapping[str, object]:
    return {}


def opened(folder: Path | None, **options: object) -> Journal:
    words = {"wall_ns": lambda: NOON_NS, "measures": no_facts, "begins_with": no_facts, **options}
    return Journal(folder, **words)  # type: ignore[arg-type]


def written(folder: Path, *calls: Callable[[Journal], None], **options: object) -> list[Entry]:
    journal = opened(folder, **options)
    journal.start()
    for call in calls:
        call(journal)
    journal.close()
    return list(read_journal(folder, *ALWAYS).entries)


def test_events_come_back_as_they_were_told(tmp_path: Path) -> None:
    entries = written(
        tmp_path / "new" / "folder",
        lambda journal: journal.event("source", "The screens show films.", frame=7),
        lambda journal: journal.event("fault", "Größe: ×\nzwei", path=Path("a"), bad=float("nan")),
    )
    assert entries == [
        Entry(NOON_NS, "source", "The screens show films.", {"frame": 7}),
        Entry(NOON_NS, "fault", "Größe: × zwei", {"path": "a", "bad": None}),
    ]


def test_the_folder_none_keeps_nothing() -> None:
    journal = opened(None)
    journal.start()
    journal.event("start", "x")
    journal.minute({})
    journal.picture("a", np.zeros((2, 2, 3), np.uint8))
    journal.close()
    assert journal.lost == 0
    assert "journal" not in {thread.name for thread in threading.enumerate()}


def test_the_thread_adds_measures_and_versions(tmp_path: Path) -> None:
    entries = written(
        tmp_path,
        lambda journal: journal.event("start", "Playing.", wall="seven", python="told"),
        lambda journal: journal.minute({"ticks": 1800}),
        measures=lambda: {"rss_mb": 5},
        begins_with=lambda: {"python": "3", "restarts": 2},
    )
    assert entries[0].facts == {"python": "told", "restarts": 2, "wall": "seven"}
    assert entries[1].kind == "minute"
    assert entries[1].facts == {"ticks": 1800, "process": {"rss_mb": 5}}


def test_a_day_has_a_file_and_a_clock_set_back_appends(tmp_path: Path) -> None:
    times = iter([NOON_NS, NOON_NS + 13 * HOUR_NS, NOON_NS])
    written(
        tmp_path, *[lambda journal: journal.event("clock", "x")] * 3, wall_ns=lambda: next(times)
    )
    assert len(day_path(tmp_path, "2026-11-21").read_bytes().splitlines()) == 2
    assert len(day_path(tmp_path, "2026-11-22").read_bytes().splitlines()) == 1


def test_what_does_not_fit_into_the_queue_is_counted_and_told(tmp_path: Path) -> None:
    journal = opened(tmp_path, room=10)
    for number in range(25):
        journal.event("osc", f"{number}")
    assert journal.lost == 15
    journal.start()
    journal.close()
    entries = read_journal(tmp_path, *ALWAYS).entries
    assert [entry.sentence for entry in entries if entry.kind == "osc"] == [*map(str, range(10))]
    assert sum(int(str(e.facts["lost"])) for e in entries if e.kind == "fault") == 15
    assert journal.lost == 0


def test_after_the_end_nothing_is_written(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.start()
    journal.close()
    journal.event("end", "x")
    journal.close()
    journal.start()
    assert journal.lost == 1
    assert read_journal(tmp_path, *ALWAYS).entries == ()


class FullDisk(DayFile):
    """Takes a line only while there is room."""

    has_room = False

    def append(self, day: str, line: bytes) -> None:
        if not self.has_room:
            raise OSError(28, "No space left on device")
        super().append(day, line)


def test_a_full_disk_is_told_once_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(journal_module, "DayFile", FullDisk)
    journal = opened(tmp_path)
    disk = journal._file
    assert isinstance(disk, FullDisk)
    with caplog.at_level(logging.WARNING):
        for number in range(5):
            journal._write(disk, Entry(NOON_NS, "osc", str(number), {}))
        assert journal.lost == 5
        disk.has_room = True
        journal._write(disk, Entry(NOON_NS, "osc", "5", {}))
    assert [record.message for record in caplog.records] == [
        f"The journal in {tmp_path} cannot be written: No space left on device. "
        "The show goes on; it is tried again."
    ]
    told = [entry.sentence for entry in read_journal(tmp_path, *ALWAYS).entries]
    assert told[0] == "5"
    assert told[1].startswith("5 entries of this journal were lost")
    assert journal.lost == 0


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KB, where tests may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount here")
    if done.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_really_full_disk_leaves_whole_lines(tiny_disk: Path) -> None:
    file = DayFile(tiny_disk)
    line = entry_line(Entry(NOON_NS, "osc", "x" * 700, {}))
    count = 0
    with pytest.raises(OSError, match="No space"):  # noqa: PT012
        while count < 1000:
            file.append("2026-11-21", line)
            count += 1
    assert 60 < count < 100
    path = day_path(tiny_disk, "2026-11-21")
    assert path.read_bytes() == (line + b"\n") * count
    (tiny_disk / "other").unlink(missing_ok=True)
    with pytest.raises(OSError, match="No space"):
        file.append("2026-11-21", line)
    os.truncate(path, len(line) + 1)
    file.append("2026-11-21", line)
    assert path.read_bytes() == (line + b"\n") * 2
    file.close()


def test_a_journal_on_a_full_disk_goes_on_when_there_is_room_again(tiny_disk: Path) -> None:
    ballast = tiny_disk / "ballast"
    ballast.write_bytes(bytes(60_000))
    journal = opened(tiny_disk)
    file = journal._file
    assert file is not None
    for _ in range(100):
        journal._write(file, Entry(NOON_NS, "osc", "y" * 500, {}))
    lost = journal.lost
    assert lost > 80
    ballast.unlink()
    journal._write(file, Entry(NOON_NS, "osc", "there is room", {}))
    read = read_journal(tiny_disk, *ALWAYS)
    assert read.damaged_lines == 0
    assert read.entries[-1].sentence.startswith(f"{lost} entries")
    assert len(read.entries) == 100 - lost + 2


def test_a_line_that_a_kill_cut_off_costs_itself_alone(tmp_path: Path) -> None:
    path = day_path(tmp_path, "2026-11-21")
    path.write_bytes(entry_line(Entry(NOON_NS, "osc", "whole", {})) + b'\n{"at": "2026-1')
    assert read_journal(tmp_path, *ALWAYS).damaged_lines == 1
    entries = written(tmp_path, lambda journal: journal.event("start", "again"))
    assert [entry.sentence for entry in entries] == ["whole", "again"]
    assert read_journal(tmp_path, *ALWAYS).damaged_lines == 1


def test_a_process_killed_while_writing_leaves_a_readable_journal(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys\nfrom pathlib import Path\n"
        "from player.upkeep.journal import Journal\n"
        "journal = Journal(Path(sys.argv[1]), wall_ns=lambda: 0, measures=dict, begins_with=dict)\n"
        "journal.start()\n"
        "for number in range(1000):\n    journal.event('osc', str(number))\n"
        "while not list(Path(sys.argv[1]).glob('*.jsonl')):\n    pass\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], timeout=30, check=False, env=os.environ
    )
    assert done.returncode == -9
    read = read_journal(tmp_path, *ALWAYS)
    told = [entry.sentence for entry in read.entries]
    assert told == [*map(str, range(len(told)))]
    assert read.damaged_lines <= 1


def test_a_file_that_was_tidied_away_is_made_anew(tmp_path: Path) -> None:
    file = DayFile(tmp_path / "journal")
    file.append("2026-11-21", b"{}")
    day_path(tmp_path / "journal", "2026-11-21").unlink()
    (tmp_path / "journal").rmdir()
    file.append("2026-11-21", b"{}")
    file.close()
    assert day_path(tmp_path / "journal", "2026-11-21").read_bytes() == b"{}\n"


def test_a_folder_that_cannot_be_made_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    with caplog.at_level(logging.WARNING):
        assert written(tmp_path / "file" / "journal", lambda j: j.event("start", "x")) == []
    assert "cannot be written: Not a directory. The show goes on" in caplog.text


HOSTILE = {
    "no JSON": b"hello",
    "no object": b"[1, 2]",
    "a number": b"7",
    "NaN": b'{"at": "2026-11-21T12:00:00Z", "kind": "a", "say": "b", "facts": {"x": NaN}}',
    "no time": b'{"at": "noon", "kind": "a", "say": "b", "facts": {}}',
    "no such day": b'{"at": "2026-02-30T12:00:00Z", "kind": "a", "say": "b", "facts": {}}',
    "a time of another kind": b'{"at": 12, "kind": "a", "say": "b", "facts": {}}',
    "no facts": b'{"at": "2026-11-21T12:00:00Z", "kind": "a", "say": "b"}',
    "a list for a sentence": b'{"at": "2026-11-21T12:00:00Z", "kind": "a", "say": [], "facts": {}}',
    "too deep": b'{"at": ' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    "a huge number": b'{"at": ' + b"9" * 6000 + b"}",
    "no UTF-8": b'{"at": "\xff\xfe"}',
    "zeros, as after a power cut": bytes(4096),
    "too long": b'{"at": "' + b"x" * (3 * MAX_LINE_BYTES) + b'"}',
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_line_is_counted_once_and_passed_over(tmp_path: Path, raw: bytes) -> None:
    good = entry_line(Entry(NOON_NS, "osc", "good", {}))
    day_path(tmp_path, "2026-11-21").write_bytes(b"\n".join([good, raw, good, b""]))
    read = read_journal(tmp_path, *ALWAYS)
    assert len(read.entries) == 2
    assert read.damaged_lines == 1


@given(st.binary(max_size=300))
def test_no_bytes_make_a_line_do_more_than_be_refused(raw: bytes) -> None:
    try:
        parsed_line(raw)
    except ValueError:
        return


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.text(max_size=8), json_like, max_size=5), st.text(max_size=50))
def test_every_entry_becomes_one_line_and_comes_back(
    facts: dict[str, object], sentence: str
) -> None:
    line = entry_line(Entry(NOON_NS, "osc", sentence, facts))
    assert b"\n" not in line
    back = parsed_line(line)
    assert back.facts == plain(facts)
    assert len(back.sentence) == len(sentence)


def test_facts_too_large_for_a_line_are_left_out() -> None:
    line = entry_line(Entry(NOON_NS, "osc", "x", {"big": "y" * 2000, "list": ["z" * 1999] * 100}))
    assert len(line) < MAX_LINE_BYTES
    assert "too_large" in parsed_line(line).facts


def test_only_the_days_asked_for_are_read(tmp_path: Path) -> None:
    for day in ("2026-11-20", "2026-11-21", "2026-11-22"):
        at_ns = utc_ns(f"{day}T12:00:00Z")
        day_path(tmp_path, day).write_bytes(entry_line(Entry(at_ns, "osc", day, {})) + b"\n")
    read = read_journal(tmp_path, NOON_NS - HOUR_NS, NOON_NS + HOUR_NS)
    assert [entry.sentence for entry in read.entries] == ["2026-11-21"]
    assert (
        read_journal(tmp_path / "none", 0, NOON_NS).faults[0].endswith("No such file or directory.")
    )


def test_old_days_go_and_nothing_else(tmp_path: Path) -> None:
    for day in range(10, 20):
        day_path(tmp_path, f"2026-11-{day}").write_text("")
        pictures = tmp_path / f"pictures-2026-11-{day}"
        pictures.mkdir()
        (pictures / "120000-window-1-0011aabb.jpg").write_text("")
    (tmp_path / "pictures-2026-11-10" / "mine.txt").write_text("kept")
    (tmp_path / "journal-notes.txt").write_text("kept")
    sweep(tmp_path, "2026-11-19", 3)
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == [
        *(f"journal-2026-11-{day}.jsonl" for day in (17, 18, 19)),
        "journal-notes.txt",
        "pictures-2026-11-10",
        *(f"pictures-2026-11-{day}" for day in (17, 18, 19)),
    ]
    assert (tmp_path / "pictures-2026-11-10" / "mine.txt").read_text() == "kept"


def test_a_clock_that_is_wrong_by_a_year_does_not_sweep_the_journal_away(tmp_path: Path) -> None:
    for day in range(10, 20):
        day_path(tmp_path, f"2026-11-{day}").write_text("")
    sweep(tmp_path, "2031-01-01", 60)
    assert len(list(tmp_path.iterdir())) == 10
    day_path(tmp_path, "1970-01-01").write_text("")
    sweep(tmp_path, "1970-01-01", 10)
    assert day_path(tmp_path, "1970-01-01").exists()
    assert len(list(tmp_path.iterdir())) == 11


def test_snapshots_are_small_pictures_beside_the_lines(tmp_path: Path) -> None:
    from PIL import Image

    pixels = np.zeros((1080, 1920, 3), np.uint8)
    pixels[:, :960] = (200, 30, 10)
    entries = written(
        tmp_path,
        lambda journal: journal.picture("Window/3 ../x", pixels),
        lambda journal: journal.picture("bad", np.zeros((2, 2), np.uint8)),
    )
    assert [entry.kind for entry in entries] == ["picture"]
    path = tmp_path / str(entries[0].facts["file"])
    assert path.parent.parent == tmp_path
    assert [file.suffix for file in path.parent.iterdir()] == [".jpg"]
    with Image.open(path) as picture:
        assert picture.size == (320, 180)
        left, right = picture.getpixel((20, 90)), picture.getpixel((300, 90))
    assert np.allclose(left, (200, 30, 10), atol=6)
    assert np.allclose(right, 0, atol=6)


def test_names_of_screens_never_share_a_file(tmp_path: Path) -> None:
    paths = {picture_path(tmp_path, NOON_NS, name) for name in ("a b", "a-b", "A/B", "…", "", "ä")}
    assert len(paths) == 6
    assert {path.parent for path in paths} == {tmp_path / "pictures-2026-11-21"}


def test_no_more_snapshots_wait_than_there_is_room_for(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    for _ in range(PICTURE_ROOM + 3):
        journal.picture("a", np.zeros((4, 4, 3), np.uint8))
    assert journal.lost == 3


def test_no_snapshot_takes_the_last_of_a_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "PICTURES_NEED_BYTES", 2**62)
    entries = written(
        tmp_path,
        lambda journal: journal.picture("a", np.zeros((4, 4, 3), np.uint8)),
        lambda journal: journal.event("osc", "lines go on"),
    )
    assert [entry.kind for entry in entries] == ["osc", "fault"]


class RecordingWall:
    def __init__(self) -> None:
        self.asked: list[int] = []

    def read(self, screen: int) -> NDArray[np.uint8]:
        self.asked.append(screen)
        return np.full((4, 4, 3), screen, np.uint8)


def played(minutes: Minutes, report: FrameReport, ticks: range) -> None:
    for tick in ticks:
        report.record(
            tick=tick,
            frame=tick,
            due_ns=tick * SECOND_NS // 30,
            presented_ns=tick * SECOND_NS // 30,
            source="live",
            repeated=False,
            sources=("live", "film"),
        )
        minutes.tend(tick)


def test_every_minute_of_ticks_is_a_line(tmp_path: Path) -> None:
    report, told = FrameReport(Fraction(30)), []
    journal = opened(tmp_path)
    minutes = Minutes(
        journal, report, lambda: {"is_open": True}, screens=("a", "b"), on_minute=told.append
    )
    journal.start()
    played(minutes, report, range(500, 500 + 3 * 1800))
    minutes.finish()
    journal.close()
    entries = [e for e in read_journal(tmp_path, *ALWAYS).entries if e.kind == "minute"]
    assert [entry.facts["ticks"] for entry in entries] == [1801, 1800, 1799]
    assert entries[1].facts["by_screen"] == [{"live": 1800}, {"film": 1800}]
    assert entries[1].facts["screens"] == ["a", "b"]
    assert entries[1].facts["is_open"] is True
    assert [facts["ticks"] for facts in told] == [1801, 1800, 1799]


def test_snapshots_are_read_one_screen_at_a_time_every_hour(tmp_path: Path) -> None:
    report, wall = FrameReport(Fraction(30)), RecordingWall()
    minutes = Minutes(opened(tmp_path), report, dict, wall=wall, screens=("a", "b", "c"))
    at: list[int] = []
    for tick in range(2 * 3600 * 30):
        before = len(wall.asked)
        minutes.tend(tick)
        assert len(wall.asked) - before <= 1
        at += [tick] * (len(wall.asked) - before)
    assert wall.asked == [0, 1, 2] * 2
    assert at[:3] == [901, 931, 961]
    assert at[3] - at[0] == 3600 * 30


def test_without_a_folder_no_screen_is_read() -> None:
    report, wall = FrameReport(Fraction(30)), RecordingWall()
    minutes = Minutes(opened(None), report, dict, wall=wall, screens=("a",))
    for tick in range(2000):
        minutes.tend(tick)
    assert wall.asked == []


def test_a_jump_of_the_ticks_begins_a_new_minute() -> None:
    report, told = FrameReport(Fraction(30)), []
    minutes = Minutes(opened(None), report, dict, on_minute=told.append)
    played(minutes, report, range(100))
    played(minutes, report, range(1_000_000, 1_000_100))
    played(minutes, report, range(50, 60))
    assert [facts["ticks"] for facts in told] == [101, 100]


def test_measures_of_this_very_process() -> None:
    told = process_measures()
    assert isinstance(told["rss_mb"], float)
    assert told["rss_mb"] > 10
    assert isinstance(told["threads"], int)
    assert told["threads"] >= 1
    json.dumps(told, allow_nan=False)


def test_measures_see_children_and_segments(tmp_path: Path) -> None:
    from player.live.shared_segment import Segment, segment_name

    before = process_measures()
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    segment = Segment.create(segment_name(1), 4096)
    try:
        segment.unlink()
        told = process_measures()
        assert told["children"] == int(str(before["children"])) + 1
        if sys.platform == "linux":
            assert told["segments"] == int(str(before["segments"])) + 1
    finally:
        segment.close()
        child.communicate(b"\n", timeout=20)


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        ("61, 2048\n", (61.0, 2048.0)),
        ("61, 2048\n72, 1000\n", (72.0, 3048.0)),
        ("[N/A], 100\n", (None, 100.0)),
        ("NVIDIA-SMI has failed\n", (None, None)),
        ("", (None, None)),
    ],
)
def test_the_answer_of_the_driver_s_tool(
    text: str, figures: tuple[float | None, float | None]
) -> None:
    assert gpu_figures(text) == figures


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands in for the tool")
def test_a_driver_s_tool_that_hangs_is_asked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "tool"
    tool.write_text(f"#!/bin/sh\necho x >> {tmp_path}/asked\nexec sleep 60\n")
    tool.chmod(0o755)
    monkeypatch.setattr("player.upkeep.measures.GPU_WAIT_S", 0.3)
    sensor = GpuSensor(lambda _: str(tool))
    assert sensor.read() == (None, None)
    assert sensor.read() == (None, None)
    assert (tmp_path / "asked").read_text() == "x\n"


def test_start_facts_read_two_words_of_the_environment() -> None:
    told = start_facts({"INSPACE_RESTARTS": "3", "INSPACE_RESTART_REASON": "hung", "PIN": "1234"})
    assert (told["restarts"], told["restart_reason"]) == (3, "hung")
    assert "1234" not in json.dumps(told)
    assert start_facts({"INSPACE_RESTARTS": "-1"})["restarts"] == 0
    packages = told["packages"]
    assert isinstance(packages, dict)
    assert "numpy" in packages


def test_times_as_text_and_back() -> None:
    assert utc_text(NOON_NS + 1_234_567) == "2026-11-21T12:00:00.001Z"
    assert utc_ns(utc_text(NOON_NS)) == NOON_NS
    assert utc_day(-1) == "1970-01-01"
    assert utc_text(2**80).startswith("9999-12-31")
    london, nowhere = zone_of("Europe/London"), zone_of("Nowhere/At-all")
    assert nowhere is None
    assert clock_text(utc_ns("2026-07-01T12:00:00Z"), london) == "13:00"
    assert zone_text(utc_ns("2026-07-01T12:00:00Z"), london) == "BST (UTC+01:00)"
    assert instant_of("2026-07-01T13:00", london) == utc_ns("2026-07-01T12:00:00Z")
    assert instant_of("2026-07-01T13:00+02:00", london) == utc_ns("2026-07-01T11:00:00Z")
    with pytest.raises(ValueError, match="is no time; write it as in"):
        instant_of("yesterday", None)
    for bad in (
        "2026-11-21",
        "2026-11-21T12:00:00",
        "2026-11-21T12:00:00Z\n",
        "٢٠٢٦-11-21T12:00:00Z",
    ):
        with pytest.raises(ValueError, match="is no time"):
            utc_ns(bad)
