"""A bound UDP socket, or a sentence that says who has the port; and where to send to."""

from __future__ import annotations

import socket

from player.osc.port_socket import PortError, PortUse, bound_socket

__all__ = ["PortUse", "UdpPortError", "address_of", "bound_udp_socket"]

UdpPortError = PortError


def bound_udp_socket(
    host: str, port: int, use: PortUse, *, family: socket.AddressFamily = socket.AF_UNSPEC
) -> socket.socket:
    """A non-blocking socket that listens; port 0: one that the system chooses.

    Raises UdpPortError naming the port, and the program that holds it where that can be known.
    """
    return bound_socket(host, port, use, "udp", family=family)


def address_of(host: str, port: int) -> tuple[str, int] | None:
    """Where to send to; None if nobody knows the name. Asked once: a name server may take long."""
    try:
        found = socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_DGRAM)
    except OSError:
        return None
    address, its_port = found[0][4][:2]
    return str(address), int(its_port)
