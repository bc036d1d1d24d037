"""What a look does to a screen: edges kept, surfaces, what lies around a picture shown whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from player.wall.calibration import IDENTITY, ScreenCalibration
from player.wall.headless_wall import HeadlessWall
from player.wall.look import FAITHFUL, RECIPES, Look, look_of
from player.wall.shots import Fit, Layer, Shot, place, sharpness
from player.wall.tiles import dither_thresholds, grain_place, surface_tile
from shows.schema import ShowSettings, Surface
from tests.tiny_show import make_tiny_show

SIZE_PX = (160, 96)
Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def opened() -> Iterator[HeadlessWall]:
    wall = HeadlessWall(2, SIZE_PX)
    yield wall
    wall.close()


@pytest.fixture
def wall(opened: HeadlessWall) -> HeadlessWall:
    for screen in range(2):
        opened.set_calibration(screen, IDENTITY)
        opened.set_look(screen, FAITHFUL)
    return opened


def shown(wall: HeadlessWall, look: Look, *, fit: Fit = "cover", **words: Any) -> Pixels:
    """Picture 0 of the source "a", on a screen of this look."""
    wall.set_look(0, look)
    wall.draw([Shot((Layer("a", 0, 1.0),), 1.0, fit, **words)] * 2)
    wall.present()
    return wall.read(0)


def grey(levels: NDArray[Any]) -> Pixels:
    """[H, W] -> [1, H, W, 4]"""
    return np.repeat(levels.astype(np.uint8)[None, :, :, None], 4, axis=3)


def flat(level: int) -> Pixels:
    return grey(np.full((8, 8), level))


def noise(height: int, width: int) -> Pixels:
    return np.random.default_rng(1).integers(0, 256, (1, height, width, 4), np.uint8)


def blurred_edge(angle: float) -> NDArray[np.float64]:
    """A straight edge through the middle of 16 x 16, some two texels wide, 60 to 190."""
    y, x = np.mgrid[:16, :16] - 7.5
    across = x * np.cos(angle) + y * np.sin(angle)
    return 125 + 65 * np.tanh(across / 1.0)


def width_of_edge(row: NDArray[np.float64]) -> int:
    """Pixels between 10 and 90 % of the step."""
    low, high = row.min(), row.max()
    inside = (row > low + 0.1 * (high - low)) & (row < low + 0.9 * (high - low))
    return int(inside.sum())


def test_sharp_makes_a_blurred_edge_narrow_without_rims(wall: HeadlessWall) -> None:
    wall.upload("a", grey(blurred_edge(0.0)))
    soft = shown(wall, FAITHFUL, fit="stretch").astype(float)[48, :, 0]
    sharp = shown(wall, Look(sharp=True), fit="stretch").astype(float)[48, :, 0]
    assert width_of_edge(sharp) < 0.6 * width_of_edge(soft)
    assert sharp.min() >= soft.min() - 1 and sharp.max() <= soft.max() + 1, "no rims"
    assert (np.diff(sharp) >= -1).all(), "it rises all the way, but for the dither"
    assert sharp.mean() == pytest.approx(soft.mean(), abs=2)


def test_a_slanted_edge_has_no_stairs(wall: HeadlessWall) -> None:
    """Where the edge crosses each row is a straight line."""
    wall.upload("a", grey(blurred_edge(0.5)))
    picture = shown(wall, Look(sharp=True), fit="contain").astype(float)[:, 32:128, 0]
    rows = range(16, 80)
    crossing = [np.interp(125, np.maximum.accumulate(picture[row]), np.arange(96)) for row in rows]
    line = np.polyval(np.polyfit(rows, crossing, 1), rows)
    assert np.abs(crossing - line).max() < 0.8, "pixels; a texel is six wide"


def test_sharp_leaves_flat_and_large_pictures_alone(wall: HeadlessWall) -> None:
    wall.upload("a", flat(100))
    assert (shown(wall, Look(sharp=True)) == 100).all()
    wall.upload("a", noise(96, 160))
    np.testing.assert_array_equal(shown(wall, Look(sharp=True)), shown(wall, FAITHFUL))
    assert [sharpness(m) for m in (0.5, 1.0, 1.5, 4.0, 17.0)] == [0, 0, 0, 1, 1]
    assert 0 < sharpness(2.0) < sharpness(3.0) < 1


@pytest.mark.parametrize("surface", get_args(Surface))
def test_a_surface_keeps_the_light_and_leaves_black_black(
    wall: HeadlessWall, surface: Surface
) -> None:
    look = Look(surface=surface)
    wall.upload("a", flat(0))
    assert (shown(wall, look) == 0).all()
    wall.upload("a", flat(140))
    middle = shown(wall, look)[36:60, 60:100].astype(float)
    assert middle.mean() == pytest.approx(140, abs=3), "no vignette in the middle"
    corner = shown(wall, look)[:6, :6].astype(float).mean()
    vignette = RECIPES[surface].vignette if surface != "none" else 0.0
    assert (corner < 137) == (vignette > 0.1) or surface == "paper"
    assert (middle.std() > 1) == (surface != "none")


@pytest.mark.parametrize("surface", ["paper", "canvas", "cinema"])
def test_grain_moves_by_the_frame_and_relief_stands_still(
    wall: HeadlessWall, surface: Surface
) -> None:
    wall.upload("a", flat(140))
    look = Look(surface=surface)
    first, again = shown(wall, look, frame=7).copy(), shown(wall, look, frame=7)
    np.testing.assert_array_equal(first, again)
    other = shown(wall, look, frame=8)
    assert (first != other).any() == (surface == "cinema")


def test_all_machines_have_the_same_grain() -> None:
    assert [grain_place(frame) for frame in (0, 1, 2**40)] == [(175, 57), (244, 106), (114, 126)]
    places = {grain_place(frame) for frame in range(1800)}
    assert len(places) > 1700
    for surface in RECIPES:
        tile = surface_tile(surface).astype(float) / 127.5 - 1
        assert np.abs(tile.mean(axis=(0, 1))).max() < 0.01
        # no seam: what lies across the tile's edge differs as neighbours do
        for axis in (0, 1):
            steps = np.abs(tile - np.roll(tile, 1, axis))
            seam = np.take(steps, 0, axis).mean()
            assert seam < 1.3 * steps.mean() + 1e-9


def test_thresholds_are_spread_evenly() -> None:
    tile = dither_thresholds()
    assert tile.shape == (64, 64, 4) and tile.dtype == np.uint8
    for channel in range(3):
        counts = np.bincount(tile[..., channel].ravel(), minlength=256)
        assert counts[0] == counts[255] == 0, "what eight bits can hold is never changed"
        assert counts[1:255].min() >= 16 and counts[1:255].max() <= 17
    assert abs(tile[..., 0].mean() - 127.5) < 0.1


def test_a_card_is_shown_as_it_is(wall: HeadlessWall) -> None:
    wall.upload("a", noise(24, 40))
    plain = shown(wall, FAITHFUL, fit="stretch").copy()
    look = Look(sharp=True, surface="canvas", surround="blur")
    assert (shown(wall, look, fit="stretch") != plain).any()
    np.testing.assert_array_equal(shown(wall, look, fit="stretch", whole=True), plain)


def test_around_a_picture_lies_what_was_asked_for(wall: HeadlessWall) -> None:
    """A square of 96 in the middle of 160: 32 pixels on either side."""
    wall.upload("a", noise(16, 16))
    black = shown(wall, FAITHFUL, fit="contain").astype(float)
    assert (black[:, :32] == 0).all() and (black[:, 128:] == 0).all()
    for surround in ("colour", "mirror", "blur"):
        picture = shown(wall, Look(surround=surround), fit="contain").astype(float)
        assert np.abs(picture[:, 32:128] - black[:, 32:128]).max() <= 1, "the picture as it was"
        left, right = picture[:, :32], picture[:, 128:]
        assert left.mean() > 20 and right.mean() > 20
        assert left.mean() < black[:, 32:128].mean(), "it is dimmed"
        spread = left.std(axis=(0, 1)).max()
        if surround == "colour":
            assert spread < 1.0
        if surround == "mirror":
            seen = black[:, 32:64][:, ::-1]
            correlation = np.corrcoef(left.ravel(), seen.ravel())[0, 1]
            assert correlation > 0.99
            assert spread > 10
        if surround == "blur":
            assert 1 < spread < 0.5 * black[:, 32:128].std()
    same = shown(wall, Look(surround="mirror"), fit="cover")
    np.testing.assert_array_equal(same, shown(wall, FAITHFUL, fit="cover"))


def test_the_surround_on_a_portrait_screen_is_above_and_below() -> None:
    placed = place("contain", (64, 64), (90, 160), surround="blur")
    assert placed.target == (0, 0, 90, 160)
    assert placed.surround is not None and placed.surround.edges == pytest.approx((0, 0, 64, 64))
    assert placed.surround.level == 3 and placed.surround.share == (0.125, 0.125)
    assert place("contain", (64, 64), (90, 160), surround="colour").levels == 6
    assert place("contain", (64, 64), (90, 90), surround="blur").surround is None
    assert place("contain", (64, 64), (90, 160)).surround is None


@pytest.mark.parametrize("fit", ["cover", "contain"])
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_a_calibrated_screen_has_the_same_look(wall: HeadlessWall, fit: Fit, layers: int) -> None:
    """Turned and mirrored back, it goes through the other program."""
    wall.upload("a", noise(16, 16))
    wall.set_calibration(1, ScreenCalibration(rotation=180, flip="both"))
    for look in (Look(sharp=True), Look(surround="mirror"), Look(True, "none", "blur")):
        for screen in range(2):
            wall.set_look(screen, look)
        mixed = (Layer("a", 0, 1 / layers),) * layers
        wall.draw([Shot(mixed, 1.0, fit)] * 2)
        wall.present()
        difference = np.abs(wall.read(0).astype(int) - wall.read(1))
        assert np.percentile(difference, 99) <= 2 and difference.mean() < 0.2


def test_every_look_is_made_ready_before_it_is_needed(wall: HeadlessWall) -> None:
    wall.upload("a", noise(16, 16))
    wall.set_look(0, Look(True, "canvas", "mirror"))
    while wall.warm_up_next():
        pass
    programs = len(wall._painter._programs)
    for fit in ("cover", "contain"):
        for words in ({}, {"whole": True}):
            shown(wall, Look(True, "canvas", "mirror"), fit=fit, **words)  # type: ignore[arg-type]
    assert len(wall._painter._programs) == programs
    wall.set_look(0, FAITHFUL)


def test_the_show_file_says_how_its_pictures_are_drawn(tmp_path: Path) -> None:
    show = make_tiny_show(tmp_path / "show")
    settings = show.settings
    assert look_of(settings, 0, software=True) == FAITHFUL
    assert look_of(settings, 0, software=False) == Look(sharp=True)
    words = settings.model_dump() | {"upscaling": "sharp", "surface": "canvas"}
    words["screens"] = [dict(screen) for screen in words["screens"]]
    words["screens"][1]["surround"] = "blur"
    chosen = ShowSettings.model_validate(words)
    assert look_of(chosen, 0, software=True) == Look(True, "canvas", "black")
    assert look_of(chosen, 1, software=True) == Look(True, "canvas", "blur")
    soft = ShowSettings.model_validate(words | {"upscaling": "soft"})
    assert not look_of(soft, 0, software=False).sharp
