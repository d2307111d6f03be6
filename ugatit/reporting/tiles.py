"""The pictures of sheets and figures: translations of chosen pictures, or the reason why there are none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ugatit.errors import UserError
from ugatit.manifest import KEPT, Manifest, Picture, read_manifest

NO_RUN = "no run yet"

MAX_SOURCE_PX = 256
"""Larger source pictures are shown at this size if there is no translation to go by."""


@dataclass(frozen=True)
class Tile:
    """A picture, or the reason why there is none."""

    rgb: np.ndarray | None
    reason: str = ""


def translated(path: Path | None, direction: str, chosen: Sequence[Picture]) -> list[Tile]:
    """One model's translations of chosen pictures, from the manifest of all of them.

    Raises: UserError if a manifest is damaged, or a translation is of another picture.
    """
    if path is None or not path.exists():
        return [Tile(None, NO_RUN)] * len(chosen)
    manifest = read_manifest(path)
    rows = {row.stem: row for row in manifest.rows if row.split == direction and row.status == KEPT}
    return [_translation(manifest, rows.get(picture.stem), picture) for picture in chosen]


def native_px(translations: Sequence[Sequence[Tile]], source: Sequence[Tile]) -> int:
    """The size at which all pictures are shown: the largest translation's, else the sources'."""
    tiles = [tile for column in translations for tile in column]
    sides = [[max(t.rgb.shape[:2]) for t in found if t.rgb is not None] for found in (tiles, source)]
    return max(sides[0] or [min(max(sides[1]), MAX_SOURCE_PX)])


def _translation(manifest: Manifest, row: Picture | None, picture: Picture) -> Tile:
    """One translation, checked to be of this very picture."""
    if row is None:
        return Tile(None, "no translation")
    if row.source != picture.sha256:
        raise UserError(
            f"{manifest.path}: {row.name} was made from another picture ({row.source[:8]}) than "
            f"{picture.name} ({picture.sha256[:8]}). Translate the pictures again."
        )
    return Tile(manifest.read(row).rgb)
