"""The pictures that a generator makes in training."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from generator.networks import Generator
from training.learning.options import TrainingOptions
from training.learning.reconstruction import LinearCodes


class Fakes:
    """Draws pictures of G with a graph; all that is random comes from torch's generator."""

    def __init__(self, G: Generator, options: TrainingOptions, device: str) -> None:
        self.G, self.options, self.device = G, options, device

    def latents(self, n: int) -> Tensor:
        """z [n, z_dim], the same on every device."""
        return torch.randn(n, self.G.z_dim).to(self.device)

    def random_ws(self, z: Tensor, *, updates_w_avg: bool = False) -> Tensor:
        """ws [N, num_ws, w_dim] of z, the last layers' of other z where styles are mixed
        (StyleGAN, section 3.1)."""
        ws: Tensor = self.G.mapping(z, update_w_avg=updates_w_avg)
        if self.options.style_mixing > 0 and torch.rand([]) < self.options.style_mixing:
            cutoff = int(torch.randint(1, self.G.num_ws, []))
            other = self.G.mapping(torch.randn_like(z))
            ws = torch.cat([ws[:, :cutoff], other[:, cutoff:]], dim=1)
        return ws

    def ws_from_codes(self, codes: LinearCodes, wanted: Tensor, z: Tensor) -> Tensor:
        """As many ws as z: from the codes of the pictures wanted, then from z, and last, with
        `between_share`, places on the straight way in w between two pictures wanted."""
        n = len(z)
        coded = codes.of(wanted.cpu(), z[: len(wanted)].cpu()).to(self.device)
        ws: Tensor = self.G.mapping(torch.cat([coded, z[len(wanted) :]]), update_w_avg=True)
        between = min(int(n * self.options.between_share), n - len(wanted), len(wanted) - 1)
        if between > 0:
            place = torch.rand(between, 1, 1).to(self.device)
            ways = torch.lerp(ws[:between], ws[1 : between + 1], place)
            ws = torch.cat([ws[: n - between], ways])
        return ws

    def pictures(self, ws: Tensor, *, recompute: bool = False) -> Tensor:
        """[N, C, R, R] of ws. recompute: keep nothing for the gradient, and draw them once more
        when it is wanted; the same numbers, and not for gradients of gradients."""
        mode = self.options.noise_mode
        if recompute:
            images = checkpoint(self.G.synthesis, ws, noise_mode=mode, use_reentrant=False)
        else:
            images = self.G.synthesis(ws, noise_mode=mode)
        assert isinstance(images, Tensor)
        return images
