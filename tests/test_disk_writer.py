"""What waits for the disk does so beside the frame loop, in order, and is answered then."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from player import disk_writer
from player.commands import CommandError
from player.disk_writer import MOST_WAITING, DiskWriter
from player.wall.calibration_file import read_calibrations
from shows.show import Show
from tests.loop_rig import SCREENS, Rig
from tests.tiny_show import make_tiny_show

Answers = list[tuple[str, bool, str]]


@pytest.fixture
def writer() -> Iterator[DiskWriter]:
    made = DiskWriter()
    yield made
    made.close()


def answering(answers: Answers, name: str) -> Callable[[bool, str], None]:
    return lambda ok, text: answers.append((name, ok, text))


def test_each_is_answered_when_it_is_done_and_in_order(writer: DiskWriter) -> None:
    answers: Answers = []
    disk = threading.Event()

    def slow() -> str:
        assert disk.wait(10)
        return "slow is there"

    writer.later(slow, answering(answers, "first"))
    writer.later(lambda: "quick is there", answering(answers, "second"))
    assert answers == []
    disk.set()
    writer.close()
    assert answers == [("first", True, "slow is there"), ("second", True, "quick is there")]


def test_what_fails_costs_one_answer(writer: DiskWriter, caplog: pytest.LogCaptureFixture) -> None:
    answers: Answers = []

    def refused() -> str:
        raise CommandError("there is no room on the disk")

    def defect() -> str:
        raise ZeroDivisionError("one by nothing")

    for name, work in (("full", refused), ("defect", defect), ("next", lambda: "is there")):
        writer.later(work, answering(answers, name))
    writer.close()
    assert answers == [
        ("full", False, "there is no room on the disk"),
        ("defect", False, "the player failed on this: ZeroDivisionError('one by nothing')"),
        ("next", True, "is there"),
    ]
    assert [record.exc_info is not None for record in caplog.records] == [True]


def test_a_disk_that_hangs_refuses_more_and_does_not_keep_the_player(
    writer: DiskWriter, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(disk_writer, "CLOSING_S", 0.01)
    answers: Answers = []
    disk, began = threading.Event(), threading.Event()

    def hang() -> str:
        began.set()
        disk.wait(10)
        return ""

    writer.later(hang, answering(answers, "hanging"))
    assert began.wait(10)
    for _ in range(MOST_WAITING):
        writer.refuse_if_full()
        writer.later(lambda: "", answering(answers, "waiting"))
    with pytest.raises(CommandError, match=r"16 things wait .*the disk is slow, or hangs"):
        writer.refuse_if_full()
    with caplog.at_level(logging.WARNING):
        writer.close()
    assert "did not take within" in caplog.text and answers == []
    disk.set()


def test_nothing_to_write_takes_no_thread(writer: DiskWriter) -> None:
    before = set(threading.enumerate())
    writer.refuse_if_full()
    writer.close()
    assert set(threading.enumerate()) <= before


# -- in the loop -------------------------------------------------------------------------------


@pytest.fixture
def show(tmp_path: Path) -> Show:
    return make_tiny_show(tmp_path / "show", screens=SCREENS, ballads=4, paintings=2, size=4)


def hold_the_disk(rig: Rig) -> threading.Event:
    """What is saved from now on waits until this is set."""
    disk = threading.Event()
    rig.disk.later(lambda: str(disk.wait(10)), lambda ok, text: None)
    return disk


def test_a_save_holds_up_no_frame_and_keeps_what_was_there_when_it_was_asked(
    show: Show, tmp_path: Path
) -> None:
    path = tmp_path / "calibration.yaml"
    rig = Rig(show, calibration_file=path)
    rig.preroll()
    disk = hold_the_disk(rig)
    rig.say("/screen/1/gamma", 1.25)
    rig.say("/save")
    rig.say("/screen/1/gamma", 2.0)
    rig.say("/calibration/save")
    rig.run(30)
    assert rig.counts() == (30, 0, 0, 0)
    said = [answer for answer in rig.answers if "save" in answer[0]]
    assert said == [] and not path.exists()
    disk.set()
    rig.disk.close()
    said = [answer for answer in rig.answers if "save" in answer[0]]
    assert said == [
        ("/save", "ok", f"saved to {path}"),
        ("/calibration/save", "ok", f"saved to {path}; the one before: calibration.previous.yaml"),
    ]
    name = show.settings.screens[0].name
    assert read_calibrations(path)[name].gamma == 2.0
    assert read_calibrations(tmp_path / "calibration.previous.yaml")[name].gamma == 1.25


def test_a_folder_that_takes_nothing_is_told_in_the_answer(show: Show, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    rig = Rig(show, calibration_file=tmp_path / "file" / "calibration.yaml")
    rig.preroll()
    rig.say("/save")
    rig.run(1)
    rig.disk.close()
    assert rig.answers[-1][:2] == ("/save", "error") and "calibration.yaml" in rig.answers[-1][2]
    assert rig.control.errors == 1


def test_snapshots_are_answered_when_they_are_there_and_one_is_taken_at_a_time(
    show: Show, tmp_path: Path
) -> None:
    rig = Rig(show, snapshots=tmp_path / "pictures")
    rig.preroll()
    disk = hold_the_disk(rig)
    for _ in range(2):
        rig.say("/snapshot")
    rig.run(1)
    assert rig.answers == [
        ("/snapshot", "error", "the snapshot before this one is still being written")
    ]
    disk.set()
    rig.disk.close()
    (folder,) = (tmp_path / "pictures").iterdir()
    assert rig.answers[1:] == [("/snapshot", "ok", f"3 pictures are in {folder}")]
    assert len(list(folder.glob("screen-*.png"))) == 3


def test_after_a_snapshot_that_could_not_be_kept_another_is_taken(
    show: Show, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    rig = Rig(show, snapshots=tmp_path / "file" / "folder")
    rig.preroll()
    rig.say("/snapshot")
    rig.run(1)
    done = threading.Event()
    rig.disk.later(lambda: "", lambda ok, text: done.set())
    assert done.wait(10)
    rig.say("/snapshot")
    rig.run(1)
    rig.disk.close()
    assert [answer[1] for answer in rig.answers] == ["error", "error"]
    assert all("The snapshots cannot be written to" in answer[2] for answer in rig.answers)
