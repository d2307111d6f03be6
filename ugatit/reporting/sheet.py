"""A picture sheet: some test pictures, chosen by rule, beside each model's translation of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from ugatit.images import resize, write_png
from ugatit.manifest import Picture, read_manifest
from ugatit.reporting.lettering import draw_lines, fit_labels, line_height, wrap
from ugatit.reporting.tiles import Tile, native_px, translated

MIN_TILE_PX = 160
"""Smaller pictures are enlarged by a whole factor until a tile has at least this side."""

GAP_PX = 4
MARGIN_PX = 12
LABEL_SIZES_PX = (17, 15, 13, 11, 10, 9)
"""Font sizes of the labels; the largest that fits the tiles is taken."""

FOOTER_SIZE_PX = 12
INK, GREY, PALE = (0, 0, 0), (96, 96, 96), (240, 240, 240)


@dataclass(frozen=True)
class SheetColumn:
    """One model of a sheet."""

    label: str
    translations: Path | None
    """Manifest of its translations; None, or a file that is not there, if it has not been run."""


def draw_sheet(
    pictures: Path,
    split: str,
    direction: str,
    columns: Sequence[SheetColumn],
    output: Path,
    *,
    count: int,
    seed: int,
    source_label: str = "source",
) -> None:
    """Draw rows of test pictures: the source, then each model's translation; the rule of choice stands below.

    `pictures` is the dataset's manifest, `split` the test pictures (testA for a2b), `direction` the split of
    the translations' manifests. All pictures are shown as squares of the size of the (largest) translations,
    as the models see them. An empty `source_label` leaves the source out, for pictures that may not be shown.
    The same input gives the same bytes.

    Raises: UserError if a manifest is damaged, a picture changed, or a translation is of another picture.
    """
    manifest = read_manifest(pictures)
    known = manifest.kept(split)
    chosen = choose_pictures(known, count, seed)
    source = [Tile(manifest.read(picture).rgb) for picture in chosen]
    tiles = [translated(column.translations, direction, chosen) for column in columns]
    native = native_px(tiles, source)
    if source_label:
        tiles, columns = [source, *tiles], [SheetColumn(source_label, None), *columns]
    rule = f"{len(chosen)} of {len(known)} pictures of {split}, chosen at random with seed {seed}"
    write_png(output, _compose(tiles, columns, rule, native))


def choose_pictures(pictures: Sequence[Picture], count: int, seed: int) -> list[Picture]:
    """Choose pictures at random, in their order; each one's lot depends on seed and name alone."""
    lots = {p.stem: hashlib.sha256(f"{seed}/{p.stem}".encode()).digest() for p in pictures}
    drawn = sorted(lots, key=lots.__getitem__)[:count]
    return [picture for picture in pictures if picture.stem in drawn]


def _compose(
    tiles: Sequence[Sequence[Tile]], columns: Sequence[SheetColumn], rule: str, native: int
) -> np.ndarray:
    """Place labels, tiles and the rule on white."""
    factor = -(-MIN_TILE_PX // native)
    side = native * factor
    labels, label_px = fit_labels([column.label for column in columns], side, LABEL_SIZES_PX)
    label_lines = max(map(len, labels))
    top = MARGIN_PX + label_lines * line_height(label_px) + GAP_PX
    step = side + GAP_PX
    width = 2 * MARGIN_PX + len(tiles) * step - GAP_PX
    bottom = top + len(tiles[0]) * step + GAP_PX
    footer = wrap(rule, width - 2 * MARGIN_PX, FOOTER_SIZE_PX)
    height = bottom + len(footer) * line_height(FOOTER_SIZE_PX) + MARGIN_PX
    sheet = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(sheet)
    for i, column in enumerate(tiles):
        left = MARGIN_PX + i * step
        # Labels of one and of two lines stand on a common bottom line, just above the tiles.
        y = MARGIN_PX + (label_lines - len(labels[i])) * line_height(label_px)
        draw_lines(draw, labels[i], left + side // 2, y, label_px, INK)
        for j, tile in enumerate(column):
            if tile.rgb is None:
                _draw_empty(draw, tile.reason, left, top + j * step, side)
            else:
                # Whole factors repeat pixels, so that they stay what they are.
                large = resize(tile.rgb, native).repeat(factor, axis=0).repeat(factor, axis=1)
                sheet.paste(Image.fromarray(large), (left, top + j * step))
    draw_lines(draw, footer, width // 2, bottom, FOOTER_SIZE_PX, GREY)
    return np.asarray(sheet, dtype=np.uint8)


def _draw_empty(draw: ImageDraw.ImageDraw, reason: str, left: int, top: int, side: int) -> None:
    """Draw a pale square with the reason why there is no picture."""
    draw.rectangle((left, top, left + side - 1, top + side - 1), fill=PALE)
    lines = wrap(reason, side, FOOTER_SIZE_PX)
    y = top + (side - len(lines) * line_height(FOOTER_SIZE_PX)) // 2
    draw_lines(draw, lines, left + side // 2, y, FOOTER_SIZE_PX, GREY)
