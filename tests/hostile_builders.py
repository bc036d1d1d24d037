"""Parts that hostile streams are put together of."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np

from tests.legacy_files import (
    Global,
    Raw,
    encode,
    module,
    snapshot,
    storage_blob,
    tensor,
    tensor_of,
)

Builder = Callable[[], bytes]  # makes the bytes of a whole file
HEAD = b"\x80\x04"
LAYER = module("SynthesisLayer")


def u64(number: int) -> bytes:
    return struct.pack("<Q", number)


def doubled(wrap: Callable[[bytes, bytes], bytes], innermost: bytes, levels: int) -> Raw:
    """Each level holds the one below twice: 2**levels paths in a short file.

    `wrap` gets opcodes that make and remember the level below, and opcodes that recall it.
    """
    opcodes = innermost
    for level in range(levels):
        index = struct.pack("<I", level)
        opcodes = wrap(opcodes + b"r" + index, b"j" + index)
    return Raw(opcodes)


def module_of_two(make: bytes, recall: bytes) -> bytes:
    both = Raw(b"}(" + encode("a") + make + encode("b") + recall + b"u")
    return encode(module("SynthesisLayer", modules=both))


def list_of_two(make: bytes, recall: bytes) -> bytes:
    return b"](" + make + recall + b"e"


def tuple_of_two(make: bytes, recall: bytes) -> bytes:
    return make + recall + b"\x86"


def dict_of_two(make: bytes, recall: bytes) -> bytes:
    return b"}(" + encode("a") + make + encode("b") + recall + b"u"


def with_kwargs(kwargs: object) -> bytes:
    state = {
        "_parameters": {},
        "_buffers": {"w_avg": tensor_of(np.zeros(4, "<f4"))},
        "_modules": {},
        "_init_kwargs": kwargs,
    }
    return snapshot(module("Generator", state=state))


def with_modules(modules: object) -> bytes:
    return snapshot(module("Generator", modules=modules))


def many_sets() -> bytes:
    names = b"".join(b"\x8c\x04" + b"%04x" % k for k in range(20_000))
    words = encode(Global("builtins", "set")) + b"q\x00](" + names + b"e\x85q\x01"
    return snapshot(extra=Raw(b"](" + words + b"h\x00h\x01R" * 60_000 + b"e"))


def many_names() -> bytes:
    one = Raw(encode(tensor_of(np.zeros(20_000))) + b"r\x00\x01\x00\x00")
    names = {f"t{k}": Raw(b"j\x00\x01\x00\x00") for k in range(15_000)}
    return snapshot(module("Generator", buffers={"w_avg": one, **names}))


def many_tensors() -> bytes:
    blob = storage_blob(np.zeros(1, "<f8"))
    first = encode(tensor(Raw(encode(blob) + b"q\x00"), 0, (1,), (1,)))
    return snapshot(extra=Raw(b"](" + first + encode(tensor(Raw(b"h\x00"), 0, (), ())) * 12_000))
