"""The states of the show that nodes agree on: each a text and the tick it takes effect on."""

from __future__ import annotations

from dataclasses import dataclass

KEPT = 16


@dataclass(frozen=True)
class State:
    """version: counts states over all leaders. epoch, leader: who said so (place in the list)."""

    version: int
    effective_tick: int
    text: str
    epoch: int
    leader: int


@dataclass(frozen=True)
class States:
    """The newest states by version, oldest first."""

    entries: tuple[State, ...] = ()

    @property
    def newest(self) -> State | None:
        """The one of the highest version."""
        return self.entries[-1] if self.entries else None

    def at(self, tick: int) -> State | None:
        """The newest that is in effect on a tick; before all of them, the first that will be."""
        for state in reversed(self.entries):
            if state.effective_tick <= tick:
                return state
        return min(self.entries, key=lambda state: state.effective_tick, default=None)


def with_state(states: States, new: State) -> States:
    """One more state. What another leader said of this version or later ones is forgotten."""
    kept = [
        state
        for state in states.entries
        if state.version < new.version
        or (state.version > new.version and (state.epoch, state.leader) == (new.epoch, new.leader))
    ]
    entries = sorted([*kept, new], key=lambda state: state.version)
    return States(tuple(entries[-KEPT:]))
