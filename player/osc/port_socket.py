"""A socket at a port, or a sentence that says who has the port. No port is ever hopped over."""

from __future__ import annotations

import errno
import os
import socket
from dataclasses import dataclass

from player.osc.port_holder import Protocol, port_holder

_BACKLOG = 16  # TCP connections that the system holds ready
_KINDS = {"udp": socket.SOCK_DGRAM, "tcp": socket.SOCK_STREAM}


class PortError(Exception):
    """A port cannot be opened; str() is a sentence for the person who starts the show."""


@dataclass(frozen=True)
class PortUse:
    """Words for the sentence: what listens, and where its port and host are chosen."""

    what: str
    port_from: str
    host_from: str


def bound_socket(
    host: str,
    port: int,
    use: PortUse,
    protocol: Protocol,
    *,
    family: socket.AddressFamily = socket.AF_UNSPEC,
) -> socket.socket:
    """A non-blocking socket that listens. Port 0: one that the system chooses.

    Raises PortError naming the port, and the program that holds it where that can be known.
    """
    if not 0 <= port <= 65535:
        raise PortError(
            f"{use.what} cannot listen on port {port}: {use.port_from} takes 1 to 65535"
        )
    try:
        found = socket.getaddrinfo(
            host, port, family=family, type=_KINDS[protocol], flags=socket.AI_PASSIVE
        )
        found_family, kind, number, _, where = found[0]
        opened = socket.socket(found_family, kind, number)
    except (OSError, UnicodeError) as fault:
        raise PortError(
            f"{use.what} cannot listen on host {host!r}, port {port}: {fault}; "
            f"check {use.host_from}"
        ) from fault
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # Windows would share the port otherwise
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        elif protocol == "tcp" and os.name == "posix":
            # else the ended connections of a player just before would hold its port for a minute
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.setblocking(False)
        opened.bind(where)
        if protocol == "tcp":
            opened.listen(_BACKLOG)
    except OSError as fault:
        opened.close()
        raise PortError(_why_not_bound(host, port, use, protocol, fault)) from fault
    return opened


def _why_not_bound(host: str, port: int, use: PortUse, protocol: Protocol, fault: OSError) -> str:
    if fault.errno == errno.EADDRINUSE:
        holder = port_holder(port, protocol)
        by = f" by {holder}" if holder else ""
        return (
            f"{use.what} port {port} on {host} is already in use{by}: "
            f"end that program, or choose another port with {use.port_from}"
        )
    return (
        f"{use.what} cannot listen on {host}, port {port}: {fault}; "
        f"choose another with {use.port_from} or {use.host_from}"
    )
