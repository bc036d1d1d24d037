"""Files that take their name only when all their bytes are on the disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from training.errors import TrainingError


@contextmanager
def written_whole(path: Path, work: Path, mark: str = "") -> Iterator[BinaryIO]:
    """A file to write to, which takes the place of `path` when the context is left without a fault.

    It lies beside `path` as `<name><mark>.partial`, always the same, so that what a killed run
    left is written over. work: where finished pictures lie, for the sentence. Raises TrainingError
    if it cannot be written, for example on a full disk.
    """
    partial = path.with_name(f"{path.name}{mark}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise TrainingError(
            f"{path} cannot be written: {error.strerror or error}. What is finished stays in "
            f"{work}, and the same command goes on from there."
        ) from error
