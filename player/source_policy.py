"""Which source the screens show: a pure function of what the live source has to offer.

Live pictures while they come; the last one for a moment when they do not; the paintings as stills
when that moment is over; live again once it has been about in time for a while. A film would stand
between live and the stills.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Showing = Literal["live", "slate"]

FADE_TICKS = 10  # a change of source is a cross-fade of this length
HOLD_FRAMES = 2  # how old the last picture of a dead engine may get
LATE_FRAMES = 30  # how old the last picture of an engine that still works may get
RETURN_FRAMES = 2  # how old live's pictures may be when they are to be shown again ...
RETURN_TICKS = 15  # ... for so many ticks in a row


@dataclass(frozen=True)
class Policy:
    """showing: the source chosen. fade: how far its way in has come, 0..FADE_TICKS of live's
    weight. steady: ticks in a row on which live had pictures good enough to return to."""

    showing: Showing
    fade: int
    steady: int = 0

    @classmethod
    def opening(cls) -> Policy:
        """Before the first frame: stills, and live at once if it is there then."""
        return cls("slate", 0, RETURN_TICKS)

    @property
    def live_weight(self) -> float:
        """Live's share of the light, 0..1; the stills have the rest."""
        return self.fade / FADE_TICKS

    @property
    def is_fading(self) -> bool:
        """Whether both are on the screens, or one is about to go."""
        return 0 < self.fade < FADE_TICKS


def advanced(policy: Policy, *, live_age: int | None, live_ready: bool) -> Policy:
    """The policy of the next tick.

    live_age: frames by which live's newest picture is behind the one due, 0 if it is the very
    one, None if there is none at all. live_ready: the engine works, as far as is known.
    To return, live need not have every frame in time: an engine a little slower than the show,
    good enough to begin with, must not be shut out for good by one crash.
    """
    good = live_ready and live_age is not None and live_age <= RETURN_FRAMES
    steady = min(policy.steady + 1, RETURN_TICKS) if good else 0
    allowed = LATE_FRAMES if live_ready else HOLD_FRAMES
    usable = live_age is not None and live_age <= allowed
    showing = policy.showing
    if not usable:
        showing = "slate"
    elif showing == "slate" and steady >= RETURN_TICKS:
        showing = "live"
    step = 1 if showing == "live" else -1
    fade = min(max(policy.fade + step, 0), FADE_TICKS)
    if live_age is None:
        fade = 0  # there is nothing to fade from
    return replace(policy, showing=showing, fade=fade, steady=steady)
