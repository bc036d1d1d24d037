"""Pickles of published snapshots put together by hand, good and bad."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STOP = b"."
_CODES = {"f8": "Double", "f4": "Float", "f2": "Half", "i8": "Long", "i4": "Int", "i2": "Short",
          "i1": "Char", "u1": "Byte", "b1": "Bool"}  # fmt: skip


@dataclass(frozen=True)
class Global:
    module: str
    name: str


@dataclass(frozen=True)
class Apply:
    """`function(*arguments)`, then BUILD with `state` unless that is None."""

    function: object
    arguments: object
    state: object = None
    opcode: bytes = b"R"


@dataclass(frozen=True)
class Raw:
    """Opcodes as they are."""

    opcodes: bytes


@dataclass(frozen=True)
class Persistent:
    identity: object


def encode(value: object) -> bytes:
    """Opcodes that leave `value` on the stack."""
    match value:
        case Raw():
            return value.opcodes
        case Global():
            return b"c" + f"{value.module}\n{value.name}\n".encode()
        case Apply():
            built = b"" if value.state is None else encode(value.state) + b"b"
            return encode(value.function) + encode(value.arguments) + value.opcode + built
        case Persistent():
            return encode(value.identity) + b"Q"
        case None:
            return b"N"
        case bool():
            return b"\x88" if value else b"\x89"
        case int() if -(2**31) <= value < 2**31:
            return b"J" + struct.pack("<i", value)
        case int():
            return b"\x8a\x10" + value.to_bytes(16, "little", signed=True)
        case float():
            return b"G" + struct.pack(">d", value)
        case str():
            return b"X" + struct.pack("<I", len(value.encode())) + value.encode()
        case bytes():
            return b"B" + struct.pack("<I", len(value)) + value
        case tuple():
            return b"(" + b"".join(map(encode, value)) + b"t"
        case list():
            return b"](" + b"".join(map(encode, value)) + b"e"
        case dict():
            pairs = (encode(key) + encode(item) for key, item in value.items())
            return b"}(" + b"".join(pairs) + b"u"
    raise TypeError(type(value).__name__)


def dump(value: object) -> bytes:
    return b"\x80\x04" + encode(value) + STOP


def storage_blob(
    numbers: NDArray[np.generic],
    *,
    count: int | None = None,
    said_count: int | None = None,
    head: object = None,
    keys: object = None,
    magic: int = 0x1950A86A20F9469CFC6C,
    little_endian: bool = True,
    tail: bytes = b"",
) -> bytes:
    """A torch storage in the old format; the options make it lie."""
    count = numbers.size if count is None else count
    said_count = count if said_count is None else said_count
    kind = Global("torch", f"{_CODES[numbers.dtype.str[1:]]}Storage")
    if head is None:
        head = Persistent(("storage", kind, "7", "cuda:0", count, None))
    system = {"protocol_version": 1001, "little_endian": little_endian, "type_sizes": {"int": 4}}
    parts = [magic, 1001, system, head, ["7"] if keys is None else keys]
    raw = struct.pack("<q", said_count) + numbers.tobytes() + tail
    return b"".join(map(dump, parts)) + raw


def tensor(
    blob: bytes | Raw,
    offset: object = 0,
    sizes: object = (),
    strides: object = (),
) -> Apply:
    storage = Apply(Global("torch.storage", "_load_from_bytes"), (blob,))
    hooks = Apply(Global("collections", "OrderedDict"), ())
    arguments = (storage, offset, sizes, strides, False, hooks)
    return Apply(Global("torch._utils", "_rebuild_tensor_v2"), arguments)


def tensor_of(array: NDArray[np.generic]) -> Apply:
    strides = tuple(step // array.itemsize for step in np.ascontiguousarray(array).strides)
    return tensor(storage_blob(array), 0, array.shape, strides if array.shape else ())


def parameter_of(array: NDArray[np.generic]) -> Apply:
    hooks = Apply(Global("collections", "OrderedDict"), ())
    return Apply(Global("torch._utils", "_rebuild_parameter"), (tensor_of(array), True, hooks))


def module(
    class_name: object,
    *,
    parameters: Mapping[str, object] | None = None,
    buffers: Mapping[str, object] | None = None,
    modules: object = None,
    source: str = "",
    **record: object,
) -> Apply:
    """One stored network object; `record` overrides its fields, `state` among them."""
    state = {
        "_parameters": dict(parameters or {}),
        "_buffers": dict(buffers or {}),
        "_modules": {} if modules is None else modules,
        "_init_args": (),
        "_init_kwargs": Apply(Global("dnnlib.util", "EasyDict"), (), opcode=b"\x81"),
        "_non_persistent_buffers_set": Raw(b"\x8f"),
    }
    fields = {"type": "class", "version": 6, "module_src": source, "class_name": class_name}
    fields["state"] = state
    reconstruct = Global("torch_utils.persistence", "_reconstruct_persistent_obj")
    return Apply(reconstruct, ({**fields, **record},))


def snapshot(generator: object = None, **others: object) -> bytes:
    """A whole file; `generator` stands for G_ema."""
    generator = module("Generator") if generator is None else generator
    return dump({"training_set_kwargs": None, "G_ema": generator, **others})


def with_tensor(stored: object) -> bytes:
    return snapshot(module("Generator", buffers={"w_avg": stored}))
