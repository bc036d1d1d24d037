"""When a picture is sent on. Pure: times in, times out.

The player presents on the ticks of its house clock. Whoever wants as many pictures as it shows, or
more, gets each when it comes: a clock of our own would beat against the player's. Whoever wants
fewer gets them evenly by such a clock, each time the newest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction


@dataclass(frozen=True)
class Pace:
    """period_ns: between two pictures. early_ns: how much before it is due a picture is sent if it
    comes; 0: none is. due_ns: when the next one is due, 0 before the first."""

    period_ns: int
    early_ns: int
    due_ns: int = 0

    @classmethod
    def of(cls, fps: Fraction, player_fps: Fraction) -> Pace:
        """Pictures a second: those wanted, and those that the player shows; both above 0."""
        period_ns = round(1_000_000_000 / fps)
        return cls(period_ns, period_ns // 4 if fps >= player_fps else 0)

    @property
    def look_ns(self) -> int:
        """From then on a new picture is sent at once."""
        return self.due_ns - self.early_ns

    @property
    def again_ns(self) -> int:
        """Then, half a period late, the last one is sent once more."""
        return self.due_ns + self.period_ns // 2

    def sent(self, now_ns: int) -> Pace:
        """A new picture was: the next is due a period after it, or after the time it was due."""
        return self._due_after(now_ns) if self.early_ns else self._kept(now_ns)

    def sent_again(self, now_ns: int) -> Pace:
        """The last one was: again a period later, unless a new one comes before."""
        return self._kept(now_ns)

    def _kept(self, now_ns: int) -> Pace:
        """Even, but for a delay of more than a period: what it cost is not caught up with."""
        return self._due_after(max(self.due_ns, now_ns - self.period_ns))

    def _due_after(self, time_ns: int) -> Pace:
        return replace(self, due_ns=time_ns + self.period_ns)
