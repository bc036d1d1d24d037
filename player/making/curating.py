"""The w of each painting of a new show: `python -m training ...` as processes of their own.

The player has no torch; what projects has. Each verb's progress goes straight to the terminal.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from shows.show import Show

ROOT = Path(__file__).resolve().parents[2]
CODES = "codes.safetensors"
PROJECTION = "projection.safetensors"


def commands(show: Show, steps: int) -> tuple[tuple[str, ...], ...]:
    """What is asked of `python -m training`, one after the other.

    In w+ because the generator comes nearer there to pictures that it was not trained on. What is
    published is the projection itself: the record names its file, and no person who chose it.
    """
    folder = show.folder.resolve()
    codes = ("--codes", str(folder / CODES))
    projections = [str(show.ballad_folder(name).resolve() / PROJECTION) for name in show.ballad_ids]
    return (
        ("project", str(folder), *codes, "--space", "w+", "--steps", str(steps)),
        ("publish", str(folder), "--from", *projections),
    )


def command_lines(show: Show, steps: int) -> str:
    """The same for a person to type."""
    return "\n".join(
        f"  {shlex.join([sys.executable, '-m', 'training', *words])}"
        for words in commands(show, steps)
    )


def is_possible() -> bool:
    """Whether what projects is installed."""
    return find_spec("torch") is not None and find_spec("training") is not None


def curate(show: Show, steps: int) -> str | None:
    """Project and publish; None when all is done, else the verb that failed.

    Ctrl-C goes to the child too and raises KeyboardInterrupt here; what is projected stays.
    """
    for words in commands(show, steps):
        if subprocess.call([sys.executable, "-m", "training", *words], cwd=ROOT) != 0:
            return words[0]
    return None
