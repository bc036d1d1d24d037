"""Where a page's pictures come from: the show's engine, and a wall without windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from player.live.synthesis_worker import Engine, open_factory
from player.wall.headless_wall import HeadlessWall
from player.wall.look import FAITHFUL, Look
from player.wall.shots import CENTRE, Fit, Focus, Layer, Shot
from shows.ballad_path import ballad_w
from shows.show import Show
from shows.timeline import Cues, latents_at, motion_of, opening_cues

Pixels = NDArray[np.uint8]
_FACTORY = "generator.engine:open_engine"


class Stage:
    """Draws what the player would, one picture at a time. Use as a context."""

    def __init__(self, show: Show, threads: int) -> None:
        """Raises what the engine's factory raises, OutputError."""
        self.show = show
        self._batch = len(show.settings.screens)
        self._engine: Engine = open_factory(
            _FACTORY,
            {
                "path": str(show.generator_path),
                "screens": self._batch,
                "noise_mode": show.settings.noise_mode,
                "threads": threads,
            },
        )
        self._walls: dict[tuple[int, int], HeadlessWall] = {}
        self.side_px: int = getattr(self._engine, "height", 0)

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *fault: object) -> None:
        for wall in self._walls.values():
            wall.close()

    def pictures(self, ws: Sequence[NDArray[np.float32]]) -> Pixels:
        """RGBA [N, R, R, 4] of ws [num_ws, w_dim] each."""
        drawn = np.empty((len(ws), self.side_px, self.side_px, 4), np.uint8)
        for first in range(0, len(ws), self._batch):
            part = np.stack(ws[first : first + self._batch])
            self._engine.render(part, drawn[first : first + len(part)])
        return drawn

    def frame(self, frame: int, cues: Cues | None = None, show: Show | None = None) -> Pixels:
        """What the screens show at a frame, as it comes from the engine."""
        show = show or self.show
        cues = cues or opening_cues(show)
        return self.pictures([latents_at(show, cues, n, frame) for n in range(len(cues))])

    def shown(
        self,
        pictures: Pixels,
        size_px: tuple[int, int],
        look: Look = FAITHFUL,
        *,
        fit: Fit = "cover",
        focus: Focus = CENTRE,
        gain: float = 1.0,
        frame: int = 0,
        weights: Sequence[float] = (1.0,),
    ) -> Pixels:
        """A screen of this size: RGB [H, W, 3]. pictures [N, h, w, 4], mixed by their weights."""
        wall = self._walls.get(size_px)
        if wall is None:
            wall = self._walls[size_px] = HeadlessWall(1, size_px)
        wall.set_look(0, look)
        wall.upload("page", pictures)
        layers = tuple(Layer("page", n, weight) for n, weight in enumerate(weights))
        wall.draw([Shot(layers, gain, fit, focus=focus, frame=frame)])
        wall.present()
        return wall.read(0)


def with_settings(show: Show, **words: object) -> Show:
    """The same show with other words in its `show.yaml`."""
    return replace(show, settings=show.settings.model_copy(update=words))


def ballad_ws(show: Show, ballad: str, frame: int) -> NDArray[np.float32]:
    """[num_ws, w_dim] of a ballad by itself at its own frame."""
    latents = show.latents[ballad]
    ws = np.empty((latents.num_ws, latents.w_avg.shape[-1]), np.float32)
    ws[:] = ballad_w(latents, motion_of(show, ballad), frame)
    return ws
