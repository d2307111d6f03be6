"""Many metrics.json files to one long CSV, and that CSV back to rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ugatit.datasets import Direction
from ugatit.errors import UserError
from ugatit.files import read_json, write_text
from ugatit.strict import check

REMEDY = "Write it with `ugatit evaluate`."


class _Read(BaseModel):
    """A part of metrics.json; what the tables do not need is passed over."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", allow_inf_nan=False)


class _Metric(_Read):
    value: float
    plus_minus: float | None
    plus_minus_is: str | None
    scale: int = Field(description="What the value is already multiplied by.")
    protocol: str


class _Counts(_Read):
    fake: int
    target: int
    source: int


class _Direction(_Read):
    counts: _Counts
    fake_is_target: bool = False
    metrics: dict[str, _Metric]


class _Extractor(_Read):
    name: str
    weights_sha256: str


class _Metrics(_Read):
    """One metrics.json."""

    version: Literal[1] = Field(alias="schema")
    dataset: str
    model: str
    seed: int | None
    extractor: _Extractor
    image_px: int
    directions: dict[Direction, _Direction]


@dataclass(frozen=True)
class MetricRow:
    """One metric of one run in one direction."""

    dataset: str
    model: str
    seed: int | None
    """None for the reference rows and for translations that were made elsewhere."""
    direction: str
    metric: str
    value: float
    """Already multiplied by `scale`."""
    plus_minus: float | None
    plus_minus_is: str
    scale: int
    n_fake: int
    n_target: int
    n_source: int
    image_px: int
    """Side at which all pictures were compared."""
    extractor: str
    extractor_sha256: str
    protocol: str
    fake_is_target: bool
    """A set of pictures compared with itself: the value says nothing."""

    @property
    def key(self) -> tuple[str, str, int, str, str]:
        """What must be unique, and the order of the rows; no seed comes before seed 0."""
        return self.dataset, self.model, -1 if self.seed is None else self.seed, self.direction, self.metric


COLUMNS = tuple(field.name for field in fields(MetricRow))


def collect_metrics(paths: Iterable[Path], output: Path) -> None:
    """Collect metrics.json files into one long CSV; the order of `paths` does not matter.

    Raises: UserError if a file is missing, not of the expected form, or repeats another one's run.
    """
    found: dict[tuple[str, str, int, str, str], tuple[Path, MetricRow]] = {}
    for path in map(Path, paths):
        for row in read_metrics(path):
            if row.key in found:
                raise UserError(
                    f"{path}: {row.dataset}/{row.model}, seed {row.seed}, {row.direction} is also in "
                    f"{found[row.key][0]}; expected each run once. Leave one of them out."
                )
            found[row.key] = (path, row)
    _write_rows(output, [found[key][1] for key in sorted(found)])


def read_metrics_csv(path: Path) -> list[MetricRow]:
    """Read a collected CSV.

    Raises: UserError if it is missing or has other columns or values.
    """
    path = Path(path)
    remedy = "Write it with `ugatit collect`."
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            reader = csv.DictReader(handle)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise UserError(f"{path}: columns {reader.fieldnames}; expected {list(COLUMNS)}. {remedy}")
            return [_parse(row) for row in reader]
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; expected collected metrics. {remedy}") from None
    except (OSError, TypeError, ValueError) as error:
        raise UserError(f"{path}: not readable as collected metrics ({error}). {remedy}") from None


def read_metrics(path: Path) -> list[MetricRow]:
    """The rows of one metrics.json.

    Raises: UserError if it is missing or not of the expected form.
    """
    found = check(_Metrics, read_json(path, "the metrics of one run", REMEDY), str(path))
    return [
        MetricRow(
            found.dataset, found.model, found.seed, direction,
            name, metric.value, metric.plus_minus, metric.plus_minus_is or "", metric.scale,
            part.counts.fake, part.counts.target, part.counts.source, found.image_px,
            found.extractor.name, found.extractor.weights_sha256, metric.protocol,
            part.fake_is_target,
        )
        for direction, part in found.directions.items()
        for name, metric in part.metrics.items()
    ]  # fmt: skip


def _write_rows(path: Path, rows: Sequence[MetricRow]) -> None:
    """Write the rows; numbers keep all their digits."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row) for row in rows)
    write_text(path, text.getvalue())


def _parse(row: dict[str, str]) -> MetricRow:
    """One line of the CSV with its types; empty fields are None where that is allowed."""
    seed, plus_minus = row["seed"], row["plus_minus"]
    return MetricRow(
        row["dataset"], row["model"], int(seed) if seed else None, row["direction"],
        row["metric"], float(row["value"]), float(plus_minus) if plus_minus else None, row["plus_minus_is"],
        int(row["scale"]), int(row["n_fake"]), int(row["n_target"]), int(row["n_source"]),
        int(row["image_px"]), row["extractor"], row["extractor_sha256"], row["protocol"],
        row["fake_is_target"] == "True",
    )  # fmt: skip
