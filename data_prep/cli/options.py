"""Options that several commands share, and what their text means."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from ugatit.errors import UserError

ParamsFile = Annotated[Path, typer.Option(help="The parameter file.")]
Overlays = Annotated[
    list[Path] | None, typer.Option(help="A file laid over it key by key; can be given several times.")
]
Threads = Annotated[
    int | None, typer.Option(min=1, help="Pictures worked on at a time.", show_default="all cores")
]


def threads_of(asked: int | None) -> int:
    """Pictures to work on at a time; all cores unless said otherwise."""
    return asked or os.cpu_count() or 1


def json_of(option: str, text: str) -> Any:
    """The value of an option that is written in JSON.

    Raises: UserError naming the option.
    """
    try:
        return json.loads(text)
    except ValueError as error:
        raise UserError(f"{option}: {text!r} is not valid JSON ({error}).") from None
