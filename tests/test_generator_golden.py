"""Generators of published pickles against reference numbers of the published implementation.

Run with `pytest -rP tests/test_generator_golden.py` to see every array and its error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import generator
from generator.networks import Generator
from tests.golden import compares, golden_arrays, golden_folder, met

Array = NDArray[Any]

NETS = {
    "g_torch.pkl": "generator.npz",
    "g_torch_cond.pkl": "generator_cond.npz",
    "g_torch_fp16.pkl": "generator_fp16.npz",
    "g_tf.pkl": "generator_tf.npz",
}
INPUTS = {"z", "c", "truncation", "seeds"}  # what the comparisons are made from
W_TOLERANCE = (
    1e-5  # of the largest absolute value; the section on tolerances of the folder's README
)
IMAGE_TOLERANCE = 5e-5


class Comparison:
    """Makes our counterpart of each reference array, found by its name."""

    def __init__(self, net: Generator, reference: Mapping[str, Array]) -> None:
        self.net = net
        self.reference = reference
        psi_a, cut_a, psi_b, cut_b = reference["truncation"].tolist()
        self.truncations: dict[str, tuple[float, int | None]] = {
            "psi1": (1.0, None),
            "psiA": (psi_a, None),
            "psiA_cutA": (psi_a, int(cut_a)),
            "psiB": (psi_b, None),
            "psiB_cutB": (psi_b, int(cut_b)),
        }

    def ws(self, truncation: str, samples: slice = slice(None)) -> torch.Tensor:
        psi, cutoff = self.truncations[truncation]
        z = torch.from_numpy(self.reference["z"][samples])
        c = torch.from_numpy(self.reference["c"][samples]) if "c" in self.reference else None
        ws: torch.Tensor = self.net.mapping(z, c, truncation_psi=psi, truncation_cutoff=cutoff)
        return ws

    def image(
        self, ws: torch.Tensor, noise_mode: str, resolution: int | None = None
    ) -> torch.Tensor:
        made: torch.Tensor = self.net.synthesis(ws, noise_mode=noise_mode, resolution=resolution)
        return made

    def ours(self, name: str) -> Array:
        kind, _, rest = name.partition("_")
        make: Callable[[str], torch.Tensor | Array] = getattr(self, f"make_{kind}")
        made = make(rest)
        return made.numpy() if isinstance(made, torch.Tensor) else made

    def make_w(self, rest: str) -> torch.Tensor:
        return self.ws(rest)

    def make_img(self, rest: str) -> torch.Tensor:
        first_only = rest.endswith("_s0")
        truncation, noise_mode = rest.removesuffix("_s0").rsplit("_", 1)
        ws = self.ws(truncation, slice(1) if first_only else slice(None))
        return self.image(ws, noise_mode)

    def make_rgb(self, rest: str) -> torch.Tensor:
        *run, block = rest.split("_")
        truncation, noise_mode = run or ("psi1", "const")
        resolution = int(block.removeprefix("b"))
        return self.image(self.ws(truncation), noise_mode, resolution)

    def make_x(self, rest: str) -> torch.Tensor:
        features: list[torch.Tensor] = []
        block = self.net.synthesis.get_submodule(rest)
        hook = block.register_forward_hook(lambda _, __, output: features.append(output[0]))
        self.image(self.ws("psi1", slice(1)), "const")
        hook.remove()
        return features[0]

    def make_mix(self, rest: str) -> torch.Tensor:
        ws = self.ws("psi1")
        mixed = torch.cat([ws[:1, :3], ws[1:2, 3:]], dim=1)
        return mixed if rest == "ws" else self.image(mixed, "const")

    def make_seed(self, rest: str) -> Array:
        seeds = self.reference["seeds"].tolist()
        zs = [np.random.RandomState(seed).randn(1, self.net.z_dim) for seed in seeds]
        if rest == "z":
            return np.concatenate(zs)
        psi, cutoff = self.truncations["psiA"]
        images = []
        for z in zs:
            ws = self.net.mapping(torch.from_numpy(z), truncation_psi=psi, truncation_cutoff=cutoff)
            image = self.image(ws, "const")
            images.append((image * 127.5 + 128).clamp(0, 255).to(torch.uint8))
        return torch.cat(images).permute(0, 2, 3, 1).numpy()


@pytest.mark.parametrize(("pickle_name", "reference"), list(NETS.items()))
@compares("{reference}", "w_*", "img_*", "rgb_*", "x_*", "mix_*", "seed_*")
@torch.no_grad()
def test_every_array_of_the_reference_is_met(pickle_name: str, reference: str) -> None:
    net = generator.load(golden_folder() / pickle_name)
    arrays = golden_arrays(reference)
    comparison = Comparison(net, arrays)
    for name in sorted(arrays.keys() - INPUTS):
        got, wanted = comparison.ours(name), arrays[name]
        assert got.dtype == wanted.dtype, name
        if wanted.dtype == np.uint8:
            met(reference, name, got, absolute=1)
            assert float(np.mean(got != wanted)) < 0.005
        else:
            of_w = name.startswith(("w_", "seed_z", "mix_ws"))
            met(reference, name, got, of_max=W_TOLERANCE if of_w else IMAGE_TOLERANCE)


def test_the_sizes_of_the_reference_nets_are_read() -> None:
    folder = golden_folder()
    sizes = {
        "g_torch.pkl": (64, 64, 0, 10, 64, 3),
        "g_torch_cond.pkl": (40, 48, 4, 8, 32, 3),
        "g_torch_fp16.pkl": (32, 32, 0, 8, 32, 3),
        "g_tf.pkl": (48, 48, 0, 8, 32, 3),
    }
    for name, wanted in sizes.items():
        net = generator.load(folder / name)
        got = (net.z_dim, net.w_dim, net.c_dim, net.num_ws, net.img_resolution, net.img_channels)
        assert got == wanted, name
        assert all(value.dtype == torch.float32 for value in net.state_dict().values())


def test_a_conditional_generator_asks_for_its_label() -> None:
    net = generator.load(golden_folder() / "g_torch_cond.pkl")
    with pytest.raises(ValueError, match="conditional"):
        net.mapping(torch.zeros(1, net.z_dim))
