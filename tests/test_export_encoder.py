"""Every codec: colours, times, keyframes, joints, and what it says when it cannot."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from player.films.codecs import CodecName, bytes_needed, candidates
from player.films.encoder import (
    EncoderError,
    FilmEncoder,
    choose_codec,
    film_tags,
    join_films,
    picture_file,
    read_frames,
)
from tests.export_engine import packets_of

VIDEO: list[CodecName] = ["h264", "hevc", "av1", "prores"]
SIZE_PX = (64, 64)


def pictures(count: int, first: int = 0) -> NDArray[np.uint8]:
    """Smooth waves, another phase each frame: [count, 64, 64, 4]."""
    y, x = np.mgrid[0:64, 0:64] / 64
    made = np.full((count, 64, 64, 4), 255, np.uint8)
    for i in range(count):
        t = (first + i) / 20
        for channel, wave in enumerate((3 * x + t, 4 * y - t, 2 * (x + y) + t)):
            made[i, ..., channel] = np.rint(127.5 + 110 * np.sin(wave))
    return made


def write(path: Path, name: CodecName, shown: NDArray[np.uint8], fps: Fraction) -> None:
    film = FilmEncoder(path, choose_codec(name, SIZE_PX), SIZE_PX, fps, {"comment": "words"})
    film.add(shown)
    film.close()


@pytest.mark.parametrize("name", VIDEO)
@pytest.mark.parametrize("fps", [Fraction(30), Fraction(30000, 1001), Fraction(24)])
def test_parts_are_joined_frame_for_frame(tmp_path: Path, name: CodecName, fps: Fraction) -> None:
    shown = pictures(37)
    container = choose_codec(name, SIZE_PX).container
    parts = [(tmp_path / "a", 20), (tmp_path / "b", 17)]
    write(parts[0][0], name, shown[:20], fps)
    write(parts[1][0], name, shown[20:], fps)
    joined = tmp_path / "joined"
    assert join_films(parts, joined, container, {"comment": "facts", "title": "Ä"}) == 37
    packets = packets_of(joined)
    assert [time for time, _ in packets] == pytest.approx([i / fps for i in range(37)], abs=1e-3)
    keyframes = {i for i, (_, is_key) in enumerate(packets) if is_key}
    assert keyframes >= {0, 15, 20, 35}
    tags = film_tags(joined)
    assert tags is not None and (tags.comment, tags.frames, tags.codec) == ("facts", 37, name)
    found = read_frames(joined, [0, 14, 15, 19, 20, 36])
    for index, picture in found.items():
        error = picture.astype(int) - shown[index, ..., :3]
        assert np.abs(error).mean() < 2.5, (name, index)
        neighbour = shown[index - 1 if index else 1, ..., :3]
        assert np.abs(error).mean() < np.abs(picture.astype(int) - neighbour).mean()


@pytest.mark.parametrize("name", VIDEO)
def test_colours_are_tagged_and_come_back(tmp_path: Path, name: CodecName) -> None:
    bars = np.full((3, 64, 64, 4), 255, np.uint8)
    colours = [(191, 191, 0), (0, 191, 191), (0, 191, 0), (191, 0, 191), (191, 0, 0), (0, 0, 191)]
    colours += [(255, 255, 255), (0, 0, 0)]
    for index, colour in enumerate(colours):
        bars[:, :, index * 8 : index * 8 + 8, :3] = colour
    write(tmp_path / "bars", name, bars, Fraction(30))
    with av.open(str(tmp_path / "bars")) as film:
        frame = next(film.decode(video=0))
        tags = (frame.color_range, frame.colorspace, frame.color_primaries, frame.color_trc)
        assert [int(tag) for tag in tags] == [1, 1, 1, 1]
    seen = read_frames(tmp_path / "bars", [1])[1]
    for index, colour in enumerate(colours):
        middle = seen[8:56, index * 8 + 3 : index * 8 + 5].astype(int)
        most = 3 if name in ("h264", "hevc", "prores") else 8
        assert np.abs(middle - colour).max() <= most, (name, colour)


def test_equal_pictures_make_equal_files(tmp_path: Path) -> None:
    for name in "ab":
        write(tmp_path / name, "h264", pictures(20), Fraction(30))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_parts_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a", "h264", pictures(5), Fraction(30))
    small = FilmEncoder(tmp_path / "b", choose_codec("h264", (32, 32)), (32, 32), Fraction(30), {})
    small.add(pictures(5)[:, ::2, ::2].copy())
    small.close()
    with pytest.raises(EncoderError, match="otherwise"):
        join_films([(tmp_path / "a", 5), (tmp_path / "b", 5)], tmp_path / "c", "mp4", {})
    with pytest.raises(EncoderError, match="holds 5 frames instead of 6"):
        join_films([(tmp_path / "a", 6)], tmp_path / "c", "mp4", {})


def test_a_film_without_room_says_so_as_the_system_does() -> None:
    device = Path("/dev/full")
    if not device.exists():
        pytest.skip("no /dev/full here")
    codec = choose_codec("h264", SIZE_PX)
    with pytest.raises(OSError, match=r"[Nn]o space"):  # noqa: PT012 - whenever it notices
        film = FilmEncoder(device, codec, SIZE_PX, Fraction(30), {})
        film.add(pictures(40))
        film.close()


def test_files_that_are_no_films_have_nothing_to_say(tmp_path: Path) -> None:
    write(tmp_path / "a", "h264", pictures(20), Fraction(30))
    whole = (tmp_path / "a").read_bytes()
    for content in (b"", b"no film", whole[:40], whole[len(whole) // 2 :]):
        (tmp_path / "b").write_bytes(content)
        assert film_tags(tmp_path / "b") is None
    assert film_tags(tmp_path / "nowhere") is None
    assert film_tags(tmp_path) is None


def test_a_codec_that_cannot_is_told_with_its_reason() -> None:
    with pytest.raises(EncoderError, match="No hevc encoder works here for 2x2"):
        choose_codec("hevc", (2, 2))
    with pytest.raises(EncoderError, match="h264_of_yesterday is none of its encoders"):
        choose_codec("h264", SIZE_PX, "h264_of_yesterday")


def test_small_pictures_keep_all_their_colour_and_hardware_comes_first() -> None:
    formats = [c.pixel_format for c in candidates("h264", (256, 256))]
    assert formats == ["yuv444p10le", "yuv444p", "yuv444p"], "ten bits, where there is an encoder"
    assert [c.pixel_format for c in candidates("h264", (512, 512))] == ["yuv420p"] * 2
    assert [c.in_hardware for c in candidates("hevc", (512, 512))] == [True, False]
    assert bytes_needed("h264", (1024, 1024), 1800) < 300e6


def test_a_png_holds_the_picture_itself(tmp_path: Path) -> None:
    random = np.random.default_rng(1).integers(0, 256, (16, 32, 4), dtype=np.uint8)
    (tmp_path / "a.png").write_bytes(picture_file(random))
    with av.open(str(tmp_path / "a.png")) as file:
        seen = next(file.decode(video=0)).to_ndarray(format="rgb24")
    assert np.array_equal(seen, random[..., :3])
