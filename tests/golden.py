"""Where the reference numbers are, and why a test that needs them is skipped without them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

BESIDE_THE_REPOSITORY = Path(__file__).parents[2] / "shared" / "golden"


def golden_folder() -> Path:
    """The folder of reference numbers; skips the calling test when there is none."""
    named = os.environ.get("GOLDEN_DIR")
    folder = Path(named) if named else BESIDE_THE_REPOSITORY
    if not folder.is_dir():
        pytest.skip(
            f"no reference numbers: neither GOLDEN_DIR ({named or 'not set'}) nor "
            f"../shared/golden beside the repository is a folder"
        )
    return folder


def golden_arrays(name: str) -> dict[str, NDArray[Any]]:
    """All arrays of one file of the folder."""
    with np.load(golden_folder() / name, allow_pickle=False) as file:
        return {key: file[key] for key in file.files}
