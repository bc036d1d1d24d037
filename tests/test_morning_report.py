"""The page of the night: asked for once a day, after seven, and never twice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from player.morning_report import FIRST_LOOK_TICKS, LOOK_EVERY_TICKS, MorningReport
from player.upkeep.wall_time import HOUR_NS, utc_ns, zone_of

SIX = utc_ns("2026-11-22T06:00:00Z")  # and in London too, in November


class FakeProcess:
    last_line = "the disk is full"

    def __init__(self, words: Sequence[str]) -> None:
        self.words, self.status, self.closed = list(words), None, False
        self.started = False

    def start(self) -> None:
        self.started = True

    def poll(self) -> int | None:
        return self.status

    def close(self) -> None:
        self.closed = True


class Night:
    def __init__(self, folder: Path) -> None:
        self.now_ns = SIX
        self.made: list[FakeProcess] = []
        self.tick = 10_000
        self.report = MorningReport(
            folder / "show",
            folder,
            folder / "run_installation.py",
            zone_of("Europe/London"),
            lambda: self.now_ns,
            self.make,  # type: ignore[arg-type]
        )
        self.report.tend(self.tick)

    def make(self, words: Sequence[str]) -> FakeProcess:
        self.made.append(FakeProcess(words))
        return self.made[-1]

    def passes(self, hours: float = 0.0) -> int:
        """Pages asked for so far, after the next look."""
        self.now_ns += round(hours * HOUR_NS)
        self.tick += max(FIRST_LOOK_TICKS, LOOK_EVERY_TICKS)
        self.report.tend(self.tick)
        return len(self.made)


def test_a_page_a_day_after_seven(tmp_path: Path) -> None:
    night = Night(tmp_path)
    assert night.passes() == 0
    assert night.passes(0.9) == 0
    assert night.passes(0.2) == 1
    page = tmp_path / "night-2026-11-22.html"
    assert night.made[0].started and str(page) in night.made[0].words
    night.made[0].status = 0
    assert night.passes(1) == 1 and night.made[0].closed
    assert night.passes(22) == 1, "six again"
    assert night.passes(2) == 2


def test_a_page_that_is_there_is_not_made_again(tmp_path: Path) -> None:
    (tmp_path / "night-2026-11-22.html").write_text("made before a restart")
    assert Night(tmp_path).passes(3) == 0


def test_the_start_is_left_alone(tmp_path: Path) -> None:
    night = Night(tmp_path)
    night.now_ns += 3 * HOUR_NS
    night.report.tend(night.tick + FIRST_LOOK_TICKS - 1)
    assert night.made == []
    night.report.tend(night.tick + FIRST_LOOK_TICKS)
    assert len(night.made) == 1


def test_a_page_that_fails_is_told_and_not_tried_all_day(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    night = Night(tmp_path)
    night.passes(2)
    night.made[0].status = 1
    assert night.passes(1) == 1
    assert "The page of the night was not made. the disk is full" in caplog.text
    night.report.close()
