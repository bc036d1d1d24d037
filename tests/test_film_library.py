"""Films are looked through before the show: cut, broken and strange ones are named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from player.clock import HouseClock
from player.films.film_facts import FilmError, FilmFacts, film_frames, film_path, films_folder
from player.films.library import FilmCheck, validate_films
from player.films.mp4_boxes import look_at_frames, read_mp4
from shows.fingerprint import ballad_fingerprint
from shows.schema import ShowError
from shows.show import Show
from shows.show_file import load_show, save_ballad, save_settings
from tests.film_maker import make_film, numbers
from tests.tiny_show import TINY_HASH, make_tiny_show

SIDE = 16


def facts_for(show: Show, ballad_id: str, **changes: object) -> FilmFacts:
    frames = film_frames(show, ballad_id)
    return FilmFacts(
        ballad=ballad_id,
        fingerprint=ballad_fingerprint(show, ballad_id),
        generator_hash=TINY_HASH,
        first_frame=0,
        frames=frames,
        cycles=show.settings.noise_cycles,
        fps=show.settings.fps,
        width_px=SIDE,
        height_px=SIDE,
    ).model_copy(update=changes)


def short_show(folder: Path) -> Show:
    """Cycles of 40 frames, three ballads."""
    show = make_tiny_show(folder, screens=3, ballads=3, paintings=2)
    words = {"stops": 2, "frames_per_stop": 5, "morph_frames": 10}
    save_settings(folder, show.settings.model_copy(update=words))
    return load_show(folder)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Show:
    """A show with a film of each ballad."""
    show = short_show(tmp_path_factory.mktemp("made") / "show")
    films_folder(show).mkdir()
    for ballad_id in show.ballad_ids:
        facts = facts_for(show, ballad_id)
        make_film(film_path(show, ballad_id), numbers(facts.frames, SIDE, SIDE), facts=facts)
    return show


@pytest.fixture
def folder(made: Show, tmp_path: Path) -> Path:
    """A copy of the films that a test may spoil."""
    for path in films_folder(made).iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def check_one(show: Show, folder: Path) -> FilmCheck:
    check = validate_films(show, folder=folder)
    assert set(check.films) | set(check.refused) | set(check.missing) == set(show.ballad_ids)
    return check


def test_good_films_are_good(made: Show) -> None:
    for thorough in (False, True):
        check = validate_films(made, thorough=thorough)
        assert (dict(check.refused), check.missing) == ({}, ())
        assert list(check.films) == list(made.ballad_ids)
        for ballad_id, film in check.films.items():
            assert (film.state, film.note) == ("good", "")
            assert film.path == film_path(made, ballad_id).resolve()
            assert film.frames == 40 and film.facts == facts_for(made, ballad_id)


def test_looking_through_loads_no_codec_and_is_quick(made: Show) -> None:
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from shows.show_file import load_show\n"
        "import player.films.film_source\n"
        "from player.films.library import validate_films\n"
        f"check = validate_films(load_show(Path({str(made.folder)!r})))\n"
        "print(len(check.films), 'av' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["3", "False"]
    clock = HouseClock()
    took = []
    for _ in range(3):
        began_ns = clock.now_ns()
        validate_films(made)
        took.append((clock.now_ns() - began_ns) / len(made.ballads) * 7 / 1e6)
    assert min(took) < 150  # ms for seven films


def test_quicktime_films_speak_too(made: Show, tmp_path: Path) -> None:
    facts = facts_for(made, "ballad-1")
    pictures = numbers(facts.frames, SIDE, SIDE)
    for codec, pixels in (("prores_ks", "yuv444p10le"), ("libx265", "yuv420p")):
        path = tmp_path / ("ballad-1.mov" if codec == "prores_ks" else "ballad-2.mp4")
        quiet = {"x265-params": "log-level=none"} if codec == "libx265" else {}
        make_film(path, pictures, facts=facts, codec=codec, pixels=pixels, options=quiet)
    check = check_one(made, tmp_path)
    assert [film.facts for film in check.films.values()] == [facts, facts]
    assert [film.state for film in check.films.values()] == ["good", "other"]


def test_absent_films_are_missing(made: Show, folder: Path) -> None:
    (folder / "ballad-2.mp4").unlink()
    check = check_one(made, folder)
    assert check.missing == ("ballad-2",)
    assert validate_films(made, folder=folder / "nowhere").missing == made.ballad_ids


@pytest.mark.parametrize("faststart", [True, False])
def test_a_film_cut_short_anywhere_is_refused_by_name(
    faststart: bool, made: Show, tmp_path: Path
) -> None:
    facts = facts_for(made, "ballad-1")
    path = tmp_path / "ballad-1.mp4"
    make_film(path, numbers(facts.frames, SIDE, SIDE), facts=facts, faststart=faststart)
    data = path.read_bytes()
    assert check_one(made, tmp_path).films["ballad-1"].state == "good"
    cuts = np.random.default_rng(3).integers(1, len(data), 10).tolist()
    for length in [*cuts, len(data) - 1, 7, 8, 40]:
        path.write_bytes(data[:length])
        check = check_one(made, tmp_path)
        assert list(check.films) == []
        assert str(path) in check.refused["ballad-1"], length


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_damage_ends_in_a_film_or_a_sentence(
    made: Show, tmp_path: Path, data: st.DataObject
) -> None:
    whole = film_path(made, "ballad-1").read_bytes()
    content = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]))
    content = content[: data.draw(st.sampled_from([len(whole), len(whole) // 2, 600, 50]))]
    path = tmp_path / "film.mp4"
    path.write_bytes(content)
    try:
        video = read_mp4(path)
        if video is not None:
            look_at_frames(path, video)
    except FilmError as fault:
        assert str(path) in str(fault)  # noqa: PT017 - either outcome is right


def test_lost_pictures_are_noticed_without_decoding(made: Show, folder: Path) -> None:
    path = folder / "ballad-3.mp4"
    data = bytearray(path.read_bytes())
    video = read_mp4(path)
    assert video is not None
    data[int(video.offsets[-3]) :] = bytes(len(data) - int(video.offsets[-3]))
    path.write_bytes(data)
    check = check_one(made, folder)
    assert "holds no picture" in check.refused["ballad-3"]


@pytest.mark.parametrize("content", [b"", b"hello, this is no film\n" * 40, b"\x00" * 500, None])
def test_what_is_no_film_is_refused_by_name(
    content: bytes | None, made: Show, folder: Path
) -> None:
    path = folder / "ballad-2.mp4"
    path.unlink()
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    assert str(path) in check_one(made, folder).refused["ballad-2"]


OTHERS = {
    "another ballad": ({"ballad": "ballad-2"}, "film of 'ballad-2'"),
    "another show": ({"fingerprint": "e" * 64}, "another version of this show"),
    "another length": ({"frames": 39}, "repeats after 40"),
    "another rate": ({"fps": 25}, "25 frames a second"),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_films_of_something_else_play_and_are_told(kind: str, made: Show, tmp_path: Path) -> None:
    changes, said = OTHERS[kind]
    assert isinstance(changes, dict)
    facts = facts_for(made, "ballad-1", **changes)
    pictures = numbers(facts.frames, SIDE, SIDE)
    make_film(tmp_path / "ballad-1.mp4", pictures, facts=facts, fps=facts.fps)
    film = check_one(made, tmp_path).films["ballad-1"]
    assert film.state == "other"
    assert said in film.note and "export it again" in film.note


@pytest.mark.parametrize("changes", [{"frames": 80}, {"first_frame": 3}, {"fps": 24}])
def test_a_film_that_is_not_what_it_says_is_refused(
    changes: dict[str, object], made: Show, tmp_path: Path
) -> None:
    path = tmp_path / "ballad-1.mp4"
    make_film(path, numbers(40, SIDE, SIDE), facts=facts_for(made, "ballad-1", **changes))
    assert "is damaged" in check_one(made, tmp_path).refused["ballad-1"]


def test_a_film_without_a_word_in_the_films_folder_is_refused(made: Show, tmp_path: Path) -> None:
    make_film(tmp_path / "ballad-1.mp4", numbers(40, SIDE, SIDE))
    assert "was not made by `export`" in check_one(made, tmp_path).refused["ballad-1"]


def test_without_latents_the_generator_tells(made: Show) -> None:
    bare = load_show(made.folder, latents=False)
    check = validate_films(bare)
    assert [film.state for film in check.films.values()] == ["good"] * 3
    facts = facts_for(made, "ballad-1", generator_hash="1" * 64)
    path = film_path(made, "ballad-1")
    kept = path.read_bytes()
    try:
        make_film(path, numbers(40, SIDE, SIDE), facts=facts)
        film = validate_films(bare).films["ballad-1"]
        assert film.state == "other" and "another generator" in film.note
    finally:
        path.write_bytes(kept)


def by_hand(tmp_path: Path, name: str) -> Show:
    show = short_show(tmp_path / "show")
    ballad = show.ballad("ballad-1").model_copy(update={"film": name})
    save_ballad(show.folder, ballad)
    return load_show(show.folder)


def test_a_film_made_elsewhere_goes_before_the_exported_one(tmp_path: Path) -> None:
    show = by_hand(tmp_path, "my.avi")
    facts = facts_for(show, "ballad-1")
    films_folder(show).mkdir()
    make_film(film_path(show, "ballad-1"), numbers(40, SIDE, SIDE), facts=facts)
    path = show.ballad_folder("ballad-1") / "my.avi"
    make_film(path, numbers(55, 48, 32), codec="mpeg4", pixels="yuv420p", fps=25)
    film = validate_films(show).films["ballad-1"]
    assert (film.state, film.frames, film.facts) == ("foreign", 55, None)
    assert film.path == path.resolve() and "48 x 32" in film.note


@pytest.mark.parametrize("content", [None, b"", b"no film\n" * 9])
def test_a_film_made_elsewhere_that_cannot_be_read_is_refused(
    content: bytes | None, tmp_path: Path
) -> None:
    show = by_hand(tmp_path, "my.mp4")
    if content is not None:
        (show.ballad_folder("ballad-1") / "my.mp4").write_bytes(content)
    assert "my.mp4" in validate_films(show).refused["ballad-1"]


def test_a_film_outside_the_show_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ShowError, match="film: leads out of the show"):
        by_hand(tmp_path, "../../../my.mp4")


def test_thorough_compares_sums_and_decodes(made: Show, folder: Path) -> None:
    path = folder / "ballad-1.mp4"
    data = bytearray(path.read_bytes())
    video = read_mp4(path)
    assert video is not None
    at = int(video.offsets[7])  # not one of those that the quick form looks at
    data[at + 6 : at + int(video.sizes[7])] = b"\xff" * (int(video.sizes[7]) - 6)
    path.write_bytes(data)
    assert "ballad-1" in validate_films(made, folder=folder).films
    check = validate_films(made, folder=folder, thorough=True)
    assert "ballad-1.mp4" in check.refused["ballad-1"] and len(check.films) == 2
