from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from data_prep.drawing.anime import draw_anime, specimen
from data_prep.sharpness import laplacian_variance
from ugatit.images import read_rgb

SOFT = 50
"""Between enlarged small faces and crops of full size, by the measurements on real anime faces."""


def resized(rgb: np.ndarray, px: int) -> np.ndarray:
    return np.asarray(Image.fromarray(rgb).resize((px, px), Image.Resampling.BICUBIC))


def test_known_answers() -> None:
    assert laplacian_variance(np.full((30, 40, 3), 90, dtype=np.uint8)) == 0
    board = np.indices((8, 8)).sum(axis=0) % 2 * 255
    rgb = np.repeat(board[..., None], 3, axis=2).astype(np.uint8)
    assert laplacian_variance(rgb, 8) == (4 * 255) ** 2  # every pixel differs from its four neighbours


def test_soft_pictures_are_told_from_sharp_ones() -> None:
    sharp = specimen()
    blurred = np.asarray(Image.fromarray(sharp).filter(ImageFilter.GaussianBlur(4)))
    assert laplacian_variance(blurred) < SOFT < laplacian_variance(sharp)
    assert laplacian_variance(resized(sharp, 60)) < SOFT


def test_all_pictures_are_compared_at_one_size() -> None:
    large = draw_anime(seed=0, index=0, picture_px=512, face=0.4, center=(0.5, 0.47)).rgb
    # The same drawing: what remains is the reducing filter. At their own sizes they are farther apart.
    assert laplacian_variance(large) == pytest.approx(laplacian_variance(specimen()), rel=0.4)
    assert laplacian_variance(large, 512) != pytest.approx(laplacian_variance(large, 256), rel=0.2)


@pytest.mark.skipif("UGATIT_REAL_DATA" not in os.environ, reason="needs real pictures")
def test_real_anime_faces_are_sharp_until_they_are_enlarged() -> None:
    files = sorted(Path(os.environ["UGATIT_REAL_DATA"], "selfie2anime", "trainB").iterdir())[:20]
    for rgb in map(read_rgb, files):
        assert laplacian_variance(resized(rgb, 64)) < SOFT < laplacian_variance(rgb)
