"""Everything that watches the show play: heartbeat, state file, journal, telling. One call a
present; none of it may hold the show up.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from player.clock import wall_ns
from player.frame_loop import Presented
from player.frame_report import FrameReport
from player.upkeep.heartbeat import Heartbeat
from player.upkeep.journal import Journal
from player.upkeep.minutes import Minutes
from player.upkeep.state_file import StateKeeper
from player.upkeep.telling import Teller, Watch
from player.wall.contract import Wall
from shows.fingerprint import show_fingerprint
from shows.show import Show

Facts = Callable[[], Mapping[str, object]]


class Caretaker:
    """`start`, then `presented` after every present, then `end`; `close` whatever happens."""

    def __init__(self, show: Show, mode: str, *, state: Path | None, journal: Path | None) -> None:
        """state: the file that a player after this one resumes from. journal: a folder."""
        self._heartbeat = Heartbeat.from_environment(os.environ)
        self._keeper = (
            StateKeeper(state, show_fingerprint(show), show.settings.fps) if state else None
        )
        self._journal = Journal(journal, wall_ns=wall_ns)
        told = os.environ.get("INSPACE_RESTARTS", "")
        self._restarts = int(told) if told.isdigit() else 0
        self._teller = Teller(
            show.settings.notify,
            show.settings.title,
            os.environ,
            wall_ns=wall_ns,
            on_fault=lambda sentence: self.event("fault", sentence),
        )
        self._watch = Watch(self._teller.tell, is_restart=self._restarts > 0)
        self._minutes: Minutes | None = None
        self._show, self._mode = show, mode

    def event(self, kind: str, sentence: str) -> None:
        """A line for the journal."""
        self._journal.event(kind, sentence)

    def start(self, report: FrameReport, wall: Wall, screens: Sequence[str], extra: Facts) -> None:
        """The wall is open. screens: the names of what hangs on it. extra: facts of a minute."""
        self._journal.start()
        if self._keeper is not None:
            self._keeper.start()
        self._teller.start()
        self._minutes = Minutes(
            self._journal,
            report,
            extra,
            wall=wall,
            screens=screens,
            on_minute=self._watch.look,
        )
        reason = os.environ.get("INSPACE_RESTART_REASON", "")
        self._journal.event(
            "start",
            f"Playing {self._show.settings.title} on {wall.describe()}. {reason}".strip(),
            restarts=self._restarts,
            mode=self._mode,
            show=self._show.settings.title,
            wall=wall.describe(),
        )

    def take_over(self, show: Show, fingerprint: str) -> None:
        """The show was read anew; the state that is kept belongs to it from now on."""
        self._show = show
        self._teller.take_title(show.settings.title)
        if self._keeper is not None:
            self._keeper.take_over(fingerprint)

    def alive(self, now_ns: int) -> None:
        """After every present, at this time of the house clock."""
        self._heartbeat.ready()
        self._heartbeat.presented(now_ns)

    def presented(self, presented: Presented) -> None:
        """After every present of the running show."""
        if self._keeper is not None:
            self._keeper.keep(presented.transport, presented.tick, presented.origin_ns)
        if self._minutes is not None:
            self._minutes.tend(presented.tick)

    def end(self) -> None:
        """The show ends because somebody wants it to: the next one opens it anew."""
        self._heartbeat.stopping()
        if self._minutes is not None:
            self._minutes.finish()
        self._journal.event("end", "The show was ended.")
        if self._keeper is not None:
            self._keeper.forget()

    def close(self) -> None:
        if self._keeper is not None:
            self._keeper.close()
        self._teller.close()
        self._journal.close()
        self._heartbeat.close()
