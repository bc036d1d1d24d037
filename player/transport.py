"""What is on: one small frozen value, and what a command makes of it. Pure; no clock, no history.

A tick is a frame of the house clock; the frame is what is shown on it:
`frame = anchor_frame + (tick - anchor_tick) * rate`. Both are whole numbers.
"""

from dataclasses import dataclass, replace
from typing import Literal, assert_never

from player import commands
from player.commands import CommandError, TransportCommand
from shows.show import Show
from shows.timeline import Cue, Cues, add_cue, opening_cues, phase_frames, position_at

BLACKOUT_TICKS = 15


@dataclass(frozen=True)
class Transport:
    """The whole state of playing.

    anchor_tick, anchor_frame: the tick on which the rate last changed, and its frame.
    rate: 1 playing, 0 paused. cues: per screen, oldest first. blackout_tick: the tick from which
    the fade of the last change of `blackout` counts; it lies before that change where the change
    came in the middle of a fade, so that the light never jumps. identified: the screens (from 0)
    that show their identify card. card: all show the calibration card.
    """

    anchor_tick: int
    anchor_frame: int
    rate: Literal[0, 1]
    cues: Cues
    blackout: bool
    blackout_tick: int
    identified: frozenset[int] = frozenset()
    card: bool = False


def opening_transport(show: Show, *, tick: int = 0, frame: int = 0) -> Transport:
    """The show as its file opens it: playing, at `frame` on `tick`, no blackout."""
    return Transport(tick, frame, 1, opening_cues(show), False, tick - BLACKOUT_TICKS)


def frame_at(t: Transport, tick: int) -> int:
    """The show frame that belongs to a tick."""
    return t.anchor_frame + (tick - t.anchor_tick) * t.rate


def blackout_gain(t: Transport, tick: int) -> float:
    """Light of the screens at a tick: 1 full, 0 black; a straight ramp of 15 ticks between."""
    lit = _fade_ticks(t, tick) / BLACKOUT_TICKS
    return 1.0 - lit if t.blackout else lit


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
    in a pause it waits for `Play`. Raises CommandError for a screen that does not exist,
    ShowError for a ballad that does not.
    """
    match command:
        case commands.SetBallad(ballad_id):
            wanted: dict[int, str] = dict.fromkeys(range(len(t.cues)), ballad_id)
        case commands.SetScreenBallad(screen, ballad_id):
            _check_screen(t, screen)
            wanted = {screen: ballad_id}
        case commands.EachOwn():
            wanted = {n: screen.ballad for n, screen in enumerate(show.settings.screens)}
        case commands.NextBallad():
            wanted = _stepped(show, t.cues, 1)
        case commands.PreviousBallad():
            wanted = _stepped(show, t.cues, -1)
        case commands.Play():
            return _with_rate(t, tick, 1)
        case commands.Pause():
            return _with_rate(t, tick, 0)
        case commands.Blackout(on):
            return _with_blackout(t, tick, on)
        case commands.Identify(screens, on):
            named = frozenset(range(len(t.cues)) if screens is None else screens)
            for screen in named:
                _check_screen(t, screen)
            return replace(t, identified=t.identified | named if on else t.identified - named)
        case commands.ShowCard(on):
            return replace(t, card=on)
        case commands.QueryStatus():
            return t
        case _:
            assert_never(command)
    start = frame_at(t, tick) if start_frame is None else start_frame
    in_unison = isinstance(command, commands.SetBallad)
    return _with_ballads(show, t, wanted, start, in_unison=in_unison)


def describe(show: Show, t: Transport, tick: int) -> str:
    """One line for the operator: playing or not, and what each screen (from 1) shows."""
    frame = frame_at(t, tick)
    parts = [f"{'playing' if t.rate else 'paused'}, frame {frame}"]
    if t.blackout:
        parts[0] += ", blackout"
    for number, screen_cues in enumerate(t.cues, start=1):
        newest = screen_cues[-1]
        position = position_at(show, screen_cues, frame)
        part = f"{number} {position.ballad_id} painting {position.painting_index + 1}"
        if newest.start_frame > frame:
            part += f", soon {newest.ballad_id}"
        parts.append(part)
    return "; ".join(parts)


def _check_screen(t: Transport, screen: int) -> None:
    if not 0 <= screen < len(t.cues):
        raise CommandError(f"there is no screen {screen + 1}: the screens are 1 to {len(t.cues)}")


def _with_rate(t: Transport, tick: int, rate: Literal[0, 1]) -> Transport:
    if rate == t.rate:
        return t
    return replace(t, anchor_tick=tick, anchor_frame=frame_at(t, tick), rate=rate)


def _with_blackout(t: Transport, tick: int, on: bool) -> Transport:
    if on == t.blackout:
        return t
    # As far as the fade under way has come, the opposite one has still to go.
    to_go = BLACKOUT_TICKS - _fade_ticks(t, tick)
    return replace(t, blackout=on, blackout_tick=tick - to_go)


def _fade_ticks(t: Transport, tick: int) -> int:
    """Ticks of the last fade that have passed, 0 to 15."""
    return min(max(tick - t.blackout_tick, 0), BLACKOUT_TICKS)


def _stepped(show: Show, cues: Cues, step: int) -> dict[int, str]:
    """Per screen, the ballad `step` places on from the one it shows or is about to show."""
    ids = show.ballad_ids
    return {
        screen: ids[(ids.index(screen_cues[-1].ballad_id) + step) % len(ids)]
        for screen, screen_cues in enumerate(cues)
    }


def _with_ballads(
    show: Show, t: Transport, wanted: dict[int, str], start: int, *, in_unison: bool
) -> Transport:
    """The transport with one new cue on each screen of `wanted`; in unison all at one place."""
    for ballad_id in wanted.values():
        show.ballad(ballad_id)
    cues = list(t.cues)
    for screen, ballad_id in wanted.items():
        offset = 0 if in_unison else phase_frames(show, screen, ballad_id)
        cue = Cue(ballad_id, start, show.settings.ballad_change_frames, offset)
        cues[screen] = add_cue(_begun(cues[screen], start), cue, start)
    return replace(t, cues=tuple(cues))


def _begun(screen_cues: tuple[Cue, ...], start: int) -> tuple[Cue, ...]:
    """Without the cues nothing was drawn of yet, such as the earlier of two commands in a pause.

    The oldest stays always: it is what the others start from.
    """
    later = tuple(cue for cue in screen_cues[1:] if cue.start_frame < start)
    return screen_cues[:1] + later
