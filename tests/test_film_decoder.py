"""Every frame of a film is exactly that frame, wherever the decoder stood before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from player.films.codecs import SUFFIXES, CodecName
from player.films.decoder import FilmReader
from player.films.encoder import FilmEncoder, choose_codec
from player.films.film_facts import KEYFRAME_EVERY, FilmError, FilmFacts, facts_of, facts_text
from player.films.mp4_boxes import look_at_frames, read_mp4
from tests.film_maker import make_film, number_of, numbers

FRAMES = 120
FACTS = FilmFacts(
    ballad="ballad-1",
    fingerprint="f" * 64,
    generator_hash="0" * 64,
    first_frame=0,
    frames=FRAMES,
    cycles=1,
    width_px=32,
    height_px=32,
)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("films") / "numbers.mp4"
    return make_film(path, numbers(FRAMES), facts=FACTS)


@pytest.fixture(scope="module")
def shared(film: Path) -> Iterator[FilmReader]:
    reader = FilmReader(film)
    yield reader
    reader.close()


def read(reader: FilmReader, index: int) -> int:
    width, height = reader.size_px
    out: NDArray[np.uint8] = np.zeros((height, width, 4), np.uint8)
    reader.read(index, out)
    assert (out[..., 3] == 255).all()
    return number_of(out)


def test_knows_what_the_film_is(shared: FilmReader) -> None:
    assert (shared.frames, shared.fps, shared.width_px, shared.height_px) == (FRAMES, 30, 32, 32)
    assert shared.facts == FACTS
    assert shared.codec == "h264" and shared.colour == "BT.709, limited range"


def test_every_frame_forwards_without_a_seek(film: Path) -> None:
    reader = FilmReader(film)
    assert read(reader, 0) == 0
    for index in range(1, FRAMES):
        assert reader.cost(index) == 1
        assert read(reader, index) == index
    reader.close()


def test_every_frame_backwards(shared: FilmReader) -> None:
    for index in reversed(range(FRAMES)):
        assert read(shared, index) == index


@settings(max_examples=150, deadline=None)
@given(index=st.integers(-3 * FRAMES, 3 * FRAMES))
def test_any_frame_after_any_other(shared: FilmReader, index: int) -> None:
    assert read(shared, index) == index % FRAMES


def test_the_seam_costs_no_more_than_a_keyframe(shared: FilmReader) -> None:
    assert read(shared, FRAMES - 1) == FRAMES - 1
    assert read(shared, FRAMES) == 0
    assert shared.position == 0  # one frame was decoded for it


def test_a_jump_decodes_less_than_a_group(shared: FilmReader) -> None:
    read(shared, 3)
    assert read(shared, 3 * KEYFRAME_EVERY + 7) == 3 * KEYFRAME_EVERY + 7
    held = [index for index, _ in shared._recent]
    assert min(held) >= 3 * KEYFRAME_EVERY


def test_frames_just_shown_are_at_hand(shared: FilmReader) -> None:
    for index in range(50, 56):
        read(shared, index)
    assert [shared.cost(index) for index in (53, 54, 55)] == [0, 0, 0]
    assert read(shared, 53) == 53
    assert shared.position == 55


FOREIGN = {
    "b-frames": ("mp4", "libx264", "yuv420p", {"bf": "3", "g": "50", "keyint_min": "25"}, 25),
    "open groups": ("mp4", "libx264", "yuv420p", {"bf": "3", "x264-params": "open-gop=1"}, 30),
    "one keyframe": ("mkv", "libx264", "yuv420p", {"bf": "2", "g": "250"}, Fraction(24000, 1001)),
    "prores": ("mov", "prores_ks", "yuv422p10le", {}, 50),
    "mpeg-4": ("avi", "mpeg4", "yuv420p", {"g": "12"}, 30),
    "rgb": ("mov", "png", "rgb24", {}, 30),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_films_made_elsewhere_are_exact_too(kind: str, tmp_path: Path) -> None:
    suffix, codec, pixels, options, fps = FOREIGN[kind]
    assert isinstance(options, Mapping)
    path = make_film(
        tmp_path / f"film.{suffix}",
        numbers(70, 96, 64),
        codec=codec,
        pixels=pixels,
        options=options,
        fps=fps,
    )
    reader = FilmReader(path, size_px=(48, 32))
    assert (reader.frames, reader.fps, reader.facts) == (70, fps, None)
    order = [*range(70), *np.random.default_rng(1).permutation(70).tolist(), 70, 69]
    assert [read(reader, index) for index in order] == [index % 70 for index in order]
    reader.close()


@pytest.mark.parametrize("name", ["h264", "hevc", "av1", "prores"])
def test_what_export_writes_is_read_exactly(name: CodecName, tmp_path: Path) -> None:
    try:
        codec = choose_codec(name, (64, 64))
    except FilmError as fault:
        pytest.skip(str(fault))
    path = tmp_path / f"ballad-1{SUFFIXES[name]}"
    facts = FACTS.model_copy(update={"frames": 40})
    encoder = FilmEncoder(path, codec, (64, 64), Fraction(30), {"comment": facts_text(facts)})
    for picture in numbers(40, 64, 64):
        rgba = np.dstack([picture, np.full((64, 64), 255, np.uint8)])
        encoder.add(rgba[None])
    encoder.close()
    video = read_mp4(path)
    assert video is not None and (video.frames, video.fps) == (40, 30)
    assert facts_of(video.comment) == facts
    look_at_frames(path, video)
    reader = FilmReader(path)
    assert reader.facts == facts and reader.colour == "BT.709, limited range"
    order = [*range(40), *reversed(range(40)), 31, 3, 17, 40]
    assert [read(reader, index) for index in order] == [index % 40 for index in order]
    reader.close()


def test_of_another_shape_the_middle_is_taken(tmp_path: Path) -> None:
    picture = np.full((32, 96, 3), 250, np.uint8)
    picture[:, 32:64] = 20
    reader = FilmReader(make_film(tmp_path / "wide.mp4", [picture] * 2), size_px=(64, 64))
    out = np.zeros((64, 64, 4), np.uint8)
    reader.read(0, out)
    assert out[:, 4:60, :3].max() < 40
    reader.close()


def test_colours_are_those_that_were_encoded(tmp_path: Path) -> None:
    bars = np.zeros((32, 256, 3), np.uint8)
    rng = np.random.default_rng(5)
    colours = [*rng.integers(0, 256, (26, 3)).tolist(), [255] * 3, [0] * 3]
    colours += [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0]]
    for place, colour in enumerate(colours):
        bars[:, place * 8 : place * 8 + 8] = colour
    path = make_film(tmp_path / "bars.mp4", [bars] * 2, options={"crf": "3"})
    reader = FilmReader(path)
    out = np.zeros((32, 256, 4), np.uint8)
    reader.read(1, out)
    assert np.abs(out[..., :3].astype(int) - bars).max() <= 2
    reader.close()


def test_an_untagged_film_says_so_and_is_taken_by_its_size(tmp_path: Path) -> None:
    small = FilmReader(make_film(tmp_path / "a.mp4", numbers(2), tagged=False))
    tall = FilmReader(make_film(tmp_path / "b.mp4", numbers(2, 128, 720), tagged=False))
    assert small.colour.startswith("BT.601, limited range (not tagged")
    assert tall.colour.startswith("BT.709, limited range (not tagged")
    small.close()
    tall.close()


def hostile(kind: str, folder: Path, film: Path) -> Path:
    path = folder / "film.mp4"
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("not a film at all\n" * 100)
    elif kind == "folder":
        path.mkdir()
    elif kind == "playlist":
        path.write_text(f"#EXTM3U\n#EXTINF:10,\n{film}\n#EXT-X-ENDLIST\n")
    elif kind == "list of files":
        path.write_text(f"ffconcat version 1.0\nfile '{film}'\n")
    elif kind == "sound":
        path.write_bytes(b"RIFF\x24\x00\x00\x00WAVEfmt " + b"\x10" + bytes(60))
    return path


@pytest.mark.parametrize(
    "kind", ["absent", "empty", "text", "folder", "playlist", "list of files", "sound"]
)
def test_what_is_no_film_is_refused_by_name(kind: str, tmp_path: Path, film: Path) -> None:
    path = hostile(kind, tmp_path, film)
    with pytest.raises(FilmError, match=r"film\.mp4"):
        FilmReader(path)


@pytest.mark.parametrize("seed", range(12))
def test_flipped_bytes_are_another_frame_or_a_sentence(
    seed: int, film: Path, tmp_path: Path
) -> None:
    data = bytearray(film.read_bytes())
    rng = np.random.default_rng(seed)
    for at in rng.integers(0, len(data), 30):
        data[at] ^= 1 << int(rng.integers(8))
    path = tmp_path / "flipped.mp4"
    path.write_bytes(data)
    said = ["flipped.mp4"]
    try:
        reader = FilmReader(path, size_px=(32, 32))
        out = np.zeros((32, 32, 4), np.uint8)
        for index in range(0, FRAMES, 3):
            try:
                reader.read(index, out)
            except FilmError as fault:
                said.append(str(fault))
        reader.close()
    except FilmError as fault:
        said.append(str(fault))
    assert all("flipped.mp4" in sentence for sentence in said)


def test_after_a_fault_the_film_goes_on(film: Path, tmp_path: Path) -> None:
    data = bytearray(film.read_bytes())
    path = tmp_path / "hole.mp4"
    middle = len(data) // 2
    data[middle : middle + 120] = bytes(120)
    path.write_bytes(data)
    reader = FilmReader(path)
    seen, refused = [], 0
    for index in range(FRAMES):
        try:
            seen.append((index, read(reader, index)))
        except FilmError:
            refused += 1
    assert all(index == number for index, number in seen)
    assert 0 < refused < FRAMES // 2 and seen[-1][0] == FRAMES - 1
    reader.close()


@pytest.mark.parametrize(("width", "height"), [(16, 160), (160, 16)])
def test_a_film_too_narrow_is_refused(width: int, height: int, tmp_path: Path) -> None:
    path = make_film(tmp_path / "narrow.mp4", numbers(2, width, height))
    with pytest.raises(FilmError, match="narrow"):
        FilmReader(path, size_px=(64, 64))


def test_what_the_container_claims_of_the_size_reserves_nothing(film: Path, tmp_path: Path) -> None:
    path = tmp_path / "huge.mp4"
    data = film.read_bytes()
    entry = data.index(b"avc1", data.index(b"stsd"))
    path.write_bytes(data[: entry + 28] + b"\xff\xff\xff\xff" + data[entry + 32 :])
    reader = FilmReader(path)  # the codec's own header says how large its pictures are
    assert (reader.width_px, reader.height_px) == (32, 32)
    reader.close()


def test_out_of_another_shape_is_refused(shared: FilmReader) -> None:
    shared.hold(0)
    with pytest.raises(ValueError, match="32 x 32"):
        shared.write(np.zeros((16, 32, 4), np.uint8))
