"""How long a supervisor waits for a sign of life, and how soon it starts the player again. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

# A single look accounts for no more silence than this: if the supervisor itself was held up for
# longer (a suspended or overloaded machine, Ctrl-Z), the player was too.
LONGEST_LOOK_NS = 500_000_000
_MAX_DOUBLINGS = 32


@dataclass(frozen=True)
class Patience:
    """Seconds. first_picture_s: from the start to the first picture; beat_s: between two signs of
    shown pictures; first_pause_s: before the first restart, doubled with each further failure up
    to longest_pause_s; healthy_s: after showing pictures for so long, failures are forgotten. Not
    longer: a pause spares the machine a crash loop at start, and else only lengthens the dark."""

    first_picture_s: float = 60.0
    beat_s: float = 2.0
    first_pause_s: float = 0.1
    longest_pause_s: float = 10.0
    healthy_s: float = 5.0

    def __post_init__(self) -> None:
        """Raises ValueError for a time below 0."""
        for name, value in vars(self).items():
            if not value >= 0:
                raise ValueError(f"{name} must be 0 or more seconds, not {value}")


@dataclass(frozen=True)
class Life:
    """What has been seen of one run of the player: watched time, in ns."""

    looked_ns: int  # time of the last look
    starting_ns: int = 0  # before its first sign
    showing_ns: int = 0  # since its first sign
    silent_ns: int = 0  # since its last sign
    has_shown: bool = False


def looked(life: Life, now_ns: int, *, beats: int) -> Life:
    """The life after one more look at `now_ns`, which found `beats` signs since the last one."""
    step_ns = min(max(now_ns - life.looked_ns, 0), LONGEST_LOOK_NS)
    if not life.has_shown and not beats:
        return replace(life, looked_ns=now_ns, starting_ns=life.starting_ns + step_ns)
    return replace(
        life,
        looked_ns=now_ns,
        showing_ns=life.showing_ns + step_ns if life.has_shown else 0,
        silent_ns=0 if beats else life.silent_ns + step_ns,
        has_shown=True,
    )


def complaint(life: Life, patience: Patience) -> str | None:
    """Why this player should be ended, as part of a sentence; None: let it be."""
    if not life.has_shown:
        if life.starting_ns > patience.first_picture_s * 1e9:
            return f"showed no picture within {patience.first_picture_s:g} s of its start"
        return None
    if life.silent_ns > patience.beat_s * 1e9:
        return f"showed no new picture for {patience.beat_s:g} s"
    return None


@dataclass(frozen=True)
class Failures:
    """in_a_row: lives that ended before they were healthy; unseen: ... before any picture."""

    in_a_row: int = 0
    unseen: int = 0


def after(failures: Failures, life: Life, patience: Patience) -> Failures:
    """The failures, once this life has failed as well."""
    is_healthy = life.showing_ns >= patience.healthy_s * 1e9 and life.has_shown
    return Failures(
        in_a_row=1 if is_healthy else failures.in_a_row + 1,
        unseen=0 if life.has_shown else failures.unseen + 1,
    )


def pause_s(failures: Failures, patience: Patience) -> float:
    """Seconds to wait before the next start, after at least one failure."""
    doublings = min(max(failures.in_a_row - 1, 0), _MAX_DOUBLINGS)
    return float(min(patience.first_pause_s * 2**doublings, patience.longest_pause_s))
