"""When a leader speaks: beacons ten times a second, cues five times within 120 ms. Local ns."""

from __future__ import annotations

from player.sync.states import State

BEACON_EVERY_NS = 100_000_000
REPEATS_NS = (0, 20_000_000, 40_000_000, 80_000_000, 120_000_000)


class Announcements:
    """What is still to be said, and when."""

    def __init__(self) -> None:
        self._beacons_ns: list[int] = []
        self._cues: list[tuple[int, State]] = []

    def begin(self, local_ns: int) -> None:
        """This node leads: the first beacons come as close together as a cue's."""
        self._beacons_ns = [local_ns + after_ns for after_ns in REPEATS_NS]
        self._cues = []

    def end(self) -> None:
        """It leads no more: nothing is to be said."""
        self._beacons_ns, self._cues = [], []

    def add(self, state: State, local_ns: int) -> None:
        """A new state, to be told at once and four times more."""
        self._cues += [(local_ns + after_ns, state) for after_ns in REPEATS_NS]

    def next_due_ns(self) -> int | None:
        """When there is something to say."""
        return min([*self._beacons_ns, *(due for due, _ in self._cues)], default=None)

    def is_beacon_due(self, local_ns: int) -> bool:
        """Whether to send a beacon now; asks for the next one."""
        later = [due for due in self._beacons_ns if due > local_ns]
        if len(later) == len(self._beacons_ns):
            return False
        self._beacons_ns = later or [local_ns + BEACON_EVERY_NS]
        return True

    def due_cues(self, local_ns: int) -> list[State]:
        """The states to tell now, each once."""
        due = dict.fromkeys(state for at, state in self._cues if at <= local_ns)
        self._cues = [(at, state) for at, state in self._cues if at > local_ns]
        return list(due)

    def rebase(self, by_ns: int, local_ns: int) -> None:
        """The local clock has jumped by so much, to here."""
        self._beacons_ns = [local_ns] if self._beacons_ns else []
        self._cues = [(due + by_ns, state) for due, state in self._cues]
