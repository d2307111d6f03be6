"""Options that several commands share, and what their text means."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ugatit.datasets import Direction
from ugatit.errors import UserError


class DirectionName(StrEnum):
    """Directions of translation."""

    A2B = "a2b"
    B2A = "b2a"


class Match(StrEnum):
    """How translations made elsewhere are called."""

    NAME = "name"
    NUMBER = "number"


ParamsFile = Annotated[Path, typer.Option("--params", help="The parameter file.")]
Overlays = Annotated[
    list[Path] | None, typer.Option("--overlay", help="A file laid over it, key by key; may be repeated.")
]
DeviceOption = Annotated[str, typer.Option(help="auto (cuda, else mps, else cpu), cuda, cuda:N, mps or cpu.")]
Threads = Annotated[
    int | None, typer.Option(min=1, help="CPU threads; default: the cores this process may use.")
]
ExtractorName = Annotated[
    str,
    typer.Option(help="inception-v3-compat, or efficientnet-lite0 (offline; not comparable with papers)."),
]
ExtractorWeights = Annotated[
    Path | None,
    typer.Option("--weights", help="File of the extractor's weights; efficientnet-lite0 brings its own."),
]
ExtractorHash = Annotated[
    str | None,
    typer.Option(
        "--sha256", help="First digits (8 or more) of the weights' SHA-256; default: the published."
    ),
]
ImagePx = Annotated[
    int, typer.Option(min=1, help="Side to which pictures are resized before the extractor, pixels.")
]
BatchSize = Annotated[int, typer.Option(min=1, help="Pictures per forward pass.")]


def direction_of(name: DirectionName) -> Direction:
    """A direction as the package writes it."""
    return "a2b" if name is DirectionName.A2B else "b2a"


def source_split(direction: Direction) -> str:
    """The test pictures that a direction starts from."""
    return "testA" if direction == "a2b" else "testB"


def json_of(text: str, option: str) -> object:
    """The value of an option that is written in JSON.

    Raises: UserError naming the option.
    """
    try:
        return json.loads(text)
    except ValueError as error:
        raise UserError(f"{option}: not JSON ({error}).") from None
