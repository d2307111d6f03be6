"""Regions of pictures that are masked to see whether an attention map shows what matters."""

from __future__ import annotations

import hashlib

import numpy as np

from ugatit.evaluation.heat_map import enlarge


def hottest_region(attention: np.ndarray, image_px: int, share: float) -> np.ndarray:
    """The pixels where an enlarged map is highest: exactly a share of the picture, at least one pixel.

    Shape: (h, w) -> (image_px, image_px), bool.
    """
    level = enlarge(attention, image_px)
    count = max(1, round(share * level.size))
    # A stable order, so that equal values (where a map is 0) give the same region on every machine.
    hottest = np.argsort(-level, axis=None, kind="stable")[:count]
    region = np.zeros(level.size, dtype=bool)
    region[hottest] = True
    return region.reshape(level.shape)


def moved_at_random(region: np.ndarray, draws: int, key: str) -> np.ndarray:
    """The same region elsewhere: mirrored or not and shifted around the borders, so of equal size and shape.

    The draws are a function of `key` alone.

    Shape: (H, W) -> (draws, H, W), bool.
    """
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big"))
    moved = []
    for _ in range(draws):
        mirrored = region[:, ::-1] if rng.integers(2) else region
        moved.append(np.roll(mirrored, tuple(rng.integers(0, region.shape)), axis=(0, 1)))
    return np.stack(moved)


def mask(picture: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """Fill regions with the picture's mean colour, which keeps its overall look.

    Shape: picture (3, H, W), regions (R, H, W) -> (R, 3, H, W), float32.
    """
    mean = picture.mean(axis=(1, 2), keepdims=True)
    return np.where(regions[:, None], mean, picture).astype(np.float32)
