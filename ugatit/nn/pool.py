"""The pool of earlier translations from which the discriminators are taught."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class ImagePool(nn.Module):
    """Up to `size` items, such as pictures, of earlier steps; 0 keeps none.

    It has buffers only, so a checkpoint holds it and a file of trained weights does not. Its coins are
    PyTorch's global generator's, which the training loop seeds at every step.

    Source: Shrivastava et al. 2017, as CycleGAN uses it.
    """

    stored: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("stored", torch.empty(0))

    @torch.no_grad()
    def forward(self, items: Tensor) -> Tensor:
        """Exchange new items for old ones: while there is room none, afterwards every second on average.

        Shape: (N, ...) -> the same; every call with items of one shape.
        """
        if not self.size:
            return items.detach()
        return torch.stack([self._exchange(item) for item in items.detach()])

    def _exchange(self, item: Tensor) -> Tensor:
        """Keep an item if there is room; else give it back, or put it in the place of one that is given."""
        count = len(self.stored)
        if count < self.size:
            self.stored = torch.cat([self.stored, item[None]]) if count else item[None].clone()
            return item
        if torch.rand(()) < 0.5:
            place = int(torch.randint(self.size, ()))
            old = self.stored[place].clone()
            self.stored[place] = item
            return old
        return item

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Make room for as many items as were saved."""
        saved = state_dict.get(f"{prefix}stored")
        if saved is not None:
            self.stored = self.stored.new_empty(saved.shape)
        super()._load_from_state_dict(state_dict, prefix, *rest)
