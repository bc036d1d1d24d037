"""The files of one training run: state, weights, log and sheets."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from generator.checkpoint import (
    CheckpointError,
    save_discriminator,
    save_generator,
    write_atomically,
)
from shows.journal_file import add_lines
from shows.picture_file import srgb_tag
from training.errors import TrainingError
from training.learning.codes_file import CODES_FILE, save_codes
from training.learning.training_loop import Training
from training.learning.training_state import restore, state_of

SHEET_COLUMNS, SHEET_ROWS = 10, 6
STATE_FILE, LOG_FILE = "state.pt", "log.jsonl"
# what zipfile and zlib raise for bytes that are no archive, or a broken one
ZIP_FAULTS = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError)
GENERATOR_FILE, DISCRIMINATOR_FILE = "generator.safetensors", "discriminator.safetensors"


class RunFolder:
    """The files of one run."""

    def __init__(self, path: Path) -> None:
        """Raises TrainingError when the folder cannot be made."""
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TrainingError(f"{path}: the run folder cannot be made ({error}).") from error

    def resume(self, training: Training) -> None:
        """Take over state.pt when there is one, and forget what was logged after it was saved.

        Raises TrainingError when it does not fit.
        """
        file = self.path / STATE_FILE
        if file.exists():
            self._restore(training, file)
        if training.workers.rank == 0:
            self._forget_lines_after(training.images_shown)
            for part in self.path.glob(".*.part"):  # of a process that was killed as it wrote
                part.unlink()

    def _restore(self, training: Training, file: Path) -> None:
        state = read_state(file)
        others = _changes(file, state, "generator_config", training.G.config.to_dict())
        if others:
            raise TrainingError(
                f"{file}: this run began with other networks ({others}). "
                "Use a new run folder, or the options that this one began with."
            )
        others = _changes(file, state, "options", asdict(training.options))
        try:
            restore(training, state)
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            raise TrainingError(
                f"{file}: cannot be resumed ({error}). Use a copy of it, or a new run folder."
            ) from error
        if training.workers.rank == 0:
            print(f"resumed at {training.images_shown / 1000:.1f} kimg")
            if others:
                print(f"from here on with other options: {others}")
            before, now = state.get("pictures", len(training.pictures)), len(training.pictures)
            if before != now:
                print(f"from here on with {now} pictures, until now {before}")

    def save_state(self, training: Training) -> None:
        buffer = io.BytesIO()
        torch.save(state_of(training), buffer)
        write_atomically(self.path / STATE_FILE, buffer.getvalue())

    def log(self, line: Mapping[str, float]) -> None:
        """Raises OSError."""
        add_lines(self.path / LOG_FILE, [json.dumps(line).encode()])

    def _forget_lines_after(self, images_shown: int) -> None:
        """The steps after a state are made again, and so are their lines."""
        file = self.path / LOG_FILE
        if not file.exists():
            return
        before = file.read_text(encoding="utf-8")
        kept = "".join(
            line for line in before.splitlines(keepends=True) if _is_until(line, images_shown)
        )
        if kept != before:
            write_atomically(file, kept.encode())

    def write_once(self, name: str, make: Callable[[], bytes]) -> None:
        if not (self.path / name).exists():
            write_atomically(self.path / name, make())

    def lacks_weights(self) -> bool:
        names = (GENERATOR_FILE, DISCRIMINATOR_FILE)
        return not all((self.path / name).is_file() for name in names)

    def save_weights(self, training: Training) -> None:
        """What the next links of the chain read: the EMA generator and the discriminator.

        Raises TrainingError for weights that ran away.
        """
        try:
            save_generator(training.G_ema, self.path / GENERATOR_FILE)
            save_discriminator(training.D, self.path / DISCRIMINATOR_FILE)
            if training.codes is not None:
                save_codes(training.codes, self.path / CODES_FILE)
        except CheckpointError as fault:
            raise TrainingError(f"{fault}: the training ran away.") from fault


def _changes(file: Path, state: Mapping[str, object], name: str, ours: Mapping[str, object]) -> str:
    """The entries of a saved configuration that differ from ours, in words; empty: none."""
    theirs = state.get(name)
    if not isinstance(theirs, dict):
        raise TrainingError(f"{file}: there is no {name} in it; it is not of a training run.")
    return ", ".join(
        f"{key} {theirs[key]} -> {value}"
        for key, value in ours.items()
        if key in theirs and theirs[key] != value
    )


def _is_until(line: str, images_shown: int) -> bool:
    """Whether it is a whole line of the log, of no more pictures than that."""
    try:
        return line.endswith("\n") and round(json.loads(line)["kimg"] * 1000) <= images_shown
    except (ValueError, KeyError, TypeError):
        return False


def read_state(file: Path) -> dict[str, object]:
    """The dict in a file of `save_state`. Raises TrainingError for any damage: torch does not
    look at the check sums of its archives, so they are compared first."""
    try:
        with zipfile.ZipFile(file) as archive:
            damaged = archive.testzip()
        if damaged is not None:
            raise zipfile.BadZipFile(f"the check sum of {damaged} is wrong")
        state = torch.load(file, map_location="cpu", weights_only=True)
        if not isinstance(state, dict):
            raise zipfile.BadZipFile(f"it holds a {type(state).__name__}")
    except (*ZIP_FAULTS, RuntimeError, pickle.UnpicklingError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise TrainingError(
            f"{file}: the state of this run is damaged ({reason}). "
            "Use a copy of it, or a new run folder."
        ) from error
    return state


def sheet(pictures: NDArray[np.uint8]) -> bytes:
    """A PNG of the first 60 of pictures [N, 3, R, R], ten to a row."""
    n = SHEET_COLUMNS * SHEET_ROWS
    size = pictures.shape[-1]
    page = np.zeros((n, 3, size, size), np.uint8)
    page[: min(n, len(pictures))] = pictures[:n]
    page = page.reshape(SHEET_ROWS, SHEET_COLUMNS, 3, size, size).transpose(0, 3, 1, 4, 2)
    image = Image.fromarray(page.reshape(SHEET_ROWS * size, SHEET_COLUMNS * size, 3))
    buffer = io.BytesIO()
    image.save(buffer, "PNG", pnginfo=srgb_tag())
    return buffer.getvalue()
