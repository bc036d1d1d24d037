"""Every file of the corpus ends in one sentence, and nothing of it runs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

import generator
from generator.checkpoint import CheckpointError
from generator.legacy.reader import LegacyPickleError, read_legacy_bytes
from tests.child_python import run_child
from tests.hostile_calls import ARMED, CALLS, MARK
from tests.hostile_numbers import FLOATS
from tests.hostile_pickles import CORPUS
from tests.hostile_words import WORDS
from tests.legacy_files import dump, module, snapshot, storage_blob, tensor, with_tensor

MOST_SECONDS = 5.0  # of CPU for one file
MOST_TEXT = 1000  # characters of a sentence


@pytest.fixture(autouse=True)
def _inside_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def file_name(number: int) -> str:
    return f"{number:03d}.pkl"


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """All files of the corpus, opened in one child under an audit hook and a memory limit."""
    folder = tmp_path_factory.mktemp("corpus")
    for number, hostile in enumerate(CORPUS.values()):
        (folder / file_name(number)).write_bytes(hostile.data())
    paths = [file_name(number) for number in range(len(CORPUS))]
    report = json.loads(run_child(["-m", "tests.hostile_child"], json.dumps(paths), folder))
    left = sorted(path.name for path in folder.iterdir())
    named = {name: report["outcomes"][path] for name, path in zip(CORPUS, paths, strict=True)}
    expected = sorted([*paths, "warm-up.pkl"])
    return {"named": named, "grown_bytes": report["grown_bytes"], "made": set(left) - set(expected)}


def test_the_corpus_is_large_and_has_no_twins() -> None:
    assert len(CORPUS) >= 40
    assert len({hostile.data() for hostile in CORPUS.values()}) == len(CORPUS)
    assert all(hostile.tries and hostile.says for hostile in CORPUS.values())


@pytest.mark.parametrize("name", CORPUS)
def test_a_hostile_file_is_one_sentence(name: str) -> None:
    Path("net.pkl").write_bytes(CORPUS[name].data())
    with pytest.raises(CheckpointError, match=r"^net\.pkl") as caught:
        generator.load("net.pkl")
    sentence = str(caught.value)
    assert CORPUS[name].says in sentence
    assert sentence.isprintable() and len(sentence) < MOST_TEXT
    assert os.listdir() == ["net.pkl"]


@pytest.mark.parametrize("name", CORPUS)
def test_nothing_happens_but_the_reading_of_the_file(name: str, watched: dict[str, Any]) -> None:
    outcome = watched["named"][name]
    assert outcome["error"] == "CheckpointError", outcome["text"]
    assert outcome["events"] == [], "an import, an open, a call of the system or the like"
    assert outcome["modules"] == []
    assert outcome["seconds"] < MOST_SECONDS
    assert CORPUS[name].says in outcome["text"]


def test_the_corpus_makes_no_file_and_takes_little_memory(watched: dict[str, Any]) -> None:
    assert watched["made"] == set()
    assert watched["grown_bytes"] < 2**30


@pytest.mark.parametrize("name", [*CALLS, *WORDS])
def test_a_call_is_refused_in_every_place(name: str) -> None:
    _, _, value = {**CALLS, **WORDS}[name]
    for data in (
        dump(value),
        snapshot(value),
        with_tensor(value),
        with_tensor(tensor(storage_blob(FLOATS, keys=value), 0, (1,), (1,))),
        snapshot(module("Generator", module_src=value)),
        snapshot(module("Generator", state=value)),
    ):
        with pytest.raises(LegacyPickleError) as caught:
            read_legacy_bytes(data, "net.pkl")
        assert str(caught.value).isprintable()
    assert os.listdir() == []


STOCK = f"""
import contextlib, json, os, pickle, sys
ran = []
for name in json.load(sys.stdin):
    with contextlib.suppress(Exception), open(name, "rb") as file:
        pickle.load(file)
    if os.path.exists({MARK!r}):
        ran.append(name)
        os.remove({MARK!r})
json.dump(ran, sys.stdout)
"""


def test_the_same_objects_run_in_the_stock_unpickler(tmp_path: Path) -> None:
    """So they could do harm, and the mark would have been seen."""
    names = [file_name(number) for number in range(len(ARMED))]
    for path, name in zip(names, ARMED, strict=True):
        (tmp_path / path).write_bytes(dump(CALLS[name][2]))
    assert json.loads(run_child(["-c", STOCK], json.dumps(names), tmp_path)) == names


def test_the_watch_sees_what_the_corpus_must_not_do(tmp_path: Path) -> None:
    program = (
        "import json, os, sys\n"
        "from tests.watched import Watch\n"
        "watch = Watch()\n"
        "with watch.over('x.pkl') as events:\n"
        "    os.close(os.open('x.pkl', os.O_RDONLY))\n"
        "quiet = list(events)\n"
        "with watch.over('x.pkl') as events:\n"
        "    os.close(os.open('x.pkl', os.O_RDWR))\n"
        "    open('y', 'w').close()\n"
        "    eval('1')\n"
        "    import colorsys\n"
        "    os.system('true')\n"
        "json.dump([quiet, [event.split()[0] for event in events]], sys.stdout)\n"
    )
    (tmp_path / "x.pkl").write_bytes(b"")
    quiet, events = json.loads(run_child(["-c", program], "", tmp_path))
    assert quiet == []
    assert [event for event in events if event == "open"][:2] == ["open", "open"]
    assert {"compile", "exec", "import", "os.system"} <= set(events)
