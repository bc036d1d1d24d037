import argparse
import base64
import re
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from player.upkeep import night_report as module
from player.upkeep.journal_file import DayFile, Entry, JournalRead, entry_line, read_journal
from player.upkeep.night_facts import minute_of, minutes_of, runs_of
from player.upkeep.night_page import chronicle, figures, snapshots
from player.upkeep.night_plots import Span, binned, plots
from player.upkeep.night_report import NightReportError, add_arguments, night_report, run
from player.upkeep.night_verdict import length_text, verdict_of
from player.upkeep.wall_time import HOUR_NS, MINUTE_NS, SECOND_NS, utc_day, utc_ns, zone_of
from tests import night_of_faults
from tests.night_of_faults import SINCE_NS, UNTIL_NS, minute_facts

UTC = zone_of("UTC")
BEGAN_NS = SINCE_NS


def at(minute: float) -> int:
    return BEGAN_NS + round(minute * MINUTE_NS)


def night(
    minutes: int = 60, odd: dict[int, dict[str, object]] | None = None, *events: Entry
) -> tuple[Entry, ...]:
    """A start and that many good minutes but for the odd ones; then the events."""
    entries = [Entry(at(0), "start", "Playing.", {"mode": "auto", "restarts": 0})]
    for number in range(1, minutes + 1):
        entries.append(Entry(at(number), "minute", "", (odd or {}).get(number) or minute_facts()))
    return tuple(sorted([*entries, *events], key=lambda entry: entry.at_ns))


def judged(entries: Sequence[Entry], until_minute: float = 60.5) -> str:
    read = JournalRead(tuple(entries))
    verdict = verdict_of(read, BEGAN_NS, at(until_minute), UTC)
    return "; ".join(f"{reason.colour}: {reason.text}" for reason in verdict.reasons) or "green"


def test_a_good_night_is_green() -> None:
    assert judged(night()) == "green"
    verdict = verdict_of(JournalRead(night()), BEGAN_NS, at(60.5), UTC)
    assert verdict.sentence == "Green: every screen showed what it should."


def test_the_night_of_faults_is_red_with_its_reason(tmp_path: Path) -> None:
    night_of_faults.write(tmp_path, with_pictures=False)
    verdict = verdict_of(read_journal(tmp_path, SINCE_NS, UNTIL_NS), SINCE_NS, UNTIL_NS, UTC)
    assert verdict.sentence == "Red: 4 min on stills on window-3 at 02:10."
    assert [reason.text for reason in verdict.reasons[1:]] == [
        "the player was restarted once at 04:47",
        "the engine's worker was restarted once",
        "the clock was stepped at 03:20",
    ]


def still(seconds: float, **words: object) -> dict[str, object]:
    ticks = round(seconds * 30)
    return minute_facts(
        on={"window-3": {"live": 1800 - ticks, "slate": ticks}},
        **words,  # type: ignore[arg-type]
    )


REASONS: dict[str, tuple[Sequence[Entry], str]] = {
    "stills for a minute": (
        night(60, {30: still(40), 31: still(40)}),
        "red: 80 s on stills on window-3 at 09:29",
    ),
    "stills for a moment": (
        night(60, {30: still(20)}),
        "amber: 20 s on stills on window-3 at 09:29",
    ),
    "stills at the start": (night(60, {1: still(3)}), "green"),
    "stills behind closed doors": (night(60, {30: still(60, is_open=False)}), "green"),
    "stills on every screen": (
        night(60, {30: minute_facts(sources={"slate": 1800})}),
        "red: 60 s on stills on every screen at 09:29",
    ),
    "dropped frames": (
        night(60, {30: minute_facts(dropped=200)}),
        "amber: a minute with dropped frames, the worst at 09:30 (10%)",
    ),
    "dropped frames for half an hour": (
        night(60, dict.fromkeys(range(10, 45), minute_facts(dropped=30))),
        "red: 35 minutes with dropped frames, the worst at 09:10 (2%)",
    ),
    "late and repeated frames": (
        night(60, {30: minute_facts(late=500), 31: minute_facts(repeated=181)}),
        "amber: 2 minutes with a tenth of the frames late or repeated, from 09:29",
    ),
    "a bad second": (night(60, {30: minute_facts(ticks=30, dropped=9, late=9)}), "green"),
    "a few late frames": (night(60, {30: minute_facts(late=180, repeated=180)}), "green"),
    "films": (
        night(60, dict.fromkeys(range(10, 20), minute_facts(sources={"film": 1800}))),
        "amber: films stood in for the engine for 10 min",
    ),
    "heat": (
        night(60, {30: minute_facts(cpu_c=95.0)}),
        "amber: the processor was 95 °C hot at 09:30",
    ),
    "a fault": (
        night(60, {}, Entry(at(20), "fault", "x", {})),
        "amber: a fault at 09:20",
    ),
    "no word": (night(40), "red: no word from the player since 09:40"),
    "ended": (
        night(40, {}, Entry(at(40.1), "end", "Ended.", {})),
        "amber: the player was ended at 09:40 and is not running",
    ),
    "nothing": ((), "red: the journal holds nothing of this time"),
}


@pytest.mark.parametrize(("entries", "told"), REASONS.values(), ids=REASONS)
def test_reasons(entries: Sequence[Entry], told: str) -> None:
    assert judged(entries) == told


def test_a_player_away_for_long_is_red_and_a_quick_restart_amber() -> None:
    again = {"mode": "auto", "restarts": 1, "restart_reason": "hung"}
    quick = [entry for entry in night() if not at(30) < entry.at_ns < at(31.5)]
    quick.append(Entry(at(31), "start", "Playing.", again))
    assert judged(sorted(quick, key=lambda entry: entry.at_ns)) == (
        "amber: the player was restarted once at 09:31"
    )
    away = [entry for entry in night() if not at(30) < entry.at_ns < at(41)]
    away.append(Entry(at(40), "start", "Playing.", again))
    assert judged(sorted(away, key=lambda entry: entry.at_ns)).startswith(
        "red: no player for 10 min from 09:30; amber: the player was restarted once at 09:40"
    )


def test_a_clean_end_and_start_is_no_restart() -> None:
    entries = [entry for entry in night() if not at(30) < entry.at_ns < at(41)]
    entries += [Entry(at(30.5), "end", "Ended.", {}), Entry(at(40), "start", "Playing.", {})]
    assert judged(sorted(entries, key=lambda entry: entry.at_ns)) == "green"


def test_minutes_that_are_missing_while_it_runs_are_amber() -> None:
    entries = [entry for entry in night() if not at(30) < entry.at_ns < at(40)]
    assert judged(entries) == "amber: nothing was measured for 10 min from 09:30"


def test_a_show_from_films_alone_is_green() -> None:
    entries = list(night(60, dict.fromkeys(range(1, 61), minute_facts(sources={"film": 1800}))))
    entries[0] = replace(entries[0], facts={"mode": "film"})
    assert judged(entries) == "green"


def test_memory_that_grows_all_night_is_told() -> None:
    grown = {number: minute_facts(rss_mb=400.0 + 2 * number) for number in range(1, 301)}
    assert judged(night(300, grown), 300.5) == "amber: memory grew from 1081 to 1561 MB"


def test_worker_restarts_are_counted_over_starts_of_the_player() -> None:
    counts = {10: 1, 11: 3, 12: 3, 20: 0, 21: 2}
    odd = {number: minute_facts(worker_restarts=0) for number in range(1, 61)}
    last = 0
    for number in range(1, 61):
        last = counts.get(number, last)
        odd[number] = minute_facts(worker_restarts=last)
    entries = night(60, odd, Entry(at(19.5), "start", "Again.", {"restarts": 1}))
    assert "the engine's worker was restarted 5 times" in judged(entries)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(7.4, "7 s"), (89, "89 s"), (90, "2 min"), (240, "4 min"), (7500, "2 h 05 min")],
)
def test_lengths(seconds: float, text: str) -> None:
    assert length_text(seconds) == text


WRONG_FACTS: list[dict[str, object]] = [
    {},
    {"ticks": 1800},
    {"ticks": "1800", "fps": 30},
    {"ticks": -5, "fps": 30},
    {"ticks": 1e300, "fps": 30},
    {"ticks": True, "fps": True},
    {"ticks": 1800, "fps": 0},
    {"ticks": 1800, "fps": 1e9},
]


@pytest.mark.parametrize("facts", WRONG_FACTS)
def test_facts_that_are_no_minute(facts: dict[str, object]) -> None:
    assert minute_of(Entry(0, "minute", "", facts)) is None


def test_wrong_words_in_a_minute_cost_themselves_alone() -> None:
    minute = minute_of(
        Entry(
            UNTIL_NS,
            "minute",
            "",
            {
                "ticks": 1800,
                "fps": 30,
                "late": "many",
                "interval_ms": [1, 2],
                "by_screen": [{"live": 900, "<b>$x": 900}, 7, {"film": float("inf")}],
                "screens": ["a\x00", {"b": 1}],
                "process": "none",
                "is_open": "no",
            },
        )
    )
    assert minute is not None
    assert minute.by_screen == {"a ": {"live": 30, "other": 30}, "{'b': 1}": {}, "screen 3": {}}
    assert minute.shares == {"live": 0.5, "other": 0.5}
    assert (minute.late, minute.p50_ms, minute.rss_mb, minute.is_open) == (0, None, None, True)


def test_the_same_sentence_over_and_over_stands_once() -> None:
    entries = [Entry(at(n), "osc", "No OSC.", {}) for n in range(30)]
    lines = chronicle([*entries, Entry(at(31), "fault", "Disk.", {})], UTC)
    assert [(line.when, line.kind, line.text, line.is_bad) for line in lines] == [
        ("09:00:00", "OSC", "No OSC. (30 times, until 09:29)", False),
        ("09:31:00", "fault", "Disk.", True),
    ]


def test_a_restart_tells_its_reason_once() -> None:
    facts = {"restart_reason": "no picture for 2 s."}
    told = [
        Entry(at(0), "start", sentence, facts) for sentence in ("On.", "On. no picture for 2 s.")
    ]
    assert [line.text for line in chronicle(told, UTC)] == [
        "On. It was restarted: no picture for 2 s.",
        "On. no picture for 2 s.",
    ]


def test_a_chronicle_that_is_too_long_is_cut_in_the_middle() -> None:
    lines = chronicle([Entry(at(n / 9), "osc", str(n), {}) for n in range(1000)], UTC)
    assert len(lines) == 301
    assert lines[100].text == "700 more lines stand in the journal"
    assert (lines[99].text, lines[101].text) == ("99", "800")


def test_figures_of_a_night() -> None:
    rows = dict(figures(JournalRead(night(60, {30: still(60)}))))
    assert rows["Frames shown"] == "108 000"
    assert rows["As stills, of all screens' time"] == "0.24 %"
    assert rows["Quality"] == "every frame 100.00 %"
    assert rows["Memory, first and last"] == "1030 MB, 1030 MB"
    assert figures(JournalRead()) == ()


def test_joined_minutes_keep_the_worst_and_the_sums() -> None:
    odd = {5: minute_facts(dropped=7, max_ms=200.0), 6: minute_facts(sources={"film": 1800})}
    minutes = minutes_of(night(60, odd))
    span = Span(BEGAN_NS, at(60), UTC)
    assert binned(minutes, span) == minutes
    joined = binned(minutes, span, most=6)
    assert len(joined) <= 7
    assert sum(minute.dropped for minute in joined) == 7
    assert max(minute.max_ms or 0 for minute in joined) == 200
    assert 0 < joined[0].shares["film"] < 0.2
    assert all(sum(minute.shares.values()) == pytest.approx(1) for minute in joined)


def test_plots_are_the_same_every_time_and_hold_their_words() -> None:
    minutes = minutes_of(night())
    span = Span(BEGAN_NS, at(60), UTC)
    first, again = (plots(minutes, runs_of(night(20)), span) for _ in range(2))
    assert first == again
    assert [plot.title.partition(",")[0] for plot in first] == [
        "What the screens showed",
        "Time from frame to frame",
        "Frames dropped and late",
        "Memory of the player and its processes",
        "Temperature",
    ]
    ids = [name for plot in first for name in re.findall(r' id="(\w{11,})"', plot.svg)]
    assert len(ids) == len(set(ids))
    assert ">09:30<" in first[0].svg
    assert "<script" not in "".join(plot.svg for plot in first)


def test_plots_take_odd_nights() -> None:
    span = Span(BEGAN_NS, at(60), UTC)
    assert plots((), (), span) == ()
    bare = minute_of(Entry(at(3), "minute", "", {"ticks": 1800, "fps": 30}))
    assert bare is not None
    assert len(plots((bare,), (), span)) == 3
    slow = night(60, {30: minute_facts(max_ms=90_000.0, sources={"my $own_ source": 3})})
    assert len(plots(minutes_of(slow), runs_of(slow), span)) == 5


class Page(HTMLParser):
    """Tags with their attributes, and the text between them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_of_the_night_of_faults_stands_alone(tmp_path: Path) -> None:
    night_of_faults.write(tmp_path)
    page = night_report(tmp_path, SINCE_NS, UNTIL_NS, title="Ballads & more", zone=UTC)
    read = Page(page)
    words = Page(page.partition("</head>")[2]).text.strip()
    assert words.startswith("Red: 4 min on stills on window-3 at 02:10.")
    assert "Ballads & more, Saturday 21 November 2026, 09:00 to Sunday 22" in read.text
    assert "It was restarted: no picture for 2 s, killed." in read.text
    assert "(30 times, until 21:03)" in read.text
    assert "Rendered pictures; no proof that a projector was lit." in read.text
    tags = [tag for tag, _ in read.tags]
    assert tags.count("svg") == 5
    assert tags.count("img") == 24 * 7
    assert not {"script", "link", "iframe", "object"} & set(tags)
    for tag, words in read.tags:
        for name in ("src", "href", "xlink:href"):
            value = words.get(name)
            assert value is None or value.startswith(("data:image/jpeg", "#")), (tag, value)
        assert not [name for name in words if name.startswith("on")]
    first = next(words["src"] for tag, words in read.tags if tag == "img")
    assert first is not None
    assert base64.b64decode(first.partition(",")[2]).startswith(b"\xff\xd8")


def test_what_a_journal_holds_never_becomes_markup(tmp_path: Path) -> None:
    evil = "</h1><script>alert(1)</script>"
    entries = [
        Entry(at(0), evil, evil, {"restart_reason": evil, "show": evil, "packages": {evil: evil}}),
        Entry(at(0.1), "start", evil, {"restart_reason": evil, "show": evil, "wall": [evil]}),
        Entry(at(0.2), "fault", "\ud800 half", {}),
        Entry(at(1), "minute", "", {**minute_facts(), "screens": [evil] * 7}),
        Entry(at(1), "picture", "", {"screen": evil, "file": "../../../etc/passwd"}),
    ]
    write(tmp_path, entries)
    page = night_report(tmp_path, BEGAN_NS, at(2), title=evil, zone=UTC)
    assert "<script" not in page
    assert page.encode()
    assert "root:" not in page


def write(folder: Path, entries: Sequence[Entry]) -> None:
    file = DayFile(folder)
    for entry in entries:
        file.append(utc_day(entry.at_ns), entry_line(entry))
    file.close()


def test_only_our_own_small_pictures_are_shown(tmp_path: Path) -> None:
    outside = tmp_path / "outside.jpg"
    outside.write_bytes(b"\xff\xd8 outside")
    folder = tmp_path / "journal"
    pictures = folder / "pictures-2026-11-21"
    pictures.mkdir(parents=True)
    contents = {"a": b"\xff\xd8 good", "b": b"<svg>", "c": b"\xff\xd8" + bytes(300_000)}
    for name, content in contents.items():
        (pictures / f"090000-{name}-00000000.jpg").write_bytes(content)
    (pictures / "090000-d-00000000.jpg").symlink_to(outside)
    names: list[object] = [
        *(f"pictures-2026-11-21/090000-{name}-00000000.jpg" for name in "abcde"),
        "pictures-2026-11-21/../../outside.jpg",
        str(outside),
        None,
        ["x"],
    ]
    entries = [Entry(at(0), "picture", "", {"screen": "s", "file": name}) for name in names]
    ((hour, found),) = snapshots(folder, entries, UTC)
    assert hour == "Sat 21 Nov, 09:00"
    assert [base64.b64decode(picture.data) for picture in found] == [b"\xff\xd8 good"]


def test_a_folder_without_a_journal_makes_a_red_page_that_says_so(tmp_path: Path) -> None:
    page = night_report(tmp_path / "none", SINCE_NS, UNTIL_NS, zone=UTC)
    assert "Red: the journal holds nothing of this time." in page
    assert "cannot be read: No such file or directory." in page


def test_a_damaged_line_is_told_at_the_foot(tmp_path: Path) -> None:
    write(tmp_path, night())
    with next(tmp_path.glob("*.jsonl")).open("ab") as file:
        file.write(b'{"at": "20')
    page = night_report(tmp_path, BEGAN_NS, at(60.5), zone=UTC)
    assert "Green: every screen showed what it should." in page
    assert "A line of the journal could not be read, as after a power cut." in page


def asked(*words: str) -> int:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return run(parser.parse_args(words))


def test_the_command_writes_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "journal", night())
    out = tmp_path / "page.html"
    times = ["--since", "2026-11-21T09:00+00:00", "--until", "2026-11-21T10:00:30+00:00"]
    assert asked("--journal", str(tmp_path / "journal"), "--out", str(out), *times) == 0
    assert out.read_text("utf-8").startswith("<!doctype html>")
    assert capsys.readouterr().out.splitlines()[0] == "Green: every screen showed what it should."


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--since", "soon"], "is no time; write it as in 2026-11-22T18:00."),
        (["--since", "2026-11-21T09:00", "--until", "2026-11-20T09:00"], "time is empty or longer"),
        (["--out", "/nowhere/at/all.html", "--hours", "1"], "cannot be written: No such file"),
    ],
)
def test_wrong_words_are_one_sentence(
    tmp_path: Path, words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked("--journal", str(tmp_path), "--out", str(tmp_path / "a.html"), *words) == 1
    error = capsys.readouterr().err
    assert sentence in error
    assert len(error.splitlines()) == 1


def test_hours_that_are_none(tmp_path: Path) -> None:
    for hours in ("0", "-1", "nan", "inf", "9999", "x"):
        with pytest.raises(SystemExit):
            asked("--journal", str(tmp_path), "--hours", hours)


def test_without_its_libraries_the_report_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    write(tmp_path, night(2))
    with pytest.raises(NightReportError, match=r"needs matplotlib.*\[report\]"):
        night_report(tmp_path, BEGAN_NS, at(3))


def test_a_show_file_that_cannot_be_read_does_not_keep_the_report(tmp_path: Path) -> None:
    title, zone = module.title_and_zone(tmp_path / "gone")
    assert title.startswith("gone (its show file cannot be read")
    assert zone is None


def test_a_night_with_a_change_of_the_clocks_has_its_local_times(tmp_path: Path) -> None:
    london = zone_of("Europe/London")
    began = utc_ns("2026-10-24T18:00:00Z")
    facts = [Entry(began + n * MINUTE_NS, "minute", "", minute_facts()) for n in range(1, 15 * 60)]
    event = Entry(utc_ns("2026-10-25T01:30:00Z"), "fault", "In the second hour of one.", {})
    write(tmp_path, [*facts, event])
    page = night_report(tmp_path, began, began + 15 * HOUR_NS, zone=london)
    assert "Saturday 24 October 2026, 19:00 to Sunday 25 October 2026, 09:00" in page
    assert "01:30:00" in page
    assert (began + 15 * HOUR_NS - event.at_ns) // SECOND_NS == 27_000
