"""Reflection padding that is repeatable on every device."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

Sides = tuple[int, int, int, int]
"""Left, right, top, bottom."""


def reflect(x: Tensor, sides: Sides) -> Tensor:
    """Pad by mirroring at the border pixel.

    On CUDA it is put together from slices: the gradient of the built-in padding adds in no fixed order.

    Shape: (N, C, H, W) -> (N, C, top + H + bottom, left + W + right).
    """
    return _from_slices(x, sides) if x.is_cuda else F.pad(x, sides, mode="reflect")


def _from_slices(x: Tensor, sides: Sides) -> Tensor:
    """The same from mirrored slices, first the columns, then the rows."""
    left, right, top, bottom = sides
    for dim, before, after in ((3, left, right), (2, top, bottom)):
        size = x.shape[dim]
        head = x.narrow(dim, 1, before).flip(dim)
        tail = x.narrow(dim, size - 1 - after, after).flip(dim)
        x = torch.cat([head, x, tail], dim)
    return x
