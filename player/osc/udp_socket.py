"""A bound UDP socket, or a sentence that says who has the port. No port is ever hopped over."""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass

from player.osc.port_holder import udp_port_holder


class UdpPortError(Exception):
    """A UDP port cannot be opened; str() is a sentence for the person who starts the show."""


@dataclass(frozen=True)
class PortUse:
    """Words for the sentence: what listens, and where its port and host are chosen."""

    what: str
    port_from: str
    host_from: str


def bound_udp_socket(
    host: str, port: int, use: PortUse, *, family: socket.AddressFamily = socket.AF_UNSPEC
) -> socket.socket:
    """A non-blocking socket that listens; port 0: one that the system chooses.

    Raises UdpPortError naming the port, and the program that holds it where that can be known.
    """
    if not 0 <= port <= 65535:
        raise UdpPortError(
            f"{use.what} cannot listen on port {port}: {use.port_from} takes 1 to 65535"
        )
    try:
        found = socket.getaddrinfo(
            host, port, family=family, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE
        )
        found_family, kind, protocol, _, where = found[0]
        opened = socket.socket(found_family, kind, protocol)
    except (OSError, UnicodeError) as fault:
        raise UdpPortError(
            f"{use.what} cannot listen on host {host!r}, port {port}: {fault}; "
            f"check {use.host_from}"
        ) from fault
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # Windows would share the port otherwise
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        opened.setblocking(False)
        opened.bind(where)
    except OSError as fault:
        opened.close()
        raise UdpPortError(_why_not_bound(host, port, use, fault)) from fault
    return opened


def _why_not_bound(host: str, port: int, use: PortUse, fault: OSError) -> str:
    if fault.errno == errno.EADDRINUSE:
        holder = udp_port_holder(port)
        by = f" by {holder}" if holder else ""
        return (
            f"{use.what} port {port} on {host} is already in use{by}: "
            f"end that program, or choose another port with {use.port_from}"
        )
    return (
        f"{use.what} cannot listen on {host}, port {port}: {fault}; "
        f"choose another with {use.port_from} or {use.host_from}"
    )


def address_of(host: str, port: int) -> tuple[str, int] | None:
    """Where to send to; None if nobody knows the name. Asked once: a name server may take long."""
    try:
        found = socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_DGRAM)
    except OSError:
        return None
    address, its_port = found[0][4][:2]
    return str(address), int(its_port)
