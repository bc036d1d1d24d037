"""Processes that convert pictures, within a bound of memory, none of them outliving the verb."""

from __future__ import annotations

import hashlib
import os
import signal
import threading
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.synchronize import Lock, Semaphore
from pathlib import Path

from training.errors import TrainingError
from training.pictures.prepare_picture import Finding, Recipe, convert, read_header, refusal
from training.pictures.prepare_records import WorkFolder

ALL_BYTES = 1_900_000_000
PROCESS_BYTES = 45_000_000  # its own, without the libraries' pages that all share
LEAST_PICTURE_BYTES = 400_000_000
TOKEN_BYTES = 1 << 24


@dataclass(frozen=True)
class Outcome:
    """What became of one file. sha256: of its bytes, hex; empty if they could not be read.
    is_fresh: it was converted now, and is not from a run before."""

    file: str
    sha256: str
    finding: Finding
    is_fresh: bool


@dataclass(frozen=True)
class Job:
    """What all pictures of a run have in common."""

    source: Path
    recipe: Recipe
    work: WorkFolder


@dataclass
class Memory:
    """How much all processes together may have in open pictures, in tokens of TOKEN_BYTES.

    A picture that needs more than there is waits until it is alone.
    """

    tokens: Semaphore
    count: int
    turn: Lock

    @contextmanager
    def reserved(self, count_bytes: int) -> Iterator[None]:
        """Wait for so much memory, and hold it within the context."""
        wanted = min(self.count, -(-count_bytes // TOKEN_BYTES))
        # one process at a time takes: two that each have half of what they want would wait for ever
        with self.turn:
            for _ in range(wanted):
                self.tokens.acquire()
        try:
            yield
        finally:
            for _ in range(wanted):
                self.tokens.release()


_memory: Memory | None = None  # of a worker process; what is inherited cannot be sent with a task


def convert_all(job: Job, files: list[str], jobs: int) -> Generator[Outcome, None, None]:
    """The outcomes of `files`, in their order, made by `jobs` processes; the records are written.

    Raises TrainingError if a process dies or a record cannot be written.
    """
    if jobs == 1:
        for file in files:
            yield process(job, file)
        return
    # spawn on every system: a forked child inherits the locks of the parent's threads
    context = get_context("spawn")
    room = max(LEAST_PICTURE_BYTES, ALL_BYTES - (jobs + 2) * PROCESS_BYTES)
    count = room // TOKEN_BYTES
    memory = Memory(context.Semaphore(count), count, context.Lock())
    pool = ProcessPoolExecutor(jobs, context, initializer=_begin, initargs=(memory,))
    waiting: deque[Future[Outcome]] = deque()
    try:
        for file in files:
            with _no_interrupt_inherited():
                waiting.append(pool.submit(process, job, file))
            if len(waiting) >= 4 * jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as fault:
        raise TrainingError(
            "a process that converts pictures died, most likely for want of memory; "
            "fewer of them may do: --jobs 1. What is finished is kept."
        ) from fault
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def process(job: Job, file: str) -> Outcome:
    """Convert one file and write its record, or take over the record of an earlier run.

    Raises TrainingError if there is no memory for it, or if the record cannot be written.
    """
    path = job.source / file
    try:
        with path.open("rb") as content:
            sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        unread = Finding("broken", f"it cannot be read: {error.strerror}", None, (), None)
        return Outcome(file, "", unread, True)
    known = job.work.finding(sha256)
    if known is not None:
        return Outcome(file, sha256, known, False)
    try:
        finding, png = _judge(path, job.recipe)
    except MemoryError as fault:
        raise TrainingError(
            f"{path}: there is no memory left for this picture; "
            "fewer processes may do: --jobs 1. What is finished is kept."
        ) from fault
    job.work.write(sha256, finding, png)
    return Outcome(file, sha256, finding, True)


def _judge(path: Path, recipe: Recipe) -> tuple[Finding, bytes]:
    header = read_header(path)
    if header is None:
        return convert(path, recipe)
    refused = refusal(header, recipe)
    if refused is not None:
        return refused, b""
    with _memory.reserved(header.bytes_to_read) if _memory else nullcontext():
        return convert(path, recipe)


def _begin(memory: Memory) -> None:
    """In a worker, first of all. Ctrl-C goes to the whole group, and the parent alone decides what
    it means; but when the parent is gone, however it went, so is the worker."""
    global _memory
    _memory = memory
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


@contextmanager
def _no_interrupt_inherited() -> Iterator[None]:
    """Processes started within it never see Ctrl-C, not even before `_begin`; the parent does,
    afterwards."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
