"""Contact sheets of a construction: what was kept, before and after upscaling, and what was left out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from data_prep.items import Item, kind
from data_prep.raw_pictures import decode_item
from data_prep.stages.order import SIDE_STAGES
from ugatit.files import atomic_path
from ugatit.images import PictureError, read_rgb
from ugatit.manifest import DROPPED, KEPT

TILE_PX = 128
GAP_PX = 6
TEXT_PX = 16
COLUMNS = 8
KEPT_SHOWN = 24
OUT_SHOWN = 8
BOX_COLOUR = (213, 94, 0)
TEXT_COLOUR = (40, 40, 40)

Tile = tuple[Image.Image, str]


def draw_kept(items: Sequence[Item], folder: Path, path: Path) -> None:
    """Crops beside what became of them, both shown at one size; chosen by a hash of their numbers."""
    shown = _chosen((item for item in items if item.status == KEPT and item.upscaled), KEPT_SHOWN)
    tiles: list[Tile] = []
    for item in shown:
        before, after = (Image.fromarray(read_rgb(folder / name)) for name in (item.crop, item.upscaled))
        tiles.append((_nearest(before), f"{before.width} px"))
        tiles.append((_fitted(after), f"{after.width} px, x{item.factor}"))
    _draw({"kept: crop, and at the dataset's size": tiles}, path)


def draw_out(items: Sequence[Item], pictures: Path, path: Path) -> None:
    """Raw pictures that were left out, some for each reason, with the face that was found."""
    groups: dict[str, list[Item]] = {}
    for item in items:
        if item.status == DROPPED:
            groups.setdefault(f"{item.stage}: {kind(item.reason)}", []).append(item)
    rows = {}
    for name in sorted(groups, key=lambda name: (SIDE_STAGES.index(name.partition(":")[0]), name)):
        tiles = [tile for item in _chosen(groups[name], OUT_SHOWN) if (tile := _raw_tile(item, pictures))]
        rows[f"{name} ({len(groups[name]):,})"] = tiles
    _draw(rows, path)


def _chosen(items: Iterable[Item], count: int) -> list[Item]:
    """Some items, the same ones every time."""
    return sorted(items, key=lambda item: hashlib.sha256(item.file.encode()).hexdigest())[:count]


def _raw_tile(item: Item, pictures: Path) -> Tile | None:
    """A raw picture with the face's box; None if it is gone."""
    try:
        rgb = decode_item(pictures, item)
    except PictureError:
        return None
    image = Image.fromarray(np.ascontiguousarray(rgb))
    if item.face_left is not None and item.face_top is not None:
        right = item.face_left + (item.face_width or 0)
        bottom = item.face_top + (item.face_height or 0)
        line = max(1, round(max(image.size) / 64))
        ImageDraw.Draw(image).rectangle(
            (item.face_left, item.face_top, right, bottom), outline=BOX_COLOUR, width=line
        )
    return _fitted(image), item.reason.partition(": ")[2]


def _fitted(image: Image.Image) -> Image.Image:
    """An image reduced or enlarged to fit a tile."""
    scale = TILE_PX / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.LANCZOS)


def _nearest(image: Image.Image) -> Image.Image:
    """An image at a tile's size with its pixels showing."""
    return image.resize((TILE_PX, TILE_PX), Image.Resampling.NEAREST)


def _draw(rows: Mapping[str, Sequence[Tile]], path: Path) -> None:
    """Write titled rows of tiles with a line of text under each."""
    font = ImageFont.load_default(size=10)
    step_x, step_y = TILE_PX + GAP_PX, TILE_PX + TEXT_PX + GAP_PX
    lines = {title: max(1, -(-len(tiles) // COLUMNS)) for title, tiles in rows.items()}
    height = sum(TEXT_PX + GAP_PX + count * step_y for count in lines.values()) + GAP_PX
    sheet = Image.new("RGB", (COLUMNS * step_x + GAP_PX, max(height, step_y)), "white")
    pen = ImageDraw.Draw(sheet)
    top = GAP_PX
    for title, tiles in rows.items():
        pen.text((GAP_PX, top), title, TEXT_COLOUR, font=ImageFont.load_default(size=12))
        top += TEXT_PX + GAP_PX
        for index, (tile, text) in enumerate(tiles):
            left = GAP_PX + index % COLUMNS * step_x
            row_top = top + index // COLUMNS * step_y
            sheet.paste(tile, (left, row_top))
            pen.text((left, row_top + TILE_PX + 1), _cut(text, font), TEXT_COLOUR, font=font)
        top += lines[title] * step_y
    with atomic_path(path) as part:
        sheet.save(part, format="PNG")


def _cut(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """A text that is no wider than a tile."""
    measure: Callable[[str], float] = font.getlength
    if measure(text) <= TILE_PX:
        return text
    while text and measure(text + "…") > TILE_PX:
        text = text[:-1]
    return text + "…"
