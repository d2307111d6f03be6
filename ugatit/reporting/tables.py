"""Tables of metrics: parameters to settings, settings and metrics to CSV, Markdown and LaTeX."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ugatit import plan
from ugatit.errors import UserError
from ugatit.files import write_text
from ugatit.params import DIRECTIONS, REFERENCES, Params, Table
from ugatit.reporting.cells import PAPER_METRIC, Cell, Column, Row, Settings, fill_cells, why_not_comparable
from ugatit.reporting.collect import read_metrics_csv
from ugatit.reporting.markup import latex, markdown
from ugatit.reporting.paper_values import published
from ugatit.reporting.table_layout import arrange
from ugatit.strict import check

REFERENCE_LABELS = {"source": "untranslated source", "real": "real against real: train of the target"}

NO_FOLDER = "made elsewhere, no folder of translations is given"
NOT_THIS_WAY = "the method translates the other way only"
NOT_THIS_DATASET = "not planned for this dataset"

DECIMALS = 4
"""Decimals of the computed values in the CSV."""

COUNTS = ("n_fake", "n_target", "n_source", "image_px")

COLUMNS = (
    "table", "model", "label", "dataset", "direction", "direction_name", "metric", "scale",
    "ours", "ours_plus_minus", "plus_minus_is", "paper", "paper_plus_minus", "difference",
    *COUNTS, "seeds", "protocol", "extractor", "extractor_sha256", "note",
)  # fmt: skip
"""Columns of the CSV; values are multiplied by `scale`, `difference` is ours - paper."""


def table_settings(params: Params, name: str) -> dict[str, Any]:
    """Take from the parameters all that one table needs: what it shows, and why a cell is not planned.

    Returns: plain JSON, the first argument of `make_table`; it changes only if the table changes.
    Raises: UserError if there is no such table.
    """
    if name not in params.tables:
        raise UserError(f"unknown table {name!r}; known: {', '.join(params.tables)}. Add it under `tables:`.")
    table = params.tables[name]
    columns = _columns(params, table)
    rows = [_model_row(params, model) for model in table.models]
    rows += [Row(model=key, label=REFERENCE_LABELS[key], kind="reference", seeds=[]) for key in REFERENCES]
    missing = {row.model: _unplanned(params, row.model, columns) for row in rows}
    for row in _paper_rows(table, columns):
        rows.append(row)
        reason = "not in this table's models" if row.model in params.models else "not built here"
        missing[row.model] = {column.key: reason for column in columns}
    return Settings(
        table=name,
        caption=table.caption,
        paper=table.paper,
        metrics=list(table.metrics),
        rows=rows,
        columns=columns,
        missing={model: reasons for model, reasons in missing.items() if reasons},
    ).model_dump()


def make_table(settings: object, metrics_csv: Path, output_stem: Path) -> None:
    """Write a table as `<stem>.csv` (one line per cell), `<stem>.md` and `<stem>.tex` (for `input`).

    Raises: UserError if settings or metrics are not of the expected form, or do not fit together.
    """
    checked = check(Settings, settings, "table settings")
    cells = fill_cells(checked, read_metrics_csv(metrics_csv))
    document = arrange(checked, cells)
    stem = str(output_stem)
    write_text(Path(f"{stem}.csv"), _csv_text(checked, cells))
    write_text(Path(f"{stem}.md"), markdown(document))
    write_text(Path(f"{stem}.tex"), latex(document))


def _columns(params: Params, table: Table) -> list[Column]:
    """Both directions of every dataset, with titles that are unique."""
    pairs = [(dataset, direction) for dataset in table.datasets for direction in DIRECTIONS]
    names = [params.datasets[dataset].direction_name(direction) for dataset, direction in pairs]
    return [
        Column(
            dataset=dataset,
            direction=direction,
            name=name,
            title=name if names.count(name) == 1 else f"{name} ({dataset})",
        )
        for (dataset, direction), name in zip(pairs, names, strict=True)
    ]


def _model_row(params: Params, model: str) -> Row:
    """The row of a model; translations made elsewhere have no seeds."""
    entry = params.models[model]
    seeds = [] if entry.external else list(params.seeds)
    return Row(model=model, label=entry.label, kind="model", seeds=seeds)


def _paper_rows(table: Table, columns: Sequence[Column]) -> list[Row]:
    """Models that only the paper's table has, where it prints a number for one of our columns."""
    names = {column.name for column in columns}
    values = published(table.paper) if table.paper and PAPER_METRIC in table.metrics else ()
    labels = {
        value.model: value.label
        for value in values
        if value.model not in table.models and value.direction in names and value.value_text
    }
    return [Row(model=model, label=label, kind="paper", seeds=[]) for model, label in labels.items()]


def _unplanned(params: Params, model: str, columns: Iterable[Column]) -> dict[str, str]:
    """Why cells of a model or reference are not planned, by column."""
    reasons = {}
    entry = params.models.get(model)
    for column in columns:
        if column.dataset not in params.selected_datasets():
            reasons[column.key] = "not selected (only_dataset)"
        elif entry and model not in params.selected_models():
            reasons[column.key] = "not selected (only_model)"
        elif entry and entry.datasets is not None and column.dataset not in entry.datasets:
            reasons[column.key] = NOT_THIS_DATASET
        elif entry and column.direction not in plan.directions(params, column.dataset, model):
            reasons[column.key] = NO_FOLDER if entry.external else NOT_THIS_WAY
    return reasons


def _csv_text(settings: Settings, cells: Iterable[Cell]) -> str:
    """The tidy CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_csv_line(settings, cell) for cell in cells)
    return text.getvalue()


def _csv_line(settings: Settings, cell: Cell) -> list[str]:
    """One cell as a line of the CSV."""
    row, column, paper, runs = cell.row, cell.column, cell.paper, cell.runs
    run = runs[0] if runs else None
    counts = ["/".join(map(str, sorted({getattr(r, name) for r in runs}))) for name in COUNTS]
    return [
        settings.table, row.model, row.label, column.dataset, column.direction, column.name, cell.metric,
        str(run.scale) if run else "", _number(cell.value), _number(cell.plus_minus), cell.plus_minus_is,
        paper.value_text if paper else "", paper.plus_minus_text if paper else "", _number(cell.difference),
        *counts, " ".join(map(str, cell.seeds)), run.protocol if run else "",
        run.extractor if run else "", run.extractor_sha256 if run else "", _note(cell),
    ]  # fmt: skip


def _note(cell: Cell) -> str:
    """What lacks, and what keeps the value from being read as the paper's."""
    return "; ".join(filter(None, dict.fromkeys([cell.remark, *map(why_not_comparable, cell.runs)])))


def _number(value: float | None) -> str:
    """A computed value with fixed decimals, or nothing."""
    return "" if value is None else f"{value:.{DECIMALS}f}"
