"""Labels on pictures: drawn, within their width, whole where possible."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from ugatit.reporting.lettering import draw_lines, fit_labels, font, line_height, wrap

BLACK = (0, 0, 0)


def ink(lines: list[str], size_px: int) -> np.ndarray:
    """Columns and rows of a white canvas that were drawn on."""
    canvas = Image.new("RGB", (200, 60), "white")
    draw_lines(ImageDraw.Draw(canvas), lines, 100, 5, size_px, BLACK)
    return np.argwhere(np.asarray(canvas)[:, :, 0] < 128)


def test_labels_are_drawn_centred_in_black() -> None:
    drawn = ink(["U-GAT-IT"], 16)
    left, right = drawn[:, 1].min(), drawn[:, 1].max()
    width = font(16).getlength("U-GAT-IT")
    assert len(drawn) > 100
    assert abs((left + right) / 2 - 100) <= 2
    assert abs(right - left - width) <= 4


def test_lines_stand_below_each_other() -> None:
    first, both = ink(["HHH"], 12), ink(["HHH", "HHH"], 12)
    assert both[:, 0].max() - first[:, 0].max() == line_height(12)


@pytest.mark.parametrize("width_px", [40, 80, 160])
def test_wrapped_lines_fit(width_px: int) -> None:
    text = "U-GAT-IT without the CAM of the discriminators"
    lines = wrap(text, width_px, 12)
    assert all(font(12).getlength(line) <= width_px for line in lines)
    if width_px > font(12).getlength("discriminators"):
        assert " ".join(lines) == text


def test_a_word_too_long_is_cut() -> None:
    (line,) = wrap("discriminators", 40, 12)
    assert line.endswith("…")
    assert "discriminators".startswith(line[:-1])


def test_all_labels_get_the_largest_size_that_fits() -> None:
    assert fit_labels(["one", "two"], 160, (17, 9)) == ([["one"], ["two"]], 17)
    lines, size = fit_labels(["one", "U-GAT-IT-with-everything"], 160, (17, 9))
    assert (lines, size) == ([["one"], ["U-GAT-IT-with-everything"]], 9)


def test_labels_that_never_fit_are_cut_at_the_smallest_size() -> None:
    lines, size = fit_labels(["W" * 50], 60, (17, 9))
    assert size == 9
    assert lines[0][0].endswith("…")
