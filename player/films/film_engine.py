"""Decodes films in a process of its own: "latents" in that name films and frames, pictures out.

Opened by name in the worker process of `player.live`: a broken film, a disk that hangs, a decoder
that crashes then never touch the player. A picture that could not be made is marked in itself, so
that mark and pixels can never belong to different frames.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from player.clock import Clock, HouseClock
from player.films.decoder import FFMPEG, FilmReader
from player.films.film_board import FilmBoard
from player.films.film_facts import FilmError

PATIENCE_S = 1.0  # for one render; a film that takes longer is left out until it answers
MOST_HEADS = 4  # readers of one film: for screens that show it at different frames
FIRST_RETRY_NS = 500_000_000
LONGEST_RETRY_NS = 8_000_000_000
EXACT_PX = 512  # a side; larger pictures are converted exactly only where there are cores for it
EXACT_CORES = 8
_THREADS = 16  # that wait for the disk or decode; the system shares the cores among them
_NEAR = 2  # frames decoded on: no reason for another reader
_UNOPENED = 1 << 30


class Reader(Protocol):
    """What the engine needs of a FilmReader."""

    def cost(self, index: int) -> int: ...

    def hold(self, index: int) -> None: ...

    def write(self, out: NDArray[np.uint8]) -> None: ...

    def close(self) -> None: ...


OpenReader = Callable[[Path], Reader]


@dataclass(eq=False)
class _Head:
    """One reader of a film, opened by the job that first needs it.

    busy: a job on it has not ended. unwanted: that job closes it.
    """

    reader: Reader | None = None
    busy: bool = False
    unwanted: bool = False


@dataclass(eq=False)
class _OneFilm:
    number: int
    path: Path
    heads: list[_Head] = field(default_factory=list)
    failures: int = 0
    retry_at_ns: int = 0


@dataclass(eq=False)
class _Job:
    """A frame to be read; `out` None: the film is only opened.

    Whoever takes the lock first decides whether the picture is made or given up: the room for it
    belongs to another frame once the render is over.
    """

    film: _OneFilm
    head: _Head
    index: int = 0
    out: NDArray[np.uint8] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    is_made: bool = False
    is_given_up: bool = False


class FilmEngine:
    """An Engine (`player.live.synthesis_worker`) over the films that a board lists."""

    def __init__(
        self,
        board: FilmBoard,
        open_reader: OpenReader,
        *,
        clock: Clock | None = None,
        patience_s: float = PATIENCE_S,
        how: str = "",
    ) -> None:
        """how: what decodes, in words. Opens all films before it returns, if they answer."""
        self._board, self._open_reader = board, open_reader
        self._clock = clock or HouseClock()
        self._patience_s = patience_s
        self._how = how
        self._films: dict[int, _OneFilm] = {}
        self._faults: dict[int, str] = {}
        self._told: dict[int, str] = {}
        self._version = 0
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="film")
        board.set_faults({})
        self._follow_board()

    @property
    def description(self) -> str:
        """One line: how many films, and what decodes them."""
        return f"{len(self._films)} films, {self._how}"

    def render(self, ws: NDArray[np.float32], out: NDArray[np.uint8]) -> None:
        """ws [N, 1, 2]: film number and frame of each picture. out [N, H, W, 4]: RGBA; where
        there is no such picture, alpha is 0 in the top left pixel."""
        self._follow_board()
        wanted = [(int(number), int(index)) for number, index in ws[:, 0]]
        first: dict[tuple[int, int], int] = {}
        for place, picture in enumerate(wanted):
            first.setdefault(picture, place)
        at_once = Counter(number for number, _ in first)
        jobs: dict[int, _Job] = {}
        for (number, index), place in first.items():
            job = self._job(number, index, at_once[number], out[place])
            if job is None:
                mark_missing(out[place])
            else:
                jobs[place] = job
        self._carry_out(list(jobs.values()))
        for place, job in jobs.items():
            if not job.is_made:
                mark_missing(out[place])
        for place, picture in enumerate(wanted):
            if first[picture] != place:
                out[place] = out[first[picture]]
        self._tell()

    def close(self) -> None:
        """Close what is not being read; for tests, a worker just ends."""
        for film in self._films.values():
            self._drop_heads(film)
        self._pool.shutdown(wait=False)

    def _job(self, number: int, index: int, at_once: int, out: NDArray[np.uint8]) -> _Job | None:
        """A job on the head that is nearest; on a new one if the film is wanted at several frames
        at once. None: no film, one that failed just now, or one that does not answer."""
        film = self._films.get(number)
        if film is None or self._clock.now_ns() < film.retry_at_ns:
            return None
        free = [head for head in film.heads if not head.busy]
        head = min(free, key=lambda head: _cost(head, index), default=None)
        if head is None or _cost(head, index) > _NEAR:
            if len(film.heads) < min(at_once, MOST_HEADS):
                head = _Head()
                film.heads.append(head)
            elif head is None:
                return None
        head.busy = True
        return _Job(film, head, index, out)

    def _carry_out(self, jobs: Sequence[_Job]) -> None:
        """Run the jobs, and give up those that take longer than the patience."""
        running = {self._pool.submit(self._run, job): job for job in jobs}
        wait(running, self._patience_s)
        for future, job in running.items():
            with job.lock:  # waits for a picture being written, which needs no disk
                job.is_given_up = not job.is_made
            film = job.film
            if job.is_made:
                film.failures = 0
                self._faults.pop(film.number, None)
            elif not future.done():
                self._faults[film.number] = (
                    f"{film.path} has not answered for {self._patience_s:.1f} s: its disk hangs or "
                    "the machine is far too busy."
                )
            elif (fault := future.exception()) is not None:
                self._has_failed(film, _sentence(film.path, fault))

    def _run(self, job: _Job) -> None:
        head = job.head
        try:
            if head.reader is None:
                head.reader = self._open_reader(job.film.path)
            if job.out is not None:
                head.reader.hold(job.index)
            with job.lock:
                if not job.is_given_up:
                    if job.out is not None:
                        head.reader.write(job.out)
                    job.is_made = True
        finally:
            head.busy = False
            if head.unwanted and head.reader is not None:
                head.reader.close()

    def _has_failed(self, film: _OneFilm, sentence: str) -> None:
        self._drop_heads(film)
        film.failures += 1
        pause_ns = min(FIRST_RETRY_NS << min(film.failures - 1, 16), LONGEST_RETRY_NS)
        film.retry_at_ns = self._clock.now_ns() + pause_ns
        self._faults[film.number] = sentence

    def _drop_heads(self, film: _OneFilm) -> None:
        for head in film.heads:
            head.unwanted = True
            if not head.busy and head.reader is not None:
                head.reader.close()
        film.heads.clear()

    def _follow_board(self) -> None:
        found = self._board.paths(newer_than=self._version)
        if found is None:
            return
        self._version, paths = found
        wanted = {number: Path(path) for number, path in enumerate(paths) if path}
        for number in [n for n, film in self._films.items() if wanted.get(n) != film.path]:
            self._drop_heads(self._films.pop(number))
            self._faults.pop(number, None)
        new = [number for number in wanted if number not in self._films]
        for number in new:
            head = _Head(busy=True)
            self._films[number] = _OneFilm(number, wanted[number], [head])
        self._carry_out([_Job(self._films[n], self._films[n].heads[0]) for n in new])
        self._tell()

    def _tell(self) -> None:
        if self._faults != self._told:
            self._told = dict(self._faults)
            self._board.set_faults(self._told)


def _sentence(path: Path, fault: BaseException) -> str:
    if isinstance(fault, FilmError):
        return str(fault)
    # whatever a strange file makes of the decoder's library: the other films go on
    return f"{path} cannot be played: {type(fault).__name__}: {fault}."


def _cost(head: _Head, index: int) -> int:
    return head.reader.cost(index) if head.reader is not None else _UNOPENED


def mark_missing(picture: NDArray[np.uint8]) -> None:
    """Mark a picture [H, W, 4] as none: alpha 0 in the top left pixel; the rest is rubbish."""
    picture[0, 0, 3] = 0


def is_missing(picture: NDArray[np.uint8]) -> bool:
    """Whether a picture [H, W, 4] is marked as none."""
    return bool(picture[0, 0, 3] == 0)


def open_films(
    *, board: str, size_px: Sequence[int], hardware: str = "", threads: int = 1
) -> FilmEngine:
    """The factory. board: the name of the FilmBoard. size_px: (width, height) of all pictures.
    threads: of one decoder. Raises SegmentError."""
    width, height = (int(side) for side in size_px)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    exact = max(width, height) <= EXACT_PX or (cores or 1) >= EXACT_CORES

    def open_reader(path: Path) -> FilmReader:
        return FilmReader(path, (width, height), threads, hardware or None, exact)

    how = f"{FFMPEG}, {hardware or 'software'}, {'exact' if exact else 'fast'} colour"
    return FilmEngine(FilmBoard.attach(board), open_reader, how=how)
