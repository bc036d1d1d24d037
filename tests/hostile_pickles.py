"""The corpus of hostile pickles, gathered: what each file tries, what its refusal says, its bytes.

Each has to end in one CheckpointError of one line; nothing of it may run, be imported or opened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from tests.hostile_calls import CALLS
from tests.hostile_files import FILES
from tests.hostile_numbers import ARRAYS, NUMBERS, tensorflow_snapshot
from tests.hostile_streams import STREAMS
from tests.hostile_words import WORDS
from tests.legacy_files import snapshot, with_tensor


@dataclass(frozen=True)
class Hostile:
    """One file of the corpus."""

    tries: str  # what it would do to a careless reader
    says: str  # what the refusal must mention, so that it is refused for the reason that is meant
    data: Callable[[], bytes]


def _corpus() -> Mapping[str, Hostile]:
    found: list[tuple[str, Hostile]] = []
    for table in (CALLS, WORDS):
        for name, (tries, says, value) in table.items():
            found.append((name, Hostile(tries, says, partial(snapshot, extra=value))))
    for name, (tries, says, value) in NUMBERS.items():
        found.append((name, Hostile(tries, says, partial(with_tensor, value))))
    for name, (tries, says, value) in ARRAYS.items():
        found.append((name, Hostile(tries, says, partial(tensorflow_snapshot, value))))
    for streams in (STREAMS, FILES):
        for name, (tries, says, data) in streams.items():
            found.append((name, Hostile(tries, says, data)))
    corpus = dict(found)
    assert len(corpus) == len(found), "two files of the corpus share a name"
    return corpus


CORPUS = _corpus()
