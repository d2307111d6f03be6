"""Commands between results and what DVC versions: release, and put back."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ugatit.cli.app import app
from ugatit.cli.options import Overlays, ParamsFile


class PartName(StrEnum):
    """Parts of a release."""

    DATASETS = "datasets"
    MODELS = "models"
    TRANSLATIONS = "translations"
    METRICS = "metrics"
    FIGURES = "figures"
    TABLES = "tables"


ReleaseFolder = Annotated[Path, typer.Option("--release", help="Folder of the copies.")]


@app.command()
def release(
    parts: Annotated[list[PartName] | None, typer.Argument(help="What to copy; default: all.")] = None,
    folder: ReleaseFolder = Path("release"),
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove copies of earlier releases that no longer belong.")
    ] = False,
    params: ParamsFile = Path("params.yaml"),
    overlay: Overlays = None,
) -> None:
    """Copy finished results to release/, with hashes: what `dvc push` and `dvc pull` exchange."""
    from ugatit.params import load
    from ugatit.release.copies import release as release_part

    loaded = load(params, overlay or [])
    for part in parts or list(PartName):
        outcome = release_part(loaded, part.value, folder, prune)
        typer.echo(f"{folder / part.value}: {outcome.copied} copied, {outcome.unchanged} unchanged")
        if outcome.earlier:
            typer.echo(
                f"{folder / part.value}: {len(outcome.earlier)} files of earlier releases stay; "
                "--prune removes them"
            )


@app.command()
def restore(
    folder: ReleaseFolder = Path("release"),
    params: ParamsFile = Path("params.yaml"),
) -> None:
    """Put a pulled release back in its place, so that Snakemake has nothing to do.

    Refused unless `dvc status` is clean, every hash fits, and nothing is in the way.
    """
    from ugatit.params import load
    from ugatit.release.restore import restore as restore_release

    outcome = restore_release(load(params), folder)
    typer.echo(
        f"{', '.join(outcome.parts)}: {outcome.copied} files put back, {outcome.present} were there; "
        f"{outcome.targets} outputs are up to date for Snakemake"
    )
