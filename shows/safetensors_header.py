"""The header of a safetensors file: metadata, and what tensors it claims to hold.

Format: 8 bytes little-endian length, that many bytes of JSON, then the tensors' bytes.
Source: the safetensors format description, github.com/huggingface/safetensors.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shows.plain_file import open_plain
from shows.schema import ShowError

MAX_HEADER_BYTES = 1_000_000


@dataclass(frozen=True)
class TensorClaim:
    """dtype as in the file ("F32"), shape, and the bytes [begin, end) behind the header."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True)
class SafetensorsHeader:
    """metadata: text by name. tensors: by name."""

    metadata: dict[str, str]
    tensors: dict[str, TensorClaim]


def read_safetensors_header(path: Path, source: str) -> SafetensorsHeader:
    """The header alone, and a check that the file is as long as it says.

    source: the file's name in the faults. Raises ShowError.
    """
    try:
        with open_plain(path) as file:
            start = file.read(8 + MAX_HEADER_BYTES)
            file_bytes = file.seek(0, 2)
    except OSError as error:
        raise ShowError(f"{source} cannot be read: {error.strerror} ({path}).") from error
    header_bytes = int.from_bytes(start[:8], "little")
    if len(start) < 8 or header_bytes > MAX_HEADER_BYTES or len(start) < 8 + header_bytes:
        raise ShowError(f"{source} is no safetensors file, or is cut short ({path}).")
    try:
        header = _parse_header(start[8 : 8 + header_bytes])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ShowError(f"{source} has a broken safetensors header ({path}).") from error
    promised = 8 + header_bytes + max((claim.end for claim in header.tensors.values()), default=0)
    if file_bytes != promised:
        raise ShowError(
            f"{source} should be {promised} bytes long and is {file_bytes}; copy it again ({path})."
        )
    return header


def _parse_header(raw: bytes) -> SafetensorsHeader:
    entries = json.loads(raw.decode("utf-8"))
    metadata = entries.pop("__metadata__", {}) if isinstance(entries, dict) else None
    if not isinstance(entries, dict) or not isinstance(metadata, dict):
        raise ValueError("not a mapping")
    if not all(isinstance(value, str) for value in metadata.values()):
        raise ValueError("metadata must be text")
    return SafetensorsHeader(metadata, {name: _claim(entry) for name, entry in entries.items()})


def _claim(entry: dict[str, Any]) -> TensorClaim:
    begin, end = entry["data_offsets"]
    dtype, shape = entry["dtype"], tuple(entry["shape"])
    if not isinstance(dtype, str):
        raise ValueError("dtype must be text")
    if not all(type(number) is int and number >= 0 for number in (begin, end, *shape)):
        raise ValueError("sizes must be whole numbers")
    return TensorClaim(dtype, shape, begin, end)
