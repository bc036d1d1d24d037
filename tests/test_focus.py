"""What a cover keeps in the middle, and how that moves from painting to painting."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from player.wall.shots import CENTRE, fit_rectangle, place
from shows.show import Show
from shows.show_file import load_show, save_ballad
from shows.timeline import Cue, focus_at, opening_cues
from tests.tiny_show import make_tiny_show

PORTRAIT = (1080, 1920)


@pytest.mark.parametrize(
    ("focus", "left"),
    [
        ((0.5, 0.5), 224.0),  # 1024 px high, 576 of them wide are seen
        ((0.3, 0.5), 0.3 * 1024 - 288),
        ((0.1, 0.5), 0.0),
        ((0.95, 0.5), 448.0),
    ],
)
def test_a_portrait_screen_covers_around_the_focus(focus: tuple[float, float], left: float) -> None:
    rectangles = fit_rectangle("cover", (1024, 1024), PORTRAIT, focus)
    assert rectangles.source == pytest.approx((left, 0, 576, 1024))
    assert rectangles.target == (0, 0, *PORTRAIT)


@given(
    st.tuples(st.floats(0, 1), st.floats(0, 1)),
    st.tuples(st.integers(1, 3000), st.integers(1, 3000)),
)
def test_a_cover_stays_inside_the_picture(
    focus: tuple[float, float], output_wh: tuple[int, int]
) -> None:
    x, y, width, height = fit_rectangle("cover", (512, 512), output_wh, focus).source
    assert -1e-9 <= x <= 512 - width + 1e-6 and -1e-9 <= y <= 512 - height + 1e-6
    assert width == pytest.approx(512) or height == pytest.approx(512)


def test_the_focus_is_of_the_whole_picture_whatever_is_cropped() -> None:
    crop = (0.2, 0.0, 0.0, 0.0)
    seen = place("cover", (1000, 1000), (400, 800), crop, 1.0, (0.6, 0.5))
    middle = seen.scale[0] * 200 + seen.offset[0]
    assert middle == pytest.approx(600)


def test_other_fits_know_no_focus() -> None:
    for fit in ("contain", "stretch"):
        assert fit_rectangle(fit, (64, 64), PORTRAIT, (0.1, 0.9)) == fit_rectangle(
            fit, (64, 64), PORTRAIT
        )


@pytest.fixture
def show(tmp_path: Path) -> Show:
    """The first painting of the first ballad looks left, its second down, the others nowhere."""
    made = make_tiny_show(tmp_path / "show")
    ballad = made.ballad("ballad-1")
    first, second, *others = ballad.paintings
    paintings = (
        first.model_copy(update={"focus": (0.1, 0.5)}),
        second.model_copy(update={"focus": (0.5, 0.9)}),
        *others,
    )
    save_ballad(made.folder, ballad.model_copy(update={"paintings": paintings}))
    return load_show(made.folder)


def test_it_stays_in_the_loop_and_moves_with_the_morph(show: Show) -> None:
    (cues, *_) = opening_cues(show)
    assert [focus_at(show, cues, n) for n in (0, 100, 210)] == [(0.1, 0.5)] * 3
    assert focus_at(show, cues, 285) == pytest.approx((0.3, 0.7))
    assert [focus_at(show, cues, n) for n in (360, 570)] == [(0.5, 0.9)] * 2
    assert focus_at(show, cues, 720) == CENTRE
    steps = [focus_at(show, cues, n) for n in range(1801)]
    assert max(abs(b[0] - a[0]) for a, b in itertools.pairwise(steps)) < 0.003
    assert steps[1800] == pytest.approx(steps[0])


def test_it_moves_with_a_change_of_ballad(show: Show) -> None:
    cues = (Cue("ballad-2", 0, 0), Cue("ballad-1", 100, 150))
    seen = [focus_at(show, cues, n)[0] for n in (100, 175, 250)]
    assert seen == pytest.approx([0.5, 0.3, 0.1])


def test_a_show_without_any_is_in_the_middle(tmp_path: Path) -> None:
    made = make_tiny_show(tmp_path / "plain")
    assert focus_at(made, opening_cues(made)[0], 1234) == CENTRE
