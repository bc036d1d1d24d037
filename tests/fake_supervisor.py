"""The supervisor as a process, over `fake_player.py`: `fake_supervisor.py RECORD PLAN...`."""

from __future__ import annotations

import sys
from pathlib import Path

from player.upkeep.supervisor import Patience, run_command

FAKE_PLAYER = Path(__file__).with_name("fake_player.py")

if __name__ == "__main__":
    sys.exit(
        run_command(
            [sys.executable, str(FAKE_PLAYER), *sys.argv[1:]],
            state=Path(sys.argv[1]).with_suffix(".state"),
            patience=Patience(first_pause_s=0.05),
        )
    )
