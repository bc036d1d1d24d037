"""`run_installation.py controllers`: layouts for TouchOSC, Open Stage Control, Companion and QLab,
and a cue sheet to print, all made from the show. Load them and press: nobody types an address.
"""

from __future__ import annotations

import argparse
import socket
import sys
from pathlib import Path

from player.controllers import companion, cue_sheet, stage_control, touchosc
from player.controllers.surface import ballad_keys, pages
from player.controllers.thumbnails import thumbnails
from player.this_program import program_name
from shows.atomic_file import write_atomically
from shows.schema import ShowError
from shows.show import Show
from shows.show_file import load_show

DECK_PX, TABLET_PX, PRINT_PX = 72, 160, 220
DESK_PORT = 8080


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the verb `controllers`. The caller sets the default of `show`."""
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder for the files; it is made"
    )
    parser.add_argument("--show", type=Path, metavar="DIR", help="folder of the show")
    parser.add_argument(
        "--host",
        metavar="ADDRESS",
        help="the player's address in the network (default: this machine's)",
    )
    parser.add_argument("--osc-port", type=int, default=9000, metavar="PORT", help="default 9000")
    parser.add_argument(
        "--desk-url",
        metavar="URL",
        help=f"address of the desk, for the QR code (default: http://ADDRESS:{DESK_PORT}/)",
    )


def run(args: argparse.Namespace) -> int:
    """Write all files and name them; 1 with a sentence on standard error."""
    host = args.host or own_address()
    desk_url = args.desk_url or f"http://{host}:{DESK_PORT}/"
    try:
        show = load_show(args.show, latents=False)
        args.out.mkdir(parents=True, exist_ok=True)
        for name, content in files(show, host, args.osc_port, desk_url).items():
            write_atomically(args.out / name, content)
            print(args.out / name)
    except (ShowError, OSError) as fault:
        print(f"{program_name()} controllers: {fault}", file=sys.stderr)
        return 1
    return 0


def files(show: Show, host: str, port: int, desk_url: str) -> dict[str, bytes]:
    """What is written, by name. host, port: of the player."""
    both, ballads = pages(show), ballad_keys(show)
    deck_pictures = thumbnails(show, DECK_PX)
    written = {
        "touchosc.tosc": touchosc.layout(both),
        "open-stage-control.json": stage_control.session(
            both, f"{host}:{port}", thumbnails(show, TABLET_PX)
        ),
        "cue-sheet.html": cue_sheet.sheet(show, host, port, desk_url, thumbnails(show, PRINT_PX)),
        "qlab-cues.csv": cue_sheet.cues_csv(show),
    }
    for deck in companion.DECKS:
        name = f"companion-{deck.columns}x{deck.rows}.companionconfig"
        written[name] = companion.page(ballads, deck, host, port, deck_pictures)
    return written


def own_address() -> str:
    """This machine's address in its network, loopback if it has none. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # set aside for documentation (RFC 5737)
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])
