"""What a person can do at the light table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pydantic import ValidationError

from training.errors import TrainingError
from training.latents.address import Address, Ground
from training.latents.choices_file import LONGEST_NOTE
from training.light_table.events import Loop
from training.light_table.loop_preview import Preview, Previews
from training.light_table.session import Place, Session
from training.light_table.view import (
    BESIDE,
    Beside,
    Direction,
    View,
    looked_at,
    moved,
    opening_view,
)

STRENGTHS = (0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 1.0)


class Hands:
    """One tab's hands. say: shows a sentence. changed: called when the view is another one."""

    def __init__(
        self,
        session: Session,
        previews: Previews,
        place: Place,
        say: Callable[[str], None],
        changed: Callable[[], None],
    ) -> None:
        self.session, self.previews = session, previews
        self._say, self._changed = say, changed
        self.preview: Preview | None = None
        self.keys_shown = False
        self.view = opening_view(place, session.table(place), session.choice(place), None)
        self._ground = session.table(place).ground

    @property
    def ground(self) -> Ground:
        """The hundred on the table."""
        return self._ground

    def follow(self) -> None:
        """After a change in this or another tab: look at what lies there now."""
        table = self.session.table(self.view.place)
        if not table.ground.same_as(self._ground):
            self._ground = table.ground
            self._see(looked_at(self.view, table, 0))

    def go(self, place: Place) -> None:
        """To another painting."""
        table = self.session.table(place)
        self._ground = table.ground
        self._see(opening_view(place, table, self.session.choice(place), self.view))

    def go_to_painting(self, index: int) -> None:
        """To a painting of this ballad, from 0; nothing where there is none."""
        places = self.session.places(self.view.place.ballad_id)
        if index < len(places):
            self.go(places[index])

    def go_to_ballad(self, step: int) -> None:
        """Some ballads on, among those that can be worked on."""
        ids = [name for name in self.session.show.ballad_ids if name in self.session.projections]
        at = (ids.index(self.view.place.ballad_id) + step) % len(ids)
        self.go(Place(ids[at], 0))

    def look(self, number: int) -> None:
        """At one of the hundred, or at their centre."""
        self._see(looked_at(self.view, self.session.table(self.view.place), number))

    def look_at(self, address: Address) -> None:
        """At any candidate."""
        table = self.session.table(self.view.place)
        if address.ground.same_as(table.ground):
            self.look(address.number)
        else:
            self._see(replace(self.view, candidate=address.candidate, looping=False))

    def move(self, direction: Direction) -> None:
        """Along the grid."""
        self.look(moved(self.view.cursor, direction))

    def pick(self) -> None:
        """Choose the candidate."""
        self.session.pick(self.view.place, self.view.candidate)
        self._say(f"Chosen: {self.view.candidate.words()}")

    def favour(self) -> None:
        """Make the candidate a favourite, or none."""
        on = self.session.favour(self.view.place, self.view.candidate)
        self._say("A favourite" if on else "No favourite any more")

    def breed(self) -> None:
        """A hundred neighbours of the candidate, nearer to it than these are to one another."""
        weaker = [s for s in STRENGTHS if s < self._ground.strength]
        strength = weaker[-1] if weaker else self._ground.strength
        self._lay(parents=(self.view.candidate,), seed=1, strength=strength)

    def halfway(self) -> None:
        """Remember the candidate, or go halfway between the remembered one and this."""
        first = self.view.half
        if first is None or first.same_as(self.view.candidate):
            half = self.view.candidate if first is None else None
            self._see(replace(self.view, half=half))
            if half:
                self._say(f"Halfway from {half.words()} to …: look at another one and press h")
            return
        self.view = replace(self.view, half=None)
        self._lay(parents=(first, self.view.candidate), seed=1)

    def another_hundred(self, step: int) -> None:
        """The same with the next seed, or the one before."""
        self._lay(seed=max(self._ground.seed + step, 1))

    def strengthen(self, step: int) -> None:
        """The next of the usual strengths."""
        ladder = sorted({*STRENGTHS, self._ground.strength})
        at = min(max(ladder.index(self._ground.strength) + step, 0), len(ladder) - 1)
        self.set_strength(ladder[at])

    def set_strength(self, strength: float) -> None:
        """Of the neighbours, in units of w's standard deviation."""
        self._lay(strength=strength)

    def back(self) -> None:
        """The hundred that the first parent of these lies in."""
        if self._ground.parents:
            self.lay_around(self._ground.parents[0])

    def lay_around(self, address: Address) -> None:
        """The hundred that a candidate lies in, with the eye on it."""
        self.attempt(lambda: self.session.lay(self.view.place, address.ground))
        self.look(address.number)

    def play(self) -> None:
        """Play the candidate's noise loop, or stop."""
        if self.view.looping:
            self._see(replace(self.view, looping=False))
            return
        self.preview = self.previews.ask(self.view.place, self.view.candidate)
        self._see(replace(self.view, looping=True))

    def reroll(self) -> None:
        """Another draw of the loop's noise."""
        loop = self.session.table(self.view.place).loop
        self._loop(loop.model_copy(update={"seed": loop.seed + 1}))

    def set_loop_strength(self, strength: float | None) -> None:
        """None: as the ballad or the show has it."""
        loop = self.session.table(self.view.place).loop
        self.attempt(lambda: self._loop(Loop(strength=strength, seed=loop.seed)))

    def note(self, text: str) -> None:
        """The person's note on this painting."""
        self.attempt(lambda: self.session.note(self.view.place, text.strip()[:LONGEST_NOTE]))

    def undo(self) -> None:
        """The last change of this painting."""
        self._say("Undone" if self.session.undo(self.view.place) else "Nothing to undo")

    def redo(self) -> None:
        """What was undone."""
        self._say("Done again" if self.session.redo(self.view.place) else "Nothing to do again")

    def enlarge(self, beside: Beside | None) -> None:
        """Show the candidate large, beside something, or close that."""
        self._see(replace(self.view, beside=beside))

    def compare(self) -> None:
        """Beside the painting, then the next of what there is."""
        now = self.view.beside
        at = 1 if now is None else BESIDE.index(now) + 1
        self.enlarge(BESIDE[at % len(BESIDE)])

    def smooth(self) -> None:
        """Smooth, or every pixel a square."""
        self._see(replace(self.view, smooth=not self.view.smooth))

    def show_keys(self, shown: bool) -> None:
        """The page of keys."""
        self.keys_shown = shown
        self._changed()

    def close(self) -> None:
        """The page of keys, or what is enlarged, or what h began."""
        if self.keys_shown:
            self.show_keys(False)
        elif self.view.beside:
            self.enlarge(None)
        else:
            self._see(replace(self.view, half=None))

    def watch(self) -> None:
        """A loop that was given up for another tab's stops here too."""
        if self.view.looping and self.preview is not None and self.preview.cancelled:
            self._see(replace(self.view, looping=False))

    def attempt(self, action: Callable[[], None]) -> None:
        """Every fault becomes a sentence on the page."""
        try:
            action()
        except TrainingError as fault:
            self._say(str(fault))

    def _lay(
        self,
        *,
        parents: tuple[Address, ...] | None = None,
        seed: int | None = None,
        strength: float | None = None,
    ) -> None:
        now = self._ground
        try:
            ground = Ground(
                seed=now.seed if seed is None else seed,
                strength=now.strength if strength is None else strength,
                parents=now.parents if parents is None else parents,
            )
        except ValidationError as fault:
            raise TrainingError(
                "This candidate has as many ancestors as the record holds; choose an earlier one."
            ) from fault
        self.session.lay(self.view.place, ground)

    def _loop(self, loop: Loop) -> None:
        self.session.set_loop(self.view.place, loop)
        if self.view.looping:
            self.preview = self.previews.ask(self.view.place, self.view.candidate)
            self._changed()

    def _see(self, view: View) -> None:
        if not view.looping and self.view.looping:
            self.previews.cancel(self.preview)
        self.view = view
        self._changed()
