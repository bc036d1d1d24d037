"""What lies on the table: a pure function of the journal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from training.latents.address import Address, Ground
from training.latents.choices_file import Choice
from training.light_table.events import (
    Change,
    Event,
    Favoured,
    Found,
    Laid,
    Loop,
    Noted,
    Picked,
    Projected,
    Published,
    Redone,
    Undone,
)

FIRST_GROUND = Ground(seed=1, strength=0.5)
USUAL_LOOP = Loop()

Key = tuple[str, str, str]
"""Ballad, painting, projection: of another projection every candidate is another picture."""


@dataclass(frozen=True)
class Table:
    """One painting: the hundred that lie there, the choice, and what a person added."""

    ground: Ground = FIRST_GROUND
    choice: Choice | None = None
    favourites: tuple[Address, ...] = ()
    note: str = ""
    loop: Loop = USUAL_LOOP


@dataclass(frozen=True)
class History:
    """A table, what it was before each change, and what was taken back."""

    now: Table = Table()
    past: tuple[Table, ...] = ()
    future: tuple[Table, ...] = ()


Histories = Mapping[Key, History]


def replay(events: Iterable[Event]) -> Histories:
    """The state after all events."""
    state: Histories = {}
    for event in events:
        state = after(state, event)
    return state


def after(state: Histories, event: Event) -> Histories:
    """The state after one more event; what cannot be undone or redone changes nothing."""
    key = key_of(event)
    return {**state, key: _history(state.get(key, History()), event)}


def key_of(event: Event) -> Key:
    """Whose history an event belongs to."""
    return event.ballad, event.painting, event.projection


def _history(history: History, event: Event) -> History:
    now, past, future = history.now, history.past, history.future
    if isinstance(event, Projected | Published):
        return history
    if isinstance(event, Found):
        return replace(history, now=_found(now, event, untouched=not past))
    if isinstance(event, Undone):
        return History(past[-1], past[:-1], (now, *future)) if past else history
    if isinstance(event, Redone):
        return History(future[0], (*past, now), future[1:]) if future else history
    changed = _changed(now, event)
    return history if changed == now else History(changed, (*past, now))


def _changed(now: Table, event: Change) -> Table:
    if isinstance(event, Picked):
        choice = Choice(
            **dict(event.address),
            by="person",
            generator=event.generator,
            projection=event.projection,
            note=now.note,
        )
        return replace(now, choice=choice)
    if isinstance(event, Laid):
        return replace(now, ground=event.ground)
    if isinstance(event, Favoured):
        others = tuple(a for a in now.favourites if not a.same_as(event.address))
        return replace(now, favourites=(*others, event.address) if event.on else others)
    if isinstance(event, Noted):
        return replace(now, note=event.text, choice=_noted(now.choice, event.text))
    return replace(now, loop=event.loop)


def _noted(choice: Choice | None, note: str) -> Choice | None:
    """A note is the person's: what the machine wrote about its own choice stays."""
    if choice is None or choice.by != "person":
        return choice
    return choice.model_copy(update={"note": note})


def _found(now: Table, event: Found, *, untouched: bool) -> Table:
    choice = event.choice
    fits = choice is not None and choice.projection == event.projection
    return replace(
        now,
        choice=choice,
        loop=event.loop,
        note=choice.note if choice is not None and choice.by == "person" else now.note,
        ground=choice.ground if choice is not None and fits and untouched else now.ground,
    )
