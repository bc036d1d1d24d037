"""Operators: all cases of the reference numbers, gradients of second order, and by hand.

Run with `pytest -rP tests/test_operators.py` to see every array and its error.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from generator import operators, resampling
from generator.operators import downsampling_weight, upsampling_weight
from generator.resampling import resample, resample_filter, resampled_conv2d
from tests.golden import compares, golden_arrays, met

pytestmark = pytest.mark.usefixtures("one_torch_thread")

Tensors = Mapping[str, Tensor]
Words = dict[str, Any]

OUTPUT_TOLERANCE, GRADIENT_TOLERANCE = 1e-5, 1e-4  # of the largest; the README, section 8


def renamed(words: Words, **names: str) -> Words:
    return {names.get(name, name): value for name, value in words.items()}


def setup_filter(inputs: Tensors, words: Words) -> Tensor:
    taps = inputs["f"] if "f" in inputs else torch.tensor(1.0)
    given = renamed({k: v for k, v in words.items() if k != "f"}, flip_filter="flip")
    return resample_filter(taps, **given)


def resampling_of(function: Callable[..., Tensor]) -> Callable[[Tensors, Words], Tensor]:
    def ours(inputs: Tensors, words: Words) -> Tensor:
        return function(inputs["x"], inputs.get("f"), **renamed(words, flip_filter="flip"))

    return ours


def convolution(inputs: Tensors, words: Words) -> Tensor:
    given = renamed(words, flip_filter="flip", flip_weight="correlate")
    return resampled_conv2d(inputs["x"], inputs["w"], inputs.get("f"), **given)


def modulated(inputs: Tensors, words: Words) -> Tensor:
    """One way of computing stands for both of theirs, which agree (`fused_modconv`)."""
    up, weight = words["up"] == 2, inputs["weight"]
    assert words["padding"] == weight.shape[-1] // 2 and words["flip_weight"] is not up
    return operators.modulated_conv2d(
        inputs["x"],
        weight,
        inputs["styles"],
        demodulate=words["demodulate"],
        up_kernel=inputs["resample_filter"] if up else None,
        offset=inputs.get("noise"),
    )


OURS: dict[str, Callable[[Tensors, Words], Tensor]] = {
    "setup_filter": setup_filter,
    "upfirdn2d": resampling_of(resample),
    "filter2d": resampling_of(resampling.smooth),
    "upsample2d": resampling_of(resampling.upsample),
    "downsample2d": resampling_of(resampling.downsample),
    "conv2d_resample": convolution,
    "modulated_conv2d": modulated,
    "bias_act": lambda inputs, words: operators.bias_act(
        inputs["x"], inputs.get("b"), **renamed(words, act="activation", alpha="slope")
    ),
    "normalize_2nd_moment": lambda inputs, _: operators.normalize_second_moment(inputs["x"]),
    "fully_connected": lambda inputs, words: operators.fully_connected(
        inputs["x"], inputs["weight"], inputs.get("bias"), **words
    ),
    "minibatch_std": lambda inputs, words: operators.minibatch_std(inputs["x"], **words),
}


@compares("ops.npz", "*_out", "*_grad_*")
def test_every_case_of_the_reference_is_met() -> None:
    arrays = golden_arrays("ops.npz")
    cases = json.loads(bytes(arrays["cases_json"]))
    faults = []
    for case in cases:
        number = f"{int(case['id']):03d}"
        inputs = {name: torch.from_numpy(arrays[f"{number}_in_{name}"]) for name in case["inputs"]}
        wanted = [inputs[name].requires_grad_() for name in case.get("grads") or ()]
        print(f"{number} {case['op']} {case['kwargs']}")
        try:
            out = OURS[case["op"]](inputs, case["kwargs"])
            met("ops.npz", f"{number}_out", out.detach(), of_max=OUTPUT_TOLERANCE)
            if not wanted:
                continue
            slopes = torch.autograd.grad(out, wanted, torch.from_numpy(arrays[f"{number}_dy"]))
            for name, slope in zip(case["grads"], slopes, strict=True):
                array = f"{number}_grad_{name}"
                met("ops.npz", array, slope, of_max=GRADIENT_TOLERANCE)
        except AssertionError as fault:
            faults.append(f"{number} {case['op']} {case['kwargs']}: {fault}")
    assert not faults, "\n".join(faults)
    assert {case["op"] for case in cases} == set(OURS)


def doubled(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


KERNEL = resample_filter().double()
LINE = resample_filter([0.1, 0.2, 0.3, 0.4, 0.4, 0.3, 0.2, 0.1, 0.5]).double()
TWICE: dict[str, tuple[Callable[..., Tensor], tuple[Tensor, ...]]] = {
    "resample": (
        lambda x: resample(x, KERNEL, up=2, down=3, padding=(2, -1, 0, 3)),
        (doubled(1, 2, 4, 3),),
    ),
    "separable": (lambda x: resample(x, LINE, up=2, padding=4), (doubled(1, 1, 3, 3),)),
    "convolution": (
        lambda x, w: resampled_conv2d(x, w, KERNEL, up=2, padding=1),
        (doubled(1, 2, 3, 3), doubled(2, 2, 3, 3)),
    ),
    "modulated": (
        lambda x, w, s: operators.modulated_conv2d(x, w, s, up_kernel=KERNEL, gain=1.5),
        (doubled(2, 2, 3, 3), doubled(2, 2, 3, 3), doubled(2, 2)),
    ),
    "minibatch_std": (lambda x: operators.minibatch_std(x, 2), (doubled(4, 2, 2, 2),)),
    "swish": (
        lambda x, b: operators.bias_act(x, b, activation="swish"),
        (doubled(2, 3), doubled(3)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TWICE)
def test_it_can_be_differentiated_twice(name: str) -> None:
    torch.manual_seed(0)
    function, inputs = TWICE[name]
    assert torch.autograd.gradgradcheck(function, inputs)


@pytest.mark.parametrize("size", [1, 3])
def test_the_folded_up_sampling_equals_zeros_filter_and_convolution(size: int) -> None:
    torch.manual_seed(0)
    x, weight, kernel = torch.randn(2, 5, 6, 4), torch.randn(7, 5, size, size), resample_filter()
    folded = F.pixel_shuffle(F.conv2d(x, upsampling_weight(weight, kernel), padding=1), 2)
    plain = resampled_conv2d(x, weight, kernel, up=2, padding=size // 2, correlate=False)
    assert folded.shape == (2, 7, 12, 8) and torch.allclose(folded, plain, atol=1e-4)


@pytest.mark.parametrize("size", [1, 3])
def test_the_folded_down_sampling_equals_filter_and_convolution(size: int) -> None:
    torch.manual_seed(0)
    x, weight, kernel = torch.randn(2, 5, 6, 4), torch.randn(7, 5, size, size), resample_filter()
    folded = F.conv2d(x, downsampling_weight(weight, kernel), stride=2, padding=(size + 2) // 2)
    plain = resampled_conv2d(x, weight, kernel, down=2, padding=size // 2)
    assert folded.shape == (2, 7, 3, 2) and torch.allclose(folded, plain, atol=1e-4)


def test_a_plain_picture_stays_plain_and_in_its_place() -> None:
    """Away from the border, where the zeros outside come in."""
    kernel = resample_filter()
    plain = torch.full((1, 1, 12, 12), 0.7)
    for sampled in (resampling.upsample(plain, kernel), resampling.downsample(plain, kernel)):
        inner = sampled[..., 2:-2, 2:-2]
        assert torch.allclose(inner, torch.full_like(inner, 0.7), atol=1e-6)
    ramp = torch.arange(12.0).expand(1, 1, 12, 12)
    # the middles of the pixels at twice the size lie a quarter of a pixel on either side
    steps = resampling.upsample(ramp, kernel)[0, 0, 8, 8:12]
    assert steps.tolist() == pytest.approx([3.75, 4.25, 4.75, 5.25])
    steps = resampling.downsample(ramp, kernel)[0, 0, 3, 2:4]
    assert steps.tolist() == pytest.approx([4.5, 6.5])


def test_a_gain_counts_without_demodulation_too() -> None:
    torch.manual_seed(0)
    x, weight, styles = torch.randn(2, 3, 4, 4), torch.randn(5, 3, 3, 3), torch.randn(2, 3)
    for demodulate in (True, False):
        once = operators.modulated_conv2d(x, weight, styles, demodulate=demodulate)
        thrice = operators.modulated_conv2d(x, weight, styles, demodulate=demodulate, gain=3.0)
        assert torch.allclose(thrice, 3 * once, rtol=1e-4, atol=1e-4)
