"""Views that the processor makes itself show what the shaders would."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from player.wall.calibration import ScreenCalibration
from player.wall.headless_wall import HeadlessWall
from player.wall.renderer import Painter, PictureStore, standalone_context
from player.wall.shots import Layer, Overlay, Shot
from player.wall.small_views import AREA_PX, SmallViews

SIZE_PX = (96, 54)  # fewer pixels than a view has at most, so that it is drawn at this size
PLAIN = ScreenCalibration()


class Both:
    """The same shot by the shaders and by the processor, at the pictures' own size."""

    def __init__(self) -> None:
        self.context = standalone_context()
        self.store = PictureStore(self.context)
        self.painter = Painter(self.context, owner=True)
        self.views = SmallViews(self.context, self.store, self.painter)

    def upload(self, source: str, width: int, height: int, count: int = 1) -> None:
        rng = np.random.default_rng(len(source))
        coarse = rng.integers(0, 256, (count, height // 6, width // 6, 4), np.uint8)
        self.store.upload(source, coarse.repeat(6, axis=1).repeat(6, axis=2))

    def drawn(
        self, shot: Shot, calibration: ScreenCalibration = PLAIN
    ) -> tuple[np.ndarray, np.ndarray]:
        """[H, W, 3] each, of the shaders and of the processor."""
        self.views.begin(0, shot, SIZE_PX, calibration, AREA_PX)
        ((_, by_shaders),) = self.views.take()
        self.views.begin_thin(0, shot, SIZE_PX, calibration)
        ((_, by_processor),) = self.views.take()
        return by_shaders[..., :3].astype(int), by_processor[..., :3].astype(int)


@pytest.fixture(scope="module")
def both() -> Iterator[Both]:
    made = Both()
    made.upload("wide", 96, 54, 2)
    made.upload("another", 96, 54)
    made.upload("square", 54, 54)
    yield made
    made.views.release()
    made.painter.release()
    made.store.release()
    made.context.release()


def shot(*layers: Layer, gain: float = 1.0, **more: object) -> Shot:
    return replace(Shot(layers, gain, "cover"), **more)  # type: ignore[arg-type]


WHOLE = Layer("wide", 1, 1.0)
FADE = (Layer("wide", 1, 0.3), Layer("another", 0, 0.7))
THREE = (Layer("wide", 0, 0.2), Layer("wide", 1, 0.3), Layer("another", 0, 0.5))
CARD = Overlay("square", 0, (10, 20, 54, 54))  # cut off below
BEYOND = Overlay("square", 0, (-30, -20, 54, 54))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wanted", "calibration"),
    [
        (shot(WHOLE), PLAIN),
        (shot(WHOLE, gain=0.4), PLAIN),
        (shot(WHOLE, gain=0.0, overlays=(CARD,)), PLAIN),
        (shot(*FADE), PLAIN),
        (shot(*FADE, gain=0.5), ScreenCalibration(brightness=0.6)),
        (shot(*THREE), PLAIN),
        (shot(Layer("square", 0, 1.0), fit="contain"), PLAIN),
        (shot(Layer("square", 0, 0.5), Layer("wide", 0, 0.5), fit="contain"), PLAIN),
        (shot(WHOLE, overlays=(BEYOND, CARD)), ScreenCalibration(colour=(1.0, 0.8, 0.5))),
        (shot(WHOLE), ScreenCalibration(gamma=1.3, brightness=0.9)),
        (shot(WHOLE, whole=True), ScreenCalibration(crop=(0.1, 0.2, 0.0, 0.0))),
        (shot(WHOLE), ScreenCalibration(rotation=180, flip="horizontal")),
        (shot(WHOLE), ScreenCalibration(blend=(0.3, 0.0, 0.1, 0.2))),
        (shot(WHOLE), ScreenCalibration(black=0.05, colour=(1.0, 0.7, 0.9))),
        (
            shot(WHOLE, gain=0.6, overlays=(CARD,)),
            ScreenCalibration(blend=(0.3, 0.0, 0.0, 0.2), black=0.1),
        ),
        (shot(*FADE), ScreenCalibration(blend=(0.0, 0.4, 0.0, 0.0), gamma=0.8, brightness=0.8)),
    ],
)
def test_every_pixel_is_the_same_within_a_step(
    both: Both, wanted: Shot, calibration: ScreenCalibration
) -> None:
    by_shaders, by_processor = both.drawn(wanted, calibration)
    assert abs(by_shaders - by_processor).max() <= 1


@pytest.mark.slow
def test_a_bent_screen_is_bent_alike(both: Both) -> None:
    bent = ScreenCalibration(corners=((0.1, 0.2), (0.8, 0.0), (1.0, 0.9), (0.0, 1.0)))
    by_shaders, by_processor = both.drawn(shot(WHOLE), bent)
    # a texel is taken whole here and mixed with its neighbours there: they differ at edges alone
    assert np.median(abs(by_shaders - by_processor)) <= 2
    is_dark = by_shaders.sum(axis=2) == 0
    assert is_dark.any() and (by_processor[is_dark] == 0).mean() > 0.98
    far_over_the_horizon = ScreenCalibration(
        corners=((0.45, 0.0), (0.55, 0.0), (1.0, 1.0), (0.0, 1.0))
    )
    by_shaders, by_processor = both.drawn(shot(WHOLE), far_over_the_horizon)
    is_dark = by_shaders.sum(axis=2) == 0
    assert (by_processor[is_dark] == 0).mean() > 0.98


def test_a_larger_picture_is_thinned_out(both: Both) -> None:
    pixels = np.zeros((1, 540, 960, 4), np.uint8)
    pixels[:, :, :480] = 200
    both.store.upload("large", pixels)
    by_shaders, by_processor = both.drawn(shot(Layer("large", 0, 1.0)))
    columns = [*range(46), *range(50, 96)]  # but the edge itself
    assert (by_shaders[:, columns] == by_processor[:, columns]).all()


def test_views_of_one_tick_share_a_sheet(both: Both) -> None:
    """Of two shapes, and more than one sheet has room for."""
    sizes = [(384, 54), (96, 54)] * 20
    for number, size_px in enumerate(sizes):
        both.views.begin(number, shot(WHOLE), size_px, PLAIN, AREA_PX)
    taken = both.views.take()
    assert [number for number, _ in taken] == list(range(40)) and not both.views.is_drawing
    for (_, seen), (width, height) in zip(taken, sizes, strict=True):
        assert seen.shape == (height, width, 4)
    for number, seen in taken:  # but for the dither, which goes by the place on the sheet
        assert abs(seen.astype(int) - taken[number % 2][1]).max() <= 1


def test_a_wall_drawn_by_the_processor_uses_them() -> None:
    wall = HeadlessWall(2, (1280, 720))
    try:
        if not wall.is_software:
            pytest.skip("a graphics card draws here")
        wall.begin_small(0)
        assert wall.take_small() == []  # nothing was shown yet
        wall.upload("test", np.full((1, 16, 16, 4), 90, np.uint8))
        wall.set_calibration(1, ScreenCalibration(blend=(0.2, 0.0, 0.0, 0.0)))
        wall.draw([Shot((Layer("test", 0, 1.0),), 1.0, "cover")] * 2)
        wall.present()
        wall.begin_small(0)
        wall.begin_small(1)
        assert not wall._small_views.is_drawing
        seen = dict(wall.take_small())
        assert (seen[0][..., :3] == 90).all()
        assert seen[1][30, 0, 0] < 20 and (abs(seen[1][:, 60:, :3].astype(int) - 90) <= 1).all()
    finally:
        wall.close()
