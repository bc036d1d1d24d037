"""What commands make of the screens' cues. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from shows.hold import held_from
from shows.show import Show
from shows.timeline import Cue, Cues, add_cue, phase_frames


@dataclass(frozen=True)
class Change:
    """A screen's way to a ballad, at its own frame; None: that of the screen's phase."""

    ballad_id: str
    ballad_frame: int | None


Changes = dict[int, Change]
"""By screen, from 0."""


def each_own(show: Show) -> Changes:
    """The ballads that the show file gives the screens."""
    return {n: Change(screen.ballad, None) for n, screen in enumerate(show.settings.screens)}


def stepped_ballads(show: Show, cues: Cues, screens: Iterable[int], step: int) -> Changes:
    """Per screen, the ballad `step` places on from the one it shows or is about to show."""
    ids = show.ballad_ids
    return {
        screen: Change(ids[(ids.index(cues[screen][-1].ballad_id) + step) % len(ids)], None)
        for screen in screens
    }


def unison(show: Show, cues: Cues, frame: int) -> Changes:
    """Where the first screen will be once its own change to there is through."""
    first = cues[0][-1]
    place = int(first.local_frame(frame + show.settings.ballad_change_frames))
    return dict.fromkeys(range(len(cues)), Change(first.ballad_id, place))


def canon(cues: Cues, offset_frames: int) -> Changes:
    """The last screen begins the first one's ballad, and those before it are further on."""
    first, last = cues[0][-1], len(cues) - 1
    return {
        screen: Change(first.ballad_id, (last - screen) * offset_frames)
        for screen in range(len(cues))
    }


def sought(
    show: Show, cues: Cues, screens: Iterable[int], frame_of: Callable[[str], int]
) -> Changes:
    """To a frame of each screen's own ballad, which `frame_of` tells by the ballad's id."""
    return {
        screen: Change(ballad_id, frame_of(ballad_id))
        for screen in screens
        for ballad_id in [cues[screen][-1].ballad_id]
    }


def stepped_lines(show: Show, cues: Cues, frame: int, step: int) -> Changes:
    """To the painting `step` after the one a screen shows; in a morph, after the coming one."""
    loop_frames = show.settings.stops * show.settings.frames_per_stop
    changes: Changes = {}
    for screen, screen_cues in enumerate(cues):
        newest = screen_cues[-1]
        painting, past = divmod(newest.local_frame(frame), show.segment_frames)
        line = int(painting) + (past > loop_frames) + step
        lines = len(show.ballad(newest.ballad_id).paintings)
        changes[screen] = Change(newest.ballad_id, line % lines * show.segment_frames)
    return changes


def held(show: Show, cues: Cues, frame: int) -> Cues:
    """Every screen's newest ballad stays on its painting from a frame on."""
    loop_frames = show.settings.stops * show.settings.frames_per_stop

    def hold(cue: Cue) -> Cue:
        if cue.hold is not None and (cue.hold.end_frame is None or frame < cue.hold.end_frame):
            return replace(cue, hold=replace(cue.hold, end_frame=None))
        cue = _without_past_hold(show, cue, frame)
        counted = cue.counted_frame(frame)
        return replace(cue, hold=held_from(frame, counted, show.segment_frames, loop_frames))

    return tuple((*screen_cues[:-1], hold(screen_cues[-1])) for screen_cues in cues)


def released(cues: Cues, frame: int) -> Cues:
    """Every ballad goes on from where its loop has come to, when that next comes forward."""

    def release(cue: Cue) -> Cue:
        if cue.hold is None or cue.hold.end_frame is not None:
            return cue
        return replace(cue, hold=cue.hold.released(frame, cue.counted_frame))

    return tuple((*screen_cues[:-1], release(screen_cues[-1])) for screen_cues in cues)


def with_changes(show: Show, cues: Cues, wanted: Mapping[int, Change], start: int) -> Cues:
    """With one new cue on each screen of `wanted`. Raises ShowError for an unknown ballad."""
    changed = list(cues)
    for screen, change in wanted.items():
        show.ballad(change.ballad_id)
        offset = change.ballad_frame
        if offset is None:
            offset = phase_frames(show, screen, change.ballad_id)
        cue = Cue(change.ballad_id, start, show.settings.ballad_change_frames, offset)
        changed[screen] = add_cue(_begun(changed[screen], start), cue, start)
    return tuple(changed)


def _without_past_hold(show: Show, cue: Cue, frame: int) -> Cue:
    """The same cue for this frame and later ones; a hold that has ended becomes an offset."""
    if cue.hold is None:
        return cue
    lost = cue.counted_frame(frame) - int(cue.local_frame(frame))
    # whole rounds of all the noise there is, so that the offset stays above 0
    rounds = show.cycle_frames(cue.ballad_id) * show.settings.noise_cycles
    offset = cue.offset_frames - lost
    return replace(cue, offset_frames=offset + max(0, -(offset // rounds)) * rounds, hold=None)


def _begun(screen_cues: tuple[Cue, ...], start: int) -> tuple[Cue, ...]:
    """Without the cues nothing was drawn of yet, such as the earlier of two commands in a pause.

    The oldest stays always: it is what the others start from.
    """
    later = tuple(cue for cue in screen_cues[1:] if cue.start_frame < start)
    return screen_cues[:1] + later
