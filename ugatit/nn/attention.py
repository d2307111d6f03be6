"""Class activation maps: the auxiliary classifier, and the attention that its weights make."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ugatit.nn.spectral_norm import SpectralScale

Branches = Literal["separate", "shared"]
Mode = Literal["full", "bypass"]


class RowWeight(nn.Module):
    """A plain weight of one row, (1, C), with the interface of `SpectralScale`."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(1, channels))

    def sigma(self) -> Tensor:
        """No normalisation: 1."""
        return self.weight.new_ones(())


class UntiedRow(nn.Module):
    """A row for attention alone: weight (C,) and bias (1,), vectors, so the decay of kernels passes by."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels))
        self.bias = nn.Parameter(torch.zeros(1))


class CAM(nn.Module):
    """Auxiliary classifier on average- and max-pooled features, and attention by its weights.

    `branches`: `separate` has one weight row for each pooling and no bias, `shared` one row and a bias for
    both. `mode`: `full` weighs the features and mixes the branches by a 1x1 convolution, `bypass` only
    classifies.

    Source: section 2 (generator, discriminator), figure 1; decisions D3, D4, D5, D37.
    """

    def __init__(
        self,
        channels: int,
        *,
        branches: Branches,
        mode: Mode,
        spectral: bool,  # spectrally normalise the classifier (discriminators)
        normalized_attention: bool,  # attention uses the normalised row instead of the raw one
        tied: bool,  # attention uses the classifier's own weights
    ) -> None:
        super().__init__()
        row = (lambda: SpectralScale(1, channels)) if spectral else (lambda: RowWeight(channels))
        self.normalized_attention = normalized_attention
        self.average = row()
        self.maximum = row() if branches == "separate" else None
        self.bias = nn.Parameter(torch.zeros(1)) if branches == "shared" else None
        self.mix = nn.Conv2d(2 * channels, channels, 1) if mode == "full" else None
        self.untied = None if mode == "bypass" or tied else UntiedRow(channels)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Classify and attend.

        Shape: features (N, C, H, W). Returns logits (N, 2), average- and max-pooled, and the attention
        features (N, C, H, W) before their activation (in mode `bypass` the features themselves).
        """
        row_average: Tensor = self.average.weight  # (1, C)
        sigma_average = self.average.sigma()
        row_max, sigma_max = row_average, sigma_average
        if self.maximum is not None:
            row_max, sigma_max = self.maximum.weight, self.maximum.sigma()
        logit_average = F.linear(features.mean((2, 3)), row_average) / sigma_average  # (N, 1)
        logit_max = F.linear(features.amax((2, 3)), row_max) / sigma_max
        logits = torch.cat([logit_average, logit_max], dim=1)
        if self.bias is not None:
            logits = logits + self.bias
        if self.mix is None:
            return logits, features
        if self.normalized_attention:
            row_average, row_max = row_average / sigma_average, row_max / sigma_max
        if self.untied is not None:
            row_average = row_max = self.untied.weight + self.untied.bias
        elif self.bias is not None:
            row_average, row_max = row_average + self.bias, row_max + self.bias
        # Both weighted copies of the features and their 1x1 convolution are one 1x1 convolution.
        kernel_average, kernel_max = self.mix.weight.flatten(1).chunk(2, dim=1)  # (C, C) each
        kernel = kernel_average * row_average + kernel_max * row_max
        return logits, F.conv2d(features, kernel[:, :, None, None], self.mix.bias)
