"""Padding from slices is PyTorch's reflection padding, in value and gradient."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from ugatit.nn.padding import Sides, _from_slices, reflect


@pytest.mark.parametrize("sides", [(1, 1, 1, 1), (3, 3, 3, 3), (1, 2, 1, 2)])
def test_slices_are_the_built_in_padding(sides: Sides) -> None:
    x = torch.randn(2, 3, 5, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    gradients = []
    for pad in (_from_slices, reflect, lambda x, sides: F.pad(x, sides, mode="reflect")):
        inputs = x.clone().requires_grad_()
        padded = pad(inputs, sides)
        assert torch.equal(padded, F.pad(x, sides, mode="reflect"))
        gradients.append(torch.autograd.grad(padded.pow(3).sum(), inputs)[0])
    torch.testing.assert_close(gradients[0], gradients[2])
    assert torch.equal(gradients[1], gradients[2])
