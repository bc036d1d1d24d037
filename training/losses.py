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
    return F.softplus(fake_logits).mean() + F.softplus(-real_logits).mean()


def r1_penalty(real_logits: Tensor, real_images: Tensor, gamma: float) -> Tensor:
    """gamma/2 E |grad_x D(x)|^2 over real images (Mescheder et al. 2018, equation 9)."""
    (gradient,) = torch.autograd.grad(real_logits.sum(), real_images, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3)).mean() * (gamma / 2)


def path_length_penalty(
    images: Tensor, ws: Tensor, noise: Tensor, mean_length: Tensor, decay: float = 0.01
) -> tuple[Tensor, Tensor]:
    """E (|J_w^T y| - a)^2 with the running mean a (StyleGAN2, equation 4 and appendix B).

    images: [N, C, H, W] made from ws [N, num_ws, w_dim] with a graph; noise: N(0, 1) of the
    images' shape; mean_length: scalar. Returns the penalty and the updated mean (detached). The
    penalty already uses the updated mean and is differentiated through it, as published.
    """
    height, width = images.shape[2:]
    projected = (images * (noise / math.sqrt(height * width))).sum()
    (gradient,) = torch.autograd.grad(projected, ws, create_graph=True)
    lengths = gradient.square().sum(dim=2).mean(dim=1).sqrt()
    mean = mean_length.lerp(lengths.mean(), decay)
    return (lengths - mean).square().mean(), mean.detach()
