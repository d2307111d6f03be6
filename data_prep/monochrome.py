"""Whether a picture is of one colour scale (grey, sepia, duotone) or of many colours."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
from PIL import Image

from ugatit.construction import Monochrome

THUMBNAIL_PX = 64
BINS = 32

Verdict = Literal["mono", "review", "colour"]


def colorfulness(rgb: np.ndarray) -> tuple[float, float]:
    """How strong the colours are (C95), and how far from lying on one curve through Lab space (R90).

    C95 is the 95th percentile of the chroma. For R90 the pixels are ordered along the principal axis of
    their colours and parted into bins of equal count; it is the 90th percentile of the distance, across
    the axis, from the bin's median. Grey, sepia and duotone pictures lie on one curve however strong
    their colour is; few others do.

    Shape: rgb (H, W, 3), uint8. Range: units of Lab, both >= 0, rounded to 4 decimals.
    """
    small = Image.fromarray(rgb).resize((THUMBNAIL_PX, THUMBNAIL_PX), Image.Resampling.BOX)
    lab = cv2.cvtColor(np.asarray(small, dtype=np.float32) / 255, cv2.COLOR_RGB2LAB)
    colours = lab.reshape(-1, 3).astype(np.float64)
    chroma = np.hypot(colours[:, 1], colours[:, 2])
    return round(float(np.percentile(chroma, 95)), 4), round(_spread_across(colours), 4)


def judge(c95: float, r90: float, limits: Monochrome) -> Verdict:
    """Say whether a picture is monochrome, in colour, or for a person to decide."""
    if c95 < limits.mono_c95 or r90 < limits.mono_r90:
        return "mono"
    if c95 < limits.review_c95 or r90 < limits.review_r90:
        return "review"
    return "colour"


def _spread_across(colours: np.ndarray) -> float:
    """The 90th percentile of the distances from the bins' medians, across the principal axis."""
    centred = colours - colours.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    along, across = centred @ axes[:, -1], centred @ axes[:, :-1]
    bins = across[np.argsort(along, kind="stable")].reshape(BINS, -1, 2)
    distances = np.linalg.norm(bins - np.median(bins, axis=1, keepdims=True), axis=2)
    return float(np.percentile(distances, 90))
