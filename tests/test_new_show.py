"""`new`: a folder that plays, from pictures or from the shipped show, whole or not at all."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from player.making.new_show import make_show, words_of
from player.making.picture_folder import named, natural_key, pictures_in, shared_out, slug
from player.making.schemas import schemas
from player.making.show_text import quoted
from shows.schema import PaintingId, ShowError, StrictModel
from shows.show_file import load_show

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "run_installation.py"
SHIPPED = ROOT / "shows" / "inspace"
# a process that was begun in a shell's background ignores Ctrl-C, and so do those it begins
HEARING = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
RUN = "import runpy, sys; runpy.run_path(sys.argv.pop(1), run_name='__main__')"
INTERRUPTIBLE = [sys.executable, "-c", f"{HEARING}\n{RUN}", PROGRAM]


def run_verb(
    *words: object, before: str = "", timeout_s: float = 100
) -> subprocess.CompletedProcess[str]:
    """The program as a process, begun in another folder than its own. before: Python code."""
    command = ["-c", f"{before}\n{RUN}", str(PROGRAM)] if before else [str(PROGRAM)]
    return subprocess.run(
        [sys.executable, *command, *map(str, words)],
        cwd="/" if os.name == "posix" else None,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
    )


def make_pictures(folder: Path, *names: str) -> Path:
    """Small pictures with these names, each of its own colours."""
    folder.mkdir()
    for number, name in enumerate(names):
        noise = np.random.default_rng(number).integers(0, 256, (5, 7, 3), np.uint8)
        Image.fromarray(noise).resize((70, 50)).save(folder / name)
    return folder


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return make_pictures(
        tmp_path / "my pictures",
        *("Evening at the loch.png", "10_ships.jpg", "2_crows.JPG", "Straße.webp", "0001.png"),
    )


def test_a_show_of_pictures_is_whole_and_plays_as_stills(pictures: Path, tmp_path: Path) -> None:
    (pictures / "notes.txt").write_text("not a picture")
    (pictures / ".hidden.png").write_text("neither")
    folder = tmp_path / "deep" / "my-first_show"
    done = run_verb("new", folder, "--pictures", pictures, "--stills")
    assert done.returncode == 0, done.stderr
    assert "Left out, being no pictures that are read here: notes.txt." in done.stdout
    show = load_show(folder, latents=False)
    assert (show.settings.title, show.ballad_ids) == ("My first show", ("my-first-show",))
    paintings = show.ballads[0].paintings
    assert [(one.id, one.line) for one in paintings] == [
        ("painting-1", "Painting 1"),
        ("2-crows", "2 crows"),
        ("10-ships", "10 ships"),
        ("evening-at-the-loch", "Evening at the loch"),
        ("strae", "Straße"),
    ]
    for index, name in enumerate(["0001.png", "2_crows.JPG"]):
        copy = show.painting_path("my-first-show", index)
        assert copy.read_bytes() == (pictures / name).read_bytes() and not copy.is_symlink()
    for name in ("generator.safetensors", "codes.safetensors", "discriminator.safetensors"):
        assert (folder / name).read_bytes() == (SHIPPED / name).read_bytes()
        assert not (folder / name).is_symlink()
    assert {path.name for path in folder.iterdir()} == {
        *("show.yaml", "ballads", "schema"),
        *("generator.safetensors", "codes.safetensors", "discriminator.safetensors"),
    }
    assert list(folder.parent.iterdir()) == [folder]
    report = tmp_path / "report.json"
    played = run_verb(
        *("--show", folder, "--mode", "slate", "--outputs", "headless", "--size", "32x32"),
        *("--frames", 5, "--osc-port", 0, "--report", report),
    )
    assert played.returncode == 0, played.stderr
    assert json.loads(report.read_text())["frames_presented"] == 5


def test_the_files_teach_and_name_their_schemas(pictures: Path, tmp_path: Path) -> None:
    done = run_verb("new", tmp_path / "show", "--pictures", pictures, "--stills", "--ballads", 2)
    assert done.returncode == 0, done.stderr
    files = [tmp_path / "show" / "show.yaml", *tmp_path.glob("show/ballads/*/ballad.yaml")]
    assert len(files) == 3
    for path in files:
        text = path.read_text(encoding="utf-8")
        place = re.match(r"# yaml-language-server: \$schema=(\S+)\n", text)
        assert place is not None
        schema = json.loads((path.parent / place[1]).read_text(encoding="utf-8"))
        assert (
            schema == schemas()["show.schema.json" if path.stem == "show" else "ballad.schema.json"]
        )
        assert text.count("#") > 5
        assert set(yaml.safe_load(text)) <= set(schema["properties"])
    shown = load_show(tmp_path / "show", latents=False)
    assert [len(ballad.paintings) for ballad in shown.ballads] == [2, 3]
    assert [screen.ballad for screen in shown.settings.screens] == ["ballad-1", "ballad-2"]


def test_without_pictures_it_borrows_ballads_that_are_ready(tmp_path: Path) -> None:
    done = run_verb("new", tmp_path / "show", "--ballads", 2, "--title", 'Two "ballads": #1')
    assert done.returncode == 0, done.stderr
    show = load_show(tmp_path / "show")
    shipped = load_show(SHIPPED)
    assert show.warnings == () and show.ballad_ids == shipped.ballad_ids[:2]
    assert show.settings.title == 'Two "ballads": #1'
    for ballad in show.ballads:
        assert ballad == shipped.ballad(ballad.id)
        assert (show.latents[ballad.id].ws == shipped.latents[ballad.id].ws).all()


@pytest.mark.slow
def test_what_is_borrowed_plays_live(tmp_path: Path) -> None:
    assert run_verb("new", tmp_path / "show").returncode == 0
    played = run_verb(
        *("--show", tmp_path / "show", "--mode", "live", "--outputs", "headless"),
        *("--size", "32x32", "--frames", 5, "--osc-port", 0, "--snapshot", tmp_path),
    )
    assert played.returncode == 0, played.stderr
    assert "The screens show live pictures." in played.stderr


@pytest.mark.slow
def test_from_pictures_to_a_ballad_that_plays_live(pictures: Path, tmp_path: Path) -> None:
    done = run_verb("new", tmp_path / "a show", "--pictures", pictures, "--steps", 3)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "step" in done.stderr, "its progress is to be seen"
    assert "Play it:" in done.stdout
    show = load_show(tmp_path / "a show")
    latents = show.latents["a-show"]
    assert show.warnings == () and latents.painting_ids == show.ballads[0].painting_ids
    assert len({ws.tobytes() for ws in latents.ws}) == len(latents.painting_ids)
    played = run_verb(
        *("--show", tmp_path / "a show", "--mode", "live", "--outputs", "headless"),
        *("--size", "32x32", "--frames", 5, "--osc-port", 0),
    )
    assert played.returncode == 0, played.stderr


def test_without_torch_it_says_what_to_run_later(pictures: Path, tmp_path: Path) -> None:
    without = "import sys; sys.modules['torch'] = None"
    done = run_verb("new", tmp_path / "show", "--pictures", pictures, before=without)
    assert done.returncode == 0, done.stderr
    assert "torch is not installed" in done.stdout
    for verb in ("project", "publish"):
        line = re.search(rf"-m training {verb} (\S+)", done.stdout)
        assert line is not None and Path(line[1]) == (tmp_path / "show").resolve()
    assert "--mode slate" in done.stdout


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
def test_ctrl_c_leaves_a_show_and_says_how_to_go_on(pictures: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*INTERRUPTIBLE, "new", "show", "--pictures", pictures, "--steps", "90000"],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stderr is not None
    try:
        seen = b""
        while b"step/s" not in seen and b"s/step" not in seen:
            piece = os.read(process.stderr.fileno(), 4096)
            assert piece, seen
            seen += piece
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 130
    assert b"Stopped." in err and b"-m training project" in err
    assert b"Traceback" not in err, err.decode()
    assert load_show(tmp_path / "show", latents=False).ballad_ids == ("show",)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--pictures", "{empty}"), "has 0 pictures"),
        (("--pictures", "{absent}"), "cannot be read: No such file"),
        (("--pictures", "{broken}"), r"b\.png: .*; mend it or take it out"),
        (("--pictures", "{pictures}", "--ballads", "3"), "5 pictures are too few"),
        (("--ballads", "8"), "the shipped show has 7 ballads"),
        (("--title", "x" * 201), "title: "),
    ],
)
def test_what_cannot_be_made_is_a_sentence_and_leaves_nothing(
    pictures: Path, tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    broken = make_pictures(tmp_path / "broken", "a.png", "b.png")
    (broken / "b.png").write_bytes((broken / "b.png").read_bytes()[:60])
    (tmp_path / "empty").mkdir()
    places = {name: tmp_path / name for name in ("empty", "absent", "broken")}
    filled = [word.format(pictures=pictures, **places) for word in words]
    before = sorted(tmp_path.iterdir())
    done = run_verb("new", tmp_path / "show", *filled)
    assert done.returncode == 1 and re.search(sentence, done.stderr), done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(tmp_path.iterdir()) == before


def test_a_folder_with_anything_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("mine")
    (tmp_path / "empty").mkdir()
    assert run_verb("new", tmp_path / "empty").returncode == 0
    for folder, sentence in ((tmp_path, "is not empty"), (tmp_path / "kept.txt", "is a file")):
        done = run_verb("new", folder)
        assert done.returncode == 1 and sentence in done.stderr, done.stderr
    assert (tmp_path / "kept.txt").read_text() == "mine"


def test_a_show_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    def fails(new: Path) -> tuple[str, ...]:
        (new / "ballads").mkdir()
        raise OSError(28, "No space left on device", str(new))

    with pytest.raises(ShowError, match="cannot be copied or written: No space left"):
        make_show(tmp_path / "show", SHIPPED, fails, "A title")
    assert list(tmp_path.iterdir()) == []


class _Named(StrictModel):
    id: PaintingId


@given(st.lists(st.text(max_size=80), max_size=8))
def test_any_names_make_ids_that_differ_and_can_be_used(names: list[str]) -> None:
    paths = [Path(f"{name}.png") for name in names if "/" not in name and "\0" not in name]
    found = named(paths)
    ids = [_Named(id=picture.painting_id).id for picture in found]
    assert len(set(ids)) == len(paths)
    assert all(picture.line for picture in found)
    assert len({picture.file for picture in found}) == len(paths)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=50))
def test_any_title_survives_the_file(title: str) -> None:
    assert yaml.safe_load(f"title: {quoted(title)}\n") == {"title": title}
    assert "\n" not in quoted(title)


@given(st.integers(2, 40), st.integers(1, 20))
def test_pictures_are_shared_out_in_order(count: int, ballads: int) -> None:
    pictures = named([Path(f"p{number}.png") for number in range(count)])
    if count < 2 * ballads:
        with pytest.raises(ShowError, match="too few"):
            shared_out(pictures, ballads)
        return
    shares = shared_out(pictures, ballads)
    assert tuple(one for share in shares for one in share) == pictures
    sizes = [len(share) for share in shares]
    assert len(sizes) == ballads and min(sizes) >= 2 and max(sizes) - min(sizes) <= 1


def test_names_are_sorted_as_people_count() -> None:
    names = ["b10.png", "B9.png", "a.png", "10.png", "9.png"]
    assert sorted(names, key=natural_key) == ["9.png", "10.png", "a.png", "B9.png", "b10.png"]
    assert (slug("Über dem Moor!"), slug("日本"), slug("--")) == ("uber-dem-moor", "", "")
    assert words_of(Path("my-first_show")) == "My first show"


def test_a_picture_that_is_no_file_is_left_alone(pictures: Path) -> None:
    (pictures / "folder.png").mkdir()
    found, others = pictures_in(pictures)
    assert len(found) == 5 and others == ()
