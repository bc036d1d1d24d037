"""Draws a wall on the running desktop while monitors come and go, and counts what every window did.

    tests/seven_screens -- python -m tests.changes_on_desktop FOLDER [--kind KIND]
        [--machine FILE] [--size WxH] STEP...

A STEP is `start`, `unplug:I`, `plug` or `xrandr:ARGUMENTS`. The wall draws at 30 fps while it is
done and until 30 ticks after it was noticed; its screenshot is FOLDER/<number>.png. Done before
the wall opens: `mode:ARGUMENTS` makes a mode known to xrandr, `edid:I:SERIAL` gives output I an
EDID, `saver:S` has the screen saver come after S seconds. Prints JSON: per step how often each
window swapped in how many ticks, the longest time between two ticks in ms, the screens' sizes and
the wall's words, and whether the screen saver is on.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import glfw

from player.clock import HouseClock
from player.wall.machine_file import read_machine_file
from player.wall.outputs import open_wall
from player.wall.shots import Layer, Shot
from tests.edid_blocks import edid_block
from tests.wall_on_desktop import COLOURS, SEVEN_SCREENS, pictures
from tests.x11_desktop import screen_saver_is_on, set_edid

FRAME_NS = 33_333_333
TICKS_AFTER = 30
NAMES = tuple(f"S{n}" for n in range(1, len(COLOURS) + 1))


class Run:
    """The wall, its ticks, and the swaps of each of its windows."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        machine = read_machine_file(arguments.machine, NAMES) if arguments.machine else None
        self.folder: Path = arguments.folder
        self.swaps: dict[int, int] = {}
        self._count_swaps()
        self.wall = open_wall(arguments.kind, len(NAMES), arguments.size, machine)
        self.windows = [_key(window.handle) for window in self.wall._windows]  # type: ignore[attr-defined]
        self.clock = HouseClock()
        self.shots = [Shot((Layer("live", i, 1.0),), 1.0, "stretch") for i in range(len(NAMES))]
        self.ticks = 0
        self.poll_ms: list[float] = []

    def _count_swaps(self) -> None:
        swap = glfw.swap_buffers

        def counting(window: Any) -> None:
            self.swaps[_key(window)] = self.swaps.get(_key(window), 0) + 1
            swap(window)

        glfw.swap_buffers = counting

    def step(self, number: int, what: str) -> dict[str, Any]:
        """Does it while drawing goes on; the ticks of the change itself are among those counted."""
        seats = self._seats()
        self.swaps.clear()
        first_tick, longest_ms, left = self.ticks, 0.0, TICKS_AFTER
        command = _command(what)
        process = subprocess.Popen(command) if command else None
        due_ns = last_ns = self.clock.now_ns()
        while left:
            due_ns += FRAME_NS
            self.clock.wait_until_ns(due_ns)
            self._tick()
            now_ns = self.clock.now_ns()
            longest_ms = max(longest_ms, (now_ns - last_ns) / 1e6)
            last_ns = now_ns
            if process is None or (process.poll() is not None and self._seats() != seats):
                left -= 1
            if self.ticks - first_tick > 300:
                raise RuntimeError(f"{what}: nothing changed in ten seconds")
        ticks = self.ticks - first_tick
        swaps = [self.swaps.get(window, 0) for window in self.windows]
        subprocess.run([SEVEN_SCREENS, "--shot", str(self.folder / f"{number}.png")], check=True)
        return {
            "step": what,
            "ticks": ticks,
            "swaps": swaps,
            "longest_ms": round(longest_ms, 1),
            "poll_ms_max": round(max(self.poll_ms[-ticks:]), 2),
            "poll_ms_p50": round(sorted(self.poll_ms[-ticks:])[ticks // 2], 3),
            "sizes": [self.wall.size_of(i) for i in range(len(NAMES))],
            "saver_on": screen_saver_is_on(),
            "status": self.wall.screens_status(),
            "describe": self.wall.describe(),
        }

    def _tick(self) -> None:
        before_ns = self.clock.now_ns()
        assert self.wall.poll()
        self.poll_ms.append((self.clock.now_ns() - before_ns) / 1e6)
        self.wall.upload("live", pictures())
        self.wall.draw(self.shots)
        self.wall.present()
        self.ticks += 1

    def _seats(self) -> object:
        seating = self.wall._seating  # type: ignore[attr-defined]
        return seating.seats, seating.desktop_area


def _key(window: Any) -> int:
    return ctypes.cast(window, ctypes.c_void_p).value or 0


def _command(what: str) -> list[str] | None:
    kind, _, rest = what.partition(":")
    if kind == "unplug":
        return [str(SEVEN_SCREENS), "--unplug", rest]
    if kind == "plug":
        return [str(SEVEN_SCREENS), "--plug"]
    if kind == "xrandr":
        return ["xrandr", *shlex.split(rest)]
    return None


def prepared(what: str) -> bool:
    """Whether it was something to do before the wall opens; then it is done."""
    kind, _, rest = what.partition(":")
    if kind == "mode":
        subprocess.run(["xrandr", *shlex.split(rest)], check=True)
    elif kind == "saver":
        subprocess.run(["xset", "s", rest, rest], check=True)
    elif kind == "edid":
        output, serial = rest.split(":")
        set_edid(int(output), edid_block("DEL", 0x41A8, 0, "DELL U2720Q", serial))
    else:
        return False
    return True


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kind", default="windows")
    parser.add_argument("--machine", type=Path)
    parser.add_argument("--size", type=lambda text: tuple(map(int, text.split("x"))))
    parser.add_argument("steps", nargs="+")
    arguments = parser.parse_args()
    steps = [what for what in arguments.steps if not prepared(what)]
    run = Run(arguments)
    report = [run.step(number, what) for number, what in enumerate(steps)]
    run.wall.close()
    print(json.dumps(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
