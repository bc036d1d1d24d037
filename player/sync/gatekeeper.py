"""What of the network is let in: sealing and opening datagrams, and proving who is no recording."""

from __future__ import annotations

import random
from collections.abc import Collection

from player.sync import messages, seal
from player.sync.messages import Hello, Message, MessageError, Welcome

# A stranger is asked for a proof at most this often (ns).
ASK_EVERY_NS = 100_000_000
# A node that has not been heard for so long (ns) is asked again: its clock drifts or is set, it may
# have been started anew, and when it must lead there is no time to prove anything.
ASK_AGAIN_NS = 10_000_000_000


class Gatekeeper:
    """One node's key, session and memory of the other nodes' sessions. Without a key all pass."""

    def __init__(
        self, name: str, others: Collection[str], key: bytes | None, rng: random.Random
    ) -> None:
        self._name = name
        self._others = frozenset(others)
        self._key = key
        self._rng = rng
        self._session = rng.getrandbits(60)
        self._sequence = 0
        self._known: dict[str, seal.Known] = {}
        self._heard_ns: dict[str, int] = {}  # when a datagram of theirs was last let in
        self._asked: dict[str, tuple[int, int]] = {}  # nonce, and when asked

    def encode(self, message: Message, local_ns: int) -> bytes:
        """The datagram of a message. Raises MessageError if a field is out of bounds."""
        data = messages.encode(message)
        if self._key is None:
            return data
        self._sequence += 1
        return seal.sealed(data, self._key, seal.Seal(self._session, self._sequence, local_ns))

    def admit(self, datagram: bytes, local_ns: int) -> tuple[Message | None, Message | None]:
        """(the message to obey, what to send back to where it came from); each may be None.

        Our own messages, come back by a broadcast, are passed over. Raises MessageError with a
        sentence for what is refused.
        """
        data, its_seal = seal.opened(datagram, self._key)
        message = messages.decode(data)
        if message.sender == self._name:
            return None, None
        if message.sender not in self._others:
            raise MessageError(f"from {message.sender[:40]!r}, which is no node of this show")
        if its_seal is None:
            if isinstance(message, Hello | Welcome):
                raise MessageError("a proof asked for without a key")
            return message, None
        if isinstance(message, Hello):
            return None, Welcome(self._name, message.nonce)
        if isinstance(message, Welcome):
            nonce, _ = self._asked.get(message.sender, (None, 0))
            if nonce != message.nonce:
                raise MessageError(f"a proof from {message.sender} that nobody asked for")
            del self._asked[message.sender]
            self._known[message.sender] = seal.proven(its_seal, local_ns)
            self._heard_ns[message.sender] = local_ns
            return None, None
        known, is_taken = seal.admitted(self._known.get(message.sender), its_seal, local_ns)
        if is_taken and known is not None:
            self._known[message.sender] = known
            self._heard_ns[message.sender] = local_ns
            return message, None
        if known is not None:
            raise MessageError(f"sent again, or too late, in the name of {message.sender}")
        return None, self._hello(message.sender, local_ns)

    def hellos(self, local_ns: int) -> list[tuple[str, Message]]:
        """For every node not known, or not heard of late, by name, the question for its proof."""
        if self._key is None:
            return []
        lately = {n for n, at in self._heard_ns.items() if 0 <= local_ns - at < ASK_AGAIN_NS}
        strangers = sorted(self._others - lately)
        asked = ((name, self._hello(name, local_ns)) for name in strangers)
        return [(name, hello) for name, hello in asked if hello is not None]

    def _hello(self, name: str, local_ns: int) -> Message | None:
        nonce, asked_ns = self._asked.get(name, (self._rng.getrandbits(60), None))
        if asked_ns is not None and 0 <= local_ns - asked_ns < ASK_EVERY_NS:
            return None
        self._asked[name] = (nonce, local_ns)
        return Hello(self._name, nonce)
