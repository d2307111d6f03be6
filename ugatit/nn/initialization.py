"""Initial weights, reproducible from a seed."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ugatit.nn.attention import UntiedRow
from ugatit.nn.autoencoder_norms import DeviationNorm
from ugatit.nn.spectral_norm import EPSILON, SpectralScale

NORMAL_STD = 0.02

TRUNCATION = 2.0
"""Standard deviations at which a truncated normal distribution ends, as in TensorFlow."""

Scheme = Literal["normal", "truncated", "torch", "kaiming", "normal-convolutions"]
Gains = Literal["one", "truncated", "uniform"]


@torch.no_grad()
def initialize(network: nn.Module, scheme: Scheme, seed: int, gains: Gains = "one") -> None:
    """Fill the kernels (two or more dimensions), their biases and the power iteration's vectors.

    `normal`: kernels N(0, 0.02), biases 0. `truncated`: the same, without what is beyond two standard
    deviations. `kaiming`: kernels N(0, 2 / fan in), biases 0. `torch`: both uniform in +-1/sqrt(fan in),
    PyTorch's default. `normal-convolutions`: kernels of convolutions as `normal`, all else as `torch`.
    An untied attention (`UntiedRow`) is always uniform as Glorot's dense layer from its channels to one.
    The gains of affine instance normalisations are 1, from N(1, 0.02) truncated, or uniform in [0, 1]; their
    offsets 0. Those of `DeviationNorm` are always uniform. Other learned affine parameters and rho keep the
    values that their layers start with.

    Source: section 5; decision D10. Truncated: AGGAN; uniform gains: CartoonGAN; Kaiming: UNIT and MUNIT;
    normal convolutions: DRIT.
    """
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        weight, bias = getattr(module, "weight", None), getattr(module, "bias", None)
        if isinstance(weight, nn.Parameter) and weight.ndim > 1:
            bound = 1 / math.sqrt(weight[0].numel())
            if scheme == "kaiming":
                weight.normal_(0.0, math.sqrt(2.0) * bound, generator=generator)
            elif scheme == "normal" or (scheme == "normal-convolutions" and weight.ndim == 4):
                weight.normal_(0.0, NORMAL_STD, generator=generator)
            elif scheme == "truncated":
                _truncated_normal(weight, 0.0, generator)
            else:
                weight.uniform_(-bound, bound, generator=generator)
            if isinstance(bias, nn.Parameter):
                uniform = scheme in ("torch", "normal-convolutions")
                bias.uniform_(-bound, bound, generator=generator) if uniform else bias.zero_()
        if isinstance(module, nn.InstanceNorm2d) and module.affine:
            if gains == "truncated":
                _truncated_normal(module.weight, 1.0, generator)
            elif gains == "uniform":
                module.weight.uniform_(0.0, 1.0, generator=generator)
        if isinstance(module, UntiedRow):
            bound = math.sqrt(6 / (len(module.weight) + 1))
            module.weight.uniform_(-bound, bound, generator=generator)
            module.bias.zero_()
        if isinstance(module, DeviationNorm):
            module.gamma.uniform_(0.0, 1.0, generator=generator)
        if isinstance(module, SpectralScale):
            for vector in (module.u, module.v):
                vector.copy_(F.normalize(vector.normal_(0, 1, generator=generator), dim=0, eps=EPSILON))


def _truncated_normal(weight: Tensor, mean: float, generator: torch.Generator) -> None:
    """Fill with N(mean, 0.02), cut off at two standard deviations."""
    reach = TRUNCATION * NORMAL_STD
    nn.init.trunc_normal_(weight, mean, NORMAL_STD, mean - reach, mean + reach, generator=generator)
