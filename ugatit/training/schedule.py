"""The learning rate as a closed form of the step."""

from __future__ import annotations

import math

from ugatit.models import Training


def lr_factor(step: int, training: Training) -> float:
    """The share of the full learning rate at a step (1, 2, ..., steps): constant, then linear to 0 or halved.

    With `decay_every` above 1 an epoch of so many steps keeps the rate that it starts with.

    Range: [0, 1].
    Source: section 5; granularity and end: decision D12; halving: UNIT and MUNIT.
    """
    elapsed = step - training.decay_start
    if elapsed <= 0:
        return 1.0
    if training.decay == "halve":
        return float(0.5 ** math.ceil(elapsed / training.decay_every))
    if training.decay_every > 1:
        elapsed = (elapsed - 1) // training.decay_every * training.decay_every
    return 1.0 - elapsed / (training.steps - training.decay_start)
