"""What a step costs: its floating-point operations, counted without memory and without computing."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode


def step_flops(
    method: ModuleType,
    parameters: Any,
    px: int,
    batch_size: int,
    monkeypatch: pytest.MonkeyPatch,
    progress: float = 1.0,
    given: dict[str, torch.nn.Module] | None = None,
) -> int:
    """Operations of the convolutions and products of one update, forward and backward.

    Tensors without memory have no values, so the check for finite losses is left out, and the optimiser is
    one that runs on them.
    """
    monkeypatch.setattr("ugatit.nn.optimization.Adam", lambda weights, **_: torch.optim.SGD(weights, lr=0.1))
    monkeypatch.setattr(method, "require_finite", lambda terms: None)
    traits = method.traits(parameters)
    with torch.device("meta"):
        networks = method.build(parameters, px, None)
        batches = [
            tuple(torch.empty(batch_size, 3, px, px) for _ in traits.streams) for _ in range(traits.draws)
        ]
    optimizers = method.optimizers(networks, parameters)
    with FlopCounterMode(display=False) as counter:
        method.update(networks | (given or {}), optimizers, batches, parameters, progress)
    return int(counter.get_total_flops())
