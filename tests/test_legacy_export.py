"""Networks of this project as snapshots of the TensorFlow layout: existing tools read them."""

from __future__ import annotations

import dataclasses
import pickle
import pickletools
from typing import Any

import numpy as np
import pytest
import torch

from generator.discriminator import Discriminator
from generator.legacy.discriminators import discriminator_of
from generator.legacy.export import NO_SOURCE, tensorflow_snapshot
from generator.legacy.generators import generator_of, generator_of_network
from generator.legacy.pickle_writer import Applied, GlobalName, pickle_bytes
from generator.legacy.reader import read_legacy_bytes, read_legacy_pickle
from generator.legacy.snapshot import LegacySnapshot
from tests.golden import golden_folder
from tests.tensorflow_files import DISCRIMINATOR, GENERATOR, networks, read_by_pickle

VARIANTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "usual": ({}, {}),
    "resnet": ({"architecture": "resnet", "conv_clamp": 256.0}, {"architecture": "orig"}),
    "orig": ({"architecture": "orig"}, {"architecture": "skip", "conv_clamp": 256.0}),
    "widths": (
        {"layer_features": 9, "lr_multiplier": 0.02, "w_avg_beta": 0.9},
        {"mbstd_group_size": None, "mbstd_num_channels": 7},
    ),
    "one layer, one channel": (
        {"num_mapping_layers": 1, "img_channels": 1}, {"img_channels": 1, "mbstd_num_channels": 0}
    ),
    "labels": (
        {"c_dim": 3, "embed_features": 2}, {"c_dim": 3, "cmap_dim": 6, "num_mapping_layers": 2,
                                            "layer_features": 6, "embed_features": 6},
    ),
}  # fmt: skip


def snapshot_of(parts: tuple[Any, Any, Discriminator]) -> LegacySnapshot:
    return read_legacy_bytes(tensorflow_snapshot(*parts), "net.pkl")


def same(ours: torch.nn.Module, theirs: torch.nn.Module) -> bool:
    state = theirs.state_dict()
    return ours.state_dict().keys() == state.keys() and all(
        torch.equal(tensor, state[name]) for name, tensor in ours.state_dict().items()
    )


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_comes_back_to_the_last_bit(name: str) -> None:
    g_words, d_words = VARIANTS[name]
    parts = networks(
        dataclasses.replace(GENERATOR, **g_words), dataclasses.replace(DISCRIMINATOR, **d_words)
    )
    snapshot = snapshot_of(parts)
    g, average, d = parts
    back = (
        generator_of_network(snapshot.networks["G"], "net.pkl"),
        generator_of(snapshot, "net.pkl"),
        discriminator_of(snapshot, "net.pkl"),
    )
    assert [net.config for net in back] == [g.config, average.config, d.config]
    assert same(back[0], g) and same(back[1], average) and same(back[2], d)
    assert not same(g, average)


@pytest.mark.parametrize(
    "name", ["g_tf.pkl", "g_torch.pkl", "g_torch_cond.pkl", "g_torch_fp16.pkl"]
)
def test_the_reference_snapshots_come_back_to_the_last_bit(name: str) -> None:
    snapshot = read_legacy_pickle(golden_folder() / name)
    parts = (
        generator_of_network(snapshot.networks["G"], name),
        generator_of(snapshot, name),
        discriminator_of(snapshot, name),
    )
    again = snapshot_of(parts)
    assert same(generator_of_network(again.networks["G"], name), parts[0])
    assert same(generator_of(again, name), parts[1])
    assert same(discriminator_of(again, name), parts[2])


def test_the_variables_of_the_reference_are_written_as_they_were() -> None:
    """What was read from TensorFlow's own layout goes back to the same names and numbers."""
    path = golden_folder() / "g_tf.pkl"
    snapshot = read_legacy_pickle(path)
    written = read_by_pickle(
        tensorflow_snapshot(
            generator_of_network(snapshot.networks["G"], path),
            generator_of(snapshot, path),
            discriminator_of(snapshot, path),
        )
    )
    for ours, theirs in zip(written, read_by_pickle(path.read_bytes()), strict=True):
        parts = [(ours, theirs)]
        parts += [(ours.components[name], theirs.components[name]) for name in theirs.components]
        for mine, other in parts:
            assert (mine.version, mine.name) == (4, other.name)
            assert mine.build_func_name == other.build_func_name
            assert {k: mine.static_kwargs[k] for k in other.static_kwargs} == other.static_kwargs
            assert dict(mine.variables).keys() == dict(other.variables).keys()
            for name, value in other.variables:
                np.testing.assert_array_equal(mine.variable(name), value)
                assert mine.variable(name).dtype == np.float32


def test_a_style_bias_near_zero_rounds_once_and_then_stays() -> None:
    parts = networks()
    bias = parts[1].synthesis.b8.conv0.affine.bias
    bias.copy_(torch.tensor([0.1, -0.3, 1e-9, 0.4999999, -0.9, 3.3, 0.7]))
    once = generator_of(snapshot_of(parts), "net.pkl")
    assert (once.synthesis.b8.conv0.affine.bias - bias).abs().max() <= 6e-8
    twice = generator_of(snapshot_of((once, once, parts[2])), "net.pkl")
    assert same(twice, once)


# As other tools see it.


def test_a_plain_unpickler_with_a_stand_in_finds_everything() -> None:
    _, average, d = networks()
    _, d_part, gs = read_by_pickle(tensorflow_snapshot(*networks()))
    assert (gs.name, gs.version, gs.build_func_name) == ("Gs", 4, "G_main")
    assert gs.static_kwargs["fmap_base"] == GENERATOR.channel_base // 2
    assert gs.static_kwargs["mapping_fmaps"] == GENERATOR.w_dim
    assert (gs.input_shapes, gs.output_shapes) == ([[None, 6], [None, 0]], [[None, 3, 16, 16]])
    assert (gs.input_names, gs.output_names) == (["latents_in", "labels_in"], ["images_out"])
    np.testing.assert_array_equal(gs.variable("dlatent_avg"), average.mapping.w_avg.numpy())
    synthesis, mapping = gs.components["synthesis"], gs.components["mapping"]
    np.testing.assert_array_equal(
        mapping.variable("Dense1/weight"), average.mapping.fc1.weight.numpy().T
    )
    state = average.synthesis.state_dict()
    np.testing.assert_array_equal(
        synthesis.variable("8x8/Conv0_up/weight"),
        state["b8.conv0.weight"].numpy()[:, :, ::-1, ::-1].transpose(2, 3, 1, 0),
    )
    np.testing.assert_array_equal(
        synthesis.variable("noise2"), state["b8.conv1.noise_const"].numpy()[None, None]
    )
    np.testing.assert_array_equal(
        d_part.variable("16x16/Conv1_down/weight"),
        d.state_dict()["b16.conv1.weight"].numpy().transpose(2, 3, 1, 0),
    )
    assert d_part.static_kwargs["mbstd_group_size"] == 2


def test_the_file_names_no_class_but_those_a_reader_must_know() -> None:
    data = tensorflow_snapshot(*networks())
    named = {arg for opcode, arg, _ in pickletools.genops(data) if opcode.name == "GLOBAL"}
    assert named == {
        "dnnlib.tflib.network Network",
        "numpy.core.multiarray _reconstruct",
        "numpy ndarray",
        "numpy dtype",
    }
    assert NO_SOURCE.encode() in data and NO_SOURCE.startswith("#")


def test_a_label_mapping_of_several_widths_has_no_place_in_the_layout() -> None:
    words = dict(c_dim=3, embed_features=4)  # noqa: C408
    parts = networks(
        dataclasses.replace(GENERATOR, c_dim=3), dataclasses.replace(DISCRIMINATOR, **words)
    )
    with pytest.raises(ValueError, match="one width for all"):
        tensorflow_snapshot(*parts)


# The writer.


@pytest.mark.parametrize(
    "value",
    [
        None, True, False, 0, -5, 2**31 - 1, 1.5, "", "Ballade \u266b", b"", b"\x00\xff",
        (), (1,), [], [1, [2, (3,)]], {}, {"a": {"b": None}, 1: 2.5},
    ],
)  # fmt: skip
def test_plain_values_are_what_python_reads(value: object) -> None:
    assert pickle.loads(pickle_bytes(value)) == value  # noqa: S301


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (1, 2, 3, 4)])
def test_arrays_are_what_numpy_reads(shape: tuple[int, ...]) -> None:
    array = np.arange(np.prod(shape), dtype="f4").reshape(shape)
    back = pickle.loads(pickle_bytes(array.T))  # noqa: S301
    np.testing.assert_array_equal(back, array.T)
    assert back.dtype == np.float32 and back.flags.writeable


def test_named_objects_are_called_by_the_reader() -> None:
    value = Applied(GlobalName("collections", "OrderedDict"), ([("a", 1)],))
    assert pickle.loads(pickle_bytes(value)) == {"a": 1}  # noqa: S301


def test_other_values_have_no_place() -> None:
    with pytest.raises(TypeError, match="set has no opcodes"):
        pickle_bytes([{1, 2}])
