"""`run_installation.py info`: what a show is, as a page of text or as JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from player.making.show_facts import Facts, facts_of_show
from player.this_program import program_name
from shows.schema import ShowError
from shows.show_file import load_show

LONGEST_LINE = 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the verb `info`. The caller sets the default of `show`."""
    parser.add_argument(
        "show", nargs="?", type=Path, metavar="DIR", help="folder of the show (default: shipped)"
    )
    parser.add_argument("--json", action="store_true", help="as JSON, for programs")


def run(args: argparse.Namespace) -> int:
    """The verb: 0; 1 with a sentence on standard error."""
    try:
        facts = facts_of_show(load_show(args.show, latents=False))
    except ShowError as fault:
        print(f"{program_name()} info: {fault}", file=sys.stderr)
        return 1
    print(json.dumps(facts, indent=1, ensure_ascii=False) if args.json else page(facts))
    return 0


def page(facts: Facts) -> str:
    """The facts for people."""
    return "\n".join(_lines(facts))


def _lines(facts: Facts) -> Iterator[str]:
    ballads = facts["ballads"]
    total_s = sum(ballad["seconds"] for ballad in ballads)
    yield facts["title"]
    yield from table(
        [
            ("folder", facts["folder"]),
            ("ballads", f"{len(ballads)}, {minutes(total_s)} one after the other"),
            ("screens", ", ".join(screen["name"] for screen in facts["screens"])),
            (
                "moves",
                f"{facts['path']}, {facts['fps']} frames a second, "
                f"{facts['seconds_a_painting']:g} s a painting, "
                f"loop strength {facts['noise_strength']:g}",
            ),
            ("generator", _generator(facts["generator"])),
            ("its training", _training(facts["generator"])),
            ("licences", ", ".join(facts["licences"]) or "none in the show's folder"),
        ],
        indent="  ",
    )
    for number, ballad in enumerate(ballads, 1):
        yield ""
        child = f", Child {ballad['child']}" if ballad["child"] else ""
        yield f"{number} {ballad['title']} ({ballad['id']}{child}), {minutes(ballad['seconds'])}"
        latents = ballad["latents"]
        yield from table(
            [("latents", latents.get("fault") or _latents(latents)), ("film", ballad["film"])],
            indent="  ",
        )
        yield from table([_painting(one) for one in ballad["paintings"]], indent="    ")


def _generator(facts: Facts) -> str:
    if "fault" in facts:
        return str(facts["fault"])
    return (
        f"{facts['file']}, {facts['bytes'] / 1e6:.1f} MB, {facts['pixels']} x {facts['pixels']} "
        f"pixels, hash {facts['content_hash'][:12]}"
    )


def _training(facts: Facts) -> str:
    said = facts.get("of_training") or {}
    return "; ".join(f"{name}: {words[:200]}" for name, words in said.items()) or (
        "its file does not say what it was trained on, nor under which licence"
    )


def _latents(facts: Facts) -> str:
    words = {"person": "by a person", "auto": "by the machine", "file": "taken from a file"}
    chosen = ", ".join(f"{count} {words.get(by, by)}" for by, count in facts["chosen"].items())
    return f"{facts['space']}, {chosen}, generator {facts['generator_hash'][:12]}"


def _painting(facts: Facts) -> tuple[str, ...]:
    line = facts["line"]
    short = line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + "…"
    file = facts["file"] if facts["is_there"] else f"{facts['file']} (missing)"
    return (facts["id"], short, file, facts["chosen"] or "no latents")


def table(rows: Sequence[Sequence[str]], indent: str) -> Iterator[str]:
    """Rows of equally many words, in columns as wide as they must be."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (word.ljust(width) for word, width in zip(row, widths, strict=True))
        yield (indent + "  ".join(cells)).rstrip()


def minutes(seconds: float) -> str:
    """As in 1:05 min."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02} min"
