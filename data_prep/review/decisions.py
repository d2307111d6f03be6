"""What people decided about pictures: a small text file, kept with the code and applied on every build.

Decisions are known by the picture's content, so that they hold when files are renamed, parameters changed or
pictures added.
"""

from __future__ import annotations

import csv
import io
import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from data_prep.items import ID_DIGITS, Item
from ugatit.errors import UserError
from ugatit.files import write_text

KEEP, DROP = "keep", "drop"

COLUMNS = ("item_id", "decision", "reviewer", "decided_at", "note")

TIME = "%Y-%m-%dT%H:%M:%SZ"
"""UTC, to the second."""

SHOWN_CHARACTERS = 80
"""Of a row that is refused."""

ITEM_ID = re.compile(rf"[0-9a-f]{{{ID_DIGITS}}}")


@dataclass(frozen=True)
class Decision:
    """One row."""

    item_id: str
    verdict: str
    """keep or drop."""
    reviewer: str
    decided_at: str
    """UTC, such as 2026-01-31T12:00:00Z."""
    note: str = ""
    """One line; may be empty."""


class DecisionFile:
    """The file of the decisions while it is being worked on, by several threads at a time.

    It is read again whenever it has changed, so that what an editor or another process wrote is not lost.
    """

    def __init__(self, path: Path) -> None:
        self._path = Path(path)
        self._lock = threading.Lock()
        self._decisions: dict[str, Decision] = {}
        self._version: tuple[int, ...] = ()

    def read(self) -> dict[str, Decision]:
        """The decisions as the file has them now.

        Raises: UserError if it is no file of decisions.
        """
        with self._lock:
            return dict(self._read())

    def decide(
        self, item_ids: Iterable[str], verdict: str | None, reviewer: str, note: str
    ) -> dict[str, Decision]:
        """Write one decision about some pictures, or with None take theirs back; returns all decisions.

        Raises: UserError if what is there is no file of decisions; OSError if it cannot be written.
        """
        now = datetime.now(UTC).strftime(TIME)
        with self._lock:
            decisions = dict(self._read())
            for item_id in item_ids:
                decisions.pop(item_id, None)
                if verdict is not None:
                    decisions[item_id] = Decision(item_id, verdict, _one_line(reviewer), now, _one_line(note))
            write_decisions(self._path, decisions)
            self._decisions, self._version = decisions, self._stat()
            return dict(decisions)

    def _read(self) -> dict[str, Decision]:
        """The decisions, from memory if the file is the one that was read last."""
        version = self._stat()
        if version != self._version:
            self._decisions = read_decisions(self._path)
            self._version = version
        return self._decisions

    def _stat(self) -> tuple[int, ...]:
        """What changes when the file does; empty without a file."""
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            return ()
        return stat.st_ino, stat.st_mtime_ns, stat.st_size


def read_decisions(path: Path) -> dict[str, Decision]:
    """Read the decisions by item number; without a file there are none.

    Of several rows on one item the last holds: so two people's files can be joined.

    Raises: UserError naming the line if a row is no decision.
    """
    path = Path(path)
    decisions: dict[str, Decision] = {}
    remedy = "Correct that line, or take the file back from an earlier version."
    try:
        # Spreadsheet programs put a byte order mark in front.
        with path.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.reader(handle, strict=True)
            if (columns := next(reader, [])) != list(COLUMNS):
                found, expected = _shown(columns), ",".join(COLUMNS)
                raise UserError(f"{path}, line 1: found {found}, expected {expected}. {remedy}")
            for row in filter(None, reader):
                if expected := _expected(row):
                    raise UserError(
                        f"{path}, line {reader.line_num}: found {_shown(row)}, expected {expected}. {remedy}"
                    )
                decisions[row[0]] = Decision(*row)
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: found {error}, expected decisions as CSV in UTF-8. {remedy}") from None
    return decisions


def write_decisions(path: Path, decisions: Mapping[str, Decision]) -> None:
    """Write the decisions in order of their item numbers, whole or not at all."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for _, row in sorted(decisions.items()):
        writer.writerow((row.item_id, row.verdict, row.reviewer, row.decided_at, row.note))
    write_text(path, text.getvalue())


def unknown(decisions: Mapping[str, Decision], items: Iterable[Item]) -> list[str]:
    """The decided item numbers that no item has: pictures that are no longer in the raw folders."""
    return sorted(decisions.keys() - {item.item_id for item in items})


def _one_line(text: str) -> str:
    """Text without line breaks and control characters, so that the file has one line for each decision."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _expected(row: Sequence[str]) -> str:
    """What a row should have been; empty if it is a decision."""
    if len(row) != len(COLUMNS):
        return f"{len(COLUMNS)} columns ({','.join(COLUMNS)})"
    if not ITEM_ID.fullmatch(row[0]):
        return f"an item_id of {ID_DIGITS} hexadecimal digits"
    if row[1] not in (KEEP, DROP):
        return f"{KEEP} or {DROP}"
    return "" if _is_time(row[3]) else "a time in UTC such as 2026-01-31T12:00:00Z"


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).isoformat() == text[:-1] + "+00:00"
    except ValueError:
        return False


def _shown(row: Sequence[str]) -> str:
    """A row as it is quoted in a message."""
    return repr(",".join(row)[:SHOWN_CHARACTERS])
