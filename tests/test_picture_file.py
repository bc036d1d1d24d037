"""The square that is cut out of a painting."""

from __future__ import annotations

import pytest

from shows.picture_file import CropError, square_box


@pytest.mark.parametrize(
    ("size", "crop", "box"),
    [
        ((10, 10), None, (0, 0, 10, 10)),
        ((20, 10), None, (5, 0, 15, 10)),
        ((10, 21), None, (0, 5, 10, 15)),
        ((100, 100), (10, 20, 30, 30), (10, 20, 40, 50)),
        ((100, 100), (10, 20, 40, 20), (20, 20, 40, 40)),
        ((100, 100), (10, 20, 30, 50), (10, 30, 40, 60)),
    ],
)
def test_square_box(
    size: tuple[int, int],
    crop: tuple[int, int, int, int] | None,
    box: tuple[int, int, int, int],
) -> None:
    assert square_box(size, crop) == box


@pytest.mark.parametrize("crop", [(10, 0, 5, 5), (90, 90, 50, 50)])
def test_a_crop_that_reaches_beyond_is_refused(crop: tuple[int, int, int, int]) -> None:
    with pytest.raises(CropError, match="reaches beyond"):
        square_box((12, 12), crop)
