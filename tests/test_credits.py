"""`python -m training credits`: from a data set to the list on the wall."""

from __future__ import annotations

import argparse
import hashlib
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shows.generator_file import read_generator_info
from tests.browser import open_browser
from tests.fake_flickr import picture
from training.errors import TrainingError
from training.pictures import credits
from training.pictures.provenance import Provenance, table_text

GENERATOR = Path(__file__).parents[1] / "shows" / "inspace" / "generator.safetensors"
CC = "https://creativecommons.org"
HOSTILE = '<script>document.title="ran"</script>"><img src=x onerror=alert(1)>\u202e & so'


def row(number: int, **more: str) -> dict[str, object]:
    one = Provenance(
        file=f"{number}.jpg",
        id=str(number),
        owner="Ailsa",
        title=f"Lake {number}",
        licence="Attribution License",
        licence_url=f"{CC}/licenses/by/2.0/",
        source_url=f"https://live.example.org/{number}.jpg",
        page_url=f"https://www.example.org/photos/1@N00/{number}/",
        date="2017-07-14",
        width=80,
        height=60,
        sha256="0" * 64,
    )
    return {**vars(one), **more, "picture": f"00000/img{number:08d}.png"}


ROWS = [
    row(0),
    row(1, owner="bea", licence_url=f"{CC}/licenses/by-nc-sa/4.0/"),
    row(2),
    row(3, owner="'=Calum", title="'@home", licence_url=f"{CC}/publicdomain/zero/1.0/"),
    row(4, owner="", title="", licence="own work", licence_url="own", page_url="", source_url=""),
    row(5, owner=HOSTILE, title=HOSTILE, licence_url="javascript:alert(1)", page_url="data:x"),
]


def archive(path: Path, rows: object, pictures: int = 8) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for number in range(pictures):
            file.writestr(f"00000/img{number:08d}.png", picture(number, 4, 4, "PNG"))
        file.writestr("dataset.json", json.dumps({"labels": None, "provenance": rows}))
    return path


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    credits.add_arguments(parser)
    return credits.run(parser.parse_args(words))


def test_the_list_as_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = archive(tmp_path / "set.zip", ROWS)
    assert run(str(data), "--model", str(GENERATOR), "--out", str(tmp_path / "wall")) == 0
    lines = (tmp_path / "wall" / "credits.txt").read_text("utf-8").splitlines()
    told = "6 pictures by 5 authors; of 2 more pictures the provenance is not known"
    assert told in capsys.readouterr().out
    assert lines[:8] == [
        "Credits",
        "",
        f"{told}.",
        "",
        f"Model, content hash: {read_generator_info(GENERATOR).content_hash}",
        f"Set set.zip, SHA-256: {hashlib.sha256(data.read_bytes()).hexdigest()}",
        "",
        "Licences",
    ]
    assert f"     2 CC BY 2.0 {CC}/licenses/by/2.0/" in lines
    assert "     1 own work" in lines
    assert "NonCommercial: 1 picture. Their licences do not allow commercial use." in lines
    assert "ShareAlike: 1 picture. Their licences ask that adaptations carry the same licence." in (
        lines
    )
    owners = [line for line in lines if line.endswith((" (1)", " (2)"))]
    assert owners[1:] == ["=Calum (1)", "Ailsa (2)", "Author not named (1)", "bea (1)"]
    at = lines.index("Ailsa (2)")
    assert lines[at + 1 : at + 3] == [
        f"  “Lake {n}”, https://www.example.org/photos/1@N00/{n}/, CC BY 2.0, {CC}/licenses/by/2.0/"
        for n in (0, 2)
    ]
    assert "  “Untitled”, own work" in lines
    assert any(line.startswith("  “@home”, ") for line in lines)


def test_a_table_does_as_well(tmp_path: Path) -> None:
    rows = [Provenance(**{k: v for k, v in one.items() if k != "picture"}) for one in ROWS]  # type: ignore[arg-type]
    table = tmp_path / "provenance.csv"
    table.write_text(table_text(rows), encoding="utf-8")
    assert run(str(table)) == 0
    text = (tmp_path / "credits.txt").read_text("utf-8")
    assert "6 pictures by 5 authors.\n" in text and "Model" not in text


@pytest.mark.parametrize(
    "rows", [None, 5, [None, 5, {}, {"picture": ["x"]}, {"picture": "no such.png"}]]
)
def test_pictures_without_provenance_are_told(tmp_path: Path, rows: object) -> None:
    run(str(archive(tmp_path / "set.zip", rows, pictures=3)))
    for name in ("credits.txt", "credits.html"):
        text = (tmp_path / name).read_text("utf-8")
        assert "0 pictures by 0 authors; of 3 more pictures the provenance is not known" in text


def test_words_of_any_kind_in_a_row_are_taken(tmp_path: Path) -> None:
    rows = [row(0) | {"title": 7, "owner": None, "licence_url": ["x"], "page_url": {}}]
    run(str(archive(tmp_path / "set.zip", rows)))
    assert "“7”, https://live.example.org/0.jpg, Attribution License" in (
        (tmp_path / "credits.txt").read_text("utf-8")
    )


def test_faults_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="there is no such file"):
        run(str(tmp_path / "no.zip"))
    (tmp_path / "bad.zip").write_bytes(b"PK no")
    with pytest.raises(TrainingError, match="this is no data set archive"):
        run(str(tmp_path / "bad.zip"))
    with zipfile.ZipFile(tmp_path / "json.zip", "w") as file:
        file.writestr("dataset.json", "{")
    with pytest.raises(TrainingError, match="this is no data set archive"):
        run(str(tmp_path / "json.zip"))
    good = archive(tmp_path / "set.zip", ROWS)
    with pytest.raises(TrainingError, match="safetensors"):
        run(str(good), "--model", str(good))
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match="file"):
        run(str(good), "--out", str(tmp_path / "file"))


@pytest.fixture
def page() -> Iterator[Any]:
    with open_browser() as browser:
        yield browser.new_page()


@pytest.mark.slow
def test_the_page_in_a_browser(tmp_path: Path, page: Any) -> None:
    run(str(archive(tmp_path / "set.zip", ROWS)), "--model", str(GENERATOR))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((tmp_path / "credits.html").as_uri())
    assert len(asked) == 1
    assert page.title() == "Credits"
    assert page.locator("script, img").count() == 0
    assert page.locator("h3").all_inner_texts()[1:] == [
        "=Calum",
        "Ailsa",
        "Author not named",
        "bea",
    ]
    links = page.locator("a").evaluate_all("all => all.map(one => one.getAttribute('href'))")
    assert links and all(link.startswith("https://") for link in links)
    assert page.locator(".notice").count() == 2
    assert read_generator_info(GENERATOR).content_hash in page.inner_text("body")
    # no sideways scrolling, on a telephone as on a wall
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
