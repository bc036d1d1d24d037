"""What player and film process tell each other in words: which films there are, which of them fail.

A block of shared memory with a text for each direction. Each side writes its own and reads the
other's; a reader takes a text only if its number was the same before and after (as in
`player/live/frame_ring.py`, and as there stores must be seen in their order).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np

from player.live.shared_segment import Segment, segment_name

_HEADER_BYTES = 4096
_PATHS = (0, _HEADER_BYTES, 448 << 10)  # first header word, offset, most bytes
_FAULTS = (16, _HEADER_BYTES + _PATHS[2], 60 << 10)
BOARD_BYTES = 512 << 10
_BEGIN, _END, _LENGTH = range(3)
_SENTENCE_CHARS = 500


class FilmBoard:
    """One end of it. `number` of a film: its place in the list of paths, which only grows."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self._words = np.ndarray((_HEADER_BYTES // 8,), np.int64, segment.memory)
        self._bytes = np.ndarray((BOARD_BYTES,), np.uint8, segment.memory)

    @classmethod
    def create(cls) -> FilmBoard:
        """The player's end. Raises SegmentError."""
        return cls(Segment.create(segment_name(0), BOARD_BYTES))

    @classmethod
    def attach(cls, name: str) -> FilmBoard:
        """The film process's end. Raises SegmentError."""
        return cls(Segment.attach(name, BOARD_BYTES))

    @property
    def name(self) -> str:
        """By which the other end attaches."""
        return self._segment.name

    def set_paths(self, paths: Sequence[str]) -> bool:
        """The player's: one path for each number, empty where there is no film any more. False
        if they are too many to be told: then the earlier ones stand."""
        return self._put(_PATHS, json.dumps(list(paths)))

    def paths(self, newer_than: int) -> tuple[int, list[str]] | None:
        """The paths with their version; None if there are none newer."""
        found = self._get(_PATHS, newer_than)
        return None if found is None else (found[0], [str(path) for path in json.loads(found[1])])

    def set_faults(self, faults: Mapping[int, str]) -> None:
        """The film process's: why which films cannot be played now, by number."""
        told = {str(number): text[:_SENTENCE_CHARS] for number, text in faults.items()}
        while not self._put(_FAULTS, json.dumps(told)):
            told.popitem()

    def faults(self, newer_than: int) -> tuple[int, dict[int, str]] | None:
        """The faults with their version; None if there are none newer."""
        found = self._get(_FAULTS, newer_than)
        if found is None:
            return None
        return found[0], {int(number): str(text) for number, text in json.loads(found[1]).items()}

    def close(self) -> None:
        """Let go of the memory; the player's end takes its name away too."""
        del self._words, self._bytes
        self._segment.close()

    def _put(self, room: tuple[int, int, int], text: str) -> bool:
        word, offset, most = room
        content = text.encode()
        if len(content) > most:
            return False
        version = int(max(self._words[word + _BEGIN], self._words[word + _END])) + 1
        self._words[word + _BEGIN] = version
        self._words[word + _LENGTH] = len(content)
        self._bytes[offset : offset + len(content)] = np.frombuffer(content, np.uint8)
        self._words[word + _END] = version
        return True

    def _get(self, room: tuple[int, int, int], newer_than: int) -> tuple[int, str] | None:
        word, offset, most = room
        version, length = int(self._words[word + _END]), int(self._words[word + _LENGTH])
        if version <= newer_than or not 0 <= length <= most:
            return None
        content = self._bytes[offset : offset + length].tobytes()
        if int(self._words[word + _BEGIN]) != version:
            return None
        return version, content.decode()
