"""Tells by zeroconf (DNS-SD) where OSCQuery and OSC are: `_oscjson._tcp` and `_osc._udp`."""

from __future__ import annotations

import ipaddress
import socket

from zeroconf import IPVersion, ServiceInfo
from zeroconf.asyncio import AsyncZeroconf


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def services(
    name: str, http_host: str, http_port: int, osc_host: str, osc_port: int
) -> list[ServiceInfo]:
    """What to announce. A player that listens on loopback alone is not announced to a network."""
    instance = name.replace(".", " ")[:60]
    server = f"{socket.gethostname().partition('.')[0]}.local."
    address = None if http_host in ("0.0.0.0", "::", "") else http_host
    kinds = [("_oscjson._tcp.local.", http_port, address)]
    if is_loopback(http_host) or not is_loopback(osc_host):
        kinds.append(("_osc._udp.local.", osc_port, osc_host))
    return [
        ServiceInfo(
            kind,
            f"{instance}.{kind}",
            port=port,
            parsed_addresses=[_numeric(where)] if where else _own_addresses(),
            properties={"txtvers": "1"},
            server=server,
        )
        for kind, port, where in kinds
    ]


async def announce(http_host: str, told: list[ServiceInfo]) -> AsyncZeroconf:
    """The announcer; close it with `async_close`. Raises OSError where there is no multicast."""
    wanted = http_host in ("0.0.0.0", "::", "")
    announcer = (
        AsyncZeroconf(ip_version=IPVersion.V4Only)
        if wanted
        else AsyncZeroconf(interfaces=[_numeric(http_host)], ip_version=IPVersion.V4Only)
    )
    for service in told:
        await announcer.async_register_service(service, allow_name_change=True)
    return announcer


def _numeric(host: str) -> str:
    """Raises OSError if nobody knows the name."""
    return str(socket.getaddrinfo(host, None, socket.AF_INET)[0][4][0])


def _own_addresses() -> list[str]:
    """Of this machine in its networks; loopback where there is none."""
    found = socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
    addresses = sorted({str(one[4][0]) for one in found})
    return [one for one in addresses if not is_loopback(one)] or addresses
