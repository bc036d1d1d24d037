"""(show, cues, screen, frame) -> ws: pure, random access, the same bits on every machine.

All arithmetic is float64 additions and multiplications of numpy (no BLAS, no libm) and one
division of integers per morph; the result is rounded once to float32.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from shows.latent_set import LatentSet
from shows.schema import Easing, ShowError, ShowSettings
from shows.show import Show

MAX_CUES = 8
Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Cue:
    """A change of ballad: the morph to it starts at start_frame and takes morph_frames (0: a cut).

    The ballad stands at its offset_frames (0: its first painting) until the morph is through and
    counts from there. Raises ValueError if morph_frames is below 0.
    """

    ballad_id: str
    start_frame: int
    morph_frames: int
    offset_frames: int = 0

    def __post_init__(self) -> None:
        if self.morph_frames < 0:
            raise ValueError(f"a morph cannot take {self.morph_frames} frames")

    @property
    def end_frame(self) -> int:
        """The first frame at which the morph is through."""
        return self.start_frame + self.morph_frames

    def local_frame(self, frame: int) -> int:
        """The ballad's own frame at a frame of the show."""
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
    local_frame: int
    cycle_frame: int


@dataclass(frozen=True)
class _Place:
    cycle: int
    cycle_frame: int
    painting_index: int
    segment_frame: int


def opening_cues(show: Show) -> Cues:
    """Every screen on its own ballad, at its first painting on frame 0."""
    return tuple((Cue(screen.ballad, 0, 0),) for screen in show.settings.screens)


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
        cue = Cue(cue.ballad_id, start_frame, cue.morph_frames, cue.offset_frames)
    return (*kept, cue)


def latents_at(show: Show, cues: Cues, screen: int, frame: int) -> NDArray[np.float32]:
    """What a screen (0-based) shows at a frame: float32 [num_ws, w_dim]. Raises ShowError.

    The chain w_k = lerp(w_(k-1), ballad_k at its local frame, ease(t)); then truncation,
    w_avg + psi (w - w_avg) (StyleGAN, arXiv 1812.04948, appendix B).
    """
    settings = show.settings
    visible = [cue for cue in _uncovered(cues[screen], frame) if cue.start_frame <= frame]
    visible = visible or [cues[screen][0]]
    first = _latents(show, visible[0].ballad_id)
    w = _ballad_w(first, settings, visible[0].local_frame(frame))
    w_avg = first.w_avg.astype(np.float64)
    for cue in visible[1:]:
        latents = _latents(show, cue.ballad_id)
        t = _ease(cue.progress(frame), settings.easing)
        w = _lerp(w, _ballad_w(latents, settings, cue.local_frame(frame)), t)
        if not np.array_equal(w_avg, latents.w_avg):  # equal ones must not pick up rounding
            w_avg = _lerp(w_avg, latents.w_avg.astype(np.float64), t)
    if settings.truncation_psi != 1:
        w = w_avg + settings.truncation_psi * (w - w_avg)
    ws = np.empty((first.num_ws, w.shape[1]), np.float32)
    ws[:] = w
    return ws


def cue_weights(
    show: Show, screen_cues: tuple[Cue, ...], frame: int
) -> tuple[tuple[Cue, float], ...]:
    """How much of w each cue's ballad is at a frame, oldest first, without those that are none of
    it: what `latents_at` mixes, and what films can be mixed by. The weights sum to 1."""
    visible = [cue for cue in _uncovered(screen_cues, frame) if cue.start_frame <= frame]
    visible = visible or [screen_cues[0]]
    weights = [1.0]
    for cue in visible[1:]:
        t = _ease(cue.progress(frame), show.settings.easing)
        weights = [weight * (1.0 - t) for weight in weights] + [t]
    return tuple((cue, w) for cue, w in zip(visible, weights, strict=True) if w > 0)


def position_at(show: Show, screen_cues: tuple[Cue, ...], frame: int) -> Position:
    """Where the newest cue that has started stands. Raises ShowError."""
    started = [cue for cue in screen_cues if cue.start_frame <= frame]
    cue = started[-1] if started else screen_cues[0]
    local_frame = cue.local_frame(frame)
    settings = show.settings
    place = _place(settings, len(show.ballad(cue.ballad_id).paintings), local_frame)
    loop_frames = settings.stops * settings.frames_per_stop
    return Position(
        ballad_id=cue.ballad_id,
        painting_index=place.painting_index,
        stop=min(place.segment_frame // settings.frames_per_stop, settings.stops),
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


def _place(settings: ShowSettings, paintings: int, local_frame: int) -> _Place:
    segment_frames = settings.stops * settings.frames_per_stop + settings.morph_frames
    cycle, cycle_frame = divmod(local_frame, paintings * segment_frames)
    painting_index, segment_frame = divmod(cycle_frame, segment_frames)
    return _Place(cycle, cycle_frame, painting_index, segment_frame)


def _ballad_w(latents: LatentSet, settings: ShowSettings, local_frame: int) -> Float64:
    """One ballad at its own frame: [L, w_dim]."""
    place = _place(settings, len(latents.painting_ids), local_frame)
    points: Float64 = _stop_points(
        latents,
        settings.noise_strength,
        settings.stops,
        place.painting_index,
        place.cycle % settings.noise_cycles,
    )
    stop, frames_past = divmod(place.segment_frame, settings.frames_per_stop)
    if stop < settings.stops:
        return _lerp(points[stop], points[stop + 1], frames_past / settings.frames_per_stop)
    morph_frame = place.segment_frame - settings.stops * settings.frames_per_stop
    next_index = (place.painting_index + 1) % len(latents.painting_ids)
    next_w: Float64 = latents.ws[next_index].astype(np.float64)
    t = _ease(morph_frame / settings.morph_frames, settings.easing)
    return _lerp(points[-1], next_w, t)


@lru_cache(maxsize=64)  # a function of values that cannot change: LatentSet is read-only
def _stop_points(
    latents: LatentSet, noise_strength: float, stops: int, painting_index: int, noise_cycle: int
) -> Float64:
    """A painting's w and the stops of its noise loop: [stops + 1, L, w_dim].

    Stop k is w + noise_strength (noise_1 + ... + noise_k).
    """
    noise = latents.loop_noise[noise_cycle, painting_index].astype(np.float64)
    w = latents.ws[painting_index].astype(np.float64)
    points = np.empty((stops + 1, *w.shape), np.float64)
    points[0] = w
    total = np.zeros(w.shape[1], np.float64)
    for stop in range(stops):
        total = total + noise[stop]
        points[stop + 1] = w + noise_strength * total
    points.setflags(write=False)
    return points


def _ease(t: float, easing: Easing) -> float:
    return t * t * (3.0 - 2.0 * t) if easing == "smoothstep" else t


def _lerp(a: Float64, b: Float64, t: float) -> Float64:
    return a * (1.0 - t) + b * t
