"""Films as the frame loop plays them: asked for ahead, found by frame, decoded elsewhere."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from player.films.film_board import FilmBoard
from player.films.library import Film
from player.frame_source import Pictures, SourceStatus
from player.live.ring_layout import Geometry
from player.live.shared_segment import SegmentError
from player.live.synthesized_source import SynthesizedSource
from player.live.worker_watch import Limits

_log = logging.getLogger(__name__)

PARTS = 3  # films of one screen at once: the newest cue's and those it morphs from
DEFAULT_FACTORY = "player.films.film_engine:open_films"
# The process waits up to a second for a disk that hangs, and sends no sign of life meanwhile.
FILM_LIMITS = Limits(
    hung_ns=2_000_000_000,
    starting_ns=30_000_000_000,
    first_pause_ns=100_000_000,
    longest_pause_ns=10_000_000_000,
    healthy_ns=5_000_000_000,
)
_NOTHING = -1.0  # film number where a screen wants no further film
_SEEN = 8  # latest pictures whose marks are remembered
_ASKED = 32  # latest requests remembered
_AGAIN_NS = (
    300_000_000  # how long a frame must stand before its missing pictures are asked for anew
)


@dataclass(frozen=True)
class FilmFrame:
    """One frame of a ballad's film; index counts from its first, modulo its length."""

    ballad_id: str
    index: int


@dataclass(frozen=True)
class FilmPictures:
    """The films' pictures for one show frame.

    picture_of: per screen an index into `pixels` for each FilmFrame that was wanted, in that order;
    those of ballads without a film, and of films that fail, are left out.
    """

    frame: int
    pixels: NDArray[np.uint8]  # [P, H, W, 4] RGBA; whole and unchanged as in `Pictures`
    picture_of: tuple[tuple[int, ...], ...]
    serial: int


class FilmSource:
    """Plays films out of a process of its own. Call everything from one thread."""

    name = "film"

    def __init__(
        self,
        films: Mapping[str, Film],
        *,
        screens: int,
        size_px: tuple[int, int],
        limits: Limits | None = None,
        factory: str = DEFAULT_FACTORY,
        hardware: str = "",
    ) -> None:
        """size_px: (width, height) of the pictures. hardware: a device type of FFmpeg ("cuda") to
        decode with; films play on without it where there is none."""
        self._screens = screens
        self._films: dict[str, Film] = {}
        self._numbers: dict[str, int] = {}
        self._paths: list[str] = []
        self._faults: dict[int, str] = {}
        self._faults_version = 0
        self._refused = ""
        self._seen: deque[FilmPictures] = deque(maxlen=_SEEN)
        self._asked: dict[int, NDArray[np.float32]] = {}
        self._stands = (-1, 0)  # the playhead, and since when it is there, or was asked for again
        self._playhead = -1
        self._may_run = self._is_running = False
        self._board: FilmBoard | None = None
        try:
            self._board = FilmBoard.create()
        except SegmentError as fault:
            self._refused = f"No films can be played. {fault}"
        self.adopt(films)
        self._source = SynthesizedSource(
            Geometry(PARTS * screens, num_ws=1, w_dim=2, height_px=size_px[1], width_px=size_px[0]),
            factory=factory,
            factory_args={
                "board": "" if self._board is None else self._board.name,
                "size_px": list(size_px),
                "hardware": hardware,
            },
            limits=limits or FILM_LIMITS,
            role="film",
            usual_pictures=screens,
            checks=False,
        )

    @property
    def films(self) -> Mapping[str, Film]:
        """What can be asked for, by ballad id."""
        return self._films

    @property
    def worker_pid(self) -> int:
        """Process id of the film process, 0 if there is none now."""
        return self._source.worker_pid

    def has(self, ballad_id: str) -> bool:
        """Whether there is a film of this ballad."""
        return ballad_id in self._films

    def adopt(self, films: Mapping[str, Film]) -> None:
        """Take these films from now on, without a restart: new ones come in, those left out go,
        and one that is another than before (made anew) is opened afresh."""
        for ballad_id in [known for known in self._films if known not in films]:
            self._forget(ballad_id)
        for ballad_id, film in films.items():
            known = self._films.get(ballad_id)
            if known is not None and _is_same_file(known, film):
                self._films[ballad_id] = film  # what it is of may be another: a show read anew
                continue
            self._forget(ballad_id)
            self._numbers[ballad_id] = len(self._paths)  # a number never names another film
            self._paths.append(str(film.path))
            self._films[ballad_id] = film
        if self._board is not None and not self._board.set_paths(self._paths):
            self._refused = "The films found last are too many to be told to the film process."
            _log.warning("%s", self._refused)
        self._run()

    def start(self) -> None:
        """Start the film process; returns at once. Without a film it waits for the first one."""
        self._may_run = True
        self._run()

    def request(self, frame: int, wanted: Sequence[Sequence[FilmFrame]]) -> None:
        """Ask for a show frame: up to PARTS film frames for each screen. Never blocks.

        Raises ValueError for another number of screens or more films.
        """
        if len(wanted) != self._screens or any(len(parts) > PARTS for parts in wanted):
            raise ValueError(f"up to {PARTS} films for each of {self._screens} screens wanted")
        latents = np.full((self._screens * PARTS, 1, 2), _NOTHING, np.float32)
        for screen, parts in enumerate(wanted):
            for place, part in enumerate(parts):
                film = self._films.get(part.ballad_id)
                if film is not None:
                    number = self._numbers[part.ballad_id]
                    latents[screen * PARTS + place, 0] = (number, part.index % film.frames)
        self._asked.pop(frame, None)
        self._asked[frame] = latents
        if len(self._asked) > _ASKED:
            del self._asked[next(iter(self._asked))]
        self._source.request(frame, list(latents))

    def play(self, frame: int) -> None:
        """The playhead: pictures of frames before it are not made any more."""
        self._playhead = frame
        self._source.play(frame)

    def pictures(self, frame: int) -> FilmPictures | None:
        """Exactly that frame, else the newest older one still held, else None."""
        pictures = self._source.pictures(frame)
        if pictures is None:
            return None
        for seen in self._seen:
            if seen.serial == pictures.serial:
                return seen
        found = _without_missing(pictures, self._screens)
        self._seen.append(found)
        return found

    def tend(self, now_ns: int) -> None:
        """Once per tick: restart the process where it ended or hangs, hear of films that fail."""
        self._source.tend(now_ns)
        self._ask_again(now_ns)
        told = None if self._board is None else self._board.faults(self._faults_version)
        if told is None:
            return
        self._faults_version, faults = told
        for number, fault in faults.items():
            if self._faults.get(number) != fault:
                _log.warning("%s", fault)
        self._faults = faults

    def status(self) -> SourceStatus:
        """State of the process; in detail how many films play and which one fails why."""
        status = self._source.status()
        if self._board is None:
            return replace(status, state="failed", detail=self._refused)
        if not self._is_running:
            return replace(status, detail="There are no films.")
        detail = status.detail.replace("The engine is being loaded.", "The films are being opened.")
        if status.state == "ready":
            failing = [self._faults[n] for n in self._numbers.values() if n in self._faults]
            playing = len(self._films) - len(failing)
            after = detail.partition("Last fault:")
            sentences = [f"{playing} of {len(self._films)} films can be played."]
            sentences += failing[:1] + ([self._refused] if self._refused else [])
            sentences += [f"Last fault:{after[2]}"] if after[1] else []
            detail = " ".join(sentences)
        return replace(status, detail=detail)

    def close(self) -> None:
        """End the process and free the shared memory, within a second. May be called twice."""
        self._may_run = False
        self._source.close()
        board, self._board = self._board, None
        if board is not None:
            board.close()

    def _run(self) -> None:
        if self._may_run and self._films and self._board is not None and not self._is_running:
            self._is_running = True
            self._source.start()

    def _ask_again(self, now_ns: int) -> None:
        """A frame that stands, as of a show that is paused, gets what was missing of it at first:
        nobody else would ask for it anew."""
        frame, since_ns = self._stands
        if frame != self._playhead:
            self._stands = (self._playhead, now_ns)
        elif now_ns - since_ns >= _AGAIN_NS and frame in self._asked:
            self._stands = (frame, now_ns)
            latents, shown = self._asked[frame], self.pictures(frame)
            wanted = int((latents[:, 0, 0] != _NOTHING).sum())
            if shown and shown.frame == frame and sum(map(len, shown.picture_of)) < wanted:
                self._source.request(frame, list(latents))

    def _forget(self, ballad_id: str) -> None:
        if ballad_id in self._films:
            del self._films[ballad_id]
            self._paths[self._numbers.pop(ballad_id)] = ""


def _is_same_file(known: Film, film: Film) -> bool:
    """A film that `export` made says what it is; of one made elsewhere the note tells."""
    same = (known.path, known.frames, known.facts) == (film.path, film.frames, film.facts)
    return same and (film.facts is not None or known.note == film.note)


def _without_missing(pictures: Pictures, screens: int) -> FilmPictures:
    """The pictures by screen, less those marked as missing."""
    # the film engine's mark: alpha 0 in the top left pixel
    there = pictures.pixels[:, 0, 0, 3] != 0
    of = pictures.picture_of_screen
    picture_of = tuple(
        tuple(index for index in of[screen * PARTS : (screen + 1) * PARTS] if there[index])
        for screen in range(screens)
    )
    return FilmPictures(pictures.frame, pictures.pixels, picture_of, pictures.serial)
