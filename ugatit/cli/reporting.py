"""Commands from metrics and translations to what people look at."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ugatit.cli.app import app
from ugatit.cli.options import (
    DirectionName,
    Overlays,
    ParamsFile,
    Threads,
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

    if settings is None:
        value: object = table_settings(load(params, overlay or []), name)
    else:
        value = json_of(settings, "--settings")
    make_table(value, metrics, output_stem)


@app.command()
def figure(
    name: Annotated[str, typer.Argument(help="A key of `figures`.")],
    output_stem: Annotated[Path, typer.Option(help="Where to write .pdf and .png.")],
    params: ParamsFile = Path("params.yaml"),
    overlay: Overlays = None,
    settings: Annotated[
        str | None,
        typer.Option(
            help="The figure's settings as JSON, instead of the files, which panels may still name."
        ),
    ] = None,
) -> None:
    """Draw one figure from the results that there are; panels without one say how to make it."""
    from ugatit.params import load
    from ugatit.reporting.figure import figure_settings, make_figure

    if settings is None:
        value: object = figure_settings(load(params, overlay or []), name)
    else:
        value = json_of(settings, "--settings")
    make_figure(value, output_stem, overlay or [])


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
    rows: Annotated[int, typer.Option(min=1, help="Test pictures.")] = 6,
    seed: Annotated[int, typer.Option(min=0, help="Seed of their choice.")] = 0,
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


@app.command()
def report(
    output: Annotated[
        Path | None, typer.Option(help="Folder to write; default: report, below the results.")
    ] = None,
    params: ParamsFile = Path("params.yaml"),
    overlay: Overlays = None,
    settings: Annotated[
        str | None, typer.Option(help="The report's settings as JSON, instead of files.")
    ] = None,
    threads: Threads = None,
) -> None:
    """Make a folder that shows all results so far and opens from disk: tables, figures, runs, pictures."""
    from ugatit.params import load
    from ugatit.reporting.report.build import make_report
    from ugatit.reporting.report.settings import ReportSettings, report_settings
    from ugatit.strict import check

    if settings is None:
        value: object = report_settings(load(params, overlay or []))
    else:
        value = json_of(settings, "--settings")
    chosen = check(ReportSettings, value, "--settings")
    index = make_report(chosen, output or Path(chosen.results, "report"), threads)
    typer.echo(str(index))
