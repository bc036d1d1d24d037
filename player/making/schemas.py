"""`run_installation.py schema`: JSON Schemas, by which editors complete and check YAML files."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from player.this_program import program_name
from player.wall.calibration_file import CalibrationFile
from player.wall.machine_file import MachineFile
from shows.atomic_file import write_atomically
from shows.json_schema import ballad_schema, json_schema, show_schema
from shows.schema import ShowError

MACHINE_WORDS = {
    "MachineFile": {
        "schema_version": "Of this file's words: 1.",
        "outputs": "windows: one for each monitor; span: one over all.",
        "screens": "Where the screens of the show stand; one that is not named takes the leftmost "
        "monitor that is left.",
    },
    "FileScreen": {
        "screen": "Its name in the show.",
        "output": "It stands on the monitor at this output, as `monitors` lists it.",
        "edid": "It stands on the monitor that calls itself so.",
        "index": "It stands on this monitor, counted from 1 at the left.",
        "rectangle": "It stands in this part of the desktop: x, y, width, height in pixels.",
        "size": "The most it has: width, height in pixels, in the middle of its place.",
        "calibration": "Geometry, light and colour of it (docs/calibration.md).",
    },
}
CALIBRATION_WORDS = {
    "CalibrationFile": {
        "schema_version": "Of this file's words: 1.",
        "screens": "By the screens' names in the show.",
    }
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the verb `schema`."""
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder to write to. An editor takes a schema from a file's first line: "
        "# yaml-language-server: $schema=schema/show.schema.json",
    )


def run(args: argparse.Namespace) -> int:
    """The verb: 0; 1 with a sentence on standard error."""
    try:
        paths = write_schemas(args.out)
    except ShowError as fault:
        print(f"{program_name()} schema: {fault}", file=sys.stderr)
        return 1
    print("\n".join(str(path) for path in paths))
    return 0


def schemas() -> dict[str, dict[str, Any]]:
    """By the name of the file it is written to."""
    return {
        "show.schema.json": show_schema(),
        "ballad.schema.json": ballad_schema(),
        "machine.schema.json": json_schema(MachineFile, "A machine", MACHINE_WORDS),
        "calibration.schema.json": json_schema(
            CalibrationFile, "Calibration of a machine's screens", CALIBRATION_WORDS
        ),
    }


def write_schemas(folder: Path) -> tuple[Path, ...]:
    """Write them all, each whole or not at all. Raises ShowError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise ShowError(f"{folder} cannot be made: {fault.strerror}.") from fault
    for name, schema in schemas().items():
        text = json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
        write_atomically(folder / name, text.encode())
    return tuple(folder / name for name in schemas())
