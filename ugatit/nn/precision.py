"""Where half precision ends: statistics, sums and losses."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

HALF = (torch.bfloat16, torch.float16)


def at_least_float32(x: Tensor) -> Tensor:
    """Widen half-precision numbers to float32; leave others as they are."""
    return x.float() if x.dtype in HALF else x


def full_precision(x: Tensor) -> AbstractContextManager[object]:
    """Keep products out of autocast; tensors without memory have none."""
    return nullcontext() if x.is_meta else torch.autocast(x.device.type, enabled=False)
