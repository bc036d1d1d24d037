"""A synthesis network made ready for one device and one `EnginePath`: ws in, images out.

Everything that does not depend on w is worked out once: up-sampling weights, the energies for
demodulation, noise and bias together. Equal to `SynthesisNetwork` but for rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from generator.engine_path import EnginePath, LayerPath
from generator.networks import FullyConnected, Generator, NoiseMode, SynthesisLayer, ToRGBLayer
from generator.operators import (
    DEMODULATION_EPS,
    LEAKY_GAIN,
    LEAKY_SLOPE,
    resample_filter,
    upsample_2x,
    upsampling_weight,
)

Upsampler = Callable[[Tensor], Tensor]  # an image [N, 3, h, w] to [N, 3, 2h, 2w]


class Factors(NamedTuple):
    """What w says to one layer: factors of its inputs [N, Cin] and of its outputs [N, Cout]."""

    inputs: Tensor
    outputs: Tensor

    def of(self, sample: slice) -> Factors:
        return Factors(self.inputs[sample], self.outputs[sample])


class Modulation:
    """ws to the factors of all layers at once: a few large operators instead of some for each.

    Layers are padded to the widest; a layer without energy is not demodulated (ToRGB).
    """

    def __init__(
        self,
        affines: Sequence[FullyConnected],
        gains: Sequence[float],
        energies: Sequence[Tensor | None],
        device: str,
        dtype: torch.dtype,
    ) -> None:
        """gains: of each layer's styles; energies: [Cin, Cout] or None; all in the order of use."""
        self.dtype, self.device = dtype, device
        self.widths_in = [affine.weight.shape[0] for affine in affines]
        self.widths_out = [0 if energy is None else energy.shape[1] for energy in energies]
        w_dim = affines[0].weight.shape[1]
        width_in, width_out = max(self.widths_in), max(*self.widths_out, 1)
        self.weight = torch.zeros(len(affines), w_dim, width_in)
        self.bias = torch.zeros(len(affines), 1, width_in)
        self.energy = torch.zeros(len(affines), width_in, width_out)
        self.roots = torch.ones(len(affines), 1, 1)
        for k, (affine, gain, energy) in enumerate(zip(affines, gains, energies, strict=True)):
            n = self.widths_in[k]
            self.weight[k, :, :n] = affine.weight.detach().t() * (affine.weight_gain * gain)
            self.bias[k, 0, :n] = affine.bias.detach() * (affine.bias_gain * gain)
            self.roots[k] = math.sqrt(n)
            if energy is not None:
                self.energy[k, :n, : energy.shape[1]] = energy
        self.demodulated = torch.tensor([width > 0 for width in self.widths_out])[:, None, None]
        for name in ("weight", "bias", "energy", "roots", "demodulated"):
            setattr(self, name, getattr(self, name).to(device))

    def __call__(self, ws: Tensor) -> list[Factors]:
        """ws: [N, layers, w_dim], float32, each layer's own; the factors in the engine's dtype."""
        inputs = torch.baddbmm(self.bias, ws.transpose(0, 1), self.weight)
        if self.dtype is torch.float16:
            # demodulation takes any common factor out again; this one keeps float16 in range
            lengths = inputs.square().sum(dim=2, keepdim=True).clamp(min=1e-12).rsqrt()
            inputs = torch.where(self.demodulated, inputs * lengths * self.roots, inputs)
        squares = torch.bmm(inputs.square(), self.energy)
        outputs = ((squares + DEMODULATION_EPS).rsqrt_() * LEAKY_GAIN).to(self.dtype).unbind()
        return [
            Factors(one[:, :width], other[:, :width_out])
            for one, width, other, width_out in zip(
                inputs.to(self.dtype).unbind(),
                self.widths_in,
                outputs,
                self.widths_out,
                strict=True,
            )
        ]


class PreparedLayer:
    """One convolution, x [N, Cin, h, w] to [N, Cout, H, W], as `path` says."""

    def __init__(
        self,
        layer: SynthesisLayer,
        path: LayerPath,
        noise_mode: NoiseMode,
        device: str,
        dtype: torch.dtype,
        keeps_clamp: bool = True,
    ) -> None:
        self.path = path
        self.clamp = layer.clamp if keeps_clamp else None
        weight = unit_weight(layer)
        bias = layer.bias.detach() * LEAKY_GAIN
        noise = layer.noise_const * (layer.noise_strength.detach() * LEAKY_GAIN)
        self.bias = bias.to(device, dtype)
        offset = bias[None, :, None, None]
        if noise_mode == "const" and bool((noise != 0).any()):
            offset = offset + noise
        self.offset = _placed(offset, device, dtype)
        low_pass = layer.resample_filter.flip(0, 1) * 4.0
        self.low_pass = low_pass.expand(len(weight), 1, -1, -1).contiguous().to(device, dtype)
        if path.up == "transposed":
            weight = weight.transpose(0, 1)
        elif path.up == "composite":
            weight = upsampling_weight(weight, layer.resample_filter)
        self.weight = _placed(weight, device, dtype)

    def __call__(self, x: Tensor, factors: Factors) -> Tensor:
        if self.path.modulation == "inputs":
            x = self._convolved(x * factors.inputs[:, :, None, None], self.weight)
            x = x.mul_(factors.outputs[:, :, None, None]).add_(self.offset)
            x = F.leaky_relu_(x, LEAKY_SLOPE)
        else:
            samples = [
                self._with_own_weights(x[i : i + 1], factors.inputs[i], factors.outputs[i])
                for i in range(len(x))
            ]
            x = samples[0] if len(samples) == 1 else torch.cat(samples)
        return x if self.clamp is None else x.clamp_(-self.clamp, self.clamp)

    def _with_own_weights(self, x: Tensor, inputs: Tensor, outputs: Tensor) -> Tensor:
        """One sample [1, Cin, h, w]; its factors [Cin] and [Cout]."""
        both = torch.outer(inputs, outputs) if self.path.up else torch.outer(outputs, inputs)
        weight = self.weight * both[:, :, None, None]
        if self.path.fused:
            if self.path.up is None:
                return _fused(x, weight, self.bias, 1)
            x = F.conv_transpose2d(x, weight, stride=2)
            return _fused(x, self.low_pass, self.bias, len(self.bias))
        x = self._convolved(x, weight)
        return F.leaky_relu_(x.add_(self.offset), LEAKY_SLOPE)

    def _convolved(self, x: Tensor, weight: Tensor) -> Tensor:
        if self.path.up is None:
            return F.conv2d(x, weight, padding=1)
        if self.path.up == "transposed":
            x = F.conv_transpose2d(x, weight, stride=2)
            return F.conv2d(x, self.low_pass, padding=1, groups=len(self.low_pass))
        return F.pixel_shuffle(F.conv2d(x, weight, padding=1), 2)


class PreparedToRGB:
    """x [N, C, H, W] to float32 colours [N, 3, H, W]: one matrix a sample."""

    def __init__(
        self, layer: ToRGBLayer, device: str, dtype: torch.dtype, keeps_clamp: bool = True
    ) -> None:
        self.clamp = layer.clamp if keeps_clamp else None
        self.weight = layer.weight.detach().flatten(1).t().to(device, dtype)  # [C, 3]
        self.bias = layer.bias.detach().to(device)

    def __call__(self, x: Tensor, factors: Factors) -> Tensor:
        n, channels, height, width = x.shape
        pixels = x.permute(0, 2, 3, 1).reshape(n, height * width, channels)
        weight = self.weight * factors.inputs[:, :, None]
        colours = torch.bmm(pixels, weight).to(torch.float32).add_(self.bias)
        if self.clamp is not None:
            colours = colours.clamp_(-self.clamp, self.clamp)
        return colours.view(n, height, width, -1).permute(0, 3, 1, 2)


@dataclass(frozen=True)
class PreparedBlock:
    """The convolutions of one resolution and its ToRGB, `first` being the first one's place."""

    resolution: int
    layers: tuple[PreparedLayer, ...]
    torgb: PreparedToRGB
    first: int

    def __call__(
        self,
        x: Tensor,
        image: Tensor | None,
        factors: Sequence[Factors],
        upsampled: Upsampler,
    ) -> tuple[Tensor, Tensor]:
        for place, layer in enumerate(self.layers, start=self.first):
            x = layer(x, factors[place])
        colours = self.torgb(x, factors[self.first + len(self.layers)])
        return x, colours if image is None else colours.add_(upsampled(image))


class PreparedSynthesis:
    """ws [N, num_ws, w_dim] float32 on the device -> images [N, 3, R, R] float32, about -1..1."""

    def __init__(
        self, model: Generator, path: EnginePath, noise_mode: NoiseMode, device: str
    ) -> None:
        """Raises ValueError when the path is not one for this model."""
        wanted = model.num_ws - 1
        if len(path.layers) != wanted:
            raise ValueError(f"a path of {len(path.layers)} layers, for a network of {wanted}")
        self.path = path
        blocks = model.synthesis.blocks()
        self.blocks: list[PreparedBlock] = []
        modulated: list[SynthesisLayer | ToRGBLayer] = []
        of_ws: list[int] = []
        paths = iter(path.layers)
        for block in blocks:
            layers = [block.conv1] if block.resolution == 4 else [block.conv0, block.conv1]
            assert block.torgb is not None, "the skip architecture has one in every block"
            prepared = tuple(
                PreparedLayer(layer, next(paths), noise_mode, device, path.dtype, path.keeps_clamp)
                for layer in layers
            )
            torgb = PreparedToRGB(block.torgb, device, path.dtype, path.keeps_clamp)
            self.blocks.append(PreparedBlock(block.resolution, prepared, torgb, len(modulated)))
            # each ToRGB shares its w with the next block's first convolution
            first_w = of_ws[-1] if of_ws else 0
            of_ws += range(first_w, first_w + len(layers) + 1)
            modulated += [*layers, block.torgb]
        self.of_ws = torch.tensor(of_ws, device=device)
        self.modulation = modulation(modulated, device, path.dtype)
        self.const = _placed(blocks[0].const.detach()[None], device, path.dtype)
        self.upsampled = _upsampler(blocks[0].resample_filter.to(device))

    def __call__(self, ws: Tensor, resolution: int | None = None) -> Tensor:
        """resolution: stop after this block; None: the whole network."""
        last = resolution or self.blocks[-1].resolution
        blocks = [block for block in self.blocks if block.resolution <= last]
        together = [block for block in blocks if block.resolution < self.path.singly_from]
        singly = blocks[len(together) :]
        factors = self.modulation(ws.index_select(1, self.of_ws))
        x = self.const.expand(len(ws), -1, -1, -1)
        image: Tensor | None = None
        for block in together:
            x, image = block(x, image, factors, self.upsampled)
        if not singly:
            assert image is not None
            return image
        images = []
        for i in range(len(ws)):
            one = slice(i, i + 1)
            x_one, image_one = x[one], None if image is None else image[one]
            factors_one = [layer.of(one) for layer in factors]
            for block in singly:
                x_one, image_one = block(x_one, image_one, factors_one, self.upsampled)
            assert image_one is not None
            images.append(image_one)
        return images[0] if len(images) == 1 else torch.cat(images)


def modulation(
    layers: Sequence[SynthesisLayer | ToRGBLayer], device: str, dtype: torch.dtype
) -> Modulation:
    """The `Modulation` of these layers."""
    demodulated = [isinstance(layer, SynthesisLayer) for layer in layers]
    return Modulation(
        [layer.affine for layer in layers],
        [1.0 if isinstance(layer, SynthesisLayer) else layer.weight_gain for layer in layers],
        [
            unit_weight(layer).square().sum(dim=(2, 3)).t() if demodulates else None
            for layer, demodulates in zip(layers, demodulated, strict=True)
        ],
        device,
        dtype,
    )


def unit_weight(layer: SynthesisLayer | ToRGBLayer) -> Tensor:
    """The weight, scaled so that inputs of unit variance give such outputs. Demodulation takes the
    scale out again; float16 would otherwise leave its range before that."""
    weight = layer.weight.detach()
    scaled: Tensor = weight * weight.square().sum(dim=(1, 2, 3)).mean().clamp(min=1e-12).rsqrt()
    return scaled


def fusion_is_possible(layer: SynthesisLayer, noise_mode: NoiseMode, device: str) -> bool:
    """Whether a convolution of this torch can do bias and activation itself (oneDNN, on a CPU),
    and the layer adds nothing else."""
    noisy = noise_mode == "const" and bool((layer.noise_strength != 0).any())
    has_onednn = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return device == "cpu" and not noisy and bool(has_onednn)


def _fused(x: Tensor, weight: Tensor, bias: Tensor, groups: int) -> Tensor:
    """Convolution with padding 1, bias and leaky ReLU in one pass."""
    made: Tensor = torch.ops.mkldnn._convolution_pointwise(
        x, weight, bias, [1, 1], [1, 1], [1, 1], groups, "leaky_relu", [LEAKY_SLOPE], ""
    )
    return made


def _upsampler(low_pass: Tensor) -> Upsampler:
    """`upsample_2x`; for the usual low-pass as bilinear interpolation with zeros outside, which is
    the same and has a fast kernel."""
    if low_pass.shape != (4, 4) or not torch.allclose(low_pass.cpu(), resample_filter()):
        return lambda image: upsample_2x(image, low_pass)

    def interpolated(image: Tensor) -> Tensor:
        framed = F.pad(image, (1, 1, 1, 1))
        larger = F.interpolate(framed, scale_factor=2, mode="bilinear", align_corners=False)
        return larger[:, :, 2:-2, 2:-2]

    return interpolated


def _placed(tensor: Tensor, device: str, dtype: torch.dtype) -> Tensor:
    return tensor.to(device, dtype).contiguous(memory_format=torch.channels_last)
