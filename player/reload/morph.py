"""From the show as it was to the show as it was read anew: everything morphs at once. Pure.

An edition is a show as it stood in its files at one time. The edition that comes in lies over the
one before it for `ballad_change_frames`, as a ballad lies over another in a change of ballad, but
for no more than ten seconds, since files may be saved again and again. So whatever changed in the
files, lengths, paths or latents, no picture jumps: the one before plays on underneath with the cues
it had, until nothing is seen of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from shows.ballad_path import eased
from shows.latent_set import LatentSet
from shows.show import Show
from shows.timeline import Cues, Tuning, focus_at, latents_at, motion_of

LONGEST_S = 10  # of the morph; a change of ballad may take as long as a show likes
MOST_EDITIONS = 8  # on the screens at once; each is computed for every frame


@dataclass(frozen=True)
class Edition:
    """A show that has given way, and the cues it was left with. It came in itself from
    start_frame on, over `frames` frames; the first one was always there."""

    show: Show
    cues: Cues
    start_frame: int = 0
    frames: int = 0

    def progress(self, frame: int) -> float:
        """0 to 1, before easing."""
        if frame >= self.start_frame + self.frames:
            return 1.0
        return max(0, frame - self.start_frame) / self.frames


@dataclass(frozen=True)
class Share:
    """What an edition has of a frame. weight: above 0, to 1."""

    show: Show
    cues: Cues
    weight: float


@dataclass(frozen=True)
class Editions:
    """The show that plays, and those that it still morphs from, oldest first."""

    show: Show
    start_frame: int = 0
    frames: int = 0
    earlier: tuple[Edition, ...] = ()

    def followed_by(
        self, show: Show, cues: Cues, carried: Cues, frame: int, *, cut: bool = False
    ) -> Editions:
        """With a show that comes in from `frame` on, which is still as before.

        cues: those that the present show is left with. carried: what became of them in the new one.
        cut: the new one is there at once, where no picture shows both. Where both move alike there
        is nothing to morph.
        """
        if cut:
            return Editions(show)
        if carried == cues and _move_alike(self.show, show, cues):
            return replace(self, show=show)
        before = [*self.earlier, Edition(self.show, cues, self.start_frame, self.frames)]
        kept = _begun(before, frame)
        settings = show.settings
        frames = min(settings.ballad_change_frames, int(LONGEST_S * settings.fps))
        return Editions(show, frame, frames, tuple(kept))

    def is_full(self, frame: int) -> bool:
        """Whether so many are on the screens that the next one has to wait."""
        newest = Edition(self.show, (), self.start_frame, self.frames)
        return len(_begun([*self.earlier, newest], frame)) >= MOST_EDITIONS

    def shares(self, cues: Cues, frame: int) -> tuple[Share, ...]:
        """What is seen of each on a frame, oldest first, without those of which nothing is; the
        weights sum to 1. cues: of the show that plays."""
        newest = Edition(self.show, cues, self.start_frame, self.frames)
        first, *others = _begun([*self.earlier, newest], frame)
        weights = [1.0]
        for edition in others:
            t = eased(edition.progress(frame), "smoothstep")
            weights = [weight * (1.0 - t) for weight in weights] + [t]
        return tuple(
            Share(edition.show, edition.cues, weight)
            for edition, weight in zip((first, *others), weights, strict=True)
        )


def mixed_latents(
    shares: Sequence[tuple[Share, Tuning]], screen: int, frame: int
) -> NDArray[np.float32]:
    """What a screen (0-based) shows: float32 [num_ws, w_dim]; the very bits of `latents_at` where
    all editions agree. Raises ShowError."""
    parts = [latents_at(one.show, one.cues, screen, frame, tuning) for one, tuning in shares]
    if all(np.array_equal(part, parts[-1]) for part in parts[:-1]):
        return parts[-1]
    mixed = np.zeros(parts[-1].shape, np.float64)
    for (one, _), part in zip(shares, parts, strict=True):
        mixed += one.weight * part.astype(np.float64)
    return mixed.astype(np.float32)


def mixed_focus(shares: Sequence[Share], screen: int, frame: int) -> tuple[float, float]:
    """What a screen must not cut off, as `focus_at` has it, of all editions together."""
    points = [(focus_at(one.show, one.cues[screen], frame), one.weight) for one in shares]
    return sum(at[0] * weight for at, weight in points), sum(
        at[1] * weight for at, weight in points
    )


def same_latents(old: LatentSet, new: LatentSet) -> bool:
    """Whether two sets of a ballad say the same, bit for bit."""
    if old is new:
        return True
    return old.painting_ids == new.painting_ids and all(
        np.array_equal(getattr(old, name), getattr(new, name))
        for name in ("ws", "w_avg", "loop_noise")
    )


def _move_alike(old: Show, new: Show, cues: Cues) -> bool:
    """Whether these cues mean the same pictures in both shows, on every frame."""
    names = ("truncation_psi", "path", "easing")
    if any(getattr(old.settings, name) != getattr(new.settings, name) for name in names):
        return False
    playing = {cue.ballad_id for screen_cues in cues for cue in screen_cues}
    return all(_is_same_ballad(old, new, ballad_id) for ballad_id in playing)


def _is_same_ballad(old: Show, new: Show, ballad_id: str) -> bool:
    if motion_of(old, ballad_id) != motion_of(new, ballad_id):
        return False
    focuses = [[one.focus for one in show.ballad(ballad_id).paintings] for show in (old, new)]
    if focuses[0] != focuses[1]:
        return False
    before, after = old.latents.get(ballad_id), new.latents.get(ballad_id)
    if before is None or after is None:
        return before is after
    return same_latents(before, after)


def _begun(editions: Sequence[Edition], frame: int) -> list[Edition]:
    """Those of which something is seen: none that a later one covers, none that has not begun."""
    through = [n for n, edition in enumerate(editions) if n == 0 or edition.progress(frame) >= 1]
    first, *later = editions[through[-1] :]
    return [first, *(edition for edition in later if edition.progress(frame) > 0)]
