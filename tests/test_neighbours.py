"""`neighbours`: reproducible draws, what --auto takes, and whose choice counts."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from shows.show import Show
from shows.show_file import save_settings
from tests.tiny_training import make_curating_show
from training.__main__ import main
from training.contact_sheet import cell_side_px, neighbours_sheet, read_record
from training.errors import TrainingError
from training.latents.choices_file import choices_path, read_choices
from training.latents.neighbour_sheets import Desk, Drawing, neighbour_ws
from training.latents.neighbours import ask_for_all, parse_picks
from training.latents.picture_scores import Scores, choose, colourfulness, drift, texture
from training.latents.projection_file import ProjectionFile, read_projection
from training.show_folder import open_generator

torch.set_num_threads(1)


@pytest.fixture
def projected(tmp_path: Path) -> Show:
    show = make_curating_show(tmp_path / "show")
    assert main(["project", str(show.folder), "--steps", "2"]) == 0
    return show


def choose_verb(show: Show, *words: str) -> int:
    return main(["neighbours", str(show.folder), *words])


def some_projection(ids: tuple[str, ...] = ("a", "b"), w_dim: int = 400) -> ProjectionFile:
    return ProjectionFile(
        ballad_id="tam-lin",
        generator_hash="f" * 64,
        ws=np.ones((len(ids), w_dim), np.float32),
        w_std=np.linspace(0.5, 2, w_dim, dtype=np.float32),
        paintings=tuple({"id": name} for name in ids),
        settings={},
    )


def test_a_number_is_the_same_neighbour_whatever_stands_around_it() -> None:
    drawing = Drawing(strength=0.5, seed=3)
    ws = neighbour_ws(some_projection(), 1, drawing)
    assert ws.shape == (101, 400) and ws.dtype == np.float32
    np.testing.assert_array_equal(ws, neighbour_ws(some_projection(("b", "c")), 0, drawing))
    assert not np.array_equal(ws, neighbour_ws(some_projection(), 0, drawing))
    assert not np.array_equal(ws, neighbour_ws(some_projection(), 1, Drawing(0.5, 4)))


def test_the_hundred_are_drawn_as_before_there_was_breeding() -> None:
    projection = some_projection(w_dim=5)
    key = hashlib.sha256(json.dumps(["neighbours-1", 3, "tam-lin", "b"]).encode()).digest()
    random = np.random.Generator(np.random.Philox(key=int.from_bytes(key[:16], "little")))
    steps = random.standard_normal((100, 5)) * (0.35 * projection.w_std)
    wanted = (projection.ws[1].astype(np.float64) + steps).astype(np.float32)
    ws = neighbour_ws(projection, 1, Drawing(strength=0.35, seed=3))
    np.testing.assert_array_equal(ws[1:], wanted)


def test_neighbours_are_gaussian_in_units_of_each_channels_deviation() -> None:
    projection = some_projection()
    ws = neighbour_ws(projection, 0, Drawing(strength=0.25))
    np.testing.assert_array_equal(ws[0], projection.ws[0])
    steps = (ws[1:] - 1.0) / (0.25 * projection.w_std)
    assert steps.mean() == pytest.approx(0, abs=0.02)
    assert steps.std() == pytest.approx(1, abs=0.02)
    np.testing.assert_allclose(steps.std(axis=0), 1, atol=0.35)


def flat(colour: tuple[int, int, int]) -> np.ndarray:
    return np.full((16, 16, 3), colour, np.uint8)


def test_scores_of_known_pictures() -> None:
    stripes = flat((0, 0, 0))
    stripes[:, ::2] = 255
    halves = flat((255, 0, 0))
    halves[8:] = (0, 0, 255)
    pictures = np.stack([flat((90, 90, 90)), stripes, halves])
    colour, structure = colourfulness(pictures), texture(pictures)
    assert colour[0] == colour[1] == 0
    # red: rg 255, yb 127.5; blue: rg 0, yb -255
    expected = np.hypot(127.5, 191.25) + 0.3 * np.hypot(127.5, 63.75)
    assert colour[2] == pytest.approx(expected)
    assert structure[0] == 0 and structure[1] == pytest.approx(255)
    away = drift(pictures, flat((90, 90, 90)))
    assert away[0] == 0 and away[2] > 0


def test_auto_takes_colour_and_texture_but_not_what_drifted_away() -> None:
    scores = Scores(
        colourfulness=np.array([1.0, 2.0, 3.0, 9.0]),
        texture=np.array([1.0, 2.0, 1.5, 9.0]),
        drift=np.array([0.1, 0.2, 0.3, 5.0]),
    )
    assert choose(scores) == 1  # 2 is over the median of 0.25, 3 far over it
    same = np.ones(4)
    assert choose(Scores(same, same, same)) == 0


def test_auto_chooses_says_so_and_repeats_itself(projected: Show) -> None:
    assert choose_verb(projected, "--auto") == 0
    choices = read_choices(projected, "ballad-1")
    assert list(choices) == ["p1", "p2"]
    assert all(choice.by == "auto" and choice.score for choice in choices.values())
    assert "colourful" in choices["p1"].note
    assert choices["p1"].projection == read_projection(projected, "ballad-1").hash_of(0)
    before = choices_path(projected, "ballad-1").read_bytes()
    sheet = projected.folder / "work" / "ballad-1" / "neighbours-p1.png"
    assert read_record(sheet) is not None
    sheet.unlink()
    assert choose_verb(projected, "--auto") == 0
    assert choices_path(projected, "ballad-1").read_bytes() == before
    assert sheet.is_file()


def test_a_persons_choice_is_kept_unless_forced(
    projected: Show, capsys: pytest.CaptureFixture[str]
) -> None:
    assert choose_verb(projected, "--pick", "p1=99", "--note", "the bird") == 0
    assert choose_verb(projected, "--auto") == 0
    assert "1 choices made by a person were kept" in capsys.readouterr().out
    kept = read_choices(projected, "ballad-1")
    assert (kept["p1"].number, kept["p1"].by, kept["p1"].note) == (99, "person", "the bird")
    assert kept["p2"].by == "auto"
    assert choose_verb(projected, "--pick", "2=7") == 0
    assert read_choices(projected, "ballad-1")["p2"].by == "person"
    assert choose_verb(projected, "--auto", "--force") == 0
    assert {choice.by for choice in read_choices(projected, "ballad-1").values()} == {"auto"}


def test_a_pick_is_of_the_sheet_that_was_looked_at(
    projected: Show, capsys: pytest.CaptureFixture[str]
) -> None:
    assert choose_verb(projected, "--strength", "0.8", "--seed", "5") == 0
    assert "Choose with" in capsys.readouterr().out
    assert not choices_path(projected, "ballad-1").exists()
    assert choose_verb(projected, "--pick", "p1=3") == 0
    choice = read_choices(projected, "ballad-1")["p1"]
    assert (choice.strength, choice.seed, choice.number) == (0.8, 5, 3)
    save_settings(projected.folder, projected.settings.model_copy(update={"noise_mode": "none"}))
    assert choose_verb(projected, "--pick", "p1=4") == 2
    assert "look again" in capsys.readouterr().err


def test_a_stale_choice_of_a_person_is_named(
    projected: Show, capsys: pytest.CaptureFixture[str]
) -> None:
    assert choose_verb(projected, "--pick", "p1=1") == 0
    assert main(["project", str(projected.folder), "--steps", "3"]) == 0
    capsys.readouterr()
    assert choose_verb(projected, "--auto") == 0
    assert "of an earlier projection" in "".join(capsys.readouterr())
    assert read_choices(projected, "ballad-1")["p1"].by == "person"


def test_the_terminal_is_asked_for_each_painting(projected: Show) -> None:
    desk = Desk(
        projected,
        open_generator(projected),
        {"ballad-1": read_projection(projected, "ballad-1")},
    )
    answers = iter(["lots", "101", "12", ""])
    ask_for_all(desk, projected.ballads, Drawing(), ask=lambda question: next(answers))
    choices = read_choices(projected, "ballad-1")
    assert {name: choice.number for name, choice in choices.items()} == {"p1": 12}
    assert choices["p1"].by == "person"
    asked: list[str] = []

    def leave(question: str) -> str:
        asked.append(question)
        raise EOFError

    ask_for_all(desk, projected.ballads, Drawing(), ask=leave)
    assert len(asked) == 1 and "now 12, person" in asked[0]


def test_picks_are_found_by_id_place_and_ballad(tmp_path: Path) -> None:
    ballads = make_curating_show(tmp_path / "show", ballads=2).ballads
    assert parse_picks(["ballad-2/p1=7", "ballad-1/2=0"], ballads) == {
        ("ballad-2", 0): 7,
        ("ballad-1", 1): 0,
    }
    for word, sentence in {
        "p1=7": "could be ballad-1/p1, ballad-2/p1",
        "p9=7": "no such painting",
        "p1=101": "from 0 to 100",
        "p1": "write PAINTING=NUMBER",
        "=3": "write PAINTING=NUMBER",
        "none/p1=3": "no ballad 'none'",
    }.items():
        with pytest.raises(TrainingError, match=sentence):
            parse_picks([word], ballads)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--auto", "--pick", "p1=1"], "either --pick or --auto"),
        (["--strength", "nan"], "--strength must lie between"),
        (["--seed", "-1"], "--seed must be"),
    ],
)
def test_impossible_options_are_sentences(
    projected: Show, words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert choose_verb(projected, *words) == 2
    assert sentence in capsys.readouterr().err


def test_without_a_projection_it_says_what_to_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show = make_curating_show(tmp_path / "show")
    assert choose_verb(show, "--auto") == 2
    assert "run `python -m training project" in capsys.readouterr().err


def test_a_broken_choices_file_is_named_by_path(
    projected: Show, capsys: pytest.CaptureFixture[str]
) -> None:
    path = choices_path(projected, "ballad-1")
    path.write_text("schema_version: 1\npaintings: {p1: {number: 500}}\n", encoding="utf-8")
    assert choose_verb(projected, "--auto") == 2
    assert "ballads/ballad-1/choices.yaml: paintings.p1." in capsys.readouterr().err


def test_the_sheet_keeps_words_off_the_pictures() -> None:
    pictures = np.stack([flat((number, 100, 200)) for number in range(101)])
    sheet = neighbours_sheet(flat((250, 0, 0)), pictures, "title", chosen=5)
    found, counts = np.unique(np.asarray(sheet).reshape(-1, 3), axis=0, return_counts=True)
    pixels = {
        tuple(colour): int(count) for colour, count in zip(found.tolist(), counts, strict=True)
    }
    # every picture stands on the sheet whole, 64 x 64 pixels of its own colour
    assert [pixels[number, 100, 200] for number in range(1, 101)] == [64 * 64] * 100
    assert pixels[0, 100, 200] == pixels[250, 0, 0] == 208 * 208
    assert pixels[255, 196, 0] > 64 * 10


def test_cells_fit_the_pictures() -> None:
    sides = [cell_side_px(picture, 128) for picture in (8, 16, 32, 64, 128, 256, 1024)]
    assert sides == [64, 64, 128, 128, 128, 256, 256]


def test_sheets_without_a_record_are_no_record(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"garbage")
    assert [read_record(tmp_path / name) for name in ("a.png", "b.png", "c.png")] == [None] * 3
