"""Machine files: what they may say, and the sentences for what they may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from player.wall.calibration import ScreenCalibration
from player.wall.machine_file import Machine, MachineScreen, read_machine_file
from player.wall.monitors import Area
from player.wall.placing import Anywhere, AtIndex, InRectangle, OnOutput, WithEdid
from shows.schema import ShowError

SCREENS = ("Left", "Middle", "Right", "Door")


def read(tmp_path: Path, text: str) -> Machine:
    path = tmp_path / "machine.yaml"
    path.write_text("schema_version: 1\n" + text)
    return read_machine_file(path, SCREENS)


def test_every_way_to_place_a_screen(tmp_path: Path) -> None:
    machine = read(
        tmp_path,
        """
outputs: windows
screens:
  - {screen: right, output: DP-2}
  - {screen: Left, edid: 8KX7V23, size: [1000, 600]}
  - {screen: Door, index: 4}
  - {screen: Middle, rectangle: [-1920, 0, 1920, 1080], calibration: {rotation: 90, gamma: 1.1}}
""",
    )
    assert machine == Machine(
        "windows",
        (
            MachineScreen("Left", WithEdid("8KX7V23"), (1000, 600)),
            MachineScreen(
                "Middle",
                InRectangle(Area(-1920, 0, 1920, 1080)),
                calibration=ScreenCalibration(rotation=90, gamma=1.1),
            ),
            MachineScreen("Right", OnOutput("DP-2")),
            MachineScreen("Door", AtIndex(4)),
        ),
    )


def test_screens_left_out_go_where_there_is_room(tmp_path: Path) -> None:
    assert read(tmp_path, "outputs: span") == Machine(
        "span", tuple(MachineScreen(name, Anywhere()) for name in SCREENS)
    )
    one = read(tmp_path, "screens: [{screen: Door, output: HDMI-1}]")
    assert one.outputs is None
    assert [type(screen.place) for screen in one.screens] == [Anywhere] * 3 + [OnOutput]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "screens: [{screen: Window, output: A}]",
            "machine.yaml: screens[0].screen: 'Window' is no screen of this show; it has "
            "Left, Middle, Right, Door.",
        ),
        (
            "screens: [{screen: Left, output: A}, {screen: LEFT, output: B}]",
            "machine.yaml: screens[1].screen: 'LEFT' has a place already.",
        ),
        (
            "screens: [{screen: Left, output: DP-1}, {screen: Door, output: dp-1}]",
            "machine.yaml: screens[1].output: is where 'Left' stands already.",
        ),
        (
            "screens: [{screen: Left, index: 2}, {screen: Door, index: 2}]",
            "machine.yaml: screens[1].index: is where 'Left' stands already.",
        ),
        (
            "screens: [{screen: Left, rectangle: [0, 0, 9, 9]}, "
            "{screen: Door, rectangle: [8, 8, 9, 9]}]",
            "machine.yaml: screens[1].rectangle: is where 'Left' stands already.",
        ),
        (
            "screens: [{screen: Left}]",
            "machine.yaml: screens[0]: does not say where the screen stands; give it one of "
            "output, edid, index, rectangle.",
        ),
        (
            "screens: [{screen: Left, output: A, index: 1}]",
            "machine.yaml: screens[0]: stands in one place, not in 2 (output, index); keep one.",
        ),
        ("screens: [{screen: Left, index: 0}]", "screens[0].index: input should be greater"),
        ("screens: [{screen: Left, index: true}]", "screens[0].index: "),
        ("screens: [{screen: Left, output: 4}]", "screens[0].output: "),
        ("screens: [{screen: Left, output: ' '}]", "screens[0].output: "),
        ("screens: [{screen: Left, edid: ''}]", "screens[0].edid: "),
        ("screens: [{screen: Left, rectangle: [0, 0, 0, 9]}]", "screens[0].rectangle[2]: "),
        ("screens: [{screen: Left, rectangle: [0, 0, 9]}]", "screens[0].rectangle"),
        (
            "screens: [{screen: Left, rectangle: full}]",
            "screens[0].rectangle: must be a list of four whole numbers",
        ),
        ("screens: [{screen: Left, rectangle: [0, 0, 1.5, 9]}]", "screens[0].rectangle[2]: "),
        ("screens: [{screen: Left, index: 1, size: [0, 5]}]", "screens[0].size[0]: "),
        ("screens: [{screen: Left, outptu: A}]", "screens[0].outptu: is not a word this file"),
        ("screens: [{output: A}]", "screens[0].screen: is missing"),
        (
            "screens: [{screen: Left, index: 1, calibration: {gamma: 9}}]",
            "screens[0].calibration.gamma: ",
        ),
        ("screens: Left", "screens: must be a list of screens"),
        ("outputs: headless", "outputs: "),
        ("screen: []", "screen: is not a word this file knows"),
    ],
)
def test_faults_are_named_by_path(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(ShowError) as fault:
        read(tmp_path, text)
    assert sentence in str(fault.value)
    assert str(fault.value).startswith("machine.yaml: ") and str(fault.value).endswith(".")


def test_neighbouring_rectangles_do_not_clash(tmp_path: Path) -> None:
    read(
        tmp_path,
        "screens: [{screen: Left, rectangle: [0, 0, 9, 9]}, "
        "{screen: Door, rectangle: [9, 0, 9, 9]}]",
    )


def test_monitors_of_one_make_may_have_one_edid_text(tmp_path: Path) -> None:
    read(tmp_path, "screens: [{screen: Left, edid: U2720Q}, {screen: Door, edid: U2720Q}]")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "must hold names and values"),
        (b"schema_version: 2\n", "schema_version: "),
        (b"screens: []\n", "schema_version: is missing"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"a: [", "machine.yaml: line"),
        (b"x: " + b"9" * 5000, "machine.yaml"),
        (b"#" * 1_000_001, "larger than 1 MB"),
    ],
)
def test_files_that_are_none(data: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "machine.yaml"
    path.write_bytes(data)
    with pytest.raises(ShowError, match=words.replace("(", r"\(")):
        read_machine_file(path, SCREENS)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ShowError, match=r"machine\.yaml cannot be read: No such file"):
        read_machine_file(tmp_path / "machine.yaml", SCREENS)
