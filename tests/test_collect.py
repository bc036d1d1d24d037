"""`python -m training collect`, against a server on loopback that fails as servers do."""

from __future__ import annotations

import argparse
import errno
import json
import threading
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from traceback import format_exception
from typing import Any

import pytest

from shows.schema import ShowError
from tests import fake_flickr
from tests.fake_flickr import KEY, FakeFlickr, FakePhoto, picture
from training.errors import TrainingError
from training.pictures import collect, collect_http, download, flickr
from training.pictures.collect_folder import Collection, read_journal
from training.pictures.collect_http import Pace, StoppedError, Web, retry_after_s
from training.pictures.collect_words import guarded, one_line, unguarded
from training.pictures.flickr import Flickr, Photo, Query
from training.pictures.provenance import Provenance, read_table

UNTIL = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLICKR_API_KEY", KEY)


def run(fake: FakeFlickr | None, out: Path, *words: str) -> int:
    parser = argparse.ArgumentParser()
    collect.add_arguments(parser)
    service = ["--api", fake.api, "--tags", "lake", "--rate", "1000"] if fake else []
    options = ["--min-size", "50", "--wait", "0"]
    return collect.run(parser.parse_args([str(out), *service, *options, *words]))


def photo(number: int, **more: Any) -> FakePhoto:
    return FakePhoto(str(number), uploaded=1_500_000_000 + number, content=picture(number), **more)


def names(out: Path) -> list[str]:
    return sorted(path.name for path in out.iterdir() if not path.name.startswith("."))


def gets(fake: FakeFlickr) -> Counter[str]:
    return Counter(what for what, _, _ in fake.asked if not what.startswith("flickr."))


# what is kept, and the table


def test_pictures_and_their_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos = [photo(n) for n in range(4)]
    with FakeFlickr(photos) as fake:
        assert run(fake, tmp_path) == 0
    assert names(tmp_path) == [*(f"flickr-{n}.jpg" for n in range(4)), "provenance.csv"]
    table = read_table(tmp_path / "provenance.csv")
    for one in photos:
        row = table[f"flickr-{one.id}.jpg"]
        assert (tmp_path / row.file).read_bytes() == one.content
        assert download.is_same_file(tmp_path / row.file, row.sha256)
        assert (row.id, row.owner, row.title) == (one.id, "Ailsa", "A lake")
        assert (row.width, row.height) == (80, 60)
        assert row.licence_url == "https://creativecommons.org/licenses/by/2.0/"
        assert row.source_url == f"{fake.address}/pictures/{one.id}"
        assert row.page_url == f"https://www.flickr.com/photos/12345@N00/{one.id}/"
    # the day of upload where the day it was taken is a guess
    assert table["flickr-0.jpg"].date == "2017-07-14 02:40:00"
    assert table["flickr-1.jpg"].date == "2017-07-14 02:40:01"
    assert "found 4, kept 4 new, 0 already there" in capsys.readouterr().out


def test_licences_are_known_by_their_url_and_the_service_is_not_taken_at_its_word(
    tmp_path: Path,
) -> None:
    licences = [0, 1, "4", "6", 7, "9", "11", 15, 77]
    photos = [photo(n, licence=licence) for n, licence in enumerate(licences)]
    photos += [photo(20, licence=0, lies=True), photo(21, licence="6", lies=True)]
    photos += [photo(22, licence="no such", lies=True), photo(23, media="video", lies=True)]
    with FakeFlickr(photos) as fake:
        run(fake, tmp_path)
        assert set(gets(fake)) == {"1", "2", "5", "6", "8"}
    urls = {row.licence_url for row in read_table(tmp_path / "provenance.csv").values()}
    assert len(urls) == 5 and "https://creativecommons.org/licenses/by-sa/5.0/" in urls


def test_only_the_licences_that_are_named(tmp_path: Path) -> None:
    photos = [photo(n, licence=licence) for n, licence in enumerate(["4", "9", "11"])]
    with FakeFlickr(photos) as fake:
        run(fake, tmp_path, "--licence", "cc0", "http://creativecommons.org/licenses/by/4.0")
        assert set(gets(fake)) == {"1", "2"}
        with pytest.raises(TrainingError, match=r"has none of these licences. It has: BY-NC-SA"):
            run(fake, tmp_path, "--licence", "cc-by-3.0")
        with pytest.raises(TrainingError, match="does not allow modification"):
            run(fake, tmp_path, "--licence", "cc-by-nd-4.0")
        with pytest.raises(TrainingError, match="say own, cc0"):
            run(fake, tmp_path, "--licence", "gpl")


def test_the_largest_size_at_or_above_the_least(tmp_path: Path) -> None:
    photos = [photo(0), photo(1, width=49, height=500), photo(2, width=50, height=50)]
    photos[2].content = picture(2, 50, 50)
    with FakeFlickr(photos) as fake:
        run(fake, tmp_path)
        assert set(gets(fake)) == {"0", "2"}
        fake.asked.clear()
        fake.photos["small-0"] = FakePhoto("small-0", licence="none", content=picture(9, 40, 30))
        run(fake, tmp_path / "small", "--min-size", "30", "--max", "1")
        assert set(gets(fake)) == {"2"}


def test_max_takes_the_newest_whatever_order_they_arrive_in(tmp_path: Path) -> None:
    photos = [photo(n) for n in range(12)]
    photos[11].faults = ["503", "503", "503"]  # the newest comes late
    photos[10].faults = ["404"]
    with FakeFlickr(photos) as fake:
        run(fake, tmp_path, "--max", "5")
        assert names(tmp_path)[:-1] == sorted(f"flickr-{n}.jpg" for n in (11, 9, 8, 7, 6))
        assert set(gets(fake)) == {"11", "10", "9", "8", "7", "6"}


# the search


def search(fake: FakeFlickr) -> list[Photo]:
    with Web(fake.api, rate=1000, first_wait_s=0, stop=threading.Event()) as web:
        return list(Flickr(web, KEY).search(Query("lake", "", "any"), ["4"], UNTIL))


def test_pages(tmp_path: Path) -> None:
    with FakeFlickr(FakePhoto(str(n), uploaded=1_500_000_000 + n) for n in range(1201)) as fake:
        assert [found.id for found in search(fake)] == [str(n) for n in reversed(range(1201))]
        assert len(fake.asked) == 3


@pytest.mark.slow
def test_more_than_4000_results_are_cut_into_spans_of_time() -> None:
    with FakeFlickr(FakePhoto(str(n), uploaded=1_300_000_000 + n * n) for n in range(9100)) as fake:
        assert [found.id for found in search(fake)] == [str(n) for n in reversed(range(9100))]
        assert len(fake.asked) < 60


def test_more_results_of_one_second_than_can_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (flickr, fake_flickr):
        monkeypatch.setattr(module, "MOST_RESULTS", 1000)
    with FakeFlickr(FakePhoto(str(n), uploaded=1_300_000_000) for n in range(1100)) as fake:
        assert len(search(fake)) == 1000


def test_an_answer_of_another_shape_is_survived(tmp_path: Path) -> None:
    entries = [None, 7, {"id": [1]}, {"id": "1", "license": True, "title": {"_content": 5}}]
    for answer in ({"photo": entries, "pages": "x", "total": None}, {"photo": 3}, [], None):
        with FakeFlickr() as fake:
            licences = json.dumps(fake.answer(_form("flickr.photos.licenses.getInfo"))).encode()
            fake.api_faults = [
                (200, licences),
                (200, json.dumps({"photos": answer, "stat": "ok"}).encode()),
            ]
            assert run(fake, tmp_path) == 0
    assert names(tmp_path) == ["provenance.csv"]


def _form(method: str) -> dict[str, str]:
    return {"api_key": KEY, "format": "json", "nojsoncallback": "1", "method": method}


# the service fails


def test_faults_of_the_service_that_pass(tmp_path: Path) -> None:
    with FakeFlickr([photo(0)]) as fake:
        unavailable = b'{"stat": "fail", "code": "105", "message": "Service unavailable"}'
        fake.api_faults = [(503, b""), (429, b""), (200, b"<html>"), (200, unavailable)]
        run(fake, tmp_path)
    assert "flickr-0.jpg" in names(tmp_path)


@pytest.mark.parametrize(
    ("status", "answer", "sentence"),
    [
        (500, b"", "does not answer flickr.photos.licenses.getInfo.*Nothing is lost"),
        (200, b"[]", "does not answer"),
        (404, b"", "is the address of --api right"),
        (302, b"", "is the address of --api right"),
        (
            200,
            b'{"stat": "fail", "code": 112, "message": "Method not found"}',
            r"not found \(112\)",
        ),
    ],
)
def test_a_service_that_refuses(tmp_path: Path, status: int, answer: bytes, sentence: str) -> None:
    with FakeFlickr([photo(0)]) as fake:
        fake.api_faults = [(status, answer)] * collect_http.TRIES
        with pytest.raises(TrainingError, match=sentence):
            run(fake, tmp_path)


def test_a_wrong_key_is_told_and_no_key_is_ever_shown(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(0)
    with FakeFlickr([photo(0)]) as fake:
        run(fake, tmp_path)
        monkeypatch.setenv("FLICKR_API_KEY", "another-secret")
        with pytest.raises(TrainingError, match="Is the key in FLICKR_API_KEY right") as refused:
            run(fake, tmp_path)
        echo = {"stat": "fail", "code": 1, "message": "no such thing: another-secret"}
        fake.api_faults = [(200, json.dumps(echo).encode())]
        with pytest.raises(TrainingError, match=r"no such thing: \(the key\)"):
            run(fake, tmp_path)
    shown = capsys.readouterr()
    everything = [shown.out, shown.err, caplog.text, *format_exception(refused.value)]
    everything += [path.read_text("latin-1") for path in tmp_path.rglob("*") if path.is_file()]
    assert caplog.text  # the client's own log is among them
    assert not any(word in text for text in everything for word in (KEY, "another-secret"))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--tags", " , "], "Name what to look for"),
        (["--tags", "a", "--api", "http://example.org/"], "must begin with https://"),
        (["--tags", "a", "--api", "file:///etc/passwd"], "must begin with https://"),
        (["--tags", "a", "--api", "http://[x"], "--api"),
        (["--tags", "a", "--licence", "http://[x"], "--licence"),
        (["--tags", "a", "--jobs", "0"], "--jobs 0"),
        (["--tags", "a", "--rate", "nan"], "--rate nan"),
        (["--tags", "a", "--max", "0"], "--max 0"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path: Path, words: list[str], sentence: str) -> None:
    with pytest.raises(TrainingError, match=sentence):
        run(None, tmp_path, *words)


def test_a_missing_key_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLICKR_API_KEY", " ")
    with pytest.raises(TrainingError, match="FLICKR_API_KEY is not set"):
        run(None, tmp_path, "--tags", "a")


# the pictures fail


def test_faults_of_a_download_that_pass(tmp_path: Path) -> None:
    photos = [photo(0), photo(1), photo(2), photo(3, etag=False)]
    photos[0].faults = ["429", "503", "500"]
    photos[1].faults = ["cut", "cut", "cut"]
    photos[2].faults = ["cut", "429", "short"]  # a piece that is less than it says
    photos[3].faults = ["cut", "cut"]
    with FakeFlickr(photos) as fake:
        run(fake, tmp_path)
        resumed = [asked for asked in fake.asked if asked[2] == 206]
    assert all((tmp_path / f"flickr-{one.id}.jpg").read_bytes() == one.content for one in photos)
    assert sorted(what for what, _, _ in resumed) == ["1", "1", "1", "2", "2"]
    assert not list((tmp_path / ".collect").glob("*.part*"))


def test_a_file_that_changed_in_the_middle_is_begun_again(tmp_path: Path) -> None:
    one = photo(0)
    with FakeFlickr([one]) as fake:
        one.faults = ["cut"] + ["503"] * 5
        run(fake, tmp_path)
        part = next((tmp_path / ".collect").glob("*.part"))
        assert part.read_bytes() == one.content[: len(one.content) // 2]
        one.content = picture(77)
        run(fake, tmp_path)
    assert (tmp_path / "flickr-0.jpg").read_bytes() == one.content


def test_a_download_that_was_whole_when_the_process_died_is_not_fetched_again(
    tmp_path: Path,
) -> None:
    one = photo(0)
    with FakeFlickr([one]) as fake:
        one.faults = ["cut"] + ["503"] * 5
        run(fake, tmp_path)
        part = next((tmp_path / ".collect").glob("*.part"))
        part.write_bytes(one.content)
        run(fake, tmp_path)
        assert fake.asked[-1] == ("0", f"bytes={len(one.content)}-", 416)
        assert (tmp_path / "flickr-0.jpg").read_bytes() == one.content
        # and one that is longer than it should be is begun again
        (tmp_path / "flickr-0.jpg").unlink()
        one.faults = ["cut"] + ["503"] * 5
        run(fake, tmp_path)
        part.write_bytes(one.content + b"more")
        run(fake, tmp_path)
    assert (tmp_path / "flickr-0.jpg").read_bytes() == one.content


def test_pictures_that_are_left_out_and_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = [photo(n) for n in range(12)]
    photos[0].faults = ["404"]
    photos[1].faults = ["410"]
    photos[2].faults = ["html"]
    photos[3].faults = ["403"]
    photos[4].faults = ["503"] * 9
    photos[5].width = 90
    photos[6].faults = ["to file:///etc/passwd"]
    photos[7].faults = ["to http://127.0.0.1:9/"]
    photos[8].faults = ["to /pictures/8"] * 9
    photos[9].url = "ftp://example.org/9.jpg"
    photos[10].content = photos[10].content[:-900]
    with FakeFlickr(photos) as fake:
        assert run(fake, tmp_path) == 0
    assert names(tmp_path) == ["flickr-11.jpg", "provenance.csv"]
    told = capsys.readouterr().out
    assert (
        "left out 11: 4 address refused, 1 broken, 2 gone, 1 no answer, 1 not a picture, "
        "1 not the size that was told, 1 refused by the server" in told
    )
    assert "https://www.flickr.com/photos/12345@N00/0/: gone (HTTP 404)" in told
    assert "tries those without an answer again" in told


def test_a_redirect_to_where_pictures_may_come_from_is_followed(tmp_path: Path) -> None:
    one, other = photo(0), photo(1, licence="6")
    one.faults, other.content = ["to /pictures/1"], one.content
    with FakeFlickr([one, other]) as fake:
        run(fake, tmp_path)
    assert (tmp_path / "flickr-0.jpg").read_bytes() == one.content


def test_pictures_of_other_formats_and_a_size_told_the_other_way_round(tmp_path: Path) -> None:
    photos = [photo(0), photo(1, width=60, height=80)]
    photos[0].content = picture(0, form="PNG")
    with FakeFlickr(photos) as fake:
        run(fake, tmp_path)
    assert names(tmp_path) == ["flickr-0.png", "flickr-1.jpg", "provenance.csv"]


def test_a_file_that_is_too_large_is_not_taken(tmp_path: Path) -> None:
    one = photo(0)
    with (
        FakeFlickr([one]) as fake,
        Web(fake.api, rate=1000, first_wait_s=0, stop=threading.Event()) as web,
        pytest.raises(collect_http.UnfitError, match="bytes"),
    ):
        download.download(web, f"{fake.address}/pictures/0", tmp_path / "part", most_bytes=1000)
    assert (tmp_path / "part").exists() is False


def test_a_server_that_is_silent_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collect_http, "TRIES", 2)
    photos = [photo(n) for n in range(40)]
    for one in photos[:-3]:
        one.faults = ["503"] * 9
    with FakeFlickr(photos) as fake, pytest.raises(TrainingError, match=r"HTTP 503.*goes on where"):
        run(fake, tmp_path, "--jobs", "2")
    assert len(read_table(tmp_path / "provenance.csv")) == 3


# hostile words


HOSTILE = [
    '=HYPERLINK("http://example.org","click")',
    "two\r\nlines,\x00 and\x1b[31m colour\u202e\ud800",
    "'=quoted",
    '"; rm -rf /',
]


def test_hostile_words_stay_words(tmp_path: Path) -> None:
    photos = [photo(n, title=word, owner=word) for n, word in enumerate(HOSTILE)]
    photos += [FakePhoto(bad, content=picture(1)) for bad in ("../../up", "a\n", "", "x" * 99)]
    photos += [photo(9, owner_id="../..?x#y \ud800")]
    with FakeFlickr(photos) as fake:
        run(fake, tmp_path / "in")
    assert names(tmp_path) == ["in"]
    table = read_table(tmp_path / "in" / "provenance.csv")
    assert sorted(table) == [f"flickr-{n}.jpg" for n in (0, 1, 2, 3, 9)]
    titles = [table[f"flickr-{n}.jpg"].title for n in range(4)]
    assert titles[0] == "'" + HOSTILE[0]
    assert titles[1] == "two lines, and [31m colour"
    assert [unguarded(title) for title in titles[2:]] == HOSTILE[2:]
    assert table["flickr-9.jpg"].page_url == "https://www.flickr.com/photos/..%2F..%3Fx%23y/9/"
    text = (tmp_path / "in" / "provenance.csv").read_text("utf-8")
    assert len(text.splitlines()) == 6
    assert not any(cell.startswith(("=", "+", "@")) for cell in text.replace('"', "").split(","))


@pytest.mark.parametrize("text", ["", "a", "=1", "'=1", "''+2", "'tis", "-x", "@me", "'@me"])
def test_a_guard_is_undone(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert not guarded(text).startswith(("=", "+", "-", "@"))


def test_long_words_are_cut() -> None:
    assert len(one_line("word " * 200)) <= 300


# what is there already, and what comes between


def test_a_second_run_fetches_only_what_is_missing_or_harmed(tmp_path: Path) -> None:
    with FakeFlickr(photo(n) for n in range(5)) as fake:
        run(fake, tmp_path)
        before = (tmp_path / "provenance.csv").read_bytes()
        (tmp_path / "flickr-1.jpg").unlink()
        (tmp_path / "flickr-2.jpg").write_bytes(b"harmed")
        fake.asked.clear()
        run(fake, tmp_path)
        assert set(gets(fake)) == {"1", "2"}
    assert (tmp_path / "provenance.csv").read_bytes() == before


def test_a_picture_that_was_thrown_away_and_is_found_no_more_leaves_the_table(
    tmp_path: Path,
) -> None:
    with FakeFlickr(photo(n) for n in range(3)) as fake:
        run(fake, tmp_path)
        (tmp_path / "flickr-1.jpg").unlink()
        del fake.photos["1"]
        run(fake, tmp_path)
    assert sorted(read_table(tmp_path / "provenance.csv")) == ["flickr-0.jpg", "flickr-2.jpg"]


def test_two_at_a_time_in_one_folder_are_refused(tmp_path: Path) -> None:
    with (
        FakeFlickr([photo(0)]) as fake,
        Collection(tmp_path),
        pytest.raises(TrainingError, match="another `collect` works in this folder"),
    ):
        run(fake, tmp_path)


def row(number: int) -> Provenance:
    return Provenance(f"{number}.jpg", "1", "o", "t", "l", "u", "s", "p", "d", 1, 1, "00")


def test_a_journal_that_is_cut_short_loses_its_last_line_alone(tmp_path: Path) -> None:
    collection = Collection(tmp_path)
    with collection:
        for number in range(3):
            collection.note(row(number))
        journal = tmp_path / ".collect" / "journal.jsonl"
        whole = journal.read_bytes()
        for length in range(0, len(whole) + 1, 7):
            journal.write_bytes(whole[:length])
            found = read_journal(journal)
            assert found == [row(n) for n in range(len(found))]
            assert len(found) >= whole[:length].count(b"\n")
            collection.note(row(9))  # after a torn line
            assert read_journal(journal)[-1] == row(9)


def test_a_kill_between_any_two_steps_is_made_good(tmp_path: Path) -> None:
    table, journal = tmp_path / "provenance.csv", tmp_path / ".collect" / "journal.jsonl"
    with FakeFlickr(photo(n) for n in range(3)) as fake:
        run(fake, tmp_path)
        whole = table.read_bytes()
        rows = list(read_table(table).values())
        lines = b"".join(b"\n" + json.dumps(vars(one)).encode() for one in rows)
        fake.asked.clear()
        # the table was written, the journal not yet removed; and the table not yet written
        for there in (whole, b"".join(whole.splitlines(keepends=True)[:2]), None):
            table.unlink()
            if there is not None:
                table.write_bytes(there)
            journal.write_bytes(lines)
            run(fake, tmp_path)
            assert table.read_bytes() == whole and not journal.exists()
        assert not gets(fake)
        # the picture was moved to its place, its row not yet written down
        table.write_bytes(b"".join(whole.splitlines(keepends=True)[:-1]))
        run(fake, tmp_path)
        assert list(gets(fake)) == ["2"] and table.read_bytes() == whole


def test_a_full_disk_is_said_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = [photo(n) for n in range(8)]
    add = Collection.add

    def full(self: Collection, part: Path, row: Provenance) -> None:
        if len(self) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        add(self, part, row)

    with FakeFlickr(photos) as fake:
        with monkeypatch.context() as patch:
            patch.setattr(Collection, "add", full)
            with pytest.raises(TrainingError, match=r"No space left on device.*is kept"):
                run(fake, tmp_path, "--jobs", "1")
        assert len(read_table(tmp_path / "provenance.csv")) == 3
        had = {path.stem.removeprefix("flickr-") for path in tmp_path.glob("*.jpg")}
        fake.asked.clear()
        run(fake, tmp_path)
        assert set(gets(fake)) == {one.id for one in photos} - had
    assert len(read_table(tmp_path / "provenance.csv")) == 8


def test_a_table_that_cannot_be_written_is_made_good_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(path: Path, content: bytes) -> None:
        raise ShowError(f"{path} cannot be written: No space left on device.")

    with FakeFlickr([photo(0)]) as fake:
        with monkeypatch.context() as patch:
            patch.setattr("training.pictures.collect_folder.write_atomically", no_room)
            with pytest.raises(TrainingError, match=r"The rows are kept in .*journal.jsonl"):
                run(fake, tmp_path)
        fake.asked.clear()
        run(fake, tmp_path)
        assert not gets(fake)
    assert list(read_table(tmp_path / "provenance.csv")) == ["flickr-0.jpg"]


def test_an_interrupt_ends_the_downloads_and_keeps_what_has_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> int:
        raise KeyboardInterrupt

    with FakeFlickr(photo(n) for n in range(30)) as fake:
        with monkeypatch.context() as patch:
            patch.setattr(collect.tqdm, "update", interrupt)
            with pytest.raises(KeyboardInterrupt):
                run(fake, tmp_path)
        assert not any(thread.name.startswith("download") for thread in threading.enumerate())
        had = {name.removesuffix(".jpg") for name in read_table(tmp_path / "provenance.csv")}
        assert had and len(had) < 30
        fake.asked.clear()
        run(fake, tmp_path)
        assert not {f"flickr-{one}" for one in gets(fake)} & had
    assert len(read_table(tmp_path / "provenance.csv")) == 30


# pace


def test_a_pace_is_kept_over_all_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout or 0.0)
            return False

    monkeypatch.setattr(collect_http.time, "monotonic", lambda: 100.0)
    pace = Pace(4, Stop())
    for _ in range(3):
        pace.take()
    pace.hold(30)
    pace.take()
    assert waits == [0.0, 0.25, 0.5, 30.0]


def test_a_server_that_asks_to_wait_is_heard_by_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[float] = []
    monkeypatch.setattr(Pace, "hold", lambda _, seconds: held.append(seconds))
    one = photo(0, faults=["429", "503"])
    with FakeFlickr([one]) as fake:
        fake.headers = {"Retry-After": "0"}
        run(fake, tmp_path)
        one.faults = ["503"]
        fake.headers = {}
        run(fake, tmp_path / "other")
    assert held == [0.0, 0.0]


def test_a_pace_ends_when_the_work_is_stopped() -> None:
    stop = threading.Event()
    pace = Pace(0.001, stop)
    pace.take()
    stop.set()
    with pytest.raises(StoppedError):
        pace.take()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        ("99999999", 600.0),
        ("Mon, 01 Jan 2024 00:00:30 GMT", 30.0),
        ("Sun, 31 Dec 2023 00:00:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
    ],
)
def test_retry_after(header: str, seconds: float | None) -> None:
    assert retry_after_s(header, UNTIL) == seconds


def test_a_wait_without_a_word_of_the_server_doubles(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    stop = threading.Event()
    with Web("https://example.org/", rate=1, first_wait_s=1, stop=stop) as web:
        monkeypatch.setattr(stop, "wait", lambda seconds: waits.append(seconds))

        def attempt() -> None:
            raise collect_http.TransientError("down")

        with pytest.raises(collect_http.TransientError):
            web.again(attempt)
    assert len(waits) == 5
    assert all(2**n <= wait <= 2**n + 1 for n, wait in enumerate(waits))


# pictures that one has


def test_own_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own, out = tmp_path / "own", tmp_path / "out"
    (own / "deep").mkdir(parents=True)
    (own / "Blick auf Größe; 1.jpg").write_bytes(picture(1))
    (own / "deep" / "=b.png").write_bytes(picture(2, form="PNG"))
    (own / "deep" / "small.png").write_bytes(picture(3, 20, 90, "PNG"))
    (own / "notes.txt").write_text("not a picture")
    (own / ".hidden.jpg").write_bytes(picture(4))
    words = ["--from", str(own), "--licence", "cc-by-4.0", "--owner", "Jenny\nB."]
    assert run(None, out, *words) == 0
    told = capsys.readouterr().out
    assert "found 4, kept 2 new" in told and "1 not a picture, 1 too small" in told
    first, second = read_table(out / "provenance.csv").values()
    assert first.file.startswith("b-") and first.title == "'=b" and first.file.endswith(".png")
    assert second.file.startswith("blick-auf-gro-e-1-") or second.file.startswith("blick-auf-gro")
    assert second.owner == "Jenny B." and second.licence == "CC BY 4.0"
    assert second.licence_url == "https://creativecommons.org/licenses/by/4.0/"
    assert (out / second.file).read_bytes() == picture(1)
    before = (out / "provenance.csv").read_bytes()
    assert run(None, out, *words) == 0
    assert "2 already there" in capsys.readouterr().out
    assert (out / "provenance.csv").read_bytes() == before


def test_own_and_found_pictures_share_a_table(tmp_path: Path) -> None:
    own, out = tmp_path / "own", tmp_path / "out"
    own.mkdir()
    (own / "a.jpg").write_bytes(picture(50))
    with FakeFlickr([photo(0)]) as fake:
        run(fake, out)
        run(None, out, "--from", str(own), "--licence", "own")
        run(fake, out)
    licences = [one.licence_url for one in read_table(out / "provenance.csv").values()]
    assert licences == ["own", "https://creativecommons.org/licenses/by/2.0/"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--licence", "cc-by-nd-4.0"], "does not allow modification"),
        (["--licence", "https://example.org/all-rights-reserved"], "does not allow modification"),
        ([], "needs one --licence"),
        (["--licence", "own", "cc0"], "needs one --licence"),
    ],
)
def test_own_pictures_need_a_licence(tmp_path: Path, words: list[str], sentence: str) -> None:
    (tmp_path / "own").mkdir()
    with pytest.raises(TrainingError, match=sentence):
        run(None, tmp_path / "out", "--from", str(tmp_path / "own"), *words)


def test_own_pictures_of_no_folder_or_of_the_collection(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="there is no such folder"):
        run(None, tmp_path / "out", "--from", str(tmp_path / "no"), "--licence", "own")
    with pytest.raises(TrainingError, match="lie one in the other"):
        run(None, tmp_path / "out", "--from", str(tmp_path), "--licence", "own")
