"""Learning to draw training pictures from codes, before and beside the adversary.

A picture's code is its whitened principal components, completed with Gaussian noise to a z
(Bojanowski et al. 2018, generative latent optimisation, arXiv 1707.05776, section 3.2, begin so;
there the codes are learned further, here they stay). As whitened components are distributed nearly
like z, what is learned for the codes holds for random z too: a sample has a composition before the
adversary begins, which then makes it sharp. Codes that moved freely left random z grey.
"""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from generator.discriminator import Discriminator
from training.learning.picture_feed import Pictures

SMALLEST_LEVEL_PX = 4
CODED_PX = 16
MOST_COMPONENTS = 64  # nine tenths of the variance of painted landscapes at 16 pixels
PICTURES_AT_ONCE = 128


def laplacian_distance(drawn: Tensor, wanted: Tensor) -> Tensor:
    """Sum over pyramid levels of the mean absolute difference; drawn, wanted: [N, C, R, R]."""
    difference = (drawn - wanted).float()
    total = difference.new_zeros([])
    while difference.shape[-1] > SMALLEST_LEVEL_PX:
        # both pyramids are linear, so that of the difference is the difference of theirs
        coarser = F.avg_pool2d(difference, 2)
        detail = difference - F.interpolate(coarser, scale_factor=2, mode="bilinear")
        total = total + detail.abs().mean()
        difference = coarser
    return total + difference.abs().mean()


def feature_distance(discriminator: Discriminator, drawn: Tensor, wanted: Tensor) -> Tensor:
    """Mean absolute difference of the discriminator's feature maps, averaged over its blocks
    (Larsen et al. 2016, arXiv 1512.09300, equation 7). drawn, wanted: [N, C, R, R].

    A generator can please the adversary with one ornament at the same place of every picture; what
    is to resemble its own picture in these features cannot.
    """
    with torch.no_grad():
        targets = discriminator.features(wanted)
    distances = [
        (made.float() - target.float()).abs().mean()
        for made, target in zip(discriminator.features(drawn), targets, strict=True)
    ]
    return torch.stack(distances).mean()


class LinearCodes:
    """The principal components of a set of pictures, which turn a picture into a z.

    mean: float32 [3 * P * P]; basis: float32 [3 * P * P, K], whose columns also whiten; P is
    `CODED_PX` or the pictures' size, whichever is less. A picture and its mirror image count alike.
    """

    def __init__(self, mean: Tensor, basis: Tensor) -> None:
        self.mean: Tensor = mean
        self.basis: Tensor = basis

    @classmethod
    def of_pictures(cls, images: Pictures, z_dim: int) -> LinearCodes:
        """At most half of the z_dim numbers are components."""
        rows = torch.cat(
            [
                _small(torch.from_numpy(np.ascontiguousarray(flipped)).float() / 127.5 - 1.0)
                for start in range(0, len(images), PICTURES_AT_ONCE)
                for part in [images[np.arange(start, min(start + PICTURES_AT_ONCE, len(images)))]]
                for flipped in (part, part[..., ::-1])
            ]
        )
        mean = rows.mean(dim=0)
        covariance = torch.cov(rows.double().T, correction=0)
        variances, directions = torch.linalg.eigh(covariance)
        components = min(MOST_COMPONENTS, z_dim // 2, len(images) - 1)
        largest = slice(len(variances) - components, None)
        variances, directions = variances[largest].flip(0), directions[:, largest].flip(1)
        return cls(mean, (directions / variances.clamp(min=1e-8).sqrt()).float())

    def open_mapping(self, first_layer: Tensor) -> None:
        """Make a mapping's first layer [w_dim, z_dim] see the components alone, at its old scale.

        Random weights would bury them in the other numbers of z, which say nothing of the picture:
        in 30 thousand pictures a generator then came no further than the mean picture.
        """
        components = self.basis.shape[1]
        with torch.no_grad():
            first_layer[:, components:] = 0.0
            first_layer[:, :components] *= math.sqrt(first_layer.shape[1] / components)

    def of(self, images: Tensor, z: Tensor) -> Tensor:
        """z [n, z_dim] with its first K numbers replaced by the components of images [n, 3, R, R],
        which lie in -1..1."""
        components = (_small(images) - self.mean) @ self.basis
        return torch.cat([components, z[:, components.shape[1] :]], dim=1)


def _small(images: Tensor) -> Tensor:
    return F.adaptive_avg_pool2d(images, min(CODED_PX, images.shape[-1])).flatten(1)
