"""`run_installation.py desk`: see and steer the show on a web page.

The desk is a process of its own that speaks OSC to the player as any other client: it may end, or
be ended, and the show goes on. Without --host only this machine's browser reaches it.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import sys
from pathlib import Path

from player.clock import HouseClock
from player.desk.access import Door, is_loopback
from player.osc.udp_socket import address_of
from player.this_program import pip_install, program_name
from player.wall.thumbnails import usual_path
from shows.schema import ShowError
from shows.show_file import load_show

USUAL_PORT = 8088
SHORTEST_PASSWORD = 8


class DeskError(Exception):
    """The desk cannot be opened; the text is a sentence."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the verb `desk`. The caller sets the default of `show`."""
    parser.add_argument("--show", type=Path, metavar="DIR", help="folder of the show")
    parser.add_argument(
        "--player",
        default="127.0.0.1:9000",
        metavar="HOST:PORT",
        help="where the player hears OSC (default %(default)s)",
    )
    parser.add_argument(
        "--port", type=int, default=USUAL_PORT, help="of the page; 0: any free one (default 8088)"
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address that the page is served on; 0.0.0.0: all of this machine, which takes "
        "--password-env or --pair (default %(default)s)",
    )
    secret = parser.add_mutually_exclusive_group()
    secret.add_argument(
        "--password-env",
        metavar="NAME",
        help="let in by the password in this environment variable, of 8 characters or more",
    )
    secret.add_argument(
        "--pair",
        action="store_true",
        help="let in by a code of six digits that the terminal shows, a new one for each device",
    )
    parser.add_argument(
        "--read-only", action="store_true", help="for visitors: it shows all and sends nothing"
    )
    parser.add_argument(
        "--thumbnails",
        type=Path,
        metavar="FILE",
        help="where the player keeps the small pictures (default: its usual place for the port)",
    )


def run(args: argparse.Namespace) -> int:
    """The verb: 0 after Ctrl-C; 1 with a sentence on standard error."""
    try:
        _run(args)
    except (DeskError, ShowError) as fault:
        print(f"{program_name()} desk: {fault}", file=sys.stderr)
        return 1
    return 0


def player_address(text: str) -> tuple[str, int]:
    """An address and a port out of HOST:PORT. Raises DeskError."""
    match = re.fullmatch(r"(?P<host>[^:\s]+):(?P<port>[0-9]{1,5})", text)
    if match is None or not 0 < int(match["port"]) < 65536:
        raise DeskError(f"--player {text!r} is no address; write it as in 192.168.1.20:9000.")
    found = address_of(match["host"], int(match["port"]))
    if found is None:
        raise DeskError(f"--player: nobody knows {match['host']}; write the address in numbers.")
    return found


def build_door(host: str, *, pair: bool, password_env: str | None) -> Door | None:
    """Raises DeskError where an open desk would be reached from other machines."""
    if pair:
        return Door(None, lambda code: print(f"Code for the next device: {code}", flush=True))
    if password_env is not None:
        password = os.environ.get(password_env, "")
        if len(password) < SHORTEST_PASSWORD:
            raise DeskError(
                f"The environment variable {password_env} holds no password of "
                f"{SHORTEST_PASSWORD} characters or more."
            )
        return Door(password, None)
    if not is_loopback(host):
        raise DeskError(
            f"--host {host} can be reached by other machines: add --pair, or --password-env "
            "with the name of an environment variable that holds a password."
        )
    return None


def _run(args: argparse.Namespace) -> None:
    address = player_address(args.player)
    door = build_door(args.host, pair=args.pair, password_env=args.password_env)
    show = load_show(args.show, latents=False)
    try:
        from player.desk.pages import add_pages
        from player.desk.web_server import PortTakenError, free_port, serve
    except ModuleNotFoundError as fault:
        raise DeskError(
            f"The desk needs the package {fault.name}: install the extra `desk`, as in "
            f"{pip_install('desk')}."
        ) from fault
    from player.desk.desk import Desk
    from player.desk.pictures import Paintings, ScreenPictures
    from player.desk.player_line import PlayerLine

    clock = HouseClock()
    try:
        port = free_port(args.host, args.port)
    except PortTakenError as fault:
        raise DeskError(str(fault)) from fault
    line = PlayerLine(address, clock)
    pictures = ScreenPictures(args.thumbnails or usual_path(address[1]))
    add_pages(Desk(show, line, pictures, Paintings(show), clock, read_only=args.read_only))
    line.start()
    with contextlib.suppress(KeyboardInterrupt):
        serve(args.host, port, door, clock, closing=line.close)
    print("The desk is closed; the show goes on.")
