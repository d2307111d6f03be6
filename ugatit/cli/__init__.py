"""The `ugatit` command: every subcommand is one function of the package."""

from __future__ import annotations

import logging
import sys

from ugatit.cli import evaluation, provenance, releasing, reporting, runs
from ugatit.cli.app import app
from ugatit.errors import exit_on_user_error

__all__ = ["app", "evaluation", "main", "provenance", "releasing", "reporting", "runs"]


def main() -> None:
    """Run the command line."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    exit_on_user_error(lambda: app(standalone_mode=True))
