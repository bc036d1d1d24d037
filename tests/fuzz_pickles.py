"""Feed mutated golden pickles to the reader of published snapshots, by the million.

    python -m tests.fuzz_pickles --inputs 1000000 --jobs 2 --seed 1 [--json FILE] [--resume]
    python -m tests.fuzz_pickles --seed 1 --show 4711 > mutant.pkl

Input number k of a seed is always the same bytes. The state is written to FILE while it runs, and
after an interruption --resume goes on from there. Findings stand in FILE, their inputs beside it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tqdm import tqdm

from generator.checkpoint import write_atomically
from tests.fuzz_workers import CHUNK, Report, Task, judged
from tests.golden import golden_folder
from tests.pickle_bases import Base, golden_bases
from tests.pickle_mutants import mutant

FILE = Path("work/fuzz/pickles.json")
SAVE_SECONDS = 10.0

Range = tuple[int, int]  # inputs [first, stop)


@dataclass
class State:
    """A run so far: what was asked for, which inputs are done, and what came of them."""

    seed: int
    sample_sha256: str  # of some mutants: it pins the seed, the golden files and the mutator
    bases: dict[str, int]  # their sizes in bytes
    done: list[Range] = field(default_factory=list)
    kinds: dict[str, int] = field(default_factory=dict)
    findings: list[dict[str, Any]] = field(default_factory=list)
    slowest: tuple[float, int] = (0.0, -1)  # seconds, index
    peak_bytes: int = 0
    worked_seconds: float = 0.0  # wall clock, over all sittings

    @property
    def count(self) -> int:
        return sum(stop - first for first, stop in self.done)

    def add(self, report: Report) -> None:
        self.done = merged([*self.done, (report.first, report.stop)])
        self.kinds = dict(sorted((Counter(self.kinds) + report.kinds).items()))
        self.findings += [{"index": index, "what": text} for index, text in report.findings]
        self.slowest = max(self.slowest, report.slowest)
        self.peak_bytes = max(self.peak_bytes, report.peak_bytes)


def merged(ranges: Iterable[Range]) -> list[Range]:
    out: list[Range] = []
    for first, stop in sorted(ranges):
        if out and out[-1][1] >= first:
            first, stop = out[-1][0], max(stop, out.pop()[1])
        out.append((first, stop))
    return out


def chunks_to_do(done: Sequence[Range], inputs: int, size: int = CHUNK) -> Iterator[Range]:
    """What is left of [0, inputs), in pieces of at most `size`."""
    position = 0
    for first, stop in [*done, (inputs, inputs)]:
        while position < min(first, inputs):
            end = min(position + size, first, inputs)
            yield position, end
            position = end
        position = max(position, stop)


def fresh_state(bases: Sequence[Base], seed: int) -> State:
    digest = hashlib.sha256()
    for index in range(20):
        digest.update(mutant(bases, seed, index))
    return State(seed, digest.hexdigest(), {base.name: len(base.data) for base in bases})


def resumed_state(file: Path, fresh: State) -> State:
    """The state in the file. Raises ValueError when its inputs were others."""
    stored = json.loads(file.read_text(encoding="utf-8"))
    if stored["sample_sha256"] != fresh.sample_sha256:
        raise ValueError(
            f"{file} is of another seed, of other golden files or of another mutator; begin anew "
            "with another --json"
        )
    names = State.__dataclass_fields__
    state = State(**{name: value for name, value in stored.items() if name in names})
    state.done = merged((first, stop) for first, stop in state.done)
    state.slowest = (state.slowest[0], state.slowest[1])
    return state


def write_state(file: Path, state: State, inputs: int) -> None:
    rate = state.count / state.worked_seconds if state.worked_seconds else 0.0
    told = {"inputs": inputs, "count": state.count, "inputs_per_second": round(rate, 1)}
    text = json.dumps({**told, **asdict(state)}, indent=1)
    write_atomically(file, text.encode())


def fuzz(
    task: Task, bases: Sequence[Base], state: State, inputs: int, jobs: int, file: Path
) -> None:
    """Judge what is left of [0, inputs); state and findings are written as it goes."""
    file.parent.mkdir(parents=True, exist_ok=True)
    begin = saved = time.monotonic()
    before = state.worked_seconds
    reports = judged(task, chunks_to_do(state.done, inputs), jobs)
    bar = tqdm(total=inputs, initial=min(state.count, inputs), unit="input", smoothing=0.05)
    try:
        for report in reports:
            state.add(report)
            state.worked_seconds = before + time.monotonic() - begin
            for index, _ in report.findings:
                name = f"{file.stem}-seed{task.seed}-{index}.pkl"
                file.with_name(name).write_bytes(mutant(bases, task.seed, index))
            bar.update(report.stop - report.first)
            bar.set_postfix(findings=len(state.findings), refresh=False)
            if report.findings or time.monotonic() - saved > SAVE_SECONDS:
                write_state(file, state, inputs)
                saved = time.monotonic()
    finally:
        reports.close()  # type: ignore[attr-defined]  # a generator: ends the workers
        bar.close()
        write_state(file, state, inputs)


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    try:
        folder = golden_folder()
    except pytest.skip.Exception as error:
        raise SystemExit(str(error)) from error
    bases = golden_bases(folder)
    if options.show is not None:
        sys.stdout.buffer.write(mutant(bases, options.seed, options.show))
        return 0
    state = fresh_state(bases, options.seed)
    if options.json.exists():
        if not options.resume:
            raise SystemExit(f"{options.json} exists: add --resume, or give another --json")
        try:
            state = resumed_state(options.json, state)
        except (ValueError, KeyError, TypeError) as error:
            raise SystemExit(f"cannot resume: {error}") from error
    task = Task(folder, options.seed)
    try:
        fuzz(task, bases, state, options.inputs, options.jobs, options.json)
    except KeyboardInterrupt:
        print(f"interrupted; go on with --resume --json {options.json}", file=sys.stderr)
        return 130
    print(summary(state))
    return 1 if state.findings else 0


def summary(state: State) -> str:
    kinds = ", ".join(f"{count} {kind}" for kind, count in state.kinds.items())
    return (
        f"{state.count} inputs of seed {state.seed}: {kinds}. Findings: {len(state.findings)}. "
        f"Slowest {state.slowest[0]:.2f} s (input {state.slowest[1]}), most memory "
        f"{state.peak_bytes / 2**20:.0f} MB, {state.count / state.worked_seconds:.0f} inputs/s."
    )


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz_pickles", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--inputs", type=int, default=10_000, help="how many (default 10000)")
    parser.add_argument("--jobs", type=int, default=1, help="processes (default 1)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, default=FILE, help=f"state (default {FILE})")
    parser.add_argument("--resume", action="store_true", help="go on with the state in --json")
    parser.add_argument("--show", type=int, metavar="INDEX", help="write this input to stdout")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
