from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from data_prep.items import COLUMNS, REVIEW, STATUSES, Item, changed, kind, read_items, write_items
from tests.data_prep.small_side import item
from ugatit.errors import UserError
from ugatit.manifest import DROPPED, ERROR, KEPT

AWKWARD = 'comma, "quote"\nline; é\u2028 \x85 \\'
"""Text that a careless writer or reader of lines would not give back."""


def filled() -> Item:
    """An item with another value in every column."""
    values: dict[str, Any] = {}
    for number, field in enumerate(fields(Item), start=1):
        match str(field.type).removesuffix(" | None"):
            case "int":
                values[field.name] = number
            case "float":
                values[field.name] = number + 0.1234
            case _:
                values[field.name] = f"{number} {AWKWARD}"
    return Item(**{**values, "status": REVIEW})


def test_every_column_survives_the_round_trip(tmp_path: Path) -> None:
    written = [filled(), item(), item(1, face_score=0.0, shift_px=0)]
    write_items(tmp_path / "items.csv", written)
    read = read_items(tmp_path / "items.csv")
    assert read == written
    assert [type(getattr(read[0], name)) for name in COLUMNS] == [
        type(getattr(written[0], n)) for n in COLUMNS
    ]
    assert {getattr(read[1], name) for name in COLUMNS[5:]} == {None, ""}


def test_no_items_are_a_manifest_too(tmp_path: Path) -> None:
    write_items(tmp_path / "items.csv", [])
    assert read_items(tmp_path / "items.csv") == []


def test_measured_values_are_kept_as_they_are_written(tmp_path: Path) -> None:
    made = changed(
        item(), {"face_left": 12, "face_score": 1 / 3, "sharpness": 20.000049, "r90": None, "faces": 2}
    )
    assert (made.face_left, made.face_score, made.sharpness, made.r90) == (12.0, 0.3333, 20.0, None)
    write_items(tmp_path / "items.csv", [made])
    assert read_items(tmp_path / "items.csv") == [made]


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_can_be_read(tmp_path: Path, status: str) -> None:
    write_items(tmp_path / "items.csv", [item(status=status)])
    assert read_items(tmp_path / "items.csv")[0].status == status


HEADER = ",".join(COLUMNS).encode()
ROW = b"0123456789abcdef,a.png,00,10,kept" + b"," * (len(COLUMNS) - 5)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"file,gender\na.png,female\n",
        HEADER.replace(b"sha256", b"sha1") + b"\n" + ROW,
        HEADER + b"\n" + ROW[:-3] + b"\n",
        HEADER + b"\n" + ROW + b",more\n",
        HEADER + b"\n" + ROW.replace(b"kept", b"") + b"\n",
        HEADER + b"\n" + ROW.replace(b"kept", b"KEPT") + b"\n",
        HEADER + b"\n" + ROW.replace(b"10", b"ten") + b"\n",
        HEADER + b"\n" + ROW.replace(b"10", b"1.5") + b"\n",
        HEADER + b"\n" + ROW.replace(b"a.png", b"\xff.png") + b"\n",
        HEADER + b"\n" + ROW.replace(b"a.png", b'"a' + b"x" * 200_000) + b"\n",
        bytes(len(HEADER)),
    ],
    ids=[
        "empty", "blank", "a table", "another column", "cut off", "too long", "no status", "other status",
        "text", "fraction", "latin-1", "open quote", "zeros",
    ],
)  # fmt: skip
def test_a_damaged_manifest_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "items.csv"
    file.write_bytes(content)
    with pytest.raises(UserError, match=r"items\.csv: .*Delete it and run the same target again"):
        read_items(file)


def test_a_whole_row_is_read(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_bytes(HEADER + b"\n" + ROW + b"\n")
    assert read_items(tmp_path / "items.csv") == [Item("0123456789abcdef", "a.png", "00", 10, KEPT)]


def test_a_missing_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"items\.csv: no such file"):
        read_items(tmp_path / "items.csv")


def test_a_manifest_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    def broken() -> Iterator[Item]:
        yield item(1)
        raise OSError("disk")

    write_items(tmp_path / "items.csv", [item()])
    with pytest.raises(OSError, match="disk"):
        write_items(tmp_path / "items.csv", broken())
    assert read_items(tmp_path / "items.csv") == [item()]
    assert [file.name for file in tmp_path.iterdir()] == ["items.csv"]


@pytest.mark.parametrize(
    ("status", "alive"), [(KEPT, True), (REVIEW, True), (DROPPED, False), (ERROR, False)]
)
def test_what_is_kept_or_doubtful_goes_on(status: str, alive: bool) -> None:
    assert item(status=status).alive is alive


@pytest.mark.parametrize(
    ("before", "status", "replaced"),
    [
        (KEPT, DROPPED, True),
        (KEPT, REVIEW, True),
        (KEPT, ERROR, True),
        (REVIEW, REVIEW, False),
        (REVIEW, DROPPED, True),
        (REVIEW, ERROR, True),
        (DROPPED, REVIEW, False),
        (ERROR, REVIEW, False),
    ],
)
def test_a_doubt_replaces_nothing_else(before: str, status: str, replaced: bool) -> None:
    made = item(status=before, stage="first", reason="old", crop="c.png")
    expected = replace(made, status=status, stage="second", reason="new: 3") if replaced else made
    assert made.out(status, "second", "new: 3") == expected


@pytest.mark.parametrize(
    ("reason", "expected"), [("no face", "no face"), ("soft: 3.1, at least 20: x", "soft"), ("", "")]
)
def test_reasons_are_counted_by_what_stands_before_the_colon(reason: str, expected: str) -> None:
    assert kind(reason) == expected
