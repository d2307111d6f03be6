from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from data_prep.drawing.raw_folders import ONLY, PICTURES, SHARES, SIDES, draw_raw_folders, plan_side
from data_prep.examine import Examined, examine
from data_prep.likeness import SAME, perceptual_hash
from data_prep.metadata import ATTRIBUTES
from ugatit.errors import UserError
from ugatit.images import read_rgb

FACES = 2

Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawn") / "raw"
    draw_raw_folders(folder, FACES, seed=4, threads=2)
    return folder


@pytest.fixture(scope="module")
def planted(raw: Path) -> Rows:
    return rows_of(raw / "planted.csv")


def rows_of(file: Path) -> Rows:
    with file.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def files(rows: Rows, what: str, side: str | None = None) -> list[tuple[str, str]]:
    """Side and name of the files of one kind."""
    found = {(r["side"], r["file"]): None for r in rows if r["what"] == what and side in (None, r["side"])}
    return list(found)


def look(raw: Path, side: str, file: str) -> Examined:
    return examine(raw / PICTURES[side] / file, raw, "")


def test_every_kind_is_planted_in_its_share() -> None:
    for side in SIDES:
        counts = Counter(plan.what for plan in plan_side(side, 100))
        expected = {what: round(100 * share) for what, share in (SHARES | ONLY[side]).items()}
        assert counts == {"face": 100, **expected}


def test_the_list_names_the_files_that_are_there(raw: Path, planted: Rows) -> None:
    for side in SIDES:
        listed = {row["file"] for row in planted if row["side"] == side}
        missing = {file for _, file in files(planted, "row-without-file", side)}
        assert len(missing) == 1
        assert {path.name for path in (raw / PICTURES[side]).iterdir()} == listed - missing


def test_good_faces_can_be_read_and_lie_within_their_picture(raw: Path, planted: Rows) -> None:
    for row in planted:
        if row["what"] != "face":
            continue
        seen = look(raw, row["side"], row["file"])
        left, top, width, height = (int(row[key]) for key in ("left", "top", "width", "height"))
        assert seen.usable
        assert not seen.grey
        assert min(left, top) >= 0
        assert left + width <= seen.width
        assert top + height <= seen.height
        assert seen.width == seen.height or row["side"] == "anime"


@pytest.mark.parametrize(
    ("what", "reason"),
    [("truncated", "truncated"), ("html", "not a picture (HTML page)"), ("empty", "empty file")],
)
def test_broken_files_are_broken_in_their_way(raw: Path, planted: Rows, what: str, reason: str) -> None:
    assert [look(raw, *file).reason for file in files(planted, what)] == [reason, reason]


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("grey", {"grey": True}),
        ("sepia", {"grey": False}),
        ("grey-jpeg", {"format": "JPEG", "mode": "L"}),
        ("cmyk", {"format": "JPEG", "mode": "CMYK", "grey": False}),
        ("exif-rotated", {"format": "JPEG", "rotated": True}),
        ("misnamed", {"format": "PNG", "misnamed": True}),
        ("palette", {"mode": "P", "transparent": True}),
        ("transparent", {"mode": "RGBA", "transparent": True}),
        ("sixteen-bit", {"mode": "I;16", "grey": True}),
        ("animated", {"format": "GIF", "animated": True}),
    ],
)
def test_odd_files_are_odd_in_their_way(
    raw: Path, planted: Rows, what: str, expected: dict[str, object]
) -> None:
    found = files(planted, what)
    assert found
    for side, file in found:
        seen = look(raw, side, file)
        assert seen.usable
        assert {key: getattr(seen, key) for key in expected} == expected


def test_hidden_colours_are_shown_white(raw: Path, planted: Rows) -> None:
    for what in ("palette", "transparent"):
        ((side, file),) = files(planted, what)
        assert (read_rgb(raw / PICTURES[side] / file)[0, 0] == 255).all()


def test_copies_are_copies_of_what_the_list_says(raw: Path, planted: Rows) -> None:
    for row in planted:
        if not row["of"]:
            continue
        copy, original = (raw / PICTURES[row["side"]] / row[key] for key in ("file", "of"))
        if row["what"] == "duplicate":
            assert copy.read_bytes() == original.read_bytes()
        else:
            assert copy.read_bytes() != original.read_bytes()
            hashes = [perceptual_hash(np.ascontiguousarray(read_rgb(path))) for path in (copy, original)]
            assert (hashes[0] ^ hashes[1]).bit_count() <= SAME
    assert Counter(row["what"] for row in planted if row["of"]) == {"duplicate": 2, "near-duplicate": 2}


def test_the_list_has_a_row_for_every_face(planted: Rows) -> None:
    boxes = Counter((r["side"], r["what"]) for r in planted if r["width"])
    for side in SIDES:
        assert boxes[side, "two-faces"] == 2
        assert boxes[side, "no-face"] == boxes[side, "html"] == boxes[side, "empty"] == 0
        assert boxes[side, "man"] == boxes[side, "tiny"] == 1


def test_the_attribute_file_has_the_form_of_the_source(raw: Path, planted: Rows) -> None:
    lines = (raw / "selfies/selfie_dataset.txt").read_text(encoding="ascii").splitlines()
    rows = {
        f"{f[0]}.jpg": dict(zip(ATTRIBUTES, f[2:], strict=True)) for f in (line.split(" ") for line in lines)
    }
    assert len(ATTRIBUTES) == 36
    assert {value for row in rows.values() for value in row.values()} == {"-1", "0", "1"}
    assert set(rows) == {
        r["file"] for r in planted if r["side"] == "selfie" and r["what"] != "file-without-row"
    }
    female = {
        what: {rows[file]["is_female"] for _, file in files(planted, what, "selfie")}
        for what in ("face", "man", "unknown-gender")
    }
    assert female == {"face": {"1"}, "man": {"-1"}, "unknown-gender": {"0"}}
    minors = {file for file, row in rows.items() if "1" in (row["child"], row["baby"])}
    assert minors == {file for _, file in files(planted, "minor", "selfie")}


def test_the_characters_have_the_form_of_the_source(raw: Path, planted: Rows) -> None:
    rows = {row["file"]: row for row in rows_of(raw / "anime/characters.csv")}
    assert list(next(iter(rows.values()))) == [
        "file",
        "slug",
        "name",
        "gender",
        "hair_color",
        "eye_color",
        "tags",
        "url",
    ]
    assert set(rows) == {
        r["file"] for r in planted if r["side"] == "anime" and r["what"] != "file-without-row"
    }
    genders = {"face": "Female", "man": "Male", "unknown-gender": "?", "other-gender": "Other"}
    for what, gender in genders.items():
        assert {rows[file]["gender"] for _, file in files(planted, what, "anime")} == {gender}


def test_the_same_arguments_give_the_same_bytes(raw: Path, tmp_path: Path) -> None:
    draw_raw_folders(tmp_path / "again", FACES, seed=4, threads=1)
    first, again = (
        {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        for root in (raw, tmp_path / "again")
    )
    assert first == again


def test_a_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(UserError, match="expected a new or an empty folder"):
        draw_raw_folders(tmp_path, 1, seed=0, threads=1)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    with pytest.raises(ValueError, match="faces is 0"):
        draw_raw_folders(tmp_path / "new", 0, seed=0, threads=1)
