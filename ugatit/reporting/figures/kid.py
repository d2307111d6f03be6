"""KID with intervals, per direction and protocol, beside the paper's values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from ugatit import plan
from ugatit.params import Figure, Params
from ugatit.reporting.cells import THE_TARGET_ITSELF, Cell, Column, fill_cells, why_not_comparable
from ugatit.reporting.cells import Settings as TableSettings
from ugatit.reporting.collect import read_metrics_csv
from ugatit.reporting.figure import Command, Need
from ugatit.reporting.tables import table_settings
from ugatit.strict import Strict

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

PANEL_IN, LABELS_IN = 1.75, 1.6
LINE_IN, FRAME_IN = 0.14, 0.42
MIN_PANEL_IN = 1.0
"""Room for the name of a direction beside a panel."""

OURS, PAPER = "#0072b2", "#d55e00"
REFERENCES = {
    "source": ("#606060", ":", "untranslated source"),
    "real": ("#606060", "--", "real against real"),
}


class Entry(Figure):
    """One row of panels per direction, one column per KID protocol of the table."""

    table: str = Field(description="A key of `tables`: whose numbers are shown.")

    def names(self) -> dict[str, list[str]]:
        """The table."""
        return {"tables": [self.table]}


class Settings(Strict):
    """The table's own settings, and where its metrics are."""

    caption: str
    table: TableSettings
    path: str
    planned: bool


def needs(params: Params, entry: Entry) -> list[Need]:
    """The collected metrics of the table."""
    found = settings(params, entry)
    return [Need(found.path, found.planned)]


def settings(params: Params, entry: Entry) -> Settings:
    """What the table shows, with the figure's caption."""
    values = table_settings(params, entry.table) | {"caption": entry.caption}
    return Settings(
        caption=entry.caption,
        table=TableSettings.model_validate(values),
        path=f"{params.paths.results}/metrics/{entry.table}.csv",
        planned=entry.table in plan.planned_tables(params),
    )


def draw(settings: Settings, command: Command) -> Drawing:
    """Draw a dot with its interval for every model, a line for each reference, and the paper's values."""
    from ugatit.reporting.canvas import chart, say_instead

    path, metrics = Path(settings.path), [m for m in settings.table.metrics if m.startswith("kid")]
    rows = read_metrics_csv(path) if path.is_file() else []
    cells = [cell for cell in fill_cells(settings.table, rows) if cell.metric in metrics]
    columns = [c for c in settings.table.columns if any(_shows(cell, c) for cell in cells)]
    remarks = [_legend(cells)] if columns else [f"No metrics yet: {command(settings.path)}"]
    if not columns:
        figure = chart(6.5, 1.2, [settings.caption, *remarks])
        say_instead(figure.add_subplot(), "no metrics yet")
        return figure
    lines = {c.key: list(dict.fromkeys(x.row.label for x in cells if _shows(x, c))) for c in columns}
    heights = [max(MIN_PANEL_IN, len(lines[c.key]) * LINE_IN + FRAME_IN) for c in columns]
    figure = chart(LABELS_IN + len(metrics) * PANEL_IN, sum(heights), [settings.caption, *remarks])
    panels = figure.subplots(
        len(columns),
        len(metrics),
        squeeze=False,
        sharey="row",
        height_ratios=heights,
    )
    for column, row in zip(columns, panels, strict=True):
        for axes, metric in zip(row, metrics, strict=True):
            own = [cell for cell in cells if cell.metric == metric and cell.column == column]
            _draw_panel(axes, own, lines[column.key])
            axes.set_title(metric if column == columns[0] else "")
        row[0].set_ylabel(column.title)
    for axes in panels[-1]:
        axes.set_xlabel("KID × 100")
    return figure


def _shows(cell: Cell, column: Column) -> bool:
    """Whether a cell is a line of the panels of a column."""
    return cell.column == column and cell.row.kind != "reference" and (cell.planned or bool(cell.paper))


def _draw_panel(axes: Axes, cells: Sequence[Cell], labels: Sequence[str]) -> None:
    """One protocol in one direction."""
    for cell in cells:
        if cell.row.kind == "reference":
            if cell.value is not None:
                color, style, _ = REFERENCES[cell.row.model]
                axes.axvline(cell.value, color=color, linestyle=style, linewidth=0.8)
            continue
        if cell.row.label not in labels:
            continue
        place = labels.index(cell.row.label)
        if cell.value is not None:
            _dot(axes, cell.value, cell.plus_minus, place - 0.12, OURS, "o")
        if cell.paper and cell.paper.value is not None:
            _dot(axes, cell.paper.value, cell.paper.plus_minus, place + 0.16, PAPER, "D")
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.margins(x=0.1)
    axes.grid(axis="x", linewidth=0.3, color="#d0d0d0")
    axes.set_axisbelow(True)


def _dot(axes: Axes, value: float, interval: float | None, place: float, color: str, marker: str) -> None:
    """A value and its interval; the paper's is hollow."""
    style: dict[str, Any] = {"markerfacecolor": "white"} if color == PAPER else {}
    axes.errorbar(
        value,
        place,
        xerr=interval,
        fmt=marker,
        color=color,
        markersize=3.2,
        linewidth=1,
        capsize=1.5,
        **style,
    )


def _legend(cells: Sequence[Cell]) -> str:
    """What the marks are, and what keeps ours from being compared with the paper's."""
    text = "Dots: ours; dotted line: untranslated source; dashed line: real against real. Lower is better."
    if any(cell.paper for cell in cells):
        text += " Diamonds: the paper's values, whose protocol is most probably kid_paper."
    if absent := dict.fromkeys(cell.column.title for cell in cells if cell.remark == THE_TARGET_ITSELF):
        text += f" No real against real for {', '.join(absent)}: {THE_TARGET_ITSELF}."
    kinds: dict[str, dict[str, None]] = {}
    for cell in cells:
        if cell.plus_minus_is:
            kinds.setdefault(cell.plus_minus_is, {})[cell.metric] = None
    intervals = "; ".join(f"{kind} ({', '.join(metrics)})" for kind, metrics in kinds.items())
    text += f" Intervals: {intervals}." if intervals else ""
    reasons = dict.fromkeys(why for cell in cells for run in cell.runs if (why := why_not_comparable(run)))
    return text + "".join(f" Note: {reason}." for reason in reasons)
