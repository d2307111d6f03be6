"""Stage 13, report: the funnel of both sides, and sheets of what was kept and what was left out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from data_prep.contact_sheet import draw_kept, draw_out
from data_prep.funnel import funnel, summary, write_funnel
from data_prep.items import read_items
from ugatit.construction import Side


def write_construction_report(
    manifests: Mapping[Side, Path],
    pictures: Mapping[Side, Path],
    names: Mapping[Side, str],
    reviewed: bool,
    folder: Path,
) -> str:
    """Write funnel.csv, .md and .png, and per side kept_<side>.png and out_<side>.png.

    Returns: the funnel in a line per side.
    """
    sides = {side: read_items(path) for side, path in manifests.items()}
    for side, items in sides.items():
        draw_kept(items, manifests[side].parent, folder / f"kept_{side}.png")
        draw_out(items, pictures[side], folder / f"out_{side}.png")
    steps = funnel(sides)
    write_funnel(steps, names, reviewed, folder / "funnel")
    return summary(steps)
