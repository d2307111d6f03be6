"""Commands of the review by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from data_prep.cli.app import app
from data_prep.cli.options import Overlays, ParamsFile
from ugatit.params import load


@app.command()
def review(
    dataset: Annotated[str, typer.Argument(help="A constructed dataset of the parameter file.")],
    params: ParamsFile = Path("params.yaml"),
    overlay: Overlays = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of this machine; 0: any free one.")] = 8765,
    reviewer: Annotated[str | None, typer.Option(help="Who decides.", show_default="your user name")] = None,
) -> None:
    """Look through the crops of a dataset in a browser and decide what stays.

    Serves a page on this machine only; press ? there for the keys. Decisions go at once into the text file
    that the dataset's `decisions` names, and are applied on every build.
    """
    from data_prep.review.opening import open_review
    from data_prep.review.server import serve

    opened = open_review(load(params, overlay or []), dataset, reviewer)
    left = serve(
        opened, port=port, started=lambda url: typer.echo(f"{dataset}: review at {url} (Ctrl-C ends)")
    )
    typer.echo(f"{opened.decisions}: {left} undecided. Go on with `data-prep review {dataset}`, or build.")


@app.command()
def status(
    dataset: Annotated[str, typer.Argument(help="A constructed dataset of the parameter file.")],
    params: ParamsFile = Path("params.yaml"),
    overlay: Overlays = None,
) -> None:
    """Say how far the review of a constructed dataset is."""
    from data_prep.review.decisions import read_decisions
    from data_prep.review.opening import open_review
    from data_prep.review.page import all_counts

    opened = open_review(load(params, overlay or []), dataset)
    for side, counted in all_counts(opened, read_decisions(opened.decisions)).items():
        text = ", ".join(f"{name} {count}" for name, count in counted.items())
        typer.echo(f"{side} {opened.sides[side].name}: {text}")
