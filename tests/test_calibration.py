"""A screen's values: what is taken, what is refused, and what they make of an output."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from player.wall.calibration import (
    FIELDS,
    IDENTITY,
    CalibrationField,
    ScreenCalibration,
    logical_size,
    prepared,
    value_text,
    with_values,
)
from player.wall.homography import UNIT_SQUARE, mapped
from player.wall.warp import overlay_place, target_sides, warp_uniforms
from shows.schema import ShowError, parse_model
from tests.test_homography import quads

QUAD = ((0.1, 0.05), (0.9, 0.0), (1.0, 1.1), (-0.05, 0.9))


def test_nothing_is_changed_by_default() -> None:
    assert parse_model(ScreenCalibration, {}, "x") == IDENTITY
    plain = prepared(IDENTITY, (97, 61))
    assert plain.is_plain and plain.logical_px == (97, 61) and plain.shrinking == 1
    assert plain.light == (1, 1, 1) and plain.features == frozenset()
    np.testing.assert_allclose(plain.to_logical, np.eye(3), atol=1e-15)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"rotation": 45}, r"rotation: .*0, 90, 180 or 270"),
        ({"rotation": True}, "rotation: is one of"),
        ({"rotation": "90"}, "rotation"),
        ({"flip": "sideways"}, "flip: .*'none', 'horizontal', 'vertical' or 'both'"),
        ({"fit": "fill"}, "fit"),
        ({"crop": [0, 0, 0]}, "crop"),
        ({"crop": [0, 0, 0, 0.46]}, r"crop\[3\]: .*0.45"),
        ({"crop": 0.1}, "crop: must be a list of numbers"),
        ({"crop": None}, "crop: must be a list of numbers"),
        ({"blend": [0.51, 0, 0, 0]}, r"blend\[0\]"),
        ({"blend": [-0.1, 0, 0, 0]}, r"blend\[0\]"),
        ({"blend": "0000"}, "blend: must be a list"),
        ({"brightness": 2.1}, "brightness"),
        ({"brightness": float("nan")}, "brightness"),
        ({"brightness": "1"}, "brightness"),
        ({"brightness": True}, "brightness"),
        ({"colour": [1, 1, float("inf")]}, r"colour\[2\]"),
        ({"black": 0.21}, "black"),
        ({"black": -1e-9}, "black"),
        ({"gamma": 0.1}, "gamma"),
        ({"gamma": 5.1}, "gamma"),
        ({"gamma": 10**5000}, "gamma"),
        ({"brigthness": 1}, "brigthness: is not a word"),
        ({"corners": [[0, 0], [1, 0], [1, 1]]}, "corners"),
        ({"corners": [[0, 0], [1, 0], [1, 1], [0, 1, 2]]}, r"corners\[3\]"),
        ({"corners": [[0, 0], [1, 0], [1, 1], 7]}, r"corners\[3\]: must be a list"),
        ({"corners": [[0, 0], [1, 0], [1, 1], [0, 1.6]]}, r"corners\[3\]\[1\]"),
        # crossed, mirrored, dented, three on a line, all in one point
        ({"corners": [[0, 0], [1, 0], [0, 1], [1, 1]]}, "corners: must go round a screen"),
        ({"corners": [[1, 0], [0, 0], [0, 1], [1, 1]]}, "corners: must go round a screen"),
        ({"corners": [[0.9, 0.9], [1, 0], [1, 1], [0, 1]]}, "corners: must go round a screen"),
        ({"corners": [[0.5, 0.5], [1, 0], [1, 1], [0, 1]]}, "corners: must go round a screen"),
        ({"corners": [[0, 0], [0, 0], [0, 0], [0, 0]]}, "corners: must go round a screen"),
    ],
)
def test_nonsense_is_refused_by_name(data: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ShowError, match=f"^north: {sentence}") as caught:
        parse_model(ScreenCalibration, data, "north")
    assert str(caught.value).endswith(".") and len(str(caught.value)) < 500


def test_whole_numbers_will_do() -> None:
    data = {"corners": [[0, 0], [1, 0], [1, 1], [0, 1]], "gamma": 1, "crop": [0, 0, 0, 0]}
    assert parse_model(ScreenCalibration, data, "x") == IDENTITY


@pytest.mark.parametrize(
    ("field", "values", "text"),
    [
        ("rotation", (270,), "270"),
        ("flip", ("both",), "both"),
        ("fit", ("contain",), "contain"),
        ("crop", (0.1, 0, 0.25, 0.45), "0.1 0 0.25 0.45"),
        ("corner/1", (-0.01, 0.02), "-0.01 0.02"),
        ("corner/4", (0.0, 0.987654), "0 0.987654"),
        ("blend", (0, 0, 0.12, 0), "0 0 0.12 0"),
        ("brightness", (0,), "0"),
        ("colour", (1, 0.97, 2), "1 0.97 2"),
        ("black", (0.001,), "0.001"),
        ("gamma", (1.15,), "1.15"),
    ],
)
def test_one_field_is_changed_and_read_back(
    field: CalibrationField, values: tuple[float, ...], text: str
) -> None:
    changed = with_values(IDENTITY, field, values, "screen 1")
    assert value_text(changed, field) == text
    for other in FIELDS:
        if other != field:
            assert value_text(changed, other) == value_text(IDENTITY, other)


def test_the_shows_own_fit_can_be_asked_for_again() -> None:
    contained = with_values(IDENTITY, "fit", ("contain",), "x")
    assert contained.fit == "contain"
    assert with_values(contained, "fit", ("show",), "x") == IDENTITY
    assert value_text(IDENTITY, "fit") == "show"


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("gamma", ()),
        ("gamma", (1, 1)),
        ("gamma", ("x",)),
        ("gamma", (9,)),
        ("colour", (1,)),
        ("corner/2", (0.2,)),
        ("corner/2", (-0.4, 0.9)),
        ("flip", (1,)),
        ("rotation", (90.0,)),
    ],
)
def test_a_field_takes_its_own_values_only(field: CalibrationField, values: tuple[Any]) -> None:
    with pytest.raises(ShowError, match=r"^screen 1: "):
        with_values(IDENTITY, field, values, "screen 1")


def test_a_turned_output_has_a_turned_screen() -> None:
    sizes = [logical_size(ScreenCalibration(rotation=r), (1920, 1080)) for r in (0, 90, 180, 270)]
    assert sizes == [(1920, 1080), (1080, 1920), (1920, 1080), (1080, 1920)]


@given(quads(), st.sampled_from([0, 90, 180, 270]), st.sampled_from(["none", "horizontal"]))
def test_the_screens_corners_lie_where_they_are_pinned(quad: Any, rotation: Any, flip: Any) -> None:
    screen = prepared(ScreenCalibration(corners=quad, rotation=rotation, flip=flip), (192, 108))
    width, height = screen.logical_px
    corners = [(0, 0), (width, 0), (width, height), (0, height)]
    pinned = mapped(screen.from_logical, corners)
    seen = [(x / width, y / height) for x, y in mapped(screen.to_upright, pinned)]
    np.testing.assert_allclose(seen, quad, atol=1e-9)
    np.testing.assert_allclose(mapped(screen.to_logical, pinned), corners, atol=1e-6)


def test_fit_and_crop_alone_need_no_program_of_their_own() -> None:
    assert prepared(ScreenCalibration(fit="contain", crop=(0.1, 0, 0, 0)), (8, 8)).is_plain
    changes: list[dict[str, Any]] = [
        {"rotation": 90},
        {"flip": "both"},
        {"corners": QUAD},
        {"blend": (0, 0, 0.1, 0)},
        {"brightness": 0.9},
        {"colour": (1, 1, 0.9)},
        {"black": 0.01},
        {"gamma": 1.1},
    ]
    assert not any(prepared(ScreenCalibration(**change), (8, 8)).is_plain for change in changes)


def test_a_screen_pinned_to_half_its_size_reads_a_smaller_picture() -> None:
    half = ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75))
    assert prepared(ScreenCalibration(corners=half), (64, 48)).shrinking == pytest.approx(2)
    turned = ScreenCalibration(rotation=90, flip="vertical")
    assert prepared(turned, (64, 48)).shrinking == 1


@pytest.mark.parametrize(
    ("rotation", "box"),
    [
        # the rectangle (0, 0, 10, 4) of the screen, in a framebuffer where it stands at (100, 7);
        # (left, bottom, width, height) counted from the framebuffer's bottom left
        (0, (100, 7 + 40 - 4, 10, 4)),
        (90, (100, 7, 4, 10)),
        (180, (100 + 60 - 10, 7, 10, 4)),
        (270, (100 + 60 - 4, 7 + 40 - 10, 4, 10)),
    ],
)
def test_an_overlay_is_turned_with_the_screen(
    rotation: Any, box: tuple[int, int, int, int]
) -> None:
    screen = prepared(ScreenCalibration(rotation=rotation), (60, 40))
    assert overlay_place(screen, (100, 7, 60, 40), (0, 0, 10, 4)).viewport == box


def test_an_overlay_stays_within_its_screen_and_off_the_corners() -> None:
    area = (100, 0, 60, 40)
    screen = prepared(ScreenCalibration(corners=QUAD), (60, 40))
    assert overlay_place(screen, area, (-5, -5, 1000, 1000)).viewport == area
    assert overlay_place(screen, area, (50, 0, 20, 4)).viewport == (150, 36, 10, 4)
    assert overlay_place(screen, area, (60, 0, 4, 4)).viewport[2] == 0
    assert overlay_place(screen, area, (0, -9, 4, 4)).viewport[3] == 0


def test_distances_and_the_viewport_in_a_framebuffer() -> None:
    quad = ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75))
    screen, area = prepared(ScreenCalibration(corners=quad), (60, 40)), (100, 0, 60, 40)
    uniforms = warp_uniforms(screen, area)
    assert uniforms.viewport == (115, 10, 30, 20)
    lines = np.array(uniforms.screen_sides).reshape(3, 4).T
    for point, distances in (((130, 20), {15, 10}), ((115, 10), {0, 30, 20})):
        assert set(np.round(lines @ (*point, 1.0), 6)) == distances
    assert target_sides(screen, area, (0, 0, 60, 40)) == uniforms.screen_sides


@given(quads())
def test_the_viewport_holds_all_light_and_stays_in_the_area(quad: Any) -> None:
    assume(quad != UNIT_SQUARE)
    screen, area = prepared(ScreenCalibration(corners=quad), (60, 40)), (7, 3, 60, 40)
    uniforms = warp_uniforms(screen, area)
    lines = np.array(uniforms.screen_sides).reshape(3, 4).T
    x, y, width, height = uniforms.viewport
    assert x >= 7 and y >= 3 and x + width <= 67 and y + height <= 43
    for px, py in product(range(7, 67, 3), range(3, 43, 3)):
        # 0.5: a pixel's middle may lie outside of a side that still covers half of it
        if (lines @ (px + 0.5, py + 0.5, 1.0)).min() > 0:
            assert x <= px < x + width and y <= py < y + height
