"""(show, cues, screen, frame) -> ws: pure, random access, the same bits on every machine.

All arithmetic is float64 additions and multiplications of numpy (no BLAS, no libm) and one
division of integers per morph; the result is rounded once to float32.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from shows.ballad_path import Motion, ballad_w, eased, lerp, place_at
from shows.hold import Hold
from shows.latent_set import LatentSet
from shows.schema import Easing, ShowError, ShowSettings
from shows.show import Show

MAX_CUES = 8
CENTRE = (0.5, 0.5)


@dataclass(frozen=True)
class Cue:
    """A change of ballad: the morph to it starts at start_frame and takes morph_frames (0: a cut).

    The ballad stands at its offset_frames (0: its first painting) until the morph is through and
    counts from there; but while it is held it stays in one painting's loop. Raises ValueError if
    morph_frames is below 0.
    """

    ballad_id: str
    start_frame: int
    morph_frames: int
    offset_frames: int = 0
    hold: Hold | None = None

    def __post_init__(self) -> None:
        if self.morph_frames < 0:
            raise ValueError(f"a morph cannot take {self.morph_frames} frames")

    @property
    def end_frame(self) -> int:
        """The first frame at which the morph is through."""
        return self.start_frame + self.morph_frames

    def local_frame(self, frame: int) -> float:
        """The ballad's own frame at a frame of the show; between two where a hold turns round."""
        counted = self.counted_frame(frame)
        if self.hold is None:
            return counted
        return self.hold.local_frame(frame, counted, self.counted_frame)

    def film_frame(self, frame: int) -> int:
        """The frame of the ballad's film that goes with it: films never run backwards."""
        counted = self.counted_frame(frame)
        if self.hold is None:
            return counted
        return self.hold.film_frame(frame, counted, self.counted_frame)

    def counted_frame(self, frame: int) -> int:
        """The ballad's own frame if it had never been held."""
        return max(0, frame - self.end_frame) + self.offset_frames

    def progress(self, frame: int) -> float:
        """t of the morph, 0 to 1, before easing."""
        if frame >= self.end_frame:
            return 1.0
        if frame <= self.start_frame:
            return 0.0
        return (frame - self.start_frame) / self.morph_frames


Cues = tuple[tuple[Cue, ...], ...]
"""The cues of each screen, oldest first."""


@dataclass(frozen=True)
class Position:
    """Where a ballad stands.

    painting_index: 0-based; in a morph, the painting it leaves. stop: stops reached since that
    painting, 0 to settings.stops. in_morph: on the way to another painting or from another ballad.
    local_frame: the ballad's own count. cycle_frame: the same within one cycle.
    """

    ballad_id: str
    painting_index: int
    stop: int
    in_morph: bool
    local_frame: float
    cycle_frame: float


def opening_cues(show: Show) -> Cues:
    """Every screen on its own ballad, on frame 0 as far on in it as its phase says."""
    return tuple(
        (Cue(screen.ballad, 0, 0, phase_frames(show, number, screen.ballad)),)
        for number, screen in enumerate(show.settings.screens)
    )


def phase_frames(show: Show, screen: int, ballad_id: str) -> int:
    """How far ahead of its first painting a screen (0-based) shows a ballad of its own.

    together: 0. wave: a share of the way to the next painting more from screen to screen, so that
    morphs travel along the row. scattered: spread over the ballad, no two alike. A screen's own
    `phase_frames` goes before these. Raises ShowError.
    """
    settings = show.settings
    own = settings.screens[screen].phase_frames
    if own is not None:
        return own
    if settings.phases == "wave":
        return screen * (show.segment_frames // len(settings.screens))
    if settings.phases == "scattered":
        # multiples of the golden ratio's fraction lie far apart on a circle (Knuth, TAOCP 6.4)
        return (screen * 2_654_435_769 % 2**32) * show.cycle_frames(ballad_id) >> 32
    return 0


def add_cue(screen_cues: tuple[Cue, ...], cue: Cue, frame: int) -> tuple[Cue, ...]:
    """Add a change of ballad to a screen's cues; pictures before cue.start_frame stay as they are.

    frame: the first frame whose picture has not been asked for yet; cue.start_frame must not lie
    before it (ValueError). Cues that a later, complete morph covers are dropped. No more than
    MAX_CUES are kept: the last place is one to wait in, its cue starting as soon as an older morph
    is through, and a cue that still waits there gives way to the new one. So nothing on a screen
    ever jumps, and the last command wins, however fast they come.
    """
    if cue.start_frame < frame:
        raise ValueError(f"a cue cannot start at frame {cue.start_frame}, before frame {frame}")
    kept = _uncovered(screen_cues, frame)
    if len(kept) >= MAX_CUES:
        kept = kept[: MAX_CUES - 1]
    if len(kept) == MAX_CUES - 1:
        room_at = min(older.end_frame for older in kept[1:])
        start_frame = max(cue.start_frame, room_at)
        cue = replace(cue, start_frame=start_frame)
    return (*kept, cue)


@dataclass(frozen=True)
class Tuning:
    """What an operator may change of a show's feeling while it runs.

    loop_gain: factor of every painting's loop strength. truncation_psi: None for the show's.
    smoothness: 0 for the linear path, 1 for the smooth one, between them a mixture; None for the
    show's.
    """

    loop_gain: float = 1.0
    truncation_psi: float | None = None
    smoothness: float | None = None


AS_WRITTEN = Tuning()


def latents_at(
    show: Show, cues: Cues, screen: int, frame: int, tuning: Tuning = AS_WRITTEN
) -> NDArray[np.float32]:
    """What a screen (0-based) shows at a frame: float32 [num_ws, w_dim]. Raises ShowError.

    The chain w_k = lerp(w_(k-1), ballad_k at its local frame, ease(t)); then truncation,
    w_avg + psi (w - w_avg) (StyleGAN, arXiv 1812.04948, appendix B).
    """
    settings = show.settings
    visible = [cue for cue in _uncovered(cues[screen], frame) if cue.start_frame <= frame]
    visible = visible or [cues[screen][0]]
    first = _latents(show, visible[0].ballad_id)
    w = _tuned_w(show, first, visible[0].local_frame(frame), tuning)
    w_avg = first.w_avg.astype(np.float64)
    for cue in visible[1:]:
        latents = _latents(show, cue.ballad_id)
        t = eased(cue.progress(frame), _change_easing(settings))
        w = lerp(w, _tuned_w(show, latents, cue.local_frame(frame), tuning), t)
        if not np.array_equal(w_avg, latents.w_avg):  # equal ones must not pick up rounding
            w_avg = lerp(w_avg, latents.w_avg.astype(np.float64), t)
    psi = settings.truncation_psi if tuning.truncation_psi is None else tuning.truncation_psi
    if psi != 1:
        w = w_avg + psi * (w - w_avg)
    ws = np.empty((first.num_ws, w.shape[1]), np.float32)
    ws[:] = w
    return ws


def _tuned_w(
    show: Show, latents: LatentSet, local_frame: float, tuning: Tuning
) -> NDArray[np.float64]:
    motion = motion_of(show, latents.ballad_id)
    if tuning.loop_gain != 1:
        strengths = tuple(strength * tuning.loop_gain for strength in motion.loop_strengths)
        motion = replace(motion, loop_strengths=strengths)
    smoothness = tuning.smoothness
    if smoothness is None or smoothness == (motion.path == "smooth"):
        return ballad_w(latents, motion, local_frame)
    linear = ballad_w(latents, replace(motion, path="linear"), local_frame)
    smooth = ballad_w(latents, replace(motion, path="smooth"), local_frame)
    return lerp(linear, smooth, smoothness)


def cue_weights(
    show: Show, screen_cues: tuple[Cue, ...], frame: int
) -> tuple[tuple[Cue, float], ...]:
    """How much of w each cue's ballad is at a frame, oldest first, without those that are none of
    it: what `latents_at` mixes, and what films can be mixed by. The weights sum to 1."""
    visible = [cue for cue in _uncovered(screen_cues, frame) if cue.start_frame <= frame]
    visible = visible or [screen_cues[0]]
    weights = [1.0]
    for cue in visible[1:]:
        t = eased(cue.progress(frame), _change_easing(show.settings))
        weights = [weight * (1.0 - t) for weight in weights] + [t]
    return tuple((cue, w) for cue, w in zip(visible, weights, strict=True) if w > 0)


def focus_at(show: Show, screen_cues: tuple[Cue, ...], frame: int) -> tuple[float, float]:
    """What a screen must not cut off at a frame, as shares of the picture from the top left.

    A painting's own focus while its loop lasts; it moves with the morph to the next one, and with
    a change of ballad. Raises ShowError.
    """
    if not _has_focus(show):
        return CENTRE
    parts = [
        (_ballad_focus(show, cue.ballad_id, cue.local_frame(frame)), weight)
        for cue, weight in cue_weights(show, screen_cues, frame)
    ]
    return sum(f[0] * weight for f, weight in parts), sum(f[1] * weight for f, weight in parts)


def position_at(show: Show, screen_cues: tuple[Cue, ...], frame: int) -> Position:
    """Where the newest cue that has started stands. Raises ShowError."""
    started = [cue for cue in screen_cues if cue.start_frame <= frame]
    cue = started[-1] if started else screen_cues[0]
    local_frame = cue.local_frame(frame)
    settings = show.settings
    place = place_at(motion_of(show, cue.ballad_id), local_frame)
    loop_frames = settings.stops * settings.frames_per_stop
    return Position(
        ballad_id=cue.ballad_id,
        painting_index=place.painting_index,
        stop=int(min(place.segment_frame // settings.frames_per_stop, settings.stops)),
        in_morph=place.segment_frame >= loop_frames or cue.start_frame <= frame < cue.end_frame,
        local_frame=local_frame,
        cycle_frame=place.cycle_frame,
    )


def _uncovered(screen_cues: tuple[Cue, ...], frame: int) -> tuple[Cue, ...]:
    for index in range(len(screen_cues) - 1, 0, -1):
        if screen_cues[index].end_frame <= frame:
            return screen_cues[index:]
    return screen_cues


def _latents(show: Show, ballad_id: str) -> LatentSet:
    try:
        return show.latents[ballad_id]
    except KeyError:
        raise ShowError(
            f"The show has no latents for {ballad_id[:80]!r}; project and publish this ballad."
        ) from None


@lru_cache(maxsize=256)  # a show never changes
def motion_of(show: Show, ballad_id: str) -> Motion:
    """How a ballad moves in this show. Raises ShowError."""
    settings, ballad = show.settings, show.ballad(ballad_id)
    strengths = tuple(
        next(
            strength
            for strength in (painting.loop_strength, ballad.loop_strength, settings.noise_strength)
            if strength is not None
        )
        for painting in ballad.paintings
    )
    return Motion(
        settings.stops,
        settings.frames_per_stop,
        settings.morph_frames,
        settings.noise_cycles,
        settings.path,
        settings.easing,
        strengths,
    )


def _change_easing(settings: ShowSettings) -> Easing:
    """Of a change of ballad: on a smooth path it has no corners either."""
    return "smoothstep" if settings.path == "smooth" else settings.easing


@lru_cache(maxsize=4)
def _has_focus(show: Show) -> bool:
    return any(painting.focus for ballad in show.ballads for painting in ballad.paintings)


def _ballad_focus(show: Show, ballad_id: str, local_frame: float) -> tuple[float, float]:
    ballad, motion = show.ballad(ballad_id), motion_of(show, ballad_id)
    place = place_at(motion, local_frame)
    following = (place.painting_index + 1) % len(ballad.paintings)
    here, there = (
        ballad.paintings[index].focus or CENTRE for index in (place.painting_index, following)
    )
    loop_frames = motion.stops * motion.frames_per_stop
    if here == there or place.segment_frame <= loop_frames:
        return here
    t = eased(
        (place.segment_frame - loop_frames) / motion.morph_frames, _change_easing(show.settings)
    )
    return here[0] * (1 - t) + there[0] * t, here[1] * (1 - t) + there[1] * t
