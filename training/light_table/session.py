"""One sitting at the light table: every change goes to the show's files, then to the journal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shows.schema import Ballad
from shows.show import Show
from training.errors import TrainingError
from training.latents.address import Address, Ground
from training.latents.choices_file import Choice, read_choices, record_choice
from training.latents.projection_file import ProjectionFile, current_projection
from training.light_table.events import (
    Array,
    Event,
    Favoured,
    Found,
    Laid,
    Loop,
    Looped,
    Noted,
    Picked,
    Projected,
    Published,
    Redone,
    Undone,
)
from training.light_table.journal import Journal
from training.light_table.loop_settings import read_loop, write_loop
from training.light_table.state import History, Key, Table, after, key_of, replay

LIGHT_TABLE = Path("work", "light_table")


@dataclass(frozen=True)
class Place:
    """A painting: its ballad's id, and its place in the ballad from 0."""

    ballad_id: str
    index: int


class Session:
    """The one writer of a show while a light table is open.

    A change is written to choices.yaml or ballad.yaml first and to the journal then; what a kill
    leaves in the files alone is found there again. Not thread-safe.
    """

    def __init__(self, show: Show, generator_hash: str) -> None:
        """Raises TrainingError when no ballad can be worked on, or another table is open."""
        self.show = show
        self.generator_hash = generator_hash
        self.projections: dict[str, ProjectionFile] = {}
        self.faults: dict[str, str] = {}
        self.listeners: dict[object, Callable[[], None]] = {}
        for ballad in show.ballads:
            try:
                found = current_projection(show, ballad, generator_hash)
                self.projections[ballad.id] = found
            except TrainingError as fault:
                self.faults[ballad.id] = str(fault)
        if not self.projections:
            raise TrainingError("\n".join(self.faults.values()))
        self.journal = Journal(show.folder / LIGHT_TABLE)
        self._state = replay(self.journal.events)
        self._log_projections()
        self.look_at_files()

    def places(self, ballad_id: str) -> list[Place]:
        """The paintings of a ballad."""
        return [Place(ballad_id, i) for i in range(len(self.show.ballad(ballad_id).paintings))]

    def history(self, place: Place) -> History:
        """What lies there, and what lay there before."""
        return self._state.get(self.key(place), History())

    def table(self, place: Place) -> Table:
        """What lies there now."""
        return self.history(place).now

    def key(self, place: Place) -> Key:
        """Ballad, painting and projection of a place."""
        projection = self.projections[place.ballad_id]
        painting_id = projection.painting_ids[place.index]
        return place.ballad_id, painting_id, projection.hash_of(place.index)

    def choice(self, place: Place) -> Choice | None:
        """The choice, if it is of the projection as it is now."""
        found = self.table(place).choice
        return found if found and found.projection == self.key(place)[2] else None

    def pick(self, place: Place, address: Address) -> None:
        """Choose a candidate."""
        entry = self._entry(place)
        self._do(
            place,
            Picked(**entry, address=address.candidate, generator=self.generator_hash),
        )

    def lay(self, place: Place, ground: Ground) -> None:
        """Lay another hundred on the table."""
        self._do(place, Laid(**self._entry(place), ground=ground))

    def favour(self, place: Place, address: Address) -> bool:
        """Make a candidate a favourite, or none; returns which."""
        on = not any(address.same_as(a) for a in self.table(place).favourites)
        self._do(place, Favoured(**self._entry(place), address=address.candidate, on=on))
        return on

    def note(self, place: Place, text: str) -> None:
        """Write the person's note."""
        self._do(place, Noted(**self._entry(place), text=text))

    def set_loop(self, place: Place, loop: Loop) -> None:
        """Set strength and draw of the noise loop."""
        self._do(place, Looped(**self._entry(place), loop=loop))

    def undo(self, place: Place) -> bool:
        """Take the last change back; False where there is none."""
        return self._do(place, Undone(**self._entry(place)))

    def redo(self, place: Place) -> bool:
        """Do again what was taken back; False where there is nothing."""
        return self._do(place, Redone(**self._entry(place)))

    def published(self, ballad_id: str) -> None:
        """Log that a ballad was published."""
        self.journal.append([Published(**self._entry(p)) for p in self.places(ballad_id)])
        self._tell()

    def look_at_files(self) -> None:
        """Take over what was chosen, or set, by another program."""
        for ballad_id in self.projections:
            choices = read_choices(self.show, ballad_id)
            for place in self.places(ballad_id):
                table, painting = self.table(place), self.ballad(place).paintings[place.index]
                choice, loop = choices.get(painting.id), read_loop(painting)
                if (choice, loop) != (table.choice, table.loop):
                    self._log(Found(**self._entry(place), choice=choice, loop=loop))

    def ballad(self, place: Place) -> Ballad:
        """The ballad of a place."""
        return self.show.ballad(place.ballad_id)

    def _do(self, place: Place, event: Event) -> bool:
        before, state = self.history(place), after(self._state, event)
        history = state[key_of(event)]
        if history == before:
            return False
        self._write(place, before.now, history.now)
        self._log(event)
        self._tell()
        return True

    def _write(self, place: Place, before: Table, now: Table) -> None:
        """Make the show's files say what the table says."""
        painting_id = self.ballad(place).painting_ids[place.index]
        if now.choice != before.choice:
            record_choice(self.show, place.ballad_id, painting_id, now.choice)
        if now.loop != before.loop:
            ballad = write_loop(self.show.folder, place.ballad_id, painting_id, now.loop)
            ballads = tuple(ballad if b.id == ballad.id else b for b in self.show.ballads)
            self.show = replace(self.show, ballads=ballads)

    def _log_projections(self) -> None:
        known = {key_of(event) for event in self.journal.events if isinstance(event, Projected)}
        events: list[Event] = []
        for ballad_id, projection in self.projections.items():
            for place in self.places(ballad_id):
                if self.key(place) not in known:
                    events.append(
                        Projected(
                            **self._entry(place),
                            generator=self.generator_hash,
                            w=Array.of(projection.ws[place.index]),
                            w_std=Array.of(projection.w_std),
                        )
                    )
        if events:
            self.journal.append(events)

    def _log(self, event: Event) -> None:
        self.journal.append([event])
        self._state = after(self._state, event)

    def _entry(self, place: Place) -> dict[str, Any]:
        ballad, painting, projection = self.key(place)
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        return {"at": now, "ballad": ballad, "painting": painting, "projection": projection}

    def _tell(self) -> None:
        for listener in list(self.listeners.values()):
            listener()
