"""The engine of an export, opened by name like the worker's, and how it draws pinned."""

from __future__ import annotations

import json
from typing import Any

from player.films.export_plan import ExportError, ExportOptions, Plan
from player.live.synthesis_worker import Engine, WorkerError, fault_sentence, open_factory

LARGEST_BATCH = 16


def batch_of(plan: Plan) -> int:
    """Pictures of one call: as many as live draws, so that both are calibrated for the same."""
    return max(1, min(LARGEST_BATCH, len(plan.show.settings.screens)))


def open_engine(plan: Plan, options: ExportOptions, engine_path: dict[str, Any] | None) -> Engine:
    """The engine; engine_path pins how it draws, None lets it choose. Raises ExportError."""
    arguments: dict[str, Any] = {
        "path": str(plan.show.generator_path.resolve()),
        "screens": batch_of(plan),
        "noise_mode": plan.show.settings.noise_mode,
        "threads": options.threads,
    }
    if engine_path is not None:
        arguments["engine_path"] = engine_path
    try:
        return open_factory(options.factory, arguments)
    except Exception as fault:  # whatever a driver comes up with, or a damaged file
        said = fault_sentence("Films need the engine, and it could not be opened", fault)
        if engine_path is not None and not isinstance(fault, WorkerError):
            said += " It was to draw as the first run did; --fresh lets it choose anew."
        raise ExportError(said) from fault


def path_of(engine: Engine) -> dict[str, Any] | None:
    """How an engine draws, as JSON has it; None for one without choices."""
    path = getattr(engine, "path", None)
    if path is None:
        return None
    plain: dict[str, Any] = json.loads(json.dumps(path.to_dict()))
    return plain


def words_of(engine: Engine) -> str:
    """How an engine draws, in words that repeat: no measured times."""
    path = getattr(engine, "path", None)
    if path is None:
        return ""
    return f"{getattr(engine, 'device', 'cpu')}, {path}"
