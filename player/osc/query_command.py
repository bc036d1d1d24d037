"""`run_installation.py oscquery`: programs and tablets find every address of the player by
themselves, with its type, range and value. It is a process of its own that speaks OSC to the player
as any client does: if it ends, nothing happens to the show.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import re
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from player.osc.query_discovery import announce, is_loopback, services
from player.osc.query_mirror import Mirror
from player.osc.query_nodes import Show, namespace
from player.osc.query_server import HostInfo, QueryService, query_app
from player.this_program import program_name
from shows.schema import ShowError
from shows.show import groups_of
from shows.show_file import load_show

_log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the verb `oscquery`. The caller sets the default of `show`."""
    parser.description = __doc__.partition(": ")[2] if __doc__ else None
    parser.add_argument("--show", type=Path, metavar="DIR", help="folder of the show")
    parser.add_argument(
        "--player",
        type=player_address,
        default=("127.0.0.1", 9000),
        metavar="HOST:PORT",
        help="where the player listens for OSC (default: 127.0.0.1:9000)",
    )
    parser.add_argument("--port", type=int, default=8081, metavar="PORT", help="default 8081")
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="HOST",
        help="0.0.0.0: for the whole network; whoever reaches it can steer the show "
        "(default: 127.0.0.1, this machine alone)",
    )
    parser.add_argument(
        "--no-announce", action="store_true", help="do not tell the network by zeroconf"
    )


def player_address(text: str) -> tuple[str, int]:
    """ "HOST:PORT" for argparse."""
    match = re.fullmatch(r"([^:\s]+):(\d{1,5})", text)
    if match is None or not 0 < int(match[2]) < 65536:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no address of a player; write it as in 127.0.0.1:9000"
        )
    return match[1], int(match[2])


def run(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM; 1 with a sentence on standard error."""
    try:
        loaded = load_show(args.show, latents=False)
        _known(args.player)
        listening = _listening(args.host, args.port)
    except (ShowError, OSError) as fault:
        print(f"{program_name()} oscquery: {fault}", file=sys.stderr)
        return 1
    show = Show(
        loaded.settings.title,
        loaded.ballad_ids,
        tuple(screen.name for screen in loaded.settings.screens),
        tuple(groups_of(loaded)),
    )
    port = listening.getsockname()[1]
    app = _application(show, args.player, args.host, port, announced=not args.no_announce)
    config = uvicorn.Config(app, log_level="warning", lifespan="on")
    print(
        f"OSCQuery: http://{args.host}:{port}/ of the player at {':'.join(map(str, args.player))}"
    )
    sys.stdout.flush()
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn has ended cleanly, then raises it again
        uvicorn.Server(config).run(sockets=[listening])
    return 0


def _known(player: tuple[str, int]) -> None:
    """Raises OSError with a sentence if nobody knows the player's host."""
    try:
        socket.getaddrinfo(*player, socket.AF_INET, socket.SOCK_DGRAM)
    except OSError as fault:
        raise OSError(f"nobody knows the host {player[0]!r}; check --player") from fault


def _listening(host: str, port: int) -> socket.socket:
    """Raises OSError with a sentence."""
    try:
        return socket.create_server((host, port))
    except OSError as fault:
        raise OSError(
            f"port {port} on {host} cannot be opened: {fault.strerror or fault}; "
            "choose another with --port or --host"
        ) from fault


def _application(
    show: Show, player: tuple[str, int], host: str, port: int, *, announced: bool
) -> Starlette:
    osc_host, osc_port = player
    root = namespace(show)
    mirror = Mirror(root, len(show.screens))
    voice = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    voice.setblocking(False)

    def send(packet: bytes) -> None:
        with contextlib.suppress(OSError):  # the network is full, or the player gone
            voice.sendto(packet, player)

    osc_ip = None if is_loopback(osc_host) else osc_host
    info = HostInfo(show.title, osc_port, osc_ip, port)

    @contextlib.asynccontextmanager
    async def alive(app: Starlette) -> AsyncIterator[None]:
        mirroring = asyncio.create_task(mirror.run(osc_host, osc_port))
        announcer = None
        if announced:
            try:
                announcer = await announce(
                    host, services(show.title, host, port, osc_host, osc_port)
                )
            except OSError as fault:
                _log.warning("zeroconf: the network is told nothing: %s", fault)
        try:
            yield
        finally:
            mirroring.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await mirroring
            if announcer is not None:
                await announcer.async_close()
            voice.close()

    return query_app(QueryService(root, show, mirror, info, send), alive)
