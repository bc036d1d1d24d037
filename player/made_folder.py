"""Where what is made of a show is kept: its films, previews and snapshots."""

from __future__ import annotations

import os
from pathlib import Path

from player.this_program import ROOT, is_installed
from player.upkeep.play_arguments import state_folder


def made_folder(show: Path) -> Path:
    """The show's own folder; for the show inside an installed package one of the user's, because
    the package may belong to root, and the next installation takes its folder away."""
    if is_installed() and show.resolve().is_relative_to(ROOT / "shows"):
        return state_folder(os.environ) / "shows" / show.name
    return show
