import json
from fractions import Fraction
from pathlib import Path

import pytest

from player.frame_report import FrameReport, ReportError, Spread, write_report

FPS = Fraction(30)
KEYS = {
    "frames_presented",
    "frames_late",
    "frames_repeated",
    "frames_dropped",
    "frames_blended",
    "interval_ms",
    "frames_by_source",
    "engine_ms_per_picture",
    "start_to_first_picture_s",
}


def record(
    report: FrameReport,
    frame: int,
    *,
    late_ns: int = 0,
    source: str = "live",
    repeated: bool = False,
    tick: int | None = None,
) -> None:
    tick = frame if tick is None else tick
    due_ns = tick * 1_000_000_000 // 30
    report.record(
        tick=tick,
        frame=frame,
        due_ns=due_ns,
        presented_ns=due_ns + late_ns,
        source=source,
        repeated=repeated,
    )


def test_a_run_on_time() -> None:
    report = FrameReport(FPS)
    for frame in range(900):
        record(report, frame, late_ns=1_000_000)
    told = report.as_dict()
    assert told.keys() >= KEYS
    assert told["frames_presented"] == 900
    assert (told["frames_late"], told["frames_repeated"], told["frames_dropped"]) == (0, 0, 0)
    assert told["frames_blended"] == 0
    assert told["interval_ms"] == pytest.approx(
        {"p50": 33.333, "p99": 33.333, "max": 33.3333}, abs=0.025
    )
    assert told["lateness_ms"] == pytest.approx({"p50": 1, "p99": 1, "max": 1}, abs=0.026)


@pytest.mark.parametrize(
    ("fps", "late_ns", "late"),
    [
        (Fraction(25), 20_000_000, 0),
        (Fraction(25), 20_000_001, 1),
        (Fraction(30), 16_666_666, 0),
        (Fraction(30), 16_666_667, 1),
        (Fraction(30000, 1001), 16_683_333, 0),
        (Fraction(30000, 1001), 16_683_334, 1),
        (Fraction(30), -50_000_000, 0),
    ],
)
def test_late_is_more_than_half_a_frame_to_the_nanosecond(
    fps: Fraction, late_ns: int, late: int
) -> None:
    report = FrameReport(fps)
    report.record(
        tick=0, frame=0, due_ns=10**15, presented_ns=10**15 + late_ns, source="live", repeated=False
    )
    assert report.as_dict()["frames_late"] == late


def test_sources_add_up_to_what_was_presented() -> None:
    report = FrameReport(FPS)
    for frame in range(10):
        record(report, frame, source="slate" if frame < 4 else "live", repeated=frame == 6)
    report.dropped(3)
    record(report, 13)
    told = report.as_dict()
    assert told["frames_by_source"] == {"live": 7, "slate": 4}
    assert told["frames_presented"] == 11
    assert told["frames_repeated"] == 1
    assert told["frames_dropped"] == 3
    assert (told["first_frame"], told["last_frame"]) == (0, 13)


def test_a_pause_presents_its_frame_once() -> None:
    report = FrameReport(FPS)
    for tick in range(100):
        record(report, min(tick, 40), tick=tick, late_ns=20_000_000 if tick > 50 else 0)
    told = report.as_dict()
    assert told["frames_presented"] == 41
    assert told["frames_by_source"] == {"live": 41}
    assert told["frames_late"] == 0
    assert told["ticks_presented"] == 100


def test_means_and_first_picture_and_notes() -> None:
    report = FrameReport(FPS)
    nothing = report.as_dict()
    assert nothing["engine_ms_per_picture"] is None
    assert nothing["start_to_first_picture_s"] is None
    assert nothing["interval_ms"] == {"p50": None, "p99": None, "max": None}
    for ms in (2.0, 4.0, float("nan")):
        report.engine_ms(ms)
    report.first_picture(1_500_000_000)
    report.first_picture(9_000_000_000)
    report.note("osc_errors", 2)
    report.note("frames_late", 99)
    told = report.as_dict()
    assert told["engine_ms_per_picture"] == 3.0
    assert told["start_to_first_picture_s"] == 1.5
    assert told["osc_errors"] == 2
    assert told["frames_late"] == 0


def test_percentiles_by_hand() -> None:
    spread = Spread()
    for ms in [10.01] * 98 + [20.01, 700.0]:
        spread.add(ms)
    assert spread.percentile_ms(50) == pytest.approx(10.01, abs=0.025)
    assert spread.percentile_ms(98) == pytest.approx(10.01, abs=0.025)
    assert spread.percentile_ms(99) == pytest.approx(20.01, abs=0.025)
    assert spread.percentile_ms(100) == 700.0
    assert spread.as_dict()["max"] == 700.0


def test_memory_does_not_grow_with_the_run() -> None:
    report = FrameReport(FPS)
    record(report, 0)
    before = sum(len(vars(part)["_counts"]) for part in _spreads(report))
    for frame in range(1, 20_000):
        record(report, frame, late_ns=frame * 1000)
    assert sum(len(vars(part)["_counts"]) for part in _spreads(report)) == before
    assert not any(isinstance(value, list) for value in vars(report).values())


def _spreads(report: FrameReport) -> list[Spread]:
    return [value for value in vars(report).values() if isinstance(value, Spread)]


def test_the_file_is_written_whole_and_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "r.json"
    report = FrameReport(FPS)
    record(report, 0)
    write_report(path, report.as_dict())
    write_report(path, report.as_dict())
    assert json.loads(path.read_text(encoding="utf-8"))["frames_presented"] == 1
    assert [entry.name for entry in path.parent.iterdir()] == ["r.json"]


def test_a_failed_write_leaves_the_old_report_and_says_where(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    write_report(path, {"frames_presented": 1})
    with pytest.raises(ReportError, match=r"r\.json"):
        write_report(path, {"bad": float("nan")})
    with pytest.raises(ReportError, match=r"r\.json"):
        write_report(path, {"bad": object()})
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match="below"):
        write_report(tmp_path / "file" / "below.json", {})
    assert json.loads(path.read_text()) == {"frames_presented": 1}
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file", "r.json"]


def test_a_window_holds_what_came_since_the_last_one() -> None:
    report = FrameReport(FPS)
    for frame in range(10):
        record(report, frame, source="slate")
    first = report.take_window()
    assert (first["ticks"], first["presented"], first["late"]) == (10, 10, 0)
    assert first["by_source"] == {"slate": 10}
    assert first["by_screen"] == [{"slate": 10}]
    record(report, 10, late_ns=20_000_000, repeated=True)
    report.dropped(4)
    second = report.take_window()
    assert {
        name: second[name] for name in ("ticks", "presented", "late", "repeated", "dropped")
    } == {
        "ticks": 1,
        "presented": 1,
        "late": 1,
        "repeated": 1,
        "dropped": 4,
    }
    assert second["interval_ms"] == pytest.approx(
        {"p50": 53.33, "p99": 53.33, "max": 53.33}, abs=0.03
    )
    nothing = report.take_window()
    assert nothing["ticks"] == 0
    assert nothing["interval_ms"] == {"p50": None, "p99": None, "max": None}
    assert nothing["by_screen"] == []
    assert report.counts["presented"] == 11
    assert report.as_dict()["frames_dropped"] == 4


def test_a_window_tells_the_screens_apart_and_counts_the_ticks_of_a_pause() -> None:
    report = FrameReport(FPS)
    for tick, sources in enumerate([("live", "live"), ("live", "film"), ("slate", "film")]):
        report.record(
            tick=tick,
            frame=7,
            due_ns=0,
            presented_ns=0,
            source="live",
            repeated=False,
            sources=sources,
        )
    window = report.take_window()
    assert window["by_source"] == {"film": 2, "live": 3, "slate": 1}
    assert window["by_screen"] == [{"live": 2, "slate": 1}, {"live": 1, "film": 2}]
    assert (window["ticks"], window["presented"]) == (3, 1)
