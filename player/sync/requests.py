"""An operator's commands on their way to the leader: repeated until acknowledged, obeyed once."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field

from player.sync.messages import MAX_APPLIED, MAX_COMMAND_BYTES

MOST_WAITING = 64
FIRST_REPEAT_NS = 10_000_000
LONGEST_REPEAT_NS = 160_000_000
# A command that no leader took within this time (ns) is given up: late, it would surprise.
GIVEN_UP_AFTER_NS = 5_000_000_000
# A command taken is remembered so long (ns), in case its leader goes before anybody heard of it.
REMEMBERED_NS = 2_000_000_000

_HEXADECIMAL = re.compile(r"[0-9a-f]{1,16}")


class RequestError(Exception):
    """A command that cannot be passed on; str() is a sentence for the operator."""


@dataclass
class _Pending:
    text: str
    given_ns: int
    due_ns: int
    repeat_ns: int = FIRST_REPEAT_NS
    is_held: bool = False  # the present leader has it


@dataclass
class Outbox:
    """This node's own commands until they are known to be taken. Times are local ns."""

    rng: random.Random
    given_up: int = 0
    _pending: dict[int, _Pending] = field(default_factory=dict)

    def add(self, text: str, local_ns: int) -> int:
        """A command to send at once; its number. Raises RequestError if too long or too many."""
        size = len(text.encode("utf-8", "replace"))
        if size > MAX_COMMAND_BYTES or "\0" in text:
            raise RequestError(
                f"A command of {size} bytes is too long to pass on; at most {MAX_COMMAND_BYTES}."
            )
        if sum(not entry.is_held for entry in self._pending.values()) >= MOST_WAITING:
            raise RequestError(f"{MOST_WAITING} commands are waiting for a leader; wait a second.")
        number = self.rng.getrandbits(60)
        self._pending[number] = _Pending(text, local_ns, local_ns)
        return number

    def due(self, local_ns: int) -> list[tuple[int, str]]:
        """The commands to send now, by number; each again after 10, 20, 40 ... 160 ms."""
        self._forget(local_ns)
        ready: list[tuple[int, str]] = []
        for number, entry in self._pending.items():
            if not entry.is_held and entry.due_ns <= local_ns:
                entry.due_ns = local_ns + entry.repeat_ns
                entry.repeat_ns = min(2 * entry.repeat_ns, LONGEST_REPEAT_NS)
                ready.append((number, entry.text))
        return ready

    def next_due_ns(self) -> int | None:
        """When `due` next has something to send."""
        return min((e.due_ns for e in self._pending.values() if not e.is_held), default=None)

    def everything(self) -> list[tuple[int, str]]:
        """All that is remembered, taken or not, for when this node itself leads."""
        return [(number, entry.text) for number, entry in self._pending.items()]

    def held(self, number: int) -> None:
        """The present leader has this command."""
        if number in self._pending:
            self._pending[number].is_held = True

    def all_anew(self, local_ns: int) -> None:
        """There is another leader: as far as is known, it has none of them."""
        for entry in self._pending.values():
            entry.is_held = False
            entry.due_ns, entry.repeat_ns = local_ns, FIRST_REPEAT_NS

    def rebase(self, by_ns: int) -> None:
        """The local clock has jumped by so much."""
        for entry in self._pending.values():
            entry.given_ns += by_ns
            entry.due_ns += by_ns

    def _forget(self, local_ns: int) -> None:
        for number, entry in list(self._pending.items()):
            age_ns = local_ns - entry.given_ns
            if entry.is_held and age_ns > REMEMBERED_NS:
                del self._pending[number]
            elif age_ns > GIVEN_UP_AFTER_NS:
                del self._pending[number]
                self.given_up += 1


@dataclass
class Inbox:
    """The leader's queue of commands; one that comes twice is obeyed once."""

    _waiting: dict[int, str] = field(default_factory=dict)
    _taken: list[int] = field(default_factory=list)

    def add(self, number: int, text: str) -> bool:
        """Whether the command is in good hands: False only when the queue is full."""
        if number in self._waiting or number in self._taken:
            return True
        if len(self._waiting) >= MOST_WAITING:
            return False
        self._waiting[number] = text
        return True

    def has_some(self) -> bool:
        """Whether any wait."""
        return bool(self._waiting)

    def take(self) -> list[str]:
        """The waiting commands, oldest first."""
        texts = list(self._waiting.values())
        self._taken = [*self._taken, *self._waiting][-MAX_APPLIED:]
        self._waiting = {}
        return texts

    def drop(self) -> None:
        """This node leads no more: whoever gave these will send them to the next leader."""
        self._waiting = {}

    @property
    def applied(self) -> str:
        """The numbers taken latest, as a beacon carries them."""
        return " ".join(f"{number:x}" for number in self._taken)

    def learn(self, applied: str) -> tuple[int, ...]:
        """The numbers that a leader says it has taken; known here, too, from now on."""
        numbers = applied_numbers(applied)
        if numbers:
            new = [number for number in numbers if number not in self._taken]
            self._taken = [*self._taken, *new][-MAX_APPLIED:]
        return numbers


def applied_numbers(text: str) -> tuple[int, ...]:
    """The numbers in a beacon's `applied`; what is no number is passed over."""
    words = text.split()[:MAX_APPLIED]
    return tuple(int(word, 16) for word in words if _HEXADECIMAL.fullmatch(word))
