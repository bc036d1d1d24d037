"""A page on a training run: options, data, networks, plots of the log, sheets over time.

It reads what lies in the run folder, while the run goes on too, and leaves it as it is. The page
needs nothing else: plots and pictures stand in it, and it runs no script.
"""

from __future__ import annotations

import argparse
import json
import math
import pickle
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from generator.checkpoint import write_atomically
from shows.generator_file import GeneratorInfo, read_generator_info
from shows.schema import ShowError
from training.errors import TrainingError
from training.learning.run_log import RunLog, read_log
from training.learning.run_pictures import run_pictures
from training.learning.run_plots import plots
from training.learning.starts_file import read_starts

TEMPLATE = Path(__file__).with_name("run_report.html.j2")
STATE_FILE, GENERATOR_FILE, MEASURE_FILE = "state.pt", "generator.safetensors", "measure.json"

Rows = list[tuple[str, str]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this verb."""
    parser.add_argument("run", type=Path, help="the run folder of `train`")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="page to write (default: report.html in the run)"
    )


def run(args: argparse.Namespace) -> int:
    """Write the page. Raises TrainingError when there is no run, or no place for the page."""
    out = args.out or args.run / "report.html"
    page = report(args.run)
    try:
        write_atomically(out, page.encode())
    except OSError as fault:
        raise TrainingError(f"{out}: the page cannot be written ({fault}).") from fault
    print(f"{out} ({len(page.encode()) / 1e6:.1f} MB)")
    return 0


def report(folder: Path) -> str:
    """The page as HTML. Raises TrainingError when the folder holds no run, or without jinja2 or
    matplotlib."""
    if not folder.is_dir():
        raise TrainingError(f"{folder}: there is no run folder here.")
    log = read_log(folder)
    state, notes = _read_state(folder / STATE_FILE)
    generator, generator_note = _read_generator(folder / GENERATOR_FILE)
    if not (log.lines or state or generator):
        raise TrainingError(
            f"{folder}: no log, state or generator of a run is here; `train` makes them."
        )
    pictures = run_pictures(folder, generator.img_resolution if generator else None)
    try:
        from jinja2 import Environment, StrictUndefined

        drawn = plots(log, _mapping(state, "options"))
    except ImportError as fault:
        raise TrainingError(
            f"the report needs {fault.name}, a part of the extra `training`: "
            "pip install -e '.[training]'."
        ) from fault
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        title=folder.resolve().name,
        sentence=sentence(log),
        figures=figures(log),
        networks=_networks(state, generator),
        starts=[_start(start) for start in read_starts(folder)],
        options=_rows(_mapping(state, "options")),
        measured=_measured(folder / MEASURE_FILE),
        plots=drawn,
        pictures=pictures,
        notes=[*log.notes, *notes, *generator_note, *pictures.notes],
    )


def sentence(log: RunLog) -> str:
    """What the run came to, in one."""
    if not log.lines:
        return "Nothing has been logged yet."
    text = f"Shown {log.lines[-1]['kimg']:,.0f} thousand pictures in {_duration(_seconds(log))}"
    best = log.best("swd")
    if best is not None:
        values = log.column("swd")[1]
        text += f"; sliced Wasserstein distance {values[-1]:.1f}"
        if best[1] < values[-1]:
            text += f", at its best {best[1]:.1f} after {best[0]:,.0f} thousand"
    return text + "."


def figures(log: RunLog) -> list[tuple[str, ...]]:
    """For each column its name, its last value, and least, median and most of its second half."""
    rows = []
    for name in log.names:
        finite = [value for value in log.column(name)[1] if math.isfinite(value)]
        if finite:
            late = finite[len(finite) // 2 :]
            values = (finite[-1], min(late), statistics.median(late), max(late))
            rows.append((name, *(f"{value:.4g}" for value in values)))
    return rows


def _seconds(log: RunLog) -> float:
    total, before = 0.0, 0.0
    for line in log.lines:
        pace = line.get("sec_per_kimg", 0.0)
        total += pace * (line["kimg"] - before) if math.isfinite(pace) else 0.0
        before = line["kimg"]
    return total


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def _read_state(path: Path) -> tuple[dict[str, Any], list[str]]:
    """Options and configuration of the state; empty, with a sentence, where they cannot be read."""
    if not path.is_file():
        return {}, [f"There is no {path.name}, so the options are not known."]
    import torch

    try:
        # the tensors, gigabytes at 1024 pixels, stay in the file
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except (RuntimeError, ValueError, OSError, EOFError, pickle.UnpicklingError):
        return {}, [f"{path.name} cannot be read, so the options are not known."]
    return (state, []) if isinstance(state, dict) else ({}, [f"{path.name} is of something else."])


def _read_generator(path: Path) -> tuple[GeneratorInfo | None, list[str]]:
    try:
        return read_generator_info(path), []
    except ShowError as fault:
        return None, [str(fault)]


def _networks(state: Mapping[str, Any], generator: GeneratorInfo | None) -> Rows:
    rows: Rows = []
    if generator is not None:
        size, channels = generator.img_resolution, generator.img_channels
        rows += [
            ("content hash", generator.content_hash),
            ("pictures", f"{size}x{size} pixels, {channels} channels"),
        ]
    rows += _rows(_mapping(state, "generator_config"))
    for name, words in (("G", "weights of G"), ("D", "weights of D")):
        tensors = _mapping(state, name).values()
        count = sum(tensor.numel() for tensor in tensors if hasattr(tensor, "numel"))
        if count:
            rows.append((words, f"{count / 1e6:,.2f} million"))
    return rows


def _start(start: Mapping[str, Any]) -> dict[str, Any]:
    sets = start.get("sets")
    return {
        "facts": _rows({name: value for name, value in start.items() if name != "sets"}),
        "sets": [_rows(one) for one in sets if isinstance(one, dict)]
        if isinstance(sets, list)
        else [],
    }


def _measured(path: Path) -> Rows:
    """What `measure --json` wrote into the run folder."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return _rows(_flat(found)) if isinstance(found, dict) else []


def _flat(tree: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in tree.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{before}{name}, ")
        else:
            flat[f"{before}{name}"] = value
    return flat


def _mapping(state: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = state.get(name)
    return dict(found) if isinstance(found, Mapping) else {}


def _rows(values: Mapping[str, Any]) -> Rows:
    return [
        (str(name).replace("_", " "), f"{value:.6g}" if isinstance(value, float) else str(value))
        for name, value in values.items()
    ]
