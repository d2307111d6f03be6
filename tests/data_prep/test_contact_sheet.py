"""Contact sheets: as many tiles as there should be, with the right pictures, the same every time."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data_prep.contact_sheet import (
    BOX_COLOUR,
    COLUMNS,
    GAP_PX,
    KEPT_SHOWN,
    OUT_SHOWN,
    TEXT_PX,
    TILE_PX,
    draw_kept,
    draw_out,
)
from data_prep.items import Item
from tests.data_prep.small_side import encoded, item
from ugatit.images import read_rgb
from ugatit.manifest import DROPPED, ERROR

CROP_PX, FULL_PX, RAW_PX = 20, 40, (60, 45)
GREEN, BLUE = (20, 160, 90), (40, 60, 200)
STEP_X, STEP_Y = TILE_PX + GAP_PX, TILE_PX + TEXT_PX + GAP_PX
TITLE = TEXT_PX + GAP_PX


def coloured(size: tuple[int, int], colour: tuple[int, int, int]) -> bytes:
    return encoded(Image.new("RGB", size, colour))


def kept(folder: Path, number: int) -> Item:
    """An item with a green crop and a blue picture of the dataset."""
    for name, px, colour in (("crops", CROP_PX, GREEN), ("upscaled", FULL_PX, BLUE)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / f"{number}.png").write_bytes(coloured((px, px), colour))
    return item(number, crop=f"crops/{number}.png", upscaled=f"upscaled/{number}.png", factor=2)


def left_out(pictures: Path, number: int, stage: str, reason: str, **columns: object) -> Item:
    """A dropped item with a blue raw picture, lighter as its number grows."""
    pictures.mkdir(parents=True, exist_ok=True)
    data = coloured(RAW_PX, (BLUE[0] + number, *BLUE[1:]))
    (pictures / f"{number}.png").write_bytes(data)
    sha256 = hashlib.sha256(data).hexdigest()
    return item(number, sha256=sha256, status=DROPPED, stage=stage, reason=reason, **columns)


def tile(sheet: np.ndarray, top: int, index: int) -> np.ndarray:
    """The place of a tile in a row that begins at `top`."""
    y, x = top + index // COLUMNS * STEP_Y, GAP_PX + index % COLUMNS * STEP_X
    return sheet[y : y + TILE_PX, x : x + TILE_PX]


def colours(sheet: np.ndarray, top: int = GAP_PX + TITLE, count: int = 3 * COLUMNS) -> list[tuple[int, ...]]:
    """The colours in the middle of the tiles of a group, until one is blank or the sheet ends."""
    found: list[tuple[int, ...]] = []
    for index in range(count):
        place = tile(sheet, top, index)
        if place.shape[0] < TILE_PX or (place[30, TILE_PX // 2] == 255).all():
            break
        found.append(tuple(place[30, TILE_PX // 2].tolist()))
    return found


def height(*tiles: int) -> int:
    """Of a sheet with groups of so many tiles."""
    return GAP_PX + sum(TITLE + max(1, -(-count // COLUMNS)) * STEP_Y for count in tiles)


def test_every_kept_picture_shows_before_and_after(tmp_path: Path) -> None:
    items = [kept(tmp_path, number) for number in range(5)]
    draw_kept(items, tmp_path, tmp_path / "sheet.png")
    sheet = read_rgb(tmp_path / "sheet.png")
    assert colours(sheet) == 5 * [GREEN, BLUE]
    assert sheet.shape == (height(10), COLUMNS * STEP_X + GAP_PX, 3)


@pytest.mark.parametrize("count", [KEPT_SHOWN - 1, KEPT_SHOWN + 6])
def test_no_more_are_shown_than_fit(tmp_path: Path, count: int) -> None:
    draw_kept([kept(tmp_path, number) for number in range(count)], tmp_path, tmp_path / "sheet.png")
    sheet = read_rgb(tmp_path / "sheet.png")
    shown = min(count, KEPT_SHOWN)
    assert colours(sheet, count=2 * KEPT_SHOWN) == shown * [GREEN, BLUE]
    assert sheet.shape[0] == height(2 * shown)


def test_what_is_not_kept_is_not_among_the_kept(tmp_path: Path) -> None:
    items = [kept(tmp_path, 0), kept(tmp_path, 1).out(DROPPED, "quality", "soft"), item(2)]
    draw_kept(items, tmp_path, tmp_path / "sheet.png")
    assert colours(read_rgb(tmp_path / "sheet.png")) == [GREEN, BLUE]


def test_pictures_fill_their_tiles_and_the_text_is_below(tmp_path: Path) -> None:
    draw_kept([kept(tmp_path, 0)], tmp_path, tmp_path / "sheet.png")
    sheet = read_rgb(tmp_path / "sheet.png")
    assert (tile(sheet, GAP_PX + TITLE, 0) == GREEN).all()
    assert (tile(sheet, GAP_PX + TITLE, 1) == BLUE).all()
    below = sheet[GAP_PX + TITLE + TILE_PX : GAP_PX + TITLE + STEP_Y, GAP_PX : GAP_PX + TILE_PX]
    assert (below < 255).any()


def test_every_kind_of_reason_has_its_group_in_order_of_the_stages(tmp_path: Path) -> None:
    items = [
        left_out(tmp_path, 0, "dedupe", "duplicate: 5"),
        left_out(tmp_path, 1, "select", "not female: male"),
        left_out(tmp_path, 2, "select", "not female: unknown"),
        left_out(tmp_path, 3, "select", "excluded: child"),
        item(4),
        item(5, status=ERROR, stage="decode", reason="truncated"),
    ]
    draw_out(items, tmp_path, tmp_path / "sheet.png")
    sheet = read_rgb(tmp_path / "sheet.png")
    assert sheet.shape[0] == height(1, 2, 1)
    tops = [GAP_PX + TITLE + k * (TITLE + STEP_Y) for k in range(3)]
    reds = [sorted(colour[0] - BLUE[0] for colour in colours(sheet, top, COLUMNS)) for top in tops]
    assert reds == [[3], [1, 2], [0]]


def test_of_a_frequent_reason_some_are_shown(tmp_path: Path) -> None:
    items = [left_out(tmp_path, number, "detect", "no face") for number in range(OUT_SHOWN + 4)]
    draw_out(items, tmp_path, tmp_path / "sheet.png")
    sheet = read_rgb(tmp_path / "sheet.png")
    assert len(set(colours(sheet))) == OUT_SHOWN
    assert sheet.shape[0] == height(OUT_SHOWN)


def test_the_choice_does_not_depend_on_the_order(tmp_path: Path) -> None:
    items = [left_out(tmp_path, number, "detect", "no face") for number in range(OUT_SHOWN + 4)]
    draw_out(items, tmp_path, tmp_path / "one.png")
    draw_out(items[::-1], tmp_path, tmp_path / "two.png")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_raw_pictures_keep_their_shape_and_show_the_face(tmp_path: Path) -> None:
    face = {"face_left": 15.0, "face_top": 10.0, "face_width": 30.0, "face_height": 20.0}
    draw_out([left_out(tmp_path, 0, "quality", "soft: 3", **face)], tmp_path, tmp_path / "sheet.png")
    place = tile(read_rgb(tmp_path / "sheet.png"), GAP_PX + TITLE, 0)
    shown = round(TILE_PX * RAW_PX[1] / RAW_PX[0])
    assert (place[: shown - 1] != 255).any(axis=2).all()
    assert (place[shown:] == 255).all()
    scale = TILE_PX / RAW_PX[0]
    edge = place[round(20 * scale), round(15 * scale) : round(16 * scale)].mean(axis=0)
    middle = place[round(20 * scale), round(30 * scale)]
    assert np.abs(edge - BOX_COLOUR).max() < np.abs(edge - BLUE).max()
    assert np.abs(middle.astype(int) - BLUE).max() <= 1


@pytest.mark.parametrize("damage", ["gone", "changed", "broken"])
def test_a_raw_picture_that_cannot_be_shown_is_left_out(tmp_path: Path, damage: str) -> None:
    items = [left_out(tmp_path, number, "detect", "no face") for number in range(2)]
    file = tmp_path / items[0].file
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(b"broken" if damage == "broken" else coloured(RAW_PX, GREEN))
    draw_out(items, tmp_path, tmp_path / "sheet.png")
    assert colours(read_rgb(tmp_path / "sheet.png")) == [(BLUE[0] + 1, *BLUE[1:])]


def test_a_sheet_of_nothing_is_a_picture_too(tmp_path: Path) -> None:
    draw_kept([], tmp_path, tmp_path / "kept.png")
    draw_out([], tmp_path, tmp_path / "out.png")
    for name in ("kept.png", "out.png"):
        assert colours(read_rgb(tmp_path / name)) == []


def test_a_long_reason_stays_within_its_tile(tmp_path: Path) -> None:
    long = left_out(tmp_path, 0, "detect", f"no face: {'w' * 200}")
    draw_out([long], tmp_path, tmp_path / "sheet.png")
    sheet = read_rgb(tmp_path / "sheet.png")
    text = sheet[GAP_PX + TITLE + TILE_PX : GAP_PX + TITLE + TILE_PX + TEXT_PX]
    assert (text[:, : GAP_PX + TILE_PX] < 255).any()
    assert (text[:, GAP_PX + TILE_PX + 1 :] == 255).all()
