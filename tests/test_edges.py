"""Edge smoothing: the loop over pixels that others use, and where a picture may change."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.conftest import ROOT
from ugatit.edges import edges, smooth_edges
from ugatit.images import read_rgb


def drawing() -> np.ndarray:
    """Shapes with hard edges, on a slope without, some of them at the border."""
    rgb = np.empty((48, 40, 3), np.uint8)
    rgb[:] = np.linspace(60, 120, 40).astype(np.uint8)[None, :, None]
    rgb[:12, :9] = (250, 20, 20)
    rgb[30:38, 20:31] = (10, 10, 240)
    rgb[44:, 33:] = 255
    return rgb


def pixel_by_pixel(rgb: np.ndarray) -> np.ndarray:
    """The plain loop: a weighted sum of 5x5 pixels wherever the widened edges are, cut off to whole levels."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    near = cv2.dilate(cv2.Canny(grey, 100, 200), np.ones((5, 5), np.uint8))
    row = np.array([1, 4, 6, 4, 1]) / 16
    kernel = row[:, None] * row[None, :]
    padded = np.pad(rgb, ((2, 2), (2, 2), (0, 0)), mode="reflect")
    smooth = rgb.copy()
    for y, x in zip(*near.nonzero(), strict=True):
        for channel in range(3):
            smooth[y, x, channel] = np.sum(padded[y : y + 5, x : x + 5, channel] * kernel)
    return smooth


@pytest.mark.parametrize("source", ["drawing", "demo"])
def test_it_is_the_loop_over_pixels(source: str) -> None:
    rgb = drawing() if source == "drawing" else read_rgb(ROOT / "docs/demo_kept_b.png")[:96, :96]
    assert 0.02 < edges(rgb).mean() < 0.98
    assert np.array_equal(smooth_edges(rgb), pixel_by_pixel(rgb))


def test_only_the_surroundings_of_edges_change() -> None:
    rgb = drawing()
    changed = (smooth_edges(rgb) != rgb).any(-1)
    assert changed.any()
    assert not (changed & ~edges(rgb)).any()


def test_a_picture_without_edges_stays_as_it_is() -> None:
    slope = np.repeat(np.arange(64, dtype=np.uint8)[None, :, None], 64, 0).repeat(3, 2)
    assert np.array_equal(smooth_edges(slope), slope)


def test_mirrored_pictures_may_be_given() -> None:
    assert smooth_edges(drawing()[:, ::-1]).shape == (48, 40, 3)
