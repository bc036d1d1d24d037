"""How much small work may be done after a frame, from what it was measured to take. Pure."""

from __future__ import annotations

from collections import deque
from statistics import median

REMEMBERED = 9  # measurements whose median is believed
LEARNING = 3  # measurements: those before it, which make things ready, are charged to nobody


class Allowance:
    """Pieces of work alike, all of which are done after a frame, or as many as fit into `most_ns`;
    and none after the next ones, until that is paid back by a share of each frame.

    Not a few after every frame: most of what the first one takes is that memory and code are cold.
    What is charged is the median of what they took lately: an interruption by another program is
    not their cost.
    """

    def __init__(self, share_ns: float, most_ns: float) -> None:
        """share_ns: of each frame, on average. most_ns: after one frame."""
        self._share_ns, self._most_ns = share_ns, most_ns
        self._left_ns = 0.0
        self._took_ns: deque[float] = deque(maxlen=REMEMBERED)  # a piece
        self._measured = 0

    def pieces(self, most: int) -> int:
        """Call it once a frame: how many to do now, 0 to `most`."""
        self._left_ns = min(self._left_ns, 0.0) + self._share_ns
        if self._left_ns <= 0 or not most:
            return 0
        if not self._took_ns:
            return 1
        return min(most, max(1, int(self._most_ns / median(self._took_ns))))

    def spent(self, pieces: int, took_ns: int) -> None:
        """So many were done, and took so long together."""
        self._measured += 1
        if self._measured < LEARNING:
            return
        self._took_ns.append(max(took_ns, 1) / pieces)
        self._left_ns -= pieces * median(self._took_ns)
