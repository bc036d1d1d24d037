"""What `prepare` did with every file: as JSON, the same for the same pictures, and in words."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass

LISTED_AT_MOST = 20


@dataclass(frozen=True)
class Kept:
    """A picture of the archive. picture: its name there. size_px: upright, before it was cut.
    warning: what is amber about it, or empty."""

    picture: str
    file: str
    size_px: tuple[int, int]
    steps: tuple[str, ...]
    enlarged: bool
    warning: str


@dataclass(frozen=True)
class Dropped:
    """A file that is not in the archive. resembles: the file that is there in its place, if any."""

    file: str
    reason: str
    detail: str
    resembles: str | None = None


@dataclass(frozen=True)
class Report:
    """not_pictures: by their names. tables: the provenance tables. rows_without_picture: of the
    tables, files that are not there. near_duplicates: most bits apart, None if all were kept."""

    source: str
    out: str
    size_px: int
    min_size_px: int
    background: str
    near_duplicates: int | None
    any_licence: bool
    kept: list[Kept]
    dropped: list[Dropped]
    not_pictures: list[str]
    tables: list[str]
    rows_without_picture: list[str]

    def as_json(self) -> bytes:
        """For the file beside the archive."""
        return json.dumps(asdict(self), indent=1).encode() + b"\n"

    def describe(self) -> str:
        """The report as lines for a person; long lists are cut, the file has all."""
        lines = [f"{self.out}: {len(self.kept)} pictures of {self.size_px} px"]
        steps = Counter(step for kept in self.kept for step in kept.steps)
        lines += [f"  {count} {step}" for step, count in sorted(steps.items())]
        if enlarged := sum(kept.enlarged for kept in self.kept):
            lines.append(
                f"  {enlarged} enlarged (they are between the least size and the final one)"
            )
        if self.dropped:
            reasons = Counter(dropped.reason for dropped in self.dropped)
            named = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
            lines.append(f"dropped {len(self.dropped)}: {named}")
            lines += self._cut([f"{d.file}: {d.reason} ({d.detail})" for d in self.dropped])
        if warned := [f"{kept.file}: {kept.warning}" for kept in self.kept if kept.warning]:
            lines.append(f"amber {len(warned)}: kept, but look at them")
            lines += self._cut(warned)
        if self.not_pictures:
            count = len(self.not_pictures)
            lines.append(f"{count} files are not pictures by their name and were left out")
        if self.rows_without_picture:
            count = len(self.rows_without_picture)
            lines.append(f"{count} rows of the provenance tables name pictures that are not there")
        if not self.tables:
            lines.append("no provenance.csv: where the pictures come from is not known")
        # a file's name may hold bytes that are no text
        return "\n".join(lines).encode("utf-8", "backslashreplace").decode()

    def _cut(self, lines: list[str]) -> list[str]:
        shown = [f"  {line}" for line in lines[:LISTED_AT_MOST]]
        if len(lines) > LISTED_AT_MOST:
            more = len(lines) - LISTED_AT_MOST
            shown.append(f"  and {more} more, see {self.out}.report.json")
        return shown
