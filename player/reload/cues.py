"""What the cues become when the show is read anew: what plays stays where it is. Pure.

No picture is to jump here: the edition before plays on under the new one until the morph between
them is through (`player.reload.morph`).
"""

from __future__ import annotations

from dataclasses import replace

from shows.ballad_path import place_at
from shows.hold import held_from
from shows.show import Show
from shows.timeline import Cue, Cues, motion_of, phase_frames


def carried_cues(old: Show, new: Show, cues: Cues, frame: int) -> Cues:
    """The cues of `new`, which has as many screens, from a frame on.

    A screen keeps its cues where lengths and paintings are as they were. Where they are not, it
    stays with its painting, as far on in it as it was. A screen goes to its own ballad if the one
    it plays is gone, and if every screen played its own ballad and the file now gives it another.
    """
    own = [screen.ballad for screen in old.settings.screens]
    each_own = [screen_cues[-1].ballad_id for screen_cues in cues] == own
    return tuple(
        _carried(old, new, screen, screen_cues, frame, each_own=each_own)
        for screen, screen_cues in enumerate(cues)
    )


def _carried(
    old: Show, new: Show, screen: int, cues: tuple[Cue, ...], frame: int, *, each_own: bool
) -> tuple[Cue, ...]:
    newest, own = cues[-1], new.settings.screens[screen].ballad
    is_given_another = each_own and own != newest.ballad_id
    if newest.ballad_id not in new.ballad_ids or is_given_another:
        offset = phase_frames(new, screen, own)
        return (Cue(own, frame, new.settings.ballad_change_frames, offset),)
    if _runs_alike(old, new, newest.ballad_id):
        kept = tuple(cue for cue in cues if cue.ballad_id in new.ballad_ids)
        if all(_runs_alike(old, new, cue.ballad_id) for cue in kept):
            return kept
        return (newest,)
    there = _same_place(old, new, newest, frame)
    cue = Cue(newest.ballad_id, frame, 0, there)
    if newest.hold is not None and newest.hold.end_frame is None:
        loop_frames = new.settings.stops * new.settings.frames_per_stop
        cue = replace(cue, hold=held_from(frame, there, new.segment_frames, loop_frames))
    return (cue,)


def _runs_alike(old: Show, new: Show, ballad_id: str) -> bool:
    """Whether a frame of the ballad's own is the same place of it in both."""
    a, b = old.settings, new.settings
    return old.ballad(ballad_id).painting_ids == new.ballad(ballad_id).painting_ids and (
        (a.stops, a.frames_per_stop, a.morph_frames) == (b.stops, b.frames_per_stop, b.morph_frames)
    )


def _same_place(old: Show, new: Show, cue: Cue, frame: int) -> int:
    """The ballad's own frame in `new` at which it stands where it stands in `old`: with the same
    painting (or the last, if that one is gone), and the same share of its loop or morph."""
    before, after = motion_of(old, cue.ballad_id), motion_of(new, cue.ballad_id)
    place = place_at(before, cue.local_frame(frame))
    painting_id = old.ballad(cue.ballad_id).painting_ids[place.painting_index]
    ids = new.ballad(cue.ballad_id).painting_ids
    if painting_id in ids:
        index = ids.index(painting_id)
    else:
        index = min(place.painting_index, len(ids) - 1)
    loop_before = before.stops * before.frames_per_stop
    loop_after = after.stops * after.frames_per_stop
    if place.segment_frame < loop_before:
        within = place.segment_frame / loop_before * loop_after
    else:
        in_morph = (place.segment_frame - loop_before) / before.morph_frames
        within = loop_after + in_morph * after.morph_frames
    paintings = place.cycle * len(ids) + index
    return paintings * after.segment_frames + min(int(within), after.segment_frames - 1)
