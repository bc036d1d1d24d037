"""Snapshots of the TensorFlow implementation: read as data, in every way that they are written."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import generator
from generator.checkpoint import CheckpointError
from generator.legacy.discriminators import discriminator_of
from generator.legacy.generators import generator_of
from generator.legacy.reader import LegacyPickleError, read_legacy_bytes, read_legacy_pickle
from generator.legacy.snapshot import LegacySnapshot
from generator.legacy.tensorflow_layout import to_pytorch
from tests.golden import golden_folder
from tests.legacy_files import Apply, Global, Raw, dump, encode
from tests.tensorflow_files import (
    Network,
    networks,
    put,
    read_by_pickle,
    renamed,
    stored,
    without,
    write_by_pickle,
)

FLOATS = np.arange(6, dtype="<f4")


def read(parts: object, protocol: int = 4) -> LegacySnapshot:
    return read_legacy_bytes(write_by_pickle(parts, protocol), "net.pkl")


def refuse(data: bytes) -> str:
    with pytest.raises(LegacyPickleError) as caught:
        read_legacy_bytes(data, "net.pkl")
    sentence = str(caught.value)
    assert sentence.startswith("net.pkl cannot be read") and sentence.endswith(".")
    assert sentence.isprintable() and len(sentence) < 500
    return sentence


# Good files.


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_protocol_gives_the_same_networks(protocol: int) -> None:
    _, average, d = networks()
    snapshot = read(stored(), protocol)
    assert snapshot.kind == "TensorFlow snapshot, state version 4"
    assert list(snapshot.networks) == ["G", "D", "G_ema"]
    for net, read_net in (
        (average, generator_of(snapshot, "net.pkl")),
        (d, discriminator_of(snapshot, "net.pkl")),
    ):
        assert read_net.config == net.config
        state = read_net.state_dict()
        assert all(torch.equal(state[name], tensor) for name, tensor in net.state_dict().items())


@pytest.mark.parametrize("protocol", [2, 3, 5])
def test_the_reference_snapshot_is_the_same_in_every_protocol(protocol: int) -> None:
    path = golden_folder() / "g_tf.pkl"
    wanted = read_legacy_pickle(path)
    got = read(read_by_pickle(path.read_bytes()), protocol)
    for name, network in wanted.networks.items():
        assert got.networks[name].init_kwargs == network.init_kwargs
        assert list(got.networks[name].tensors) == list(network.tensors)
        for key, array in network.tensors.items():
            np.testing.assert_array_equal(got.networks[name].tensors[key], array)


def test_the_names_are_those_of_a_pytorch_snapshot() -> None:
    tensorflow = read_legacy_pickle(golden_folder() / "g_tf.pkl").networks
    pytorch = read_legacy_pickle(golden_folder() / "g_torch_fp16.pkl").networks  # of the same size
    for key in ("G", "D", "G_ema"):
        ours = {name for name in tensorflow[key].tensors if not name.startswith("mapping.fc")}
        theirs = {name for name in pytorch[key].tensors if not name.startswith("mapping.fc")}
        assert ours == theirs
        assert not {"module_src", "build_module_src"} & set(tensorflow[key].init_kwargs)


ARRAYS: dict[str, Any] = {
    "C order": FLOATS.reshape(2, 3),
    "Fortran order": np.asfortranarray(FLOATS.reshape(2, 3)),
    "strided": np.arange(24, dtype="<f4").reshape(4, 6)[::2, ::2],
    "float64": FLOATS.astype("<f8"),
    "float16": FLOATS.astype("<f2"),
    "int64": FLOATS.astype("<i8"),
    "read-only": np.frombuffer(FLOATS.tobytes(), "<f4"),
    "no axes": np.array(2.5, "<f4"),
    "scalar": np.float32(2.5),
    "scalar of 64 bits": np.float64(2.5),
}


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("name", ARRAYS)
def test_numpy_s_own_pickles_are_read(name: str, protocol: int) -> None:
    parts = stored()
    put(parts[2], "dlatent_avg", ARRAYS[name])
    got = read(parts, protocol).networks["G_ema"].tensors["mapping.w_avg"]
    np.testing.assert_array_equal(got, ARRAYS[name])
    assert got.dtype == np.float32


def test_strings_of_python_2_are_names_and_bytes() -> None:
    kind = Apply(Global("numpy", "dtype"), ("f4", 0, 1), (3, "<", None, None, None, -1, -1, 0))
    start = encode(
        Apply(Global("numpy.core.multiarray", "_reconstruct"), (Global("numpy", "ndarray"), (0,)))
    )[:-2]  # without the end of the tuple and the call
    for code in (b"U\x18", b"T\x18\0\0\0"):
        array = start + b"U\x01btR(K\x01(K\x06t" + encode(kind) + b"\x89" + code
        array += FLOATS.tobytes() + b"tb"
        state = Raw(
            b"}(U\x07versionK\x02U\x0dstatic_kwargs}U\x09variables](U\x0bdlatent_avg"
            + array
            + b"\x86eu"
        )
        net = Apply(Global("dnnlib.tflib.network", "Network"), (), state, opcode=b"\x81")
        assert "has no synthesis network" in refuse(dump((net, net, net)))  # and all else is well


def test_a_state_of_version_5_with_labels_is_read() -> None:
    parts = stored()
    for net in parts[::2]:
        net.__dict__["version"] = 5
        net.__dict__["static_kwargs"].update(label_size=3, label_fmaps=4, mapping_fmaps=9)
        mapping = net.__dict__["components"]["mapping"]
        put(mapping, "LabelEmbed/weight", np.ones((3, 4), "f4"))
        put(mapping, "LabelEmbed/bias", np.zeros(4, "f4"))
        for k, shape in enumerate([(10, 9), (9, 9), (9, 5)]):
            put(mapping, f"Dense{k}/weight", np.ones(shape, "f4"))
            put(mapping, f"Dense{k}/bias", np.ones(shape[1], "f4"))
    net = generator_of(read(parts), "net.pkl")
    assert (net.c_dim, net.config.embed_features, net.config.layer_features) == (3, 4, 9)
    assert net.mapping(torch.zeros(2, 6), torch.eye(3)[:2]).shape == (2, 6, 5)


def test_the_width_of_the_mapping_is_seen_where_no_argument_tells_it() -> None:
    parts = stored()
    for net in parts[::2]:
        del net.__dict__["static_kwargs"]["mapping_fmaps"]
        mapping = net.__dict__["components"]["mapping"]
        for k, shape in enumerate([(6, 9), (9, 9), (9, 5)]):
            put(mapping, f"Dense{k}/weight", np.ones(shape, "f4"))
            put(mapping, f"Dense{k}/bias", np.ones(shape[1], "f4"))
    assert generator_of(read(parts), "net.pkl").config.layer_features == 9


def test_colour_layers_named_by_level_make_the_original_architecture() -> None:
    parts = stored()
    for net in parts[::2]:
        synthesis = net.__dict__["components"]["synthesis"]
        for name in ("weight", "mod_weight", "mod_bias", "bias"):
            for level, size in ((0, 16), (1, 8), (2, 4)):
                renamed(synthesis, f"{size}x{size}/ToRGB/{name}", f"ToRGB_lod{level}/{name}")
    snapshot = read(parts)
    net = generator_of(snapshot, "net.pkl")
    assert net.config.architecture == "orig"
    last = read(stored()).networks["G_ema"].tensors["synthesis.b16.torgb.weight"]
    assert torch.equal(net.state_dict()["synthesis.b16.torgb.weight"], torch.from_numpy(last))


def test_a_network_without_noise_has_noise_of_no_strength() -> None:
    parts = stored()
    for net in parts[::2]:
        net.__dict__["static_kwargs"]["use_noise"] = False
        synthesis = net.__dict__["components"]["synthesis"]
        without(synthesis, "noise_strength", *(f"noise{k}" for k in range(5)))
    net = generator_of(read(parts), "net.pkl")
    ws = torch.randn(2, net.num_ws, net.w_dim)
    assert torch.equal(net.synthesis(ws, "const"), net.synthesis(ws, "none"))


# Files of another kind, and broken ones.


def changed(change: Callable[[Network], None], part: int = 2) -> Callable[[], bytes]:
    def made() -> bytes:
        parts = stored()
        change(parts[part])
        return write_by_pickle(parts, 4)

    return made


def keyword(part: int = 2, **words: Any) -> Callable[[], bytes]:
    return changed(lambda net: net.__dict__["static_kwargs"].update(words), part)


def state(**words: Any) -> Callable[[], bytes]:
    return changed(lambda net: net.__dict__.update(words))


def variable(name: str, value: object) -> Callable[[], bytes]:
    return changed(lambda net: put(net, name, value))


def _loop() -> bytes:
    parts = stored()
    parts[2].__dict__["components"] = {"mapping": parts[2]}
    return write_by_pickle(parts, 4)


def _bushy() -> bytes:
    """Components that hold the next ones a hundred times each."""
    parts = stored()
    inner = Network(variables=[], components={})
    for _ in range(3):
        inner = Network(variables=[], components={str(k): inner for k in range(100)})
    parts[2].__dict__["components"] = inner.__dict__["components"]
    return write_by_pickle(parts, 4)


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "two networks": (lambda: write_by_pickle(stored()[:2], 4), "the three networks G, D and Gs"),
    "something else": (lambda: write_by_pickle((*stored()[:2], {}), 4), "the three networks"),
    "one network": (lambda: write_by_pickle(stored()[0], 4), "no network named G_ema"),
    "version": (state(version=6), "its Gs has a state of an unknown version"),
    "version of text": (state(version="4"), "unknown version"),
    "array for a version": (state(version=np.ones(3)), "unknown version"),
    "arguments": (state(static_kwargs=None), "does not say how it was made"),
    "array as an argument": (keyword(fmap_max=np.ones(2)), "no plain values"),
    "unknown argument": (keyword(attention=True), "was made with attention, which is not known"),
    "size": (keyword(resolution=48), "resolution=48 of its Gs is no power of two"),
    "huge size": (keyword(resolution=1 << 20), "no usable number"),
    "layers": (keyword(mapping_layers=10**6), "mapping_layers=1000000 of its Gs"),
    "no filter": (keyword(resample_kernel=None), "resample_kernel=None"),
    "filter of nothing": (keyword(resample_kernel=[1, -1, 1, -1]), "resample_kernel"),
    "filter of texts": (keyword(resample_kernel=["a"] * 4), "resample_kernel"),
    "architecture": (keyword(architecture="unet"), "the unknown architecture 'unet'"),
    "growing maps": (keyword(fmap_decay=0.5), "fmap_decay=0.5; only 1.0 is supported"),
    "latents as they are": (keyword(normalize_latents=False), "normalize_latents=False"),
    "labels before ADA": (
        variable("mapping/LabelConcat/weight", [1.0]), "in the way of StyleGAN2 before ADA"
    ),
    "D's labels before ADA": (keyword(1, label_size=3), "in the way of StyleGAN2 before ADA"),
    "the first StyleGAN": (variable("synthesis/4x4/StyleMod/weight", [1.0]), "first StyleGAN"),
    "Progressive GAN": (state(components={}), "has no synthesis network, as before StyleGAN"),
    "Progressive GAN's class": (
        lambda: dump(Apply(Global("network", "Network"), ())), "Progressive GAN"
    ),
    "a variable too many": (variable("attention", [1.0]), "has unknown variables: attention"),
    "a variable too few": (
        changed(lambda net: without(net, "dlatent_avg")), "its Gs lacks variables: dlatent_avg"
    ),
    "another shape": (
        changed(lambda net: put(net.__dict__["components"]["mapping"], "Dense0/weight", [1.0])),
        "mapping/Dense0/weight has the shape [1]",
    ),
    "text for numbers": (variable("dlatent_avg", "text"), "no numbers for 'dlatent_avg'"),
    "a variable twice": (
        changed(lambda net: net.__dict__["variables"].append(("lod", 1.0))), "holds 'lod' twice"
    ),
    "a component in itself": (_loop, "its Gs "),
    "components without end": (_bushy, "its Gs "),
    "variables without names": (state(variables=[3]), "a variable without a name"),
    "variables in a dict": (state(variables={}), "in an unknown way"),
    "objects": (variable("dlatent_avg", np.array(["a", None], object)), "unknown type"),
    "texts": (variable("dlatent_avg", np.array(["a", "b"])), "unknown type"),
    "records": (variable("dlatent_avg", np.zeros(2, "f4,f4")), "unknown type"),
    "dates": (variable("dlatent_avg", np.zeros(2, "datetime64[s]")), "unknown type"),
    "big-endian": (variable("dlatent_avg", np.ones(3, ">f4")), "no state|has none|unknown"),
    "nothing": (variable("dlatent_avg", np.zeros((0, 3), "f4")), "do not fit its shape"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_followed_is_a_sentence(name: str) -> None:
    make, reason = REFUSED[name]
    sentence = refuse(make())
    assert any(part in sentence for part in reason.split("|")), sentence


# Arrays that lie.

KIND = Apply(Global("numpy", "dtype"), ("f4", False, True), (3, "<", None, None, None, -1, -1, 0))
OBJECTS = Apply(
    Global("numpy", "dtype"), ("O8", False, True), (3, "|", None, None, None, -1, -1, 63)
)
RECONSTRUCT = Global("numpy.core.multiarray", "_reconstruct")
NDARRAY = Global("numpy", "ndarray")
BYTES = FLOATS.tobytes()


def array(*state: object, made: object = NDARRAY) -> Apply:
    return Apply(RECONSTRUCT, (made, (0,), b"b"), state)


def from_buffer(*arguments: object) -> Apply:
    return Apply(Global("numpy._core.numeric", "_frombuffer"), arguments)


def latin(text: object, encoding: object = "latin1") -> Apply:
    return Apply(Global("_codecs", "encode"), (text, encoding))


LIES: dict[str, object] = {
    "more than there is": array(1, (7,), KIND, False, BYTES),
    "less than there is": array(1, (5,), KIND, False, BYTES),
    "a petabyte": array(1, (2**30, 2**18), KIND, False, BYTES),
    "beyond 64 bits": array(1, (2**30,) * 8, KIND, False, BYTES),
    "minus": array(1, (-6,), KIND, False, BYTES),
    "minus twice": array(1, (-2, -3), KIND, False, BYTES),
    "nine axes": array(1, (1,) * 8 + (6,), KIND, False, BYTES),
    "truths": array(1, (True, 6), KIND, False, BYTES),
    "texts": array(1, ("6",), KIND, False, BYTES),
    "a list": array(1, [6], KIND, False, BYTES),
    "no bytes": array(1, (6,), KIND, False, None),
    "objects": array(1, (2,), OBJECTS, False, [1, Apply(Global("os", "getcwd"), ())]),
    "no objects": array(1, (2,), OBJECTS, False, []),
    "no type": array(1, (6,), "f4", False, BYTES),
    "a type without order": array(
        1, (6,), Apply(Global("numpy", "dtype"), ("f4", False, True)), False, BYTES
    ),
    "a short state": array((6,), KIND, False, BYTES),
    "another class": array(1, (6,), KIND, False, BYTES, made=Global("numpy", "dtype")),
    "a matrix": array(1, (6,), KIND, False, BYTES, made=Global("numpy", "matrix")),
    "a class of text": array(1, (6,), KIND, False, BYTES, made="ndarray"),
    "a call of the class": Apply(NDARRAY, ((2**20, 2**20),)),
    "an array of no state": Apply(RECONSTRUCT, (NDARRAY, (2**40,), b"b")),
    "state twice": Raw(
        encode(array(1, (6,), KIND, False, BYTES)) + encode((1, (6,), KIND, False, BYTES)) + b"b"
    ),
    "a buffer that lies": from_buffer(BYTES, KIND, (2**40,), "C"),
    "a buffer in no order": from_buffer(BYTES, KIND, (6,), array(1, (6,), KIND, False, BYTES)),
    "a buffer of text": from_buffer("abc", KIND, (6,), "C"),
    "text that is no bytes": array(1, (6,), KIND, False, "\u0416" * 24),
    "another codec": latin("abc", "zlib"),
    "a codec of an array": latin("abc", array(1, (6,), KIND, False, BYTES)),
    "a codec of bytes": latin(b"abc"),
}  # fmt: skip


@pytest.mark.parametrize("name", LIES)
def test_arrays_that_lie_are_refused(name: str) -> None:
    network = Apply(
        Global("dnnlib.tflib.network", "Network"),
        (),
        {"version": 4, "static_kwargs": {}, "variables": [("dlatent_avg", LIES[name])]},
        opcode=b"\x81",
    )
    refuse(dump((network, network, network)))


def test_the_same_bytes_cannot_be_unfolded_again_and_again() -> None:
    big = bytes(1 << 16)
    state = (1, (1 << 14,), KIND, False, Raw(encode(big) + b"q\x07"))
    again = (1, (1 << 14,), KIND, False, Raw(b"h\x07"))
    variables = [("a0", array(*state)), *((f"a{k}", array(*again)) for k in range(1, 40))]
    sentence = refuse(dump(variables))
    assert "more than the whole file" in sentence
    text = latin(Raw(encode("x" * (1 << 16)) + b"q\x07"))
    sentence = refuse(dump([text, *(latin(Raw(b"h\x07")) for _ in range(40))]))
    assert "more than the whole file" in sentence


def test_the_loader_takes_both_kinds_and_tells_errors_alike(tmp_path: Any) -> None:
    path = tmp_path / "net.pkl"
    path.write_bytes(write_by_pickle(stored(), 4))
    assert generator.load(path).img_resolution == 16
    path.write_bytes(keyword(nonlinearity="relu")())
    with pytest.raises(CheckpointError, match=r"net\.pkl: .*'relu'; only 'lrelu' is supported"):
        generator.load(path)


def test_a_signalling_nan_is_no_warning() -> None:
    """Input 53847 of the fuzz, seed 1."""
    signalling = np.array([0x7F800001], np.uint32).view(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(to_pytorch(signalling, "style bias")).all()
