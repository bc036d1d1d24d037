"""Pictures of candidates and paintings: drawn on one thread, kept as PNG by what they show."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from generator.networks import Generator
from training.errors import TrainingError
from training.latents.address import NEIGHBOURS, Address
from training.latents.lineage import Origin, ground_ws
from training.light_table.session import Place, Session
from training.show_folder import painting_facts, read_target
from training.shown_picture import ShownAs, draw_pixels

ROW = 10
PAINTING_PX = 1024


class Pictures:
    """What the page shows. The methods return at once; a Future gives the path of the PNG.

    A candidate is drawn together with its row of ten, because ten at once cost less than one by
    one. The executor must have one thread. Paths stay good: a name stands for one picture.
    """

    def __init__(self, session: Session, generator: Generator, executor: Executor) -> None:
        self.session, self.generator = session, generator
        self.folder = session.journal.path.parent / "pictures"
        self.drawn = 0  # pictures that were not in the folder yet
        self._executor = executor
        self._pending: dict[Path, Future[Path]] = {}

    def candidate(self, place: Place, address: Address) -> Future[Path]:
        """R x R, as the show draws it."""
        row = range(1)
        if address.number:
            first = address.number - (address.number - 1) % ROW
            row = range(first, min(first + ROW, NEIGHBOURS + 1))
        numbers = {number: self._path(place, address.ground.at(number)) for number in row}
        wanted = numbers[address.number]

        def draw() -> None:
            projection = self.session.projections[place.ballad_id]
            ws = ground_ws(Origin.of(projection, place.index), address.ground)
            shown_as = ShownAs.of(self.session.show.settings)
            pictures = draw_pixels(self.generator, ws[row.start : row.stop], shown_as)
            self.drawn += len(pictures)
            for path, pixels in zip(numbers.values(), pictures, strict=True):
                keep(path, png(pixels))

        return self._made(wanted, tuple(numbers.values()), draw)

    def painting(self, place: Place) -> Future[Path]:
        """The painting, square as the projector saw it, but larger."""
        show, ballad = self.session.show, self.session.ballad(place)
        facts = painting_facts(show, ballad, place.index)
        path = self._named("painting", PAINTING_PX, facts)

        def draw() -> None:
            pixels = read_target(show, ballad, place.index, PAINTING_PX).pixels
            keep(path, png(pixels))

        return self._made(path, (path,), draw)

    def _made(
        self, wanted: Path, together: tuple[Path, ...], draw: Callable[[], None]
    ) -> Future[Path]:
        if wanted in self._pending:
            return self._pending[wanted]
        if wanted.is_file():
            done: Future[Path] = Future()
            done.set_result(wanted)
            return done

        def make() -> Path:
            try:
                draw()
            finally:
                for path in together:
                    self._pending.pop(path, None)
            return wanted

        future = self._executor.submit(make)
        for path in together:
            self._pending[path] = self._following(future, path)
        return self._pending[wanted]

    def _following(self, row: Future[Path], path: Path) -> Future[Path]:
        own: Future[Path] = Future()

        def pass_on(done: Future[Path]) -> None:
            if done.cancelled():
                own.cancel()
            elif (fault := done.exception()) is not None:
                own.set_exception(fault)
            else:
                own.set_result(path)

        row.add_done_callback(pass_on)
        return own

    def _path(self, place: Place, address: Address) -> Path:
        ballad, painting, projection = self.session.key(place)
        shown_as = str(ShownAs.of(self.session.show.settings))
        return self._named(ballad, painting, projection, shown_as, address.plain())

    def _named(self, *facts: object) -> Path:
        digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
        return self.folder / digest[:2] / f"{digest[2:32]}.png"


def png(pixels: NDArray[np.uint8]) -> bytes:
    """uint8 [H, W, 3] as a file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=3)
    return file.getvalue()


def keep(path: Path, content: bytes) -> None:
    """Into the folder whole or not at all; what a power cut takes is drawn again."""
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        part.replace(path)
    except OSError as fault:
        raise TrainingError(f"{path} cannot be written ({fault.strerror}).") from fault
