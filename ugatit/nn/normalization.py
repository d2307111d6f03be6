"""AdaLIN and LIN, and the normalisations that the ablation puts in their place."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ugatit.nn.precision import at_least_float32

EPSILON = 1e-5

Kind = Literal["adalin", "in", "ln", "gn"]


def adaptive_norm(x: Tensor, gamma: Tensor, beta: Tensor, rho: Tensor, unbiased: bool = True) -> Tensor:
    """Blend instance and layer statistics per channel, then scale and shift.

    The blend is affine in x, so statistics are taken once and x is touched by one multiply-add.

    Shape: x (N, C, H, W); gamma, beta (N, C) or (C,); rho (C,). Returns (N, C, H, W), float32 or wider.
    Range: rho in [0, 1]: 1 is instance normalisation, 0 layer normalisation.
    Raises: ValueError if gamma, beta or rho does not match x in C.
    Source: section 2 (AdaLIN); variance estimator: decision D9.
    """
    channels = x.shape[1]
    if not gamma.shape[-1] == beta.shape[-1] == rho.shape[-1] == channels:
        raise ValueError(
            f"gamma {tuple(gamma.shape)}, beta {tuple(beta.shape)}, rho {tuple(rho.shape)}; "
            f"expected {channels} channels in the last place"
        )
    x = at_least_float32(x)
    pixels = x.shape[2] * x.shape[3]
    variance, mean = torch.var_mean(x, dim=(2, 3), correction=0)  # (N, C)
    layer_mean = mean.mean(1, keepdim=True)  # (N, 1)
    layer_variance = (variance + (mean - layer_mean).square()).mean(1, keepdim=True)
    if unbiased:
        variance = variance * (pixels / (pixels - 1))
        layer_variance = layer_variance * (channels * pixels / (channels * pixels - 1))
    instance = rho * torch.rsqrt(variance + EPSILON)
    layer = (1 - rho) * torch.rsqrt(layer_variance + EPSILON)
    scale = gamma * (instance + layer)
    shift = beta - gamma * (mean * instance + layer_mean * layer)
    return torch.addcmul(shift[:, :, None, None], x, scale[:, :, None, None])


class DecoderNorm(nn.Module):
    """The normalisation of a decoder layer: AdaLIN or LIN, or what an ablation uses instead.

    Without own affine parameters, gamma and beta come from the attention features (AdaLIN); with them,
    they are learned per channel (LIN).

    Source: section 2 (AdaLIN, LIN) and Table 1; decisions D8, D9, D29, D36.
    """

    def __init__(
        self,
        kind: Kind,
        channels: int,
        *,
        own_affine: bool,
        rho_init: float,  # start of the learned blend; only kind adalin learns it
        rho_smoothing: float,  # the used rho is clip(rho - smoothing, 0, 1)
        unbiased: bool,  # divide variances by n - 1
        groups: int | None,  # only kind gn
    ) -> None:
        super().__init__()
        self.kind, self.groups = kind, groups
        self.unbiased, self.rho_smoothing = unbiased, rho_smoothing
        if own_affine:
            self.gamma = nn.Parameter(torch.ones(channels))
            self.beta = nn.Parameter(torch.zeros(channels))
        if kind == "adalin":
            self.rho = nn.Parameter(torch.full((channels,), rho_init))

    def forward(self, x: Tensor, gamma: Tensor | None = None, beta: Tensor | None = None) -> Tensor:
        """Normalise.

        Shape: x (N, C, H, W); gamma, beta (N, C), given exactly if the layer has no own ones.
        """
        scale = self.gamma if gamma is None else gamma
        shift = self.beta if beta is None else beta
        if self.kind == "gn":
            normalized = F.group_norm(x, self.groups or 1, eps=EPSILON)
            return torch.addcmul(shift[..., None, None], normalized, scale[..., None, None])
        return adaptive_norm(x, scale, shift, self._used_rho(x), self.unbiased)

    def _used_rho(self, x: Tensor) -> Tensor:
        """The rho of this layer, (C,): learned, or fixed at instance (1) or layer (0) normalisation."""
        if self.kind != "adalin":
            return at_least_float32(x.new_full(x.shape[1:2], 1.0 if self.kind == "in" else 0.0))
        return (self.rho - self.rho_smoothing).clamp(0, 1) if self.rho_smoothing else self.rho


@torch.no_grad()
def clip_rho(module: nn.Module) -> None:
    """Put every learned rho of a network back into [0, 1] after an update.

    Source: section 2, the update rule of rho.
    """
    for part in module.modules():
        if isinstance(part, DecoderNorm) and part.kind == "adalin":
            part.rho.clamp_(0, 1)
