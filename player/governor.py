"""What quality the deadline allows: a pure function of what each tick measured.

A ladder of five rungs: every frame made, every 2nd, every 3rd, every 3rd at half size, films. One
rung holds for all screens. Down it goes within two seconds, straight to the first rung that fits;
up one rung at a time and slowly. docs/decisions/0006-the-governor.md says why these numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

TOO_HIGH, LOW_ENOUGH = 0.95, 0.88  # loads: above the one down, up where it would be below the other
OVER_MS = 1000.0  # so long too high, and down
SETTLE_MS = 1000.0  # after a change, and after a worker's start, nothing is judged
WINDOW_MS = 2000.0  # ... in which
MOST_MISSED = 0.10  # ... so large a share of ticks may miss their picture, before it goes down
MISSES_IN_GOOD_TIMES = 1  # ... and so many ticks, while it waits to go up
FIRST_WAIT_MS, LONGEST_WAIT_MS = 10_000.0, 160_000.0  # before a step up
TAKEN_BACK_MS = 30_000.0  # a step down so soon after one up doubles the wait
FORGIVEN_MS = 600_000.0  # so long without a step down, and the wait is the first again
AVERAGE_MS = 1000.0  # time constant of the average of render times
HALF_IS_FASTER = 3.0  # times, until measured
MOST_FASTER = 6.0  # what may be believed of it


@dataclass(frozen=True)
class Level:
    """Every stride-th frame is synthesised, at 1/divisor of the side. film: films are shown, and
    the engine goes on at this stride and size so that its time stays known."""

    stride: int = 1
    divisor: int = 1
    film: bool = False


@dataclass(frozen=True)
class Measured:
    """Of one tick. render_ms: usual time of one request at the present level, 0 if unknown.

    missed: live had not the picture due on this tick. ready: the engine works. can_halve: pictures
    of half the side match the full ones. has_film: there are films to show.
    """

    frame_ms: float
    render_ms: float
    missed: bool
    ready: bool
    can_halve: bool
    has_film: bool


_EVERY, _SECOND, _THIRD, _HALF, _FILM = range(5)
_LEVELS = (Level(), Level(2), Level(3), Level(3, 2))


@dataclass(frozen=True)
class Governor:
    """Where on the ladder it stands, and why. Times in ms, counted in ticks."""

    reason: str  # a sentence: why the level is what it is
    rung: int = _EVERY
    probes_half: bool = False  # on the films' rung: at which size the engine goes on
    render_ms: float = 0.0  # average at the present size, 0: unknown
    faster: float = HALF_IS_FASTER  # by which a picture of half the side takes less time
    other_ms: float = 0.0  # the average at the other size, when it was left; 0: compared or unknown
    misses: int = 0  # one bit for each tick of the window, the lowest for the last one
    settled_ms: float = 0.0  # since the last change or start of the worker, ready all the time
    over_ms: float = 0.0  # how long the load has been too high
    good_ms: float = 0.0  # how long the rung above would have fitted
    wait_ms: float = FIRST_WAIT_MS  # so long it must, before a step up
    since_up_ms: float = FORGIVEN_MS
    since_down_ms: float = FORGIVEN_MS

    @classmethod
    def opening(cls) -> Governor:
        """Before the first tick: every frame, until something speaks against it."""
        return cls("It is the opening: nothing speaks against full quality yet.")

    @property
    def level(self) -> Level:
        """What is asked of the engine, and whether films are shown."""
        if self.rung == _FILM:
            return replace(_LEVELS[_HALF if self.probes_half else _THIRD], film=True)
        return _LEVELS[self.rung]


def governed(governor: Governor, measured: Measured) -> Governor:
    """The governor of the next tick. A level that differs from the last one is a decision."""
    governor = _on_a_rung_there_is(_passed(governor, measured), measured)
    if not measured.ready:
        return replace(governor, settled_ms=0.0, over_ms=0.0, good_ms=0.0, misses=0)
    governor = replace(governor, settled_ms=governor.settled_ms + measured.frame_ms)
    if governor.settled_ms <= SETTLE_MS:
        return governor
    governor = _counted(_averaged(governor, measured), measured)
    missed, window = governor.misses.bit_count(), _window_ticks(measured)
    ladder = _ladder(measured)
    lower = [rung for rung in ladder if rung > governor.rung]
    higher = [rung for rung in ladder if rung < governor.rung]
    if lower and (governor.over_ms >= OVER_MS or missed > MOST_MISSED * window):
        why = f"{missed} of the last {window} frames were not there in time."
        if governor.over_ms > 0:
            why = _too_slow(governor, measured)
        return _moved(governor, _fitting(governor, lower, measured), measured, why)
    if higher and governor.good_ms >= governor.wait_ms:
        why = f"For {governor.good_ms / 1000:.0f} s there has been time for more."
        return _moved(governor, higher[-1], measured, why)
    return governor


def describe(level: Level) -> str:
    """In words, as in "every 2nd frame, blended"."""
    if level.film:
        return "films"
    if level.stride == 1:
        return "every frame" if level.divisor == 1 else f"every frame at {_size(level)}"
    ordinal = {2: "2nd", 3: "3rd"}.get(level.stride, f"{level.stride}th")
    size = "" if level.divisor == 1 else f" at {_size(level)}"
    return f"every {ordinal} frame{size}, blended"


def _size(level: Level) -> str:
    return "half size" if level.divisor == 2 else f"1/{level.divisor} of the size"


def _ladder(measured: Measured) -> list[int]:
    """The rungs there are, best first."""
    half = [_HALF] if measured.can_halve else []
    return [_EVERY, _SECOND, _THIRD, *half, *([_FILM] if measured.has_film else [])]


def _passed(governor: Governor, measured: Measured) -> Governor:
    since_up_ms = min(governor.since_up_ms + measured.frame_ms, FORGIVEN_MS)
    since_down_ms = min(governor.since_down_ms + measured.frame_ms, FORGIVEN_MS)
    wait_ms = FIRST_WAIT_MS if since_down_ms >= FORGIVEN_MS else governor.wait_ms
    return replace(governor, since_up_ms=since_up_ms, since_down_ms=since_down_ms, wait_ms=wait_ms)


def _on_a_rung_there_is(governor: Governor, measured: Measured) -> Governor:
    """Off a rung that has gone; and on the films' rung, the probe at the size that is next."""
    ladder = _ladder(measured)
    if governor.rung not in ladder:
        lower = [rung for rung in ladder if rung > governor.rung]
        gone = "Films are" if governor.rung == _FILM else "The half size is"
        return _moved(governor, (lower or ladder)[-1], measured, f"{gone} not to be had any more.")
    if governor.rung == _FILM and governor.probes_half != measured.can_halve:
        return _moved(governor, _FILM, measured, governor.reason)
    return governor


def _averaged(governor: Governor, measured: Measured) -> Governor:
    """The average after one more render time; the first at a size sets it."""
    if measured.render_ms <= 0:
        return governor
    if governor.render_ms <= 0:
        return replace(governor, render_ms=measured.render_ms)
    share = min(measured.frame_ms / AVERAGE_MS, 1.0)
    render_ms = governor.render_ms + share * (measured.render_ms - governor.render_ms)
    governor = replace(governor, render_ms=render_ms)
    if governor.other_ms and governor.settled_ms >= SETTLE_MS + AVERAGE_MS:
        halved = governor.level.divisor == 2
        ratio = governor.other_ms / render_ms if halved else render_ms / governor.other_ms
        return replace(governor, faster=min(max(ratio, 1.0), MOST_FASTER), other_ms=0.0)
    return governor


def _counted(governor: Governor, measured: Measured) -> Governor:
    window = _window_ticks(measured)
    misses = ((governor.misses << 1) | measured.missed) & ((1 << window) - 1)
    step_ms = measured.frame_ms
    is_over = _load(governor, governor.rung, measured) > TOO_HIGH
    higher = [rung for rung in _ladder(measured) if rung < governor.rung]
    is_good = (
        bool(higher)
        and governor.render_ms > 0
        and _load(governor, higher[-1], measured) < LOW_ENOUGH
        and misses.bit_count() <= MISSES_IN_GOOD_TIMES
    )
    return replace(
        governor,
        misses=misses,
        over_ms=governor.over_ms + step_ms if is_over else 0.0,
        good_ms=governor.good_ms + step_ms if is_good else 0.0,
    )


def _load(governor: Governor, rung: int, measured: Measured) -> float:
    """Share of the engine's time that a rung takes, as far as is known; 0 where nothing is."""
    halves = rung == _HALF or (rung == _FILM and measured.can_halve)
    render_ms, halved = governor.render_ms, governor.level.divisor == 2
    if halves and not halved:
        render_ms /= governor.faster
    if halved and not halves:
        render_ms *= governor.faster
    return render_ms / (_LEVELS[min(rung, _HALF)].stride * measured.frame_ms)


def _fitting(governor: Governor, rungs: list[int], measured: Measured) -> int:
    """The best of these rungs that is not too slow either; films always fit."""
    fits = (rung for rung in rungs if rung == _FILM or _load(governor, rung, measured) <= TOO_HIGH)
    return next(fits, rungs[-1])


def _moved(governor: Governor, rung: int, measured: Measured, reason: str) -> Governor:
    """On another rung, everything to be judged anew."""
    up, down = rung < governor.rung, rung > governor.rung
    wait_ms = governor.wait_ms
    if down and governor.since_up_ms < TAKEN_BACK_MS:
        wait_ms = min(2 * wait_ms, LONGEST_WAIT_MS)
        reason += f" The next step up waits {wait_ms / 1000:.0f} s."
    moved = replace(
        governor,
        reason=reason,
        rung=rung,
        probes_half=measured.can_halve,
        misses=0,
        settled_ms=0.0,
        over_ms=0.0,
        good_ms=0.0,
        wait_ms=wait_ms,
        since_up_ms=0.0 if up else FORGIVEN_MS if down else governor.since_up_ms,
        since_down_ms=0.0 if down else governor.since_down_ms,
    )
    if moved.level.divisor != governor.level.divisor:
        return replace(moved, render_ms=0.0, other_ms=governor.render_ms)
    return moved


def _too_slow(governor: Governor, measured: Measured) -> str:
    there_are_ms = governor.level.stride * measured.frame_ms
    return f"The engine takes {governor.render_ms:.1f} ms where there are {there_are_ms:.1f} ms."


def _window_ticks(measured: Measured) -> int:
    return max(1, round(WINDOW_MS / measured.frame_ms))
