"""Arrays in .npy and .npz files that may come from anywhere: read as numbers, never unpickled."""

from __future__ import annotations

import math
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from shows.plain_file import open_plain
from training.errors import TrainingError

LARGEST_BYTES = 256 * 1024 * 1024
# the published projector writes `w`; the others are usual
ARRAY_NAMES = ("w", "ws", "z", "projected_w", "latents")
_FAULTS = (
    OSError, ValueError, EOFError, SyntaxError, TypeError, RecursionError, MemoryError,
    OverflowError, RuntimeError, tokenize.TokenError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def read_numpy(path: Path) -> tuple[NDArray[np.float32], str | None]:
    """The one array of a .npy file, or of a .npz file that holds one or names it as above; with
    its name there. All numbers finite. Raises TrainingError."""
    try:
        with open_plain(path) as file:
            if path.suffix == ".npy":
                name, array = None, _read_array(file, file.seek(0, 2))
            else:
                with zipfile.ZipFile(file) as archive:
                    name = _array_name(archive.namelist())
                    member = archive.getinfo(f"{name}.npy")
                    with archive.open(member) as stream:
                        array = _read_array(stream, member.file_size)
    except _FAULTS as fault:
        said = str(fault)[:200] or type(fault).__name__
        raise TrainingError(f"{path} cannot be read as latents: {said}.") from fault
    if not np.isfinite(array).all():
        raise TrainingError(
            f"{path} holds numbers that are not finite (NaN or infinity); its projection failed."
        )
    return array, name


def _array_name(members: list[str]) -> str:
    names = [member.removesuffix(".npy") for member in members if member.endswith(".npy")]
    known = [name for name in names if name in ARRAY_NAMES]
    if len(known or names) == 1:
        return (known or names)[0]
    held = ", ".join(names)[:100] or "none"
    raise ValueError(f"wanted is one array called {' or '.join(ARRAY_NAMES[:3])}; it has {held}")


def _read_array(stream: IO[bytes], file_bytes: int) -> NDArray[np.float32]:
    """Nothing is allocated before the header was found to tell the file's true size."""
    stream.seek(0)
    if file_bytes > LARGEST_BYTES:
        raise ValueError(f"it is larger than {LARGEST_BYTES >> 20} MiB")
    version = npy.read_magic(stream)
    read_header: Any = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, fortran, dtype = read_header(stream)
    if dtype.kind != "f":
        raise ValueError(f"it holds {dtype}, not floating-point numbers")
    if any(size < 1 for size in shape):
        raise ValueError(f"its shape {list(shape)} is empty")
    wanted = math.prod(shape) * dtype.itemsize
    if stream.tell() + wanted != file_bytes:
        raise ValueError(f"its shape {list(shape)} does not fit its {file_bytes} bytes")
    numbers = np.frombuffer(stream.read(wanted), dtype)
    # a number too large for float32 becomes infinite, which the caller refuses
    with np.errstate(over="ignore"):
        return numbers.reshape(shape, order="F" if fortran else "C").astype(np.float32, order="C")
