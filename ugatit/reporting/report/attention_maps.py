"""Attention maps in colours that the colour-blind tell apart: one scale for all pictures of a run and map.

Source: decision D80.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ugatit.errors import UserError
from ugatit.files import read_json, sha256_file
from ugatit.reporting.report.picture_store import PictureStore

COLORMAP = "viridis"
"""Dark to light in equal steps of lightness, so that it reads without colours too."""

CLIPPED_PERCENT = 1.0
"""Share of the values at each end that gets the last colour, lest one pixel of one picture sets the scale."""

REMEDY = "Write the attention again."


@dataclass(frozen=True)
class AttentionMap:
    """One kind of map of a run in one direction."""

    low: float
    high: float
    """Values of the first and the last colour."""
    pictures: Mapping[str, str]
    """Names in the store by the names of the test pictures."""


def read_attention_maps(path: Path, weights_sha256: str, store: PictureStore) -> dict[str, AttentionMap]:
    """Colour the maps of an attention.json; none if they are of other weights than the translations.

    Raises: UserError if the arrays are not those that the file describes.
    """
    described = read_json(path, "a description of attention maps", REMEDY)
    if described["weights_sha256"] != weights_sha256:
        return {}
    arrays = path.with_name("attention.npz")
    if not arrays.is_file() or sha256_file(arrays) != described["arrays_sha256"]:
        raise UserError(f"{arrays}: is not the file that {path} describes. {REMEDY}")
    names = described["names"]
    with np.load(io.BytesIO(arrays.read_bytes()), allow_pickle=False) as loaded:
        maps = {kind: loaded[kind] for kind in described["maps"]}
    return {kind: _colour(values, names, store) for kind, values in maps.items()}


def _colour(values: np.ndarray, names: list[str], store: PictureStore) -> AttentionMap:
    """Draw all pictures' maps of one kind on one scale.

    Shape: values (N, h, w), in the order of the names.
    """
    low, high = (float(v) for v in np.percentile(values, [CLIPPED_PERCENT, 100 - CLIPPED_PERCENT]))
    span = high - low or 1.0
    levels = ((values - low) / span * 255.0).round().clip(0, 255).astype(np.uint8)
    drawn = {name: store.add_levels(one, palette()) for name, one in zip(names, levels, strict=True)}
    return AttentionMap(low, high, drawn)


@cache
def palette() -> bytes:
    """The colours as 256 times red, green, blue."""
    from matplotlib import colormaps

    colours: np.ndarray = colormaps[COLORMAP](np.arange(256), bytes=True)
    return np.ascontiguousarray(colours[:, :3]).tobytes()


def gradient_css() -> str:
    """The scale as a CSS gradient from low to high."""
    colours = palette()
    stops = (colours[3 * k : 3 * k + 3] for k in range(0, 256, 15))
    return f"linear-gradient(to right, {', '.join('#' + stop.hex() for stop in stops)})"
