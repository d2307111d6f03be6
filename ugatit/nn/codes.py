"""Random codes of translations."""

from __future__ import annotations

import torch
from torch import Tensor


def draw_codes(generator: torch.Generator | None, count: int, size: int) -> Tensor:
    """Codes from N(0, I), one after the other, on the CPU whatever the networks run on.

    Shape: (count, size), float32.
    Raises: ValueError without a generator: a code out of nowhere could not be drawn again.
    Source: decision D51.
    """
    if generator is None:
        raise ValueError("a translation with random codes needs `codes`, a torch.Generator on the CPU")
    return torch.randn(count, size, generator=generator)
