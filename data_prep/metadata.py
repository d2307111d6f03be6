"""What the sources say of their pictures: the attribute file of the UCF Selfie set, and tables."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from ugatit.errors import UserError

FEMALE, MALE, OTHER, UNKNOWN = "female", "male", "other", "unknown"

ATTRIBUTES = (
    *("partial_faces", "is_female", "baby", "child", "teenager", "youth", "middle_age", "senior"),
    *("white", "black", "asian", "oval_face", "round_face", "heart_face", "smiling", "mouth_open"),
    *("frowning", "wearing_glasses", "wearing_sunglasses", "wearing_lipstick", "tongue_out", "duck_face"),
    *("black_hair", "blond_hair", "brown_hair", "red_hair", "curly_hair", "straight_hair", "braid_hair"),
    *("showing_cellphone", "using_earphone", "using_mirror", "braces", "wearing_hat"),
    *("harsh_lighting", "dim_lighting"),
)
"""Columns 3 to 38 of selfie_dataset.txt, in order; the first two are name and popularity."""

UNDECIDED = "?"
"""Before an attribute on which the set's annotators did not agree (a 0 in the file)."""

SIGNS = {"1": FEMALE, "0": UNKNOWN, "-1": MALE}

WORDS = {
    "female": FEMALE, "f": FEMALE, "woman": FEMALE, "girl": FEMALE, "1girl": FEMALE,
    "male": MALE, "m": MALE, "man": MALE, "boy": MALE, "1boy": MALE,
    "": UNKNOWN, "?": UNKNOWN, "unknown": UNKNOWN,
}  # fmt: skip


def read_ucf(path: Path) -> dict[str, tuple[str, ...]]:
    """Read selfie_dataset.txt: by name without extension, the attributes that apply.

    Attributes that are undecided come with a `?` before them, and first of all stands `gender=`. Columns are
    separated by any white space.

    Raises: UserError if the file is missing or a line has not 38 columns.
    """
    expected = f"name, score and {len(ATTRIBUTES)} attributes of -1, 0 or 1"
    labels: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate(_text(path).splitlines(), start=1):
        if not (values := line.split()):
            continue
        if len(values) != 2 + len(ATTRIBUTES) or not set(values[2:]) <= {"-1", "0", "1"}:
            raise UserError(f"{path}, line {number}: found {line[:60]!r}; expected {expected}.")
        marks = zip(ATTRIBUTES, values[2:], strict=True)
        found = [name if mark == "1" else UNDECIDED + name for name, mark in marks if mark != "-1"]
        labels[values[0]] = (f"gender={SIGNS[values[3]]}", *found)
    return labels


def read_table(path: Path) -> dict[str, tuple[str, ...]]:
    """Read a CSV with the columns `file` and `gender`: by file, its `column=value` pairs and its tags.

    The tags of a column `tags`, separated by commas, become labels of their own.

    Raises: UserError if the file is missing or lacks a column.
    """
    rows = _rows(path, {"file", "gender"})
    labels = {}
    for row in rows:
        pairs = [f"{name}={_clean(row[name])}" for name in row if name not in ("file", "tags")]
        tags = [_clean(tag) for tag in row.get("tags", "").split(",")]
        labels[row["file"]] = (*pairs, *(tag for tag in tags if tag))
    return labels


def read_scores(path: Path) -> dict[str, float]:
    """Read a tagger's CSV with the columns `file` and `female`: by file, a score from 0 to 1.

    Raises: UserError if the file is missing, lacks a column or holds something else.
    """
    scores = {}
    for number, row in enumerate(_rows(path, {"file", "female"}), start=2):
        try:
            score = float(row["female"])
        except ValueError:
            score = -1.0
        if not 0 <= score <= 1:
            raise UserError(f"{path}, line {number}: female is {row['female']!r}; expected 0 to 1.")
        scores[row["file"]] = score
    return scores


def key_of(file: str, known: Mapping[str, object]) -> str:
    """How a table calls a file: with its folders, by its name alone, or without the extension; else empty."""
    path = PurePosixPath(file)
    return next((key for key in (file, path.name, path.stem) if key in known), "")


def gender_of(labels: tuple[str, ...]) -> str:
    """The gender that a picture's labels tell: female, male, other or unknown."""
    for label in labels:
        if label.startswith("gender="):
            return WORDS.get(label.removeprefix("gender=").lower(), OTHER)
    return UNKNOWN


def _rows(path: Path, needed: set[str]) -> list[dict[str, str]]:
    """The rows of a CSV whose header is in lower case; commas, semicolons or tabs."""
    text = _text(path)
    header = re.split(r"[\r\n]", text, maxsplit=1)[0]
    delimiter = max(",;\t", key=header.count)
    reader = csv.DictReader(io.StringIO(text, newline=None), delimiter=delimiter)
    try:
        names = [name.strip().lower() for name in reader.fieldnames or ()]
        if not needed <= set(names):
            raise UserError(f"{path}: columns {names}; expected at least {', '.join(sorted(needed))}.")
        reader.fieldnames = names
        rows = [{name: row[name] or "" for name in names} for row in reader]
    except csv.Error as error:
        raise UserError(
            f"{path}, line {reader.line_num}: {error}; expected a table; is a quote open?"
        ) from None
    return [{**row, "file": row["file"].strip()} for row in rows if row["file"].strip()]


def _text(path: Path) -> str:
    """A text file in UTF-8, or else in Latin-1, which every file is."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; expected the metadata of the raw pictures.") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _clean(value: str) -> str:
    """A value without the sign that joins labels."""
    return value.strip().replace(";", ",")
