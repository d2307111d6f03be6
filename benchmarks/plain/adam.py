"""Adam with the numbers of a method and PyTorch's defaults."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn
from torch.optim import Adam

from ugatit.nn.optimization import AdamParameters, DecayingAdamParameters


def adam(p: AdamParameters, networks: Iterable[nn.Module], lr: float | None = None) -> Adam:
    """Adam over all weights of some networks; `lr` replaces the learning rate."""
    weights = [weight for network in networks for weight in network.parameters()]
    decay = p.weight_decay if isinstance(p, DecayingAdamParameters) else 0.0
    return Adam(weights, lr=p.lr if lr is None else lr, betas=(p.beta1, p.beta2), weight_decay=decay)
