"""A digest of all tables for programs, nested and as a list: what DVC shows, compares and plots."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ugatit.errors import UserError
from ugatit.files import write_json

NEEDED = ("dataset", "direction", "model", "label", "metric", "ours")

HEADLINE = "kid"
"""The metric of the digest; a program that shows one column per value has no room for all."""

REMEDY = "Make it with `snakemake results/tables/<table>.csv`."


def summarize(tables: Iterable[Path], metrics: Path, points: Path) -> None:
    """Write the KIDs of tables as nested JSON (kid, dataset, model, direction), all values as a list.

    A value that several tables hold, such as that of a reference row, stands once.

    Raises: UserError if a table is missing or not one of ours.
    """
    nested: dict[str, Any] = {}
    listed: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in (row for table in tables for row in _rows(table)):
        if not row["ours"]:
            continue
        dataset, model, direction, metric = (row[k] for k in ("dataset", "model", "direction", "metric"))
        value = float(row["ours"])
        if metric == HEADLINE:
            nested.setdefault(metric, {}).setdefault(dataset, {}).setdefault(model, {})[direction] = value
        point = {"row": f"{dataset} {direction}: {row['label']}", "dataset": dataset, "direction": direction}
        listed.setdefault((dataset, model, direction), point | {"model": model})[metric] = value
    write_json(metrics, nested)
    write_json(points, list(listed.values()))


def _rows(table: Path) -> list[dict[str, str]]:
    """The lines of a table's CSV."""
    try:
        with Path(table).open(encoding="utf-8", newline="") as handle:
            reader = csv.DictReader(handle)
            if lacking := sorted(set(NEEDED) - set(reader.fieldnames or ())):
                raise UserError(f"{table}: no column {', '.join(lacking)}; expected a table's CSV. {REMEDY}")
            return list(reader)
    except OSError as error:
        raise UserError(f"{table}: {error.strerror}; expected a table's CSV. {REMEDY}") from None
