"""Reading the log of a run, log.jsonl, as it is found: while it grows, or after a crash."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

LOG_FILE = "log.jsonl"


@dataclass(frozen=True)
class RunLog:
    """lines: one for each tick, by `kimg`, each later than the one before it; numbers alone.
    notes: sentences on what could not be read, or was written twice."""

    lines: tuple[dict[str, float], ...]
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Of all columns but kimg, in order of their first appearance."""
        return tuple(dict.fromkeys(name for line in self.lines for name in line if name != "kimg"))

    def column(self, name: str) -> tuple[list[float], list[float]]:
        """(kimg, value) of the lines that have it; values that are not finite are NaN."""
        found = [(line["kimg"], line[name]) for line in self.lines if name in line]
        return (
            [kimg for kimg, _ in found],
            [value if math.isfinite(value) else math.nan for _, value in found],
        )

    def best(self, name: str) -> tuple[float, float] | None:
        """(kimg, value) where it is least; None where there is none."""
        kimgs, values = self.column(name)
        finite = [pair for pair in zip(values, kimgs, strict=True) if math.isfinite(pair[0])]
        return (min(finite)[1], min(finite)[0]) if finite else None


def read_log(folder: Path) -> RunLog:
    """The log of a run folder; without a file it is empty."""
    path = folder / LOG_FILE
    if not path.is_file():
        return RunLog((), (f"There is no {LOG_FILE}.",))
    return parse_log(path.read_text(encoding="utf-8", errors="replace").splitlines())


def parse_log(texts: Iterable[str]) -> RunLog:
    """Where a run was resumed before what it had logged already, the later line counts."""
    lines: list[dict[str, float]] = []
    torn = repeated = 0
    for text in texts:
        line = _numbers(text)
        if line is None:
            torn += bool(text.strip())
            continue
        while lines and lines[-1]["kimg"] >= line["kimg"]:
            lines.pop()
            repeated += 1
        lines.append(line)
    notes = []
    if torn:
        notes.append(f"{_count(torn, 'line')} of the log could not be read.")
    if repeated:
        notes.append(
            f"{_count(repeated, 'line')} of the log {'was' if repeated == 1 else 'were'} written "
            "again after the run was resumed; the later ones count."
        )
    for name in dict.fromkeys(name for line in lines for name in line):
        wild = [line["kimg"] for line in lines if not math.isfinite(line.get(name, 0.0))]
        if wild:
            notes.append(
                f"{name} was no number in {_count(len(wild), 'line')}, first at {wild[0]:g} kimg."
            )
    return RunLog(tuple(lines), tuple(notes))


def _numbers(text: str) -> dict[str, float] | None:
    """The numbers of a line; None for one that is torn or has no kimg."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    numbers = {
        str(name): float(value)
        for name, value in found.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    return numbers if math.isfinite(numbers.get("kimg", math.nan)) else None


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
