"""Tags of a stream to matrix and range."""

from __future__ import annotations

import pytest

from player.films.film_colour import BT601, BT709, BT2020, FilmColour, colour_of


@pytest.mark.parametrize(
    ("space", "range_", "pixels", "height", "wanted"),
    [
        (1, 1, "yuv420p", 64, FilmColour(BT709, False, True)),
        (1, 2, "yuv420p", 64, FilmColour(BT709, True, True)),
        (5, 1, "yuv420p", 1080, FilmColour(BT601, False, True)),
        (6, 0, "yuv420p", 1080, FilmColour(BT601, False, True)),
        (9, 1, "yuv420p10le", 64, FilmColour(BT2020, False, True)),
        (2, 0, "yuv420p", 719, FilmColour(BT601, False, False)),
        (2, 0, "yuv420p", 720, FilmColour(BT709, False, False)),
        (2, 0, "yuvj420p", 64, FilmColour(BT601, True, False)),
        (77, 9, "yuv420p", 64, FilmColour(BT601, False, False)),
    ],
)
def test_tags(space: int, range_: int, pixels: str, height: int, wanted: FilmColour) -> None:
    assert colour_of(space, range_, pixels, height) == wanted


def test_words() -> None:
    assert str(colour_of(1, 1, "yuv420p", 64)) == "BT.709, limited range"
    assert "not tagged" in str(colour_of(2, 0, "yuv420p", 64))
