"""A snapshot whose arguments do not fit our networks, or its own tensors, is a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import generator
from generator.checkpoint import CheckpointError, build
from tests.legacy_files import Apply, Global, module, snapshot, tensor_of
from tests.tiny_networks import random_generator

FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "tensors missing": ({"z_dim": 1, "w_dim": 1, "img_resolution": 4, "channel_max": 1}, "lacks"),
    "memory": ({"z_dim": 65536, "w_dim": 65536}, "ask for more than its tensors"),
    "resolution": ({"img_resolution": 48}, "power of two"),
    "no channels": ({"channel_base": 1}, "unusable"),
    "negative": ({"z_dim": -1}, "z_dim=-1 in its generator is no usable number"),
    "layers": ({"mapping_kwargs": {"num_layers": 65}}, "num_layers=65"),
    "architecture": ({"synthesis_kwargs": {"architecture": "unet"}}, "architecture must be one of"),
    "activation": ({"synthesis_kwargs": {"activation": "swish"}}, "only 'lrelu' is supported"),
    "mapping's activation": ({"mapping_kwargs": {"activation": "relu"}}, "activation 'relu'"),
    "filter": ({"resample_filter": [1, 2, 1]}, "only filters of four numbers"),
    "no filter": ({"synthesis_kwargs": {"resample_filter": None}}, "resample_filter None"),
    "kernel": ({"kernel_size": 1}, "kernel_size=1"),
    "width": ({"mapping_kwargs": {"layer_features": 0}}, "layer_features=0"),
    "rate": ({"mapping_kwargs": {"lr_multiplier": 0}}, "lr_multiplier=0"),
    "clamp": ({"conv_clamp": "256"}, "conv_clamp='256'"),
    "unknown": ({"magnitude_ema": 1}, "magnitude_ema, which is not known"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_arguments_that_do_not_fit_are_a_sentence(name: str, tmp_path: Path) -> None:
    arguments, reason = FAULTS[name]
    state = {
        "_parameters": {},
        "_buffers": {"w_avg": tensor_of(np.zeros(300, "f4"))},
        "_modules": {},
        "_init_kwargs": arguments,
    }
    path = tmp_path / "net.pkl"
    path.write_bytes(snapshot(module("Generator", state=state)))
    with pytest.raises(CheckpointError, match=r"net\.pkl") as caught:
        generator.load(path)
    assert reason in str(caught.value)


def test_a_hostile_snapshot_is_a_checkpoint_error(tmp_path: Path) -> None:
    path = tmp_path / "net.pkl"
    path.write_bytes(snapshot(Apply(Global("os", "system"), ("true",))))
    with pytest.raises(CheckpointError, match=r"os\.system"):
        generator.load(path)


def test_weights_that_are_not_finite_are_refused() -> None:
    net = random_generator()
    tensors = {**net.state_dict(), "synthesis.b8.conv1.weight": torch.full((24, 24, 3, 3), np.nan)}
    with pytest.raises(CheckpointError, match=r"b8\.conv1\.weight holds a number that is not fin"):
        build(net.config, tensors, Path("net.pkl"))
