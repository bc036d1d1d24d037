"""Films as a screen needs them: asked ahead by the cues, found again by frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from player.films.film_cues import FilmPart, blended_parts, film_parts
from player.films.film_source import FilmFrame, FilmPictures
from player.films.library import Film
from player.frame_source import SourceStatus
from player.live_keys import LOOKAHEAD_FRAMES, TransportAt, begun_cues
from player.reload.morph import Editions, Share
from player.source_policy import LATE_FRAMES
from player.transport import frame_at
from shows.show import Show


class Films(Protocol):
    """What `player.films.film_source.FilmSource` offers; called from the frame loop's thread."""

    @property
    def films(self) -> Mapping[str, Film]: ...

    def request(self, frame: int, wanted: Sequence[Sequence[FilmFrame]]) -> None: ...

    def play(self, frame: int) -> None: ...

    def pictures(self, frame: int) -> FilmPictures | None: ...

    def tend(self, now_ns: int) -> None: ...

    def status(self) -> SourceStatus: ...


@dataclass(frozen=True)
class ScreenFilm:
    """What a screen can show of films: pairs of an index into the pictures and its share of their
    light. age: frames by which it is behind the one due; None: there is nothing."""

    mixed: tuple[tuple[int, float], ...] = ()
    age: int | None = None


@dataclass(frozen=True)
class _Asked:
    shares: tuple[Share, ...]
    parts: tuple[tuple[FilmPart, ...], ...]  # per screen


class FilmTrack:
    """Keeps the films at the playing frame, so that a failure of live waits for no seek."""

    def __init__(self, show: Show, screens: tuple[int, ...], films: Films) -> None:
        self._editions = Editions(show)
        self._screens, self._films = screens, films
        self._asked: dict[int, tuple[_Asked, ...]] = {}  # newest first: two may be on their way

    @property
    def has_films(self) -> bool:
        return bool(self._films.films)

    def status(self) -> SourceStatus:
        return self._films.status()

    def tend(self, now_ns: int) -> None:
        self._films.tend(now_ns)

    def take_over(self, editions: Editions) -> None:
        """The show was read anew."""
        self._editions = editions

    def ask_ahead(self, tick: int, transport_at: TransportAt) -> None:
        """Ask for this tick's frame and the next ones, again where a command has changed them."""
        lengths = {ballad_id: film.frames for ballad_id, film in self._films.films.items()}
        now = frame_at(transport_at(tick), tick)
        self._films.play(now)
        kept = range(now - LATE_FRAMES, now + LOOKAHEAD_FRAMES + 1)
        self._asked = {frame: asked for frame, asked in self._asked.items() if frame in kept}
        for ahead in range(LOOKAHEAD_FRAMES + 1):
            transport = transport_at(tick + ahead)
            frame = frame_at(transport, tick + ahead)
            shares = tuple(
                replace(one, cues=begun_cues(one.cues, frame))
                for one in self._editions.shares(transport.cues, frame)
            )
            asked = self._asked.get(frame, ())
            if asked and asked[0].shares == shares:
                continue
            parts = tuple(
                blended_parts(
                    [
                        (film_parts(one.show, one.cues[screen], frame, lengths), one.weight)
                        for one in shares
                    ]
                )
                for screen in self._screens
            )
            if asked and asked[0].parts == parts:  # as after a title was read anew
                self._asked[frame] = (_Asked(shares, parts), *asked[1:])
                continue
            self._asked[frame] = (_Asked(shares, parts), *asked[:1])
            self._films.request(
                frame, [[FilmFrame(part.ballad_id, part.index) for part in one] for one in parts]
            )

    def found(self, frame: int) -> tuple[FilmPictures | None, tuple[ScreenFilm, ...]]:
        """The newest pictures for a frame, and what each screen can show of them."""
        pictures = self._films.pictures(frame)
        asked = () if pictures is None else self._asked.get(pictures.frame, ())
        if pictures is None or not asked:
            return None, (ScreenFilm(),) * len(self._screens)
        age = frame - pictures.frame
        return pictures, tuple(
            _screen_film(indices, [one.parts[place] for one in asked], age)
            for place, indices in enumerate(pictures.picture_of)
        )

    def matches(self, frame: int, place: int) -> bool:
        """Whether a screen's film is the picture that live has on this frame: of one ballad, and
        rendered from this very show."""
        asked = self._asked.get(frame)
        if not asked or len(asked[0].parts[place]) != 1:
            return False
        film = self._films.films.get(asked[0].parts[place][0].ballad_id)
        return film is not None and film.state == "good"

    def describe(self) -> list[str]:
        """For the operator, part by part."""
        status = self._films.status()
        return [f"films {status.state}: {status.detail}"]


def _screen_film(
    indices: tuple[int, ...], asked: Sequence[tuple[FilmPart, ...]], age: int
) -> ScreenFilm:
    """asked: what the pictures can be the answer to, newest first. A film that fails while it
    plays is left out of the answer, which then fits none of them."""
    for parts in asked:
        if len(indices) == len(parts) > 0:
            mixed = zip(indices, (part.weight for part in parts), strict=True)
            return ScreenFilm(tuple(mixed), age)
    return ScreenFilm()
