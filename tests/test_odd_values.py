"""Each kind of object of a stream in each place that a word or a network looks at.

What goes wrong with a wrong kind (arrays that compare as arrays, numbers that no float holds, names
that do not sort) goes wrong here: all combinations are read or refused, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from generator.checkpoint import CheckpointError
from generator.legacy.generators import config_from_arguments
from generator.legacy.reader import LegacyPickleError, read_legacy_bytes
from tests.hostile_builders import with_kwargs
from tests.hostile_numbers import F4, NDARRAY, RECONSTRUCT, array
from tests.hostile_words import DTYPE, LOAD_BYTES, ORDERED, PARAMETER, SCALAR, TENSOR
from tests.legacy_files import (
    Apply,
    Global,
    Persistent,
    Raw,
    dump,
    encode,
    module,
    snapshot,
    storage_blob,
    tensor_of,
    with_tensor,
)

FLOATS = np.arange(6, dtype="<f4")
BLOB = storage_blob(FLOATS)
KIND = Global("torch", "FloatStorage")
NETWORK = Global("dnnlib.tflib.network", "Network")
ODD: dict[str, object] = {
    "None": None, "True": True, "0": 0, "-1": -1, "4": 4, "2**31-1": 2**31 - 1, "2**100": 2**100,
    "2**2000": Raw(b"\x8a\xfb" + bytes(250) + b"\x01"), "0.5": 0.5, "1e300": 1e300,
    "NaN": float("nan"), "infinity": float("inf"), "text": "x", "no text": "",
    "surrogate": Raw(b"X\x03\x00\x00\x00\xed\xa0\x80"), "bytes": b"1234", "tuple": (),
    "tuple of tuples": ((1, 2), (3,)), "list": [], "list of lists": [[1], [2]], "dict": {},
    "dict of numbers": {1: 2}, "dict of mixed keys": Raw(b"}(NK\x01K\x07K\x01\x8c\x01aK\x01u"),
    "list in itself": Raw(b"]q\xffh\xffa"), "set": Raw(b"\x8f"), "tensor": tensor_of(FLOATS),
    "one number": tensor_of(np.ones((), "<f4")), "array": array((2,), F4, bytes(8)),
    "array without numbers": Apply(RECONSTRUCT, (NDARRAY, (0,), b"b")), "type": F4,
    "type without an order": Apply(DTYPE, ("f4",)), "word": NDARRAY, "network": module("Generator"),
    "TensorFlow network": Apply(NETWORK, (), opcode=b"\x81"), "function": ORDERED,
}  # fmt: skip


def tensorflow(name: str, **changed: object) -> bytes:
    """(G, D, Gs) of which `name` has other entries in its state."""
    plain = {
        "version": 4, "name": "G", "static_kwargs": {"resolution": 4}, "components": {},
        "build_module_src": "", "build_func_name": "",
        "variables": [("synthesis/4x4/Conv/bias", 1.5)],
    }  # fmt: skip

    def network(key: str) -> Apply:
        return Apply(NETWORK, (), {**plain, **(changed if key == name else {})}, opcode=b"\x81")

    return dump(tuple(map(network, ("G", "D", "Gs"))))


TENSORFLOW_ARGUMENTS = (
    "resolution num_channels label_size latent_size dlatent_size mapping_layers mapping_fmaps "
    "mapping_lrmul mapping_nonlinearity fmap_base fmap_max fmap_min fmap_decay architecture "
    "resample_kernel w_avg_beta dlatent_avg_beta use_noise normalize_latents label_fmaps "
    "conv_clamp num_fp16_res nonlinearity mbstd_group_size mbstd_num_features freeze_layers other"
).split()
TORCH_ARGUMENTS = (
    "z_dim c_dim w_dim img_resolution img_channels channel_base channel_max conv_clamp "
    "architecture resample_filter use_noise kernel_size activation num_fp16_res mapping_kwargs "
    "synthesis_kwargs other"
).split()
MAPPING_ARGUMENTS = (
    "num_layers layer_features embed_features lr_multiplier w_avg_beta activation other".split()
)

Place = Callable[[object], bytes]  # a file with the value there


def _places() -> Iterator[tuple[str, Place]]:
    yield "root", dump
    yield "G_ema", snapshot
    yield "G", lambda odd: snapshot(G=odd)
    yield "D", lambda odd: snapshot(D=odd)
    yield "tensor", with_tensor
    for name, words, count in (
        ("dtype", DTYPE, 3), ("scalar", SCALAR, 2), ("_reconstruct", RECONSTRUCT, 3),
        ("_frombuffer", Global("numpy.core.numeric", "_frombuffer"), 4),
        ("_codecs.encode", Global("_codecs", "encode"), 2), ("set", Global("builtins", "set"), 1),
        ("_rebuild_parameter", PARAMETER, 3), ("_load_from_bytes", LOAD_BYTES, 1),
        ("_rebuild_tensor_v2", TENSOR, 6), ("OrderedDict", ORDERED, 1), ("Network", NETWORK, 1),
    ):  # fmt: skip
        good = GOOD.get(name, (None,) * count)
        for position in range(count):
            yield f"{name} argument {position}", _argument(words, good, position)
        yield f"{name} arguments", lambda odd, words=words: with_tensor(Apply(words, odd))
        yield (
            f"{name} state",
            lambda odd, words=words, good=good: with_tensor(Apply(words, good, odd)),
        )
    for position in range(5):
        yield f"array state {position}", _array_state(position)
    for position in range(3):
        yield f"dtype state {position}", _dtype_state(position)
    for position in range(6):
        yield f"storage head {position}", _head(position)
    yield "storage keys", lambda odd: _stored(storage_blob(FLOATS, keys=[odd]))
    for field in ("type", "version", "module_src", "state"):
        yield (
            f"record {field}",
            lambda odd, field=field: snapshot(module("Generator", **{field: odd})),
        )
    for field in (
        "_parameters",
        "_buffers",
        "_modules",
        "_init_args",
        "_init_kwargs",
        "conv_clamp",
    ):
        yield f"state {field}", lambda odd, field=field: _with_state(field, odd)
    for field in ("_parameters", "_buffers", "_modules"):
        yield f"in {field}", lambda odd, field=field: _with_state(field, {"x": odd})
    for name in TORCH_ARGUMENTS:
        yield f"argument {name}", lambda odd, name=name: with_kwargs({name: odd})
        yield (
            f"synthesis argument {name}",
            lambda odd, name=name: with_kwargs({"synthesis_kwargs": {name: odd}}),
        )
    for name in MAPPING_ARGUMENTS:
        yield (
            f"mapping argument {name}",
            lambda odd, name=name: with_kwargs({"c_dim": 4, "mapping_kwargs": {name: odd}}),
        )
    for network in ("G", "D", "Gs"):
        for field in ("version", "static_kwargs", "components", "variables"):
            yield (
                f"{network} {field}",
                lambda odd, network=network, field=field: tensorflow(network, **{field: odd}),
            )
        for name in TENSORFLOW_ARGUMENTS:
            yield (
                f"{network} {name}",
                lambda odd, network=network, name=name: tensorflow(
                    network, static_kwargs={"resolution": 4, name: odd}
                ),
            )
    yield "variable", lambda odd: tensorflow("G", variables=[odd])
    yield "variable's name", lambda odd: tensorflow("G", variables=[(odd, 1.5)])
    yield "variable's numbers", lambda odd: tensorflow("G", variables=[("dlatent_avg", odd)])
    yield "record class_name", lambda odd: snapshot(module(odd))
    yield "component", lambda odd: tensorflow("G", components={"synthesis": odd})


GOOD: dict[str, tuple[object, ...]] = {
    "dtype": ("f4", False, True),
    "scalar": (F4, b"1234"),
    "_reconstruct": (NDARRAY, (0,), b"b"),
    "_frombuffer": (b"1234", F4, (1,), "C"),
    "_codecs.encode": ("a", "latin1"),
    "_rebuild_parameter": (tensor_of(FLOATS), True, None),
    "_load_from_bytes": (BLOB,),
    "_rebuild_tensor_v2": (Apply(LOAD_BYTES, (BLOB,)), 0, (2, 3), (3, 1), False, None),
}


def _with(good: tuple[object, ...], position: int, odd: object) -> tuple[object, ...]:
    return (*good[:position], odd, *good[position + 1 :])


def _argument(words: Global, good: tuple[object, ...], position: int) -> Place:
    return lambda odd: with_tensor(Apply(words, _with(good, position, odd)))


def _array_state(position: int) -> Place:
    good = (1, (1,), F4, False, b"1234")
    return lambda odd: tensorflow(
        "G",
        variables=[
            ("x", Apply(RECONSTRUCT, (NDARRAY, (0,), b"b"), _with(good, position, odd))),
        ],
    )


def _dtype_state(position: int) -> Place:
    return lambda odd: with_tensor(Apply(DTYPE, ("f4",), _with((3, "<", None), position, odd)))


def _head(position: int) -> Place:
    good = ("storage", KIND, "7", "cpu", 6, None)
    return lambda odd: _stored(storage_blob(FLOATS, head=Persistent(_with(good, position, odd))))


def _stored(blob: bytes) -> bytes:
    return with_tensor(Apply(LOAD_BYTES, (blob,)))


def _with_state(field: str, odd: object) -> bytes:
    state = {"_parameters": {}, "_buffers": {}, "_modules": {}, "_init_kwargs": {}, field: odd}
    return snapshot(module("Generator", state=state))


PLACES = dict(_places())


def refusal(data: bytes) -> str | None:
    """What the reader or the configuration says against it, as the public door shows it."""
    try:
        network = read_legacy_bytes(data, "net.pkl").networks["G_ema"]
        config_from_arguments(network.init_kwargs, Path("net.pkl"))
    except (LegacyPickleError, CheckpointError) as error:
        return str(CheckpointError(str(error)))
    return None


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", PLACES)
def test_an_odd_value_is_read_or_refused(name: str) -> None:
    for odd in ODD.values():
        sentence = refusal(PLACES[name](odd))
        assert sentence is None or sentence.startswith("net.pkl")
        assert sentence is None or (sentence.isprintable() and len(sentence) < 1000)


def test_the_places_are_reached() -> None:
    """A good value is read in most places, so that what is refused is the odd value."""
    assert refusal(with_kwargs({"mapping_kwargs": {"num_layers": 4}})) is None
    assert refusal(snapshot(module("Generator"))) is None
    assert len({encode(odd) for odd in ODD.values()}) == len(ODD)
