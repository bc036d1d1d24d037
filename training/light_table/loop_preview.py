"""The noise loop around a candidate, as a moving picture, just as the show will play it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from generator.engine import SynthesisEngine, open_engine
from generator.networks import Generator
from shows.latent_set import LatentSet
from shows.show import Show
from shows.timeline import Cue, latents_at, motion_of
from training.errors import TrainingError
from training.latents.address import Address
from training.latents.choices_file import Choice
from training.latents.publish import make_latent_set
from training.light_table.pictures import keep
from training.light_table.session import Place, Session

PREVIEW_FPS = 15
LARGEST_PX = 512
LOSSLESS_PX = 128
BATCH = 7  # the player's: its calibration is found again

OpenEngine = Callable[[], SynthesisEngine]
_END = object()


@dataclass(eq=False)
class Preview:
    """One moving picture in the making. done: frames drawn. path: once it can be shown."""

    place: Place
    address: Address
    total: int
    done: int = 0
    path: Path | None = None
    fault: str = ""
    cancelled: bool = False

    @property
    def busy(self) -> bool:
        return self.path is None and not self.fault and not self.cancelled


class Previews:
    """Makes one moving picture at a time, in steps between which other pictures are drawn."""

    def __init__(
        self, session: Session, generator: Generator, executor: Executor, open_one: OpenEngine
    ) -> None:
        self._session, self._generator, self._executor = session, generator, executor
        self._folder = session.journal.path.parent / "loops"
        self._open_one = open_one
        self._engine: SynthesisEngine | None = None
        self.current: Preview | None = None

    def ask(self, place: Place, address: Address) -> Preview:
        """Begin; the one that was being made is given up."""
        self.cancel(self.current)
        latents = latents_with(self._session, self._generator, place, address)
        show = replace(self._session.show, latents={place.ballad_id: latents})
        frames = loop_frames(show)
        preview = Preview(place, address, len(frames))
        path = self._path(show, latents, place)
        if path.is_file():
            preview.path = path
            return preview
        self.current = preview
        pictures: list[NDArray[np.uint8]] = []
        steps = self._steps(preview, show, frames, pictures, path)
        self._executor.submit(self._step, preview, steps).add_done_callback(_raise_fault)
        return preview

    def cancel(self, preview: Preview | None) -> None:
        """Give one up, unless it is there already."""
        if preview is not None and preview.busy:
            preview.cancelled = True

    def named(self, name: str) -> Path | None:
        """The file of a finished one, by the name that its path has."""
        found = {path.name: path for path in self._folder.glob("*.webp")}
        return found.get(name)

    def _step(self, preview: Preview, steps: Iterator[None]) -> None:
        try:
            if next(steps, _END) is not _END and not preview.cancelled:
                self._executor.submit(self._step, preview, steps).add_done_callback(_raise_fault)
        except (TrainingError, OSError, FloatingPointError) as fault:
            preview.fault = str(fault)

    def _steps(
        self,
        preview: Preview,
        show: Show,
        frames: range,
        pictures: list[NDArray[np.uint8]],
        path: Path,
    ) -> Iterator[None]:
        engine = self._engine = self._engine or self._open_one()
        yield
        cues = ((Cue(preview.place.ballad_id, 0, 0, preview.place.index * show.segment_frames),),)
        for start in range(0, len(frames), BATCH):
            batch = frames[start : start + BATCH]
            ws = np.stack([latents_at(show, cues, 0, frame) for frame in batch])
            out = np.empty((len(ws), engine.height, engine.width, 4), np.uint8)
            engine.render(ws, out)
            pictures += [picture[..., :3].copy() for picture in out]
            preview.done += len(batch)
            yield
        keep(path, moving_picture(pictures, float(show.settings.fps) / frames.step))
        preview.path = path

    def _path(self, show: Show, latents: LatentSet, place: Place) -> Path:
        digest = hashlib.sha256(latents.generator_hash.encode())
        digest.update(latents.ws.tobytes() + latents.loop_noise.tobytes())
        digest.update(repr(motion_of(show, place.ballad_id)).encode())
        settings = show.settings
        facts = (place.index, settings.fps, settings.truncation_psi, settings.noise_mode)
        digest.update(repr(facts).encode())
        return self._folder / f"{digest.hexdigest()[:32]}.webp"


def loop_frames(show: Show) -> range:
    """The frames of a painting's noise loop that a preview shows, about 15 a second."""
    stride = max(1, round(float(show.settings.fps) / PREVIEW_FPS))
    return range(0, show.settings.stops * show.settings.frames_per_stop, stride)


def latents_with(
    session: Session, generator: Generator, place: Place, address: Address
) -> LatentSet:
    """The latent set of a ballad as it would be with this candidate chosen; a painting without a
    choice stands as it was projected."""
    projection = session.projections[place.ballad_id]
    choices = []
    for other in session.places(place.ballad_id):
        given = address if other == place else session.choice(other)
        at = given.candidate if given else Address(number=0, seed=0, strength=0)
        choices.append(
            Choice(
                **dict(at),
                by="person",
                generator=session.generator_hash,
                projection=projection.hash_of(other.index),
            )
        )
    return make_latent_set(session.show, generator, projection, choices)


def moving_picture(pictures: list[NDArray[np.uint8]], fps: float) -> bytes:
    """uint8 [H, W, 3] each -> an animated WebP that goes round; small pictures without loss."""
    images = [Image.fromarray(picture) for picture in pictures]
    if images[0].width > LARGEST_PX:
        size = (LARGEST_PX, LARGEST_PX)
        images = [image.resize(size, Image.Resampling.BOX) for image in images]
    ends_ms = [round(1000 * (index + 1) / fps) for index in range(len(images))]
    durations = [end - start for start, end in zip([0, *ends_ms], ends_ms, strict=False)]
    file = io.BytesIO()
    images[0].save(
        file,
        "WEBP",
        save_all=True,
        append_images=images[1:],
        duration=durations,
        loop=0,
        lossless=images[0].width <= LOSSLESS_PX,
        quality=90,
        method=1,
    )
    return file.getvalue()


def show_engine(show: Show, threads: int, *, remember: bool = True) -> SynthesisEngine:
    """The engine that the player would open for this show."""
    return open_engine(
        show.generator_path,
        screens=BATCH,
        noise_mode=show.settings.noise_mode,
        threads=threads,
        remember=remember,
    )


def _raise_fault(done: Future[None]) -> None:
    """A fault of the program itself is not to be lost on the thread."""
    if not done.cancelled() and (fault := done.exception()) is not None:
        raise fault
