"""starts.jsonl of a run: for each time it was started, what it was started with."""

from __future__ import annotations

import hashlib
import json
import shlex
import sys
import zipfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

STARTS_FILE = "starts.jsonl"


def record_start(
    folder: Path, kimg: float, sets: Sequence[dict[str, Any]], device: str, workers: int = 1
) -> None:
    """Add a line. kimg: where the run goes on from; sets: of `described_set`."""
    import torch

    line = {
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
        "kimg": round(kimg, 3),
        "command": shlex.join(["python", "-m", "training", *sys.argv[1:]]),
        "device": torch.cuda.get_device_name(device) if device.startswith("cuda") else device,
        "workers": workers,
        "torch": str(torch.__version__),
        "sets": list(sets),
    }
    with (folder / STARTS_FILE).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def described_set(path: Path, pictures: int, resolution: int) -> dict[str, Any]:
    """What a start says of a data set archive: its name, not where it lies, and the sha256 of the
    names, sizes and check sums in its directory, for which no picture has to be read."""
    with zipfile.ZipFile(path) as archive:
        directory = [(entry.filename, entry.file_size, entry.CRC) for entry in archive.infolist()]
    return {
        "name": path.name,
        "pictures": pictures,
        "resolution": resolution,
        "directory_sha256": hashlib.sha256(json.dumps(directory).encode()).hexdigest(),
    }


def read_starts(folder: Path) -> list[dict[str, Any]]:
    """The starts in order; a line that is torn is left out, and a missing file holds none."""
    path = folder / STARTS_FILE
    if not path.is_file():
        return []
    starts = []
    for text in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict):
            starts.append(line)
    return starts
