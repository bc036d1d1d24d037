import argparse
import io
import json
import re
import zipfile
from pathlib import Path

import pytest

from player.upkeep import bundle as module
from player.upkeep.bundle import BundleError, add_arguments, bundle, run
from player.upkeep.secret_words import secret_words, without
from tests import night_of_faults
from tests.night_of_faults import UNTIL_NS

HOOK = 'https://hooks.example/T0/Xy&12"Zz'
PASSWORD = "sehr-geheim"
ENVIRONMENT = {
    "MY_HOOK": HOOK,
    "INSPACE_SMTP": f"smtp://me:{PASSWORD}@mail.example:587",
    "HOME": "/home/gallery",
    "XKB_DEFAULT_KEYBOARD": "english",
}
SHOW = """\
schema_version: 1
title: Ballads
ballads: [a]
screens: [{name: s, ballad: a}]
sync: {key_file: sync.key}
notify: {webhook_env: MY_HOOK}
"""


@pytest.fixture
def show(tmp_path: Path) -> Path:
    folder = tmp_path / "show"
    for name in ("ballads/a/latents", "films"):
        (folder / name).mkdir(parents=True)
    (folder / "show.yaml").write_text(SHOW)
    (folder / "sync.key").write_text("0123456789abcdef0123\n")
    (folder / "generator.safetensors").write_bytes(b"weights")
    (folder / "films" / "manifest.json").write_text("{}")
    (folder / "films" / "a.mp4").write_bytes(b"film")
    (folder / "ballads" / "a" / "ballad.yaml").write_text("title: A\n")
    (folder / "ballads" / "a" / "one.png").write_bytes(b"painting")
    return folder


@pytest.fixture
def quick_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page without plots, which take two seconds."""
    monkeypatch.setattr("player.upkeep.night_plots.plots", lambda *_: ())


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    folder = tmp_path / "journal"
    night_of_faults.write(folder, with_pictures=False)
    pictures = folder / "pictures-2026-11-21"
    pictures.mkdir()
    (pictures / "093030-window-1-00000000.jpg").write_bytes(b"\xff\xd8 one")
    (folder / "private.txt").write_text("private")
    line = {
        "at": "2026-11-21T10:00:00.000Z",
        "kind": "picture",
        "say": f"0123456789abcdef0123 {HOOK} https://a:b@c.example/",
        "facts": {"screen": "window-1", "file": "pictures-2026-11-21/093030-window-1-00000000.jpg"},
    }
    with (folder / "journal-2026-11-21.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")
    return folder


def made(journal: Path, show: Path | None, **words: Path | None) -> dict[str, bytes]:
    content = bundle(
        journal,
        show=show,
        state=words.get("state"),
        machine=words.get("machine"),
        until_ns=UNTIL_NS,
        days=2,
        environment=ENVIRONMENT,
    )
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_what_is_in_a_bundle(tmp_path: Path, journal: Path, show: Path) -> None:
    state, machine = tmp_path / "s.json", tmp_path / "m.yaml"
    state.write_text('{"half')
    machine.write_text("screens: []\n")
    files = made(journal, show, state=state, machine=machine)
    assert [*files] == [
        "READ-ME-FIRST.txt",
        "journal/journal-2026-11-21.jsonl",
        "journal/journal-2026-11-22.jsonl",
        "journal/pictures-2026-11-21/093030-window-1-00000000.jpg",
        "machine.yaml",
        "night-report.html",
        "show/ballads/a/ballad.yaml",
        "show/films/manifest.json",
        "show/show.yaml",
        "state.json",
        "versions.json",
    ]
    told = files["READ-ME-FIRST.txt"].decode()
    for name, data in files.items():
        if name != "READ-ME-FIRST.txt":
            assert f"  {name} ({len(data)} bytes)" in told
    assert files["state.json"] == b'{"half'
    assert b"Red: 4 min on stills on window-3" in files["night-report.html"]
    versions = json.loads(files["versions.json"])
    assert versions["newest_start"]["wall"] == "7 headless screens of 256x256, llvmpipe"
    assert "numpy" in versions["packages"]


@pytest.mark.usefixtures("quick_page")
def test_no_secret_is_in_a_bundle(journal: Path, show: Path) -> None:
    files = made(journal, show)
    whole = b"\n".join(files.values()).decode("utf-8", "replace")
    for secret in (HOOK, json.dumps(HOOK)[1:-1], PASSWORD, "0123456789abcdef0123", "a:b@"):
        assert secret not in whole
    assert "/home/gallery" not in whole
    assert "[removed] [removed] https://[removed]@c.example/" in whole
    assert re.search(r"Struck out: [1-9]\d* secrets", files["READ-ME-FIRST.txt"].decode())
    assert "MY_HOOK" in files["show/show.yaml"].decode()  # its name is no secret


@pytest.mark.usefixtures("quick_page")
def test_what_is_not_there_is_told(tmp_path: Path, journal: Path) -> None:
    files = made(journal, tmp_path / "gone", state=tmp_path / "none.json")
    told = files["READ-ME-FIRST.txt"].decode().partition("Not found:")[2]
    assert "state.json: " in told
    assert "show/show.yaml: " in told
    assert "No such file" in told
    assert "night-report.html" in files


def test_without_a_journal_there_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="There is no journal in"):
        made(tmp_path / "none", None)


@pytest.mark.usefixtures("quick_page")
def test_a_show_file_that_is_no_yaml_goes_in_as_it_is(journal: Path, show: Path) -> None:
    (show / "show.yaml").write_text("title: [\n")
    assert made(journal, show)["show/show.yaml"] == b"title: [\n"


@pytest.mark.usefixtures("quick_page")
def test_a_file_without_end_is_cut(
    tmp_path: Path, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_FILE_BYTES", 1000)
    big = tmp_path / "big.json"
    big.write_text("x" * 5000 + "end")
    data = made(journal, None, state=big)["state.json"]
    assert len(data) == 1000
    assert data.endswith(b"end")


@pytest.mark.usefixtures("quick_page")
def test_snapshots_have_a_bound(
    journal: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "MAX_PICTURES_BYTES", 10)
    folder = journal / "pictures-2026-11-21"
    for number in range(5):
        (folder / f"10000{number}-window-1-00000000.jpg").write_bytes(b"\xff\xd8 1234")
    (folder / "110000-link-00000000.jpg").symlink_to(tmp_path / "show")
    files = made(journal, None)
    names = sorted(name for name in files if name.endswith(".jpg"))
    assert [name[-28:] for name in names] == [
        "/100003-window-1-00000000.jpg"[-28:],
        "/100004-window-1-00000000.jpg"[-28:],
    ]
    assert "older snapshots" in files["READ-ME-FIRST.txt"].decode()


def test_secrets_of_an_environment() -> None:
    words = secret_words(None, {**ENVIRONMENT, "SHORT_KEY": "abc", "DB_PASSWORD": "hunter22"})
    assert {PASSWORD, "hunter22", ENVIRONMENT["INSPACE_SMTP"]} <= set(words)
    assert not {"abc", "english", "/home/gallery"} & set(words)
    assert HOOK not in words  # its name tells nothing, and no show names it
    assert [*map(len, words)] == sorted(map(len, words), reverse=True)


def test_striking_out_counts() -> None:
    assert without("a secret b secret http://u:p@h/", ["secret"]) == (
        "a [removed] b [removed] http://[removed]@h/",
        3,
    )
    assert without("nothing here @ http://h/", []) == ("nothing here @ http://h/", 0)


def asked(*words: str) -> int:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return run(parser.parse_args(words))


@pytest.mark.usefixtures("quick_page")
def test_the_command_says_what_is_in_it(
    tmp_path: Path, journal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "b.zip"
    assert asked("--journal", str(journal), "--out", str(out), "--days", "1") == 0
    assert zipfile.is_zipfile(out)
    assert "In it:" in capsys.readouterr().out
    assert asked("--journal", str(journal), "--out", str(tmp_path / "no" / "b.zip")) == 1
    assert "cannot be written: No such file or directory." in capsys.readouterr().err
    assert asked("--journal", str(tmp_path / "none")) == 1
    assert "There is no journal in" in capsys.readouterr().err
    for days in ("0", "63", "x", "-1"):
        with pytest.raises(SystemExit):
            asked("--journal", str(journal), "--days", days)
