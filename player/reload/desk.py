"""Reads the show anew while it plays: asked for by OSC, or because its files have changed.

Reading runs in a thread; what was read is taken over between two frames, as a whole or not at all.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from player.reload.reading import Playing, Reading
from shows.schema import ShowError

_log = logging.getLogger("player")

Answer = Callable[[bool, str], None]
"""(whether the show that plays is as its files are, a sentence)"""


class ReloadDesk:
    """One for a player. Everything is called from the frame loop's thread, but `files_changed`."""

    def __init__(
        self,
        playing: Playing,
        *,
        read: Callable[[Playing], Reading],
        take_over: Callable[[Reading, int], None],
        has_room: Callable[[int], bool] = lambda tick: True,
        event: Callable[[str, str], None] = lambda kind, sentence: None,
    ) -> None:
        """read: may take its time; raises ShowError. take_over: of a reading, on a tick; must not
        fail. has_room: whether one more can be taken over on this tick; it waits until it can.
        event: (kind, sentence) for the journal."""
        self._playing, self._read, self._take_over = playing, read, take_over
        self._has_room, self._event = has_room, event
        self._reader: threading.Thread | None = None
        self._found: Reading | str | None = None  # by the reader, or why there is nothing
        self._asked: list[Answer] = []  # of the reading under way
        self._next: list[Answer] = []  # who asked since it began, and perhaps changed a file
        self._is_changed = False  # the files have, as `files_changed` told
        self._count = 0
        self._refused = ""

    def ask(self, answer: Answer) -> None:
        """Read the files as they are now; the answer comes when that is through."""
        self._next.append(answer)

    def files_changed(self) -> None:
        """The same, with nobody to answer. May be called from any thread."""
        self._is_changed = True

    def tend(self, tick: int) -> None:
        """Once per tick."""
        if self._reader is None:
            if self._next or self._is_changed:
                self._asked, self._next, self._is_changed = self._next, [], False
                # a daemon: a disk that hangs must not keep the player from ending
                self._reader = threading.Thread(target=self._run, name="show reader", daemon=True)
                self._reader.start()
        elif self._found is not None and self._has_room(tick):
            found, self._found, self._reader = self._found, None, None
            is_taken, sentence = self._judged(found, tick)
            asked, self._asked = self._asked, []
            for answer in asked:
                answer(is_taken, sentence)

    def status(self) -> str:
        """For the operator; empty if there is nothing to tell."""
        parts = [f"show read anew {self._count} times"] if self._count else []
        parts += [f"files not taken over: {self._refused}"] if self._refused else []
        return ", ".join(parts)

    def _run(self) -> None:
        try:
            self._found = self._read(self._playing)
        except (ShowError, OSError) as fault:
            self._found = str(fault)
        except Exception as fault:  # noqa: BLE001 - a defect costs one answer, never the show
            _log.exception("Reading the show anew failed")
            self._found = f"the player failed on this: {fault!r}"

    def _judged(self, found: Reading | str, tick: int) -> tuple[bool, str]:
        """Take it over, or say why not."""
        refused = found if isinstance(found, str) else " ".join(found.changes.refused)
        self._refused = " ".join(refused.split("\n"))
        if isinstance(found, str) or refused:
            self._tell(f"The show's files are not taken over; it plays on as before. {refused}")
            return False, self._refused
        self._take_over(found, tick)  # stills and films may be others where no word is
        self._playing = found.now
        odd = [*found.now.show.warnings, *found.now.slates.faults]
        for warning in odd:
            _log.warning("%s", warning)
        answer = "read anew; no word and no latents have changed"
        if found.changes.taken:
            self._count += 1
            self._tell(f"The show was read anew: {found.changes.words}.")
            answer = f"read anew: {found.changes.words}"
        return True, ". ".join([answer, *odd[:1]])

    def _tell(self, sentence: str) -> None:
        _log.info("%s", sentence)
        self._event("reload", sentence)


class NoReloads:
    """Where the show cannot be read anew: every question is refused with one sentence."""

    def __init__(self, why: str) -> None:
        self._why = why

    def ask(self, answer: Answer) -> None:
        """Refused at once."""
        answer(False, self._why)

    def tend(self, tick: int) -> None:
        """Nothing is read."""

    def status(self) -> str:
        return ""
