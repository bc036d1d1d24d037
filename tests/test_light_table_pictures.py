"""What the light table draws: candidates once, loops as the show will play them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence

from generator.engine import SynthesisEngine
from shows.show_file import load_show
from shows.timeline import latents_at, opening_cues
from tests.light_table_show import make_projected_show, open_session
from training.errors import TrainingError
from training.latents.address import Ground
from training.latents.neighbour_sheets import Drawing, neighbour_ws
from training.light_table.events import Loop
from training.light_table.hands import Hands
from training.light_table.keys import KEYS, action_of
from training.light_table.keys import press as press_one
from training.light_table.loop_preview import (
    BATCH,
    Previews,
    loop_frames,
    moving_picture,
    show_engine,
)
from training.light_table.pictures import Pictures
from training.light_table.publishing import Publisher
from training.light_table.session import Place, Session
from training.light_table.web_server import OnlyThisMachine, free_port, is_ours
from training.show_folder import open_generator
from training.shown_picture import ShownAs, draw_pixels

torch.set_num_threads(1)
HERE = Place("ballad-1", 1)
FIRST = Ground(seed=1, strength=0.5)


class Easel(ThreadPoolExecutor):
    """One thread; `settle` waits until nothing is left to do on it."""

    def __init__(self) -> None:
        super().__init__(1)

    def settle(self) -> None:
        # what is under way may add one step after the other
        for _ in range(200):
            wait([self.submit(int)], timeout=60)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    made = open_session(make_projected_show(tmp_path / "show"))
    yield made
    made.journal.close()


@pytest.fixture
def easel() -> Iterator[Easel]:
    with Easel() as made:
        yield made


@pytest.fixture
def pictures(session: Session, easel: Easel) -> Pictures:
    return Pictures(session, open_generator(session.show), easel)


@pytest.fixture
def engine(session: Session) -> SynthesisEngine:
    return show_engine(session.show, 1, remember=False)


@pytest.fixture
def previews(session: Session, easel: Easel, engine: SynthesisEngine) -> Previews:
    return Previews(session, open_generator(session.show), easel, lambda: engine)


def pixels_of(future: Future[Path]) -> np.ndarray:
    return np.asarray(Image.open(future.result(timeout=60)))


def test_a_candidate_is_drawn_as_the_sheet_draws_it_with_its_row_and_once(
    session: Session, pictures: Pictures, easel: Easel
) -> None:
    numbers = (0, 1, 10, 11, 100)
    futures = [pictures.candidate(HERE, FIRST.at(number)) for number in numbers]
    found = [pixels_of(future) for future in futures]
    ws = neighbour_ws(session.projections["ballad-1"], 1, Drawing(0.5, 1))
    wanted = draw_pixels(pictures.generator, ws, ShownAs.of(session.show.settings))
    for number, pixels in zip(numbers, found, strict=True):
        np.testing.assert_allclose(pixels, wanted[number].astype(int), atol=1)
    assert pictures.drawn == 1 + 3 * 10
    later = Pictures(session, pictures.generator, easel)
    assert pixels_of(later.candidate(HERE, FIRST.at(5))).shape == (16, 16, 3)
    child = Ground(seed=1, strength=0.1, parents=(FIRST.at(7),))
    np.testing.assert_array_equal(
        pixels_of(later.candidate(HERE, child.at(0))), pixels_of(later.candidate(HERE, FIRST.at(7)))
    )
    assert later.drawn == 0


def test_a_picture_that_cannot_be_drawn_is_no_picture_that_waits_for_ever(
    session: Session, pictures: Pictures
) -> None:
    session.show.painting_path("ballad-1", 1).write_bytes(b"no picture")
    for _ in range(2):
        with pytest.raises(TrainingError, match="not a picture"):
            pictures.painting(HERE).result(timeout=60)


def test_the_loop_is_the_one_that_the_published_show_plays(
    session: Session, previews: Previews, easel: Easel, engine: SynthesisEngine
) -> None:
    candidate = Ground(seed=2, strength=0.3, parents=(FIRST.at(4),)).at(9)
    session.set_loop(HERE, Loop(strength=0.4, seed=3))
    preview = previews.ask(HERE, candidate)
    easel.settle()
    assert preview.fault == "" and preview.done == preview.total == 105
    assert preview.path is not None and not preview.busy
    made = [np.asarray(f.convert("RGB")) for f in ImageSequence.Iterator(Image.open(preview.path))]

    session.pick(HERE, candidate)
    for ballad_id in session.show.ballad_ids:
        for place in session.places(ballad_id):
            if session.choice(place) is None:
                session.pick(place, FIRST.at(0))
    publisher = Publisher(session, open_generator(session.show))
    assert publisher.state("ballad-1") == ""
    publisher.publish(session.show.ballad_ids)
    assert publisher.state("ballad-1") == "published"
    show = load_show(session.show.folder)
    frames = [show.segment_frames + frame for frame in loop_frames(show)]
    out = np.empty((BATCH, 16, 16, 4), np.uint8)
    for start in range(0, len(frames), BATCH):
        batch = frames[start : start + BATCH]
        ws = np.stack([latents_at(show, opening_cues(show), 0, frame) for frame in batch])
        # with the same engine: one calibrated anew may choose another precision, batch by batch
        engine.render(ws, out[: len(ws)])
        np.testing.assert_array_equal(made[start : start + BATCH], out[: len(ws), ..., :3])
    assert not np.array_equal(made[0], made[52])
    session.set_loop(HERE, Loop(strength=0.4, seed=4))
    assert publisher.state("ballad-1") == "changed"


def test_a_loop_is_kept_and_another_one_ends_the_one_in_the_making(
    session: Session, previews: Previews, easel: Easel
) -> None:
    first = previews.ask(HERE, FIRST.at(1))
    second = previews.ask(HERE, FIRST.at(2))
    easel.settle()
    assert first.cancelled and first.path is None and not first.busy
    assert second.path is not None
    kept = previews.ask(HERE, FIRST.at(2))
    assert kept.path == second.path and not kept.busy
    assert previews.named(second.path.name) == second.path
    assert previews.named("../journal.jsonl") is None


def test_another_tabs_loop_stops_this_one(
    hands: Hands, session: Session, previews: Previews
) -> None:
    press(hands, "ArrowDown", " ")
    other = Hands(session, previews, HERE, str, lambda: None)
    press(other, "ArrowDown", " ")
    hands.watch()
    assert not hands.view.looping
    assert other.view.looping and other.preview is not None and not other.preview.cancelled


def test_a_generator_that_fails_is_a_sentence(session: Session, easel: Easel) -> None:
    def broken() -> SynthesisEngine:
        raise FloatingPointError("its pictures are not made of finite numbers")

    previews = Previews(session, open_generator(session.show), easel, broken)
    preview = previews.ask(HERE, FIRST.at(1))
    easel.settle()
    assert preview.fault == "its pictures are not made of finite numbers"


def test_a_large_loop_is_made_smaller(tmp_path: Path) -> None:
    frames = [np.full((1024, 1024, 3), level, np.uint8) for level in (0, 128, 255)]
    path = tmp_path / "loop.webp"
    path.write_bytes(moving_picture(frames, 15))
    with Image.open(path) as image:
        assert image.size == (512, 512) and getattr(image, "n_frames", 1) == 3


# hands


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def hands(session: Session, previews: Previews, said: list[str]) -> Hands:
    made = Hands(session, previews, Place("ballad-1", 0), said.append, lambda: None)
    session.listeners["test"] = made.follow
    return made


def press(hands: Hands, *keys: str) -> None:
    for key in keys:
        press_one(hands, key)


def test_keys_move_pick_breed_and_undo(hands: Hands, session: Session) -> None:
    press(hands, "ArrowDown", "ArrowRight", "ArrowDown", "Enter", "f")
    place = hands.view.place
    choice = session.choice(place)
    assert choice is not None and choice.number == 12
    press(hands, "b")
    assert hands.ground.parents == (FIRST.at(12),) and hands.ground.strength == 0.35
    assert hands.view.cursor == 0 and hands.view.candidate == FIRST.at(12)
    press(hands, "ArrowDown", "Enter", "+", "n")
    assert (hands.ground.strength, hands.ground.seed) == (0.5, 2)
    press(hands, "Backspace")
    assert hands.ground == FIRST and hands.view.candidate == FIRST.at(12)
    choice = session.choice(place)
    assert choice is not None and choice.parents == (FIRST.at(12),)
    press(hands, "u", "u", "u", "u")
    choice = session.choice(place)
    assert choice is not None and choice.number == 12
    press(hands, "U")
    assert session.choice(place) != choice
    press_one(hands, "z", control=True)
    assert session.choice(place) == choice


def test_halfway_between_two(hands: Hands) -> None:
    press(hands, "ArrowDown", "h", "ArrowRight", "h")
    assert hands.ground.parents == (FIRST.at(1), FIRST.at(2)) and hands.view.half is None
    press(hands, "h", "h")
    assert hands.view.half is None
    press(hands, "h", "Escape")
    assert hands.view.half is None


def test_digits_and_brackets_go_to_paintings_and_ballads(hands: Hands) -> None:
    press(hands, "2")
    assert hands.view.place == Place("ballad-1", 1)
    press(hands, "9")
    assert hands.view.place == Place("ballad-1", 1)
    press(hands, "]")
    assert hands.view.place == Place("ballad-2", 0)
    press(hands, "]", "2", "[")
    assert hands.view.place == Place("ballad-2", 0)


def test_a_loop_follows_its_settings_and_stops_when_one_looks_elsewhere(
    hands: Hands, session: Session, easel: Easel
) -> None:
    press(hands, " ")
    first = hands.preview
    press(hands, "r")
    assert hands.view.looping and hands.preview is not first and hands.preview is not None
    assert session.table(hands.view.place).loop.seed == 1
    hands.set_loop_strength(0.3)
    assert session.table(hands.view.place).loop == Loop(strength=0.3, seed=1)
    easel.settle()
    assert hands.preview.path is not None
    press(hands, "ArrowDown")
    assert not hands.view.looping


def test_the_enlarged_one_goes_through_all_it_can_stand_beside(hands: Hands) -> None:
    seen = []
    for _ in range(5):
        press(hands, "c")
        seen.append(hands.view.beside)
    assert seen == ["painting", "projection", "choice", "all", "alone"]
    press(hands, "?", "Escape")
    assert hands.view.beside == "alone"
    press(hands, "Escape", "z")
    assert hands.view.beside is None and not hands.view.smooth


def test_breeding_too_far_is_a_sentence(hands: Hands, said: list[str]) -> None:
    for _ in range(15):
        press(hands, "b", "ArrowDown")
    assert "as many ancestors as the record holds" in said[-1]


def test_every_key_that_is_explained_does_something(hands: Hands) -> None:
    arrows = {"←": "ArrowLeft", "→": "ArrowRight", "↑": "ArrowUp", "↓": "ArrowDown"}
    names = {**arrows, "Space": " ", "−": "-", "Esc": "Escape", "–": "5"}
    for words, _ in KEYS:
        for key in words.split():
            assert action_of(hands, names.get(key, key)) is not None, key
    assert action_of(hands, "q") is None and action_of(hands, "") is None


def test_a_note_is_the_persons_and_goes_with_the_choice(hands: Hands, session: Session) -> None:
    hands.note("  the bird \n")
    press(hands, "Enter")
    choice = session.choice(hands.view.place)
    assert choice is not None and choice.note == "the bird"
    hands.note("both birds")
    choice = session.choice(hands.view.place)
    assert choice is not None and choice.note == "both birds"


# who may ask the server


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"host": "127.0.0.1:8077"}, True),
        ({"host": "localhost:8077", "origin": "http://localhost:8077"}, True),
        ({"host": "evil.example:8077"}, False),
        ({"host": "127.0.0.1.evil.example"}, False),
        ({"host": "127.0.0.1:8077", "origin": "https://evil.example"}, False),
        ({"host": "127.0.0.1:8077", "origin": "null"}, False),
        ({"host": "[::"}, False),
        ({}, False),
    ],
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_only_this_machines_own_page_is_answered(
    headers: dict[str, str], allowed: bool, kind: str
) -> None:
    reached: list[object] = []
    sent: list[dict[str, object]] = []

    async def inner(scope: object, receive: object, send: object) -> None:
        reached.append(scope)

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    async def receive() -> dict[str, object]:
        return {}

    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": kind, "headers": raw}
    asyncio.run(OnlyThisMachine(inner)(scope, receive, send))  # type: ignore[arg-type]
    assert bool(reached) == allowed
    if not allowed:
        assert sent[0] == {"type": "websocket.close", "code": 1008} or sent[0]["status"] == 403


def test_ours_is_loopback_only() -> None:
    assert not is_ours("//0.0.0.0:80") and is_ours("//LOCALHOST")


def test_a_taken_port_is_a_sentence() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(TrainingError, match="give another with --port"):
            free_port(taken.getsockname()[1])
    assert free_port(0) > 0
