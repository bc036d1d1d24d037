"""Play the installation: `python run_installation.py [VERB] [options]`; --help tells the rest."""

from __future__ import annotations

import argparse
import ipaddress
import logging
import os
import re
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from player.this_program import program_name

PROGRAM = Path(__file__).resolve()
DEFAULT_SHOW = PROGRAM.parent / "shows" / "inspace"

# verbs with options of their own, told by `VERB --help`: the module that has them, what they do
VERBS = {
    "export": ("player.films.export", "render the show's ballads as films"),
    "report": ("player.upkeep.night_report", "make a page of what happened"),
    "bundle": ("player.upkeep.bundle", "pack what somebody who helps needs to know"),
    "doctor": ("player.doctor.command", "see before the doors open whether all is well"),
    "preflight": ("player.doctor.command", "do what doctor does"),
    "desk": ("player.desk.command", "see and steer the show on a web page"),
    "share": ("player.share.command", "send the pictures to other programs, by NDI or as a camera"),
    "controllers": ("player.controllers.command", "make layouts for controllers and a cue sheet"),
    "oscquery": ("player.osc.query_command", "let programs find every OSC address by themselves"),
    "new": ("player.making.new_show", "make a new show that plays at once"),
    "validate": ("player.making.validate", "find every fault of a show"),
    "info": ("player.making.info", "tell what a show is"),
    "preview": ("player.making.preview", "look at one ballad: a contact sheet and a short film"),
    "schema": ("player.making.schemas", "write JSON Schemas for editors"),
    "completion": ("player.making.completion", "complete this program's words in a shell"),
}
_WITH_JOURNAL = ("report", "bundle")


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog=program_name(),
        allow_abbrev=False,
        description="Shows a set of ballads on several screens, drawn live by a generator.",
        epilog="Without a display it plays headless. Esc, q, Ctrl-C and SIGTERM end it.",
    )
    parser.add_argument(
        "command",
        nargs="?",
        choices=["play", "supervise", "monitors", *VERBS],
        default="play",
        help="play the show (default); supervise: the same, and start again whatever happens; "
        "monitors: list this machine's, for a machine file; "
        + "; ".join(f"{verb}: {what} ({verb} --help)" for verb, (_, what) in VERBS.items()),
    )
    add_play_options(parser)
    return parser


def add_play_options(parser: argparse.ArgumentParser) -> None:
    """The options of `play` and `supervise`."""
    parser.add_argument("--show", type=Path, default=DEFAULT_SHOW, help="folder of the show")
    parser.add_argument(
        "--mode",
        choices=["auto", "live", "film", "slate"],
        default="auto",
        help="auto: live, the films when that fails, and stills where there is no film; live: end "
        "if the engine cannot start; film: from films alone; slate: the paintings as stills "
        "(default: auto)",
    )
    parser.add_argument(
        "--outputs",
        choices=["windows", "span", "headless"],
        help="windows: one for each monitor; span: one over all; headless: no display, drawing "
        "all the same (default: windows, headless without a display)",
    )
    parser.add_argument(
        "--size",
        type=_size,
        metavar="WxH",
        help="size of one screen in pixels (default: the monitor's; headless 256x256)",
    )
    parser.add_argument(
        "--machine",
        type=Path,
        metavar="FILE",
        help="what hangs on this machine and where, see docs/machine.md (default: one screen a "
        "monitor, from the left)",
    )
    parser.add_argument(
        "--node",
        metavar="NAME",
        help="play this machine's part of a show on several, as listed in show.yaml: docs/sync.md",
    )
    parser.add_argument(
        "--stamp", action="store_true", help="show the frame number's strip on every picture"
    )
    parser.add_argument(
        "--plain",
        action="store_true",
        help="draw pictures soft and without a surface, whatever the show says: the least to draw",
    )
    parser.add_argument(
        "--front-buffer",
        type=Path,
        nargs="?",
        const=Path(),
        metavar="FILE",
        help="keep what the screens show, for programs that watch it, in this file or, without "
        "one, where `share` looks for it; with windows this draws every picture once more",
    )
    parser.add_argument(
        "--front-size",
        type=_size,
        metavar="WxH",
        help="with windows: of a screen in the front buffer (default: 230,000 pixels, as 640x360)",
    )
    parser.add_argument(
        "--thumbnails",
        type=Path,
        nargs="?",
        const=Path(),
        default=Path() if os.environ.get("INSPACE_THUMBNAILS") == "1" else None,
        metavar="FILE",
        help="keep small pictures of the screens for the desk, in this file or, without one, where "
        "the desk looks for them (scripts/play does)",
    )
    parser.add_argument(
        "--watch",
        action="store_true",
        help="read the show anew, as /reload does, whenever its files have changed",
    )
    parser.add_argument("--frames", type=_count, metavar="N", help="end after N frames")
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="write the frame report as JSON"
    )
    parser.add_argument("--osc-port", type=int, default=9000, metavar="PORT", help="default 9000")
    parser.add_argument(
        "--osc-tcp",
        action="store_true",
        help="OSC over TCP as well, at the same port number (docs/osc.md)",
    )
    parser.add_argument("--osc-host", default="127.0.0.1", metavar="HOST", help="default 127.0.0.1")
    parser.add_argument(
        "--osc-allow",
        type=_network,
        action="append",
        default=[],
        metavar="ADDRESS",
        help="an address or network (192.168.1.0/24) whose commands are obeyed; may be repeated "
        "(default: all that reach the port)",
    )
    parser.add_argument(
        "--state",
        type=Path,
        metavar="FILE",
        help="keep here what is on, and go on from it after a crash (default: none; supervise has "
        "one of its own)",
    )
    parser.add_argument(
        "--journal", type=Path, metavar="DIR", help="keep a journal for `report` and `bundle` here"
    )
    parser.add_argument(
        "--make-films",
        action=argparse.BooleanOptionalAction,
        default=os.environ.get("INSPACE_MAKE_FILMS") == "1",
        help="make missing films in the background, at idle priority (scripts/play does)",
    )
    parser.add_argument(
        "--film-decoder",
        default="",
        metavar="DEVICE",
        help="decode films by hardware: a device type of FFmpeg such as cuda, vaapi or d3d11va; "
        "where it fails they play by software (default: software)",
    )
    parser.add_argument(
        "--no-fallback",
        action="store_true",
        help="for tests: screens wait for live pictures whatever happens",
    )
    parser.add_argument(
        "--snapshot", type=Path, metavar="DIR", help="write what each screen last showed as PNG"
    )
    parser.add_argument(
        "--threads",
        type=_count,
        default=max(1, (os.cpu_count() or 2) // 2),
        metavar="N",
        help="engine threads on a CPU (default: half of the cores, %(default)s; the others draw)",
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; returns the exit status: 0 for a clean end, 1 for a sentence on standard error."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        if words and words[0] in VERBS:
            return _run_verb(words[0], words[1:])
        if words and words[0] == "supervise":
            return _supervise(words[1:])
        return _play(build_parser().parse_args(words))
    except KeyboardInterrupt:  # of `play`: nothing has been opened yet
        return 130 if words and words[0] in VERBS else 0
    except BrokenPipeError:  # whoever reads our output has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run_verb(verb: str, words: Sequence[str]) -> int:
    status: int = import_module(VERBS[verb][0]).run(_verb_parser(verb).parse_args(words))
    return status


def _verb_parser(verb: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"{program_name()} {verb}", description=f"To {VERBS[verb][1]}."
    )
    module = import_module(VERBS[verb][0])
    if verb in _WITH_JOURNAL:
        module.add_arguments(parser, show=DEFAULT_SHOW, journal=_journal(DEFAULT_SHOW, None))
    else:
        module.add_arguments(parser)
        parser.set_defaults(show=DEFAULT_SHOW, parsers=_all_parsers)
    return parser


def _all_parsers() -> dict[str, argparse.ArgumentParser]:
    """Of every verb, for `completion`; "" is what there is without a verb."""
    parsers = {"": argparse.ArgumentParser(), "monitors": argparse.ArgumentParser()}
    for verb in ("play", "supervise"):
        parsers[verb] = argparse.ArgumentParser()
    for verb in ("", "play", "supervise"):
        add_play_options(parsers[verb])
    return parsers | {verb: _verb_parser(verb) for verb in VERBS}


def _supervise(words: Sequence[str]) -> int:
    # wrong options end here, not in a loop of restarts
    args = build_parser().parse_args(["play", *words])
    from player.upkeep import supervisor

    journal = [] if args.journal else ["--journal", str(_journal(args.show, args.node))]
    return supervisor.run([*words, *journal])


def _journal(show: Path, node: str | None) -> Path:
    """Where a supervised player keeps its journal unless told otherwise."""
    from player.upkeep.play_arguments import state_file

    return state_file(show, node or "", os.environ).with_suffix(".journal")


def _play(args: argparse.Namespace) -> int:
    from player.application import monitors, play
    from player.options import ApplicationError, Options

    try:
        if args.command == "monitors":
            print(monitors())
            return 0
        play(
            Options(
                show=args.show,
                mode=args.mode,
                outputs=args.outputs,
                size=args.size,
                frames=args.frames,
                machine=args.machine,
                node=args.node,
                stamp=args.stamp,
                plain=args.plain,
                front=args.front_buffer,
                front_px=args.front_size,
                thumbnails=args.thumbnails,
                report=args.report,
                snapshot=args.snapshot,
                osc_host=args.osc_host,
                osc_port=args.osc_port,
                osc_tcp=args.osc_tcp,
                threads=args.threads,
                state=args.state,
                journal=args.journal,
                make_films=args.make_films,
                falls_back=not args.no_fallback,
                watch=args.watch,
                film_decoder=args.film_decoder,
                allow=tuple(args.osc_allow),
                program=PROGRAM,
            )
        )
    except ApplicationError as fault:
        print(f"{program_name()}: {fault}", file=sys.stderr)
        return 1
    return 0


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no address; write it as in 192.168.1.20 or 192.168.1.0/24"
        ) from None


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; write it as in 1920x1080")
    return int(match[1]), int(match[2])


def _count(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,11}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no count; give a whole number from 1")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
