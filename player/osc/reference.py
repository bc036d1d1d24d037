"""The table of addresses as docs/osc.md has it; `python -m player.osc.reference` writes it."""

from __future__ import annotations

import sys
from pathlib import Path

from player.osc.rows import Argument, Row
from player.osc.table import SECTIONS

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "osc.md"
BEGIN = "<!-- made by python -m player.osc.reference -->"
END = "<!-- end of what is made -->"


def reference() -> str:
    """All sections as Markdown."""
    parts = []
    for title, rows in SECTIONS.items():
        lines = [
            f"### {title}",
            "",
            "| address | arguments | does | since |",
            "| --- | --- | --- | --- |",
            *(
                f"| `{shown_path(row.path)}` | {_arguments(row)} | {row.says} | {row.since} |"
                for row in rows
            ),
        ]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def shown_path(path: str) -> str:
    """As a person reads it."""
    return path.replace("{screen}", "<n>").replace("{group}", "<group>")


def with_reference(guide: str) -> str:
    """The guide with its tables made anew. Raises ValueError if it has no place for them."""
    before, begin, rest = guide.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{GUIDE.name} has no {BEGIN!r} with {END!r} after it")
    return f"{before}{BEGIN}\n\n{reference()}\n\n{END}{after}"


def _arguments(row: Row) -> str:
    told = ", ".join(_argument(argument) for argument in row.arguments)
    if row.make is None:
        return f"none; answers {told}" if told else "none"
    if row.ask is not None:
        return f"{told}; none or `?` asks"
    return told or "none"


def _argument(argument: Argument) -> str:
    told = argument.name
    if argument.low is not None and argument.high is not None:
        told += f" {argument.low:g} to {argument.high:g}"
    if argument.unit and argument.unit not in told and argument.name != "seconds":
        told += f" {argument.unit}"
    if argument.default is not None:
        default = int(argument.default) if argument.default is True else argument.default
        told += (
            f" (left out: {default:g})" if isinstance(default, float) else f" (left out: {default})"
        )
    return told


if __name__ == "__main__":
    GUIDE.write_text(with_reference(GUIDE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.exit(0)
