"""Tensors and arrays that lie: a part of the corpus of hostile pickles.

NUMBERS: name -> (what it tries, what the refusal says, the object), to stand where a network has a
tensor. ARRAYS: the same for the variables of a pickle of the TensorFlow implementation.
"""

from __future__ import annotations

import pickle

import numpy as np

from tests.hostile_calls import RUN_SYSTEM
from tests.hostile_words import DTYPE, LOAD_BYTES, PARAMETER, TENSOR
from tests.legacy_files import (
    Apply,
    Global,
    Persistent,
    Raw,
    dump,
    encode,
    module,
    storage_blob,
    tensor,
    tensor_of,
)

FLOATS = np.arange(24, dtype="<f4")
BLOB = storage_blob(FLOATS)
KIND = Global("torch", "FloatStorage")
HEAD = ("storage", KIND, "7", "cpu", 24, None)
WRONG = "wrong offset, size or stride"
BEYOND = "beyond its storage"
LENGTH = "whose length is not what it says"
UNKNOWN = "a storage of an unknown kind"


def one(blob: bytes) -> Apply:
    return tensor(blob, 0, (1,), (1,))


def headed(*identity: object) -> Apply:
    return one(storage_blob(FLOATS, head=Persistent(identity)))


NUMBERS: dict[str, tuple[str, str, object]] = {
    "beyond the end": ("read one number too many", BEYOND, tensor(BLOB, 0, (25,), (1,))),
    "stride beyond the end": ("step out", BEYOND, tensor(BLOB, 0, (4, 6), (7, 1))),
    "offset beyond the end": ("begin outside", BEYOND, tensor(BLOB, 24, (), ())),
    "huge offset": ("overflow an address", WRONG, tensor(BLOB, 2**62, (1,), (1,))),
    "huge stride": ("overflow an address", WRONG, tensor(BLOB, 0, (2,), (2**62,))),
    "negative offset": ("read what lies before", WRONG, tensor(BLOB, -1, (1,), (1,))),
    "negative stride": ("step backwards out", WRONG, tensor(BLOB, 5, (3,), (-1,))),
    "negative size": ("a negative count", WRONG, tensor(BLOB, 0, (-3,), (1,))),
    "more sizes than strides": ("axes without steps", WRONG, tensor(BLOB, 0, (4, 6), (6,))),
    "sizes that are no tuple": ("lists that change", WRONG, tensor(BLOB, 0, [4], [1])),
    "sizes that are texts": ("texts for counts", WRONG, tensor(BLOB, 0, ("4",), (1,))),
    "sizes that are truths": ("True for 1", WRONG, tensor(BLOB, True, (True,), (True,))),
    "nine axes": ("more axes than any", WRONG, tensor(BLOB, 0, (1,) * 9, (1,) * 9)),
    "unfolded by stride 0": (
        "4 GB out of 24 numbers",
        "whole file",
        tensor(BLOB, 0, (2**30,), (0,)),
    ),
    "unfolded on many axes": (
        "a size beyond any integer",
        "whole file",
        tensor(BLOB, 0, (2**39,) * 8, (0,) * 8),
    ),
    "overlapping windows": (
        "the same numbers again and again",
        "whole file",
        tensor(BLOB, 0, (23, 2) * 3, (0, 1, 0, 0, 0, 0)),
    ),
    "an empty axis beside huge ones": (
        "a huge shape of no numbers",
        "without numbers",
        tensor(BLOB, 0, (0, 2**39, 2**39), (0, 0, 0)),
    ),
    "huge storage": ("2 TB in a head", LENGTH, one(storage_blob(FLOATS, count=2**39))),
    "count beyond any": (
        "a count of 91 bits",
        UNKNOWN,
        one(storage_blob(FLOATS, count=2**90, said_count=1)),
    ),
    "negative storage": ("a negative count", UNKNOWN, one(storage_blob(FLOATS, count=-1))),
    "two counts": ("two counts that differ", LENGTH, one(storage_blob(FLOATS, said_count=23))),
    "another type": (
        "read floats as doubles, beyond their end",
        LENGTH,
        headed("storage", Global("torch", "DoubleStorage"), *HEAD[2:]),
    ),
    "bytes left over": ("bytes behind the numbers", LENGTH, one(storage_blob(FLOATS, tail=b"x"))),
    "storage of nothing": ("no numbers", BEYOND, tensor(storage_blob(FLOATS[:0]), 0, (1,), (1,))),
    "cut storage": ("fewer bytes than numbers", LENGTH, one(BLOB[:-1])),
    "empty storage": ("no bytes at all", "ends too early", one(b"")),
    "wrong magic": ("another format", "torch's old format", one(storage_blob(FLOATS, magic=5))),
    "big-endian": (
        "numbers in the other order",
        "big-endian",
        one(storage_blob(FLOATS, little_endian=False)),
    ),
    "wrong keys": (
        "keys of another storage",
        "keys does not",
        one(storage_blob(FLOATS, keys=["8"])),
    ),
    "call in the keys": (
        "call inside of a storage",
        "it names os.system",
        one(storage_blob(FLOATS, keys=RUN_SYSTEM)),
    ),
    "call in a head": (
        "call for a storage's device",
        "it names os.system",
        headed("storage", KIND, "7", RUN_SYSTEM, 24, None),
    ),
    "long head": (
        "a head of a megabyte",
        "ends too early",
        one(storage_blob(FLOATS, keys=["7" * 2**20])),
    ),
    "laughs in the keys": (
        "keys that unfold without end",
        "keys does not fit",
        one(storage_blob(FLOATS, keys=Raw(b"]\x94" + b"(h\x00h\x00e\x94" * 9))),
    ),
    "no persistent id": (
        "a text for a head",
        "keys does not fit",
        one(storage_blob(FLOATS, head="7")),
    ),
    "persistent id of a module": (
        "program text beside a storage",
        "something else than a storage",
        headed("module", "a", "b", "c"),
    ),
    "storage named by a text": (
        "a text for a type",
        UNKNOWN,
        headed("storage", "FloatStorage", *HEAD[2:]),
    ),
    "storage of another class": (
        "a class of torch's for a type",
        "it names torch.nn.Module",
        headed("storage", Global("torch.nn", "Module"), *HEAD[2:]),
    ),
    "view of a storage": ("a view with its own numbers", UNKNOWN, headed(*HEAD[:5], ("7", 0, 1))),
    "zip format": ("torch's newer format", "opcode 0x50", one(b"PK\x03\x04" + bytes(50))),
    "tensor of a tensor": (
        "a tensor for a storage",
        WRONG,
        Apply(TENSOR, (tensor_of(FLOATS.reshape(4, 6)), 0, (4,), (1,), False, None)),
    ),
    "parameter of a parameter's text": (
        "no tensor inside",
        "no tensor",
        Apply(PARAMETER, ("x", 1, None)),
    ),
    "a text for a tensor": ("a text for numbers", "is no tensor", "weights"),
    "a network for a tensor": ("a network for numbers", "is no tensor", module("Generator")),
    "one storage again and again": (
        "megabytes out of 24 numbers",
        "whole file",
        Raw(
            b"]("
            + encode(tensor(Raw(encode(BLOB) + b"r\xff\x00\x00\x00"), 0, (24,), (1,)))
            + encode(tensor(Raw(b"h\xff"), 0, (24,), (1,))) * 30
            + b"e"
        ),
    ),
    "one head again and again": (
        "read the head of one storage 80 000 times",
        "whole file",
        Raw(
            b"]("
            + encode(LOAD_BYTES)
            + b"q\x00"
            + encode((BLOB,))
            + b"q\x01R"
            + b"h\x00h\x01R" * 80_000
            + b"e"
        ),
    ),
}

RECONSTRUCT = Global("numpy.core.multiarray", "_reconstruct")
NDARRAY = Global("numpy", "ndarray")
F4 = Apply(DTYPE, ("f4", False, True), (3, "<", None, None, None, -1, -1, 0))
OBJECTS = Apply(DTYPE, ("O8", False, True), (3, "|", None, None, None, -1, -1, 63))
UNKNOWN_TYPE = "unknown type"
SHAPE = "bytes do not fit its shape"


def array(
    shape: object, dtype: object = F4, raw: object = bytes(96), *, kind: object = NDARRAY
) -> Apply:
    return Apply(RECONSTRUCT, (kind, (0,), b"b"), (1, shape, dtype, False, raw))


ARRAYS: dict[str, tuple[str, str, object]] = {
    "array of objects": (
        "an array of pointers out of a list",
        UNKNOWN_TYPE,
        array((1,), OBJECTS, [RUN_SYSTEM.function]),
    ),
    "array of objects in bytes": (
        "an array whose bytes are addresses",
        UNKNOWN_TYPE,
        array((12,), OBJECTS, bytes(96)),
    ),
    "array too large": ("read beyond its bytes", SHAPE, array((25,))),
    "array too small": ("bytes behind the numbers", SHAPE, array((23,))),
    "negative shape": ("a negative axis", SHAPE, array((-24,))),
    "two negative axes": ("negative axes whose product is right", SHAPE, array((-4, -6))),
    "huge shape": ("a size that overflows to 24", SHAPE, array((2**32, 2**32, 24))),
    "no axis": ("a shape without numbers", SHAPE, array((0, 2**30))),
    "shape of truths": ("True for 1", SHAPE, array((True, 24))),
    "shape of one number": ("a number for a shape", "without a shape", array(24)),
    "many axes": ("more axes than any", SHAPE, array((1,) * 70 + (24,))),
    "dtype that is a text": ("a type by its name", UNKNOWN_TYPE, array((24,), "<f4")),
    "dtype with nothing in it": (
        "numbers without a size",
        UNKNOWN_TYPE,
        array((24,), Apply(DTYPE, ("V0", False, True)), b""),
    ),
    "array of another class": (
        "an array of a class that runs code",
        "it names numpy.memmap",
        array((24,), kind=Global("numpy", "memmap")),
    ),
    "array that is not made": (
        "numbers of a place never written",
        "no numbers for",
        Apply(RECONSTRUCT, (NDARRAY, (2**30,), b"b")),
    ),
    "state set twice": (
        "change an array that is in use",
        "unknown way",
        Raw(encode(array((24,))) + encode((1, (24,), F4, False, bytes(96))) + b"b"),
    ),
    "array by NEWOBJ": (
        "make an array past _reconstruct",
        "cannot be called",
        Apply(NDARRAY, ((2**40,),)),
    ),
    "array out of a pickle": (
        "have NumPy unpickle",
        "it names numpy.core._multiarray_umath",
        Apply(Global("numpy.core._multiarray_umath", "_reconstruct"), (pickle.dumps(1),)),
    ),
    "one array under two names": (
        "copies without end",
        "same numbers to two names",
        Raw(encode(array((24,))) + b"q\x00t(" + encode("b") + b"h\x00"),
    ),
    "text for bytes": (
        "a text that is no bytes",
        "text that is not bytes",
        array((24,), F4, "\u20ac" * 24),
    ),
    "a torch tensor for a class": (
        "compare an array with a name",
        "array in an unknown way",
        array((24,), kind=tensor_of(FLOATS)),
    ),
}


def tensorflow_snapshot(variable: object) -> bytes:
    """A pickle of three networks of the TensorFlow implementation, G with the given variable."""
    state = {
        "version": 4,
        "name": "G",
        "static_kwargs": {"resolution": 8},
        "components": {},
        "build_module_src": "raise RuntimeError",
        "build_func_name": "G_main",
        "variables": [("dlatent_avg", variable)],
    }
    network = Apply(Global("dnnlib.tflib.network", "Network"), (), state, opcode=b"\x81")
    return dump((network, network, network))
