"""Tables: parameters to settings, settings and metrics to CSV, Markdown and LaTeX."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ugatit import plan
from ugatit.datasets import DIRECTIONS, Direction
from ugatit.errors import UserError
from ugatit.files import write_text
from ugatit.params import REFERENCES, Params
from ugatit.reporting.architecture import KIND as ARCHITECTURE
from ugatit.reporting.architecture import architecture_settings, describe_network
from ugatit.reporting.cells import PAPER_METRICS, Cell, Column, Row, Settings, fill_cells, why_not_comparable
from ugatit.reporting.collect import MetricRow, read_metrics_csv
from ugatit.reporting.markup import latex, markdown
from ugatit.reporting.paper_values import published
from ugatit.reporting.table_layout import arrange
from ugatit.strict import check
from ugatit.tables import ArchitectureTable, MetricsTable, PaperTable, PreferenceTable

REFERENCE_LABELS = {"source": "untranslated source", "real": "real against real: train of the target"}

NO_FOLDER = "made elsewhere, no folder of translations is given"
NOT_THIS_WAY = "the method translates the other way only"
NOT_THIS_DATASET = "not planned for this dataset"
NO_VOTES = "no votes of ours yet: people have not been asked"

PREFERENCE = "preference"
"""The metric of votes."""

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
    match table:
        case ArchitectureTable():
            return architecture_settings(params, name, table).model_dump()
        case PreferenceTable():
            return _preference_settings(params, name, table).model_dump()
        case MetricsTable():
            return _metrics_settings(params, name, table).model_dump()


def make_table(settings: object, metrics_csv: Path | None, output_stem: Path) -> None:
    """Write a table as `<stem>.csv` (one line per cell or layer), `<stem>.md` and `<stem>.tex` (for `input`).

    Only tables of metrics take `metrics_csv`.

    Raises: UserError if settings or metrics are not of the expected form, or do not fit together.
    """
    if isinstance(settings, Mapping) and settings.get("kind") == ARCHITECTURE:
        document, rows = describe_network(settings)
    else:
        checked = check(Settings, settings, "table settings")
        cells = fill_cells(checked, _metrics_of(checked, metrics_csv))
        document, rows = arrange(checked, cells), [COLUMNS, *(_csv_line(checked, cell) for cell in cells)]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    stem = str(output_stem)
    write_text(Path(f"{stem}.csv"), text.getvalue())
    write_text(Path(f"{stem}.md"), markdown(document))
    write_text(Path(f"{stem}.tex"), latex(document))


def _metrics_of(settings: Settings, metrics_csv: Path | None) -> list[MetricRow]:
    """What the table's cells are made from."""
    if settings.metrics == [PREFERENCE]:
        return []
    if metrics_csv is None:
        raise UserError(f"table {settings.table!r} needs --metrics, the CSV of `ugatit collect`.")
    return read_metrics_csv(metrics_csv)


def _metrics_settings(params: Params, name: str, table: MetricsTable) -> Settings:
    """Both directions of every dataset; models, references, and the models that only the paper has."""
    columns = _columns(params, table.datasets, DIRECTIONS)
    rows = [_model_row(params, model) for model in table.models]
    rows += [Row(model=key, label=REFERENCE_LABELS[key], kind="reference", seeds=[]) for key in REFERENCES]
    missing = {row.model: _unplanned(params, row.model, columns) for row in rows}
    return _settings(params, name, table, table.paper, list(table.metrics), rows, columns, missing)


def _preference_settings(params: Params, name: str, table: PreferenceTable) -> Settings:
    """One column per dataset, from A to B as in the paper's Table 2; no votes of ours."""
    columns = _columns(params, table.datasets, ("a2b",))
    rows = [
        Row(model=model, label=params.models[model].label, kind="model", seeds=[]) for model in table.models
    ]
    missing = {
        row.model: dict.fromkeys((column.key for column in columns), NO_VOTES)
        | _unplanned(params, row.model, columns)
        for row in rows
    }
    return _settings(params, name, table, "table2", [PREFERENCE], rows, columns, missing)


def _settings(
    params: Params,
    name: str,
    table: MetricsTable | PreferenceTable,
    paper: PaperTable | None,
    metrics: list[str],
    rows: list[Row],
    columns: list[Column],
    missing: dict[str, dict[str, str]],
) -> Settings:
    """Add the rows that only the paper has."""
    shown = paper is not None and PAPER_METRICS[paper] in metrics
    for row in _paper_rows(paper, table.models, columns) if paper and shown else ():
        rows.append(row)
        reason = "not in this table's models" if row.model in params.models else "not built here"
        missing[row.model] = {column.key: reason for column in columns}
    return Settings(
        table=name,
        caption=table.caption,
        paper=paper,
        metrics=metrics,
        rows=rows,
        columns=columns,
        missing={model: reasons for model, reasons in missing.items() if reasons},
    )


def _columns(params: Params, datasets: Iterable[str], directions: Sequence[Direction]) -> list[Column]:
    """The directions of every dataset, with titles that are unique."""
    pairs = [(dataset, direction) for dataset in datasets for direction in directions]
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


def _paper_rows(paper: PaperTable, models: Sequence[str], columns: Sequence[Column]) -> list[Row]:
    """Models that only the paper's table has, where it prints a number for one of our columns."""
    names = {column.name for column in columns}
    labels = {
        value.model: value.label
        for value in published(paper)
        if value.model not in models and value.direction in names and value.value_text
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
