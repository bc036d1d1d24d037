"""Projective maps on paper: corners to corners, there and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from player.wall.homography import (
    UNIT_SQUARE,
    Quad,
    corner_areas,
    inverse,
    mapped,
    output_to_seen,
    sides,
    square_to_quad,
    widest_stretch,
)

shares = st.floats(-0.3, 0.3, allow_nan=False)


@st.composite
def quads(draw: st.DrawFn) -> Quad:
    """The unit square with each corner moved by up to 0.3, where that leaves a screen."""
    moved = [(x + draw(shares), y + draw(shares)) for x, y in UNIT_SQUARE]
    quad: Quad = (moved[0], moved[1], moved[2], moved[3])
    assume(min(corner_areas(quad)) > 0.02)
    return quad


@given(quads())
def test_corners_map_to_corners_and_back(quad: Quad) -> None:
    matrix = square_to_quad(quad)
    np.testing.assert_allclose(mapped(matrix, UNIT_SQUARE), quad, atol=1e-12)
    np.testing.assert_allclose(mapped(inverse(matrix), quad), UNIT_SQUARE, atol=1e-9)


@given(quads(), st.floats(0, 1), st.floats(0, 1))
def test_a_map_and_its_inverse_are_nothing(quad: Quad, u: float, v: float) -> None:
    matrix = square_to_quad(quad)
    assert (matrix @ (u, v, 1.0))[2] > 0
    (there,) = mapped(matrix, [(u, v)])
    np.testing.assert_allclose(mapped(inverse(matrix), [there]), [(u, v)], atol=1e-8)


@given(quads(), st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_inside_is_inside(quad: Quad, u: float, v: float) -> None:
    matrix, lines = square_to_quad(quad), sides(quad)
    (inside,), (outside,) = mapped(matrix, [(u, v)]), mapped(matrix, [(-0.01, v)])
    assert (lines @ (*inside, 1.0) > 0).all()
    assert (lines @ (*outside, 1.0)).min() < 0
    np.testing.assert_allclose(np.linalg.norm(lines[:, :2], axis=1), 1.0)


@given(quads(), st.floats(0.2, 0.8), st.floats(0.2, 0.8))
def test_the_stretch_is_that_of_small_steps(quad: Quad, u: float, v: float) -> None:
    matrix, step = square_to_quad(quad), 1e-6
    angles = np.linspace(0, np.pi, 181)
    ring = [(u + step * np.cos(a), v + step * np.sin(a)) for a in angles]
    (centre,) = mapped(matrix, [(u, v)])
    lengths = np.linalg.norm(np.array(mapped(matrix, ring)) - centre, axis=1) / step
    assert widest_stretch(matrix, (u, v)) == pytest.approx(lengths.max(), rel=1e-3)


def test_a_square_is_left_alone_exactly() -> None:
    np.testing.assert_array_equal(square_to_quad(UNIT_SQUARE), np.eye(3))
    np.testing.assert_array_equal(inverse(np.eye(3)), np.eye(3))


def test_a_known_trapezium() -> None:
    """A rectangle seen in perspective: its diagonals still meet in the picture's middle."""
    quad: Quad = ((0.25, 0.0), (0.75, 0.0), (1.0, 1.0), (0.0, 1.0))
    ((x, y),) = mapped(square_to_quad(quad), [(0.5, 0.5)])
    assert x == pytest.approx(0.5)
    # the line from (0.25, 0) to (1, 1) at x = 0.5
    assert y == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("rotation", "top_left_is_seen_at", "top_right_is_seen_at"),
    [(0, (0, 0), (1, 0)), (90, (1, 0), (1, 1)), (180, (1, 1), (0, 1)), (270, (0, 1), (0, 0))],
)
def test_a_monitor_that_is_turned_clockwise(
    rotation: int,
    top_left_is_seen_at: tuple[float, float],
    top_right_is_seen_at: tuple[float, float],
) -> None:
    seen = output_to_seen(rotation, mirrored=False, upturned=False)
    assert mapped(seen, [(0, 0), (1, 0)]) == (top_left_is_seen_at, top_right_is_seen_at)
    assert np.linalg.det(seen) == pytest.approx(1.0)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_flips_are_before_the_viewers_eyes(rotation: int) -> None:
    plain = output_to_seen(rotation, mirrored=False, upturned=False)
    for mirrored, upturned in ((True, False), (False, True), (True, True)):
        flipped = output_to_seen(rotation, mirrored=mirrored, upturned=upturned)
        for point in ((0.0, 0.0), (0.3, 0.8)):
            ((u, v),), ((fu, fv),) = mapped(plain, [point]), mapped(flipped, [point])
            assert fu == pytest.approx(1 - u if mirrored else u)
            assert fv == pytest.approx(1 - v if upturned else v)
