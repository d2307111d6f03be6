"""Attention in colour: one scale for a set of maps, a map laid over the picture that it is of."""

from __future__ import annotations

import matplotlib
import numpy as np
from PIL import Image

COLORS = "viridis"
"""Even in lightness and readable with any colour blindness, unlike the paper's jet."""

SCALE_PERCENTILES = (1.0, 99.0)
"""What the ends of the colour scale are: a few extreme values shall not darken the rest."""


def color_range(maps: np.ndarray) -> tuple[float, float]:
    """The ends of the colour scale that a set of maps shares."""
    low, high = np.percentile(maps, SCALE_PERCENTILES)
    return float(low), float(high)


def heat(attention: np.ndarray, image_px: int, ends: tuple[float, float]) -> np.ndarray:
    """Colour one map at the size of its picture.

    Shape: (h, w) -> (image_px, image_px, 3), uint8.
    """
    low, high = ends
    level = (enlarge(attention, image_px) - low) / (high - low) if high > low else np.zeros((image_px,) * 2)
    return np.asarray(matplotlib.colormaps[COLORS](level, bytes=True)[..., :3], dtype=np.uint8)


def enlarge(attention: np.ndarray, image_px: int) -> np.ndarray:
    """A map at the size of its picture, bilinear.

    Shape: (h, w) -> (image_px, image_px), float32.
    """
    image = Image.fromarray(np.ascontiguousarray(attention, dtype=np.float32))
    return np.asarray(image.resize((image_px, image_px), Image.Resampling.BILINEAR))


def blend(rgb: np.ndarray, heat_map: np.ndarray, opacity: float) -> np.ndarray:
    """Lay a coloured map over its picture.

    Shape: both (H, W, 3), uint8 -> the same. Range: opacity 0 shows the picture alone, 1 the map alone.
    """
    mixed = (1 - opacity) * rgb.astype(np.float32) + opacity * heat_map.astype(np.float32)
    return mixed.round().astype(np.uint8)
