"""What the figures of a simulated night must reach, and the table that says so. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Loss up to which the clock must be at its best.
ORDINARY_LOSS = 0.05


@dataclass(frozen=True)
class Row:
    """One figure: what, what it came to, what it must be at least or at most."""

    what: str
    value: float
    target: float
    is_least: bool = False

    @property
    def is_reached(self) -> bool:
        """Whether the target is met."""
        return self.value > self.target if self.is_least else self.value <= self.target


def judged(figures: Mapping[str, Any], *, loss: float) -> list[Row]:
    """Every figure that has a target, with it."""
    is_ordinary = loss <= ORDINARY_LOSS
    rows = [Row("clock spread, p99, ms", figures["spread_ms"]["p99"], 1.0 if is_ordinary else 2.0)]
    if is_ordinary:
        rows.insert(0, Row("clock spread, median, ms", figures["spread_ms"]["p50"], 0.4))
    rows.append(Row("same frame on all, share", figures["agreement"], 0.999, is_least=True))
    if figures["switches"]:
        rows.append(Row("switches missed", figures["switches_missed"], 0))
    if figures["switches"] and is_ordinary:
        command_ms = figures["command_ms"]["p99"]
        rows += [
            Row("switches late on some machine", figures["switches_late"], 0),
            Row("command to changed picture, p99, ms", command_ms, 250.0),
        ]
    if figures["failovers"]:
        rows.append(Row("leader gone to taken over, s", figures["failover_s_max"], 1.5))
    rows += [
        Row("jumps of the frame number", figures["index_jumps"], 0),
        Row("apart after an hour of holdover, frames", figures["holdover_frames"], 0.5),
    ]
    return rows


def table(rows: list[Row]) -> str:
    """The rows as a Markdown table."""
    lines = ["| figure | value | target | |", "| --- | --- | --- | --- |"]
    for row in rows:
        sign = "above" if row.is_least else "at most"
        verdict = "reached" if row.is_reached else "MISSED"
        lines.append(f"| {row.what} | {row.value:.6g} | {sign} {row.target:g} | {verdict} |")
    return "\n".join(lines)
