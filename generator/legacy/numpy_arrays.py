"""NumPy's arrays inside pickles, read as data, in each way that NumPy has of writing them.

Protocols 2 to 4: `_reconstruct(ndarray, (0,), b"b")`, then a state of version, shape, type, order
and bytes. Protocol 5: `_frombuffer(bytes, type, shape, order)`. Protocol 2 has no bytes, so that
Python 3 writes them there as text, `_codecs.encode(text, "latin1")`, and Python 2 as its own
strings. Reference: numpy.ndarray.__reduce_ex__ and __setstate__.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from generator.legacy.pickle_machine import Call, PickleDataError, Symbol
from generator.legacy.torch_numbers import (
    Array,
    Budget,
    ScalarType,
    scalar,
    scalar_type,
    set_byte_order,
)

NDARRAY = Symbol("numpy", "ndarray")
MOST_AXES = 8


@dataclass(eq=False)
class StoredArray:
    """An array of the stream; values are None until its state has been set."""

    values: Array | None = None


class NumpyWords:
    """The words for arrays and numbers of one file, which together hold no more than the file."""

    def __init__(self, file_bytes: int) -> None:
        self._arrays = Budget(file_bytes, "its arrays would hold more than the whole file does")
        self._texts = Budget(file_bytes, "its arrays would hold more than the whole file does")

    def calls(self) -> Mapping[Symbol, Call]:
        """`NDARRAY` has to be among the inert symbols besides."""
        words: dict[Symbol, Call] = {
            Symbol("numpy", "dtype"): scalar_type,
            Symbol("_codecs", "encode"): self.encode,
        }
        for core in ("numpy.core", "numpy._core"):
            words[Symbol(f"{core}.multiarray", "scalar")] = scalar
            words[Symbol(f"{core}.multiarray", "_reconstruct")] = reconstruct
            words[Symbol(f"{core}.numeric", "_frombuffer")] = self.from_buffer
        return words

    def build(self, target: object, state: object) -> None:
        """Set the state of an array or of a number's type."""
        if not isinstance(target, StoredArray):
            set_byte_order(target, state)
            return
        if not isinstance(state, tuple) or len(state) != 5 or target.values is not None:
            raise PickleDataError("it holds an array in an unknown way")
        _, shape, kind, fortran, raw = state
        if isinstance(raw, str):
            raw = self.encode((raw, "latin1"))
        target.values = self.array(raw, kind, shape, fortran is True)

    def from_buffer(self, arguments: tuple[object, ...]) -> StoredArray:
        if len(arguments) != 4 or not isinstance(arguments[3], str):
            raise PickleDataError("it holds an array in an unknown way")
        raw, kind, shape, order = arguments
        return StoredArray(self.array(raw, kind, shape, order == "F"))

    def array(self, raw: object, kind: object, shape: object, fortran: bool) -> Array:
        """A view of the bytes; objects, big-endian numbers and lying sizes are refused."""
        if not isinstance(kind, ScalarType) or not kind.known_order:
            raise PickleDataError("it holds an array of an unknown type")
        if not isinstance(raw, memoryview) or not isinstance(shape, tuple):
            raise PickleDataError("it holds an array without bytes or without a shape")
        known = len(shape) <= MOST_AXES and all(type(n) is int and 0 < n < 2**31 for n in shape)
        dtype = np.dtype(kind.code).newbyteorder("<")
        if not known or math.prod(shape) * dtype.itemsize != len(raw):
            raise PickleDataError("it holds an array whose bytes do not fit its shape")
        self._arrays.spend(len(raw))
        line: Array = np.frombuffer(raw, dtype)
        return line.reshape(shape[::-1]).T if fortran else line.reshape(shape)

    def encode(self, arguments: tuple[object, ...]) -> memoryview:
        """`_codecs.encode` for the one purpose that pickles have for it: bytes as text."""
        text, encoding = arguments if len(arguments) == 2 else (None, None)
        if not isinstance(text, str) or not isinstance(encoding, str) or encoding != "latin1":
            raise PickleDataError("it encodes a text in an unknown way")
        self._texts.spend(len(text))
        try:
            return memoryview(text.encode("latin-1"))
        except UnicodeEncodeError as error:
            raise PickleDataError("it holds a text that is not bytes") from error


def reconstruct(arguments: tuple[object, ...]) -> StoredArray:
    made = arguments[0] if len(arguments) == 3 else None
    if not isinstance(made, Symbol) or made != NDARRAY:
        raise PickleDataError("it makes an array in an unknown way")
    return StoredArray()
