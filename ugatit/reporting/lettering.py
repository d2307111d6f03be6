"""Text on pictures: one font that ships with matplotlib, measured, wrapped and centred."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

from PIL import ImageDraw, ImageFont

FONT = Path("fonts", "ttf", "DejaVuSans.ttf")
LINE_SPACING = 1.25
MAX_LABEL_LINES = 2


@functools.cache
def font(size_px: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans; the same file on every machine, so that drawn text is the same too."""
    import matplotlib  # planning reads this module too, and draws nothing

    path = Path(matplotlib.get_data_path()) / FONT
    return ImageFont.truetype(path, size_px, layout_engine=ImageFont.Layout.BASIC)


def line_height(size_px: int) -> int:
    """Distance of two lines, pixels."""
    return round(size_px * LINE_SPACING)


def wrap(text: str, width_px: int, size_px: int, whole: bool = False) -> list[str]:
    """Break text at blanks into lines of at most `width_px`.

    A longer word is cut with an ellipsis or, if the text shall be `whole`, goes on in the next line.
    """
    lines: list[str] = []
    for word in text.split():
        while whole and not _fits(word, width_px, size_px):
            end = max(k for k in range(1, len(word)) if k == 1 or _fits(word[:k], width_px, size_px))
            lines.append(word[:end])
            word = word[end:]
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and _fits(joined, width_px, size_px):
            lines[-1] = joined
        else:
            lines.append(_cut(word, width_px, size_px))
    return lines


def fit_labels(labels: Sequence[str], width_px: int, sizes_px: Sequence[int]) -> tuple[list[list[str]], int]:
    """Wrap labels at the largest size at which all are whole in two lines; else at the smallest size.

    Returns: the lines of each label and the size.
    """
    for size in sizes_px:
        wrapped = [wrap(label, width_px, size) for label in labels]
        whole = all(
            " ".join(lines).split() == label.split() for lines, label in zip(wrapped, labels, strict=True)
        )
        if whole and max(map(len, wrapped)) <= MAX_LABEL_LINES:
            break
    return wrapped, size


def draw_lines(
    draw: ImageDraw.ImageDraw,
    lines: Sequence[str],
    centre_px: int,
    top_px: int,
    size_px: int,
    ink: tuple[int, int, int],
) -> None:
    """Draw lines centred on a column of pixels."""
    for line in lines:
        draw.text((centre_px, top_px), line, font=font(size_px), fill=ink, anchor="ma")
        top_px += line_height(size_px)


def _fits(text: str, width_px: int, size_px: int) -> bool:
    """Whether a line is narrow enough."""
    return font(size_px).getlength(text) <= width_px


def _cut(word: str, width_px: int, size_px: int) -> str:
    """A word, shortened until it fits."""
    if _fits(word, width_px, size_px):
        return word
    while word and not _fits(word + "…", width_px, size_px):
        word = word[:-1]
    return word + "…"
