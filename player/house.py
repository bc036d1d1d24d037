"""Which screens this machine shows, by whose clock, and who conducts: alone, or one of many."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from player.clock import Clock, HouseClock
from player.conductor import Conductor, LocalConductor
from player.node_conductor import NodeConductor
from player.sync.endpoint import DisciplinedClock, NodeAddress, SyncEndpoint
from player.sync.seal import KeyFileError, read_key
from player.sync.settings import SyncError
from player.upkeep.saved_state import Resumed
from shows.fingerprint import show_fingerprint
from shows.schema import ShowError
from shows.show import Show

_log = logging.getLogger("player")


@dataclass(frozen=True)
class House:
    """What the frame loop is given. origin_ns: see FrameLoop."""

    screens: tuple[int, ...]
    clock: Clock
    origin_ns: int | None
    conductor: Conductor
    close: Callable[[], None]


def alone(show: Show, resumed: Resumed | None = None) -> House:
    """One machine with all screens: no socket, no thread, nothing to pay.

    resumed: where the player before this one was when it ended; the show runs on from there.
    """
    if show.settings.nodes:
        _log.warning(
            "The show is made for %d machines; without --node this one plays all of it, alone.",
            len(show.settings.nodes),
        )
    screens = tuple(range(len(show.settings.screens)))
    if resumed is None:
        return House(screens, HouseClock(), None, LocalConductor(show), lambda: None)
    conductor = LocalConductor(show, resumed.transport)
    return House(screens, HouseClock(), resumed.origin_ns, conductor, lambda: None)


def joined(show: Show, name: str) -> House:
    """The node `name` of the show, listening from now on. Raises ShowError or SyncError."""
    settings = show.settings
    nodes = {node.name: node for node in settings.nodes}
    if name not in nodes:
        known = ", ".join(nodes) if nodes else "none: list them under `nodes` in show.yaml"
        raise SyncError(f"--node {name[:64]}: the show has no such node; it has {known}.")
    names = [screen.name.casefold() for screen in settings.screens]
    local = HouseClock()
    endpoint = SyncEndpoint(
        name,
        [NodeAddress(node.name, node.host, node.port) for node in settings.nodes],
        clock=local,
        show_hash=show_fingerprint(show),
        key=_key(show),
        broadcast=settings.sync.broadcast,
    )
    endpoint.start()
    return House(
        tuple(names.index(screen.casefold()) for screen in nodes[name].screens),
        DisciplinedClock(endpoint, local),
        0,
        NodeConductor(show, endpoint),
        endpoint.close,
    )


def _key(show: Show) -> bytes | None:
    if show.settings.sync.key_file is None:
        return None
    try:
        return read_key(show.folder / show.settings.sync.key_file)
    except KeyFileError as fault:
        raise ShowError(f"show.yaml: sync.key_file: {fault}") from fault
