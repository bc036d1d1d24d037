"""The order in which a run shows its pictures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class Sampler:
    """Shuffled passes over `count` pictures; the order follows from (seed, pictures drawn) alone,
    so a resumed run goes on where the other stopped."""

    def __init__(self, count: int, seed: int) -> None:
        """Raises ValueError for a negative seed or when there are no pictures."""
        if seed < 0 or count < 1:
            raise ValueError(f"a seed of {seed} and {count} pictures cannot be shuffled")
        self.count, self.seed = count, seed
        self._pass = -1
        self._order: NDArray[np.int64] = np.empty(0, np.int64)

    def indices(self, start: int, n: int) -> NDArray[np.int64]:
        """The n indices that follow the first `start` ones: int64 [n]."""
        chosen = []
        for position in range(start, start + n):
            number, place = divmod(position, self.count)
            if number != self._pass:
                rng = np.random.Generator(np.random.Philox([self.seed, number]))
                self._pass, self._order = number, rng.permutation(self.count)
            chosen.append(self._order[place])
        return np.array(chosen, np.int64)


class EmphasisSampler:
    """Two sets of pictures in turns, the second of which comes as often as asked for.

    Indices below `count` are of the first set, the others of the second. As above, the order
    follows from (seed, pictures drawn) alone.
    """

    def __init__(self, count: int, emphasised: int, share: float, seed: int) -> None:
        """share: of all that is shown, what is of the second set, 0 to below 1. Raises ValueError
        for another share, and as Sampler does."""
        if not 0 <= share < 1:
            raise ValueError(f"a share of {share} leaves nothing for the other pictures")
        self._first, self._second = Sampler(count, seed), Sampler(emphasised, seed)
        self._count, self._share = count, share

    def indices(self, start: int, n: int) -> NDArray[np.int64]:
        """The n indices that follow the first `start` ones: int64 [n]."""
        chosen = []
        for position in range(start, start + n):
            earlier = int(position * self._share)
            if int((position + 1) * self._share) > earlier:
                chosen.append(self._count + int(self._second.indices(earlier, 1)[0]))
            else:
                chosen.append(int(self._first.indices(position - earlier, 1)[0]))
        return np.array(chosen, np.int64)
