"""Who holds a port: a courtesy for the error message, known on Linux only."""

import os
import sys
from pathlib import Path
from typing import Literal

Protocol = Literal["udp", "tcp"]

_PROC = Path("/proc")
_LISTENS = "0A"  # the state of a TCP socket that does


def udp_port_holder(port: int, proc: Path = _PROC) -> str | None:
    """As `port_holder`, of UDP."""
    return port_holder(port, "udp", proc)


def port_holder(port: int, protocol: Protocol, proc: Path = _PROC) -> str | None:
    """`"oscdump (process 1234)"` for a process bound to this UDP port, or that listens on this TCP
    port; None if not found.

    None also where it may not be known: another system, or another user's process.
    """
    if sys.platform != "linux":
        return None
    inodes = _socket_inodes(port, protocol, proc)
    if not inodes:
        return None
    links = {f"socket:[{inode}]" for inode in inodes}
    for folder in proc.glob("[0-9]*"):
        if _holds_one_of(folder / "fd", links):
            try:
                name = (folder / "comm").read_text(errors="replace").strip()
            except OSError:
                name = "a program"
            return f"{name} (process {folder.name})"
    return None


def _socket_inodes(port: int, protocol: Protocol, proc: Path) -> set[str]:
    """Inodes of the sockets at a port, from /proc/net/udp and udp6, tcp and tcp6 (proc(5))."""
    inodes: set[str] = set()
    for table in (proc / "net" / protocol, proc / "net" / f"{protocol}6"):
        try:
            rows = table.read_text(errors="replace").splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            fields = row.split()
            if len(fields) <= 9 or fields[1].rpartition(":")[2] != f"{port:04X}":
                continue
            if protocol == "udp" or fields[3] == _LISTENS:
                inodes.add(fields[9])
    return inodes


def _holds_one_of(descriptors: Path, links: set[str]) -> bool:
    try:
        return any(_link_of(entry) in links for entry in descriptors.iterdir())
    except OSError:
        return False


def _link_of(entry: Path) -> str:
    try:
        return os.readlink(entry)
    except OSError:
        return ""
