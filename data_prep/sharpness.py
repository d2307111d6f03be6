"""How sharp a picture is."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image


def laplacian_variance(rgb: np.ndarray, size_px: int = 256) -> float:
    """The variance of the Laplacian of the grey picture, resized to a square.

    All pictures are compared at one size, so a small one that was enlarged counts as soft.

    Shape: rgb (H, W, 3), uint8. Range: 0 (one colour) to some thousands; grey levels squared, 4 decimals.
    """
    grey = Image.fromarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY))
    resized = np.asarray(grey.resize((size_px, size_px), Image.Resampling.BICUBIC))
    return round(float(cv2.Laplacian(resized, cv2.CV_64F).var()), 4)
