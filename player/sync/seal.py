"""An optional shared key: every datagram sealed, and no recording of one taken for it.

A sealed datagram is an OSC bundle of two messages, the message itself and then
`/sync/seal session sequence sent_ns mac`: HMAC-SHA256 (RFC 2104) over every byte before the mac.
session is drawn at random at each start of a node, sequence counts its datagrams, and sent_ns is
its local time. There is no wall clock to trust, so a session counts only once its node has sent a
fresh nonce back (`Hello`, `Welcome`); from then on a sequence counts once, and its time must be
within five seconds of what the sender's clock should say.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, replace
from pathlib import Path

from player.osc import packets as osc_packets
from player.sync.messages import MessageError

TIME_WINDOW_NS = 5_000_000_000
# Datagrams overtake each other: so many sequence numbers back are still taken, once each.
SEQUENCE_WINDOW = 256
SHORTEST_KEY_BYTES = 16
_SEAL = "/sync/seal"
_MAC_CHARS = 64
_MAC_PADDED = _MAC_CHARS + 4  # OSC ends a text with zeros, up to a multiple of four
_BUNDLE = b"#bundle\0"


class KeyFileError(Exception):
    """The shared key cannot be used; str() is the sentence."""


@dataclass(frozen=True)
class Seal:
    """What a seal says. session: of the sender's start; sent_ns: the sender's local time."""

    session: int
    sequence: int
    sent_ns: int


@dataclass(frozen=True)
class Known:
    """What is remembered of a sender whose session was proven.

    ahead_ns: its local time less ours. newest: its highest sequence; seen: bit n set when
    `newest - n` has been taken.
    """

    session: int
    ahead_ns: int
    newest: int
    seen: int


def read_key(path: Path) -> bytes:
    """The key in a file: everything but the white space at its ends. Raises KeyFileError."""
    try:
        with path.open("rb") as file:
            key = file.read(4097).strip()
    except OSError as fault:
        raise KeyFileError(f"The key of clock sync cannot be read: {fault}.") from fault
    if not SHORTEST_KEY_BYTES <= len(key) <= 4096:
        raise KeyFileError(
            f"The key of clock sync in {path} must have 16 to 4096 bytes, it has {len(key)}: make "
            "one with `python -c 'import secrets; print(secrets.token_hex(32))'`, the same for "
            "every node."
        )
    return key


def sealed(message: bytes, key: bytes, seal: Seal) -> bytes:
    """A datagram of a message and its seal."""
    numbers = [seal.session, seal.sequence, seal.sent_ns]
    blank = osc_packets.encode_message(_SEAL, "hhhs", [*numbers, "0" * _MAC_CHARS])
    body = osc_packets.encode_bundle([message, blank])[:-_MAC_PADDED]
    return body + _mac(key, body)


def opened(datagram: bytes, key: bytes | None) -> tuple[bytes, Seal | None]:
    """The message of a datagram, and its seal where there is a key. Raises MessageError.

    Nothing of a datagram is looked at before its seal is found to be right.
    """
    is_bundle = datagram.startswith(_BUNDLE)
    if key is None:
        if is_bundle:
            raise MessageError("sealed with a key, and this node has none (sync.key_file)")
        return datagram, None
    if not is_bundle or len(datagram) > osc_packets.MAX_PACKET_BYTES:
        raise MessageError("not sealed, and this node has a key (sync.key_file)")
    body, mac = datagram[:-_MAC_PADDED], datagram[-_MAC_PADDED:]
    if not hmac.compare_digest(mac, _mac(key, body)):
        raise MessageError("sealed with another key, or changed on the way")
    try:
        parts = osc_packets.bundle_elements(datagram)
        last = osc_packets.decode_packet(parts[-1])[0]
    except (osc_packets.PacketError, IndexError) as fault:
        raise MessageError("a seal around nothing") from fault
    numbers = [value for value in last.arguments[:3] if type(value) is int]
    if len(parts) != 2 or last.address != _SEAL or len(numbers) != 3:
        raise MessageError("a seal that says nothing")
    return parts[0], Seal(*numbers)


def proven(seal: Seal, local_ns: int) -> Known:
    """What to remember of a sender whose fresh answer came under this seal: all before is old."""
    seen = (1 << SEQUENCE_WINDOW) - 1
    return Known(seal.session, seal.sent_ns - local_ns, seal.sequence, seen)


def admitted(known: Known | None, seal: Seal, local_ns: int) -> tuple[Known | None, bool]:
    """Whether to take a datagram, and what to remember of its sender then.

    (None, False): its session or its time is not to be believed; ask for a proof.
    (known, False): taken once already, or too old.
    """
    if known is None or seal.session != known.session:
        return None, False
    ahead_ns = seal.sent_ns - local_ns
    if abs(ahead_ns - known.ahead_ns) > TIME_WINDOW_NS:
        return None, False
    newer_by = seal.sequence - known.newest
    if newer_by > 0:
        seen = (known.seen << min(newer_by, SEQUENCE_WINDOW)) | 1
        seen &= (1 << SEQUENCE_WINDOW) - 1
        return Known(known.session, ahead_ns, seal.sequence, seen), True
    if -newer_by >= SEQUENCE_WINDOW or known.seen >> -newer_by & 1:
        return known, False
    return replace(known, seen=known.seen | 1 << -newer_by), True


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac.new(key, body, hashlib.sha256).hexdigest().encode("ascii") + b"\0\0\0\0"
