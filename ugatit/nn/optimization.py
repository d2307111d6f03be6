"""What the updates of all methods do with their optimisers and networks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from torch import Tensor, nn
from torch.optim import Optimizer

from ugatit.processes import average


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
