"""Published snapshots are read as data: good files give numbers, bad ones one sentence."""

from __future__ import annotations

import os
import pickle
import random
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from generator.legacy_pickle import LegacyPickleError, LegacySnapshot, read_legacy_pickle
from tests.legacy_files import (
    Apply,
    Global,
    Persistent,
    Raw,
    dump,
    encode,
    module,
    parameter_of,
    snapshot,
    storage_blob,
    tensor,
    tensor_of,
    with_tensor,
)

MARK = "something_ran"
FLOATS = np.arange(24, dtype="<f4")


@pytest.fixture(autouse=True)
def _inside_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def read(data: bytes) -> LegacySnapshot:
    Path("net.pkl").write_bytes(data)
    return read_legacy_pickle("net.pkl")


def refuse(data: bytes) -> str:
    """The sentence of the refusal; fails unless that is all that happened."""
    before = set(sys.modules)
    with pytest.raises(LegacyPickleError) as caught:
        read(data)
    assert os.listdir() == ["net.pkl"], "the file made a file: something of it was executed"
    assert set(sys.modules) == before, "the file had a module imported"
    sentence = str(caught.value)
    assert sentence.startswith("net.pkl cannot be read as a StyleGAN2-ADA PyTorch snapshot: ")
    assert sentence.endswith(".") and sentence.isprintable() and len(sentence) < 400
    return sentence


def small_snapshot() -> bytes:
    layer = module(
        "FullyConnectedLayer",
        parameters={
            "weight": parameter_of(FLOATS.reshape(4, 6)),
            "bias": None,
        },
        source=f"open({MARK!r}, 'w')",
    )
    dtype = Apply(Global("numpy", "dtype"), ("f8", False, True), (3, "<", None, None, None, -1, -1))
    beta = Apply(Global("numpy.core.multiarray", "scalar"), (dtype, struct.pack("<d", 0.25)))
    plain = Apply(Global("dnnlib.util", "EasyDict"), (), opcode=b"\x81")
    kwargs = Raw(
        encode(plain)
        + b"("
        + b"".join(map(encode, ("z_dim", 6, "beta", beta, "t", (1, [2]))))
        + b"u"
    )
    mapping = module("MappingNetwork", modules={"fc0": layer}, buffers={"w_avg": tensor_of(FLOATS)})
    state = {
        "_parameters": {},
        "_buffers": {},
        "_modules": {"mapping": mapping},
        "_init_args": (),
        "_init_kwargs": kwargs,
    }
    generator = module("Generator", state=state, source=f"open({MARK!r}, 'w')")
    return snapshot(generator, G=None, augment_pipe=module("AugmentPipe"))


# Good files.


def test_a_snapshot_gives_names_numbers_and_arguments_and_runs_no_source() -> None:
    networks = read(small_snapshot()).networks
    assert list(networks) == ["G_ema"]
    network = networks["G_ema"]
    assert network.class_name == "Generator"
    assert network.init_kwargs == {"z_dim": 6, "beta": 0.25, "t": (1, [2])}
    assert list(network.tensors) == ["mapping.w_avg", "mapping.fc0.weight"]
    np.testing.assert_array_equal(network.tensors["mapping.fc0.weight"], FLOATS.reshape(4, 6))
    assert network.tensors["mapping.w_avg"].flags.writeable
    assert os.listdir() == ["net.pkl"]


@pytest.mark.parametrize("code", ["f8", "f4", "f2", "i8", "i4", "i2", "i1", "u1", "b1"])
def test_every_kind_of_number_comes_back(code: str) -> None:
    array = (np.arange(12) % 2 if code == "b1" else np.arange(12)).astype(code).reshape(3, 4)
    got = read(with_tensor(tensor_of(array))).networks["G_ema"].tensors["w_avg"]
    assert got.dtype == array.dtype
    np.testing.assert_array_equal(got, array)


def test_strides_and_offsets_are_followed() -> None:
    stored = tensor(storage_blob(FLOATS), 1, (3, 2), (2, 7))
    got = read(with_tensor(stored)).networks["G_ema"].tensors["w_avg"]
    np.testing.assert_array_equal(got, [[1, 8], [3, 10], [5, 12]])
    assert got.flags.c_contiguous


def test_a_scalar_tensor_has_no_axes() -> None:
    got = read(with_tensor(tensor_of(np.full((), 3.5, "<f4")))).networks["G_ema"]
    assert got.tensors["w_avg"].shape == () and got.tensors["w_avg"] == 3.5


def test_sets_of_older_protocols_are_read() -> None:
    stored = Apply(Global("builtins", "set"), (["a", "b"],))
    assert read(snapshot(extra=stored)).networks


def test_reading_needs_no_torch_and_no_unpickler() -> None:
    Path("net.pkl").write_bytes(small_snapshot())
    program = (
        "import sys, numpy, pickle, _pickle\n"
        "def never(*a, **k): raise SystemExit('the unpickler was used')\n"
        "pickle.load = pickle.loads = pickle.Unpickler = _pickle.Unpickler = never\n"
        "from generator.legacy_pickle import read_legacy_pickle\n"
        "read_legacy_pickle('net.pkl')\n"
        "assert 'torch' not in sys.modules\n"
    )
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": str(root)}, check=False
    )
    assert done.returncode == 0


# Hostile files: things to call.

TOUCH = f"touch {MARK}"
OPEN = f"open({MARK!r}, 'w')"
GETATTR = Global("builtins", "getattr")
ORDERED = Global("collections", "OrderedDict")

CALLS: dict[str, object] = {
    "os.system": Apply(Global("os", "system"), (TOUCH,)),
    "posix.system": Apply(Global("posix", "system"), (TOUCH,)),
    "builtins.eval": Apply(Global("builtins", "eval"), (OPEN,)),
    "builtins.exec": Apply(Global("builtins", "exec"), (OPEN,)),
    "builtins.open": Apply(Global("builtins", "open"), (MARK, "w")),
    "__builtin__.eval": Apply(Global("__builtin__", "eval"), (OPEN,)),
    "builtins.__import__": Apply(Global("builtins", "__import__"), ("antigravity",)),
    "subprocess.Popen": Apply(
        Global("subprocess", "Popen"), (["touch", MARK],), opcode=b"\x81"
    ),
    "pathlib.Path.touch": Apply(Global("pathlib", "Path.touch"), (MARK,)),
    "getattr chain": Apply(Apply(GETATTR, (Global("os", "path"), "os")), (TOUCH,)),
    "getattr of a word": Apply(GETATTR, (ORDERED, "__init__")),
    "dotted name": Apply(Global("collections", "OrderedDict.__init__.__globals__"), ()),
    "operator.attrgetter": Apply(Global("operator", "attrgetter"), ("system",)),
    "copyreg": Apply(
        Global("copyreg", "_reconstructor"),
        (ORDERED, Global("builtins", "object"), None),
    ),
    "copyreg.__newobj__": Apply(Global("copyreg", "__newobj__"), (ORDERED,)),
    "torch.load": Apply(Global("torch", "load"), ("x",)),
    "torch.storage of a file": Apply(Global("torch.storage", "_load_from_bytes"), ("x",)),
    "torch.hub": Apply(Global("torch.hub", "load"), ("x/y", "z")),
    "numpy.load": Apply(Global("numpy", "load"), ("x",)),
    "own module": Apply(Global("generator.legacy_pickle", "read_legacy_pickle"), ("x",)),
    "own words' module": Apply(Global("generator.pickle_machine", "run_pickle"), (b"",)),
    "unimported module": Apply(Global("antigravity", "fly"), ()),
    "call of a text": Apply("os.system", (TOUCH,)),
    "call of a dict": Apply({}, ()),
    "call of a result": Apply(Apply(ORDERED, ()), ()),
    "call with no tuple": Apply(ORDERED, []),
    "OrderedDict with items": Apply(ORDERED, ([["a", 1]],)),
    "set of a dict": Apply(Global("builtins", "set"), ({},)),
    "set of lists": Apply(Global("builtins", "set"), ([[]],)),
    "state for a word": Raw(encode(ORDERED) + encode({"__setstate__": 1}) + b"b"),
    "state for a dict": Apply(ORDERED, (), {"a": 1}),
    "slots for a word": Raw(encode(ORDERED) + encode((None, {"__defaults__": (1,)})) + b"b"),
    "state for a network": Raw(encode(module("Generator")) + encode({"class_name": "x"}) + b"b"),
    "items for a network": Raw(encode(module("Generator")) + b"K\x01K\x02s"),
    "persistent id": Persistent(("storage", Global("torch", "FloatStorage"), "1", "cpu", 1, None)),
    "persistent text": Raw(b"P/etc/passwd\n"),
    "extension registry": Raw(b"\x82\x01"),
    "INST": Raw(b"(" + encode(TOUCH) + b"ios\nsystem\n"),
    "OBJ": Raw(b"(" + encode(Global("os", "system")) + encode(TOUCH) + b"o"),
    "NEWOBJ_EX": Raw(encode(ORDERED) + b")}\x92"),
    "next buffer": Raw(b"\x97"),
    "no stack": Raw(b"R"),
    "no mark": Raw(b"u"),
    "unknown global with control characters": Global("\x1b[2Jos", "sys\rtem"),
    "global without a name": Global("", ""),
    "dtype of objects": Apply(Global("numpy", "dtype"), ("O8", False, True)),
    "scalar of a wrong length": Apply(
        Global("numpy.core.multiarray", "scalar"),
        (Apply(Global("numpy", "dtype"), ("f8",), (3, "<", None)), b"1234"),
    ),
    "big-endian scalar": Apply(Global("numpy", "dtype"), ("f8",), (3, ">", None)),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_nothing_is_called(name: str) -> None:
    for data in (
        dump(CALLS[name]),
        snapshot(extra=CALLS[name]),
        with_tensor(CALLS[name]),
        with_tensor(tensor(storage_blob(FLOATS, keys=CALLS[name]), 0, (1,), (1,))),
        snapshot(module("Generator", module_src=CALLS[name])),
    ):
        refuse(data)


def test_the_refusal_names_what_was_asked_for() -> None:
    assert "it names os.system, which" in refuse(snapshot(extra=CALLS["os.system"]))


def test_the_same_bytes_would_run_in_the_stock_unpickler() -> None:
    with open("net.pkl", "wb") as file:
        file.write(dump(CALLS["builtins.open"]))
    with open("net.pkl", "rb") as file:
        pickle.load(file).close()  # noqa: S301  # proves that these files can do harm
    assert Path(MARK).exists()


# Hostile files: numbers.

BLOB = storage_blob(FLOATS)
HEAD = ("storage", Global("torch", "FloatStorage"), "7", "cpu", 24, None)
TENSORS: dict[str, object] = {
    "beyond the end": tensor(BLOB, 0, (25,), (1,)),
    "stride beyond the end": tensor(BLOB, 0, (4, 6), (7, 1)),
    "offset beyond the end": tensor(BLOB, 24, (), ()),
    "negative offset": tensor(BLOB, -1, (1,), (1,)),
    "negative stride": tensor(BLOB, 5, (3,), (-1,)),
    "negative size": tensor(BLOB, 0, (-3,), (1,)),
    "more sizes than strides": tensor(BLOB, 0, (4, 6), (6,)),
    "sizes that are no tuple": tensor(BLOB, 0, [4], [1]),
    "sizes that are no numbers": tensor(BLOB, 0, ("4",), (1,)),
    "sizes that are truths": tensor(BLOB, True, (True,), (True,)),
    "unfolded by stride 0": tensor(BLOB, 0, (2**30,), (0,)),
    "unfolded on many axes": tensor(BLOB, 0, (2**39,) * 8, (0,) * 8),
    "overlapping windows": tensor(BLOB, 0, (23, 2) * 3, (0, 1, 0, 0, 0, 0)),
    "an empty axis beside huge ones": tensor(BLOB, 0, (0, 2**39, 2**39), (0, 0, 0)),
    "nine axes": tensor(BLOB, 0, (1,) * 9, (1,) * 9),
    "huge storage": tensor(storage_blob(FLOATS, count=2**39), 0, (1,), (1,)),
    "count beyond any": tensor(storage_blob(FLOATS, count=2**90, said_count=1), 0, (1,), (1,)),
    "negative storage": tensor(storage_blob(FLOATS, count=-1), 0, (1,), (1,)),
    "two counts": tensor(storage_blob(FLOATS, said_count=23), 0, (1,), (1,)),
    "bytes left over": tensor(storage_blob(FLOATS, tail=b"x"), 0, (1,), (1,)),
    "cut storage": tensor(BLOB[:-1], 0, (1,), (1,)),
    "empty storage bytes": tensor(b"", 0, (1,), (1,)),
    "wrong magic": tensor(storage_blob(FLOATS, magic=5), 0, (1,), (1,)),
    "big-endian": tensor(storage_blob(FLOATS, little_endian=False), 0, (1,), (1,)),
    "wrong keys": tensor(storage_blob(FLOATS, keys=["8"]), 0, (1,), (1,)),
    "no persistent id": tensor(storage_blob(FLOATS, head="7"), 0, (1,), (1,)),
    "persistent id of a module": tensor(
        storage_blob(FLOATS, head=Persistent(("module", "a", "b", "c"))), 0, (1,), (1,)
    ),
    "storage of an unknown kind": tensor(
        storage_blob(FLOATS, head=Persistent((HEAD[0], "torch.FloatStorage", *HEAD[2:]))), 0, (), ()
    ),
    "view of a storage": tensor(
        storage_blob(FLOATS, head=Persistent((*HEAD[:5], ("7", 0, 1)))), 0, (1,), (1,)
    ),
    "zip format": tensor(b"PK\x03\x04" + bytes(50), 0, (1,), (1,)),
    "tensor of a tensor": Apply(
        Global("torch._utils", "_rebuild_tensor_v2"),
        (tensor_of(FLOATS.reshape(4, 6)), 0, (4,), (1,), False, None),
    ),
    "parameter of a text": Apply(Global("torch._utils", "_rebuild_parameter"), ("x", True, None)),
    "a text for a tensor": "weights",
    "a network for a tensor": module("Generator"),
}  # fmt: skip


@pytest.mark.parametrize("name", TENSORS)
def test_numbers_outside_their_storage_are_refused(name: str) -> None:
    refuse(with_tensor(TENSORS[name]))


def test_one_storage_cannot_be_unfolded_again_and_again() -> None:
    whole = tensor(Raw(encode(BLOB) + b"q\x00"), 0, (24,), (1,))
    copies = {f"t{k}": tensor(Raw(b"h\x00"), 0, (24,), (1,)) for k in range(50)}
    sentence = refuse(snapshot(module("Generator", buffers={"a": whole, **copies})))
    assert "more than the whole file" in sentence


# Hostile files: shapes of the stream.


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


def with_kwargs(kwargs: object) -> bytes:
    state = {"_parameters": {}, "_buffers": {}, "_modules": {}, "_init_kwargs": kwargs}
    return snapshot(module("Generator", state=state))


STREAMS: dict[str, Callable[[], bytes]] = {
    "memo index that asks for 16 GB": lambda: b"\x80\x04]r\xff\xff\xff\x7f.",
    "bytes that ask for 2**62": lambda: b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b".",
    "text that asks for 2**63": lambda: b"\x80\x04\x8d" + struct.pack("<Q", 2**63) + b".",
    "bytes that ask for 4 GB": lambda: b"\x80\x04B\xff\xff\xff\xff.",
    "frame that asks for 2**63": lambda: b"\x80\x04\x95" + struct.pack("<Q", 2**63) + b".",
    "opcodes without end": lambda: b"\x80\x04" + b"N" * 1_100_000,
    "key that takes for ever to hash": lambda: dump(
        Raw(b"}" + b")" + b"q\x00h\x00\x86" * 60 + b"Ns")
    ),
    "list as a key": lambda: dump(Raw(b"}]Ns")),
    "float as a key": lambda: dump({1.5: 1}),
    "huge int as a key": lambda: dump({2**61: 1}),
    "array as a key": lambda: dump(Raw(b"}" + encode(tensor_of(FLOATS)) + b"Ns")),
    "word as a key": lambda: dump(Raw(b"}" + encode(ORDERED) + b"Ns")),
    "unknown memo": lambda: b"\x80\x04h\x07.",
    "text that is not UTF-8": lambda: b"\x80\x04\x8c\x01\xff.",
    "odd items": lambda: b"\x80\x04}(K\x01u.",
    "protocol 9": lambda: b"\x80\x09}.",
    "protocol 0": lambda: b"(dp0\n.",
    "two objects": lambda: b"\x80\x04NN.",
    "open mark": lambda: b"\x80\x04N(.",
    "bytes after the end": lambda: small_snapshot() + b"x",
    "second pickle": lambda: small_snapshot() + small_snapshot(),
    "modules inside themselves": lambda: snapshot(
        module("Generator", modules=Raw(b"}q\x00" + encode("a") + encode(
            module("SynthesisLayer", modules=Raw(b"h\x00"))) + b"s"))
    ),
    "modules that double": lambda: snapshot(
        module("Generator", modules={
            "x": doubled(module_of_two, encode(module("SynthesisLayer")), 15)})
    ),
    "arguments inside themselves": lambda: with_kwargs(Raw(b"}q\x00" + encode("a") + b"h\x00s")),
    "arguments that double": lambda: with_kwargs({"a": doubled(list_of_two, b"]", 15)}),
    "a tensor as an argument": lambda: with_kwargs({"a": tensor_of(FLOATS)}),
    "a number as an argument's name": lambda: with_kwargs({1: 2}),
    "no arguments": lambda: with_kwargs(None),
}  # fmt: skip


@pytest.mark.parametrize("name", STREAMS)
def test_streams_out_of_order_are_refused(name: str) -> None:
    refuse(STREAMS[name]())


def test_a_file_cut_anywhere_is_refused() -> None:
    data = small_snapshot()
    for length in [*range(60), *range(60, len(data), 11), len(data) - 1]:
        refuse(data[:length])


def test_damaged_files_are_read_or_refused_and_nothing_else() -> None:
    dice = random.Random(5)
    whole = small_snapshot()
    outcomes = {True: 0, False: 0}
    for _ in range(250):
        data = bytearray(whole)
        for _ in range(dice.randint(1, 4)):
            data[dice.randrange(len(data))] = dice.choice(
                [0, 0xFF, *b"RbQhqtue]}(0", dice.randrange(256)]
            )
        try:
            read(bytes(data))
            outcomes[True] += 1
        except LegacyPickleError:
            outcomes[False] += 1
    assert os.listdir() == ["net.pkl"]
    assert min(outcomes.values()) > 20


# Files of another kind.


def test_tensorflow_pickles_are_told_apart() -> None:
    network = Apply(Global("dnnlib.tflib.network", "Network"), (), opcode=b"\x81")
    assert "TensorFlow" in refuse(dump((network, network, network)))


KINDS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "it is empty"),
    "zip": (b"PK\x03\x04rest", "zip archive"),
    "text": (b"hello", "not a pickle"),
    "a list": (dump([1, 2]), "no network named G_ema"),
    "no G_ema": (dump({"G": module("Generator")}), "no network named G_ema"),
    "D for G_ema": (snapshot(module("Discriminator")), "its G_ema is no Generator"),
    "a dict for G_ema": (snapshot({}), "its G_ema is no Generator"),
    "another version": (snapshot(module("Generator", version=5)), "version other than 6"),
    "an array for a version": (
        snapshot(module("Generator", version=tensor_of(FLOATS))),
        "version other than 6",
    ),
    "another layer": (
        snapshot(module("Generator", modules={"synthesis": module("SynthesisInput")})),
        "'SynthesisInput', which StyleGAN2-ADA does not have",
    ),
    "a dot in a name": (
        snapshot(module("Generator", modules={"a.b": module("MappingNetwork")})),
        "an entry without a name",
    ),
    "no state": (snapshot(module("Generator", state={})), "does not say how it was made"),
    "arguments without names": (
        snapshot(module("Generator", state={"_init_args": (512,)})),
        "arguments without names",
    ),
    "an array for arguments": (
        snapshot(module("Generator", state={"_init_args": tensor_of(FLOATS)})),
        "arguments without names",
    ),
}


@pytest.mark.parametrize("name", KINDS)
def test_files_of_another_kind_say_why(name: str) -> None:
    data, reason = KINDS[name]
    assert reason in refuse(data)


@pytest.mark.parametrize("path", ["missing.pkl", "."])
def test_a_path_without_a_file_is_a_sentence(path: str) -> None:
    with pytest.raises(LegacyPickleError, match="cannot be read"):
        read_legacy_pickle(path)
