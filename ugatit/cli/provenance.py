"""Commands that say what stands behind a result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ugatit.cli.app import app
from ugatit.cli.options import ParamsFile

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

    Refused if something does not match. A figure or sheet is copied with the pictures that it shows; weights,
    features and pictures behind a result are named by hash, not copied.
    """
    from ugatit.reporting.provenance.crate import export_crate as export
    from ugatit.reporting.provenance.trace import trace

    typer.echo(export(trace(target, data or _data_folder(params), cell), output))


def _data_folder(params: Path) -> Path:
    """Where the parameters say that datasets are."""
    from ugatit.params import load

    return Path(load(params).paths.data)
