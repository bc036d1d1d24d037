"""Pickles of plain values, NumPy arrays and named objects, whose classes need not exist here.

Rejected: `pickle.Pickler`, which imports every class it writes and checks that it is the same one,
so that a stand-in module would have to be put where another program's belongs.
Opcodes of protocol 3, which every Python 3 reads (reference: CPython, Lib/pickletools.py).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class GlobalName:
    """A class or function of the reader's, by name."""

    module: str
    name: str


@dataclass(frozen=True)
class Applied:
    """function(*arguments), or an empty instance of a class, with a state set unless it is None."""

    function: GlobalName
    arguments: tuple[object, ...]
    state: object = None
    makes_instance: bool = False


# the old name of NumPy's core: old readers know no other, and new ones still know it
_RECONSTRUCT = GlobalName("numpy.core.multiarray", "_reconstruct")
_NDARRAY = GlobalName("numpy", "ndarray")
_DTYPE = GlobalName("numpy", "dtype")


def pickle_bytes(value: object) -> bytes:
    """A whole pickle. Raises TypeError for a value of another kind."""
    return b"".join([b"\x80\x03", *_opcodes(value), b"."])


def _opcodes(value: object) -> Iterator[bytes]:
    match value:
        case None:
            yield b"N"
        case bool():
            yield b"\x88" if value else b"\x89"
        case int():
            yield b"J" + struct.pack("<i", value)
        case float():
            yield b"G" + struct.pack(">d", value)
        case str():
            text = value.encode()
            yield b"X" + struct.pack("<I", len(text)) + text
        case bytes():
            yield b"B" + struct.pack("<I", len(value))
            yield value
        case tuple():
            yield from _between(b"(", value, b"t")
        case list():
            yield from _between(b"](", value, b"e")
        case dict():
            yield from _between(b"}(", [part for pair in value.items() for part in pair], b"u")
        case GlobalName():
            yield f"c{value.module}\n{value.name}\n".encode("ascii")
        case Applied():
            yield from _opcodes(value.function)
            yield from _opcodes(value.arguments)
            yield b"\x81" if value.makes_instance else b"R"
            if value.state is not None:
                yield from _opcodes(value.state)
                yield b"b"
        case np.ndarray():
            yield from _opcodes(_array(value))
        case _:
            raise TypeError(f"{type(value).__name__} has no opcodes here")


def _between(
    begin: bytes, values: list[object] | tuple[object, ...], end: bytes
) -> Iterator[bytes]:
    yield begin
    for value in values:
        yield from _opcodes(value)
    yield end


def _array(array: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> Applied:
    """As ndarray.__reduce__ has it: an empty array, then version, shape, type, order and bytes."""
    little = array.astype("<f4")
    kind = Applied(_DTYPE, ("f4", False, True), (3, "<", None, None, None, -1, -1, 0))
    state = (1, little.shape, kind, False, little.tobytes())
    return Applied(_RECONSTRUCT, (_NDARRAY, (0,), b"b"), state)
