"""The light table without its page: addresses, the journal, undo, the show's files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from shows.latent_set import read_latent_set
from shows.show import Show
from shows.show_file import load_ballad, load_show
from tests.light_table_show import make_projected_show, open_session
from training.__main__ import main
from training.errors import TrainingError
from training.latents.address import GENERATIONS, Address, Ground
from training.latents.choices_file import choices_path, read_choices
from training.latents.lineage import Origin, address_w, ground_ws
from training.latents.neighbour_sheets import Drawing, chosen_w, neighbour_ws
from training.latents.projection_file import projection_path, read_projection, write_projection
from training.light_table.events import Loop
from training.light_table.journal import read_journal
from training.light_table.loop_settings import with_value, write_loop
from training.light_table.reproduce import reproduce
from training.light_table.session import Place, Session
from training.light_table.state import replay
from training.light_table.view import moved
from training.show_folder import open_show

torch.set_num_threads(1)
HERE = Place("ballad-1", 0)
ROOT = Path(__file__).resolve().parent.parent
FIRST = Ground(seed=1, strength=0.5)


@pytest.fixture
def show(tmp_path: Path) -> Show:
    return make_projected_show(tmp_path / "show")


@pytest.fixture
def session(show: Show) -> Iterator[Session]:
    made = open_session(show)
    yield made
    made.journal.close()


def again(session: Session) -> Session:
    """The server is gone, and started again."""
    session.journal.close()
    return open_session(open_show(session.show.folder))


def files_of(show: Show) -> dict[str, bytes]:
    found = [*show.folder.glob("ballads/*/*.yaml")]
    return {path.relative_to(show.folder).as_posix(): path.read_bytes() for path in found}


# addresses


def bred(generations: int) -> Address:
    address = FIRST.at(3)
    for seed in range(1, generations):
        address = Ground(seed=seed, strength=0.1, parents=(address,)).at(7)
    return address


def test_an_address_is_the_same_through_its_token() -> None:
    a, b = bred(3), FIRST.at(9)
    for address in (a, b, Ground(seed=2, strength=0.3, parents=(a, b)).at(0)):
        assert Address.of_token(address.token()) == address
    for token in ("", "AAAA", "e30", "é", "=" * 9, bred(2).token()[:-4]):
        with pytest.raises(ValueError, match="no candidate"):
            Address.of_token(token)


def test_the_centre_of_bred_ones_is_their_parent() -> None:
    parent = FIRST.at(3)
    assert Ground(seed=4, strength=0.2, parents=(parent,)).at(0) == parent
    near, far = FIRST.at(0), Ground(seed=9, strength=2.0).at(0)
    assert near.same_as(far) and near.words() == "the projection"
    assert not FIRST.at(1).same_as(Ground(seed=2, strength=0.5).at(1))
    halfway = Ground(seed=1, strength=0.2, parents=(parent, FIRST.at(12)))
    assert halfway.at(7).words() == "7 of halfway 3 and 12"


def test_breeding_ends_somewhere() -> None:
    with pytest.raises(ValidationError, match="generations"):
        bred(GENERATIONS + 1)
    assert bred(GENERATIONS).generation == GENERATIONS
    halves = FIRST.at(1)
    for _ in range(5):
        halves = Ground(seed=1, strength=0.1, parents=(halves, halves)).at(1)
    with pytest.raises(ValidationError, match="steps"):
        Ground(
            seed=1,
            strength=0.1,
            parents=(
                halves,
                halves,
            ),
        )


def test_ws_follow_from_the_address_alone(show: Show) -> None:
    projection = read_projection(show, "ballad-1")
    origin = Origin.of(projection, 0)
    first = ground_ws(origin, FIRST)
    np.testing.assert_array_equal(first, neighbour_ws(projection, 0, Drawing(0.5, 1)))
    np.testing.assert_array_equal(first[0], projection.ws[0])
    child = Ground(seed=1, strength=0.5, parents=(FIRST.at(17),))
    ws = ground_ws(origin, child)
    np.testing.assert_array_equal(ws[0], first[17])
    # another parent's children are other steps, not the same ones elsewhere
    other = ground_ws(origin, Ground(seed=1, strength=0.5, parents=(FIRST.at(18),)))
    assert not np.allclose(ws[1] - ws[0], other[1] - other[0])
    between = ground_ws(origin, Ground(seed=1, strength=0.5, parents=(FIRST.at(3), FIRST.at(4))))
    wanted = (first[3].astype(np.float64) + first[4].astype(np.float64)) / 2
    np.testing.assert_array_equal(between[0], wanted.astype(np.float32))
    spread = (ws[1:] - ws[0]) / (0.5 * origin.w_std)
    assert spread.std() == pytest.approx(1, abs=0.05)


def test_in_w_plus_all_layers_take_the_same_step(show: Show) -> None:
    origin = Origin.of(read_projection(show, "ballad-1"), 0)
    layers = np.stack([origin.w * k for k in (1, 2, 3)]).astype(np.float32)
    plus = Origin(origin.ballad_id, origin.painting_id, layers, origin.w_std)
    ws, flat = ground_ws(plus, FIRST), ground_ws(origin, FIRST)
    assert ws.shape == (101, *layers.shape)
    np.testing.assert_array_equal(ws[:, 0], flat)
    np.testing.assert_allclose(ws[5, 2] - layers[2], flat[5] - origin.w, atol=1e-5)


def test_arrows_walk_the_grid() -> None:
    assert [moved(1, "left"), moved(1, "up"), moved(10, "right"), moved(11, "up")] == [1, 0, 11, 1]
    assert [moved(95, "down"), moved(100, "right"), moved(0, "down"), moved(0, "left")] == [
        95, 100, 1, 0,
    ]  # fmt: skip


PURE = ("training.light_table.state", "training.light_table.journal")


@pytest.mark.parametrize("module", [*PURE, "training.light_table.curate"])
def test_the_page_is_loaded_only_to_be_served(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, {module}; print(*sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "nicegui" not in loaded and (module not in PURE or "torch" not in loaded)


def test_nicegui_has_one_door() -> None:
    table = ROOT / "training" / "light_table"
    doors = {*table.glob("page*.py"), table / "web_server.py"}
    asked = {p for p in (ROOT / "training").rglob("*.py") if "import nicegui" in p.read_text()}
    asked |= {p for p in (ROOT / "training").rglob("*.py") if "from nicegui" in p.read_text()}
    assert asked and asked <= doors


# a sitting


def work(session: Session) -> None:
    """One of everything."""
    parent = FIRST.at(17)
    session.pick(HERE, parent)
    session.favour(HERE, parent)
    session.favour(HERE, FIRST.at(40))
    session.lay(HERE, Ground(seed=3, strength=0.2, parents=(parent,)))
    session.pick(HERE, session.table(HERE).ground.at(5))
    session.note(HERE, "the moon is whole")
    session.set_loop(HERE, Loop(strength=0.3, seed=2))


def test_a_choice_is_in_the_files_at_once(session: Session) -> None:
    work(session)
    choice = read_choices(session.show, "ballad-1")["p1"]
    assert (choice.number, choice.seed, choice.strength, choice.by) == (5, 3, 0.2, "person")
    assert choice.parents == (FIRST.at(17),) and choice.note == "the moon is whole"
    painting = load_ballad(session.show.folder, "ballad-1").paintings[0]
    assert (painting.loop_strength, painting.loop_seed) == (0.3, 2)
    assert [a.number for a in session.table(HERE).favourites] == [17, 40]
    assert not session.favour(HERE, FIRST.at(17))
    assert [a.number for a in session.table(HERE).favourites] == [40]


def test_undo_goes_back_to_the_files_as_they_were_and_redo_forth(session: Session) -> None:
    before = load_ballad(session.show.folder, "ballad-1")
    work(session)
    after, table = files_of(session.show), session.table(HERE)
    elsewhere = Place("ballad-2", 1)
    session.pick(elsewhere, FIRST.at(1))
    steps = 0
    while session.undo(HERE):
        steps += 1
    assert steps == 7
    session.undo(elsewhere)
    left = files_of(session.show)
    for ballad_id in session.show.ballad_ids:
        assert left[f"ballads/{ballad_id}/choices.yaml"] == b"schema_version: 1\npaintings: {}\n"
    assert load_ballad(session.show.folder, "ballad-1") == before
    while session.redo(HERE):
        pass
    assert session.table(HERE) == table
    assert (
        files_of(session.show)["ballads/ballad-1/choices.yaml"]
        == (after["ballads/ballad-1/choices.yaml"])
    )
    session.undo(HERE)
    session.pick(HERE, FIRST.at(2))
    assert not session.redo(HERE)


def test_nothing_is_lost_when_the_server_is_started_again(session: Session) -> None:
    work(session)
    session.undo(HERE)
    table, history = session.table(HERE), session.history(HERE)
    started = again(session)
    assert started.table(HERE) == table and started.history(HERE) == history
    assert started.redo(HERE) and started.table(HERE).loop == Loop(strength=0.3, seed=2)
    started.journal.close()


def test_what_a_kill_left_in_the_files_alone_is_found_again(session: Session) -> None:
    session.pick(HERE, FIRST.at(2))
    lines = session.journal.path.read_bytes()
    session.pick(HERE, FIRST.at(3))
    session.set_loop(HERE, Loop(seed=7))
    session.journal.close()
    session.journal.path.write_bytes(lines)
    started = again(session)
    choice = started.choice(HERE)
    assert choice is not None and choice.number == 3
    assert started.table(HERE).loop.seed == 7
    started.journal.close()


def test_another_programs_choice_is_taken_over(session: Session) -> None:
    words = ["neighbours", str(session.show.folder), "--pick", "ballad-1/p1=9", "--seed", "4"]
    assert main([*words, "--strength", "0.7", "--note", "by hand"]) == 0
    session.look_at_files()
    table = session.table(HERE)
    assert table.choice is not None and table.choice.number == 9 and table.note == "by hand"
    assert table.ground == Ground(seed=4, strength=0.7)


def test_the_journal_alone_gives_every_w_again(session: Session) -> None:
    work(session)
    session.lay(HERE, Ground(seed=1, strength=0.1, parents=(FIRST.at(17), FIRST.at(40))))
    session.pick(HERE, session.table(HERE).ground.at(0))
    session.undo(HERE)
    projection = read_projection(session.show, "ballad-1")
    events = read_journal(session.journal.path)
    choices = reproduce(events)
    assert [choice.address.number for choice in choices] == [17, 5, 0]
    for choice in choices:
        wanted = address_w(Origin.of(projection, 0), choice.address)
        assert choice.w.tobytes() == wanted.tobytes()
    kept = read_choices(session.show, "ballad-1")["p1"]
    assert choices[1].w.tobytes() == chosen_w(projection, 0, kept).tobytes()
    assert replay(events)[session.key(HERE)].now.choice == kept


def test_a_torn_last_line_is_no_event_and_a_broken_one_is_named(session: Session) -> None:
    session.pick(HERE, FIRST.at(2))
    session.pick(HERE, FIRST.at(3))
    path = session.journal.path
    path.write_bytes(path.read_bytes() + b'{"do":"picked","at":"20')
    started = again(session)
    assert len(started.history(HERE).past) == 2
    assert path.read_bytes().endswith(b"}\n")
    started.journal.close()
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:-2], b'{"do":"danced"}\n', lines[-1]]))
    with pytest.raises(TrainingError, match=f"line {len(lines) - 1} is no event"):
        again(started)


def test_a_second_table_is_refused(session: Session) -> None:
    code = (
        "import sys; from pathlib import Path; from training.light_table.journal import Journal; "
        "from training.errors import TrainingError\n"
        "try: Journal(Path(sys.argv[1]))\n"
        "except TrainingError as fault: print(fault)"
    )
    folder = session.journal.path.parent
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "Another light table works in" in done.stdout


@pytest.mark.slow
def test_killed_while_it_writes_the_journal_can_be_read(session: Session) -> None:
    session.journal.close()
    code = (
        "import sys; from pathlib import Path\n"
        "from training.light_table.session import Session, Place\n"
        "from training.show_folder import generator_hash, open_show\n"
        "from training.latents.address import Ground\n"
        "show = open_show(Path(sys.argv[1])); session = Session(show, generator_hash(show))\n"
        "number = 0\n"
        "while True:\n"
        "    number = number % 100 + 1\n"
        "    session.pick(Place('ballad-1', 0), Ground(seed=1, strength=0.5).at(number))\n"
        "    print(number, flush=True)\n"
    )
    told = 0
    for _ in range(2):
        writer = subprocess.Popen(
            [sys.executable, "-c", code, str(session.show.folder)], cwd=ROOT, stdout=subprocess.PIPE
        )
        assert writer.stdout is not None
        for _ in range(20):
            told = int(writer.stdout.readline())
        os.kill(writer.pid, signal.SIGKILL)
        rest = writer.stdout.read().split()
        writer.wait(timeout=60)
        told = int(rest[-1]) if rest and rest[-1] else told
        started = again(session)
        choice = started.choice(HERE)
        # what was told is kept; the one after it may be
        assert choice is not None and choice.number in (told, told % 100 + 1)
        assert len(started.history(HERE).past) >= 19
        started.journal.close()


def test_a_new_projection_has_a_table_of_its_own(session: Session) -> None:
    work(session)
    old = session.projections["ballad-1"]
    write_projection(
        projection_path(session.show, "ballad-1"), replace(old, ws=old.ws + np.float32(0.01))
    )
    started = again(session)
    assert started.choice(HERE) is None and started.table(HERE).choice is not None
    assert started.table(HERE).favourites == ()
    assert started.table(HERE).note == "the moon is whole"
    write_projection(projection_path(session.show, "ballad-1"), old)
    back = again(started)
    assert [a.number for a in back.table(HERE).favourites] == [17, 40]
    back.journal.close()


def test_ballads_without_a_projection_wait(session: Session) -> None:
    (session.show.ballad_folder("ballad-1") / "projection.safetensors").unlink()
    started = again(session)
    assert list(started.projections) == ["ballad-2"]
    assert "run `python -m training project" in started.faults["ballad-1"]
    started.journal.close()


# publishing


def test_what_was_bred_is_published_with_its_parents(session: Session) -> None:
    for ballad_id in session.show.ballad_ids:
        for place in session.places(ballad_id):
            session.pick(place, FIRST.at(8))
    work(session)
    session.journal.close()
    assert main(["publish", str(session.show.folder)]) == 0
    latents = read_latent_set(session.show.latents_path("ballad-1"))
    projection = session.projections["ballad-1"]
    wanted = address_w(
        Origin.of(projection, 0), Ground(seed=3, strength=0.2, parents=(FIRST.at(17),)).at(5)
    )
    np.testing.assert_array_equal(latents.ws[0, 0], wanted)
    record = latents.provenance[0]
    assert (record["number"], record["seed"], record["strength"]) == (5, 3, 0.2)
    assert record["parents"][0]["number"] == 17 and record["note"] == "the moon is whole"
    painting = load_show(session.show.folder).ballad("ballad-1").paintings[0]
    assert painting.loop_strength == 0.3


# ballad.yaml

WRITTEN = """\
# a ballad
title: Tam Lin   # the title
paintings:
  - id: rose  # red
    line: "One: two."
    file: a.png
    loop_strength: 0.2   # gentle

  - {id: hall, line: Two., file: b.png}
  - loop_seed: 4
    line: Three.
    id: ride
    file: c.png
"""


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_only_the_loop_of_a_ballad_file_is_changed(tmp_path: Path, newline: str) -> None:
    path = tmp_path / "ballads" / "tam-lin" / "ballad.yaml"
    path.parent.mkdir(parents=True)
    path.write_bytes(WRITTEN.replace("\n", newline).encode())
    for name in ("rose", "hall", "ride"):
        ballad = write_loop(tmp_path, "tam-lin", name, Loop(strength=0.35, seed=12))
        painting = ballad.paintings[ballad.painting_ids.index(name)]
        assert (painting.loop_strength, painting.loop_seed) == (0.35, 12)
    assert load_ballad(tmp_path, "tam-lin") == ballad
    text = path.read_bytes().decode()
    assert "# a ballad" in text and "loop_strength: 0.35   # gentle" in text and "# red" in text
    assert text.count("\r") == (text.count("\n") if newline == "\r\n" else 0)
    for name in ("hall", "ride"):
        ballad = write_loop(tmp_path, "tam-lin", name, Loop())
    write_loop(tmp_path, "tam-lin", "rose", Loop(strength=0.2))
    left = WRITTEN.replace("\n  - loop_seed: 4\n    line", "\n  - line").replace("\n", newline)
    assert path.read_bytes().decode() == left


def test_a_file_that_cannot_be_changed_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "ballads" / "tam-lin" / "ballad.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(WRITTEN, encoding="utf-8")
    with pytest.raises(TrainingError, match="by hand"):
        write_loop(tmp_path, "tam-lin", "nobody", Loop(seed=1))
    with pytest.raises(ValueError, match="not a list"):
        with_value("title: a\n", 0, "loop_seed", 1)


def test_choices_of_before_are_read_as_they_are(show: Show) -> None:
    text = (
        "schema_version: 1\npaintings:\n  p1: {number: 0, by: auto, seed: 1, strength: 0.35, "
        "generator: aa, projection: bb, note: '', score: {drift: 0.1}}\n"
    )
    choices_path(show, "ballad-1").write_text(text, encoding="utf-8")
    choice = read_choices(show, "ballad-1")["p1"]
    assert choice.parents == () and choice.score == {"drift": 0.1}
