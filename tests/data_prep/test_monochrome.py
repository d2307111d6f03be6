from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data_prep.drawing.anime import draw_anime
from data_prep.drawing.selfie import draw_selfie
from data_prep.monochrome import Verdict, colorfulness, judge
from ugatit.construction import Monochrome
from ugatit.images import read_rgb

LIMITS = Monochrome(mono_c95=6.0, mono_r90=3.0, review_c95=10.0, review_r90=7.0)

Change = Callable[[np.ndarray], np.ndarray]

SEPIA = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]])


def grey(rgb: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(rgb).convert("L").convert("RGB"))


def noisy_grey(rgb: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 6, rgb.shape)
    return (grey(rgb) + noise).clip(0, 255).astype(np.uint8)


def duotone(rgb: np.ndarray) -> np.ndarray:
    share = grey(rgb) / 255
    return (np.array([30, 20, 90]) * (1 - share) + np.array([250, 200, 120]) * share).astype(np.uint8)


def sepia(rgb: np.ndarray) -> np.ndarray:
    return (rgb @ SEPIA.T).clip(0, 255).astype(np.uint8)


def saved_badly(rgb: np.ndarray) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=50)
    return np.asarray(Image.open(buffer).convert("RGB"))


@pytest.fixture(scope="module")
def drawings() -> list[np.ndarray]:
    return [draw(0, index, 256).rgb for draw in (draw_anime, draw_selfie) for index in range(3)]


@pytest.mark.parametrize(
    ("change", "c95", "r90", "verdicts"),
    [
        (lambda rgb: rgb, (13, 100), (7, 60), {"colour"}),
        (grey, (0, 0.15), (0, 0.05), {"mono"}),
        (lambda rgb: saved_badly(grey(rgb)), (0, 0.15), (0, 0.05), {"mono"}),
        (noisy_grey, (0.5, 4), (0.5, 3), {"mono"}),
        (duotone, (18, 50), (0, 0.7), {"mono"}),
        (sepia, (18, 30), (0, 6.8), {"mono", "review"}),
        (lambda rgb: saved_badly(sepia(rgb)), (18, 31), (2, 6.9), {"mono", "review"}),
    ],
    ids=["colour", "grey", "grey-jpeg", "grey-noise", "duotone", "sepia", "sepia-jpeg"],
)
def test_strength_and_spread_of_the_colours(
    drawings: list[np.ndarray],
    change: Change,
    c95: tuple[float, float],
    r90: tuple[float, float],
    verdicts: set[Verdict],
) -> None:
    for drawing in drawings:
        strength, spread = colorfulness(change(drawing))
        assert c95[0] <= strength <= c95[1]
        assert r90[0] <= spread <= r90[1]
        assert judge(strength, spread, LIMITS) in verdicts


def test_known_answers() -> None:
    red = np.full((70, 50, 3), (255, 0, 0), dtype=np.uint8)
    strength, spread = colorfulness(red)
    assert strength == pytest.approx(104.55, abs=0.05)  # chroma of sRGB red in CIE Lab (D65)
    assert spread == 0
    assert colorfulness(np.full((1, 1, 3), 255, dtype=np.uint8)) == pytest.approx((0, 0), abs=0.01)


def test_one_strong_spot_in_a_grey_picture_counts_as_monochrome(drawings: list[np.ndarray]) -> None:
    spotted = grey(drawings[0]).copy()
    spotted[100:130, 100:130] = (230, 20, 20)
    assert judge(*colorfulness(spotted), LIMITS) == "mono"


def test_statistics_are_rounded_and_repeatable(drawings: list[np.ndarray]) -> None:
    found = colorfulness(drawings[0])
    assert found == colorfulness(drawings[0].copy())
    assert found == tuple(round(value, 4) for value in found)


@pytest.mark.parametrize(
    ("c95", "r90", "verdict"),
    [
        (5.9, 20, "mono"),
        (40, 2.9, "mono"),
        (6, 7, "review"),
        (10, 3, "review"),
        (9.9, 7, "review"),
        (10, 6.9, "review"),
        (10, 7, "colour"),
    ],
)
def test_the_limits_themselves_are_on_the_better_side(c95: float, r90: float, verdict: Verdict) -> None:
    assert judge(c95, r90, LIMITS) == verdict


@pytest.mark.skipif("UGATIT_REAL_DATA" not in os.environ, reason="needs real pictures")
def test_real_anime_faces_stay_and_their_grey_copies_go() -> None:
    folder = Path(os.environ["UGATIT_REAL_DATA"], "selfie2anime", "trainB")
    for file in sorted(folder.iterdir())[:40]:
        rgb = read_rgb(file)
        assert judge(*colorfulness(rgb), LIMITS) != "mono"
        assert judge(*colorfulness(grey(rgb)), LIMITS) == "mono"
        assert judge(*colorfulness(duotone(rgb)), LIMITS) == "mono"
        assert judge(*colorfulness(sepia(rgb)), LIMITS) != "colour"
