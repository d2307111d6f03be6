"""Initial weights, reproducible from a seed."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from ugatit.nn.spectral_norm import EPSILON, SpectralScale

NORMAL_STD = 0.02


@torch.no_grad()
def initialize(network: nn.Module, scheme: Literal["normal", "torch"], seed: int) -> None:
    """Fill the kernels (two or more dimensions), their biases and the power iteration's vectors.

    `normal`: kernels N(0, 0.02), biases 0. `torch`: both uniform in +-1/sqrt(fan in), PyTorch's default.
    Learned affine parameters and rho keep the values that their layers start with.

    Source: section 5; decision D10.
    """
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        weight, bias = getattr(module, "weight", None), getattr(module, "bias", None)
        if isinstance(weight, nn.Parameter) and weight.ndim > 1:
            bound = 1 / math.sqrt(weight[0].numel())
            if scheme == "normal":
                weight.normal_(0.0, NORMAL_STD, generator=generator)
            else:
                weight.uniform_(-bound, bound, generator=generator)
            if isinstance(bias, nn.Parameter):
                bias.zero_() if scheme == "normal" else bias.uniform_(-bound, bound, generator=generator)
        if isinstance(module, SpectralScale):
            for vector in (module.u, module.v):
                vector.copy_(F.normalize(vector.normal_(0, 1, generator=generator), dim=0, eps=EPSILON))
