"""Spectral normalisation of convolutions and of single-row linear maps."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

EPSILON = 1e-12


class SpectralScale(nn.Module):
    """A weight with its power iteration: one round per training forward, none in evaluation.

    `weight`, `u` and `v` are what the authors' checkpoints hold; u and v are constants for the gradient.

    Source: section 3 (discriminator); Miyato et al. 2018, algorithm 1.
    """

    u: Tensor
    v: Tensor

    def __init__(self, *shape: int) -> None:
        super().__init__()
        rows = shape[0]
        columns = int(torch.Size(shape[1:]).numel())
        self.weight = nn.Parameter(torch.empty(*shape))
        self.register_buffer("u", torch.full((rows,), rows**-0.5))
        self.register_buffer("v", torch.full((columns,), columns**-0.5))

    def sigma(self) -> Tensor:
        """The spectral norm of the weight as a matrix (out, in), differentiable in the weight; a scalar."""
        matrix = self.weight.flatten(1)
        with torch.autocast(matrix.device.type, enabled=False):
            if self.training:
                with torch.no_grad():
                    v = F.normalize(matrix.t() @ self.u, dim=0, eps=EPSILON)
                    self.v.copy_(v)
                    self.u.copy_(F.normalize(matrix @ v, dim=0, eps=EPSILON))
            # Clones, because the next forward overwrites the buffers before this one's backward.
            return self.u.clone() @ (matrix @ self.v.clone())


class SpectralConv2d(SpectralScale):
    """A spectrally normalised convolution without padding.

    The normalisation is applied to the output: the same function as dividing the weight, on less memory.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int, bias: bool) -> None:
        super().__init__(out_channels, in_channels, kernel, kernel)
        self.stride = stride
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """Shape: (N, in, H, W) -> (N, out, H', W')."""
        y = F.conv2d(x, self.weight, stride=self.stride) / self.sigma()
        return y if self.bias is None else y + self.bias[:, None, None]
