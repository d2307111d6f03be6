"""Drawn portraits on which the real face detectors fire: anime pictures, selfies, and raw folders of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Box = tuple[int, int, int, int]
"""Left, top, width and height in pixels of the picture; may reach over its border."""


@dataclass(frozen=True)
class Drawn:
    """A drawn picture, RGB uint8 (H, W, 3), and what is on it; the words are those of the first person."""

    rgb: np.ndarray
    boxes: tuple[Box, ...]
    """The faces from hairline to chin, without hair."""
    hair: str = ""
    eyes: str = ""
