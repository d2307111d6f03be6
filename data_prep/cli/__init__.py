"""The `data-prep` command: every subcommand is one function of the package."""

from __future__ import annotations

# isort: off
from data_prep.cli import fetching, building, constructing, reviewing, checking  # in the order of --help

# isort: on
from data_prep.cli.app import app
from ugatit.errors import exit_on_user_error

__all__ = ["app", "building", "checking", "constructing", "fetching", "main", "reviewing"]


def main() -> None:
    """Run the command; a user's mistake is one line and exit code 2."""
    exit_on_user_error(app)
