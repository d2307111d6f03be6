"""Commands from metrics and translations to what people look at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ugatit.cli.app import app
from ugatit.cli.options import (
    DirectionName,
    Overlays,
    ParamsFile,
    direction_of,
    json_of,
    source_split,
)
from ugatit.errors import UserError


@app.command()
def collect(
    metrics: Annotated[list[Path], typer.Argument(metavar="METRICS_JSON...", help="Of any runs.")],
    output: Annotated[Path, typer.Option(help="The CSV to write, one row per number.")],
) -> None:
    """Collect metrics.json files into one long CSV."""
    from ugatit.reporting.collect import collect_metrics

    collect_metrics(metrics, output)


@app.command()
def table(
    name: Annotated[str, typer.Argument(help="A key of `tables`.")],
    output_stem: Annotated[Path, typer.Option(help="Where to write .csv, .md and .tex.")],
    metrics: Annotated[
        Path | None, typer.Option(help="CSV from `ugatit collect`; only for tables of metrics.")
    ] = None,
    params: ParamsFile = Path("params.yaml"),
    overlay: Overlays = None,
    settings: Annotated[
        str | None, typer.Option(help="The table's settings as JSON, instead of files.")
    ] = None,
) -> None:
    """Make one table: ours beside the paper's, of metrics, of preferences or of a network's layers."""
    from ugatit.params import load
    from ugatit.reporting.tables import make_table, table_settings

    given = json_of(settings, "--settings") if settings else None
    make_table(given or table_settings(load(params, overlay or []), name), metrics, output_stem)


@app.command()
def summarize(
    tables: Annotated[list[Path], typer.Argument(metavar="TABLE_CSV...", help="From `ugatit table`.")],
    metrics: Annotated[Path, typer.Option(help="JSON to write: KID by dataset, model and direction.")],
    points: Annotated[Path, typer.Option(help="JSON to write: all values, one record per row and column.")],
) -> None:
    """Digest tables for programs, such as DVC's metrics and plots."""
    from ugatit.reporting.summary import summarize as summarize_tables

    summarize_tables(tables, metrics, points)


@app.command()
def sheet(
    pictures: Annotated[Path, typer.Option(help="manifest.csv of the dataset.")],
    direction: Annotated[DirectionName, typer.Option(help="a2b or b2a.")],
    translations: Annotated[
        list[str], typer.Option(metavar="LABEL=MANIFEST", help="A column; repeated, from left to right.")
    ],
    output: Annotated[Path, typer.Option(help="The PNG to write.")],
    source_label: Annotated[str, typer.Option(help="Label of the first column; empty: none.")] = "source",
    rows: Annotated[int, typer.Option(help="Test pictures.")] = 6,
    seed: Annotated[int, typer.Option(help="Seed of their choice.")] = 0,
) -> None:
    """Draw test pictures beside their translations by several models."""
    from ugatit.reporting.sheet import SheetColumn, draw_sheet

    pairs = [column.rpartition("=") for column in translations]
    for label, _, path in pairs:
        if not label:
            raise UserError(f"--translations: found {path!r}, expected LABEL=MANIFEST.")
    columns = [SheetColumn(label, Path(path)) for label, _, path in pairs]
    way = direction_of(direction)
    draw_sheet(
        pictures, source_split(way), way, columns, output, count=rows, seed=seed, source_label=source_label
    )


CellName = Annotated[
    str | None, typer.Option(help="DATASET/MODEL/DIRECTION of a table; default: all of its cells.")
]
DataFolder = Annotated[
    Path | None, typer.Option(help="Folder of the datasets; default: that of params.yaml.")
]


@app.command()
def provenance(
    target: Annotated[Path, typer.Argument(help="A table, figure, sheet, weights.json, or other result.")],
    cell: CellName = None,
    data: DataFolder = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Do not read weights, features and pictures to compare hashes.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    params: ParamsFile = Path("params.yaml"),
) -> None:
    """Print what stands behind a result: code, parameters, data, versions, machine and time.

    Compares every file with what it was made from. Exit code 1 if something does not match.
    """
    from ugatit.reporting.provenance.text import as_text
    from ugatit.reporting.provenance.trace import trace

    found = trace(target, data or _data_folder(params), cell, verify=not quick)
    typer.echo(json.dumps(found.as_json(), indent=2, ensure_ascii=False) if as_json else as_text(found))
    if found.problems():
        raise SystemExit(1)


@app.command()
def export_crate(
    target: Annotated[Path, typer.Argument(help="A table, figure, sheet, weights.json, or other result.")],
    output: Annotated[Path, typer.Option(help="New folder for the crate.")],
    cell: CellName = None,
    data: DataFolder = None,
    params: ParamsFile = Path("params.yaml"),
) -> None:
    """Write a result with the records behind it as an RO-Crate, for publishing.

    Refused if something does not match. Weights, features and pictures are named by hash, not copied.
    """
    from ugatit.reporting.provenance.crate import export_crate as export
    from ugatit.reporting.provenance.trace import trace

    typer.echo(export(trace(target, data or _data_folder(params), cell), output))


def _data_folder(params: Path) -> Path:
    """Where the parameters say that datasets are."""
    from ugatit.params import load

    return Path(load(params).paths.data)
