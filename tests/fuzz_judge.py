"""What came of one mutated pickle: read, refused, or a finding.

Allowed are an object, or the error that the door promises. Everything else is a finding: another
exception, more than 5 seconds, more than 2 GB, or any audit event (import, exec, compile, open,
process, socket, ...), since these doors are given bytes and have nothing to open.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from generator.errors import CheckpointError
from generator.legacy.generators import config_from_arguments, generator_of
from generator.legacy.reader import LegacyPickleError, read_legacy_bytes
from tests.watched import Watch

MOST_SECONDS = 5.0  # wall clock, so that waiting counts too
MOST_BYTES = 2 * 2**30
NAME = "mutant.pkl"
GENERATOR_EVERY = (
    4  # one readable input in so many is also built, which costs several times as much
)

Door = Callable[[bytes, bool], str]  # the bytes, and whether to go all the way: how far it came


class TooSlow(BaseException):
    """Raised by the timer; not an Exception, so that no handler of the reader takes it for its."""


@dataclass(frozen=True)
class Outcome:
    """kind: a word to count. finding: what was wrong, or None. seconds: wall clock."""

    kind: str
    finding: str | None
    seconds: float


def reader(data: bytes, whole_way: bool) -> str:
    """The doors under test, one behind the other: bytes, networks, configuration, generator."""
    try:
        snapshot = read_legacy_bytes(data, NAME)
    except LegacyPickleError as error:
        return "refused by the reader" if _is_sentence(error) else _broken(error)
    try:
        if whole_way:
            generator_of(snapshot, Path(NAME))
            return "a generator"
        config_from_arguments(snapshot.networks["G_ema"].init_kwargs, Path(NAME))
        return "a configuration"
    except CheckpointError as error:
        return "refused by the generator" if _is_sentence(error) else _broken(error)


def _is_sentence(error: Exception) -> bool:
    text = str(error)
    return text.startswith(NAME) and text.isprintable() and len(text) <= 1000


def _broken(error: Exception) -> str:
    raise AssertionError(f"the error is no sentence of one line: {ascii(str(error))[:300]}")


class Judge:
    """Judges inputs in this process, whose audit hook and alarm it takes for itself."""

    def __init__(self, door: Door = reader, most_seconds: float = MOST_SECONDS) -> None:
        self.door = door
        self.most_seconds = most_seconds
        self.watch = Watch()
        signal.signal(signal.SIGALRM, self._too_slow)

    def judge(self, data: bytes, *, whole_way: bool) -> Outcome:
        begin = time.perf_counter()
        kind, finding = "finding", None
        try:
            signal.setitimer(signal.ITIMER_REAL, self.most_seconds)
            try:
                with self.watch.over() as events:
                    kind = self.door(data, whole_way)
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except TooSlow:
            finding = f"more than {self.most_seconds} seconds"
        except MemoryError:
            finding = f"more than {MOST_BYTES} bytes of memory"
        except Exception as error:  # noqa: BLE001  # any other is what is looked for
            finding = f"{type(error).__name__}: {ascii(str(error))[:300]}"
        if finding is None and events:
            finding = "audit events: " + "; ".join(events[:5])
        return Outcome("finding" if finding else kind, finding, seconds=time.perf_counter() - begin)

    def _too_slow(self, *_: object) -> None:
        raise TooSlow
