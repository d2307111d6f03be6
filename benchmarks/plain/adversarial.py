"""GAN losses against a constant target: 1 is real, 0 is fake."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812


def lsgan(scores: Tensor, target: float) -> Tensor:
    """Mean squared error; a scalar."""
    return F.mse_loss(scores, torch.full_like(scores, target))


def cross_entropy(logits: Tensor, target: float) -> Tensor:
    """Binary cross entropy after a sigmoid; a scalar."""
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


def lsgan_of_scales(scales: Sequence[Tensor], target: float) -> Tensor:
    """Mean squared errors, added up over a discriminator's scales."""
    return torch.stack([lsgan(scores, target) for scores in scales]).sum()


def cross_entropy_of_scales(scales: Sequence[Tensor], target: float) -> Tensor:
    """Binary cross entropies, added up over a discriminator's scales."""
    return torch.stack([cross_entropy(logits, target) for logits in scales]).sum()
