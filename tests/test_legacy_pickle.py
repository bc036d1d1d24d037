"""Published snapshots are read as data: good files give numbers, bad ones one sentence."""

from __future__ import annotations

import os
import random
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from generator.legacy.reader import LegacyPickleError, LegacySnapshot, read_legacy_pickle
from tests.legacy_files import (
    Apply,
    Global,
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
    assert sentence.startswith("net.pkl cannot be read as a StyleGAN2 snapshot: ")
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
        "from generator.legacy.reader import read_legacy_pickle\n"
        "read_legacy_pickle('net.pkl')\n"
        "assert 'torch' not in sys.modules\n"
    )
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": str(root)}, check=False
    )
    assert done.returncode == 0


# Damaged files. Hostile ones have a corpus of their own: tests/test_hostile_pickles.py.


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
        snapshot(module("Generator", modules={"synthesis": module("AttentionLayer")})),
        "'AttentionLayer', which StyleGAN2-ADA does not have",
    ),
    "StyleGAN3": (
        snapshot(module("Generator", modules={"synthesis": module("SynthesisInput")})),
        "a snapshot of StyleGAN3",
    ),
    "bare weights": (
        dump({"mapping.fc0.weight": tensor_of(FLOATS)}),
        "bare weights (a state_dict)",
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
