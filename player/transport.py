"""What is on: one small frozen value, and what a command makes of it. Pure; no clock, no history.

A tick is a frame of the house clock; the frame is what is shown on it:
`frame = anchor_frame + (tick - anchor_tick) * rate`. Both are whole numbers.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal, assert_never

from player import commands
from player.commands import CommandError, SourceName, TransportCommand
from player.cue_changes import (
    Change,
    canon,
    each_own,
    held,
    released,
    sought,
    stepped_ballads,
    stepped_lines,
    unison,
    with_changes,
)
from player.levels import BY_TICK, LevelName, Levels, level_at, moved, returned
from shows.show import Show
from shows.timeline import AS_WRITTEN, Cues, Tuning, opening_cues, position_at

BLACKOUT_TICKS = 15


@dataclass(frozen=True)
class Transport:
    """The whole state of playing.

    anchor_tick, anchor_frame: the tick on which the rate last changed, and its frame.
    rate: 1 playing, 0 paused. cues: per screen, oldest first. blackout_tick: the tick from which
    the fade of the last change of `blackout` counts, blackout_ticks long; it lies before that
    change where the change came in the middle of a fade, so that the light never jumps.
    identified: the screens (from 0) that show their identify card. card: all show the calibration
    card. source: what the screens are to show. levels: what an operator has moved.
    """

    anchor_tick: int
    anchor_frame: int
    rate: Literal[0, 1]
    cues: Cues
    blackout: bool
    blackout_tick: int
    identified: frozenset[int] = frozenset()
    card: bool = False
    blackout_ticks: int = BLACKOUT_TICKS
    source: SourceName = "auto"
    levels: Levels = ()


def opening_transport(show: Show, *, tick: int = 0, frame: int = 0) -> Transport:
    """The show as its file opens it: playing, at `frame` on `tick`, no blackout."""
    return Transport(tick, frame, 1, opening_cues(show), False, tick - BLACKOUT_TICKS)


def frame_at(t: Transport, tick: int) -> int:
    """The show frame that belongs to a tick."""
    return t.anchor_frame + (tick - t.anchor_tick) * t.rate


def blackout_gain(t: Transport, tick: int) -> float:
    """Light of the screens at a tick: 1 full, 0 black; a straight ramp between."""
    lit = min(max(tick - t.blackout_tick, 0), t.blackout_ticks) / t.blackout_ticks
    return 1.0 - lit if t.blackout else lit


def light_at(t: Transport, tick: int) -> float:
    """What an operator leaves of the screens' light: blackout and brightness."""
    brightness = level_at(t.levels, "brightness", tick)
    return blackout_gain(t, tick) * (1.0 if brightness is None else brightness)


def tuning_at(show: Show, t: Transport, frame: int) -> Tuning:
    """What an operator has made of the motion, on a frame; AS_WRITTEN where it is the show's."""
    if not t.levels:
        return AS_WRITTEN
    own = own_levels(show)
    gain, psi, smoothness = (
        level_at(t.levels, name, frame) for name in ("loop_gain", "truncation_psi", "smoothness")
    )
    return Tuning(
        1.0 if gain is None else gain,
        None if psi == own["truncation_psi"] else psi,
        None if smoothness == own["smoothness"] else smoothness,
    )


def own_levels(show: Show) -> dict[LevelName, float]:
    """Where each level is until somebody moves it."""
    return {
        "brightness": 1.0,
        "loop_gain": 1.0,
        "truncation_psi": show.settings.truncation_psi,
        "smoothness": float(show.settings.path == "smooth"),
    }


def apply_command(
    show: Show,
    t: Transport,
    command: TransportCommand,
    tick: int,
    start_frame: int | None = None,
) -> Transport:
    """What the transport is once a command is obeyed on `tick`. No frame and no light jumps.

    start_frame: where a change of ballad begins, None: on the tick's own frame. That frame is still
    as before, the next one is the first to differ, and it takes `ballad_change_frames`: frames, so
    in a pause it waits for `Play`. Raises CommandError for a screen or a painting that does not
    exist, ShowError for a ballad that does not.
    """
    start = frame_at(t, tick) if start_frame is None else start_frame
    match command:
        case commands.SetBallad(ballad_id):
            return _changed(show, t, dict.fromkeys(_all(t), Change(ballad_id, 0)), start)
        case commands.SetScreenBallad(screen, ballad_id):
            return _changed(show, t, {_known(t, screen): Change(ballad_id, None)}, start)
        case commands.SetGroupBallad(screens, ballad_id):
            return _changed(show, t, dict.fromkeys(_these(t, screens), Change(ballad_id, 0)), start)
        case commands.EachOwn():
            return _changed(show, t, each_own(show), start)
        case commands.NextBallad(screens):
            return _changed(show, t, stepped_ballads(show, t.cues, _these(t, screens), 1), start)
        case commands.PreviousBallad(screens):
            return _changed(show, t, stepped_ballads(show, t.cues, _these(t, screens), -1), start)
        case commands.Unison():
            return _changed(show, t, unison(show, t.cues, start), start)
        case commands.Canon(offset_frames):
            return _changed(show, t, canon(t.cues, offset_frames), start)
        case commands.Seek(ballad_frame, screens):
            wanted = sought(show, t.cues, _these(t, screens), lambda ballad: ballad_frame)
            return _changed(show, t, wanted, start)
        case commands.GoToLine(line):
            return _changed(show, t, sought(show, t.cues, _all(t), _line_frame(show, line)), start)
        case commands.StepLine(step):
            return _changed(show, t, stepped_lines(show, t.cues, start, step), start)
        case commands.HoldLine(on):
            return replace(t, cues=held(show, t.cues, start) if on else released(t.cues, start))
        case commands.SetLevel(name, value):
            now = tick if name == BY_TICK else start
            return replace(t, levels=moved(t.levels, name, own_levels(show)[name], value, now))
        case commands.SetSource(source):
            return replace(t, source=source)
        case commands.Standby():
            return replace(_with_rate(t, tick, 0), source="slate")
        case commands.Go():
            return replace(_with_rate(t, tick, 1), source="auto")
        case commands.Safe():
            return _safe(show, t, tick, start)
        case commands.Play():
            return _with_rate(t, tick, 1)
        case commands.Pause():
            return _with_rate(t, tick, 0)
        case commands.Blackout(on, fade_ticks):
            return _with_blackout(t, tick, on, fade_ticks)
        case commands.Identify(screens, on):
            named = frozenset(_these(t, screens))
            return replace(t, identified=t.identified | named if on else t.identified - named)
        case commands.ShowCard(on):
            return replace(t, card=on)
        case commands.QueryStatus():
            return t
        case _:
            assert_never(command)


def describe(show: Show, t: Transport, tick: int) -> str:
    """One line for the operator: playing or not, and what each screen (from 1) shows."""
    frame = frame_at(t, tick)
    parts = [f"{'playing' if t.rate else 'paused'}, frame {frame}"]
    if t.blackout:
        parts[0] += ", blackout"
    if t.source != "auto":
        parts[0] += f", source {t.source} asked for"
    parts[0] += "".join(f", {words}" for words in _moved_levels(show, t, tick, frame))
    for number, screen_cues in enumerate(t.cues, start=1):
        newest = screen_cues[-1]
        position = position_at(show, screen_cues, frame)
        part = f"{number} {position.ballad_id} painting {position.painting_index + 1}"
        if newest.hold is not None and newest.hold.end_frame is None:
            part += ", held"
        if newest.start_frame > frame:
            part += f", soon {newest.ballad_id}"
        parts.append(part)
    return "; ".join(parts)


def _moved_levels(show: Show, t: Transport, tick: int, frame: int) -> Iterable[str]:
    brightness = level_at(t.levels, "brightness", tick)
    if brightness not in (None, 1):
        yield f"brightness {brightness:.2g}"
    tuning = tuning_at(show, t, frame)
    if tuning.loop_gain != 1:
        yield f"loops at {tuning.loop_gain:.2g} of the show's strength"
    if tuning.truncation_psi is not None:
        yield f"truncation {tuning.truncation_psi:.2g}"
    if tuning.smoothness is not None:
        yield "path " + ("smooth" if tuning.smoothness > 0.5 else "linear")


def _all(t: Transport) -> tuple[int, ...]:
    return tuple(range(len(t.cues)))


def _known(t: Transport, screen: int) -> int:
    if not 0 <= screen < len(t.cues):
        raise CommandError(f"there is no screen {screen + 1}: the screens are 1 to {len(t.cues)}")
    return screen


def _these(t: Transport, screens: tuple[int, ...] | None) -> tuple[int, ...]:
    return _all(t) if screens is None else tuple(_known(t, screen) for screen in screens)


def _line_frame(show: Show, line: int) -> Callable[[str], int]:
    """Of a painting (from 0) in a ballad. Raises CommandError where there is none."""

    def frame(ballad_id: str) -> int:
        ballad = show.ballad(ballad_id)
        if not 0 <= line < len(ballad.paintings):
            raise CommandError(
                f"there is no line {line + 1}: {ballad.title} has {len(ballad.paintings)}"
            )
        return line * show.segment_frames

    return frame


def _changed(show: Show, t: Transport, wanted: dict[int, Change], start: int) -> Transport:
    return replace(t, cues=with_changes(show, t.cues, wanted, start))


def _with_rate(t: Transport, tick: int, rate: Literal[0, 1]) -> Transport:
    if rate == t.rate:
        return t
    return replace(t, anchor_tick=tick, anchor_frame=frame_at(t, tick), rate=rate)


def _with_blackout(t: Transport, tick: int, on: bool, fade_ticks: int) -> Transport:
    if on == t.blackout:
        return t
    fade_ticks = max(fade_ticks, BLACKOUT_TICKS)
    # the new fade begins where the one under way has come to
    gone = 1.0 - blackout_gain(t, tick) if on else blackout_gain(t, tick)
    return replace(
        t,
        blackout=on,
        blackout_tick=tick - round(gone * fade_ticks),
        blackout_ticks=fade_ticks,
    )


def _safe(show: Show, t: Transport, tick: int, frame: int) -> Transport:
    return replace(
        _with_blackout(_with_rate(t, tick, 1), tick, False, BLACKOUT_TICKS),
        cues=released(t.cues, frame),
        identified=frozenset(),
        card=False,
        source="auto",
        levels=returned(t.levels, own_levels(show), tick, frame),
    )
