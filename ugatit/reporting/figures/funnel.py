"""How a dataset was made from raw pictures: what each stage left, beside the paper's numbers."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from ugatit import plan
from ugatit.errors import UserError
from ugatit.params import Figure, Params
from ugatit.reporting.figure import Command, Need
from ugatit.sources import ConstructedSource
from ugatit.strict import Strict

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

COLUMNS = ["side", "stage", "in", "out", "left", "paper", "reasons"]
PANEL_IN = (3.6, 2.3)
ROOM_FOR_TEXT = 1.6
"""Of the longest bar: room to its right for numbers."""


class Entry(Figure):
    """One row of panels per dataset."""

    datasets: list[str] = Field(min_length=1)


class Part(Strict):
    """One dataset: the counts of its construction."""

    dataset: str
    domains: list[str]
    path: str
    constructed: bool


class Settings(Strict):
    """Which files, under which names."""

    caption: str
    parts: list[Part]


def needs(params: Params, entry: Entry) -> list[Need]:
    """The counts of each construction, planned where a table plans the dataset."""
    planned = plan.planned_datasets(params)
    return [Need(p.path, p.constructed and p.dataset in planned) for p in settings(params, entry).parts]


def settings(params: Params, entry: Entry) -> Settings:
    """Where the counts are."""
    parts = [
        Part(
            dataset=dataset,
            domains=params.datasets[dataset].domains,
            path=f"{params.paths.data}/{dataset}/report/funnel.csv",
            constructed=isinstance(params.datasets[dataset].source, ConstructedSource),
        )
        for dataset in entry.datasets
    ]
    return Settings(caption=entry.caption, parts=parts)


def draw(settings: Settings, command: Command) -> Drawing:
    """Draw one panel per side: bars of what is left after each stage."""
    from ugatit.reporting.canvas import chart, say_instead

    absent = [p for p in settings.parts if p.constructed and not Path(p.path).is_file()]
    remarks = ["Grey: pictures that came to the stage; blue: pictures that it left, and their share of all."]
    remarks += [f"No construction of {part.dataset} yet: {command(part.path)}" for part in absent]
    width, height = PANEL_IN
    figure = chart(2 * width, height * len(settings.parts), [settings.caption, *remarks])
    panels = figure.subplots(len(settings.parts), 2, squeeze=False)
    for part, pair in zip(settings.parts, panels, strict=True):
        for axes, side, domain in zip(pair, "ab", part.domains, strict=True):
            axes.set_title(f"{part.dataset}, {side.upper()}: {domain}")
            if part in absent or not part.constructed:
                say_instead(axes, "not constructed yet" if part.constructed else "not made from raw pictures")
            else:
                _draw_side(axes, [row for row in _read(Path(part.path)) if row["side"] == side])
    return figure


def _draw_side(axes: Axes, stages: list[dict[str, str]]) -> None:
    """Bars from the first stage at the top to the last."""
    places = range(len(stages))
    came, left = ([int(row[key]) for row in stages] for key in ("in", "left"))
    raw = max(1, came[0])
    axes.barh(places, came, color="#d0d0d0", height=0.8)
    axes.barh(places, left, color="#0072b2", height=0.8)
    for place, row, before, after in zip(places, stages, came, left, strict=True):
        paper = f"; paper {int(row['paper']):,}" if row["paper"] else ""
        text = f"{after:,} ({after / raw:.0%}){paper}"
        axes.text(before + raw * 0.02, place, text, va="center", fontsize=6.5)
    axes.set_yticks(places, [row["stage"] for row in stages])
    axes.invert_yaxis()
    axes.set_xlim(0, raw * ROOM_FOR_TEXT)
    axes.set_xlabel("pictures")


def _read(path: Path) -> list[dict[str, str]]:
    """The rows of `data-prep funnel`'s CSV.

    Raises: UserError if it has other columns.
    """
    with path.open(encoding="utf-8", newline="") as handle:
        reader = csv.DictReader(handle)
        if list(reader.fieldnames or ()) != COLUMNS:
            raise UserError(
                f"{path}: columns {reader.fieldnames}; expected {COLUMNS}. Run `data-prep funnel`."
            )
        return list(reader)
