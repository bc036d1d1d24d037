"""Starts `python -m training train` as processes that need not import torch again.

Run as `python -m tests.train_launcher`: reads one JSON list of lists of words a line, forks a
process for each list (several are the workers of one run), writes their ids, and when all have
ended their exit codes (a signal's negative). The forked processes are real ones, to be killed.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from generator.allocator import SETTINGS

ROOT = Path(__file__).resolve().parent.parent


class Launcher:
    """The process that forks, seen from the test."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.train_launcher"],
            cwd=ROOT,
            env={**os.environ, **SETTINGS, "GOMP_SPINCOUNT": "0", "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def train(self, words: Sequence[str], workers: int, patience_s: float | None) -> list[int]:
        """Run `training train` with these words; kill it (SIGKILL) when it takes longer than that.

        Returns the exit codes of its workers.
        """
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps([list(words), workers]).encode() + b"\n")
        self.process.stdin.flush()
        ids = json.loads(self.process.stdout.readline())
        ended = [self.process.stdout]
        if patience_s is not None and not select.select(ended, [], [], patience_s)[0]:
            for process in ids:
                os.kill(process, signal.SIGKILL)
        codes: list[int] = json.loads(self.process.stdout.readline())
        return codes

    def close(self) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


def _forked(words: list[str], rank: int, workers: int, port: str) -> int:
    """The id of a new process that trains."""
    from training.__main__ import main

    process = os.fork()
    if process:
        return process
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    if workers > 1:
        os.environ |= {
            "WORLD_SIZE": str(workers),
            "RANK": str(rank),
            "LOCAL_RANK": str(rank),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": port,
        }
    code = 1
    try:
        code = main(["train", *words])
    finally:
        os._exit(code)


def serve() -> None:
    """Until stdin ends."""
    # what the forks are spared; the first is loaded by the first optimiser that is made
    for name in ("torch._dynamo", "training.learning.train"):
        importlib.import_module(name)
    for line in sys.stdin:
        words, workers = json.loads(line)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        ids = [_forked(words, rank, workers, port) for rank in range(workers)]
        print(json.dumps(ids), flush=True)
        codes = [os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in ids]
        print(json.dumps(codes), flush=True)


if __name__ == "__main__":
    serve()
