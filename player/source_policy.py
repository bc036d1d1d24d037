"""What one screen shows, and by how much: a pure function of what the sources have to offer.

Live pictures while they come; the last one for a moment when they do not; then the film, which
stands at the very same frame; the painting as a still where there is no film; live again once it
has been in time for a while. A change is a cross-fade of ten ticks, but for one: where the film is
the same picture as live, and live's newest is old, the film takes its place at once, because a fade
would begin with a picture that stands still.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Showing = Literal["live", "film", "slate"]
LIVE, FILM, SLATE = range(3)  # places in what a policy counts
_PLACES: dict[Showing, int] = {"live": LIVE, "film": FILM, "slate": SLATE}

FADE_TICKS = 10  # a change of source is a cross-fade of this length
HOLD_FRAMES = 1  # how old live's last picture may get where there is something better
LATE_FRAMES = 30  # how old the last picture of a source that still works may get, else
RETURN_FRAMES = 2  # how old live's pictures may be when they are to be shown again ...
RETURN_TICKS = 30  # ... for so many ticks in a row


@dataclass(frozen=True)
class Offer:
    """What a screen could show on this tick.

    live_age, film_age: frames by which the newest picture is behind the one due, 0 if it is the
    very one, None if there is none at all. live_ready: the engine works, as far as is known.
    film_matches: the film's frame is the same picture as live's, not only of the same number.
    film_only: the engine is too slow for now, as the governor finds, or films are asked for.
    slate_only: stills are asked for.
    """

    live_age: int | None
    live_ready: bool
    film_age: int | None = None
    film_matches: bool = False
    film_only: bool = False
    slate_only: bool = False


@dataclass(frozen=True)
class Policy:
    """showing: the source chosen. parts: tenths of the light of live, film and slate. steady: ticks
    in a row on which live had pictures good enough to return to. is_new: nothing was shown yet."""

    showing: Showing
    parts: tuple[int, int, int]
    steady: int = 0
    is_new: bool = False

    @classmethod
    def opening(cls) -> Policy:
        """Before the first frame: stills, and anything better at once if it is there then."""
        return cls("slate", (0, 0, FADE_TICKS), RETURN_TICKS, is_new=True)

    @property
    def weights(self) -> tuple[float, float, float]:
        """Shares of the light of live, film and slate; they sum to 1."""
        live, film, slate = self.parts
        return live / FADE_TICKS, film / FADE_TICKS, slate / FADE_TICKS

    @property
    def is_fading(self) -> bool:
        """Whether more than one source is on the screen."""
        return max(self.parts) < FADE_TICKS


def advanced(policy: Policy, offer: Offer) -> Policy:
    """The policy of the next tick.

    To return, live need not have every frame in time: an engine a little slower than the show,
    good enough to begin with, must not be shut out for good by one crash.
    """
    good = (
        offer.live_ready
        and not offer.slate_only
        and not offer.film_only
        and offer.live_age is not None
        and offer.live_age <= RETURN_FRAMES
    )
    steady = min(policy.steady + 1, RETURN_TICKS) if good else 0
    showing = _chosen(policy.showing, offer, is_steady=steady >= RETURN_TICKS)
    return replace(
        policy,
        showing=showing,
        parts=_moved(policy, offer, _PLACES[showing]),
        steady=steady,
        is_new=False,
    )


def _chosen(showing: Showing, offer: Offer, *, is_steady: bool) -> Showing:
    if offer.slate_only:
        return "slate"
    live_age = LATE_FRAMES + 1 if offer.live_age is None else offer.live_age
    film_age = LATE_FRAMES + 1 if offer.film_age is None else offer.film_age
    live_usable = live_age <= (LATE_FRAMES if offer.live_ready else HOLD_FRAMES)
    film_usable = film_age <= LATE_FRAMES
    if showing == "live":
        stays = live_age <= HOLD_FRAMES and not (offer.film_only and film_age <= HOLD_FRAMES)
        if stays or (live_usable and film_age > HOLD_FRAMES):
            return "live"
    elif is_steady:
        return "live"
    if showing == "slate" and film_age > HOLD_FRAMES:
        return "slate"
    if film_usable:
        return "film"
    return "live" if live_usable and showing != "slate" else "slate"


def _moved(policy: Policy, offer: Offer, to: int) -> tuple[int, int, int]:
    """The parts one tick on: a tenth goes to the source chosen, and at once all that belongs to one
    that has no picture left, or an old one of what the chosen one shows fresh."""
    parts = list(policy.parts)
    ages = (offer.live_age, offer.film_age, 0)
    same = offer.film_matches and ages[to] == 0
    for place in (LIVE, FILM):
        is_stale = same and to != SLATE and ages[place] != 0
        if place != to and (ages[place] is None or is_stale):
            parts[to] += parts[place]
            parts[place] = 0
    if policy.is_new and to == FILM:
        return (0, FADE_TICKS, 0)
    others = [place for place in range(3) if place != to and parts[place]]
    if others:
        giver = max(others, key=lambda place: parts[place])
        parts[giver] -= 1
        parts[to] += 1
    return parts[LIVE], parts[FILM], parts[SLATE]
