"""Processes that judge mutants by the chunk, and are told apart from the fuzz when they die.

A worker that crashes, or hangs where no signal reaches it, is a finding with the number of the
input that it was at; the rest of its chunk goes to another.
"""

from __future__ import annotations

import multiprocessing
import signal
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from tests.fuzz_judge import GENERATOR_EVERY, MOST_BYTES, MOST_SECONDS, Door, Judge, reader
from tests.pickle_bases import golden_bases
from tests.pickle_mutants import mutant
from tests.watched import limit_memory, peak_bytes

CHUNK = 200
SILENT_SECONDS = 60.0  # at one input, after which a worker is taken for dead
START_SECONDS = 300.0  # until its first input

_CONTEXT = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Task:
    """What all workers are told once."""

    folder: Path  # of the golden pickles
    seed: int
    door: Door = reader
    most_seconds: float = MOST_SECONDS
    silent_seconds: float = SILENT_SECONDS


@dataclass
class Report:
    """Inputs [first, stop), what came of them, and the findings as (index, text)."""

    first: int
    stop: int
    kinds: Counter[str] = field(default_factory=Counter)
    findings: list[tuple[int, str]] = field(default_factory=list)
    slowest: tuple[float, int] = (0.0, -1)  # seconds, index
    peak_bytes: int = 0


@dataclass
class _Worker:
    process: SpawnProcess
    pipe: Connection
    at: Any  # shared: the index it is at, or -1
    chunk: tuple[int, int] | None = None
    seen_at: int = -1
    seen_since: float = 0.0


def judged(task: Task, chunks: Iterator[tuple[int, int]], jobs: int) -> Iterator[Report]:
    """Reports of all chunks, in any order. Closing the iterator ends the workers."""
    workers = [_started(task) for _ in range(jobs)]
    again: list[tuple[int, int]] = []
    try:
        while True:
            for worker in workers:
                if worker.chunk is None:
                    worker.chunk = again.pop() if again else next(chunks, None)
                    if worker.chunk is not None:
                        worker.seen_at, worker.seen_since = -1, time.monotonic()
                        worker.pipe.send(worker.chunk)
            busy = [worker for worker in workers if worker.chunk is not None]
            if not busy:
                return
            wait([worker.pipe for worker in busy], timeout=1.0)
            for worker in busy:
                report = _received(worker)
                if report is not None:
                    worker.chunk = None
                    yield report
                elif _is_lost(worker, task.silent_seconds):
                    yield from _buried(worker, again)
                    workers[workers.index(worker)] = _started(task)
    finally:
        for worker in workers:
            _end(worker)


def _started(task: Task) -> _Worker:
    ours, theirs = _CONTEXT.Pipe()
    at = _CONTEXT.Value("q", -1, lock=False)
    process = _CONTEXT.Process(target=_work, args=(task, theirs, at), daemon=True)
    process.start()
    theirs.close()
    return _Worker(process, ours, at)


def _received(worker: _Worker) -> Report | None:
    try:
        if worker.pipe.poll():
            report: Report = worker.pipe.recv()
            return report
    except (EOFError, OSError):
        worker.process.join(5)
    return None


def _is_lost(worker: _Worker, silent_seconds: float) -> bool:
    if not worker.process.is_alive():
        return True
    if worker.at.value != worker.seen_at:
        worker.seen_at, worker.seen_since = worker.at.value, time.monotonic()
    most_seconds = START_SECONDS if worker.at.value < 0 else silent_seconds
    return time.monotonic() - worker.seen_since > most_seconds


def _buried(worker: _Worker, again: list[tuple[int, int]]) -> Iterator[Report]:
    """The finding of a lost worker; what it had done before and not yet is done again."""
    assert worker.chunk is not None
    (first, stop), at = worker.chunk, worker.at.value
    code = worker.process.exitcode
    _end(worker)
    if not first <= at < stop:
        raise RuntimeError(f"a worker ended with {code} before it looked at an input")
    reason = f"its process ended with {code}" if code is not None else "it hangs, signals and all"
    again += [part for part in ((first, at), (at + 1, stop)) if part[0] < part[1]]
    yield Report(at, at + 1, Counter(finding=1), [(at, reason)])


def _end(worker: _Worker) -> None:
    worker.pipe.close()
    worker.process.kill()
    worker.process.join()


def _work(task: Task, pipe: Connection, at: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is told, and tells its children
    bases = golden_bases(task.folder)
    for base in bases:  # imports what is imported on first use, before anybody listens
        reader(base.data, whole_way=True)
    limit_memory(MOST_BYTES)
    warnings.simplefilter("error")
    judge = Judge(task.door, task.most_seconds)
    while True:
        try:
            first, stop = pipe.recv()
        except EOFError:
            return
        report = Report(first, stop)
        for index in range(first, stop):
            at.value = index
            data = mutant(bases, task.seed, index)
            outcome = judge.judge(data, whole_way=index % GENERATOR_EVERY == 0)
            if outcome.seconds >= task.most_seconds:
                # once more: a machine that was busy elsewhere is no hang, and a hang is one again
                outcome = judge.judge(data, whole_way=index % GENERATOR_EVERY == 0)
            report.kinds[outcome.kind] += 1
            report.slowest = max(report.slowest, (outcome.seconds, index))
            if outcome.finding is not None:
                report.findings.append((index, outcome.finding))
        report.peak_bytes = peak_bytes()
        pipe.send(report)
