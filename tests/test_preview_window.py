"""The window of `preview`: what its keys do on paper, and a real one on a real desktop."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from player.governor import Level, describe
from player.making.preview_desk import PreviewConductor, PreviewDesk, leap_frame, title
from player.making.preview_reload import on_one_screen, playing_of, read_again
from player.pace import Pace
from player.picture_book.stage import Stage, ballad_ws, with_settings
from player.reading import Reading
from player.reload.desk import NoReloads
from player.slate_source import SlateSource
from player.transport import frame_at
from player.wall.look import look_of
from shows.generator_file import read_generator_info
from shows.schema import Node, ShowError
from shows.show import Show
from shows.show_file import load_show, save_settings
from shows.timeline import opening_cues, position_at
from tests.export_engine import make_short_show
from tests.preview_on_desktop import SIDE_PX
from tests.test_new_show import run_verb
from tests.virtual_desktop import on_virtual_desktop

SEGMENT = 20


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Show:
    """Five paintings of 20 frames a ballad."""
    return make_short_show(tmp_path_factory.mktemp("preview") / "show")


class Keys:
    """A window that has a title, and keys that somebody pressed."""

    def __init__(self) -> None:
        self.pressed: list[str] = []
        self.title = ""

    def take_keys(self) -> tuple[str, ...]:
        keys, self.pressed = tuple(self.pressed), []
        return keys

    def set_title(self, text: str) -> None:
        self.title = text


class Loop:
    """What a frame loop would tell of itself on a tick."""

    def __init__(self, conductor: PreviewConductor) -> None:
        self.conductor, self.tick = conductor, 0

    def reading(self) -> Reading:
        transport = self.conductor.transport_at(self.tick)
        frame = frame_at(transport, self.tick)
        return Reading(self.conductor.show, transport, self.tick, frame, showing="live")


@pytest.mark.parametrize(
    ("frame", "painting", "wanted"),
    [
        (0, 1, 20),
        (19, 1, 20),
        (20, 2, 40),
        (95, 5, 100),  # the first one again
        (0, -1, 80),
        (25, 0, 100),
        (59, 1, 120),
        (1000, 0, 1100),
        (1007, 4, 1080),
    ],
)
def test_a_leap_lands_where_the_painting_begins_and_never_goes_back(
    show: Show, frame: int, painting: int, wanted: int
) -> None:
    there = leap_frame(show, "ballad-1", frame, painting)
    assert there == wanted > frame
    assert there // SEGMENT % 5 == painting % 5 and there % SEGMENT == 0


def test_of_one_painting_a_leap_is_to_its_beginning(show: Show) -> None:
    ballad = show.ballads[0]
    alone = replace(show, ballads=(ballad.model_copy(update={"paintings": ballad.paintings[:1]}),))
    assert leap_frame(alone, ballad.id, 7, 1) == leap_frame(alone, ballad.id, 7, -1) == SEGMENT


def test_the_one_screen_begins_with_the_first_painting_as_its_own_screen_would(show: Show) -> None:
    screens = tuple(
        screen.model_copy(update={"fit": fit, "phase_frames": 33})
        for screen, fit in zip(show.settings.screens, ("cover", "contain"), strict=False)
    )
    wide = with_settings(show, screens=screens, groups={"all": (screens[0].name,)})
    own = on_one_screen(wide, screens[1].ballad)
    (screen,) = own.settings.screens
    assert (screen.name, screen.fit) == (screens[1].name, "contain")
    ((cue,),) = opening_cues(own)
    assert (cue.ballad_id, cue.offset_frames) == (screens[1].ballad, 0)
    lonely = with_settings(show, screens=screens[:1])
    (screen,) = on_one_screen(lonely, "ballad-2").settings.screens
    assert (screen.ballad, screen.fit) == ("ballad-2", "cover")


def test_keys_pause_and_leap_and_the_title_follows(show: Show) -> None:
    conductor = PreviewConductor(on_one_screen(show, "ballad-2"))
    keys, loop = Keys(), Loop(conductor)
    desk = PreviewDesk(conductor, keys, NoReloads(""))  # type: ignore[arg-type]

    def frame_after(tick: int, *pressed: str) -> int:
        keys.pressed += pressed
        loop.tick = tick
        desk.obey(tick, 0, loop)  # type: ignore[arg-type]
        return frame_at(conductor.transport_at(tick), tick)

    ballad = show.ballad("ballad-2")
    assert frame_after(5) == 5
    assert keys.title == f"{ballad.title} 1/5: {ballad.paintings[0].line}"
    assert frame_after(7, "right") == 20
    assert frame_after(10) == 23
    assert keys.title.startswith(f"{ballad.title} 2/5: ")
    assert frame_after(12, "space") == frame_after(90) == 25
    assert keys.title.endswith(" - paused")
    assert frame_after(91, "left") == frame_after(95) == 100
    assert frame_after(96, "left", "left", "x") == 100 + 4 * 20 + 4 * 20
    assert frame_after(100, "space") == 260 and frame_after(103) == 263
    assert "paused" not in keys.title


def test_the_title_tells_what_the_engine_leaves_out(show: Show) -> None:
    own = on_one_screen(show, "ballad-1")
    transport = PreviewConductor(own).transport_at(0)
    reading = Reading(own, transport, 0, 0, showing="live", pace=Pace(fps=29.7))
    assert title(replace(reading, quality=describe(Level()))).endswith(" - 30 frames a second")
    slow = title(replace(reading, quality=describe(Level(3)), showing="slate"))
    assert slow.endswith(
        " - 30 frames a second, every 3rd frame, blended, a still until the engine is ready"
    )
    paintings = own.ballads[0].paintings
    long = paintings[0].model_copy(update={"line": "a\nline that is much longer than a title"})
    changed = own.ballads[0].model_copy(update={"paintings": (long, *paintings[1:])})
    short = title(replace(reading, show=replace(own, ballads=(changed, *own.ballads[1:]))))
    assert "\n" not in short and len(short) < 90


def test_files_read_again_are_judged_as_one_screen_alone(show: Show, tmp_path: Path) -> None:
    folder = tmp_path / "show"
    shutil.copytree(show.folder, folder)
    own = on_one_screen(load_show(folder), "ballad-2")
    playing = playing_of(own, read_generator_info(own.generator_path), SlateSource(own, 16))
    settings = load_show(folder).settings
    more = settings.screens[0].model_copy(update={"name": "one more"})
    node = Node(name="left", host="10.0.0.1", screens=[one.name for one in settings.screens])
    update = {"screens": (*settings.screens, more), "morph_frames": 8}
    save_settings(folder, settings.model_copy(update=update))
    reading = read_again(playing, folder, "ballad-2")
    assert (reading.changes.taken, reading.changes.refused) == (("morph_frames",), ())
    assert len(reading.now.show.settings.screens) == 1
    conductor = PreviewConductor(own)
    conductor.leap(2, 3)
    conductor.take_over(reading.now.show, 5)  # two frames after the third painting began
    place = position_at(conductor.show, conductor.transport_at(5).cues[0], 42)
    assert place.painting_index == 2
    conductor.leap(1, 5)
    assert frame_at(conductor.transport_at(5), 5) == 3 * 22

    nodes = {"nodes": (node,), "fps": Fraction(25)}
    save_settings(folder, settings.model_copy(update=nodes))
    (sentence,) = read_again(playing, folder, "ballad-2").changes.refused
    assert sentence.startswith("show.yaml: fps: is changed")
    gone = {"ballads": settings.ballads[:1], "screens": settings.screens[:1]}
    save_settings(folder, settings.model_copy(update=gone))
    with pytest.raises(ShowError, match="no ballad 'ballad-2'"):
        read_again(playing, folder, "ballad-2")


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.skipif(shutil.which("xdotool") is None, reason="xdotool is not installed")
@pytest.mark.parametrize("ballad", ["ballad-1", "ballad-2"])
def test_a_real_window_shows_the_painting_that_was_leapt_to(
    show: Show, tmp_path: Path, ballad: str
) -> None:
    folder = tmp_path / "show"
    shutil.copytree(show.folder, folder)
    words = (folder, ballad, tmp_path)
    told = on_virtual_desktop("tests.preview_on_desktop", *words, monitors=1, size="400x300")
    report = json.loads(told)
    assert report["status"] == 0, report["said"]
    numbers = [int(re.search(r" (\d)/5: ", text)[1]) for text in report["titles"]]  # type: ignore[index]
    paused, right, left, edited = numbers[1:5]
    assert right == paused % 5 + 1 and left == paused == edited
    assert report["titles"][4].startswith("Another title ")
    assert f"read anew: {ballad}: title" in report["said"]
    with Stage(show, threads=1) as stage:
        look = look_of(show.settings, 0, software=True)
        for name, painting in (("Right", right), ("Left", left)):
            drawn = stage.pictures([ballad_ws(show, ballad, (painting - 1) * SEGMENT)])[:1]
            wanted = stage.shown(drawn, (SIDE_PX, SIDE_PX), look).astype(int)
            with Image.open(tmp_path / f"{name}.png") as shot:
                seen = np.asarray(shot.convert("RGB"))[:SIDE_PX, :SIDE_PX].astype(int)
            assert np.abs(seen - wanted).mean() < 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--window", "--sheet"), "not allowed with argument"),
        (("--window", "--out", "sheet.png"), "--window makes no files"),
        (("--window", "--size", "9"), "no number of pixels from 64 to 4096"),
    ],
)
def test_a_wrong_word_is_a_sentence(show: Show, words: tuple[str, ...], sentence: str) -> None:
    done = run_verb("preview", show.folder, *words)
    assert done.returncode in (1, 2) and sentence in done.stderr, done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_display_a_window_is_a_sentence(show: Show) -> None:
    done = run_verb(
        *("preview", show.folder, "--window"), before="import os; os.environ.pop('DISPLAY', None)"
    )
    assert done.returncode == 1 and "there is no display here" in done.stderr
    assert "--sheet" in done.stderr and "Traceback" not in done.stderr
