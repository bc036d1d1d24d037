"""Has missing films made in the background, and takes them up as they are finished."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from player.films.film_facts import films_folder
from player.films.library import Film, FilmCheck, validate_films
from player.upkeep.idle_process import IdleProcess
from shows.show import Show

LOOK_EVERY_TICKS = 150

_log = logging.getLogger("player")

Event = Callable[[str, str], None]


class Adopts(Protocol):
    def adopt(self, films: Mapping[str, Film]) -> None: ...


class MissingFilms:
    """Looks at the films' folder now and then; what has changed there is judged in a thread."""

    def __init__(
        self,
        show: Show,
        source: Adopts,
        program: Path,
        event: Event,
        make: Callable[[Sequence[str]], IdleProcess] = IdleProcess,
    ) -> None:
        """program: run_installation.py, which makes films. make: what runs it."""
        self._show, self._source, self._event = show, source, event
        self._maker = make(
            [
                sys.executable,
                str(program),
                "export",
                *("--show", str(show.folder), "--missing", "--idle", "--threads", "1"),
            ]
        )
        self._folder = films_folder(show)
        self._look_at_tick: int | None = None
        self._seen: set[tuple[str, int]] = set()
        self._check: tuple[Show, FilmCheck] | None = None
        self._checker: threading.Thread | None = None
        self._is_told = False

    def start(self) -> None:
        """Begin to make them; returns at once."""
        self._seen = self._films_there()
        self._maker.start()

    def tend(self, tick: int) -> None:
        """Once per tick; cheap."""
        if self._check is not None:
            (show, check), self._check = self._check, None
            if show is self._show:
                self._source.adopt(check.films)
        if self._look_at_tick is not None and tick < self._look_at_tick:
            return
        self._look_at_tick = tick + LOOK_EVERY_TICKS
        there = self._films_there()
        if there != self._seen and (self._checker is None or not self._checker.is_alive()):
            self._seen = there
            self._checker = threading.Thread(target=self._judge, args=(self._show,), daemon=True)
            self._checker.start()
        status = self._maker.poll()
        if status is not None and not self._is_told:
            self._is_told = True
            if status == 0:
                sentence = "The missing films are made."
            else:
                sentence = f"Missing films could not be made. {self._maker.last_line}".strip()
            _log.info("%s", sentence)
            self._event("film", sentence)

    def take_over(self, show: Show) -> None:
        """The show was read anew, and its films were looked at; what is being made goes on."""
        self._show = show

    def close(self) -> None:
        """End what makes them; the parts that are finished stay."""
        self._maker.close()
        if self._checker is not None:
            self._checker.join()

    def _judge(self, show: Show) -> None:
        self._check = show, validate_films(show)

    def _films_there(self) -> set[tuple[str, int]]:
        try:
            return {(path.name, path.stat().st_mtime_ns) for path in self._folder.glob("*.mp4")}
        except OSError:
            return set()
