"""Safetensors files with a configuration and a content hash: nothing in them runs, and nothing is
made that is larger than the file.

The library's own reader is not used: here every number of the header is judged before a tensor is
made, and each fault has its sentence. A file is 8 bytes of header length, a JSON header of
{name: {dtype, shape, data_offsets}, "__metadata__": {text: text}}, and the tensors' bytes.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeGuard

import torch
from safetensors.torch import save
from torch import Tensor

from generator.errors import CheckpointError
from generator.regular_file import UnreadableFileError, read_regular_file

MOST_BYTES = 4 * 2**30
MOST_HEADER_BYTES = 4 * 2**20  # of the largest network it has 60 thousand
MOST_NAME = 200  # characters
MOST_AXES = 8
# weights are numbers with a point; nothing else is in a network of ours
DTYPES = {"F16": torch.float16, "BF16": torch.bfloat16, "F32": torch.float32, "F64": torch.float64}


@dataclass(frozen=True, eq=False)
class TensorFile:
    """config and tensors: as in the file, plain JSON and any numbers. content_hash: verified."""

    config: dict[str, Any]
    tensors: dict[str, Tensor]
    content_hash: str


def content_hash(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 (hex) over the configuration and every tensor's name, type, shape and bytes."""
    digest = hashlib.sha256(json.dumps(dict(config), sort_keys=True).encode())
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)};".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def write_tensor_file(
    path: Path,
    form: str,
    config: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
    dtype: torch.dtype,
) -> str:
    """Write tensors rounded to `dtype`, atomically; returns the content hash.

    Raises CheckpointError when a number is not finite in that type.
    """
    rounded = {name: t.detach().cpu().to(dtype).contiguous() for name, t in tensors.items()}
    name = _unbounded(rounded)
    if name is not None:
        raise CheckpointError(
            f"{path}: not written, because {name} holds a number that is not finite in {dtype}"
        )
    digest = content_hash(config, rounded)
    metadata = {"format": form, "config": json.dumps(dict(config)), "content_hash": digest}
    write_atomically(path, save(rounded, metadata))
    return digest


def read_tensor_file(path: Path, form: str, kind: str) -> TensorFile:
    """The file at `path`, whose metadata must name the format `form`; kind: what it should be.

    Raises CheckpointError when it is not one, is damaged, or its hash does not match.
    """
    try:
        data = read_regular_file(path, most_bytes=MOST_BYTES)
    except UnreadableFileError as error:
        raise CheckpointError(f"{path}: {error}") from error
    try:
        header, body = _split(data)
        metadata = _metadata(header)
        tensors = {name: _tensor(name, entry, body) for name, entry in _in_order(header, len(body))}
    except _HeaderError as error:
        raise CheckpointError(f"{path}: not a readable safetensors file ({error})") from error
    if metadata.get("format") != form:
        raise CheckpointError(
            f"{path}: a safetensors file, but not a {kind} of this project "
            f"(format {metadata.get('format')!r}; wanted {form!r})"
        )
    try:
        config = _json(metadata.get("config", ""))
    except _HeaderError as error:
        raise CheckpointError(f"{path}: the configuration in it is unusable ({error})") from error
    if type(config) is not dict:
        raise CheckpointError(f"{path}: the configuration in it is no mapping")
    digest = content_hash(config, tensors)
    if digest != metadata.get("content_hash"):
        raise CheckpointError(f"{path}: the content hash does not match; the file is damaged")
    return TensorFile(config, tensors, digest)


def write_atomically(path: Path, data: bytes) -> None:
    """Write, flush to the disk, then rename: a reader sees the old file or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        if os.name == "posix":  # the new name, too, outlives a loss of power
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
    finally:
        part.unlink(missing_ok=True)


class _HeaderError(Exception):
    """A clause, to stand in brackets."""


def _split(data: bytes) -> tuple[dict[str, Any], memoryview]:
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > len(data) - 8:
        raise _HeaderError("it ends before its header does")
    if length > MOST_HEADER_BYTES:
        raise _HeaderError(f"its header has more than {MOST_HEADER_BYTES} bytes")
    header = _json(data[8 : 8 + length])
    if type(header) is not dict:
        raise _HeaderError("its header is no mapping")
    return header, memoryview(data)[8 + length :]


def _json(text: str | bytes) -> object:
    try:
        value: object = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise _HeaderError("what should be JSON is not") from error
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _metadata(header: dict[str, Any]) -> dict[str, str]:
    metadata = header.pop("__metadata__", {})
    if type(metadata) is not dict or not all(type(text) is str for text in metadata.values()):
        raise _HeaderError("its metadata are no texts")
    return metadata


@dataclass(frozen=True)
class _Entry:
    dtype: torch.dtype
    shape: tuple[int, ...]
    begin: int
    end: int


def _in_order(header: dict[str, Any], size_bytes: int) -> list[tuple[str, _Entry]]:
    """The entries as they lie in the file: one after the other, without holes or overlaps."""
    entries = [(name, _entry(name, value)) for name, value in header.items()]
    entries.sort(key=lambda item: item[1].begin)
    position = 0
    for name, entry in entries:
        if entry.begin != position:
            raise _HeaderError(f"{name} does not begin where the tensor before it ends")
        position = entry.end
    if position != size_bytes:
        raise _HeaderError(f"its tensors need {position} bytes, and it brings {size_bytes}")
    return entries


def _entry(name: str, value: object) -> _Entry:
    if not 0 < len(name) <= MOST_NAME or type(value) is not dict:
        raise _HeaderError("it holds a tensor without a name or a description")
    dtype, shape, offsets = (value.get(key) for key in ("dtype", "shape", "data_offsets"))
    known = DTYPES.get(dtype) if isinstance(dtype, str) else None
    if known is None:
        raise _HeaderError(f"{name} is of the type {dtype!r}, not of {', '.join(DTYPES)}")
    if not _are_counts(shape) or len(shape) > MOST_AXES or 0 in shape:
        raise _HeaderError(f"{name} has no usable shape")
    if not _are_counts(offsets) or len(offsets) != 2:
        raise _HeaderError(f"{name} has no usable offsets")
    begin, end = offsets
    if end - begin != math.prod(shape) * known.itemsize:
        raise _HeaderError(f"{name} does not fill the bytes it claims")
    return _Entry(known, tuple(shape), begin, end)


def _are_counts(value: object) -> TypeGuard[list[int]]:
    return type(value) is list and all(type(n) is int and n >= 0 for n in value)


def _tensor(name: str, entry: _Entry, body: memoryview) -> Tensor:
    # a copy of its own: writable, and in line with what its type wants of addresses
    own = bytearray(body[entry.begin : entry.end])
    return torch.frombuffer(own, dtype=entry.dtype).reshape(entry.shape)


def _unbounded(tensors: Mapping[str, Tensor]) -> str | None:
    """The name of the first tensor that is not finite throughout."""
    return next((name for name, t in tensors.items() if not bool(t.isfinite().all())), None)
