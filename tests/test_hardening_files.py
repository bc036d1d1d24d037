"""Every file of a show and of a machine: missing, cut, flipped, of another kind, of wrong types.

What each field takes is tested where it is described (test_schema, test_machine_file,
test_latent_set, ...); here the whole way from the disk, with the same ill treatment for all. Each
gives a value or one sentence, soon, whatever stands there.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from player.wall.calibration_file import calibrations_or_warning, read_calibrations
from player.wall.machine_file import read_machine_file
from shows.latent_set import read_latent_set
from shows.picture_file import PictureError, read_picture
from shows.plain_file import open_plain
from shows.schema import ShowError
from shows.show_file import load_show
from tests.tiny_show import make_tiny_show

MACHINE = {
    "schema_version": 1,
    "outputs": "windows",
    "screens": [
        {"screen": "screen-1", "output": "DP-1", "size": [320, 240]},
        {"screen": "screen-2", "rectangle": [0, 0, 100, 100], "calibration": {"rotation": 90}},
    ],
}
CALIBRATION = {
    "schema_version": 1,
    "screens": {"screen-1": {"brightness": 0.9, "crop": [0.0, 0.1, 0.0, 0.0], "flip": "both"}},
}
KINDS = ("show.yaml", "ballad.yaml", "latents", "machine.yaml", "calibration.yaml", "painting")


class Files:
    """A show with a machine's files, and the reader of each."""

    def __init__(self, folder: Path) -> None:
        show = make_tiny_show(folder / "show", screens=2, ballads=2, paintings=2)
        self.show_folder = show.folder
        home = show.folder / "ballads" / "ballad-1"
        self.paths = {
            "show.yaml": show.folder / "show.yaml",
            "ballad.yaml": home / "ballad.yaml",
            "latents": next(home.glob("*.safetensors")),
            "machine.yaml": folder / "machine.yaml",
            "calibration.yaml": folder / "calibration.yaml",
            "painting": show.painting_path("ballad-1", 0),
        }
        self.paths["machine.yaml"].write_text(yaml.safe_dump(MACHINE))
        self.paths["calibration.yaml"].write_text(yaml.safe_dump(CALIBRATION))
        self.whole = {kind: path.read_bytes() for kind, path in self.paths.items()}

    def read(self, kind: str) -> object:
        path = self.paths[kind]
        readers: dict[str, Callable[[], object]] = {
            "show.yaml": lambda: load_show(self.show_folder),
            "ballad.yaml": lambda: load_show(self.show_folder),
            "latents": lambda: read_latent_set(path),
            "machine.yaml": lambda: read_machine_file(path, ("screen-1", "screen-2")),
            "calibration.yaml": lambda: read_calibrations(path),
            "painting": lambda: read_picture(path),
        }
        return readers[kind]()

    def fault(self, kind: str) -> str | None:
        """The sentence, or None if it could be read."""
        try:
            self.read(kind)
        except (ShowError, PictureError) as fault:
            sentence = str(fault)
            assert 10 < len(sentence) < 6000, sentence[:300]
            assert "Traceback" not in sentence and "object at 0x" not in sentence
            return sentence
        return None

    def put(self, kind: str, content: bytes) -> None:
        self.paths[kind].write_bytes(content)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_as_written_it_is_read(files: Files, kind: str) -> None:
    assert files.fault(kind) is None


def folder_of(path: Path) -> None:
    path.mkdir()


def loop_of(path: Path) -> None:
    path.symlink_to(path)


def zeros_of(path: Path) -> None:
    path.symlink_to("/dev/zero")


PLACES: dict[str, Callable[[Path], None]] = {
    "folder": folder_of,
    "pipe": lambda path: os.mkfifo(path),
    "link to itself": loop_of,
    "endless device": zeros_of,
    "empty": lambda path: path.touch(),
    "text of nulls": lambda path: path.write_bytes(bytes(5000)) and None,
    "2 MB of brackets": lambda path: path.write_bytes(b"[" * 2_000_000) and None,
    "deep brackets": lambda path: path.write_bytes(b"[" * 90_000) and None,
    "not UTF-8": lambda path: path.write_bytes(b"schema_version: 1\ntitle: \xff\xfe") and None,
    "a picture's head": lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\xff" * 64) and None,
    "a header of 2^63": lambda path: path.write_bytes(b"\xff" * 7 + b"\x7f{}") and None,
    "a list": lambda path: path.write_bytes(b"- 1\n- 2\n") and None,
}


@pytest.mark.skipif(sys.platform == "win32", reason="pipes and devices in the file system")
@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", PLACES)
def test_what_is_no_such_file_is_one_sentence(files: Files, kind: str, place: str) -> None:
    files.paths[kind].unlink()
    PLACES[place](files.paths[kind])
    assert files.fault(kind) is not None


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "calibration.yaml"])
def test_a_missing_file_is_one_sentence(files: Files, kind: str) -> None:
    files.paths[kind].unlink()
    assert files.fault(kind) is not None


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_cut_short_or_with_flipped_bits_is_read_or_one_sentence(
    files: Files, kind: str
) -> None:
    whole, dice = files.whole[kind], random.Random(kind)
    refused = 0
    for _ in range(15):
        files.put(kind, whole[: dice.randrange(len(whole))])
        refused += files.fault(kind) is not None
        changed = bytearray(whole)
        for _ in range(3):
            changed[dice.randrange(len(whole))] ^= 1 << dice.randrange(8)
        files.put(kind, bytes(changed))
        refused += files.fault(kind) is not None
        files.put(kind, dice.randbytes(dice.randrange(1, 300)))
        refused += files.fault(kind) is not None
    assert refused > 15
    files.put(kind, whole)
    assert files.fault(kind) is None


WRONG: tuple[Any, ...] = (
    None,
    True,
    -1,
    10**30,
    float("nan"),
    float("inf"),
    "",
    "x" * 2_000,
    "../../../etc/passwd",
    "/etc/passwd",
    "a\x00b\x1b[2J",
    [],
    {},
    [[[]]],
    {"a": {"b": 1}},
    ["x"] * 200,
)


def places_in(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path to every value, the values of mappings and lists too."""
    yield path
    entries: Any = ()
    if isinstance(data, dict | list):
        entries = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in entries:
        yield from places_in(value, (*path, key))


def replaced(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    changed = dict(data) if isinstance(data, dict) else list(data)
    changed[path[0]] = replaced(data[path[0]], path[1:], value)
    return changed


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.endswith(".yaml")])
def test_a_value_of_any_wrong_type_is_read_or_one_sentence(files: Files, kind: str) -> None:
    data = yaml.safe_load(files.whole[kind])
    dice, refused, tried = random.Random(kind), 0, 0
    places = list(places_in(data))
    for path in dice.sample(places, min(len(places), 16)):
        for value in dice.sample(WRONG, 4):
            files.put(kind, yaml.safe_dump(replaced(data, path, value)).encode())
            tried += 1
            refused += files.fault(kind) is not None
    assert refused > tried / 2


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"screens: 3", b"[" * 90_000])
def test_a_damaged_calibration_costs_a_warning_and_no_show(files: Files, content: bytes) -> None:
    files.put("calibration.yaml", content)
    calibrations, warning = calibrations_or_warning(files.paths["calibration.yaml"])
    assert calibrations == {} and warning is not None
    assert "without what was calibrated" in warning


def test_a_show_that_was_loaded_needs_its_files_no_more(files: Files) -> None:
    from shows.timeline import latents_at, opening_cues

    show = load_show(files.show_folder)
    before = [latents_at(show, opening_cues(show), 0, frame) for frame in range(0, 900, 90)]
    for kind in ("show.yaml", "ballad.yaml", "latents"):
        files.put(kind, b"\xff" * 10)
    after = [latents_at(show, opening_cues(show), 0, frame) for frame in range(0, 900, 90)]
    assert all((a == b).all() for a, b in zip(before, after, strict=True))


def test_a_name_with_a_null_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="null"):
        open_plain(tmp_path / "a\0b")
