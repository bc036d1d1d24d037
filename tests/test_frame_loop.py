"""The frame loop on a clock that costs nothing: what is shown, counted and asked for."""

from __future__ import annotations

import gc
import logging
import tracemalloc
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from player.frame_loop import LONGEST_WAIT_NS
from player.live_keys import LOOKAHEAD_FRAMES, begun_cues
from player.source_policy import FADE_TICKS, HOLD_FRAMES, LATE_FRAMES, RETURN_TICKS
from shows.show import Show
from shows.timebase import frame_to_ns
from shows.timeline import Cue, latents_at, opening_cues
from tests.loop_fakes import FakeSource
from tests.loop_rig import FRAME_NS, LIMIT_NS, SCREENS, Rig, frames
from tests.tiny_show import make_tiny_show


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Show:
    folder: Path = tmp_path_factory.mktemp("show")
    return make_tiny_show(folder, screens=SCREENS, ballads=4, paintings=2, size=4)


@pytest.fixture
def rig(show: Show) -> Rig:
    """Past its preroll, its engine in time."""
    rig = Rig(show)
    rig.preroll()
    return rig


# ---- what is shown, and what is counted


def test_in_time_every_frame_is_shown_once(rig: Rig) -> None:
    shown = rig.run(300)
    assert frames(shown) == list(range(300))
    assert rig.counts() == (300, 0, 0, 0)
    assert rig.by_source() == {"live": 300}
    assert rig.report.as_dict()["ticks_presented"] == 300
    steps = {b.began_ns - a.began_ns for a, b in pairwise(shown)}
    assert steps <= {FRAME_NS, FRAME_NS + 1}, "the house clock's own pace"


def test_live_fades_in_over_the_first_still(rig: Rig) -> None:
    weights = [one.live_weight for one in rig.opening]
    assert weights[-11:] == pytest.approx([0.0, *np.arange(1, 11) / 10])
    assert {frame for frame in frames(rig.opening) if frame is not None} == {0}
    assert [layer.source for layer in rig.opening[0].shots[0].layers] == ["slate"]
    assert {one.live_weight for one in rig.run(12)} == {1.0}, "frame 0 is whole on tick 0"


def test_pictures_are_uploaded_once_and_stills_only_while_seen(rig: Rig) -> None:
    rig.run(60)
    assert Counter(rig.wall.uploads) == {"live 0": 59}, "stills and frame 0 came in the preroll"


def test_a_stall_of_three_and_a_half_frames_costs_just_those(rig: Rig) -> None:
    # Drawing begins half a frame early, so frame 20 is shown 3.4 frames after it was due,
    # in the time of frame 23: that is next, 0.4 frames late, and 21 and 22 are never shown.
    rig.wall.costs_ns[20] = int(3.9 * FRAME_NS)
    shown = rig.run(60)
    assert frames(shown) == [n for n in range(60) if n not in (21, 22)]
    assert rig.counts() == (58, 1, 0, 2)
    assert shown[21].began_ns == shown[20].presented_ns, "the clock waits for nobody"
    assert shown[22].began_ns - shown[19].began_ns == pytest.approx(5 * FRAME_NS, abs=2)


@pytest.mark.parametrize(
    ("cost", "late", "dropped"),
    [(0.99, 0, 0), (1.01, 1, 0), (1.45, 1, 0), (2.15, 2, 0), (2.45, 2, 0), (2.55, 1, 1)],
)
def test_half_a_frame_is_late_and_a_whole_one_dropped(
    rig: Rig, cost: float, late: int, dropped: int
) -> None:
    rig.wall.costs_ns[20] = int(cost * FRAME_NS)
    rig.run(60)
    assert rig.counts() == (60 - dropped, late, 0, dropped)


@pytest.mark.parametrize("stalled", [8, 9, 10, 11])
def test_a_stall_at_the_end_drops_only_what_was_asked_for(rig: Rig, stalled: int) -> None:
    rig.wall.costs_ns[stalled] = 20 * FRAME_NS
    rig.run(12)
    assert rig.counts() == (stalled + 1, 1, 0, 12 - stalled - 1)


@settings(max_examples=60, deadline=None)
@given(
    costs=st.dictionaries(st.integers(0, 60), st.floats(0, 9), max_size=15),
    ticks=st.integers(1, 60),
)
def test_the_due_frame_is_shown_whatever_time_drawing_takes(
    show: Show, costs: dict[int, float], ticks: int
) -> None:
    rig = Rig(show, FakeSource(SCREENS, delay_ticks=0))
    rig.preroll()
    start_ns = rig.clock.now_ns() + int(Fraction(1, 2) * 1_000_000_000 / 30)
    # never exactly half a frame late, where a nanosecond of rounding decides
    rig.wall.costs_ns = {number: int(cost * FRAME_NS) + 500 for number, cost in costs.items()}
    shown = rig.run(ticks)
    presented, late, repeated, dropped = rig.counts()
    assert presented == len(shown) and presented + dropped == ticks
    assert repeated == 0
    asked = [frame for frame, _ in rig.engine.asked]
    assert len(set(asked)) == len(asked), "nothing is asked for twice"
    too_late, tick = 0, 0
    for one in shown:
        assert one.live_frame == tick
        assert one.began_ns >= start_ns + frame_to_ns(tick, Fraction(30)) - FRAME_NS // 2 - 1
        late_ns = one.presented_ns - start_ns - frame_to_ns(tick, Fraction(30))
        too_late += 2 * late_ns * 30 > 1_000_000_000
        tick = max(tick + 1, (one.presented_ns - start_ns) * 30 // 1_000_000_000)
    assert late == too_late


def test_a_late_engine_is_repeated_and_never_waited_for(rig: Rig) -> None:
    rig.run(20)
    rig.engine.never = {30, 31, 45}
    shown = rig.run(40)
    assert frames(shown) == [{30: 29, 31: 29, 45: 44}.get(n, n) for n in range(20, 60)]
    assert rig.counts() == (60, 0, 3, 0)


def test_an_engine_behind_by_two_frames_repeats_on_every_tick(show: Show) -> None:
    rig = Rig(show, FakeSource(SCREENS, delay_ticks=LOOKAHEAD_FRAMES + 2))
    rig.preroll()
    shown = rig.run(30)
    settled = LOOKAHEAD_FRAMES + 2
    assert frames(shown[settled:]) == [n - 2 for n in range(settled, 30)]
    presented, late, repeated, dropped = rig.counts()
    assert (presented, late, dropped) == (30, 0, 0)
    assert repeated == sum(one.live_frame != n for n, one in enumerate(shown))


def test_an_engine_as_slow_as_the_lookahead_allows_is_in_time(show: Show) -> None:
    rig = Rig(show, FakeSource(SCREENS, delay_ticks=LOOKAHEAD_FRAMES))
    rig.preroll()
    rig.run(50)
    assert rig.counts() == (50, 0, 0, 0)


# ---- the way to the stills and back


def test_a_dead_engine_gives_way_to_the_stills_and_returns(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.run(50)
    caplog.set_level(logging.INFO)
    rig.wall.at_poll = {50: rig.engine.vanish, 100: rig.engine.come_back}
    gone = rig.run(50)
    made = LOOKAHEAD_FRAMES - 1  # so many frames from 50 on had been made, one was under way
    still_at = made + HOLD_FRAMES
    seen = [one.live_weight for one in gone]
    newest = 50 + made - 1
    assert frames(gone)[:still_at] == [*range(50, newest), *[newest] * (1 + HOLD_FRAMES)]
    assert seen[:still_at] == [1.0] * still_at
    assert seen[still_at : still_at + FADE_TICKS] == pytest.approx(
        [0.1 * n for n in range(9, -1, -1)]
    )
    assert all(len(shot.layers) == 1 for shot in gone[-1].shots), "the stills alone"
    # older pictures were seen from the first missing frame on, up to the fade's last tick
    assert rig.counts() == (100, 0, HOLD_FRAMES + FADE_TICKS - 1, 0)
    assert rig.by_source() == {"live": 50 + still_at, "slate": 50 - still_at}

    back = rig.run(60)
    lit = next(n for n, one in enumerate(back) if one.live_weight)
    assert lit >= RETURN_TICKS - 1
    assert [one.live_weight for one in back[lit:]] == pytest.approx(
        [min(n, FADE_TICKS) / FADE_TICKS for n in range(1, 61 - lit)]
    )
    assert frames(back[lit:]) == list(range(100 + lit, 160))
    told = [record.getMessage() for record in caplog.records]
    assert told == [
        "The screens show the paintings as stills. The worker was ended by SIGKILL.",
        "The screens show live pictures.",
    ]


def test_stills_are_the_paintings_of_the_frame_that_is_due(rig: Rig, show: Show) -> None:
    rig.engine.vanish()
    rig.run(400)
    still = rig.slates.pictures_for([(f"ballad-{n}", 1) for n in (1, 2, 3)])
    assert rig.wall.shown[-1].shots[0].layers[0].picture == still.picture_of_screen[0]
    assert (rig.wall._pixels["slate"] == still.pixels).all()


def test_an_engine_that_hangs_gives_way_when_it_is_too_late(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.run(20)
    rig.engine.delay_ticks = 1_000_000
    shown = rig.run(60)
    held = [n for n, one in enumerate(shown) if one.live_weight == 1.0]
    assert len(held) == LOOKAHEAD_FRAMES - 1 + LATE_FRAMES + 1
    assert caplog.messages == [
        f"The screens show the paintings as stills. The engine is {LATE_FRAMES + 1} frames late."
    ]


def test_live_comes_when_the_engine_does(show: Show, caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig(show, FakeSource(SCREENS, state="failed"))
    rig.engine.state, rig.engine.detail = "starting", "The engine is being loaded."
    rig.engine.delay_ticks = 1_000_000
    assert rig.preroll() >= LIMIT_NS // FRAME_NS
    shown = rig.run(30)
    assert {one.live_weight for one in shown} == {0.0}
    assert caplog.messages == [], "the screens show what they showed before"
    assert "start_to_live_s" not in rig.report.as_dict()
    rig.engine.delay_ticks = 1
    rig.engine.come_back()
    shown = rig.run(40)
    lit = next(n for n, one in enumerate(shown) if one.live_weight)
    assert shown[lit].live_weight == pytest.approx(0.1) and lit >= RETURN_TICKS - 1
    assert rig.counts() == (70, 0, 0, 0)
    assert isinstance(rig.report.as_dict()["start_to_live_s"], float)


def test_without_an_engine_the_stills_play(show: Show) -> None:
    rig = Rig(show, live=None)
    assert rig.preroll(limit_ns=None) == 1, "there is nothing to wait for"
    rig.run(30)
    assert rig.counts() == (30, 0, 0, 0) and rig.by_source() == {"slate": 30}
    rig.say("/status")
    rig.run(1)
    assert "source slate; engine off" in rig.answers[-1][2]


# ---- the preroll


def test_the_preroll_counts_no_frame(show: Show) -> None:
    rig = Rig(show)
    assert rig.preroll() == 11, "the first frame takes ten to fade in"
    assert rig.counts() == (0, 0, 0, 0)
    told = rig.report.as_dict()
    assert told["start_to_first_picture_s"] is not None


def test_the_preroll_waits_for_the_first_frame(show: Show) -> None:
    rig = Rig(show, FakeSource(SCREENS, delay_ticks=39))
    assert rig.preroll() == 39 + FADE_TICKS
    assert {one.live_weight for one in rig.opening[:39]} == {0.0}
    assert frames(rig.run(3)) == [0, 1, 2]


@pytest.mark.parametrize("end", ["failed", "closed", "stopped"])
def test_what_ends_the_preroll(show: Show, end: str) -> None:
    rig = Rig(show, FakeSource(SCREENS, delay_ticks=1_000_000))
    rig.slates.start()
    if end == "failed":
        rig.wall.at_poll[3] = rig.engine.vanish
    if end == "closed":
        rig.wall.at_poll[3] = rig.wall.close
    ticks = rig.preroll(stop=end == "stopped", limit_ns=None)
    assert ticks == {"failed": 4, "closed": 3, "stopped": 0}[end]
    if end == "failed":
        assert rig.engine.ticks == 3, "its fault stays to be read"
    if end == "closed":
        assert rig.run(5) == []


def test_commands_are_obeyed_in_the_preroll(show: Show) -> None:
    rig = Rig(show, FakeSource(SCREENS, delay_ticks=39))
    rig.wall.at_poll = {
        5: lambda: rig.say("/blackout", 1),
        10: lambda: rig.say("/ballad", 2),
        11: lambda: rig.say("/pause"),
    }
    assert rig.preroll() == 39 + FADE_TICKS
    gains = [one.shots[0].gain for one in rig.opening]
    assert gains[5:22] == pytest.approx([1 - n / 15 for n in range(16)] + [0])
    assert [answer[1] for answer in rig.answers] == ["ok"] * 3
    rig.engine.delay_ticks = 1
    rig.run(10)
    assert rig.counts() == (1, 0, 0, 0), "paused, on frame 0"
    rig.say("/play")
    rig.run(20)
    assert rig.counts()[0] == 20, "frame 0 was counted already"
    cues = tuple((old, Cue("ballad-2", 0, 150)) for (old,) in opening_cues(show))
    for frame, latents in dict(rig.engine.asked).items():
        for screen in range(SCREENS):
            assert (latents[screen] == latents_at(show, cues, screen, frame)).all()


# ---- what is asked of the engine


def test_each_frame_is_asked_for_once_and_ahead(rig: Rig, show: Show) -> None:
    asked_at: list[int] = []
    rig.wall.at_poll = {n: lambda: asked_at.append(rig.engine.asked[-1][0]) for n in range(1, 51)}
    rig.run(51)
    assert [frame for frame, _ in rig.engine.asked] == list(range(51 + LOOKAHEAD_FRAMES))
    assert asked_at == [n + LOOKAHEAD_FRAMES for n in range(50)]
    cues = opening_cues(show)
    for frame, latents in rig.engine.asked:
        for screen in range(SCREENS):
            assert (latents[screen] == latents_at(show, cues, screen, frame)).all()


def test_what_has_passed_is_not_asked_for(rig: Rig) -> None:
    rig.wall.costs_ns[20] = int(30.55 * FRAME_NS)
    rig.run(60)
    asked = [frame for frame, _ in rig.engine.asked]
    assert asked == [*range(21 + LOOKAHEAD_FRAMES), *range(50, 60 + LOOKAHEAD_FRAMES)]


def test_a_change_of_ballad_shows_on_the_next_frame(rig: Rig, show: Show) -> None:
    rig.wall.at_poll[30] = lambda: rig.say("/ballad", "Ballad number 4")
    rig.run(250)
    start, end = 30, 250 + LOOKAHEAD_FRAMES
    cues = tuple((old, Cue("ballad-4", start, 150)) for (old,) in opening_cues(show))
    by_frame = dict(rig.engine.asked)
    assert sorted(by_frame) == list(range(end))
    again = [frame for frame, times in Counter(n for n, _ in rig.engine.asked).items() if times > 1]
    assert again == list(range(31, 30 + LOOKAHEAD_FRAMES)), "what was asked for and has changed"
    for screen in range(SCREENS):
        for frame, latents in by_frame.items():
            assert (latents[screen] == latents_at(show, cues, screen, frame)).all()
        before = latents_at(show, opening_cues(show), screen, start + 1)
        assert (by_frame[start + 1][screen] != before).any()
    for frame in range(start + 150, end):
        assert len({ws.tobytes() for ws in by_frame[frame]}) == 1, "in unison"
    first = show.latents["ballad-4"].ws[0, 0]
    assert (by_frame[start + 150][0] == first).all(), "on its first painting"
    assert rig.counts() == (250, 0, 0, 0)


def test_a_change_that_shows_later_is_not_asked_for_early(show: Show) -> None:
    old = opening_cues(show)
    later = tuple((*cues, Cue("ballad-4", 40, 150)) for cues in old)
    cut = tuple((*cues, Cue("ballad-4", 40, 0)) for cues in old)
    assert [begun_cues(later, n) == old for n in (39, 40, 41)] == [True, True, False]
    assert [begun_cues(cut, n) == old for n in (39, 40)] == [True, False]


@pytest.mark.parametrize(("hz", "early_ns"), [(None, 0), (240, 4_166_666), (60, FRAME_NS // 2)])
def test_a_frame_is_shown_when_it_is_due_or_a_refresh_before(
    rig: Rig, hz: int | None, early_ns: int
) -> None:
    rig.wall.hz = None if hz is None else Fraction(hz)
    rig.wall.costs_ns[20] = FRAME_NS // 5
    shown = rig.run(40)
    due_ns = rig.clock.now_ns() + early_ns - frame_to_ns(39, Fraction(30))
    for frame, one in enumerate(shown):
        early = early_ns if frame != 20 else min(early_ns, FRAME_NS // 2 - FRAME_NS // 5)
        due = due_ns + frame_to_ns(frame, Fraction(30))
        assert one.presented_ns == pytest.approx(due - early, abs=4)


# ---- a clock shared with others


def test_ticks_are_those_of_the_house(show: Show) -> None:
    rig = Rig(show, origin_ns=5_000_000_000)  # the rig's clock begins at 7 s
    rig.preroll()
    begun = rig.clock.now_ns() - 5_000_000_000
    rig.run(30)
    assert rig.loop._tick == pytest.approx(begun * 30 / 1e9 + 30, abs=2)
    assert rig.counts() == (30, 0, 0, 0)


@pytest.mark.parametrize("seconds", [-3600, -5, 5, 3600])
def test_a_house_clock_that_is_set_takes_the_show_along(
    show: Show, seconds: int, caplog: pytest.LogCaptureFixture
) -> None:
    rig = Rig(show, origin_ns=-7200 * 1_000_000_000)

    def step() -> None:
        rig.clock._now_ns += seconds * 1_000_000_000

    rig.preroll()
    rig.wall.at_poll[20] = step
    before_ns = rig.clock.now_ns()
    shown = rig.run(60) if seconds < 0 else rig.run(60 + 30 * seconds)
    assert 59 <= len(shown) <= 62, "it neither waits for the old time nor runs after it"
    passed_ns = rig.clock.now_ns() - before_ns - seconds * 1_000_000_000
    assert passed_ns == pytest.approx(2_000_000_000, abs=3 * FRAME_NS)
    assert rig.counts()[3] == 0, "what was jumped over was not dropped"
    assert len(caplog.messages) == 1
    assert ("set back" if seconds < 0 else "further on") in caplog.messages[0]
    assert {one.live_weight for one in shown} == {1.0}, "no still flashes up in between"


# ---- what it costs


def test_every_stage_of_a_tick_is_in_the_report(rig: Rig) -> None:
    rig.wall.costs_ns[20] = 5_000_000
    rig.run(60)
    stages = rig.report.as_dict()["stages_ms"]
    assert isinstance(stages, dict)
    assert set(stages) == {"wait", "ask", "fetch", "upload", "draw", "hold", "swap"}
    assert stages["draw"]["max"] == pytest.approx(5.0), "the preroll's are forgotten"
    assert stages["wait"]["p50"] == pytest.approx(1000 / 30 / 2, abs=0.05)
    assert stages["hold"]["p50"] == pytest.approx(1000 / 30 / 2, abs=0.05)


def test_memory_does_not_grow_while_it_plays(rig: Rig) -> None:
    def forget() -> None:
        rig.wall.shown.clear()
        rig.wall.uploads.clear()
        rig.engine.asked.clear()
        rig.engine._ready_at.clear()
        gc.collect()

    rig.run(2000)  # a whole cycle and more: every painting has been on
    forget()
    tracemalloc.start()
    rig.run(100)
    forget()
    before = tracemalloc.get_traced_memory()[0]
    rig.run(2000)
    forget()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 20_000, f"{grown} bytes in 2000 frames"


def test_garbage_is_collected_in_the_waits_only(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    collected_ns: list[int] = []
    monkeypatch.setattr(gc, "collect", lambda _: collected_ns.append(rig.clock.now_ns()))
    rig.wall.costs_ns = dict.fromkeys(range(100, 1000), int(0.99 * FRAME_NS))
    shown = rig.run(1000)
    assert 1 <= len(collected_ns) <= 2, "where there is no time for it, it is left"
    for one_ns in collected_ns:
        assert not any(one.began_ns <= one_ns < one.presented_ns for one in shown)


# ---- the end


def test_a_closed_window_ends_it(rig: Rig) -> None:
    rig.wall.at_poll[10] = rig.wall.close
    assert len(rig.run(100)) == 10


def test_a_stop_is_noticed_within_50_ms_even_in_a_slow_show(show: Show) -> None:
    slow = replace(show, settings=show.settings.model_copy(update={"fps": Fraction(1)}))
    rig = Rig(slow)
    rig.preroll()
    asked_ns: list[int] = []

    def stop() -> bool:
        asked_ns.append(rig.clock.now_ns())
        return len(asked_ns) == 200

    rig.loop.run(stop=stop)
    assert len(asked_ns) == 200
    assert max(b - a for a, b in pairwise(asked_ns)) <= LONGEST_WAIT_NS
    assert rig.counts()[0] == len(rig.wall.shown) < 12
