"""The training losses of StyleGAN2 as pure functions. All are means over the batch."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def generator_loss(fake_logits: Tensor) -> Tensor:
    """Non-saturating logistic loss, -log sigmoid(D(G(z))) (Goodfellow et al. 2014, section 3)."""
    return F.softplus(-fake_logits).mean()


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Logistic loss: softplus(D(fake)) + softplus(-D(real))."""
    return fake_loss(fake_logits) + real_loss(real_logits)


def fake_loss(logits: Tensor) -> Tensor:
    """The part of the discriminator's loss that generated pictures have."""
    return F.softplus(logits).mean()


def real_loss(logits: Tensor) -> Tensor:
    """The part of the discriminator's loss that real pictures have."""
    return F.softplus(-logits).mean()


def squared_slopes(logits: Tensor, images: Tensor) -> Tensor:
    """|grad_x D(x)|^2 of each image, differentiable: [N]. images need a gradient."""
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3))


def r1_penalty(real_logits: Tensor, real_images: Tensor, gamma: float) -> Tensor:
    """gamma/2 E |grad_x D(x)|^2 over real images (Mescheder et al. 2018, equation 9)."""
    return squared_slopes(real_logits, real_images).mean() * (gamma / 2)


def path_slopes(images: Tensor, ws: Tensor, noise: Tensor) -> Tensor:
    """J_w^T y, differentiable: [N, num_ws, w_dim] (StyleGAN2, section 3.2).

    images: [N, C, H, W] made from ws [N, num_ws, w_dim] with a graph; noise: N(0, 1) of the
    images' shape, which becomes y by a division by sqrt(H W).
    """
    height, width = images.shape[2:]
    projected = (images * (noise / math.sqrt(height * width))).sum()
    (slopes,) = torch.autograd.grad(projected, ws, create_graph=True)
    return slopes


def path_lengths(slopes: Tensor) -> Tensor:
    """|J_w^T y| of slopes [N, num_ws, w_dim], the layers' mean inside the root: [N]."""
    return slopes.square().sum(dim=2).mean(dim=1).sqrt()


def path_length_penalty(
    images: Tensor, ws: Tensor, noise: Tensor, mean_length: Tensor, decay: float = 0.01
) -> tuple[Tensor, Tensor]:
    """E (|J_w^T y| - a)^2 with the running mean a (StyleGAN2, equation 4 and appendix B).

    images, ws, noise: as in `path_slopes`; mean_length: scalar. Returns the penalty and the
    updated mean (detached). The penalty already uses the updated mean and is differentiated
    through it, as published.
    """
    lengths = path_lengths(path_slopes(images, ws, noise))
    mean = mean_length.lerp(lengths.mean(), decay)
    return (lengths - mean).square().mean(), mean.detach()
