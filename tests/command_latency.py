"""From an operator's command to the first changed picture, on one machine, really played.

    python -m tests.command_latency [--commands 100] [--engine-threads 1]

Plays a show whose pictures stand still (headless, its front buffer watched a thousand times a
second), sends /ballad to it at random moments and prints the times until the first screen changes.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

import numpy as np

from player.clock import HouseClock
from player.frame_report import Spread
from player.wall.front_buffer import read_front_buffer
from shows.show_file import save_settings
from tests.installation_process import Installation
from tests.live_show import make_live_show

CHANGE_FRAMES = 10  # so that already the first frame of a change differs to the eye
LIMIT_NS = 2_000_000_000


def measured(folder: Path, commands: int, threads: int, seed: int = 1) -> Spread:
    """The times of so many commands."""
    rng = random.Random(seed)
    clock = HouseClock()
    show = make_live_show(folder / "show", moving=False)
    settings = show.settings.model_copy(
        update={"noise_strength": 0.0, "ballad_change_frames": CHANGE_FRAMES}
    )
    save_settings(show.folder, settings)
    front = folder / "front"
    spread = Spread()
    words = ("--show", show.folder, "--outputs", "headless", "--size", "64x64")
    with Installation(*words, "--threads", threads, "--front-buffer", front) as run:
        run.status_with("source live;")
        for number in range(commands):
            wait(clock, int(1e9 * (CHANGE_FRAMES + 15) / 30 + rng.random() * 1e8))
            before = read_front_buffer(front)[0]
            sent_ns = clock.now_ns()
            run.ask("/screen/1/ballad", 1 + (number + 1) % 7)
            while (read_front_buffer(front)[0] == before).all():
                if clock.now_ns() - sent_ns > LIMIT_NS:
                    raise SystemExit(f"command {number} changed nothing within 2 s")
                wait(clock, 1_000_000)
            spread.add((clock.now_ns() - sent_ns) / 1e6)
    return spread


def wait(clock: HouseClock, ns: int) -> None:
    clock.wait_until_ns(clock.now_ns() + ns)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--commands", type=int, default=100)
    parser.add_argument("--engine-threads", type=int, default=1)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        spread = measured(Path(folder), args.commands, args.engine_threads)
    told = spread.as_dict()
    print(f"{args.commands} commands to first changed picture, ms: {told}")
    return 0 if np.isfinite(told["max"] or np.inf) else 1


if __name__ == "__main__":
    sys.exit(main())
