"""FID, KID, precision and recall against values known beforehand, and the network's file."""

from __future__ import annotations

import hashlib
import math
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.tiny_features import Classifier, Colours, FirstOnly, Maps, OtherSize, save_script
from tests.tiny_networks import striped_pictures
from training.errors import TrainingError
from training.metrics import feature_distances
from training.metrics.feature_distances import (
    frechet_distance,
    kernel_distance,
    precision_recall,
)
from training.metrics.feature_network import FeatureNetwork, in_batches

pytestmark = pytest.mark.usefixtures("one_torch_thread")


def gaussian(n: int, mean: float = 0.0, deviation: float = 1.0, seed: int = 0) -> Tensor:
    """[n, 8], whose sample mean and covariance are exactly mean and deviation^2."""
    x = torch.from_numpy(np.random.default_rng(seed).standard_normal((n, 8)))
    x = x - x.mean(dim=0)
    root = torch.linalg.cholesky(torch.cov(x.T))
    return torch.linalg.solve_triangular(root, x.T, upper=False).T * deviation + mean


def test_a_set_is_no_distance_from_itself() -> None:
    x = gaussian(500)
    assert frechet_distance(x, x) == pytest.approx(0.0, abs=1e-6)
    assert precision_recall(x.float(), x.float()) == (1.0, 1.0)


@pytest.mark.parametrize(("shift", "deviation"), [(0.5, 1.0), (0.0, 2.0), (-1.5, 0.5)])
def test_the_distance_of_two_gaussians_is_that_of_the_formula(
    shift: float, deviation: float
) -> None:
    wanted = 8 * (shift**2 + (deviation - 1.0) ** 2)
    found = frechet_distance(gaussian(500), gaussian(400, shift, deviation, seed=1))
    assert found == pytest.approx(wanted, rel=1e-6, abs=1e-6)


def unbiased_mmd(x: Tensor, y: Tensor) -> float:
    """arXiv 1801.01401, equation 4, written out for sets of one size."""
    n, d = x.shape
    xx, yy, xy = ((a @ b.T / d + 1) ** 3 for a, b in ((x, x), (y, y), (x, y)))
    off = ~torch.eye(n, dtype=torch.bool)
    return float((xx[off].sum() + yy[off].sum()) / (n * (n - 1)) - 2 * xy.mean())


def test_kid_of_whole_sets_is_the_unbiased_estimate() -> None:
    x, y = gaussian(200), gaussian(200, 0.3, seed=1)
    mean, deviation = kernel_distance(x, y)
    assert mean == pytest.approx(unbiased_mmd(x, y), rel=1e-9)
    assert deviation == pytest.approx(0.0, abs=1e-9), "every subset is the whole set"


def test_kid_of_one_distribution_is_near_zero_on_either_side() -> None:
    rng = np.random.default_rng(4)
    values = [
        kernel_distance(*torch.from_numpy(rng.standard_normal((2, 60, 8))))[0] for _ in range(20)
    ]
    assert min(values) < 0 < max(values)
    assert abs(np.mean(values)) < 0.1 * kernel_distance(gaussian(60), gaussian(60, 1.0))[0]


def test_kid_over_subsets_is_repeatable_and_leaves_the_random_numbers_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feature_distances, "KID_SUBSET_SIZE", 50)
    x, y = gaussian(110), gaussian(110, 0.3, seed=1)
    torch.manual_seed(3)
    before = torch.get_rng_state()
    first = kernel_distance(x, y)
    assert torch.equal(before, torch.get_rng_state())
    assert first == kernel_distance(x, y) != kernel_distance(x, y, seed=1)
    assert first[1] > 0


def test_precision_and_recall_tell_missing_from_wrong() -> None:
    """Fakes that are good but all alike have precision and no recall; and the other way round."""
    real = gaussian(400).float()
    far = real + 100.0
    assert precision_recall(real, far) == (0.0, 0.0)
    narrow = torch.randn(400, 8, generator=torch.Generator().manual_seed(1)) * 0.1
    precision, recall = precision_recall(real, narrow)
    assert precision > 0.95 and recall < 0.05
    half_wrong = torch.cat([real[::2], far[::2]])
    precision, recall = precision_recall(real, half_wrong)
    assert precision == 0.5 and recall > 0.9


def test_precision_and_recall_by_hand() -> None:
    """On a line: balls to the third neighbour are 3, 2, 2, 3 around 0, 1, 2, 3."""
    real = torch.tensor([[0.0], [1.0], [2.0], [3.0]])
    fake = torch.tensor([[-3.5], [-2.9], [5.9], [6.5]])
    assert precision_recall(real, fake) == (0.5, 1.0)
    with pytest.raises(ValueError, match="more than 3 pictures"):
        precision_recall(real[:3], fake)


def test_the_networks_features_are_those_of_its_file(tmp_path: Path) -> None:
    file = save_script(Colours(), tmp_path / "features.pt")
    network = FeatureNetwork(file)
    assert network.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    pictures = striped_pictures(5, 16)
    features = network.features(in_batches(pictures, 2))
    wanted = pictures.reshape(5, 3, 4, 4, 4, 4).mean(axis=(3, 5)).reshape(5, 48) / 255
    assert features.shape == (5, 48)
    assert np.allclose(features.numpy(), wanted, atol=1e-6)


def test_return_features_is_asked_for_where_there_is_a_choice(tmp_path: Path) -> None:
    file = save_script(Classifier(), tmp_path / "classes.pt")
    assert FeatureNetwork(file).features([striped_pictures(4, 16)]).shape == (4, 3)


def damages() -> Iterator[tuple[str, bytes]]:
    yield "empty", b""
    yield "text", b"not a network"
    yield "zip", b"PK\x05\x06" + bytes(18)


@pytest.mark.parametrize("data", [pytest.param(data, id=name) for name, data in damages()])
def test_a_file_that_is_no_network_is_a_sentence(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "f.pt").write_bytes(data)
    with pytest.raises(TrainingError, match=r"f\.pt: cannot be read as a TorchScript file"):
        FeatureNetwork(tmp_path / "f.pt")


def test_a_file_that_is_not_there_is_a_sentence_that_names_what_to_fetch(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"no such file.*inception-2015-12-05\.pt"):
        FeatureNetwork(tmp_path / "f.pt")


@pytest.mark.parametrize(
    ("module", "sentence"),
    [
        (Maps(), "no vector for each picture"),
        (FirstOnly(), "no vector for each picture"),
        (OtherSize(), "does not take pictures of 16 pixels"),
    ],
)
def test_a_network_for_something_else_is_a_sentence(
    tmp_path: Path, module: nn.Module, sentence: str
) -> None:
    network = FeatureNetwork(save_script(module, tmp_path / "f.pt"))
    with pytest.raises(TrainingError, match=sentence):
        network.features([striped_pictures(4, 16)])


def test_without_the_package_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchmetrics"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torchmetrics", None)
    x = gaussian(20)
    for distance in (frechet_distance, kernel_distance):
        with pytest.raises(TrainingError, match=r"pip install -e '\.\[metrics\]'"):
            distance(x, x)
    assert precision_recall(x, x) == (1.0, 1.0) and math.isfinite(float(x.sum()))
