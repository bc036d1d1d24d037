"""Who may send to the operator's port, and how much of it. Times are handed in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Literal

Network = IPv4Network | IPv6Network
Verdict = Literal["admitted", "told", "dropped"]

MOST_SENDERS = 256
ANSWER_EVERY_NS = 1_000_000_000


class NetworkError(ValueError):
    """What was given is no network address; the text is a sentence for who starts the player."""


@dataclass(frozen=True)
class RateBound:
    """Messages that one sender may send. The default lets seven faders move at 60 a second.

    per_second: for as long as it likes. burst: at once, after a silence. Raises ValueError unless
    both are above 0.
    """

    per_second: int = 500
    burst: int = 1000

    def __post_init__(self) -> None:
        if min(self.per_second, self.burst) < 1:
            raise ValueError(f"a rate bound lets something through, not {self}")

    @property
    def interval_ns(self) -> int:
        return 1_000_000_000 // self.per_second


class Gate:
    """Judges packets by the host that they come from. Its memory is bounded: MOST_SENDERS.

    One time a host: when it will have no debt left, if it sends nothing more (ATM Forum, Traffic
    Management 4.0, generic cell rate algorithm). The host not heard for longest is forgotten first.
    """

    def __init__(self, allow: Sequence[Network] = (), rate: RateBound | None = None) -> None:
        """allow: the networks that are heard; none named: all."""
        self._allow = tuple(allow)
        self._rate = rate or RateBound()
        self._clear_at_ns: dict[str, int] = {}
        self._told_at_ns: dict[str, int] = {}

    def judge(self, host: str, now_ns: int) -> Verdict:
        """Of one message from this host. told: dropped, and it may be answered why."""
        if not self.allows(host):
            return "dropped"
        clear_at_ns = max(self._clear_at_ns.pop(host, now_ns), now_ns)
        if clear_at_ns - now_ns > (self._rate.burst - 1) * self._rate.interval_ns:
            self._clear_at_ns[host] = clear_at_ns
            return self._dropped(host, now_ns)
        self._clear_at_ns[host] = clear_at_ns + self._rate.interval_ns
        if len(self._clear_at_ns) > MOST_SENDERS:
            forgotten = next(iter(self._clear_at_ns))
            del self._clear_at_ns[forgotten]
            self._told_at_ns.pop(forgotten, None)
        return "admitted"

    def charge(self, host: str, messages: int) -> None:
        """What a packet just admitted held beyond its first message."""
        if messages > 0 and host in self._clear_at_ns:
            self._clear_at_ns[host] += messages * self._rate.interval_ns

    def reason(self) -> str:
        """Why a packet was dropped that may be answered."""
        return (
            f"too many messages: {self._rate.per_second} a second are read of one sender; "
            "what is more is left out"
        )

    def allows(self, host: str) -> bool:
        """Whether this host is heard at all, however much it sends."""
        return not self._allow or self._is_allowed(host)

    def _is_allowed(self, host: str) -> bool:
        try:
            address = ip_address(host)
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._allow)

    def _dropped(self, host: str, now_ns: int) -> Verdict:
        told_at_ns = self._told_at_ns.get(host)
        if told_at_ns is not None and now_ns - told_at_ns < ANSWER_EVERY_NS:
            return "dropped"
        self._told_at_ns[host] = now_ns
        return "told"


def network_of(text: str) -> Network:
    """An address or a network such as 192.168.7.0/24. Raises NetworkError with a sentence."""
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError as fault:
        raise NetworkError(
            f"{text!r} is no address and no network: {fault}. Write 192.168.7.20 or 192.168.7.0/24."
        ) from fault
