"""Where the reference numbers are, who compares them, and why a test is skipped without them.

A test says with `@compares(file, pattern...)` which arrays it will compare, and fails if it does
not; `tests/test_golden_coverage.py` fails if an array is in nobody's claim.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, ParamSpec

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

BESIDE_THE_REPOSITORY = Path(__file__).parents[2] / "shared" / "golden"

Array = NDArray[Any]
Arguments = ParamSpec("Arguments")


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


def golden_arrays(name: str) -> dict[str, Array]:
    """All arrays of one file of the folder, to keep."""
    return {key: array.copy() for key, array in _arrays(golden_folder() / name).items()}


@functools.cache
def _arrays(path: Path) -> Mapping[str, Array]:
    with np.load(path, allow_pickle=False) as file:
        return {key: file[key] for key in file.files}


@dataclass(frozen=True)
class Claim:
    """The arrays of `file` that a test promises to compare; {words} are the test's parameters."""

    test: Callable[..., None]
    file: str
    patterns: tuple[str, ...]

    def filled(self) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        """(the test with its parameters, file, patterns) of every run of the test."""
        name = f"{self.test.__module__.rpartition('.')[2]}.{self.test.__name__}"
        # another decorator may stand around this one
        outermost = getattr(sys.modules[self.test.__module__], self.test.__name__)
        for values in _runs(outermost):
            words = ", ".join(f"{k}={v}" for k, v in values.items())
            patterns = tuple(pattern.format(**values) for pattern in self.patterns)
            yield f"{name}[{words}]" if words else name, self.file.format(**values), patterns


CLAIMS: list[Claim] = []
_compared: set[tuple[str, str]] = set()


def compares(
    file: str, *patterns: str
) -> Callable[[Callable[Arguments, None]], Callable[Arguments, None]]:
    """The decorated test compares all arrays of `file` that match; it fails if it left one out."""

    def decorate(test: Callable[Arguments, None]) -> Callable[Arguments, None]:
        @functools.wraps(test)
        def checked(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
            test(*args, **kwargs)
            values = inspect.signature(test).bind(*args, **kwargs).arguments
            name = file.format(**values)
            wanted = matching(
                _arrays(golden_folder() / name), [p.format(**values) for p in patterns]
            )
            assert wanted, f"{patterns} match nothing in {name}"
            left_out = sorted(key for key in wanted if (name, key) not in _compared)
            assert not left_out, f"not compared, though claimed: {left_out}"

        CLAIMS.append(Claim(checked, file, patterns))
        return checked

    return decorate


def matching(names: Iterable[str], patterns: Iterable[str]) -> list[str]:
    return [name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns)]


def met(
    file: str,
    name: str,
    got: ArrayLike,
    *,
    of_max: float = 0.0,
    relative: float = 0.0,
    absolute: ArrayLike = 0.0,
) -> None:
    """Assert that `got` is array `name` of `file`, within the sum of the three tolerances: of its
    largest absolute value, of each value, and plain. NaN in the file (no gradient) is as good as 0.
    """
    wanted = np.nan_to_num(_arrays(golden_folder() / file)[name])
    ours = np.asarray(got)
    assert ours.shape == wanted.shape, f"{name} is {ours.shape}, not {wanted.shape}"
    difference = np.abs(ours.astype(np.float64) - wanted)
    largest = float(np.abs(wanted).max())
    allowed = of_max * largest + relative * np.abs(wanted) + np.asarray(absolute)
    error = float(difference.max()) / (largest or 1.0)
    print(f"{file} {name:32} {wanted.shape!s:18} error {error:.1e} of its largest value")
    assert (difference <= allowed).all(), f"{name}: {error:.2e} of its largest value is too far"
    _compared.add((file, name))


def met_names(file: str, name: str, names: Iterable[str]) -> None:
    """Assert that array `name` holds these names, as JSON in bytes, in any order."""
    assert sorted(json.loads(bytes(_arrays(golden_folder() / file)[name]))) == sorted(names), name
    _compared.add((file, name))


def _runs(test: Callable[..., None]) -> Iterator[dict[str, Any]]:
    """The parameters of every run, from the test's parametrize marks."""
    choices: list[list[dict[str, Any]]] = []
    for mark in getattr(test, "pytestmark", []):
        if mark.name != "parametrize":
            continue
        names, rows = mark.args[0], mark.args[1]
        keys = [key.strip() for key in names.split(",")] if isinstance(names, str) else names
        choices.append(
            [dict(zip(keys, [row] if len(keys) == 1 else row, strict=True)) for row in rows]
        )
    for chosen in itertools.product(*choices):
        yield {key: value for part in chosen for key, value in part.items()}
