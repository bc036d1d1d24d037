"""The desk without a browser: what it makes of OSC, the line of a ballad, the door, the alarms."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from player.clock import HouseClock, ManualClock
from player.desk import access, words
from player.desk.access import Door, is_loopback, is_our_name, is_our_origin
from player.desk.alarms import screen_is_wrong, troubles
from player.desk.command import DeskError, build_door, player_address
from player.desk.desk import Desk
from player.desk.hands import Hands
from player.desk.history import FRAME_TIME, MOST_SAMPLES, SKEW, Sample
from player.desk.label import read_credits
from player.desk.pictures import Paintings, ScreenPictures
from player.desk.player_line import PlayerLine
from player.desk.plots import bars
from player.desk.state import ANSWER_NS, SILENT_NS, STALE_NS, DeskState, corners_of
from player.desk.timeline import playhead, seconds_of_painting, segments_of
from player.desk.timetable import soon_on, timetable_of
from player.osc.packets import Message, decode_packet, encode_message, encode_reply
from player.osc.table import ROWS
from player.upkeep.wall_time import utc_ns
from player.wall.thumbnails import ThumbnailFile
from shows.schedule_schema import Schedule
from shows.show import Show
from shows.show_file import load_show, save_settings
from tests.tick_helpers import wait_for
from tests.tiny_show import make_tiny_show

S = 1_000_000_000


@pytest.fixture
def show(tmp_path: Path) -> Show:
    return make_tiny_show(tmp_path / "show")


@pytest.fixture
def player() -> Iterator[socket.socket]:
    """The other end of the line: a socket that hears what the desk sends."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind(("127.0.0.1", 0))
        opened.settimeout(5)
        yield opened


@pytest.fixture
def desk(show: Show, player: socket.socket, tmp_path: Path) -> Iterator[Desk]:
    """Its clock stands still until a test moves it."""
    clock = ManualClock(100 * S)
    line = PlayerLine(player.getsockname(), clock)
    yield Desk(show, line, ScreenPictures(tmp_path / "none"), Paintings(show), clock)
    line.close()


def heard(*messages: tuple[str, object], now_ns: int = 0) -> DeskState:
    state = DeskState()
    for address, value in messages:
        state.hear(Message(address, (value,)), now_ns)
    return state


def next_sent(player: socket.socket) -> Message:
    return decode_packet(player.recv(8192))[0]


def test_values_and_silence() -> None:
    state = DeskState()
    assert state.is_silent(0) and state.needs_subscription(0)
    state.hear(Message("/status/fps", (29.5,)), 5 * S)
    assert state.number("/status/fps") == 29.5 and state.number("/status/late", 7) == 7
    assert not state.is_silent(5 * S + SILENT_NS) and state.is_silent(5 * S + SILENT_NS + 1)
    assert state.needs_subscription(5 * S + STALE_NS + 1)
    state.hear(Message("/reply", ("/status", "ok", "playing, frame 7")), 9 * S)
    assert state.status_line == "playing, frame 7"
    assert not state.is_silent(9 * S) and state.needs_subscription(9 * S)
    state.hear(Message("/event/line", (1, "ballad-1", 2)), 9 * S)
    assert "/event/line" not in state.values


def test_the_log_has_answers_and_faders_are_one_line() -> None:
    state = DeskState()
    state.sent("/ballad", (3,), 0)
    state.sent("/blackout", (5,), 0)
    for step in range(4):
        state.sent("/brightness", (step / 10,), step * S // 10)
    state.hear(Message("/reply", ("/ballad", "ok", "playing")), S)
    state.hear(Message("/reply", ("/blackout", "error", "takes 0 or 1")), S)
    state.tend(S + ANSWER_NS)
    lines = list(state.log)
    assert [line.outcome for line in lines] == ["ok", "error", "unanswered"]
    assert lines[1].answer == "takes 0 or 1"
    assert (lines[2].times, lines[2].arguments) == (4, (0.3,))
    state.hear(Message("/reply", ("/brightness", "ok", "0.3")), 20 * S)  # late is an answer too
    assert state.log[-1].outcome == "ok"


def test_late_frames_are_counted_also_over_a_new_start() -> None:
    state = heard(("/status/late", 10), ("/status/dropped", 1))
    for second, (late, dropped) in enumerate([(10, 1), (12, 2), (12, 2), (4, 0)]):
        state.hear(Message("/status/late", (late,)), second * 5 * S)
        state.hear(Message("/status/dropped", (dropped,)), second * 5 * S)
        state.tend(second * 5 * S)
    assert state.history.lost() == (3, 0, 4) and state.history.lost_in_last_minute() == 7


def test_the_worst_of_five_seconds_is_kept_for_ten_minutes() -> None:
    state = DeskState()
    state.tend(0)
    assert not state.history.samples  # nothing was heard yet
    for second, worst in enumerate([12.0, 40.0, 13.0, 14.0, 15.0, 16.0, 17.0, 11.0]):
        state.hear(Message(FRAME_TIME, (worst,)), second * S)
        state.hear(Message(SKEW, (-1.0,)), second * S)
        state.tend(second * S)
    assert state.history.of(FRAME_TIME) == (40.0,) and state.history.of(SKEW) == (None,)
    state.hear(Message("/status/fps", (30.0,)), 10 * S)  # the worst is the same, so it is not told
    state.tend(10 * S)
    state.hear(Message("/status/fps", (30.0,)), 15 * S)
    state.tend(15 * S)
    assert state.history.of(FRAME_TIME) == (40.0, 17.0, 11.0)
    state.tend(20 * S)  # the player is gone: a gap, and no good news
    assert state.history.lost() == (0, 0, 0, None)
    kept = state.copy()
    for sample in range(MOST_SAMPLES):
        state.hear(Message("/status/fps", (30.0,)), (25 + 5 * sample) * S)
        state.tend((25 + 5 * sample) * S)
    assert len(state.history.samples) == MOST_SAMPLES and None not in state.history.lost()
    assert len(kept.history.samples) == 4


def test_bars_stand_on_the_right_and_what_is_over_the_line_is_seen() -> None:
    drawn = bars((None, 10.0, 40.0, 500.0), limit=33.3, top=41.6, name="Frame <time>", says="33 ms")
    svg = ElementTree.fromstring(drawn.partition("</svg>")[0] + "</svg>")
    rects = [(rect.get("class"), float(rect.get("x", ""))) for rect in svg.iter("rect")]
    assert rects == [("well", 117.0), ("over", 118.0), ("over", 119.0)]
    heights = [float(rect.get("height", "")) for rect in svg.iter("rect")]
    reach = 2.5 * 33.3  # what is higher ends there, or the others would vanish
    assert heights == pytest.approx([32 * 10 / reach, 32 * 40 / reach, 32], abs=0.01)
    (line,) = svg.iter("line")
    assert float(line.get("y1", "")) == pytest.approx(32 * (1 - 1 / 2.5), abs=0.01)
    assert svg.get("aria-label") == "Frame <time>" and "33 ms" in drawn
    none = ElementTree.fromstring(bars((0, 4), limit=0, top=10, name="Lost"))
    assert [rect.get("class") for rect in none.iter("rect")] == ["well", "over"]
    assert not list(none.iter("line"))


def test_corners_come_from_the_players_answer() -> None:
    state = DeskState()
    answer = "rotation 0; corner/1 0.1 -0.2; corner/2 1 0; corner/3 1 1; corner/4 0 1; gamma 1"
    state.hear(Message("/reply", ("/screen/3/calibration", "ok", answer)), 0)
    assert corners_of(state.calibration[3]) == ((0.1, -0.2), (1, 0), (1, 1), (0, 1))
    assert corners_of({}) is None and corners_of({"corner/1": ("x", "y")}) is None


def test_the_line_of_a_ballad(show: Show) -> None:
    segments = segments_of(show, "ballad-1")
    assert len(segments) == 5 and segments[0].start == 0 and segments[-1].end == 1
    settings = show.settings
    loop = settings.stops * settings.frames_per_stop
    assert segments[0].loop_end == pytest.approx(loop / (5 * show.segment_frames))
    assert len(segments[2].stops) == settings.stops + 1
    assert all(a.end == b.start for a, b in pairwise(segments))
    second = seconds_of_painting(show, 1)
    assert playhead(show, "ballad-1", second) == pytest.approx(segments[1].start)
    assert playhead(show, "ballad-1", 5 * second) == 0


def test_alarms_say_what_is_wrong_and_what_to_do() -> None:
    def whats(state: DeskState, **facts: object) -> list[str]:
        given = {"player": "x:1", "fps": 30.0, "knows_show": True, "has_pictures": True}
        found = troubles(state, now_ns=0, **{**given, **facts})  # type: ignore[arg-type]
        assert all(trouble.do and "{" not in trouble.what for trouble in found)
        return [trouble.what for trouble in found]

    assert whats(DeskState()) == ["The player does not answer at x:1."]
    calm = heard(("/status/fps", 30.0), ("/status/alarm", ""), ("/status/playing", 1))
    assert whats(calm) == []
    assert whats(calm, has_pictures=False) == [words.NO_PICTURES.what]
    assert whats(calm, knows_show=False) == [words.OTHER_SHOW.what]
    bad = heard(("/status/fps", 12.0), ("/status/alarm", "The engine does not run. Oh."))
    assert whats(bad) == [
        "The engine does not run. Oh.",
        "12 frames a second are shown, and 30 are wanted.",
    ]
    dark = heard(("/blackout", 1), ("/brightness", 0.1), ("/card", "calibration"), ("/hold", 1))
    assert len(whats(dark)) == 4
    assert whats(heard(("/status/playing", 0), ("/source", "slate"))) == [words.IS_STANDBY.what]
    bad.history.samples.extend([Sample(15), Sample(10), Sample(None)])
    assert "25 frames were late" in whats(bad)[-1]
    assert whats(heard(("/status/temperature", 84.9))) == []
    assert whats(heard(("/status/temperature", 85.0))) == ["The player's machine is 85 °C warm."]
    hot = heard(("/status/temperature", 95.2), ("/status/alarm", "The engine does not run."))
    assert whats(hot)[0] == "The player's machine is 95 °C hot."  # red, and so before the engine
    assert whats(heard(("/status/temperature", -1.0))) == []


def test_a_screen_is_marked_when_it_shows_what_nobody_asked_for() -> None:
    state = heard(("/screen/1/source", "slate"), ("/source", "auto"), ("/screen/2/source", "live"))
    assert screen_is_wrong(state, 1, 0) and not screen_is_wrong(state, 2, 0)
    assert screen_is_wrong(state, 2, SILENT_NS + 1)
    state.hear(Message("/source", ("slate",)), 0)
    assert not screen_is_wrong(state, 1, 0)


def test_a_password_and_how_often_it_may_be_wrong() -> None:
    door = Door("a good long one", None)
    assert door.enter("", "h", 0) is None
    token = door.enter("a good long one", "h", 0)
    assert token is not None and door.knows(token, 1) and not door.knows("other", 1)
    assert not door.knows(token, access.SESSION_NS + 1)
    for _ in range(access.MOST_WRONG - 1):
        assert door.enter("wrong", "h", S) is None
    assert door.is_shut("h", S) and not door.is_shut("another", S)
    assert door.enter("a good long one", "h", S) is None
    assert door.enter("a good long one", "another", S)
    assert door.enter("a good long one", "h", S + access.FORGOTTEN_NS)
    for number in range(access.MOST_WRONG_OF_ALL):
        door.enter("wrong", f"h{number}", 200 * S)
    assert door.is_shut("nobody yet", 200 * S)


def test_a_code_is_good_once() -> None:
    codes: list[str] = []
    door = Door(None, codes.append)
    assert len(codes) == 1 and len(codes[0]) == 6 and codes[0].isdigit()
    assert door.enter(f" {codes[0]} ", "h", 0) and len(codes) == 2
    assert codes[0] == codes[1] or door.enter(codes[0], "h", 0) is None
    assert door.enter(codes[1], "h", 0)


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("127.0.0.1:8088", True),
        ("[::1]:8088", True),
        ("192.168.7.20", True),
        ("localhost:1", True),
        ("venue", True),
        ("evil.example:8088", False),
        ("", False),
        ("127.0.0.1.evil.example", False),
        ("[::1", False),
    ],
)
def test_names_that_are_not_ours_are_refused(host: str, is_ours: bool) -> None:
    assert is_our_name(host, frozenset({"localhost", "venue"})) is is_ours
    assert is_our_origin(f"http://{host}", host) is (host != "[::1")
    assert not is_our_origin("https://evil.example", host)


def test_other_addresses_need_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for host in ("127.0.0.1", "::1", "localhost"):
        assert is_loopback(host) and build_door(host, pair=False, password_env=None) is None
    with pytest.raises(DeskError, match="--pair"):
        build_door("0.0.0.0", pair=False, password_env=None)
    monkeypatch.setenv("DESK_WORD", "short")
    for name in ("DESK_WORD", "DESK_NONE"):
        with pytest.raises(DeskError, match="8 characters"):
            build_door("0.0.0.0", pair=False, password_env=name)
    monkeypatch.setenv("DESK_WORD", "long enough")
    door = build_door("0.0.0.0", pair=False, password_env="DESK_WORD")
    assert door is not None and not door.by_code
    assert player_address("127.0.0.1:9000") == ("127.0.0.1", 9000)
    for text in ("127.0.0.1", "a:b", ":9000", "h:99999", "h:0"):
        with pytest.raises(DeskError, match="no address"):
            player_address(text)


def test_hands_send_what_the_buttons_say(desk: Desk, player: socket.socket) -> None:
    hands = Hands(desk)
    hands.press("3")
    assert next_sent(player) == Message("/ballad", (3,))
    hands.choose_screen(5)
    hands.press("2")
    assert next_sent(player) == Message("/screen/5/ballad", (2,))
    hands.painting(4, 36.0)
    assert next_sent(player) == Message("/screen/5/seek", (36.0,))
    hands.press("a")
    hands.painting(4, 36.0)
    assert next_sent(player) == Message("/line", (4,))
    hands.press("ArrowRight")
    assert next_sent(player).address == "/line/next"
    hands.press(" ")
    assert next_sent(player).address == "/pause"
    hands.press("9")  # there are seven
    hands.press("h")
    assert next_sent(player) == Message("/hold", (1,))
    hands.calibrating = 2
    hands.corner(3, 9.0, 0.5)
    sent = next_sent(player)
    assert (sent.address, sent.arguments) == ("/screen/2/corner/3", (1.5, 0.5))


def test_black_must_be_asked_for_twice(desk: Desk, player: socket.socket) -> None:
    clock = desk.clock
    assert isinstance(clock, ManualClock)
    hands = Hands(desk)
    hands.press("b")
    assert hands.is_asked_black
    clock.advance(5 * S)
    assert not hands.is_asked_black
    hands.press("b")
    clock.advance(S)
    hands.press("b")
    assert next_sent(player) == Message("/blackout", (1, 1.0))
    desk.line.state.hear(Message("/blackout", (1,)), clock.now_ns())
    clock.advance(S)
    hands.press("b")
    assert next_sent(player) == Message("/blackout", (0,))


def test_a_desk_to_look_at_sends_nothing(desk: Desk, player: socket.socket) -> None:
    desk.read_only = True
    said: list[str] = []
    hands = Hands(desk, say=said.append)
    hands.press("3")
    hands.press("g")
    assert said == [words.COMMAND_REFUSED] * 2
    assert [line.outcome for line in desk.line.state.log] == ["error", "error"]
    player.setblocking(False)
    with pytest.raises(BlockingIOError):
        player.recv(100)


def test_the_line_subscribes_and_comes_back(player: socket.socket) -> None:
    line = PlayerLine(player.getsockname(), HouseClock())
    line.start()
    try:
        asked = {next_sent(player).address for _ in range(2)}
        assert asked == {"/subscribe", "/status"}
        _, sender = player.recvfrom(8192)
        player.sendto(encode_reply("/status", True, "playing"), sender)
        player.sendto(encode_message("/line", "i", [3]), sender)
        player.sendto(b"no OSC", sender)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.sendto(encode_message("/line", "i", [9]), sender)
        player.sendto(encode_message("/hold", "i", [1]), sender)
        assert wait_for(lambda: line.state.number("/hold") == 1)
        assert line.state.number("/line") == 3 and line.state.status_line == "playing"
        # the player is started again and knows nobody: no values come, so it is asked again
        assert wait_for(lambda: next_sent(player).address == "/subscribe")
    finally:
        line.close()
    assert wait_for(lambda: next_sent(player).address == "/unsubscribe")


def test_all_that_is_asked_and_sent_is_in_the_players_table() -> None:
    known = {row.path for row in ROWS}
    folder = Path(words.__file__).parent
    text = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    paths = ["/arrangement", "/hold", "/standby", "/go", "/safe", "/source", "/brightness", "/card"]
    paths += ["/loop/strength", "/truncation", "/path", FRAME_TIME, SKEW, "/status/temperature"]
    for path in [*paths, "/calibration/undo", "/calibration/save", "/line/next", "/blackout"]:
        assert path in known and f'"{path}"' in text


def test_pictures_are_encoded_once(show: Show, tmp_path: Path) -> None:
    pictures = ScreenPictures(tmp_path / "thumbnails")
    assert pictures.look() == {}
    file = ThumbnailFile(tmp_path / "thumbnails", 7)
    file.write(3, np.full((9, 16, 4), 99, np.uint8))
    seen = pictures.look()[3]
    assert seen.jpeg[:2] == b"\xff\xd8" and seen.size_px == (16, 9) and seen.number == 1
    assert pictures.look()[3] is seen
    file.write(3, np.full((9, 16, 4), 98, np.uint8))
    assert pictures.look()[3].number == 2
    paintings = Paintings(show)
    assert paintings.small("ballad-1", 0)[:2] == paintings.large("ballad-1", 4)[:2] == b"\xff\xd8"


def test_the_schedule_of_a_day(show: Show) -> None:
    assert timetable_of(show, 0) is None
    schedule = Schedule.model_validate(
        {
            "timezone": "Europe/London",
            "open": {"daily": ["10:00-18:00"]},
            "ballads": [{"at": "12:00", "ballad": "ballad-2"}, {"at": "15:00", "ballad": "each"}],
        }
    )
    save_settings(show.folder, show.settings.model_copy(update={"schedule": schedule}))
    table = timetable_of(load_show(show.folder), utc_ns("2026-01-14T11:00:00Z"))
    assert table is not None and table.now == "open until 18:00"
    assert [(coming.time, coming.title) for coming in table.coming] == [
        ("12:00", "Ballad number 2"),
        ("15:00", words.EVERY_OWN),
    ]


def test_a_screen_says_what_the_schedule_brings_within_the_hour(show: Show) -> None:
    schedule = Schedule.model_validate(
        {
            "timezone": "Europe/London",
            "ballads": [{"at": "12:00", "ballad": "ballad-2"}, {"at": "15:00", "ballad": "each"}],
        }
    )
    scheduled = replace(show, settings=show.settings.model_copy(update={"schedule": schedule}))

    def soon(time: str, number: int) -> tuple[str, str] | None:
        now_ns = utc_ns(f"2026-01-14T{time}Z")
        coming = soon_on(scheduled, timetable_of(scheduled, now_ns), number, now_ns)
        return coming and (coming.time, coming.title)

    assert soon("10:59:59", 4) is None
    assert soon("11:00:00", 4) == ("12:00", "Ballad number 2")
    assert soon("14:30:00", 4) == ("15:00", "Ballad number 4")  # each its own
    assert soon_on(show, timetable_of(show, 0), 4, 0) is None


def test_credits_are_cut_at_a_whole_line(tmp_path: Path) -> None:
    assert read_credits(tmp_path / "credits.txt") == ""
    (tmp_path / "credits.txt").write_text("Anna (2)\n", encoding="utf-8")
    assert read_credits(tmp_path / "credits.txt") == "Anna (2)"
    (tmp_path / "credits.txt").write_text("A line of it.\n" * 200, encoding="utf-8")
    lines = read_credits(tmp_path / "credits.txt").splitlines()
    assert set(lines[:-1]) == {"A line of it."} and lines[-1] == words.AND_MORE
