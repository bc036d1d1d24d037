"""The fuzz of the readers of pickles: a bounded run, and that it would see what it looks for."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import generator
from generator.legacy.reader import read_legacy_bytes
from tests.child_python import run_child
from tests.fuzz_pickles import State, chunks_to_do, fresh_state, main, merged, resumed_state
from tests.fuzz_workers import Report, Task, judged
from tests.golden import golden_folder
from tests.pickle_bases import TORCH_FILES, golden_bases
from tests.pickle_mutants import applied, mutant
from tests.slim_pickle import put_together, slim, take_apart

HUNG_SECONDS = 2.0


# The bounded runs.


def run_fuzz(folder: Path, inputs: int, seed: int) -> dict[str, object]:
    """In a process of its own, as the command does it."""
    file = folder / "fuzz.json"
    program = ["-m", "tests.fuzz_pickles", "--inputs", str(inputs), "--seed", str(seed)]
    run_child([*program, "--json", str(file)], "", folder, most_seconds=600)
    state: dict[str, object] = json.loads(file.read_text())
    return state


def check_run(state: dict[str, object], inputs: int) -> None:
    kinds = state["kinds"]
    assert isinstance(kinds, dict)
    assert state["findings"] == []
    assert state["count"] == inputs == sum(kinds.values())
    assert set(kinds) == {
        "refused by the reader",
        "refused by the generator",
        "a configuration",
        "a generator",
    }
    assert kinds["a configuration"] > inputs / 20, "hardly an input got through the reader"


def test_mutated_golden_pickles_are_read_or_refused(tmp_path: Path) -> None:
    golden_folder()
    check_run(run_fuzz(tmp_path, 1500, seed=2), 1500)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_many_mutated_golden_pickles_are_read_or_refused(tmp_path: Path) -> None:
    golden_folder()
    check_run(run_fuzz(tmp_path, 15_000, seed=3), 15_000)


# The inputs.


@pytest.mark.parametrize("name", TORCH_FILES)
def test_a_snapshot_taken_apart_and_put_together_is_the_same(name: str) -> None:
    data = (golden_folder() / name).read_bytes()
    whole = read_legacy_bytes(data, name).networks
    again = read_legacy_bytes(put_together(take_apart(data)), name).networks
    assert list(again) == list(whole)
    for key, network in whole.items():
        assert again[key].init_kwargs == network.init_kwargs
        assert list(again[key].tensors) == list(network.tensors)
        for tensor, array in network.tensors.items():
            np.testing.assert_array_equal(again[key].tensors[tensor], array)


@pytest.mark.parametrize("name", TORCH_FILES)
def test_a_slim_snapshot_is_a_small_generator_with_the_same_numbers(
    name: str, tmp_path: Path
) -> None:
    data = (golden_folder() / name).read_bytes()
    small = slim(data)
    assert len(small) < len(data) / 4
    (tmp_path / name).write_bytes(small)
    assert generator.load(tmp_path / name).config.img_resolution == 8
    whole = read_legacy_bytes(data, name).networks["G_ema"].tensors
    kept = read_legacy_bytes(small, name).networks["G_ema"].tensors
    assert 20 < len(kept) < len(whole)
    for tensor, array in kept.items():
        np.testing.assert_array_equal(array, whole[tensor])


def test_an_input_is_fixed_by_seed_and_number() -> None:
    bases = golden_bases(golden_folder())
    first = [mutant(bases, 1, index) for index in range(40)]
    assert [mutant(bases, 1, index) for index in range(40)] == first
    others = [mutant(bases, 2, index) for index in range(40)]
    assert len({*first, *others}) == 80
    assert not {base.data for base in bases} & set(first)


def test_opcodes_of_bases_cover_them_and_the_storages_inside() -> None:
    for base in golden_bases(golden_folder()):
        outer = [token for token in base.tokens if token.inside is None]
        assert b"".join(base.data[t.start : t.stop] for t in outer) == base.data
        for token in base.tokens:
            if token.inside is not None:
                holder = base.tokens[token.inside]
                assert holder.start < token.start < token.stop < holder.stop
        assert bool(base.storages) == (base.name != "g_tf.pkl")


def test_edits_are_applied_in_order_and_do_not_overlap() -> None:
    from tests.pickle_mutants import Edit

    edits = [Edit(4, 6, b"XYZ"), Edit(0, 0, b"<"), Edit(5, 8, b"-"), Edit(10, 10, b">")]
    assert applied(b"0123456789", edits) == b"<0123XYZ6789>"


# The state.


def test_what_is_left_of_a_run() -> None:
    assert merged([(5, 7), (0, 2), (2, 5), (9, 10)]) == [(0, 7), (9, 10)]
    assert list(chunks_to_do([(0, 7), (9, 10)], 14, size=3)) == [(7, 9), (10, 13), (13, 14)]
    assert list(chunks_to_do([(0, 7)], 5)) == []
    assert list(chunks_to_do([], 5, size=3)) == [(0, 3), (3, 5)]


def test_a_report_is_added_once_and_kept(tmp_path: Path) -> None:
    state = State(1, "sample", {})
    state.add(Report(0, 200, Counter(read=200), [], (0.5, 7), 100))
    state.add(Report(400, 600, Counter(read=199, finding=1), [(410, "why")], (0.1, 500), 90))
    assert (state.count, state.done) == (400, [(0, 200), (400, 600)])
    assert state.kinds == {"finding": 1, "read": 399}
    assert state.findings == [{"index": 410, "what": "why"}]
    assert (state.slowest, state.peak_bytes) == ((0.5, 7), 100)


def test_a_run_goes_on_where_it_was_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = golden_folder()
    file = tmp_path / "fuzz.json"
    asked: list[tuple[int, int]] = []

    def reports(task: Task, chunks: object, jobs: int) -> object:
        for first, stop in chunks:  # type: ignore[attr-defined]
            asked.append((first, stop))
            yield Report(first, stop, Counter(read=stop - first))

    monkeypatch.setattr("tests.fuzz_pickles.judged", reports)
    arguments = ["--seed", "1", "--json", str(file)]
    assert main([*arguments, "--inputs", "300"]) == 0
    with pytest.raises(SystemExit, match="exists: add --resume"):
        main([*arguments, "--inputs", "500"])
    assert main([*arguments, "--inputs", "500", "--resume"]) == 0
    assert asked == [(0, 200), (200, 300), (300, 500)]
    assert resumed_state(file, fresh_state(golden_bases(folder), 1)).kinds == {"read": 500}
    with pytest.raises(SystemExit, match="of another seed"):
        main(["--seed", "2", "--json", str(file), "--inputs", "500", "--resume"])


# That it sees what it looks for.

JUDGE = """
import json, sys, threading
from tests.fuzz_judge import Judge
from tests.watched import limit_memory

def writes(data, whole_way): open("made", "w").close(); return "read"
def imports(data, whole_way): import colorsys; return "read"
def evaluates(data, whole_way): return eval("'read'")
def spins(data, whole_way):
    while True: pass
def eats(data, whole_way): return str(len(bytes(3 * 2**30)))
def slips(data, whole_way): return {}["key"]
def works(data, whole_way): return "read"

limit_memory(2 * 2**30)
judge = Judge(most_seconds=0.2)
outcomes = []
for door in (works, writes, imports, evaluates, spins, eats, slips, works):
    judge.door = door
    outcome = judge.judge(b"", whole_way=False)
    outcomes.append((outcome.kind, outcome.finding))
json.dump(outcomes, sys.stdout)
"""


def test_the_judge_sees_what_it_looks_for(tmp_path: Path) -> None:
    outcomes = json.loads(run_child(["-c", JUDGE], "", tmp_path))
    assert outcomes[0] == outcomes[-1] == ["read", None]
    findings = [text for _, text in outcomes[1:-1]]
    signs = ("open ('made'", "import ('colorsys'", "exec", "0.2 seconds", "memory", "KeyError")
    for finding, sign in zip(findings, signs, strict=True):
        assert sign in finding


def dies(data: bytes, whole_way: bool) -> str:
    if whole_way:
        os._exit(7)
    return "read"


def hangs(data: bytes, whole_way: bool) -> str:
    if whole_way:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
        while True:
            pass
    return "read"


@pytest.mark.slow
@pytest.mark.parametrize(("door", "sign"), [(dies, "ended with 7"), (hangs, "it hangs")])
def test_a_lost_process_is_a_finding_and_the_rest_is_done(door: object, sign: str) -> None:
    task = Task(golden_folder(), 1, door, silent_seconds=HUNG_SECONDS)  # type: ignore[arg-type]
    state = State(1, "", {})
    for report in judged(task, iter([(1, 7)]), jobs=1):
        state.add(report)
    assert state.done == [(1, 7)]
    assert state.kinds == {"finding": 1, "read": 5}
    assert [finding["index"] for finding in state.findings] == [4]
    assert sign in state.findings[0]["what"]
