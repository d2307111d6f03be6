"""One file per method; a method is found by its file's name.

Each file defines

- `Parameters`, a strict pydantic model of its numbers, and `NUMERICS`, the version of its arithmetic;
- `check_size(parameters, image_px)`, which refuses sizes that the networks do not allow;
- `draws(parameters)`, how many batches one step takes;
- `build(parameters, image_px, seed)`, the networks by name;
- `optimizers(networks, parameters)`, the optimisers by name;
- `update(networks, optimizers, batches, parameters)`, one step, returning the named loss terms;
- `translate(networks, pictures, direction)`.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from torch.optim import Optimizer

from ugatit.params import Direction

Networks = Mapping[str, nn.Module]
Optimizers = Mapping[str, Optimizer]
Batch = tuple[Tensor, Tensor]
"""real_a and real_b, each (N, 3, H, W) in [-1, 1]."""

__all__ = ["Batch", "Direction", "Networks", "Optimizers"]
