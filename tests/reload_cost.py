"""What reading the show anew costs the frames of a show that plays, really played.

    python -m tests.reload_cost none|asked|words|latents [--reloads 20] [--frames 700]

Plays a copy of the shipped show headless and, once live pictures are there, sends /reload about
once a second: with nothing changed (asked), after a title was edited (words), or after a ballad was
published anew (latents). Prints the frame report's counts and the slowest stages of a frame.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from player.clock import HouseClock
from run_installation import DEFAULT_SHOW
from shows.latent_set import write_latent_set
from shows.show import Show
from shows.show_file import load_show, save_ballad
from tests.installation_process import Installation

Kind = Literal["none", "asked", "words", "latents"]
EVERY_NS = 900_000_000


def change(show: Show, kind: Kind, number: int) -> None:
    """One edit: a title, or latents moved a little, of one ballad after the other."""
    ballad = show.ballads[number % len(show.ballads)]
    if kind == "words":
        title = f"{ballad.title}, edited {number}"
        save_ballad(show.folder, ballad.model_copy(update={"title": title}))
    elif kind == "latents":
        latents = show.latents[ballad.id]
        noise = np.random.default_rng(number).standard_normal(latents.ws.shape)
        moved = (latents.ws + 0.1 * latents.ws.std() * noise).astype(np.float32)
        write_latent_set(show.latents_path(ballad.id), replace(latents, ws=moved))


def played(folder: Path, kind: Kind, reloads: int, frames: int) -> tuple[dict[str, object], float]:
    """The frame report, and the longest wait for an answer in seconds."""
    shutil.copytree(DEFAULT_SHOW, folder / "show", ignore=shutil.ignore_patterns("films", "work"))
    show, clock = load_show(folder / "show"), HouseClock()
    report, longest_s = folder / "report.json", 0.0
    words = ("--show", show.folder, "--mode", "live", "--outputs", "headless", "--plain")
    more = ("--size", "64x64", "--frames", frames, "--report", report)
    with Installation(*words, *more) as run:
        run.said("The screens show live pictures")
        for number in range(reloads if kind != "none" else 0):
            change(show, kind, number)
            asked_ns = clock.now_ns()
            run.ask("/reload")
            longest_s = max(longest_s, (clock.now_ns() - asked_ns) / 1e9)
            clock.wait_until_ns(asked_ns + EVERY_NS)
        assert run.ended(seconds=frames / 10 + 60) == 0
    told: dict[str, object] = json.loads(report.read_text())
    return told, longest_s


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kind", choices=["none", "asked", "words", "latents"])
    parser.add_argument("--reloads", type=int, default=20)
    parser.add_argument("--frames", type=int, default=700)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        told, longest_s = played(Path(folder), args.kind, args.reloads, args.frames)
    counts = {name: told[f"frames_{name}"] for name in ("presented", "late", "repeated", "dropped")}
    stages = told["stages_ms"]
    assert isinstance(stages, dict)
    slow = {name: (stages[name]["p99"], stages[name]["max"]) for name in ("wait", "ask", "draw")}
    print(f"{args.kind}: {counts}; p99 and max of a stage, ms: {slow}; answer in {longest_s:.2f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
