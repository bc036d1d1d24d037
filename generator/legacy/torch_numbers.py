"""The numbers inside published snapshots: torch's tensors and storages, NumPy's scalars.

torch's old, non-zip storage format (torch.save before version 1.6) is five pickles and raw bytes:
magic number, protocol, system, a persistent id that tells kind and count, the list of keys, then
an int64 that repeats the count and the numbers. All of it is read as data, with numpy.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generator.legacy.pickle_machine import PickleDataError, Symbol, Vocabulary, run_pickle

Array = NDArray[Any]

_TORCH_MAGIC = 0x1950A86A20F9469CFC6C
_TORCH_PROTOCOL = 1001
_MAX_HEAD_BYTES = 4096  # of one storage; torch writes about 500
_MAX_HEADS_BYTES = 4 * 2**20  # of all storages of a file, so that time does not grow with its size
_STORAGE_DTYPES: Mapping[Symbol, np.dtype[Any]] = {
    Symbol("torch", f"{name}Storage"): np.dtype(code)
    for name, code in {
        "Double": "<f8", "Float": "<f4", "Half": "<f2", "Long": "<i8", "Int": "<i4",
        "Short": "<i2", "Char": "i1", "Byte": "u1", "Bool": "?",
    }.items()
}  # fmt: skip
_SCALAR_CODES = frozenset({"f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"})


class Budget:
    """How much of one kind of thing a file may still unfold to, say bytes: as many as it has.

    Without it a short file could name the same bytes again and again.
    """

    def __init__(
        self, limit: int, excess: str = "its tensors would hold more than the whole file does"
    ) -> None:
        self.left = limit
        self.excess = excess

    def spend(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise PickleDataError(self.excess)


@dataclass
class ScalarType:
    code: str
    known_order: bool = False


def parameter(arguments: tuple[object, ...]) -> Array:
    if len(arguments) != 3 or not isinstance(arguments[0], np.ndarray):
        raise PickleDataError("it holds a parameter that is no tensor")
    return arguments[0]


def tensor(arguments: tuple[object, ...], budget: Budget) -> Array:
    """A copy of a strided view of a storage; sizes and strides count elements."""
    if len(arguments) not in (6, 7) or not isinstance(arguments[0], np.ndarray):
        raise PickleDataError("it holds a tensor without a storage")
    storage, (offset, sizes, strides) = arguments[0], arguments[1:4]
    if storage.ndim != 1 or not _is_count(offset) or not _are_counts(sizes, strides):
        raise PickleDataError("it holds a tensor with a wrong offset, size or stride")
    assert isinstance(offset, int) and isinstance(sizes, tuple) and isinstance(strides, tuple)
    count = math.prod(sizes)
    last = offset + sum((n - 1) * stride for n, stride in zip(sizes, strides, strict=True))
    if not count:
        raise PickleDataError("it holds a tensor without numbers")
    if last >= len(storage):
        raise PickleDataError("it holds a tensor that reaches beyond its storage")
    width = storage.itemsize
    budget.spend(count * width)
    # this constructor, unlike as_strided, checks once more that all lies inside the storage
    view: Array = np.ndarray(
        sizes, storage.dtype, storage, offset * width, tuple(stride * width for stride in strides)
    )
    return view.copy()


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**40


def _are_counts(sizes: object, strides: object) -> bool:
    if not isinstance(sizes, tuple) or not isinstance(strides, tuple):
        return False
    return len(sizes) == len(strides) <= 8 and all(_is_count(n) for n in sizes + strides)


class Storages:
    """Reads the storages of one file, all together within its size."""

    def __init__(self, file_bytes: int) -> None:
        self._bytes = Budget(file_bytes)
        self._heads = Budget(_MAX_HEADS_BYTES, "its tensors have more to say than numbers")
        self._preamble = b""  # one that was found right; torch writes the same into each storage

    def read(self, arguments: tuple[object, ...]) -> Array:
        """Numbers of one storage, as a view [count] of the file's bytes."""
        blob = arguments[0] if len(arguments) == 1 else None
        if not isinstance(blob, memoryview):
            raise PickleDataError("it holds a storage that is not bytes")
        self._bytes.spend(len(blob))
        heads = blob[:_MAX_HEAD_BYTES]
        if not self._preamble or heads[: len(self._preamble)] != self._preamble:
            self._preamble = _checked_preamble(heads)
        head, end_byte = run_pickle(heads, _HEAD_WORDS, start_byte=len(self._preamble))
        keys, end_byte = run_pickle(heads, _HEAD_WORDS, start_byte=end_byte)
        self._heads.spend(end_byte)
        if not isinstance(head, _StorageHead) or keys != [head.key]:
            raise PickleDataError("it holds a storage whose list of keys does not fit")
        said_bytes = 8 + head.count * head.dtype.itemsize  # an int64 repeats the count
        said_again = int.from_bytes(blob[end_byte : end_byte + 8], "little")
        if len(blob) - end_byte != said_bytes or said_again != head.count:
            raise PickleDataError("it holds a storage whose length is not what it says")
        return np.frombuffer(blob, head.dtype, head.count, end_byte + 8)


def _checked_preamble(heads: memoryview) -> bytes:
    """The bytes of magic number, protocol and system, which say little-endian old format."""
    magic, end_byte = run_pickle(heads, _HEAD_WORDS)
    protocol, end_byte = run_pickle(heads, _HEAD_WORDS, start_byte=end_byte)
    system, end_byte = run_pickle(heads, _HEAD_WORDS, start_byte=end_byte)
    if magic != _TORCH_MAGIC or protocol != _TORCH_PROTOCOL:
        raise PickleDataError("it holds a storage that is not in torch's old format")
    if type(system) is not dict or system.get("little_endian") is not True:
        raise PickleDataError("it holds a storage of a big-endian machine")
    return bytes(heads[:end_byte])


@dataclass(frozen=True)
class _StorageHead:
    dtype: np.dtype[Any]
    key: str
    count: int


def _storage_head(identity: object) -> _StorageHead:
    if not isinstance(identity, tuple) or len(identity) != 6 or identity[0] != "storage":
        raise PickleDataError("it refers to something else than a storage")
    _, symbol, key, _, count, view = identity
    dtype = _STORAGE_DTYPES.get(symbol) if isinstance(symbol, Symbol) else None
    if dtype is None or not isinstance(key, str) or not _is_count(count) or view is not None:
        raise PickleDataError("it holds a storage of an unknown kind")
    assert isinstance(count, int)
    return _StorageHead(dtype, key, count)


_HEAD_WORDS = Vocabulary(inert=frozenset(_STORAGE_DTYPES), persistent=_storage_head)


def scalar_type(arguments: tuple[object, ...]) -> ScalarType:
    code = arguments[0] if arguments else None
    if not isinstance(code, str) or code not in _SCALAR_CODES:
        raise PickleDataError("it holds a NumPy number of an unknown type")
    return ScalarType(code)


def set_byte_order(target: object, state: object) -> None:
    order = state[1] if isinstance(state, tuple) and len(state) >= 2 else None
    known = isinstance(order, str) and order in ("<", "|")
    inside = state[2:5] if isinstance(state, tuple) else ()  # of a type with fields or an inner one
    simple = all(part is None for part in inside)
    if not isinstance(target, ScalarType) or not known or not simple:
        raise PickleDataError("it sets the state of an object that has none")
    target.known_order = True


def scalar(arguments: tuple[object, ...]) -> object:
    if len(arguments) != 2:
        raise PickleDataError("it holds a NumPy number in an unknown way")
    kind, raw = arguments
    if not isinstance(kind, ScalarType) or not kind.known_order:
        raise PickleDataError("it holds a NumPy number without a type")
    dtype = np.dtype(kind.code).newbyteorder("<")
    if not isinstance(raw, memoryview) or len(raw) != dtype.itemsize:
        raise PickleDataError("it holds a NumPy number of a wrong length")
    value: object = np.frombuffer(raw, dtype)[0].item()
    return value
