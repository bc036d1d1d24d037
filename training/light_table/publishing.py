"""Which ballads are published as they were chosen, and publishing them."""

from __future__ import annotations

import argparse

import numpy as np

from generator.networks import Generator
from shows.latent_set import read_latent_set
from shows.schema import ShowError
from training.errors import TrainingError
from training.latents import publish
from training.light_table.session import Session


def is_published(session: Session, generator: Generator, ballad_id: str) -> bool:
    """Whether the ballad's latent set is the one that would be written now."""
    projection = session.projections[ballad_id]
    path = session.show.latents_path(ballad_id)
    try:
        choices = publish.chosen_of(session.show, session.show.ballad(ballad_id), projection)
        wanted = publish.make_latent_set(session.show, generator, projection, choices)
        found = read_latent_set(path)
    except (TrainingError, ShowError):
        return False
    return (
        found.painting_ids == wanted.painting_ids
        and found.generator_hash == wanted.generator_hash
        and np.array_equal(found.ws, wanted.ws)
        and np.array_equal(found.loop_noise, wanted.loop_noise)
        and [_note(entry) for entry in found.provenance]
        == [_note(entry) for entry in wanted.provenance]
    )


class Publisher:
    """What is published, looked up again only after a change."""

    def __init__(self, session: Session, generator: Generator) -> None:
        self._session, self._generator = session, generator
        self._known: dict[str, tuple[object, str]] = {}

    def state(self, ballad_id: str) -> str:
        """ "published", "changed", or nothing where there is no latent set."""
        session = self._session
        path = session.show.latents_path(ballad_id)
        written = path.stat().st_mtime_ns if path.exists() else 0
        tables = [session.table(place) for place in session.places(ballad_id)]
        now = written, [(table.choice, table.loop) for table in tables]
        if self._known.get(ballad_id, (None, ""))[0] != now:
            state = "published" if is_published(session, self._generator, ballad_id) else "changed"
            self._known[ballad_id] = now, state if written else ""
        return self._known[ballad_id][1]

    def publish(self, ballad_ids: tuple[str, ...]) -> None:
        """As `python -m training publish`; only reads what the session holds. Raises TrainingError
        naming everything that is missing."""
        publish.run(argparse.Namespace(show=self._session.show.folder, ballad=list(ballad_ids)))


def _note(entry: dict[str, object]) -> tuple[object, object]:
    return entry.get("note"), entry.get("by")
