"""Attention maps in colours that the colour-blind tell apart: one scale for all pictures of a run and map.

Source: decisions D76, D77.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ugatit.evaluation.attention import read_attention
from ugatit.evaluation.heat_map import COLORS, color_range
from ugatit.reporting.report.picture_store import PictureStore


@dataclass(frozen=True)
class AttentionMap:
    """One kind of map of a run in one direction."""

    low: float
    high: float
    """Values of the first and the last colour."""
    pictures: Mapping[str, str]
    """Names in the store by the SHA-256 of the test pictures."""


def read_attention_maps(path: Path, weights_sha256: str, store: PictureStore) -> dict[str, AttentionMap]:
    """Colour the maps of an attention.json; none if they are of other weights than the translations.

    Raises: UserError if the arrays are not those that the file describes.
    """
    attention = read_attention(path)
    if attention.record.weights_sha256 != weights_sha256:
        return {}
    return {
        kind: _colour(values, attention.record.sources, store) for kind, values in attention.arrays.items()
    }


def _colour(values: np.ndarray, sources: list[str], store: PictureStore) -> AttentionMap:
    """Draw all pictures' maps of one kind on one scale.

    Shape: values (N, h, w), in the order of the sources.
    """
    low, high = color_range(values)
    span = high - low or 1.0
    levels = ((values - low) / span * 255.0).round().clip(0, 255).astype(np.uint8)
    drawn = {source: store.add_levels(one, palette()) for source, one in zip(sources, levels, strict=True)}
    return AttentionMap(low, high, drawn)


@cache
def palette() -> bytes:
    """The colours as 256 times red, green, blue."""
    from matplotlib import colormaps

    colours: np.ndarray = colormaps[COLORS](np.arange(256), bytes=True)
    return np.ascontiguousarray(colours[:, :3]).tobytes()


def gradient_css() -> str:
    """The scale as a CSS gradient from low to high."""
    colours = palette()
    stops = (colours[3 * k : 3 * k + 3] for k in range(0, 256, 15))
    return f"linear-gradient(to right, {', '.join('#' + stop.hex() for stop in stops)})"
