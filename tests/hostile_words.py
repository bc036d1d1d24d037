"""Words of a snapshot used wrongly, and names as weapons: a part of the corpus of hostile pickles.

WORDS: name -> (what it tries, what the refusal says, the object).
"""

from __future__ import annotations

import pickle

from tests.hostile_calls import ORDERED, Runs
from tests.legacy_files import Apply, Global, Raw, encode, module

EASY = Global("dnnlib.util", "EasyDict")
TENSOR = Global("torch._utils", "_rebuild_tensor_v2")
PARAMETER = Global("torch._utils", "_rebuild_parameter")
LOAD_BYTES = Global("torch.storage", "_load_from_bytes")
DTYPE = Global("numpy", "dtype")
SCALAR = Global("numpy.core.multiarray", "scalar")

WORDS: dict[str, tuple[str, str, object]] = {
    # Words used wrongly.
    "OrderedDict with items": (
        "fill a dict by a call",
        "unknown way",
        Apply(ORDERED, ([["a", 1]],)),
    ),
    "EasyDict with arguments": ("fill a dict by a call", "unknown way", Apply(EASY, ({"a": 1},))),
    "EasyDict with a state": (
        "replace its class",
        "that has none",
        Apply(EASY, (), {"__class__": EASY}),
    ),
    "set of a dict": (
        "a set of keys",
        "something else than texts",
        Apply(Global("builtins", "set"), ({},)),
    ),
    "set of lists": (
        "hash lists",
        "something else than texts",
        Apply(Global("builtins", "set"), ([[]],)),
    ),
    "state for a word": (
        "give a function of the reader a __setstate__",
        "that has none",
        Raw(encode(ORDERED) + encode({"__setstate__": SCALAR}) + b"b"),
    ),
    "slots for a word": (
        "change a function's defaults",
        "that has none",
        Raw(encode(ORDERED) + encode((None, {"__defaults__": (1,)})) + b"b"),
    ),
    "state for a network": (
        "change a stored network",
        "that has none",
        Raw(encode(module("Generator")) + encode({"class_name": "x"}) + b"b"),
    ),
    "items for a network": (
        "index a stored network",
        "is no dict",
        Raw(encode(module("Generator")) + b"K\x01K\x02s"),
    ),
    "items for a number": ("append to a number", "is no list", Raw(b"K\x01Na")),
    "record that is a list": (
        "store a network in an unknown shape",
        "unknown way",
        Apply(Global("torch_utils.persistence", "_reconstruct_persistent_obj"), ([],)),
    ),
    "torch.storage of a path": (
        "name a file for a storage",
        "not bytes",
        Apply(LOAD_BYTES, ("x",)),
    ),
    "storage of a pickle": (
        "have torch unpickle a call",
        "it names __builtin__.eval",
        Apply(LOAD_BYTES, (pickle.dumps(Runs(), 2),)),
    ),
    "tensor of nothing": ("a tensor without arguments", "without a storage", Apply(TENSOR, ())),
    "parameter of a text": (
        "a parameter of a text",
        "no tensor",
        Apply(PARAMETER, ("x", True, None)),
    ),
    "dtype of objects": (
        "numbers that are pointers",
        "unknown type",
        Apply(DTYPE, ("O8", False, True)),
    ),
    "dtype of a list": (
        "numbers with fields",
        "unknown type",
        Apply(DTYPE, ([("a", "O")], False, True)),
    ),
    "dtype of no bytes": (
        "numbers without a size",
        "unknown type",
        Apply(DTYPE, ("V0", False, True)),
    ),
    "dtype with fields": (
        "fields and metadata by a state",
        "that has none",
        Apply(DTYPE, ("f8",), (3, "|", None, ("a",), {"a": (DTYPE, 0)}, 8, 1, 27, {"metadata": 1})),
    ),
    "big-endian number": (
        "numbers in the other order",
        "that has none",
        Apply(DTYPE, ("f8",), (3, ">", None)),
    ),
    "number of a wrong length": (
        "read beyond four bytes",
        "wrong length",
        Apply(SCALAR, (Apply(DTYPE, ("f8",), (3, "<", None)), b"1234")),
    ),
    "number that is an object": (
        "have NumPy unpickle a call for a scalar of objects",
        "unknown type",
        Apply(SCALAR, (Apply(DTYPE, ("O",), (3, "|", None)), pickle.dumps(Runs()))),
    ),
    # Names as weapons against the terminal that shows the error.
    "escape codes in a name": (
        "clear the screen",
        r"it names \x1b[2Jos.sys\rtem",
        Global("\x1b[2Jos", "sys\rtem"),
    ),
    "NUL in a name": ("end the text early", r"it names os\x00.system", Global("os\0", "system")),
    "direction in a name": (
        "show the sentence backwards",
        r"it names \u202eos.system\u2066",
        Global("\u202eos", "system\u2066"),
    ),
    "surrogate in a name": (
        "text that cannot be printed",
        r"it names \ud800os.system",
        Raw(b"c\xed\xa0\x80os\nsystem\n"),
    ),
    "line ends in a name": (
        "a second line that looks like another error",
        r"it names o\u2028s.x\x85",
        Raw(encode("o\u2028s") + encode("x\x85") + b"\x93"),
    ),
    "long name": (
        "a page of text",
        "it names aaaa",
        Raw(encode("a" * 10_000) + encode("b" * 10_000) + b"\x93"),
    ),
    "global without a name": ("an empty name", "it names ., which", Global("", "")),
    "global without an end": (
        "a name that never ends",
        "without an end of line",
        Raw(b"c" + b"a" * 5000),
    ),
}
