"""Commands on the transport, frame by frame; no clock."""

from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from player.commands import (
    Blackout,
    Command,
    CommandError,
    EachOwn,
    Identify,
    NextBallad,
    Pause,
    Play,
    PreviousBallad,
    QueryStatus,
    SetBallad,
    SetScreenBallad,
    ShowCard,
)
from player.transport import (
    BLACKOUT_TICKS,
    Transport,
    apply_command,
    blackout_gain,
    describe,
    frame_at,
    opening_transport,
)
from shows.schema import ShowError
from shows.show import Show
from shows.timeline import MAX_CUES, Cue, latents_at
from tests.tiny_show import make_tiny_show

SCREENS = 3
LOOKAHEAD = 4


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Show:
    folder: Path = tmp_path_factory.mktemp("show")
    return make_tiny_show(folder, screens=SCREENS, ballads=4, paintings=2)


def newest(t: Transport) -> list[str]:
    return [screen_cues[-1].ballad_id for screen_cues in t.cues]


def obey(show: Show, t: Transport, command: Command, tick: int) -> Transport:
    return apply_command(show, t, command, tick, frame_at(t, tick) + LOOKAHEAD)


def shown(show: Show, t: Transport, screen: int, frame: int) -> np.ndarray:
    return latents_at(show, t.cues, screen, frame)


def test_the_opening_plays_every_screens_own_ballad_in_full_light(show: Show) -> None:
    t = opening_transport(show, tick=1000, frame=20)
    assert [frame_at(t, tick) for tick in (1000, 1001, 2000)] == [20, 21, 1020]
    assert newest(t) == ["ballad-1", "ballad-2", "ballad-3"]
    assert blackout_gain(t, 1000) == 1.0
    with pytest.raises(FrozenInstanceError):
        t.rate = 0  # type: ignore[misc]


def test_pause_holds_the_frame_and_play_runs_on_from_it(show: Show) -> None:
    t = opening_transport(show)
    paused = obey(show, t, Pause(), 100)
    assert [frame_at(paused, tick) for tick in (100, 101, 5000)] == [100] * 3
    assert obey(show, paused, Pause(), 300) is paused
    playing = obey(show, paused, Play(), 5000)
    assert [frame_at(playing, tick) for tick in (5000, 5001)] == [100, 101]
    assert obey(show, playing, Play(), 6000) is playing


def test_whole_numbers_hold_after_years(show: Show) -> None:
    t = opening_transport(show)
    tick = 30 * 3600 * 24 * 365 * 100
    assert frame_at(obey(show, t, Pause(), tick), tick + 7) == tick


def test_unison_is_the_same_picture_on_all_screens_once_the_morph_is_through(show: Show) -> None:
    t = obey(show, opening_transport(show), SetBallad("ballad-4"), 100)
    start, end = 104, 104 + 150
    assert t.cues[0][-1] == Cue("ballad-4", start, 150)
    before = [shown(show, t, screen, start) for screen in range(SCREENS)]
    old = opening_transport(show)
    for screen in range(SCREENS):
        np.testing.assert_array_equal(before[screen], shown(show, old, screen, start))
    assert not np.array_equal(before[0], before[1])
    first_painting = show.latents["ballad-4"].ws[0].repeat(4, axis=0)
    for screen in range(SCREENS):
        np.testing.assert_array_equal(shown(show, t, screen, end), first_painting)
        np.testing.assert_array_equal(
            shown(show, t, screen, end + 777), shown(show, t, 0, end + 777)
        )


def test_one_screen_changes_alone(show: Show) -> None:
    t = opening_transport(show)
    changed = obey(show, t, SetScreenBallad(1, "ballad-4"), 10)
    assert newest(changed) == ["ballad-1", "ballad-4", "ballad-3"]
    assert (changed.cues[0], changed.cues[2]) == (t.cues[0], t.cues[2])


def test_each_own_comes_back_to_the_shows_layout(show: Show) -> None:
    t = obey(show, opening_transport(show), SetBallad("ballad-4"), 10)
    t = obey(show, t, EachOwn(), 500)
    assert newest(t) == ["ballad-1", "ballad-2", "ballad-3"]


def test_next_and_previous_step_every_screen_and_wrap(show: Show) -> None:
    t = opening_transport(show)
    assert newest(obey(show, t, PreviousBallad(), 10)) == ["ballad-4", "ballad-1", "ballad-2"]
    once = obey(show, t, NextBallad(), 10)
    assert newest(once) == ["ballad-2", "ballad-3", "ballad-4"]
    assert newest(obey(show, once, NextBallad(), 400)) == ["ballad-3", "ballad-4", "ballad-1"]


def test_presses_before_the_next_picture_add_up_to_one_morph(show: Show) -> None:
    t = opening_transport(show)
    for _ in range(2):
        t = obey(show, t, NextBallad(), 10)
    assert t.cues[0] == (Cue("ballad-1", 0, 0), Cue("ballad-3", 14, 150))


def test_in_a_pause_a_change_waits_for_play(show: Show) -> None:
    t = obey(show, opening_transport(show), Pause(), 100)
    for tick in (200, 300, 400):
        t = apply_command(show, t, NextBallad(), tick, 104)
    assert t.cues[0] == (Cue("ballad-1", 0, 0), Cue("ballad-4", 104, 150))
    assert frame_at(t, 500) == 100
    t = obey(show, t, Play(), 500)
    assert frame_at(t, 500 + 4 + 150) == 254
    np.testing.assert_array_equal(
        shown(show, t, 0, 254), show.latents["ballad-4"].ws[0].repeat(4, axis=0)
    )


def test_a_change_begins_on_the_ticks_own_frame_unless_told_otherwise(show: Show) -> None:
    t = opening_transport(show)
    assert apply_command(show, t, SetBallad("ballad-2"), 100).cues[0][-1].start_frame == 100
    assert apply_command(show, t, SetBallad("ballad-2"), 100, 99).cues[0][-1].start_frame == 99
    now = shown(show, t, 0, 100)
    np.testing.assert_array_equal(
        shown(show, apply_command(show, t, SetBallad("ballad-2"), 100), 0, 100), now
    )


def test_cards_come_and_go_and_change_no_picture(show: Show) -> None:
    t = opening_transport(show)
    both = obey(show, obey(show, t, Identify((1, 2), True), 5), ShowCard(True), 5)
    assert (both.identified, both.card, both.cues) == (frozenset({1, 2}), True, t.cues)
    assert obey(show, t, Identify(None, True), 5).identified == {0, 1, 2}
    assert obey(show, both, Identify((2,), False), 6).identified == {1}
    with pytest.raises(CommandError, match="there is no screen 4"):
        obey(show, t, Identify((3,), True), 5)


def test_what_does_not_exist_is_refused(show: Show) -> None:
    t = opening_transport(show)
    for screen in (-1, SCREENS):
        with pytest.raises(CommandError, match="the screens are 1 to 3"):
            obey(show, t, SetScreenBallad(screen, "ballad-1"), 0)
    for command in (SetBallad("macbeth"), SetScreenBallad(0, "macbeth")):
        with pytest.raises(ShowError, match="macbeth"):
            obey(show, t, command, 0)


def test_blackout_is_a_ramp_of_fifteen_ticks(show: Show) -> None:
    t = obey(show, opening_transport(show), Blackout(on=True), 100)
    assert [blackout_gain(t, tick) for tick in (99, 100, 103, 115, 9999)] == [1, 1, 0.8, 0, 0]
    assert obey(show, t, Blackout(on=True), 105) is t
    back = obey(show, t, Blackout(on=False), 200)
    assert [blackout_gain(back, tick) for tick in (200, 203, 215, 300)] == [0, 0.2, 1, 1]


@given(presses=st.lists(st.integers(0, 20), max_size=12))
def test_the_light_never_jumps_however_the_button_is_pressed(presses: list[int]) -> None:
    t = Transport(0, 0, 1, (), False, -BLACKOUT_TICKS)
    tick, light = 0, 1.0
    for number, pause_ticks in enumerate(presses):
        for _ in range(pause_ticks):
            tick += 1
            assert abs(blackout_gain(t, tick) - light) <= 1 / BLACKOUT_TICKS + 1e-12
            light = blackout_gain(t, tick)
        on = number % 2 == 0
        t = apply_command(NO_SHOW, t, Blackout(on=on), tick, 0)
        assert blackout_gain(t, tick) == pytest.approx(light, abs=1e-12)
    target = 0.0 if t.blackout else 1.0
    assert blackout_gain(t, tick + BLACKOUT_TICKS) == target


# Blackout and rate do not look at the show.
NO_SHOW: Show = None  # type: ignore[assignment]

COMMANDS: st.SearchStrategy[Command] = st.one_of(
    st.sampled_from([EachOwn(), NextBallad(), PreviousBallad(), Play(), Pause(), QueryStatus()]),
    st.builds(Blackout, st.booleans()),
    st.builds(SetBallad, st.sampled_from(["ballad-1", "ballad-2", "ballad-4"])),
    st.builds(
        SetScreenBallad, st.integers(0, SCREENS - 1), st.sampled_from(["ballad-2", "ballad-3"])
    ),
)


@settings(max_examples=40, deadline=None)
@given(steps=st.lists(st.tuples(st.integers(0, 90), COMMANDS), max_size=14))
def test_no_command_moves_the_frame_or_changes_a_picture_already_asked_for(
    show: Show, steps: list[tuple[int, Command]]
) -> None:
    t, tick, first_free = opening_transport(show), 0, 0
    for wait_ticks, command in steps:
        tick += wait_ticks
        frame = frame_at(t, tick)
        first_free = max(first_free, frame + LOOKAHEAD)
        after = apply_command(show, t, command, tick, first_free)
        assert frame_at(after, tick) == frame
        assert blackout_gain(after, tick) == pytest.approx(blackout_gain(t, tick))
        for screen in range(SCREENS):
            assert 1 <= len(after.cues[screen]) <= MAX_CUES
            np.testing.assert_array_equal(
                shown(show, after, screen, first_free), shown(show, t, screen, first_free)
            )
        t = after
    wanted = newest(t)
    t = obey(show, t, Play(), tick)
    far = tick + 10_000
    assert [line.split()[1] for line in describe(show, t, far).split("; ")[1:]] == wanted


def test_a_ninth_command_in_one_morph_is_obeyed_without_a_jump(show: Show) -> None:
    t = opening_transport(show)
    for number in range(12):
        before = t
        wanted = f"ballad-{number % 4 + 1}"
        t = obey(show, t, SetBallad(wanted), 10 * number)
        frame = 10 * number + LOOKAHEAD
        np.testing.assert_array_equal(shown(show, t, 0, frame), shown(show, before, 0, frame))
        assert len(t.cues[0]) <= MAX_CUES
    assert newest(t) == ["ballad-4"] * 3
    np.testing.assert_array_equal(shown(show, t, 0, 2000), shown(show, t, 2, 2000))


def test_the_description_says_what_is_on(show: Show) -> None:
    t = opening_transport(show)
    assert describe(show, t, 400) == (
        "playing, frame 400; 1 ballad-1 painting 2; 2 ballad-2 painting 2; 3 ballad-3 painting 2"
    )
    t = obey(show, obey(show, t, Pause(), 400), Blackout(on=True), 400)
    t = obey(show, t, SetScreenBallad(2, "ballad-4"), 400)
    assert describe(show, t, 900) == (
        "paused, frame 400, blackout; 1 ballad-1 painting 2; 2 ballad-2 painting 2; "
        "3 ballad-3 painting 2, soon ballad-4"
    )
    assert obey(show, t, QueryStatus(), 900) is t
    assert replace(t) == t
