"""Pictures without clear edges, from which CartoonGAN's discriminator learns that edges matter."""

from __future__ import annotations

import cv2
import numpy as np

WEAK, STRONG = 100, 200
"""Canny's thresholds: an edge above the strong one, and what joins it above the weak one."""

WIDENING = np.ones((5, 5), np.uint8)
"""By what edges are widened before they are smoothed."""

GAUSSIAN = 5
"""Side of the Gaussian kernel, [1 4 6 4 1] / 16 per axis; the border is mirrored at its pixels."""


def smooth_edges(rgb: np.ndarray) -> np.ndarray:
    """Blur a picture where it has edges, and nowhere else.

    Shape: (H, W, 3) -> the same. Range: uint8 [0, 255].
    Source: Chen et al. 2018 (CartoonGAN), section 3.2.1; numbers: decision D58.
    """
    near = edges(rgb)[..., None]
    # Blurred in float and cut off, as the authors of U-GAT-IT do it pixel by pixel.
    blurred = cv2.GaussianBlur(rgb.astype(np.float64), (GAUSSIAN, GAUSSIAN), 0).astype(np.uint8)
    return np.where(near, blurred, rgb)


def edges(rgb: np.ndarray) -> np.ndarray:
    """Find a picture's edges (Canny on its grey version) and their surroundings.

    Shape: (H, W, 3), uint8 -> (H, W), bool.
    """
    grey = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY)
    return cv2.dilate(cv2.Canny(grey, WEAK, STRONG), WIDENING) > 0
