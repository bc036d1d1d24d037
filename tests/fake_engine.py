"""An engine for tests, opened by name in real worker processes; it misbehaves on command."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

COMMANDS = (
    *("crash", "exit", "hang", "spin", "raise", "sleep"),
    *("nan", "oom", "constant", "stale", "nothing"),
)


class FakeEngine:
    """Fills each picture with its latents' first three numbers as red, green and blue in 0..255;
    the last row is brighter by one, for a constant picture would be refused. Any side will do.

    A command is a file holding one of COMMANDS, taken away when it is obeyed; "stale" goes on.
    """

    description = "fake engine"
    num_ws: int

    def __init__(self, command_file: str = "", render_s: float = 0.0) -> None:
        self._command_file = Path(command_file) if command_file else None
        self._render_s = render_s
        self._painted: NDArray[np.float32] | None = None  # instead of what is asked for

    def render(self, ws: NDArray[np.float32], out: NDArray[np.uint8]) -> None:
        """ws: [N, num_ws, w_dim] with w_dim >= 3; out: [N, H, W, 4]."""
        command = self._obey()
        if self._render_s:
            threading.Event().wait(self._render_s)
        if command == "constant":
            out[:] = 9
        if command in ("constant", "nothing"):
            return
        if command == "stale":
            self._painted = ws.copy()
        if self._painted is not None:
            ws = self._painted[: len(ws)]
        out[..., :3] = ws[:, 0, None, None, :3].astype(np.uint8)
        out[:, -1, :, :3] += 1
        out[..., 3] = 255

    def _obey(self) -> str:
        if self._command_file is None or not self._command_file.exists():
            return ""
        command = self._command_file.read_text()
        if command not in COMMANDS:
            return ""  # created and not yet written
        self._command_file.unlink()
        if command == "crash":
            os.abort()
        if command == "exit":
            sys.exit(7)
        if command == "raise":
            raise RuntimeError("the fake device is lost")
        if command == "nan":
            raise FloatingPointError("its pictures are not made of finite numbers")
        if command == "oom":
            raise MemoryError
        if command == "sleep":
            threading.Event().wait(0.1)
        if command == "hang":
            threading.Event().wait()
        while command == "spin":
            pass
        return command


class FakeTrial:
    """Two steps, and then half of 8 px matches."""

    def __init__(self) -> None:
        self._steps = 0

    def step(self, ws: NDArray[np.float32]) -> tuple[int, ...] | None:
        """ws: [num_ws, w_dim]."""
        assert ws.ndim == 2
        self._steps += 1
        return (4,) if self._steps == 2 else None


class EarlyEngine(FakeEngine):
    """One that can stop early."""

    def early_stop_trial(self) -> FakeTrial:
        return FakeTrial()


def open_engine(
    *,
    command_file: str = "",
    render_s: float = 0.0,
    load_s: float = 0.0,
    fault: str = "",
    early: bool = False,
    num_ws: int | None = None,
) -> FakeEngine:
    """The factory. load_s: seconds it takes; fault: what it raises instead of an engine; early: it
    has a trial of early pictures; num_ws: what it says of itself."""
    print(f"fake engine opens, OMP_WAIT_POLICY={os.environ.get('OMP_WAIT_POLICY')}")
    if load_s:
        threading.Event().wait(load_s)
    if fault:
        raise ValueError(fault)
    engine = (EarlyEngine if early else FakeEngine)(command_file, render_s)
    if num_ws is not None:
        engine.num_ws = num_ws
    return engine
