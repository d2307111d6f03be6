"""What the paper's tables print, read from the data files in `paper/`."""

from __future__ import annotations

import csv
import functools
import importlib.resources
import io
from collections.abc import Iterator
from dataclasses import dataclass

from ugatit.tables import PaperLayers, PaperTable

__all__ = ["PaperLayer", "PaperTable", "PaperValue", "published", "published_layers", "published_value"]


@dataclass(frozen=True)
class PaperValue:
    """One cell of a table of the paper; the texts keep the printed digits."""

    model: str
    """Key of the model in params.yaml, or of a baseline."""
    label: str
    direction: str
    """The paper's name of it, such as `selfie2anime`."""
    value_text: str
    """Empty where the paper prints a dash."""
    plus_minus_text: str
    """Empty where the paper prints none."""

    @property
    def value(self) -> float | None:
        """The value as a number: KID x 100, or percent in Table 2."""
        return float(self.value_text) if self.value_text else None

    @property
    def plus_minus(self) -> float | None:
        """The printed uncertainty as a number."""
        return float(self.plus_minus_text) if self.plus_minus_text else None

    @property
    def text(self) -> str:
        """What the paper prints, such as `7.06 ± 0.8`; empty for a dash."""
        return f"{self.value_text} ± {self.plus_minus_text}" if self.plus_minus_text else self.value_text


@dataclass(frozen=True)
class PaperLayer:
    """One layer of a network as the paper states it; the first three are empty for linear maps."""

    kernel: str
    stride: str
    padding: str
    channels: int
    divisor: int | None
    """The output is the picture's side divided by this; None for a vector."""


@functools.cache
def published(table: PaperTable) -> tuple[PaperValue, ...]:
    """All cells of one table of the paper, row by row in the paper's order.

    Range: KID x 100 in Tables 1 and 3, percent of the votes in Table 2.
    Source: Tables 1, 2 and 3.
    """
    return tuple(
        PaperValue(row["model"], row["label"], row["direction"], row["value"], row["plus_minus"])
        for row in _rows(table)
    )


def published_value(table: PaperTable, model: str, direction: str) -> PaperValue | None:
    """One cell, or None if the paper prints no number there."""
    found = [p for p in published(table) if (p.model, p.direction) == (model, direction) and p.value_text]
    return found[0] if found else None


@functools.cache
def published_layers(table: PaperLayers) -> dict[str, PaperLayer]:
    """The layers of one network, by the name of our layer, in the paper's order.

    Source: appendix, Tables 4 to 6.
    """
    return {
        row["layer"]: PaperLayer(
            row["kernel"],
            row["stride"],
            row["padding"],
            int(row["channels"]),
            int(row["divisor"]) if row["divisor"] else None,
        )
        for row in _rows(table)
    }


def _rows(table: str) -> Iterator[dict[str, str]]:
    """The rows of a data file."""
    file = importlib.resources.files("ugatit.reporting").joinpath("paper", f"{table}.csv")
    return csv.DictReader(io.StringIO(file.read_text(encoding="utf-8")))
