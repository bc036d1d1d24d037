"""`run_installation.py desk` as a process, and the address that it tells."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parent.parent


class DeskProcess:
    """Use as a context: nothing of it is left running."""

    def __init__(self, show: Path, player_port: int, *words: object, **environment: str) -> None:
        # NiceGUI behaves otherwise where it believes itself under test
        plain = {key: value for key, value in os.environ.items() if "PYTEST" not in key}
        command = [sys.executable, str(ROOT / "run_installation.py"), "desk", "--show", str(show)]
        command += ["--player", f"127.0.0.1:{player_port}", "--port", "0", *map(str, words)]
        self.lines: list[str] = []
        self._told = threading.Event()
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**plain, **environment},
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    @property
    def address(self) -> str:
        """Once it is open."""
        assert self._told.wait(60), self.text
        found = re.search(r"http://\S+:[0-9]+/", self.text)
        assert found is not None, self.text
        return found[0]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait()
        self._listener.join(5)
        if kind is not None:
            print(self.text)

    def end(self, number: int) -> int:
        """Send a signal; how the process ended."""
        self.process.send_signal(number)
        return self.process.wait(timeout=30)

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if "The desk is open at" in line:
                self._told.set()
        self._told.set()
