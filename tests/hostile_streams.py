"""Streams that are out of order, too much, or endless: a part of the corpus of hostile pickles.

STREAMS: name -> (what it tries, what the refusal says, the bytes of the whole file, made on call).
"""

from __future__ import annotations

import numpy as np

from tests.hostile_builders import (
    HEAD,
    LAYER,
    Builder,
    dict_of_two,
    doubled,
    list_of_two,
    many_names,
    many_sets,
    many_tensors,
    module_of_two,
    tuple_of_two,
    u64,
    with_kwargs,
    with_modules,
)
from tests.hostile_calls import ORDERED
from tests.legacy_files import Global, Raw, dump, encode, module, tensor_of

EARLY = "ends too early"
OPCODES = "pickle opcodes"
KEY = "neither a text nor a number"
DEEP = "nested without end"


STREAMS: dict[str, tuple[str, str, Builder]] = {
    # The memo.
    "memo index that asks for 16 GB": (
        "a table as long as its largest index",
        "no network named G_ema",
        lambda: HEAD + b"]r\xff\xff\xff\xff.",
    ),
    "unknown memo": ("fetch what was never made", "not yet made", lambda: HEAD + b"h\x07."),
    "memo of nothing": ("remember an empty stack", "takes more", lambda: HEAD + b"\x94."),
    "laughs of lists": (
        "2**15 lists",
        DEEP,
        lambda: with_kwargs({"a": doubled(list_of_two, b"]", 15)}),
    ),
    "laughs of tuples": (
        "2**60 tuples",
        DEEP,
        lambda: with_kwargs({"a": doubled(tuple_of_two, b")", 60)}),
    ),
    "laughs of dicts": (
        "2**15 dicts",
        DEEP,
        lambda: with_kwargs({"a": doubled(dict_of_two, b"}", 15)}),
    ),
    "laughs beside the networks": (
        "2**60 lists that nobody asked for, if somebody prints or copies them",
        "is no Generator",
        lambda: dump({"x": doubled(list_of_two, b"]", 60), "G_ema": 5}),
    ),
    "modules that double": (
        "2**15 networks",
        DEEP,
        lambda: with_modules({"x": doubled(module_of_two, encode(LAYER), 15)}),
    ),
    "modules inside themselves": (
        "a network that holds itself",
        DEEP,
        lambda: with_modules(
            Raw(
                b"}q\x00"
                + encode("a")
                + encode(module("SynthesisLayer", modules=Raw(b"h\x00")))
                + b"s"
            )
        ),
    ),
    "arguments inside themselves": (
        "a dict that holds itself",
        DEEP,
        lambda: with_kwargs(Raw(b"}q\x00" + encode("a") + b"h\x00s")),
    ),
    "a list inside itself": (
        "a list that holds itself",
        DEEP,
        lambda: with_kwargs({"a": Raw(b"]q\x00h\x00a")}),
    ),
    "a file that is itself": (
        "a root that holds itself",
        "no network named",
        lambda: HEAD + b"]q\x00h\x00a.",
    ),
    "one list of texts as 60 000 sets": ("40 GB of sets", "sets without end", many_sets),
    "one number as 12 000 tensors": ("tensors out of nothing", "whole file", many_tensors),
    "one tensor under 15 000 names": ("2 GB of copies", "same numbers to two names", many_names),
    # Sizes.
    "bytes of 2**62": ("more than any memory", EARLY, lambda: HEAD + b"\x8e" + u64(2**62) + b"."),
    "bytes of 2**64-1": (
        "a length that is -1",
        EARLY,
        lambda: HEAD + b"\x8e" + u64(2**64 - 1) + b".",
    ),
    "bytes of 4 GB": ("a length without contents", EARLY, lambda: HEAD + b"B\xff\xff\xff\xff."),
    "text of 2**63": (
        "a length that is negative",
        "bytes of text",
        lambda: HEAD + b"\x8d" + u64(2**63),
    ),
    "text of 2 GB": (
        "a length without contents",
        "bytes of text",
        lambda: HEAD + b"X\xff\xff\xff\x7f.",
    ),
    "text of a megabyte": (
        "a length without contents",
        EARLY,
        lambda: HEAD + b"X\x00\x00\x10\x00abc.",
    ),
    "40 MB of texts": (
        "four bytes of memory for each of a file",
        "bytes of text",
        lambda: dump(
            [
                Raw(b"X\x00\x00\x10\x00" + b"\xf0\x9f\x8e\xb9" + b"a" * (2**20 - 4))
                for _ in range(40)
            ]
        ),
    ),
    "frame of 2**63": ("a length that is negative", EARLY, lambda: HEAD + b"\x95" + u64(2**63)),
    "LONG4 of 2 GB": ("a number of 2 GB", "opcode 0x8b", lambda: HEAD + b"\x8b\xff\xff\xff\x7f."),
    "LONG4 of a negative length": (
        "a length of -1",
        "opcode 0x8b",
        lambda: HEAD + b"\x8b\xff\xff\xff\xff.",
    ),
    "LONG of a million digits": (
        "a number that takes its square to read",
        "opcode 0x4c",
        lambda: HEAD + b"L" + b"9" * 10**6 + b"L\n.",
    ),
    "INT": ("a number as text", "opcode 0x49", lambda: HEAD + b"I01\n."),
    "FLOAT": ("a number as text", "opcode 0x46", lambda: HEAD + b"F1e999\n."),
    "STRING": ("a text in Python's own quotes", "opcode 0x53", lambda: HEAD + b"S'a'\n."),
    "UNICODE": ("a text with escapes", "opcode 0x56", lambda: HEAD + b"V\\ud800\n."),
    "PUT": ("a memo index as text", "opcode 0x70", lambda: HEAD + b"]p-1\n."),
    "GET": ("a memo index as text", "opcode 0x67", lambda: HEAD + b"g-1\n."),
    "DUP": ("double the stack", "opcode 0x32", lambda: HEAD + b"N2."),
    "FROZENSET": ("hash what comes", "opcode 0x91", lambda: HEAD + b"(\x91."),
    "BYTEARRAY8 of 2**63": (
        "memory before contents",
        EARLY,
        lambda: HEAD + b"\x96" + u64(2**63),
    ),
    # Depth and number.
    "opcodes without end": ("keep the reader busy", OPCODES, lambda: HEAD + b"N" * 1_100_000),
    "a million tuples deep": (
        "overflow the C stack",
        OPCODES,
        lambda: HEAD + b")" + b"\x85" * 1_000_000 + b".",
    ),
    "200 000 tuples deep": (
        "overflow the C stack when it is freed",
        "is no snapshot",
        lambda: HEAD + b")" + b"\x85" * 200_000 + b".",
    ),
    "60 000 dicts deep": (
        "overflow the C stack when it is freed",
        "no network named G_ema",
        lambda: HEAD + b"}K\x00" * 60_000 + b"N" + b"s" * 60_000 + b".",
    ),
    "10 000 networks deep": (
        "overflow the C stack when it is freed",
        "no network named G_ema",
        lambda: (
            HEAD
            + (
                encode(Global("torch_utils.persistence", "_reconstruct_persistent_obj"))
                + b"}("
                + b"".join(map(encode, ("type", "class", "version", 6, "class_name", "x", "state")))
                + b"}K\x01"
            )
            * 10_000
            + b"N"
            + b"su\x85R" * 10_000
            + b"."
        ),
    ),
    "a million marks": ("stacks without end", OPCODES, lambda: HEAD + b"(" * 1_000_000 + b"."),
    "arguments 20 deep": (
        "recursion",
        DEEP,
        lambda: with_kwargs({"a": Raw(b"]" * 20 + b"a" * 19)}),
    ),
    "modules 40 deep": (
        "recursion",
        DEEP,
        lambda: with_modules(
            {
                "x": doubled(
                    lambda make, recall: encode(
                        module("SynthesisLayer", modules=Raw(b"}" + encode("a") + make + b"s"))
                    ),
                    encode(LAYER),
                    40,
                )
            }
        ),
    ),
    # Keys.
    "key that takes for ever to hash": (
        "2**60 tuples as a key",
        KEY,
        lambda: dump(Raw(b"})q\x00" + b"h\x00\x86" * 60 + b"Ns")),
    ),
    "list as a key": ("a key that changes", KEY, lambda: dump(Raw(b"}]Ns"))),
    "float as a key": ("NaN is not itself", KEY, lambda: dump({1.5: 1})),
    "bytes as a key": ("a key that is a view", KEY, lambda: dump({b"a": 1})),
    "array as a key": (
        "an array as a key",
        KEY,
        lambda: dump(Raw(b"}" + encode(tensor_of(np.ones(3))) + b"Ns")),
    ),
    "word as a key": ("a word as a key", KEY, lambda: dump(Raw(b"}" + encode(ORDERED) + b"Ns"))),
    "network as a key": (
        "a stored object as a key",
        KEY,
        lambda: dump(Raw(b"}" + encode(LAYER) + b"Ns")),
    ),
    "keys that collide": (
        "numbers of one hash, to make a dict slow",
        KEY,
        lambda: dump({(2**61 - 1) * k: 1 for k in range(1, 2000)}),
    ),
    "keys without a value": ("an odd number of items", "sets items", lambda: HEAD + b"}(K\x01u."),
    "arguments with numbers for names": (
        "a number as a name",
        "how it was made",
        lambda: with_kwargs({1: 2}),
    ),
    "inner arguments with mixed names": (
        "names that cannot be sorted",
        "not known",
        lambda: with_kwargs({"synthesis_kwargs": {None: 1, 7: 1, "a": 1}}),
    ),
    # The stack.
    "nothing at all": ("an end without an object", "not in order", lambda: HEAD + b"."),
    "two objects": ("one object too many", "not in order", lambda: HEAD + b"NN."),
    "open mark": ("a mark that stays", "not in order", lambda: HEAD + b"N(."),
    "no mark": ("items without a mark", "lacks a mark", lambda: HEAD + b"u."),
    "take from behind a mark": ("reach past a mark", "takes more", lambda: HEAD + b"NN(\x86."),
    "call nothing": ("call an empty stack", "takes more", lambda: HEAD + b"R."),
    "text that is not UTF-8": (
        "a text of other bytes",
        "not UTF-8",
        lambda: HEAD + b"\x8c\x01\xff.",
    ),
}
