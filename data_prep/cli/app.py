"""The application that the commands belong to."""

from __future__ import annotations

import logging

import typer

app = typer.Typer(
    help="Fetch, build, review and check datasets: trainA, trainB, testA and testB, with a manifest of every "
    "picture.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def _configure() -> None:
    """Send the log to standard error."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s")
