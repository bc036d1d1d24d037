"""An engine for tests, opened by name in real worker processes; it misbehaves on command."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

COMMANDS = ("crash", "exit", "hang", "spin", "raise", "sleep")


class FakeEngine:
    """Fills each picture with its latents' first three numbers as red, green and blue in 0..255.

    A one-shot command is a file holding one of COMMANDS, taken away when it is obeyed.
    """

    description = "fake engine"

    def __init__(self, command_file: str = "", render_s: float = 0.0) -> None:
        self._command_file = Path(command_file) if command_file else None
        self._render_s = render_s

    def render(self, ws: NDArray[np.float32], out: NDArray[np.uint8]) -> None:
        """ws: [N, num_ws, w_dim] with w_dim >= 3; out: [N, H, W, 4]."""
        self._obey()
        if self._render_s:
            threading.Event().wait(self._render_s)
        out[..., :3] = ws[:, 0, None, None, :3].astype(np.uint8)
        out[..., 3] = 255

    def _obey(self) -> None:
        if self._command_file is None or not self._command_file.exists():
            return
        command = self._command_file.read_text()
        if command not in COMMANDS:
            return  # created and not yet written
        self._command_file.unlink()
        if command == "crash":
            os.abort()
        if command == "exit":
            sys.exit(7)
        if command == "raise":
            raise RuntimeError("the fake device is lost")
        if command == "sleep":
            threading.Event().wait(0.1)
        if command == "hang":
            threading.Event().wait()
        while command == "spin":
            pass


def open_engine(
    *, command_file: str = "", render_s: float = 0.0, load_s: float = 0.0, fault: str = ""
) -> FakeEngine:
    """The factory. load_s: seconds it takes; fault: what it raises instead of an engine."""
    print(f"fake engine opens, OMP_WAIT_POLICY={os.environ.get('OMP_WAIT_POLICY')}")
    if load_s:
        threading.Event().wait(load_s)
    if fault:
        raise ValueError(fault)
    return FakeEngine(command_file, render_s)
