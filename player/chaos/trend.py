"""Whether memory grows: the slope of what a player takes, over its age. Pure.

A player that is killed begins anew, so time since the start of the test means nothing: each run of
a player has a level of its own (a fixed effect), and one slope is common to all. What a run takes
in its first minute, while caches fill, is left out. Neighbouring measurements are alike, which
would make the interval too narrow: it is widened for the correlation of neighbouring residuals (as
for a first-order autoregressive process, Bayley and Hammersley 1946).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

WARM_UP_S = 60.0
# 97.5 % quantile of Student's t for 1, 2, ... degrees of freedom (standard tables); beyond: normal
_T = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20, 2.18, 2.16, 2.14, 2.13)
_T_BEYOND = ((20, 2.09), (30, 2.04), (60, 2.00), (10**9, 1.96))


@dataclass(frozen=True)
class Measurement:
    """run: of the player, any number. age_s: since its start. value: in MB."""

    run: int
    age_s: float
    value: float


@dataclass(frozen=True)
class Slope:
    """per_hour, and its 95 % interval; None where too little was measured to say."""

    per_hour: float | None
    low: float | None
    high: float | None
    measurements: int
    runs: int

    @property
    def is_flat(self) -> bool | None:
        """Zero lies in the interval, or the growth is surely below 1 MB an hour; None: unknown."""
        if self.low is None or self.high is None:
            return None
        return self.low <= 0 or self.high < 1.0

    def as_dict(self) -> dict[str, float | int | bool | None]:
        return {**asdict(self), "is_flat": self.is_flat}


def slope(measured: Sequence[Measurement], warm_up_s: float = WARM_UP_S) -> Slope:
    """The common slope of all runs that were measured three times or more after their warm-up."""
    of_run: dict[int, list[Measurement]] = {}
    for one in measured:
        if one.age_s >= warm_up_s:
            of_run.setdefault(one.run, []).append(one)
    runs = [sorted(run, key=lambda one: one.age_s) for run in of_run.values() if len(run) >= 3]
    points = [point for run in runs for point in _centred(run)]
    spread = sum(age * age for age, _ in points)
    freedom = len(points) - len(runs) - 1
    if freedom < 2 or spread == 0:
        return Slope(None, None, None, len(points), len(runs))
    per_s = sum(age * value for age, value in points) / spread
    residuals = [[value - per_s * age for age, value in _centred(run)] for run in runs]
    squares = sum(residual**2 for run in residuals for residual in run)
    alike = _neighbours_alike(residuals, squares)
    effective = max(1.0, freedom * (1 - alike) / (1 + alike))
    error = math.sqrt(squares / freedom / spread * (freedom / effective))
    reach = _quantile(int(effective)) * error
    return Slope(
        round(per_s * 3600, 3),
        round((per_s - reach) * 3600, 3),
        round((per_s + reach) * 3600, 3),
        len(points),
        len(runs),
    )


def _centred(run: Sequence[Measurement]) -> list[tuple[float, float]]:
    """(age, value), each less its mean over the run."""
    age = sum(one.age_s for one in run) / len(run)
    value = sum(one.value for one in run) / len(run)
    return [(one.age_s - age, one.value - value) for one in run]


def _neighbours_alike(residuals: Sequence[Sequence[float]], squares: float) -> float:
    """Correlation of neighbouring residuals, 0 to 0.95."""
    if squares == 0:
        return 0.0
    pairs = sum(a * b for run in residuals for a, b in pairwise(run))
    return min(max(pairs / squares, 0.0), 0.95)


def _quantile(freedom: int) -> float:
    if freedom <= len(_T):
        return _T[max(freedom, 1) - 1]
    return next(quantile for upto, quantile in _T_BEYOND if freedom <= upto)
