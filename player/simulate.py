"""Simulate the nodes' clock sync: `python -m player.simulate --loss 0.05 --hours 1`.

The very class that plays (player/sync/node.py) runs on drifting clocks and a network that loses,
delays and reorders, through deaths, partitions, suspended machines and clocks that are set.
Nothing sleeps: an hour takes some tens of seconds. docs/sync.md has the figures.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tqdm import tqdm

from player.simulation.house import (
    HOLDOVER_S,
    LOCK_S,
    NightSettings,
    simulate_holdover,
    simulate_night,
)
from player.simulation.targets import judged, table

SEALING_KEY = b"a key for a simulated house, known to all"


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m player.simulate",
        description="Runs the clock sync of several machines in simulated time; the exit status "
        "is 1 if a figure misses its target.",
    )
    parser.add_argument("--nodes", type=_whole(2, 62), default=7, metavar="N", help="default 7")
    parser.add_argument(
        "--loss", type=_loss, default=0.05, metavar="SHARE", help="of datagrams (default 0.05)"
    )
    parser.add_argument("--hours", type=_hours, default=1.0, metavar="H", help="default 1")
    parser.add_argument(
        "--switches",
        type=_whole(0, 1_000_000),
        default=1000,
        metavar="N",
        help="operator's commands at random times on random machines (default 1000)",
    )
    parser.add_argument("--seed", type=_whole(0, 2**31), default=1, metavar="N", help="default 1")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    parser.add_argument(
        "--no-faults", action="store_true", help="nobody dies, no cable is pulled, no clock set"
    )
    parser.add_argument("--sealed", action="store_true", help="with a shared key")
    parser.add_argument(
        "--sabotage",
        action="store_true",
        help="switch the sync off: every datagram is thrown away, and every figure must fail",
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate and print; 0 if every figure is reached, 1 if not, 2 for a wrong argument."""
    args = build_parser().parse_args(arguments)
    settings = NightSettings(
        nodes=args.nodes,
        loss=args.loss,
        seconds=round(args.hours * 3600),
        switches=args.switches,
        seed=args.seed,
        has_faults=not args.no_faults,
        is_sabotaged=args.sabotage,
        key=SEALING_KEY if args.sealed else None,
    )
    total_s = settings.seconds + LOCK_S + HOLDOVER_S
    with tqdm(total=total_s, unit="s", desc="simulated", disable=not sys.stderr.isatty()) as bar:
        figures = simulate_night(settings, bar.update)
        figures |= simulate_holdover(
            settings, lock_s=LOCK_S, holdover_s=HOLDOVER_S, progress=bar.update
        )
    rows = judged(figures, loss=args.loss)
    figures["passed"] = all(row.is_reached for row in rows)
    print(table(rows))
    if args.json is not None:
        try:
            args.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
        except OSError as fault:
            print(f"player.simulate: the figures cannot be written: {fault}", file=sys.stderr)
            return 1
    return 0 if figures["passed"] else 1


def _whole(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (
            text.isascii() and text.isdigit() and len(text) < 12 and least <= int(text) <= most
        ):
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} to {most}")
        return int(text)

    return parse


def _loss(text: str) -> float:
    return _number(text, 0.0, 0.9)


def _hours(text: str) -> float:
    return _number(text, 0.01, 1000.0)


def _number(text: str, least: float, most: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from {least} to {most}")
    return value


if __name__ == "__main__":
    sys.exit(main())
