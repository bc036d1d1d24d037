"""Who holds a UDP port, and whether it is a player of ours: one that answers `/status`."""

from __future__ import annotations

import contextlib
import errno
import socket
from dataclasses import dataclass

from player.osc.packets import PacketError, decode_packet, encode_message
from player.osc.port_holder import udp_port_holder
from player.osc.udp_socket import PortUse, UdpPortError, bound_udp_socket

_ANSWER_S = 0.6
_TRIES = 2
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


@dataclass(frozen=True)
class PortHeld:
    """Why a port cannot be had. holder: the program, "" if unknown. is_taken: another has it, or
    else the port or host itself is at fault. status: what a player of ours says there."""

    sentence: str
    is_taken: bool
    holder: str = ""
    status: str | None = None


def port_held(host: str, port: int, use: PortUse | None = None) -> PortHeld | None:
    """None: the port is free. It is opened for a moment to find out."""
    use = use or PortUse("OSC", port_from="--osc-port", host_from="--osc-host")
    try:
        bound_udp_socket(host, port, use).close()
    except UdpPortError as fault:
        cause = fault.__cause__
        if not isinstance(cause, OSError) or cause.errno != errno.EADDRINUSE:
            return PortHeld(f"{fault}.", is_taken=False)
        return PortHeld(
            f"{fault}.",
            is_taken=True,
            holder=udp_port_holder(port) or "",
            status=player_status(host, port),
        )
    return None


def player_status(host: str, port: int) -> str | None:
    """What the player at this port answers to `/status`; None: nobody of ours answers."""
    question = encode_message("/status", "", [])
    with contextlib.suppress(OSError):
        family, kind, protocol, _, where = socket.getaddrinfo(
            _EVERYWHERE.get(host, host), port, type=socket.SOCK_DGRAM
        )[0]
        with socket.socket(family, kind, protocol) as asking:
            asking.settimeout(_ANSWER_S)
            for _ in range(_TRIES):
                with contextlib.suppress(TimeoutError, PacketError):
                    asking.sendto(question, where)
                    reply = decode_packet(asking.recv(65535))[0]
                    if reply.address == "/reply" and reply.arguments[:2] == ("/status", "ok"):
                        return str(reply.arguments[2])
    return None
