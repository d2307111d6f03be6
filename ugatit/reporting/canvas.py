"""Paper for figures: sizes, colours, footers, and files whose bytes depend on nothing but what is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ugatit.files import atomic_path
from ugatit.reporting.lettering import wrap

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8c6d31")
"""Okabe and Ito's, which any colour blindness tells apart; yellow left out, being pale on white."""

PALE, GREY = "#f0f0f0", "#606060"

POINTS_PER_INCH = 72
FOOTER_PT, FOOTER_LINE_IN = 6.5, 0.125
MARGIN_IN = 0.1
NARROWER = 0.95
CHART_DPI = 150
PLACE_DIGITS = 4

STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # ships with matplotlib
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 7.5,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "pdf.fonttype": 42,  # text that can be searched and edited
}


def footer_lines(paragraphs: Sequence[str], width_in: float) -> list[str]:
    """Wrap the caption and its remarks to the width of a figure."""
    # Measured in tenths of a point, since fonts are measured in whole pixels; drawn small they get wider.
    width = round((width_in - 2 * MARGIN_IN) * POINTS_PER_INCH * 10 * NARROWER)
    return [line for text in paragraphs for line in wrap(text, width, round(FOOTER_PT * 10), whole=True)]


def footer_height_in(lines: Sequence[str]) -> float:
    """Height of a footer with its margins, inches."""
    return len(lines) * FOOTER_LINE_IN + 2 * MARGIN_IN


def draw_footer(figure: Figure, lines: Sequence[str]) -> None:
    """Write lines at the bottom left of a figure."""
    width, height = figure.get_size_inches()
    for k, line in enumerate(lines):
        y = MARGIN_IN + (len(lines) - 1 - k) * FOOTER_LINE_IN
        figure.text(
            MARGIN_IN / width,
            y / height,
            line,
            fontsize=FOOTER_PT,
            color=GREY,
            va="bottom",
            parse_math=False,
        )


def chart(width_in: float, height_in: float, paragraphs: Sequence[str]) -> Figure:
    """An empty figure with a footer; axes share the room above it, `height_in`."""
    lines = footer_lines(paragraphs, width_in)
    below = footer_height_in(lines)
    figure = Figure(figsize=(width_in, height_in + below), dpi=CHART_DPI, layout="constrained")
    engine: Any = figure.get_layout_engine()
    engine.set(rect=(0.005, below / (height_in + below), 0.99, 0.995 - below / (height_in + below)))
    draw_footer(figure, lines)
    return figure


def say_instead(axes: Axes, text: str) -> None:
    """Turn axes that have nothing to show into a pale panel with the reason."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_facecolor(PALE)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.text(
        0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=GREY, fontsize=6.5,
        parse_math=False,
    )  # fmt: skip


def save(figure: Figure, stem: Path) -> None:
    """Write `<stem>.pdf` and `<stem>.png`; the same drawing gives the same bytes."""
    FigureCanvasAgg(figure)
    _settle(figure)
    for suffix, metadata in (
        ("pdf", {"CreationDate": None, "Producer": None, "Creator": None}),
        ("png", {"Software": None}),
    ):
        with atomic_path(Path(f"{stem}.{suffix}")) as part:
            figure.savefig(part, format=suffix, metadata=metadata)


def _settle(figure: Figure) -> None:
    """Fix where the layout put the axes, rounded: its solver differs in the last digits from run to run."""
    if figure.get_layout_engine() is None:
        return
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        left, bottom, width, height = (round(value, PLACE_DIGITS) for value in axes.get_position().bounds)
        axes.set_position((left, bottom, width, height))


def styled() -> Any:
    """The style as a context: nothing global stays changed."""
    return matplotlib.rc_context(STYLE)
