"""Picture sheets: the pixels are those of the pictures, the choice is a rule, gaps are shown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ugatit.errors import UserError
from ugatit.images import read_rgb, write_png
from ugatit.manifest import Manifest, describe_picture, read_manifest, write_manifest
from ugatit.reporting.sheet import GAP_PX, MARGIN_PX, MIN_TILE_PX, SheetColumn, choose_pictures, draw_sheet

PX = 40
"""Side of the pictures: a fourth of the smallest tile."""

FACTOR = MIN_TILE_PX // PX


def build(folder: Path, count: int = 8, px: int = PX) -> Manifest:
    """A dataset of noise pictures."""
    rng = np.random.default_rng(0)
    rows = []
    for i in range(count):
        path = folder / "testA" / f"p{i}.png"
        write_png(path, rng.integers(0, 256, (px, px, 3), dtype=np.uint8))
        rows.append(describe_picture(path, "testA", f"testA/{path.name}", "drawn"))
    write_manifest(folder / "manifest.csv", rows)
    return read_manifest(folder / "manifest.csv")


def translate(
    data: Manifest, folder: Path, change: Callable[[np.ndarray], np.ndarray], skip: str = ""
) -> Path:
    """Translations of all pictures but one."""
    rows = []
    for picture in data.kept("testA"):
        if picture.stem != skip:
            path = folder / f"{picture.stem}.png"
            write_png(path, change(data.read(picture).rgb))
            rows.append(describe_picture(path, "a2b", path.name, picture.sha256))
    write_manifest(folder / "manifest.csv", rows)
    return folder / "manifest.csv"


def draw(
    data: Manifest, columns: list[SheetColumn], output: Path, count: int = 3, seed: int = 0
) -> np.ndarray:
    """Draw a sheet and read it."""
    draw_sheet(data.path, "testA", "a2b", columns, output, count=count, seed=seed)
    return read_rgb(output)


def tile(sheet: np.ndarray, row: int, column: int, rows: int = 3, side: int = MIN_TILE_PX) -> np.ndarray:
    """Cut out a tile: columns from the left margin, rows by the last row of pale or coloured pixels."""
    left = MARGIN_PX + column * (side + GAP_PX)
    top = tiles_top(sheet, rows, side) + row * (side + GAP_PX)
    return sheet[top : top + side, left : left + side]


def tiles_top(sheet: np.ndarray, rows: int, side: int) -> int:
    """First row of the tiles: that from which the first column of pixels inside the margin is never white."""
    edge = sheet[:, MARGIN_PX].min(axis=1) < 255
    height = rows * (side + GAP_PX) - GAP_PX
    return next(y for y in range(len(edge) - height) if edge[y : y + side].all())


def test_tiles_are_the_pictures_enlarged(tmp_path: Path) -> None:
    data = build(tmp_path)
    inverted = translate(data, tmp_path / "t", lambda rgb: 255 - rgb)
    sheet = draw(data, [SheetColumn("inverted", inverted)], tmp_path / "s.png")
    for row, picture in enumerate(choose_pictures(data.kept("testA"), 3, 0)):
        large = data.read(picture).rgb.repeat(FACTOR, axis=0).repeat(FACTOR, axis=1)
        assert np.array_equal(tile(sheet, row, 0), large)
        assert np.array_equal(tile(sheet, row, 1), 255 - large)


def test_the_sheet_has_room_for_tiles_gaps_and_text(tmp_path: Path) -> None:
    data = build(tmp_path)
    columns = [SheetColumn("one", None), SheetColumn("two", None)]
    sheet = draw(data, columns, tmp_path / "s.png")
    assert sheet.shape[1] == 2 * MARGIN_PX + 3 * MIN_TILE_PX + 2 * GAP_PX
    top, bottom = tiles_top(sheet, 3, MIN_TILE_PX), 3 * (MIN_TILE_PX + GAP_PX)
    assert (sheet[:top] < 128).any()
    assert (sheet[top + bottom :] < 128).any()
    assert (sheet[-MARGIN_PX // 2 :] == 255).all()


def test_pictures_of_other_sizes_become_those_of_the_translations(tmp_path: Path) -> None:
    data = build(tmp_path, px=50)
    path = translate(data, tmp_path / "t", lambda rgb: np.full((200, 200, 3), rgb[0, 0]))
    sheet = draw(data, [SheetColumn("flat", path)], tmp_path / "s.png", count=2)
    assert sheet.shape[1] == 2 * MARGIN_PX + 2 * 200 + GAP_PX
    first = choose_pictures(data.kept("testA"), 2, 0)[0]
    assert (tile(sheet, 0, 1, rows=2, side=200) == data.read(first).rgb[0, 0]).all()


def test_what_is_not_there_is_shown_as_such(tmp_path: Path) -> None:
    data = build(tmp_path)
    lacking = choose_pictures(data.kept("testA"), 3, 0)[1]
    path = translate(data, tmp_path / "t", lambda rgb: rgb, skip=lacking.stem)
    columns = [
        SheetColumn("one", path),
        SheetColumn("two", tmp_path / "nowhere.csv"),
        SheetColumn("three", None),
    ]
    sheet = draw(data, columns, tmp_path / "s.png")
    full, empty, absent, never = (tile(sheet, *at) for at in [(0, 1), (1, 1), (0, 2), (0, 3)])
    assert len(np.unique(full.reshape(-1, 3), axis=0)) > 1000
    for gap in (empty, absent, never):
        assert (gap[0] == gap[0, 0]).all()
        assert (gap < 128).any(), "the reason is written on it"
    assert not np.array_equal(empty, never), "another reason"
    assert np.array_equal(absent, never)


def test_same_input_same_bytes(tmp_path: Path) -> None:
    data = build(tmp_path)
    columns = [SheetColumn("one", translate(data, tmp_path / "t", lambda rgb: rgb))]
    draw(data, columns, tmp_path / "one.png")
    draw(data, columns, tmp_path / "two.png")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_a_translation_of_another_picture_is_refused(tmp_path: Path) -> None:
    path = translate(build(tmp_path / "old", px=16), tmp_path / "t", lambda rgb: rgb)
    with pytest.raises(UserError, match=r"made from another picture.*Translate the pictures again"):
        draw(build(tmp_path / "new"), [SheetColumn("old", path)], tmp_path / "s.png")


def test_the_choice_depends_on_the_seed_alone(tmp_path: Path) -> None:
    pictures = build(tmp_path, count=30, px=2).kept("testA")
    names = [picture.name for picture in pictures]
    chosen = [[p.name for p in choose_pictures(pictures, 5, seed)] for seed in (0, 0, 1)]
    assert chosen[0] == chosen[1] != chosen[2]
    assert chosen[0] == sorted(chosen[0], key=names.index)
    assert len(set(chosen[0])) == 5
    assert set(chosen[0]) <= {p.name for p in choose_pictures(pictures, 9, 0)}, (
        "more rows keep the first ones"
    )


def test_no_more_pictures_than_there_are(tmp_path: Path) -> None:
    pictures = build(tmp_path, count=3, px=2).kept("testA")
    assert choose_pictures(pictures, 10, 0) == pictures


def test_without_a_source_label_only_translations_are_shown(tmp_path: Path) -> None:
    data = build(tmp_path / "data")
    columns = [SheetColumn("inverted", translate(data, tmp_path / "t", lambda rgb: 255 - rgb))]
    both = draw(data, columns, tmp_path / "both.png")
    draw_sheet(data.path, "testA", "a2b", columns, tmp_path / "one.png", count=3, seed=0, source_label="")
    one = read_rgb(tmp_path / "one.png")
    assert both.shape[1] - one.shape[1] == MIN_TILE_PX + GAP_PX
    assert np.array_equal(tile(one, 1, 0), tile(both, 1, 1))
