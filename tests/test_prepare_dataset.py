"""`prepare`: the archive and its format, the report, duplicates, licences, memory, full disks."""

from __future__ import annotations

import io
import json
import os
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.child_python import run_child
from tests.test_near_duplicates import scene
from training.__main__ import main
from training.errors import TrainingError
from training.pictures.dataset import ImageDataset
from training.pictures.prepare_archive import archive_name
from training.pictures.prepare_dataset import Choice, prepare
from training.pictures.prepare_picture import Recipe
from training.pictures.provenance import TABLE, Provenance, table_text

RECIPE = Recipe(size_px=16, min_size_px=20, background=(255, 255, 255))
BY = "https://creativecommons.org/licenses/by/4.0/"
BY_ND = "https://creativecommons.org/licenses/by-nd/4.0/"


def make_folder(folder: Path) -> Path:
    (folder / "b").mkdir(parents=True)
    Image.new("RGB", (20, 20), (10, 0, 0)).save(folder / "b" / "at-the-limit.png")
    Image.new("RGB", (19, 400), (0, 0, 9)).save(folder / "narrow.png")
    Image.new("RGB", (64, 32), (20, 0, 0)).save(folder / "a.JPG", "JPEG")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    (folder / "tablet.heic").write_bytes(b"\0\0\0\x18ftypheic")
    (folder / "notes.txt").write_text("not a picture")
    (folder / ".hidden.png").write_bytes(b"left by a file manager")
    return folder


def read_report(out: Path) -> dict[str, Any]:
    report = json.loads(out.with_name(out.name + ".report.json").read_text())
    assert isinstance(report, dict)
    return report


def reasons(out: Path) -> dict[str, str]:
    return {entry["file"]: entry["reason"] for entry in read_report(out)["dropped"]}


def kept_files(out: Path) -> list[str]:
    return [entry["file"] for entry in read_report(out)["kept"]]


def provenance(out: Path) -> list[dict[str, Any]]:
    with zipfile.ZipFile(out) as archive:
        listed = json.loads(archive.read("dataset.json"))
    assert listed["labels"] is None and set(listed) == {"labels", "provenance"}
    rows = listed["provenance"]
    assert isinstance(rows, list)
    return rows


def row(file: str, licence_url: str, sha256: str = "") -> Provenance:
    return Provenance(file, "7", "Ada", "A hill", "", licence_url, "", "", "", 0, 0, sha256)


def test_prepare_writes_archive_and_report(tmp_path: Path) -> None:
    source, out = make_folder(tmp_path / "in"), tmp_path / "data" / "set.zip"
    prepare(source, out, RECIPE)
    with zipfile.ZipFile(out) as archive:
        assert archive.namelist() == [archive_name(0), archive_name(1), "dataset.json"]
    assert kept_files(out) == ["a.JPG", "b/at-the-limit.png"]
    assert reasons(out) == {
        "narrow.png": "too small",
        "broken.jpg": "broken",
        "tablet.heic": "broken",
    }
    assert read_report(out)["not_pictures"] == ["notes.txt"]
    assert sorted(path.name for path in out.parent.iterdir()) == ["set.zip", "set.zip.report.json"]
    data = ImageDataset(out)
    assert data.images.shape == (2, 3, 16, 16) and data.images.dtype == np.uint8
    assert data.images[1, :, 0, 0].tolist() == [10, 0, 0]


def test_the_archive_is_what_the_published_data_set_format_asks_for(tmp_path: Path) -> None:
    """Stored zip, pictures by sorted name, `labels` null or pairs, RGB squares, a power of two."""
    (tmp_path / "in").mkdir()
    for index in range(3):
        scene(index, 48).save(tmp_path / "in" / f"{index}.png")
    Image.new("L", (40, 60), 90).save(tmp_path / "in" / "grey.png")
    scene(9, 64).convert("RGBA").rotate(20).save(tmp_path / "in" / "turned.png")
    prepare(tmp_path / "in", tmp_path / "set.zip", Recipe(32, 20, (255, 255, 255)))
    with zipfile.ZipFile(tmp_path / "set.zip") as archive:
        assert archive.testzip() is None
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        names = sorted(n for n in archive.namelist() if Path(n).suffix.lower() in Image.EXTENSION)
        assert names == [f"00000/img{index:08d}.png" for index in range(5)]
        labels = json.loads(archive.read("dataset.json"))["labels"]
        assert labels is None
        pictures = [Image.open(io.BytesIO(archive.read(name))) for name in names]
    for picture in pictures:
        assert (picture.format, picture.mode, picture.size) == ("PNG", "RGB", (32, 32))
        assert np.asarray(picture).shape == (32, 32, 3)


def test_the_thousandth_picture_begins_a_folder() -> None:
    assert archive_name(999) == "00000/img00000999.png"
    assert archive_name(123456) == "00123/img00123456.png"


def test_without_options_the_squares_have_exactly_1024_pixels(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    scene(1, 800).resize((1400, 800)).save(tmp_path / "in" / "enlarged.jpg")
    scene(2, 800).resize((1300, 1025)).save(tmp_path / "in" / "reduced.jpg")
    scene(3, 800).resize((1300, 799)).save(tmp_path / "in" / "dropped.jpg")
    out = tmp_path / "set.zip"
    assert main(["prepare", str(tmp_path / "in"), str(out), "--jobs", "1"]) == 0
    assert ImageDataset(out).images.shape == (2, 3, 1024, 1024)
    assert reasons(out) == {"dropped.jpg": "too small"}
    assert [entry["enlarged"] for entry in read_report(out)["kept"]] == [True, False]


def make_alike(folder: Path) -> Path:
    """Three scenes; of one there are a smaller copy, a JPEG, and twice the same file."""
    folder.mkdir()
    scene(1, 200).save(folder / "c-large.png")
    scene(1, 200).resize((90, 90)).save(folder / "a-small.png")
    scene(1, 200).save(folder / "b-compressed.jpg", quality=60)
    (folder / "d-copy.png").write_bytes((folder / "c-large.png").read_bytes())
    scene(2, 200).save(folder / "other.png")
    scene(3, 200).save(folder / "third.png")
    Image.new("RGB", (100, 100), (9, 9, 9)).save(folder / "black.png")
    Image.new("RGB", (100, 100), (250, 9, 9)).save(folder / "red.png")
    return folder


def test_of_pictures_that_look_alike_the_largest_stays(tmp_path: Path) -> None:
    out = tmp_path / "set.zip"
    prepare(make_alike(tmp_path / "in"), out, RECIPE)
    dropped = {entry["file"]: entry for entry in read_report(out)["dropped"]}
    # of two of one size the first by name
    assert dropped.keys() == {"a-small.png", "c-large.png", "d-copy.png"}
    assert dropped["d-copy.png"]["reason"] == "duplicate"
    assert dropped["d-copy.png"]["detail"] == "the same file as c-large.png"
    assert dropped["a-small.png"]["reason"] == "near duplicate"
    assert dropped["a-small.png"]["resembles"] == "b-compressed.jpg"
    assert "looks like b-compressed.jpg" in dropped["c-large.png"]["detail"]
    assert kept_files(out) == ["b-compressed.jpg", "black.png", "other.png", "red.png", "third.png"]


def test_all_that_look_alike_can_be_kept(tmp_path: Path) -> None:
    source, out = make_alike(tmp_path / "in"), tmp_path / "set.zip"
    words = ["prepare", str(source), str(out), "--size", "16", "--min-size", "20", "--jobs", "1"]
    assert main([*words, "--keep-duplicates"]) == 0
    assert len(kept_files(out)) == 8
    assert main([*words, "--near-duplicates", "63"]) == 0
    assert len(kept_files(out)) == 3  # one scene, and the two of one tone


def test_a_picture_that_is_dropped_for_another_reason_displaces_none(tmp_path: Path) -> None:
    source, out = make_alike(tmp_path / "in"), tmp_path / "set.zip"
    table = [row(path.name, BY) for path in source.iterdir() if path.name != "b-compressed.jpg"]
    (source / TABLE).write_text(table_text(table))
    prepare(source, out, RECIPE)
    assert reasons(out)["b-compressed.jpg"] == "licence"
    assert "c-large.png" in kept_files(out)


def test_provenance_goes_into_the_archive(tmp_path: Path) -> None:
    source, out = make_folder(tmp_path / "in"), tmp_path / "set.zip"
    (source / TABLE).write_text(
        table_text([row("a.JPG", BY), row("b/at-the-limit.png", BY_ND), row("gone.jpg", BY)])
    )
    # of the folder's own table, whose names are its own, and which counts more
    (source / "b" / TABLE).write_text(table_text([row("at-the-limit.png", BY)]))
    prepare(source, out, RECIPE)
    first, second = provenance(out)
    assert (first["picture"], first["file"]) == (archive_name(0), "a.JPG")
    assert (second["picture"], second["file"]) == (archive_name(1), "b/at-the-limit.png")
    assert first["owner"] == "Ada" and second["licence_url"] == BY
    report = read_report(out)
    assert report["tables"] == [TABLE, f"b/{TABLE}"] and report["not_pictures"] == ["notes.txt"]
    assert report["rows_without_picture"] == ["gone.jpg"]


def test_without_a_table_every_picture_has_an_empty_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = make_folder(tmp_path / "in"), tmp_path / "set.zip"
    words = ["prepare", str(source), str(out), "--size", "16", "--min-size", "20", "--jobs", "1"]
    assert main(words) == 0
    rows = provenance(out)
    assert [row["file"] for row in rows] == ["a.JPG", "b/at-the-limit.png"]
    assert {row["licence"] + row["licence_url"] + row["owner"] for row in rows} == {""}
    assert "where the pictures come from is not known" in capsys.readouterr().out


def test_pictures_that_must_not_be_modified_are_refused_unless_told_otherwise(
    tmp_path: Path,
) -> None:
    source, out = make_alike(tmp_path / "in"), tmp_path / "set.zip"
    (source / TABLE).write_text(
        table_text([row("other.png", BY), row("third.png", BY_ND), row("red.png", "")])
    )
    prepare(source, out, RECIPE)
    assert kept_files(out) == ["other.png"]
    details = {entry["file"]: entry["detail"] for entry in read_report(out)["dropped"]}
    assert "does not allow modification" in details["third.png"] and BY_ND in details["third.png"]
    assert details["red.png"] == "its row names no licence_url"
    assert details["black.png"] == "it has no row in a provenance table"
    assert set(reasons(out).values()) == {"licence"}
    prepare(source, out, RECIPE, Choice(None, any_licence=True))
    assert len(kept_files(out)) == 8
    assert {row["file"]: row["licence_url"] for row in provenance(out)}["third.png"] == BY_ND


def test_a_file_that_is_not_the_one_of_its_row_is_amber(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = make_folder(tmp_path / "in"), tmp_path / "set.zip"
    (source / TABLE).write_text(
        table_text([row("a.JPG", BY, "0" * 64), row("b/at-the-limit.png", BY)])
    )
    words = ["prepare", str(source), str(out), "--size", "16", "--min-size", "20", "--jobs", "1"]
    assert main(words) == 0
    warnings = [entry["warning"] for entry in read_report(out)["kept"]]
    assert "sha256" in warnings[0] and warnings[1] == ""
    assert "amber 1" in capsys.readouterr().out


def test_its_own_files_in_the_folder_are_no_sources(tmp_path: Path) -> None:
    source = make_folder(tmp_path / "in")
    out = source / "set.zip"
    prepare(source, out, RECIPE)
    before = out.read_bytes(), out.with_name("set.zip.report.json").read_bytes()
    (source / "set.zip.work" / "ab").mkdir(parents=True)
    (source / "set.zip.work" / "ab" / "left.png").write_bytes(b"by a run that was killed")
    prepare(source, out, RECIPE)
    assert before == (out.read_bytes(), out.with_name("set.zip.report.json").read_bytes())


@pytest.mark.skipif(sys.platform == "win32", reason="names are text there")
def test_a_name_that_is_no_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = make_folder(tmp_path / "in"), tmp_path / "set.zip"
    Path(os.fsdecode(os.fsencode(source) + b"/\xff.png")).write_bytes(b"no picture")
    words = ["prepare", str(source), str(out), "--size", "16", "--min-size", "20", "--jobs", "1"]
    assert main(words) == 0
    assert r"\udcff.png: broken" in capsys.readouterr().out
    assert reasons(out)["\udcff.png"] == "broken"


@pytest.mark.slow
def test_processes_write_the_same_files_as_one(tmp_path: Path) -> None:
    source, out = make_alike(tmp_path / "in"), tmp_path / "set.zip"
    written = []
    for jobs in (1, 3):
        prepare(source, out, RECIPE, jobs=jobs)
        written.append((out.read_bytes(), out.with_name("set.zip.report.json").read_bytes()))
    assert written[0] == written[1]


def test_nothing_left_is_a_fault_and_writes_nothing(tmp_path: Path) -> None:
    source = make_folder(tmp_path / "in")
    with pytest.raises(TrainingError, match="no picture is left"):
        prepare(source, tmp_path / "set.zip", Recipe(16, 1000, (0, 0, 0)))
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--size", "100"], "power of two"),
        (["--background", "sky"], "no such colour"),
        (["--jobs", "0"], "at least 1"),
        (["--near-duplicates", "64"], "from 0 to 63 bits"),
        (["--near-duplicates", "-1"], "from 0 to 63 bits"),
    ],
)
def test_the_command_line_says_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    source = make_folder(tmp_path / "in")
    assert main(["prepare", str(source), str(tmp_path / "set.zip"), *words]) == 2
    assert sentence in capsys.readouterr().err


def test_the_command_line_prepares(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = make_folder(tmp_path / "in"), tmp_path / "set.zip"
    words = ["prepare", str(source), str(out), "--size", "16", "--min-size", "20", "--jobs", "1"]
    assert main(words) == 0
    printed = capsys.readouterr().out
    assert "2 pictures of 16 px" in printed
    assert "5 pictures converted" in printed and "per core" in printed
    assert "memory at most" in printed or sys.platform == "win32"


LIMITED = """
import resource, sys
from training.__main__ import main
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
print(main(["prepare", *sys.argv[2:]]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limits of files there")
@pytest.mark.parametrize("most_bytes", [2_000, 12_000])
def test_a_full_disk_is_a_sentence_and_the_old_archive_stays(
    tmp_path: Path, most_bytes: int
) -> None:
    """Files may not grow beyond a limit: first no square fits, then no archive of all of them."""
    (tmp_path / "in").mkdir()
    for index in range(6):
        scene(index, 64).save(tmp_path / "in" / f"{index}.png")
    out = tmp_path / "set.zip"
    out.write_bytes(b"the old one")
    words = [str(tmp_path / "in"), str(out), "--size", "32", "--min-size", "20", "--jobs", "1"]
    said = run_child(
        ["-c", "import sys; sys.stderr = sys.stdout\n" + LIMITED, str(most_bytes), *words],
        "",
        tmp_path,
    )
    assert "cannot be written: File too large" in said and said.endswith("2\n")
    assert out.read_bytes() == b"the old one"
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["in", "set.zip", "set.zip.work"]
    records = [path.name for path in (tmp_path / "set.zip.work").rglob("*") if path.is_file()]
    assert len(records) == (6 if most_bytes > 2_000 else 0)
    assert main(["prepare", *words]) == 0
    assert len(ImageDataset(out)) == 6
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "in",
        "set.zip",
        "set.zip.report.json",
    ]


PEAKS = """
import re, resource, sys
from pathlib import Path
from training.__main__ import main
assert main(["prepare", *sys.argv[1:]]) == 0
# getrusage of a process itself begins with what the one that started it had
print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="getrusage counts in other units elsewhere")
def test_memory_does_not_grow_with_the_number_of_pictures(tmp_path: Path) -> None:
    """400 pictures of 2000x1500 against 40: the most memory of the verb and of its processes."""
    encoded = io.BytesIO()
    scene(1, 500).resize((2000, 1500)).save(encoded, "JPEG", quality=80)
    peaks = []
    for count in (40, 400):
        source = tmp_path / str(count)
        source.mkdir()
        for index in range(count):
            # another file, though it looks the same: what follows a JPEG's end is passed over
            (source / f"{index}.jpg").write_bytes(encoded.getvalue() + index.to_bytes(4, "big"))
        words = [str(source), str(tmp_path / "set.zip"), "--size", "256", "--jobs", "2"]
        said = run_child(["-c", PEAKS, *words, "--keep-duplicates"], "", tmp_path)
        peaks.append([int(line) / 1024 for line in said.split()[-2:]])
        assert len(kept_files(tmp_path / "set.zip")) == count
    (own_before, child_before), (own, child) = peaks
    # what 360 squares of 100 kB would take is more
    assert own - own_before < 20 and child - child_before < 20, peaks
    assert own + 2 * child < 600
