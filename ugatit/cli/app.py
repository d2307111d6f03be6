"""The application that the commands belong to."""

from __future__ import annotations

import typer

app = typer.Typer(
    name="ugatit",
    help="U-GAT-IT: train, translate, evaluate. Snakemake runs these steps; each also runs by hand.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
