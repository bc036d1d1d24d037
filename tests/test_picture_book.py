"""The pages of docs/picture.md are made by one command, from any show; files say their colours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from player.films.encoder import film_tags, picture_file
from player.picture_book.__main__ import PAGES, main
from player.picture_book.moments import moments
from player.picture_book.sheet import below, beside, film
from shows.picture_file import srgb_tag
from tests.live_show import make_live_show


@pytest.mark.slow
def test_pages_are_made_and_a_dark_gradient_shows_no_bands(tmp_path: Path) -> None:
    show, out = make_live_show(tmp_path / "show"), tmp_path / "out"
    words = ["--show", str(show.folder), "--out", str(out), "--threads", "1"]
    assert main(["gradient", *words]) == 0
    assert main(["paintings", "surrounds", "focus", "linear-light", "loops", *words]) == 0
    made = {path.name for path in out.iterdir()}
    assert made == {
        "dark-gradient.png",
        "paintings.jpg",
        "surrounds.jpg",
        "focus.jpg",
        "linear-light.jpg",
        "loops.jpg",
        "figures.json",
    }
    for name in made - {"figures.json"}:
        with Image.open(out / name) as picture:
            assert picture.width > 600 and np.asarray(picture).std() > 10
    told = json.loads((out / "figures.json").read_text())
    assert set(told) == {"gradient", "loops"}
    bands = told["gradient"]["rms_of_column_means_from_the_gradient_in_steps"]
    assert bands["live"] < 0.1 and bands["film"] < 0.25 and bands["rounded"] > bands["live"]
    far = [one["w_of_the_way_to_the_mean"] for one in told["loops"]["by_strength"].values()]
    assert far == sorted(far) and far[0] > 0


def test_an_unknown_page_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        main(["nights", "--out", str(tmp_path)])
    assert "no page 'nights'" in capsys.readouterr().err
    assert "night" in PAGES


def test_a_show_that_is_not_there_is_a_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["night", "--show", str(tmp_path / "none"), "--out", str(tmp_path)]) == 1
    assert "none" in capsys.readouterr().err


def test_rows_and_films_have_even_sides(tmp_path: Path) -> None:
    piece = np.full((7, 5, 3), 200, np.uint8)
    row = beside([piece, piece, piece], 4)
    assert row.shape == (8, 24, 3) and (row[:7, :5] == 200).all() and (row[:, 5:9] == 0).all()
    page = below([row, row], 3)
    assert page.shape == (20, 24, 3) and (page[11:18, :5] == 200).all()
    path = tmp_path / "short.mp4"
    film(path, Fraction(30), (np.full((32, 48, 3), level, np.uint8) for level in (10, 90, 200)))
    tags = film_tags(path)
    assert tags is not None and tags.frames == 3

    def broken() -> Iterator[np.ndarray]:
        yield np.zeros((32, 48, 3), np.uint8)
        raise RuntimeError("the engine is gone")

    with pytest.raises(RuntimeError, match="gone"):
        film(path, Fraction(30), broken())
    assert not path.exists(), "no half film is left behind"


def test_four_moments_of_an_evening(tmp_path: Path) -> None:
    show = make_live_show(tmp_path / "show")
    opening, stop, morph, late = moments(show)
    assert [one.frame for one in (opening, stop, morph, late)] == [0, 210, 285, 1180]
    assert all(len(cues) == 2 for cues in late.cues) and late.light == 0.5


def test_png_files_say_that_they_are_srgb(tmp_path: Path) -> None:
    rgba = np.zeros((16, 16, 4), np.uint8)
    assert b"sRGB" in picture_file(rgba)
    path = tmp_path / "a.png"
    Image.fromarray(rgba).save(path, pnginfo=srgb_tag())
    assert b"sRGB" in path.read_bytes()
