"""Translations of other programs: found by name or number, taken over unchanged, gaps reported."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ugatit.errors import UserError
from ugatit.evaluation.external import import_translations
from ugatit.images import read_rgb, resize, write_png
from ugatit.manifest import DROPPED, ERROR, Manifest, describe_folder, read_manifest

NAMES = ["10.png", "11.png", "9.png"]
"""In order of the names, which is not the order of the numbers."""


def flat(level: int, height: int = 6, width: int = 6) -> np.ndarray:
    return np.full((height, width, 3), level, dtype=np.uint8)


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    for level, name in enumerate(NAMES):
        write_png(tmp_path / "testA" / name, flat(level))
    return describe_folder(tmp_path / "testA", "testA")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "theirs").mkdir()
    return tmp_path / "theirs"


def levels(manifest: Manifest) -> dict[str, int]:
    return {row.name: int(manifest.read(row).rgb[0, 0, 0]) for row in manifest.rows}


def test_files_are_matched_by_name_and_copied_unchanged(
    tmp_path: Path, folder: Path, manifest: Manifest, caplog: pytest.LogCaptureFixture
) -> None:
    for level, name in enumerate(NAMES):
        write_png(folder / name, flat(100 + level))
    taken = import_translations(folder, manifest, "testA", "a2b", "name", tmp_path / "out")
    assert levels(taken) == {"10.png": 100, "11.png": 101, "9.png": 102}
    assert (tmp_path / "out" / "9.png").read_bytes() == (folder / "9.png").read_bytes()
    assert read_manifest(tmp_path / "out" / "manifest.csv").rows == taken.rows
    assert {row.split for row in taken.rows} == {"a2b"}
    assert [row.source for row in taken.rows] == [row.sha256 for row in manifest.rows]
    assert not caplog.records


def test_files_are_matched_by_the_place_of_their_picture(
    tmp_path: Path, folder: Path, manifest: Manifest
) -> None:
    for number in (1, 2, 3):
        write_png(folder / f"A2B_{number}.png", flat(100 + number))
        write_png(folder / f"B2A_{number}.png", flat(200 + number))
    taken = import_translations(folder, manifest, "testA", "a2b", "number", tmp_path / "out")
    assert levels(taken) == {"10.png": 101, "11.png": 102, "9.png": 103}


def test_leading_zeros_do_not_matter(tmp_path: Path, folder: Path, manifest: Manifest) -> None:
    for number in (1, 2, 3):
        write_png(folder / f"out-{number:04}.png", flat(100 + number))
    taken = import_translations(folder, manifest, "testA", "a2b", "number", tmp_path / "out")
    assert levels(taken) == {"10.png": 101, "11.png": 102, "9.png": 103}


def test_pictures_that_were_left_out_here_keep_their_place(
    tmp_path: Path, folder: Path, manifest: Manifest
) -> None:
    dropped = replace(manifest.rows[1], status=DROPPED, reason="duplicate")
    manifest = Manifest(manifest.path, (manifest.rows[0], dropped, manifest.rows[2]))
    for number in (1, 2, 3):
        write_png(folder / f"{number}.png", flat(100 + number))
    taken = import_translations(folder, manifest, "testA", "a2b", "number", tmp_path / "out")
    assert levels(taken) == {"10.png": 101, "9.png": 103}


def test_pictures_that_the_other_program_did_not_have_take_no_place(
    tmp_path: Path, folder: Path, manifest: Manifest, caplog: pytest.LogCaptureFixture
) -> None:
    for number in (1, 2):
        write_png(folder / f"{number}.png", flat(100 + number))
    shifted = import_translations(folder, manifest, "testA", "a2b", "number", tmp_path / "shifted")
    assert levels(shifted) == {"10.png": 101, "11.png": 102}
    assert "all later pairs are shifted" in caplog.text
    caplog.clear()
    right = import_translations(
        folder, manifest, "testA", "a2b", "number", tmp_path / "right", absent=["11.png"]
    )
    assert levels(right) == {"10.png": 101, "9.png": 102}
    assert "shifted" not in caplog.text and "no translation of 11.png (1 in all)" in caplog.text
    with pytest.raises(UserError, match=r"absent: 12\.png"):
        import_translations(folder, manifest, "testA", "a2b", "number", tmp_path / "x", absent=["12.png"])


def test_other_formats_become_png(tmp_path: Path, folder: Path, manifest: Manifest) -> None:
    Image.fromarray(flat(90)).save(folder / "10.jpg")
    Image.fromarray(flat(91)).save(folder / "11.bmp")
    Image.fromarray(flat(92)).save(folder / "9.png", format="BMP")
    taken = import_translations(folder, manifest, "testA", "a2b", "name", tmp_path / "out")
    assert {row.format for row in taken.rows} == {"PNG"}
    assert levels(taken) == {"10.png": 90, "11.png": 91, "9.png": 92}


def test_the_translation_is_cut_out_of_a_strip(tmp_path: Path, folder: Path, manifest: Manifest) -> None:
    strip = np.concatenate([flat(10 * tile) for tile in range(1, 8)])
    write_png(folder / "A2B_2.png", strip)
    taken = import_translations(folder, manifest, "testA", "a2b", "number", tmp_path / "out")
    assert np.array_equal(read_rgb(tmp_path / "out" / "11.png"), flat(50))
    assert (taken.rows[0].height, taken.rows[0].width) == (6, 6)


def test_gaps_and_strangers_are_reported(
    tmp_path: Path, folder: Path, manifest: Manifest, caplog: pytest.LogCaptureFixture
) -> None:
    write_png(folder / "9.png", flat(9))
    write_png(folder / "mosaic.png", flat(1))
    with caplog.at_level(logging.WARNING):
        taken = import_translations(folder, manifest, "testA", "a2b", "name", tmp_path / "out")
    assert [row.name for row in taken.rows] == ["9.png"]
    assert "no translation of 10.png, 11.png (2 in all)" in caplog.text
    assert "not a translation of any picture of testA: mosaic.png (1 in all)" in caplog.text


def test_an_unreadable_translation_becomes_a_row_with_its_reason(
    tmp_path: Path, folder: Path, manifest: Manifest, caplog: pytest.LogCaptureFixture
) -> None:
    for name in NAMES:
        write_png(folder / name, flat(1))
    (folder / "9.png").write_text("no picture")
    taken = import_translations(folder, manifest, "testA", "a2b", "name", tmp_path / "out")
    (bad,) = [row for row in taken.rows if row.status == ERROR]
    assert (bad.name, bad.path, bad.reason) == ("9.png", "", "not a picture (text)")
    assert not (tmp_path / "out" / "9.png").exists()
    assert "9.png: not a picture (text)" in caplog.text


def test_no_match_at_all_shows_both_sides(tmp_path: Path, folder: Path, manifest: Manifest) -> None:
    write_png(folder / "A2B_7.png", flat(1))
    with pytest.raises(UserError, match=r"by name; found A2B_7\.png, expected 10\.png, 11\.png, 9\.png"):
        import_translations(folder, manifest, "testA", "a2b", "name", tmp_path / "out")
    with pytest.raises(UserError, match="by number; .*expected names that end in a number from 1 to 3"):
        import_translations(folder, manifest, "testA", "a2b", "number", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_two_files_for_one_picture_are_refused(tmp_path: Path, folder: Path, manifest: Manifest) -> None:
    write_png(folder / "fake1.png", flat(1))
    write_png(folder / "real1.png", flat(1))
    with pytest.raises(UserError, match=r"fake1\.png and real1\.png both match 10\.png"):
        import_translations(folder, manifest, "testA", "a2b", "number", tmp_path / "out")


def test_missing_and_empty_folders_are_refused(tmp_path: Path, folder: Path, manifest: Manifest) -> None:
    with pytest.raises(UserError, match="no pictures of direction a2b"):
        import_translations(folder, manifest, "testA", "a2b", "name", tmp_path / "out")
    with pytest.raises(UserError, match="no such folder"):
        import_translations(tmp_path / "nowhere", manifest, "testA", "a2b", "name", tmp_path / "out")


@pytest.mark.skipif("UGATIT_REAL_DATA" not in os.environ, reason="needs real pictures (UGATIT_REAL_DATA)")
@pytest.mark.parametrize(
    ("split", "direction", "name", "absent"),
    [("testA", "a2b", "fake_dog_from_cat", []), ("testB", "b2a", "fake_cat_from_dog", ["1651.jpg"])],
)
def test_published_translations_have_the_pose_of_their_picture(
    tmp_path: Path, split: str, direction: str, name: str, absent: list[str]
) -> None:
    data = Path(os.environ["UGATIT_REAL_DATA"])
    manifest = describe_folder(data / "cat2dog" / split, split)
    folder = data / "cat2dog-published-translations" / name
    taken = import_translations(folder, manifest, split, direction, "number", tmp_path, absent)  # type: ignore[arg-type]
    sources = {row.sha256: standardized(manifest.read(row).rgb) for row in manifest.rows}
    fakes = [standardized(taken.read(row).rgb) for row in taken.rows]
    matched = [float((sources[row.source] * f).mean()) for row, f in zip(taken.rows, fakes, strict=True)]
    rows = taken.rows[1:] + taken.rows[:1]
    shifted = [float((sources[row.source] * f).mean()) for row, f in zip(rows, fakes, strict=True)]
    half = len(fakes) // 2
    for part in (slice(None, half), slice(half, None)):
        assert np.mean(matched[part]) > np.mean(shifted[part]) + 0.3


def standardized(rgb: np.ndarray) -> np.ndarray:
    grey = resize(rgb, 32).mean(axis=2)
    return np.asarray((grey - grey.mean()) / grey.std())
