from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import ugatit.files
from data_prep.items import Item
from data_prep.review.decisions import (
    DROP,
    KEEP,
    Decision,
    DecisionFile,
    read_decisions,
    unknown,
    write_decisions,
)
from ugatit.errors import UserError

HEADER = "item_id,decision,reviewer,decided_at,note\n"
FIRST, SECOND, THIRD = "00" * 8, "0a" * 8, "ff" * 8
TIME = "2026-01-31T12:00:00Z"

CLOCK_TOLERANCE = timedelta(minutes=1)
"""Between a decision and the check of its time; far more than both take, far less than a wrong time zone."""


def decision(item_id: str, verdict: str = KEEP, note: str = "") -> Decision:
    return Decision(item_id, verdict, "ada", TIME, note)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "decisions.csv"


def test_a_missing_file_has_no_decisions(path: Path) -> None:
    assert read_decisions(path) == {}
    assert not path.exists()


def test_decisions_survive_being_written_and_read(path: Path) -> None:
    made = {
        i: decision(i, v, n)
        for i, v, n in [(THIRD, DROP, 'a "sketch", cut'), (FIRST, KEEP, ""), (SECOND, DROP, "é")]
    }
    write_decisions(path, made)
    assert read_decisions(path) == made


def test_the_file_is_text_in_order_of_the_items(path: Path) -> None:
    write_decisions(path, {THIRD: decision(THIRD, DROP, "sketch"), FIRST: decision(FIRST)})
    assert path.read_bytes().decode() == f"{HEADER}{FIRST},keep,ada,{TIME},\n{THIRD},drop,ada,{TIME},sketch\n"


def test_the_last_row_of_an_item_holds(path: Path) -> None:
    path.write_text(
        f"{HEADER}{FIRST},keep,ada,{TIME},\n{SECOND},keep,ada,{TIME},\n{FIRST},drop,bob,{TIME},\n"
    )
    assert {i: d.verdict for i, d in read_decisions(path).items()} == {FIRST: DROP, SECOND: KEEP}


def test_what_spreadsheet_programs_write_is_read(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + f"{HEADER}{FIRST},keep,ada,{TIME},\n\n".replace("\n", "\r\n").encode())
    assert read_decisions(path) == {FIRST: decision(FIRST)}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("<<<<<<< HEAD", "5 columns"),
        (f"{FIRST},keep,ada,{TIME},a,b", "5 columns"),
        (f"{FIRST[1:]},keep,ada,{TIME},", "16 hexadecimal digits"),
        (f"../{FIRST[3:]},keep,ada,{TIME},", "16 hexadecimal digits"),
        (f"{FIRST},Keep,ada,{TIME},", "keep or drop"),
        (f"{FIRST},,ada,{TIME},", "keep or drop"),
        (f"{FIRST},keep,ada,,", "a time in UTC"),
        (f"{FIRST},keep,ada,2026-02-30T12:00:00Z,", "a time in UTC"),
        (f"{FIRST},keep,ada,2026-01-31T12:00:00,", "a time in UTC"),
        (f"{FIRST},keep,ada,2026-01-31T12:00:00+02:00,", "a time in UTC"),
    ],
)
def test_a_bad_row_is_refused_with_its_line(path: Path, row: str, expected: str) -> None:
    path.write_text(f"{HEADER}{SECOND},keep,ada,{TIME},\n{row}\n{THIRD},drop,ada,{TIME},\n")
    with pytest.raises(UserError, match=f"line 3: found '{re.escape(row[:20])}.*expected .*{expected}"):
        read_decisions(path)


@pytest.mark.parametrize(
    "content", [b"", b"item_id,decision\n", b"\xff\xfe\x00", HEADER.encode() + b'"' + FIRST.encode()]
)
def test_what_is_no_file_of_decisions_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(UserError, match=f"^{re.escape(str(path))}.*found .*, expected "):
        read_decisions(path)


def test_an_unfinished_quote_does_not_swallow_the_rows_after_it(path: Path) -> None:
    path.write_text(f'{HEADER}{FIRST},keep,ada,{TIME},"cut\n{SECOND},keep,ada,{TIME},\n')
    with pytest.raises(UserError, match="unexpected end of data"):
        read_decisions(path)


def test_a_failed_write_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_decisions(path, {FIRST: decision(FIRST)})
    monkeypatch.setattr(ugatit.files.os, "fsync", _no_space)
    with pytest.raises(OSError, match="No space"):
        write_decisions(path, {SECOND: decision(SECOND)})
    assert list(read_decisions(path)) == [FIRST]
    assert [f.name for f in path.parent.iterdir()] == [path.name]


def _no_space(descriptor: int) -> None:
    raise OSError(28, "No space left on device")


def test_decisions_about_pictures_that_are_gone_are_named() -> None:
    items = [Item(SECOND, "two.png", "", 1, "kept"), Item("12" * 8, "three.png", "", 1, "error")]
    assert unknown({i: decision(i) for i in (THIRD, SECOND, FIRST)}, items) == [FIRST, THIRD]
    assert unknown({}, items) == []


def test_deciding_writes_who_what_and_when(path: Path) -> None:
    DecisionFile(path).decide([FIRST, SECOND], DROP, " ada\n", "cut \x00 off,\nblurred")
    rows = read_decisions(path)
    assert [(r.item_id, r.verdict, r.reviewer, r.note) for r in rows.values()] == [
        (FIRST, DROP, "ada", "cut off, blurred"),
        (SECOND, DROP, "ada", "cut off, blurred"),
    ]
    age = datetime.now(UTC) - datetime.fromisoformat(rows[FIRST].decided_at)
    assert abs(age) < CLOCK_TOLERANCE
    assert path.read_text().count("\n") == 3


def test_a_decision_is_changed_and_taken_back(path: Path) -> None:
    file = DecisionFile(path)
    file.decide([FIRST, SECOND], DROP, "ada", "")
    file.decide([FIRST], KEEP, "bob", "")
    assert {i: (d.verdict, d.reviewer) for i, d in file.read().items()} == {
        FIRST: (KEEP, "bob"),
        SECOND: (DROP, "ada"),
    }
    file.decide([FIRST, THIRD], None, "bob", "")
    assert file.read() == read_decisions(path)
    assert list(file.read()) == [SECOND]


def test_what_others_write_meanwhile_is_kept(path: Path) -> None:
    file = DecisionFile(path)
    file.decide([FIRST], KEEP, "ada", "")
    with path.open("a") as handle:
        handle.write(f"{THIRD},drop,bob,{TIME},by hand\n")
    file.decide([SECOND], KEEP, "ada", "")
    assert list(read_decisions(path)) == [FIRST, SECOND, THIRD]


def test_a_file_damaged_meanwhile_is_not_written_over(path: Path) -> None:
    file = DecisionFile(path)
    file.decide([FIRST], KEEP, "ada", "")
    damaged = path.read_text() + "<<<<<<< HEAD\n"
    path.write_text(damaged)
    with pytest.raises(UserError, match="line 3"):
        file.decide([SECOND], KEEP, "ada", "")
    assert path.read_text() == damaged


def test_concurrent_decisions_are_all_kept(path: Path) -> None:
    file, item_ids = DecisionFile(path), [f"{number:016x}" for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda item_id: file.decide([item_id], KEEP, "ada", ""), item_ids))
    assert list(read_decisions(path)) == item_ids
