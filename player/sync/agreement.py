"""Whether all nodes play the same: the show by its hash, the latents by a checksum now and then."""

from __future__ import annotations

from collections.abc import Sequence

# So many of a node's latest checksums are kept, to be compared when another's arrive.
KEPT = 32
NO_TICK = -1


class Agreement:
    """One node's own hash and checksums, and how the other nodes' differ from them."""

    def __init__(self, names: Sequence[str], show_hash: str) -> None:
        self._names = tuple(names)
        self._show_hash = show_hash
        self._own: dict[int, str] = {}
        self._theirs: list[tuple[int, str]] = [(NO_TICK, "")] * len(self._names)
        self._shows = [show_hash] * len(self._names)
        self._latents = [""] * len(self._names)  # what differs, empty: nothing

    @property
    def newest(self) -> tuple[int, str]:
        """Our latest checksum and its tick; (-1, "") before the first."""
        tick = max(self._own, default=NO_TICK)
        return tick, self._own.get(tick, "")

    def report(self, tick: int, checksum: str) -> None:
        """The checksum of this node's latents on a tick."""
        self._own[tick] = checksum
        for old in sorted(self._own)[:-KEPT]:
            del self._own[old]
        for place in range(len(self._names)):
            self._compare(place)

    def heard(self, place: int, show_hash: str, tick: int, checksum: str) -> bool:
        """What another node says of itself; whether it plays our show."""
        self._shows[place] = show_hash
        if show_hash == self._show_hash:
            self._theirs[place] = (tick, checksum)
            self._compare(place)
        return show_hash == self._show_hash

    def differences(self) -> list[str]:
        """A sentence's part for each node that differs from this one, and in what."""
        told: list[str] = []
        for place, name in enumerate(self._names):
            if self._shows[place] != self._show_hash:
                theirs, ours = self._shows[place][:12], self._show_hash[:12]
                told.append(f"{name} plays another show ({theirs}, here {ours})")
            elif self._latents[place]:
                told.append(f"{name} computes other latents ({self._latents[place]})")
        return told

    def _compare(self, place: int) -> None:
        tick, checksum = self._theirs[place]
        own = self._own.get(tick)
        if tick != NO_TICK and own is not None:
            is_same = checksum == own
            self._latents[place] = (
                "" if is_same else f"tick {tick}: {checksum[:12]}, here {own[:12]}"
            )
