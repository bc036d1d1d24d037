"""The distances of `project`, and the files that they come from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import Tensor

from generator.checkpoint import save_discriminator
from tests.tiny_training import SIZE, tiny_discriminator, tiny_generator
from training.errors import TrainingError
from training.latents.perceptual import (
    Distance,
    FeatureDistance,
    PixelDistance,
    WeightedSum,
    built_in_distance,
    normalize_channels,
    open_distance,
)
from training.latents.vgg16 import STAGES, Vgg16, load_vgg16
from training.learning.discriminator_file import load_discriminator

torch.set_num_threads(1)


def pictures(n: int, seed: int = 0, size: int = SIZE) -> Tensor:
    return torch.rand(n, 3, size, size, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def between(distance: Distance, a: Tensor, b: Tensor) -> Tensor:
    return distance.distance(distance.features(a), distance.features(b))


def vgg_tensors() -> dict[str, Tensor]:
    torch.manual_seed(2)
    tensors = {"classifier.0.weight": torch.zeros(1)}
    for stage in STAGES:
        for number, c_in, c_out in stage:
            tensors[f"features.{number}.weight"] = torch.randn(c_out, c_in, 3, 3) / (3 * c_in**0.5)
            tensors[f"features.{number}.bias"] = torch.zeros(c_out)
    return tensors


@pytest.mark.parametrize("kind", ["pixels", "features", "both"])
def test_a_distance_is_zero_to_itself_and_grows(kind: str) -> None:
    features = FeatureDistance(tiny_discriminator(), "D")
    distance: Distance = {
        "pixels": PixelDistance(),
        "features": features,
        "both": built_in_distance([features]),
    }[kind]
    a, noise = pictures(3), pictures(3, seed=1)
    assert between(distance, a, a).tolist() == [0, 0, 0]
    near, far = between(distance, a, a.lerp(noise, 0.1)), between(distance, a, a.lerp(noise, 0.5))
    assert near.shape == (3,)
    assert (near > 0).all() and (near < far).all()


def test_pixel_distance_is_the_mean_square_where_all_pixels_differ_alike() -> None:
    black, grey = torch.full((1, 3, 16, 16), -1.0), torch.full((1, 3, 16, 16), -0.5)
    assert between(PixelDistance(), black, grey).item() == pytest.approx(0.25)


def test_pixel_distance_counts_fine_differences_at_full_size_only() -> None:
    board = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(8, 8).expand(1, 3, 16, 16)
    # 16, 8 and 4 pixels: 1, 0 and 0
    assert between(PixelDistance(), torch.zeros(1, 3, 16, 16), board).item() == pytest.approx(1 / 3)


def test_channels_are_of_unit_length_and_zero_stays_zero() -> None:
    maps = torch.randn(2, 5, 3, 3) * 100
    maps[0, :, 0, 0] = 0
    length = normalize_channels(maps).square().sum(dim=1)
    assert length[0, 0, 0] == 0
    assert length[1].flatten().tolist() == pytest.approx([1.0] * 9)


def test_a_weighted_sum_is_the_sum_of_its_weighted_parts() -> None:
    pixels, features = PixelDistance(), FeatureDistance(tiny_discriminator(), "D")
    both = WeightedSum([(2.0, pixels), (0.5, features)])
    a, b = pictures(2), pictures(2, seed=1)
    expected = 2.0 * between(pixels, a, b) + 0.5 * between(features, a, b)
    assert torch.allclose(between(both, a, b), expected, rtol=1e-5)
    assert both.description == "2 x pixels at several scales + 0.5 x D"


def test_a_discriminator_file_gives_the_same_features(tmp_path: Path) -> None:
    kept = tiny_discriminator().half().float()
    digest = save_discriminator(kept, tmp_path / "d.safetensors")
    loaded, read_digest = load_discriminator(tmp_path / "d.safetensors")
    assert read_digest == digest
    assert loaded.config == kept.config
    assert torch.equal(loaded(pictures(4)), kept(pictures(4)))
    assert not any(parameter.requires_grad for parameter in loaded.parameters())


def test_a_damaged_or_foreign_discriminator_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "d.safetensors"
    save_discriminator(tiny_discriminator(), path)
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    with pytest.raises(TrainingError, match="content hash does not match"):
        load_discriminator(path)
    path.write_bytes(raw[:50])
    with pytest.raises(TrainingError, match="not a readable safetensors file"):
        load_discriminator(path)
    safetensors.torch.save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(TrainingError, match="not a discriminator of this project"):
        load_discriminator(path)
    with pytest.raises(TrainingError, match="there is no such file"):
        load_discriminator(tmp_path / "none.safetensors")


def test_a_discriminator_of_another_size_is_refused(tmp_path: Path) -> None:
    save_discriminator(tiny_discriminator(32), tmp_path / "d.safetensors")
    with pytest.raises(TrainingError, match="looks at 32 pixels, and the generator paints 16"):
        open_distance(16, tmp_path / "d.safetensors", None)


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_vgg16_is_read_from_a_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"vgg16{suffix}"
    if suffix == ".pth":
        torch.save(vgg_tensors(), path)
    else:
        safetensors.torch.save_file(vgg_tensors(), path)
    distance = open_distance(SIZE, None, path)
    assert "VGG16" in distance.description
    assert between(distance, pictures(1), pictures(1)).item() == 0
    assert between(distance, pictures(1), pictures(1, seed=1)).item() > 0


def test_vgg16_has_five_levels_and_averages_large_pictures() -> None:
    network = Vgg16(vgg_tensors())
    shapes = [tuple(level.shape[1:]) for level in network.features(pictures(1, size=32))]
    assert shapes == [(64, 32, 32), (128, 16, 16), (256, 8, 8), (512, 4, 4), (512, 2, 2)]
    with pytest.raises(ValueError, match="at least 16 pixels"):
        network.features(pictures(1, size=8))


def test_vgg16_matches_a_stack_of_layers() -> None:
    tensors = vgg_tensors()
    layers: list[torch.nn.Module] = []
    for index, stage in enumerate(STAGES):
        layers += [torch.nn.MaxPool2d(2)] if index else []
        for number, c_in, c_out in stage:
            convolution = torch.nn.Conv2d(c_in, c_out, 3, padding=1)
            convolution.weight.data = tensors[f"features.{number}.weight"]
            convolution.bias = torch.nn.Parameter(tensors[f"features.{number}.bias"])
            # in torchvision's numbering the place in the stack is the number in the name
            assert len(layers) == number
            layers += [convolution, torch.nn.ReLU()]
    image = pictures(1)
    mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
    std = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    with torch.no_grad():
        expected = torch.nn.Sequential(*layers)((image / 2 + 0.5 - mean) / std)
    assert torch.allclose(Vgg16(tensors).features(image)[-1], expected, atol=1e-5)


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (Path("was-run"),))


def test_vgg16_files_run_nothing_and_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "evil.pth"
    torch.save({"features.0.weight": Evil()}, path)
    with pytest.raises(TrainingError, match="cannot be read as weights"):
        load_vgg16(path)
    assert not Path("was-run").exists()
    torch.save({"a": torch.zeros(1)}, path)
    with pytest.raises(TrainingError, match="not the state dict of torchvision's VGG16"):
        load_vgg16(path)
    path.write_bytes(b"garbage")
    with pytest.raises(TrainingError, match="cannot be read as weights"):
        load_vgg16(path)
    with pytest.raises(TrainingError, match="there is no such file"):
        load_vgg16(tmp_path / "none.pth")


def test_gradients_reach_the_pictures() -> None:
    distance = built_in_distance([FeatureDistance(tiny_discriminator(), "D")])
    image = pictures(1).requires_grad_()
    (gradient,) = torch.autograd.grad(between(distance, pictures(1, seed=1), image).sum(), image)
    assert np.isfinite(gradient.numpy()).all()
    assert gradient.abs().max() > 0


def test_the_tiny_generator_differs_from_picture_to_picture() -> None:
    images = tiny_generator()(torch.randn(2, 32))
    assert between(PixelDistance(), images[:1], images[1:]).item() > 0.01
