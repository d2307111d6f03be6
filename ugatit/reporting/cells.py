"""The cells of a table of metrics: ours over the seeds, the paper's, or why there is nothing."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from ugatit.datasets import Direction
from ugatit.errors import UserError
from ugatit.reporting.collect import MetricRow
from ugatit.reporting.paper_values import PaperTable, PaperValue, published_value
from ugatit.strict import Strict

PAPER_METRICS: dict[PaperTable, str] = {"table1": "kid_paper", "table2": "preference", "table3": "kid_paper"}
"""The only metric beside which the values of a table of the paper are set."""

PAPER_EXTRACTOR = "inception-v3-compat"
"""The only features whose values can be compared with the paper's."""

PAPER_PX = 256
"""Side of the paper's pictures."""

NOT_IN_PAPER = "not in the paper"
THE_TARGET_ITSELF = "these are the target's test pictures themselves"


class Row(Strict):
    """One row: a model, a reference, or a model that only the paper has."""

    model: str
    label: str
    kind: Literal["model", "reference", "paper"]
    seeds: list[int]
    """Seeds that belong to the table; empty for what has no seed."""


class Column(Strict):
    """One direction of one dataset."""

    dataset: str
    direction: Direction
    name: str
    """The paper's name, by which its values are found."""
    title: str
    """What is printed; names the dataset too if the name alone is ambiguous."""

    @property
    def key(self) -> str:
        """Name by which `Settings.missing` knows the column."""
        return f"{self.dataset}/{self.direction}"


class Settings(Strict):
    """All that decides a table beside the metrics; plain JSON, made by `tables.table_settings`."""

    table: str
    caption: str
    paper: PaperTable | None
    metrics: list[str]
    rows: list[Row]
    columns: list[Column]
    missing: dict[str, dict[str, str]]
    """By model and column key: why a cell is not planned."""

    @property
    def paper_metric(self) -> str | None:
        """The metric beside which the paper's values are set."""
        return PAPER_METRICS[self.paper] if self.paper else None

    def planned(self, row: Row, column: Column) -> bool:
        """Whether a run for this cell belongs to the table."""
        return column.key not in self.missing.get(row.model, {})


@dataclass(frozen=True)
class Cell:
    """One metric of one row in one column."""

    row: Row
    column: Column
    metric: str
    planned: bool
    value: float | None
    """Mean over the seeds."""
    plus_minus: float | None
    plus_minus_is: str
    remark: str
    """Why there is no value, or which seeds it lacks."""
    runs: tuple[MetricRow, ...]
    paper: PaperValue | None

    @property
    def difference(self) -> float | None:
        """Ours minus the paper's, where protocol and features allow the comparison."""
        if self.value is None or self.paper is None or self.paper.value is None:
            return None
        return None if any(map(why_not_comparable, self.runs)) else self.value - self.paper.value

    @property
    def seeds(self) -> list[int]:
        """Seeds of the runs behind the value."""
        return sorted(run.seed for run in self.runs if run.seed is not None)


def why_not_comparable(run: MetricRow) -> str:
    """Why a value cannot be compared with the paper's; empty if it can."""
    if run.extractor != PAPER_EXTRACTOR:
        return f"features of {run.extractor}, not comparable with the paper"
    if run.image_px != PAPER_PX:
        return f"pictures of {run.image_px} px, not comparable with the paper's {PAPER_PX} px"
    return ""


def fill_cells(settings: Settings, metrics: Iterable[MetricRow]) -> list[Cell]:
    """Make every cell of a table, row by row, column by column, metric by metric.

    Rows that only the paper has get cells of the paper's metric alone.

    Raises: UserError if values of different extractors, or of different protocols of one metric, would meet.
    """
    of_run: dict[tuple[str, str, str], list[MetricRow]] = {}
    for found in metrics:
        of_run.setdefault((found.dataset, found.model, found.direction), []).append(found)
    cells = []
    for row in settings.rows:
        for column in settings.columns:
            runs = of_run.get((column.dataset, row.model, column.direction), [])
            for metric in settings.metrics:
                if row.kind == "paper" and metric != settings.paper_metric:
                    continue
                cells.append(_fill(settings, row, column, metric, runs))
    _refuse_mixtures([run for cell in cells for run in cell.runs])
    return cells


def _fill(settings: Settings, row: Row, column: Column, metric: str, runs: Sequence[MetricRow]) -> Cell:
    """One cell from all metrics of its row and column."""
    paper = None
    if settings.paper and metric == settings.paper_metric:
        paper = published_value(settings.paper, row.model, column.name)
    planned = settings.planned(row, column)
    own = [run for run in runs if run.metric == metric]
    if not planned:
        chosen, remark = [], settings.missing[row.model][column.key]
        if row.kind == "paper" and paper is None:
            remark = NOT_IN_PAPER
    else:
        chosen = [run for run in own if run.seed in row.seeds] if row.seeds else own[:1]
        remark = _what_lacks(row, metric, runs, chosen)
        if any(run.fake_is_target for run in chosen):
            chosen, remark = [], THE_TARGET_ITSELF
    value, plus_minus, plus_minus_is = _over_seeds(chosen)
    return Cell(row, column, metric, planned, value, plus_minus, plus_minus_is, remark, tuple(chosen), paper)


def _what_lacks(row: Row, metric: str, runs: Sequence[MetricRow], chosen: Sequence[MetricRow]) -> str:
    """Why a planned cell has no value or one of fewer seeds than planned; empty if it is complete."""
    absent = sorted(set(row.seeds) - {run.seed for run in chosen})
    if not runs:
        return "not evaluated yet" if row.kind == "reference" else "no run yet"
    if not absent and not chosen or absent and {run.seed for run in runs}.issuperset(absent):
        return f"{metric} not computed"
    return f"no run yet with seed {', '.join(map(str, absent))}" if absent else ""


def _over_seeds(runs: Sequence[MetricRow]) -> tuple[float | None, float | None, str]:
    """Value, uncertainty and what that is: the protocol's own for one run, else the spread over seeds."""
    if not runs:
        return None, None, ""
    if len(runs) == 1:
        return runs[0].value, runs[0].plus_minus, runs[0].plus_minus_is
    values = [run.value for run in runs]
    return statistics.fmean(values), statistics.stdev(values), f"standard deviation over {len(runs)} seeds"


def _refuse_mixtures(runs: Sequence[MetricRow]) -> None:
    """Refuse values that cannot stand in one table."""
    first: dict[str, MetricRow] = {}
    for run in runs:
        if (run.extractor, run.extractor_sha256) != (runs[0].extractor, runs[0].extractor_sha256):
            raise UserError(
                f"{_name(run)} has features of {_extractor(run)}, {_name(runs[0])} of {_extractor(runs[0])}; "
                "one table needs one extractor. Evaluate all of its runs again with the same one."
            )
        other = first.setdefault(run.metric, run)
        if (run.protocol, run.scale) != (other.protocol, other.scale):
            raise UserError(
                f"{run.metric} of {_name(run)} is {run.protocol!r} (x {run.scale}), of {_name(other)} it is "
                f"{other.protocol!r} (x {other.scale}); one table needs one protocol. "
                "Evaluate all of its runs again with the same settings."
            )


def _extractor(run: MetricRow) -> str:
    """A run's extractor in messages."""
    return f"{run.extractor} ({run.extractor_sha256[:8]})"


def _name(run: MetricRow) -> str:
    """A run's name in messages."""
    seed = "" if run.seed is None else f"/seed{run.seed}"
    return f"{run.dataset}/{run.model}{seed}"
