"""What the updates of all methods do with their optimisers and networks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from pydantic import Field
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from ugatit.processes import average
from ugatit.strict import Strict


class AdamParameters(Strict):
    """Adam without weight decay."""

    lr: float = Field(gt=0)
    beta1: float = Field(ge=0, lt=1)
    beta2: float = Field(ge=0, lt=1)

    def over(self, networks: Iterable[nn.Module], lr: float | None = None) -> Adam:
        """Adam over all weights of some networks; `lr` replaces the learning rate."""
        weights = [w for network in networks for w in network.parameters()]
        return Adam(weights, lr=self.lr if lr is None else lr, betas=(self.beta1, self.beta2), fused=True)


class DecayingAdamParameters(AdamParameters):
    """Adam with L2 weight decay on every weight, biases and gains too."""

    weight_decay: float = Field(ge=0)

    def over(self, networks: Iterable[nn.Module], lr: float | None = None) -> Adam:
        """Adam over all weights of some networks; `lr` replaces the learning rate."""
        optimizer = super().over(networks, lr)
        for group in optimizer.param_groups:
            group["weight_decay"] = self.weight_decay
        return optimizer


@contextmanager
def frozen(networks: Iterable[nn.Module]) -> Iterator[None]:
    """Keep gradients from the weights of some networks; they still flow through to the pictures."""
    weights = [w for network in networks for w in network.parameters() if w.requires_grad]
    for weight in weights:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in weights:
            weight.requires_grad_(True)


def descend(optimizer: Optimizer, loss: Tensor) -> None:
    """One step down the gradient of a loss, or of the mean loss of all processes of this training."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    weights = (weight for group in optimizer.param_groups for weight in group["params"])
    average(weight.grad for weight in weights if weight.grad is not None)
    optimizer.step()
