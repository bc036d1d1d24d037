"""Local time to house time: two straight lines, the first one slewing; a frozen value."""

from __future__ import annotations

from dataclasses import dataclass, replace

LARGEST_SLEW = 500e-6
STEP_BEYOND_NS = 50_000_000
# An error is slewed away over this time (ns), or longer if 500 ppm do not suffice.
SLEW_OVER_NS = 1_000_000_000


@dataclass(frozen=True)
class HouseTime:
    """House time `house_ns` at local time `local_ns`, and how it goes on.

    rate: how much faster than local time, as a share. slew: added to the rate for the first
    `slew_for_ns` local ns. Rises always, by at least 0.999 of local time.
    """

    local_ns: int
    house_ns: int
    rate: float = 0.0
    slew: float = 0.0
    slew_for_ns: int = 0

    def house_at(self, local_ns: int) -> int:
        """The house time (ns) at a local time (ns)."""
        passed_ns = local_ns - self.local_ns
        slewed_ns = min(max(passed_ns, 0), self.slew_for_ns)
        return self.house_ns + passed_ns + round(passed_ns * self.rate + slewed_ns * self.slew)

    def local_at(self, house_ns: int) -> int:
        """The local time (ns) at a house time (ns), to within one ns."""
        slewing_until_ns = self.house_at(self.local_ns + self.slew_for_ns)
        if self.slew_for_ns and self.house_ns < house_ns < slewing_until_ns:
            passed_ns = house_ns - self.house_ns
            rate = self.rate + self.slew
            start_ns = self.local_ns
        elif house_ns <= self.house_ns:
            passed_ns, rate, start_ns = house_ns - self.house_ns, self.rate, self.local_ns
        else:
            passed_ns, rate = house_ns - slewing_until_ns, self.rate
            start_ns = self.local_ns + self.slew_for_ns
        # passed / (1 + rate) without losing the last digits of a long time
        return start_ns + passed_ns - round(passed_ns * (rate / (1 + rate)))


def steered(h: HouseTime, *, local_ns: int, target_ns: int, rate: float) -> HouseTime:
    """House time from `local_ns` on, brought to `target_ns`: slewed, or stepped beyond 50 ms.

    rate: the rate to go on with. A slew is at most 500 ppm, so that 1 ms takes 2 s at least.
    Only a step can turn house time back.
    """
    here_ns = h.house_at(local_ns)
    error_ns = target_ns - here_ns
    if abs(error_ns) > STEP_BEYOND_NS:
        return HouseTime(local_ns, target_ns, rate)
    slew = min(max(error_ns / SLEW_OVER_NS, -LARGEST_SLEW), LARGEST_SLEW)
    slew_for_ns = round(error_ns / slew) if slew else 0
    return HouseTime(local_ns, here_ns, rate, slew, slew_for_ns)


def stepped(h: HouseTime, *, local_ns: int, by_ns: int) -> HouseTime:
    """House time moved by so many ns at once."""
    return replace(
        h, local_ns=local_ns, house_ns=h.house_at(local_ns) + by_ns, slew=0.0, slew_for_ns=0
    )
