"""What a step costs: its floating-point operations, counted without memory and without computing."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode


def no_networks() -> dict[str, torch.nn.Module]:
    """What most methods are given."""
    return {}


def step_flops(
    method: ModuleType,
    parameters: Any,
    px: int,
    batch_size: int,
    monkeypatch: pytest.MonkeyPatch,
    progress: float = 1.0,
    given: Callable[[], dict[str, torch.nn.Module]] = no_networks,
) -> int:
    """Operations of the convolutions and products of one update, forward and backward.

    Fake tensors have shapes and no values, so the check for finite losses is left out.
    """
    monkeypatch.setattr(method, "require_finite", lambda terms: None)
    traits = method.traits(parameters)
    with FakeTensorMode():
        networks = method.build(parameters, px, None) | given()
        optimizers = method.optimizers(networks, parameters)
        batches = [
            tuple(torch.empty(batch_size, 3, px, px) for _ in traits.streams) for _ in range(traits.draws)
        ]
        with FlopCounterMode(display=False) as counter:
            method.update(networks, optimizers, batches, parameters, progress)
    return int(counter.get_total_flops())
