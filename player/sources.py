"""All sources of one machine's pictures together: what each screen shows on a tick, and why."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from player.commands import SourceName
from player.film_track import FilmTrack, ScreenFilm
from player.films.film_source import FilmPictures
from player.frame_source import SourceStatus
from player.governor import describe
from player.live_keys import Event, Key, LiveKeys, TransportAt
from player.reload.morph import Editions
from player.source_policy import FILM, HOLD_FRAMES, LIVE, Offer, Policy, Showing, advanced

_log = logging.getLogger(__name__)

_WORDS: dict[Showing, str] = {
    "live": "The screens show live pictures.",
    "film": "The screens show films.",
    "slate": "The screens show the paintings as stills.",
}


@dataclass(frozen=True)
class Choice:
    """What the screens show on a tick. weights: per screen the shares of live, film and slate.

    films: per screen what is mixed of the film pictures. repeated: some screen still shows an older
    picture. showing: what most screens show; shown: what each does.
    """

    weights: tuple[tuple[float, float, float], ...]
    keys: tuple[Key, ...] = ()
    film: FilmPictures | None = None
    films: tuple[ScreenFilm, ...] = ()
    repeated: bool = False
    showing: Showing = "slate"
    shown: tuple[Showing, ...] = ()

    @property
    def is_blended(self) -> bool:
        """Whether what is seen of live is two frames mixed."""
        return len(self.keys) > 1 and any(shares[LIVE] > 0 for shares in self.weights)


class Sources:
    """Called from the frame loop's thread. Whoever made live and films ends them."""

    def __init__(
        self,
        screens: tuple[int, ...],
        *,
        live: LiveKeys | None,
        films: FilmTrack | None,
        falls_back: bool = True,
        event: Event = lambda kind, sentence: None,
    ) -> None:
        """falls_back False: whatever happens to live, its last picture stays; for proving that the
        tests of the fallback can fail."""
        self._screens, self._live, self._films = screens, live, films
        self._falls_back, self._event = falls_back, event
        self._policies = [Policy.opening()] * len(screens)
        self._moved_ago: int | None = None  # ticks since the house clock jumped
        self._shown_keys: tuple[Key, ...] = ()
        self._restarts = 0
        self._wanted: SourceName = "auto"

    @property
    def shown(self) -> dict[int, Showing]:
        """What each screen of this machine shows, by its number from 0."""
        return {
            screen: policy.showing
            for screen, policy in zip(self._screens, self._policies, strict=True)
        }

    @property
    def showing(self) -> Showing:
        """What most screens show."""
        shown = [policy.showing for policy in self._policies]
        return max(dict.fromkeys(shown), key=shown.count)

    @property
    def is_fading(self) -> bool:
        return any(policy.is_fading for policy in self._policies)

    def clock_moved(self) -> None:
        """The house clock jumped: the sources need a moment for frames that nobody announced."""
        self._moved_ago = 0

    def tell_clock(self, sentence: str) -> None:
        """A jump of the house clock while the show runs, for the journal."""
        _log.warning("%s", sentence)
        self._event("clock", sentence)
        self.clock_moved()

    def engine(self) -> SourceStatus | None:
        """How the engine is; None without one."""
        return None if self._live is None else self._live.status()

    @property
    def expects_film(self) -> bool:
        """Whether there are films to open the show with."""
        return self._films is not None and self._films.has_films

    def tend_opening(self, now_ns: int) -> bool:
        """`tend` before the show runs: an engine that fails is not started again. True once the
        engine is no longer waited for: it failed, or there is none."""
        if self._films is not None:
            self._films.tend(now_ns)
        status = self.engine()
        if self._live is not None and status is not None and status.state != "failed":
            self._live.tend(now_ns)
            return self._live.status().state == "failed"
        return True

    def tend(self, now_ns: int) -> None:
        """Once per tick: watch over and restart what stands behind the sources."""
        if self._live is not None:
            self._live.tend(now_ns)
        if self._films is not None:
            self._films.tend(now_ns)

    def take_over(self, editions: Editions) -> None:
        """The show was read anew."""
        if self._live is not None:
            self._live.take_over(editions)
        if self._films is not None:
            self._films.take_over(editions)

    def ask_ahead(self, tick: int, transport_at: TransportAt) -> None:
        """Ask for this tick's frame and the next ones."""
        if self._live is not None:
            self._live.ask_ahead(tick, transport_at)
        if self._films is not None:
            self._films.ask_ahead(tick, transport_at)

    def is_live(self, frame: int) -> bool:
        """Whether live has exactly this frame."""
        return self._live is not None and self._live.found(frame)[1] == 0

    def has_film(self, frame: int) -> bool:
        """Whether every screen has a film of exactly this frame."""
        if self._films is None:
            return False
        return all(screen.age == 0 for screen in self._films.found(frame)[1])

    def choose(self, frame: int, *, moves: bool, wanted: SourceName = "auto") -> Choice:
        """What is shown on this tick. moves False: the show stands and misses nothing.

        wanted: what an operator asks for. `live` is shown even where the engine is too slow, and
        `film` where there is one; nothing that is asked for leaves a screen without a picture.
        """
        keys, live_age = self._found_live(frame)
        film, films = None, (ScreenFilm(),) * len(self._screens)
        if self._films is not None:
            film, films = self._films.found(frame)
        status = self.engine()
        film_only = False
        if self._live is not None:
            self._live.govern(missed=moves and live_age != 0, has_film=self.expects_film)
            film_only = self._live.governor.level.film
        self._wanted = wanted
        film_only = (film_only and wanted != "live") or wanted == "film"
        before = self.showing
        for place, screen_film in enumerate(films):
            offer = Offer(
                live_age=self._excused(live_age),
                live_ready=status is not None and status.state == "ready",
                film_age=screen_film.age,
                film_matches=self._matches(frame, place, live_age),
                film_only=film_only,
                slate_only=wanted == "slate",
            )
            if not self._falls_back and live_age is not None and wanted == "auto":
                offer = Offer(live_age=0, live_ready=True)
            self._policies[place] = advanced(self._policies[place], offer)
        if self._moved_ago is not None:
            self._moved_ago += 1
        if status is not None and status.restarts != self._restarts:
            self._restarts = status.restarts
            self._event("worker", f"The synthesis worker is started again. {status.detail}")
        if self.showing != before:
            self._tell(status, live_age, film_only)
        weights = tuple(policy.weights for policy in self._policies)
        is_old = any(
            (shares[LIVE] > 0 and live_age != 0) or (shares[FILM] > 0 and screen_film.age != 0)
            for shares, screen_film in zip(weights, films, strict=True)
        )
        shown = tuple(policy.showing for policy in self._policies)
        return Choice(weights, keys, film, films, is_old, self.showing, shown)

    def quality(self) -> str:
        """What the deadline allows of live now, in words; empty without an engine."""
        return "" if self._live is None else describe(self._live.governor.level)

    def engine_words(self) -> str:
        """How the engine is, for an operator."""
        status = self.engine()
        return "off" if status is None else f"{status.state}: {status.detail}"

    def alarm(self) -> str:
        """What somebody should look at; empty if nothing is wrong."""
        status = self.engine()
        if status is not None and status.state == "failed":
            return f"The engine does not run. {status.detail}"
        if self._wanted == "auto" and self.showing == "slate" and not self.is_fading:
            return "The screens show stills: there are neither live pictures nor films."
        return ""

    def stills(self) -> Choice:
        """The paintings alone, which are always there."""
        return Choice(((0.0, 0.0, 1.0),) * len(self._screens))

    def describe(self) -> list[str]:
        """For the operator, part by part: sources of the screens, engine, films, quality."""
        shown = [policy.showing for policy in self._policies]
        source = f"source {self.showing}" + (", fading" if self.is_fading else "")
        for screen, showing in zip(self._screens, shown, strict=True):
            source += f", screen {screen + 1} {showing}" if showing != self.showing else ""
        engine = ["engine off"] if self._live is None else self._live.describe()
        films = [] if self._films is None else self._films.describe()
        return [source, *engine, *films]

    def _found_live(self, frame: int) -> tuple[tuple[Key, ...], int | None]:
        """After a jump of the clock back, what was shown before it is the best for a moment."""
        if self._live is None:
            return (), None
        keys, age = self._live.found(frame)
        if age is None and self._moved_ago is not None and self._moved_ago <= HOLD_FRAMES:
            return self._shown_keys, max(1, self._moved_ago) if self._shown_keys else None
        self._shown_keys = keys
        return keys, age

    def _excused(self, age: int | None) -> int | None:
        """The age of live's picture; after a jump of the clock the engine needs a moment, in which
        the picture from before it counts as old as the jump is."""
        if not age or self._moved_ago is None:
            return age
        return min(age, max(1, self._moved_ago))

    def _matches(self, frame: int, place: int, live_age: int | None) -> bool:
        """Whether the film is what live would show now and what it showed last."""
        if self._films is None:
            return False
        last = frame - (live_age or 0)
        return self._films.matches(frame, place) and self._films.matches(last, place)

    def _tell(self, status: SourceStatus | None, live_age: int | None, film_only: bool) -> None:
        why = ""
        if self.showing != "live" and status is not None:
            if self._wanted in ("film", "slate"):
                why = " An operator asked for it."
            elif film_only and self._live is not None:
                why = f" {self._live.governor.reason}"
            elif status.state == "ready" and live_age is not None:
                why = f" The engine is {live_age} frames late."
            else:
                why = f" {status.detail}"
        sentence = (_WORDS[self.showing] + why).strip()
        _log.log(logging.INFO if self.showing == "live" else logging.WARNING, "%s", sentence)
        self._event("source", sentence)
