"""What a browser is told of the screens' pictures."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np

from player.desk.pictures import ScreenPictures
from player.desk.seen import news
from player.wall.thumbnails import ThumbnailFile


def picture(value: int) -> np.ndarray:
    return np.full((9, 16, 4), value, np.uint8)


def test_only_what_is_new_is_told_and_every_number_fits(tmp_path: Path) -> None:
    pictures = ScreenPictures(tmp_path / "thumbnails")
    assert news(pictures.look(), 0) == {"change": 0, "screens": {}}
    file = ThumbnailFile(tmp_path / "thumbnails", 7)
    file.write(0, picture(10))
    file.write(6, picture(20))
    told = news(pictures.look(), 0)
    assert told["change"] == 2 and sorted(told["screens"]) == [1, 7]
    assert base64.b64decode(told["screens"][7]) == pictures.look()[6].jpeg
    assert news(pictures.look(), 2) == {"change": 2, "screens": {}}
    file.write(0, picture(11))
    told = news(pictures.look(), 2)
    assert told["change"] == 3 and list(told["screens"]) == [1]


def test_a_browser_that_knew_an_earlier_desk_is_told_all(tmp_path: Path) -> None:
    pictures = ScreenPictures(tmp_path / "thumbnails")
    ThumbnailFile(tmp_path / "thumbnails", 7).write(3, picture(10))
    assert list(news(pictures.look(), 5000)["screens"]) == [4]


def test_a_picture_is_encoded_when_it_is_asked_for_and_once(tmp_path: Path) -> None:
    pictures = ScreenPictures(tmp_path / "thumbnails")
    ThumbnailFile(tmp_path / "thumbnails", 7).write(3, picture(10))
    seen = pictures.look()[3]
    assert "jpeg" not in vars(seen)
    assert seen.jpeg is seen.jpeg and "jpeg" in vars(seen)
