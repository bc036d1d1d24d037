"""How long it takes until the desk shows what the screens show, stage by stage.

    python -m player.desk.latency_bench [--outputs headless|windows|span] [--events 60]

A player plays stills that are told apart by their colour and cut every 0.63 s, a desk looks at it,
and a browser (chromium, if it is there and playwright is installed) at the desk: real processes,
started for this and ended after it. From each present of a still until it is seen in the shared
memory, as JPEG from the desk, and in the browser's images; every screen is an event of its own.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from player.clock import Clock, HouseClock
from player.desk.latency_house import BenchError, Child, opened_page
from player.desk.latency_show import STILL_FRAMES, make_coded_show
from player.desk.latency_watch import (
    Sighting,
    browser_offset_ns,
    browser_sightings,
    desk_look,
    file_look,
    front_look,
    message_look,
    watching,
)

ASKED_MS = 200
FPS = 30
MOST_SCREENS = 64
WARM_UP_NS = 3_000_000_000
BEFORE_NS = 100_000_000  # on a busy machine the message of a picture is read later than the picture
LONGEST_NS = 3_000_000_000  # less than until the same still comes again
WORDS = {
    "memory": "in the shared memory",
    "jpeg": "as JPEG from the desk",
    "browser": "in the browser",
}


@dataclass(frozen=True)
class Delay:
    """Of one stage, in ms. seen: how many events there were; missed: those that never came."""

    seen: int
    missed: int
    median: float
    p95: float
    worst: float


def delay_of(shown: Sequence[Sighting], seen: Sequence[Sighting]) -> Delay:
    """From each change on the wall to the first sighting of it. Raises BenchError without any."""
    delays = [_delay_ns(one, seen) for one in shown]
    known = np.array([ns / 1e6 for ns in delays if ns is not None])
    if not known.size:
        raise BenchError("Nothing of what the wall showed was ever seen.")
    median, p95 = np.percentile(known, [50, 95], method="higher")
    return Delay(
        len(known), len(delays) - len(known), float(median), float(p95), float(known.max())
    )


def _delay_ns(shown: Sighting, seen: Sequence[Sighting]) -> int | None:
    for one in seen:
        after_ns = one.at_ns - shown.at_ns
        alike = (one.screen, one.code) == (shown.screen, shown.code)
        if alike and -BEFORE_NS <= after_ns <= LONGEST_NS:
            return max(0, after_ns)
    return None


def measured(
    folder: Path, args: argparse.Namespace, clock: Clock, say: Callable[[str], None] = print
) -> dict[str, Delay]:
    """Stage by stage. Raises BenchError."""
    show, front, file = folder / "show", folder / "front", folder / "thumbnails"
    make_coded_show(show, args.screens)
    width, height = map(int, args.size.split("x"))
    headless = args.outputs == "headless"
    words: list[object] = ["play", "--show", show, "--mode", "slate", "--outputs", args.outputs]
    words += ["--size", args.size, "--osc-port", 0, "--thumbnails", file]
    words += ["--front-buffer", front] if headless else []
    with ExitStack() as closing:

        def child(*words: object) -> Child:
            made = Child(*words)
            closing.callback(made.end)
            return made

        if args.beside is not None:
            beside = ["--mode", "live", "--outputs", "headless", "--osc-port", 0]
            child("play", "--show", args.beside, *beside).said(r"(Playing .*)")
        port = int(child(*words).said(r"OSC: \S+ port (\d+)"))
        desk = child(
            "desk",
            "--show",
            show,
            "--player",
            f"127.0.0.1:{port}",
            "--port",
            0,
            "--thumbnails",
            file,
        )
        address = desk.said(r"open at (http://\S+/)\.")
        page = closing.enter_context(opened_page(address))
        wall_look = front_look(front, (width, height)) if headless else message_look(port)
        wall = closing.enter_context(watching(wall_look, clock))
        memory = closing.enter_context(watching(file_look(file), clock))
        jpeg = closing.enter_context(watching(desk_look(address), clock))
        seen = {"memory": memory, "jpeg": jpeg}
        began_ns = clock.now_ns() + WARM_UP_NS
        ended_ns = began_ns + int(args.events * STILL_FRAMES / FPS * 1e9)
        clock.wait_until_ns(ended_ns + LONGEST_NS // 3)
        if isinstance(page, str):
            say(page)
        else:
            offset_ns, wrong_ns = browser_offset_ns(page, clock)
            say(f"The browser's clock is known to within {wrong_ns / 1e6:.1f} ms.")
            seen["browser"] = browser_sightings(page, offset_ns)
        shown = [one for one in wall if began_ns <= one.at_ns <= ended_ns]
        return {stage: delay_of(shown, list(sightings)) for stage, sightings in seen.items()}


def table(delays: dict[str, Delay]) -> str:
    """A table in Markdown."""
    lines = [
        "| from the present until it is seen | events | median, ms | p95 | worst | never seen |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for stage, d in delays.items():
        figures = f"{d.median:.0f} | {d.p95:.0f} | {d.worst:.0f} | {d.missed}"
        lines.append(f"| {WORDS[stage]} | {d.seen + d.missed} | {figures} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 with a sentence where that cannot be done."""
    parser = argparse.ArgumentParser(
        prog="python -m player.desk.latency_bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--outputs", choices=["headless", "windows", "span"], default="headless")
    parser.add_argument("--size", default="256x256", metavar="WxH", help="of one screen")
    parser.add_argument("--screens", type=int, default=7)
    parser.add_argument("--events", type=int, default=60, help="changes of the pictures")
    parser.add_argument(
        "--beside",
        type=Path,
        metavar="SHOW",
        help="play this show live beside it, headless, so that the processor has other work",
    )
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args(arguments)
    if not 1 <= args.screens <= MOST_SCREENS or args.events < 1:
        parser.error(f"1 to {MOST_SCREENS} screens, and at least one event")
    if re.fullmatch(r"[1-9]\d{0,4}x[1-9]\d{0,4}", args.size) is None:
        parser.error(f"{args.size!r} is no size; write it as in 1280x720")
    try:
        with tempfile.TemporaryDirectory() as folder:
            delays = measured(Path(folder), args, HouseClock())
    except BenchError as fault:
        print(fault, file=sys.stderr)
        return 1
    print(f"{args.outputs}, {args.screens} screens of {args.size}; asked: {ASKED_MS} ms")
    print(table(delays))
    if args.json is not None:
        told = {stage: asdict(delay) for stage, delay in delays.items()}
        args.json.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
