"""Whether a stick is whole, where there is no sha256sum: check.py beside SHA256SUMS."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path


def faults(stick: Path) -> list[str]:
    """The files of SHA256SUMS that are damaged or missing. Raises OSError without that list."""
    lines = (stick / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    wanted = dict(reversed(line.split("  ", 1)) for line in lines)
    return [name for name, digest in wanted.items() if _digest(stick / name) != digest]


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def main() -> int:
    """The exit status: 0 whole, 1 a line for each file that is not."""
    found = faults(Path(__file__).resolve().parent)
    for name in found:
        print(f"install: {name} is damaged or missing; copy it again from where it was packed.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
