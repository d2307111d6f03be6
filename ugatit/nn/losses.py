"""Losses: pure functions of tensors, each a mean over all elements."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from ugatit.nn.precision import at_least_float32
from ugatit.processes import average

Criterion = Callable[[Tensor, float], Tensor]
"""A GAN loss of scores against a constant target, a scalar."""


def least_squares(prediction: Tensor, target: float) -> Tensor:
    """Least-squares GAN loss against a constant target (1 real, 0 fake); a scalar.

    Source: section 2.2 (adversarial loss); sign as in the authors' code, decision D18.
    """
    return (at_least_float32(prediction) - target).square().mean()


def binary_classification(logits: Tensor, target: float) -> Tensor:
    """Binary cross entropy with logits against a constant target; a scalar.

    Source: section 2.2 (CAM loss of the generator).
    """
    logits = at_least_float32(logits)
    return F.binary_cross_entropy_with_logits(logits, logits.new_full(logits.shape, target))


def absolute_difference(x: Tensor, y: Tensor) -> Tensor:
    """Mean absolute difference; a scalar.

    Source: section 2.2 (cycle and identity loss).
    """
    return (at_least_float32(x) - at_least_float32(y)).abs().mean()


def over_scales(criterion: Criterion, scores: Iterable[Tensor], target: float) -> Tensor:
    """A GAN loss of a multi-scale discriminator: the sum over its scales; a scalar."""
    return torch.stack([criterion(scale, target) for scale in scores]).sum()


def real_and_fake(criterion: Criterion, scores: Sequence[Tensor], reals: int) -> Tensor:
    """What a multi-scale discriminator pays for a batch of so many real pictures and then fakes; a scalar.

    Real pictures have the target 1, fakes 0.
    """
    on_reals = over_scales(criterion, [scale[:reals] for scale in scores], 1.0)
    return on_reals + over_scales(criterion, [scale[reals:] for scale in scores], 0.0)


def mean_square(x: Tensor) -> Tensor:
    """Mean of the squares: what a latent that shall be near N(0, I) pays; a scalar."""
    return at_least_float32(x).square().mean()


def weighted_sum(terms: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """Add up terms whose names are that of their weight and a domain: cycle_a is weighted by cycle."""
    return torch.stack([weights[name.rpartition("_")[0]] * term for name, term in terms.items()]).sum()


class NonFiniteLoss(Exception):  # noqa: N818
    """A loss term is no longer a finite number; the optimiser step that it would spoil was not taken."""


def require_finite(terms: Mapping[str, Tensor]) -> None:
    """Check the loss terms of a step with one look at the device, in all processes of this training alike.

    Raises: NonFiniteLoss naming the terms and their values.
    """
    values = torch.stack([term.detach().float() for term in terms.values()])
    average([values])
    if not torch.isfinite(values).all():
        bad = [
            f"{name} = {value}"
            for name, value in zip(terms, values.tolist(), strict=True)
            if value - value != 0
        ]
        raise NonFiniteLoss(", ".join(bad))
