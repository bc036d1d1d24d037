"""Writes states and is killed while it does: `state_killer.py FILE KILLS SEED`.

One process forks a writer for each kill, so that the imports are paid once. Prints a line for each:
the tick the file holds, the newest one known to be written when the kill came, and how many files
lie beside it. What is wrong with the file raises.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
from fractions import Fraction
from pathlib import Path

from player.transport import Transport
from player.upkeep.saved_state import state_of
from player.upkeep.state_file import StateKeeper
from shows.timeline import Cue

TRANSPORT = Transport(0, 0, 1, ((Cue("ballad-1", 0, 0),),) * 7, False, -15)


def write_on(path: Path, first_tick: int, told: int) -> None:
    """Every tick is another origin, and so is written; each one read back is told."""
    keeper = StateKeeper(path, "f" * 64, Fraction(30))
    keeper.start()
    tick = first_tick
    while True:
        keeper.keep(TRANSPORT, tick, tick)
        while not path.exists() or state_of(path.read_bytes()).tick != tick:
            threading.Event().wait(0.0001)
        os.write(told, tick.to_bytes(8, "little"))
        tick += 1


def main(path: Path, kills: int, seed: int) -> None:
    chance, tick = random.Random(seed), 1
    for _ in range(kills):
        heard, told = os.pipe()
        pid = os.fork()
        if pid == 0:
            write_on(path, tick, told)
        os.close(told)
        newest = int.from_bytes(os.read(heard, 8), "little")
        threading.Event().wait(chance.uniform(0, 0.02))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        while told_last := os.read(heard, 8 * 4096):
            newest = int.from_bytes(told_last[-8:], "little")
        os.close(heard)
        held = state_of(path.read_bytes())
        print(held.tick, newest, len(os.listdir(path.parent)) - 1)
        tick = held.tick + 1


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
