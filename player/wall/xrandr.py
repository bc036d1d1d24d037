"""What xrandr tells of the outputs and GLFW does not: exact refresh rates, and the EDIDs.

xrandr runs as a program of its own: an output that vanishes while it is asked about is an X error,
which ends the process that asked.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from player.wall.edid import BLOCK_BYTES, Edid, EdidError, decode_edid
from player.wall.monitors import Area

ASK_SECONDS = 3.0
MAX_TEXT_CHARACTERS = 1_000_000
# `--current`: without it the X server looks at every cable anew, which holds all drawing up
_COMMAND = ("xrandr", "--current", "--verbose")

_OUTPUT = re.compile(r"(\S{1,100}) (connected|disconnected|unknown connection)\b(.*)")
_GEOMETRY = re.compile(r" (\d{1,6})x(\d{1,6})([+-]\d{1,6})([+-]\d{1,6}) ")
_MODE = re.compile(r"  \S+ \(0x[0-9a-f]+\)\s+(\d{1,6}(?:\.\d{1,6})?)MHz(.*)")
_TOTAL = re.compile(r"\s+([hv]): .*?\btotal\s+(\d{1,6})\b")
_HEX_LINE = re.compile(r"\t\t([0-9a-f]{2,64})\s*")


@dataclass(frozen=True)
class RandrOutput:
    """One connector. area: None while it is off. refresh_hz, edid: None where not told."""

    name: str
    is_connected: bool
    area: Area | None
    refresh_hz: Fraction | None
    edid: Edid | None


def ask_xrandr() -> tuple[RandrOutput, ...] | None:
    """Asks the running X server; takes some ms, 3 s at most. None if it cannot be asked."""
    try:
        done = subprocess.run(
            _COMMAND,
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=ASK_SECONDS,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    if done.returncode != 0:
        return None
    return parse_xrandr(done.stdout.decode("utf-8", "replace"))


def parse_xrandr(text: str) -> tuple[RandrOutput, ...]:
    """The outputs in `xrandr --verbose`'s text, in its order; lines it does not know are passed."""
    outputs: list[RandrOutput] = []
    header: re.Match[str] | None = None
    body: list[str] = []
    for line in text[:MAX_TEXT_CHARACTERS].splitlines():
        found = _OUTPUT.fullmatch(line)
        if found:
            if header:
                outputs.append(_output(header, body))
            header, body = found, []
        else:
            body.append(line)
    if header:
        outputs.append(_output(header, body))
    return tuple(outputs)


def _output(header: re.Match[str], body: list[str]) -> RandrOutput:
    name, connection, rest = header.groups()
    geometry = _GEOMETRY.search(rest + " ")
    area = None
    if geometry:
        width, height, x, y = (int(number) for number in geometry.groups())
        if width and height:
            area = Area(x, y, width, height)
    return RandrOutput(name, connection == "connected", area, _refresh_hz(body), _edid(body))


def _refresh_hz(body: list[str]) -> Fraction | None:
    """Of the mode marked as current: pixel clock over the pixels of a whole refresh."""
    lines = iter(body)
    for line in lines:
        mode = _MODE.fullmatch(line)
        if mode and "*current" in mode[2]:
            totals = dict(_totals(lines))
            pixels = Fraction(totals.get("h", 0) * totals.get("v", 0))
            if "DoubleScan" in mode[2]:
                pixels *= 2
            if "Interlace" in mode[2]:  # the rate of fields is what a swap waits for
                pixels /= 2
            rate = Fraction(mode[1]) * 1_000_000 / pixels if pixels else None
            return rate or None
    return None


def _totals(lines: Iterator[str]) -> Iterator[tuple[str, int]]:
    for line in lines:
        total = _TOTAL.match(line)
        if not total:
            return
        yield total[1], int(total[2])


def _edid(body: list[str]) -> Edid | None:
    digits = ""
    lines = iter(body)
    for line in lines:
        if line.strip() == "EDID:":
            break
    for line in lines:
        row = _HEX_LINE.fullmatch(line)
        if not row or len(digits) >= 2 * BLOCK_BYTES:
            break
        digits += row[1]
    try:
        return decode_edid(bytes.fromhex(digits)) if digits else None
    except (EdidError, ValueError):
        return None
