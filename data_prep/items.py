"""The items of a construction: one row per raw picture, carried from stage to stage with what each found.

Every stage reads all rows and writes all rows. Nothing is deleted: a picture that is out keeps its row, with
the stage and the reason.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from ugatit.errors import UserError
from ugatit.files import write_text
from ugatit.manifest import DROPPED, ERROR, KEPT

REVIEW = "review"
"""Status of a picture that waits for a person's decision."""

STATUSES = (KEPT, DROPPED, REVIEW, ERROR)

ID_DIGITS = 16


@dataclass(frozen=True)
class Item:
    """A raw picture and all that is known of it; empty is what no stage has filled in yet."""

    item_id: str
    """The first 16 hexadecimal digits of `sha256`."""
    file: str
    """Relative to the side's folder of raw pictures."""
    sha256: str
    bytes: int
    status: str
    """kept, dropped, review or error."""
    stage: str = ""
    """The stage that gave a status other than kept."""
    reason: str = ""
    """Why: the kind, and after a colon what was found."""
    labels: str = ""
    """index: what the metadata say, joined by `;`."""
    format: str = ""
    mode: str = ""
    width: int | None = None
    height: int | None = None
    traits: str = ""
    """decode: peculiarities of the file, joined by `;`, such as rotated or cmyk."""
    gender: str = ""
    gender_source: str = ""
    found: str = ""
    """detect: all faces, the largest first, joined by `;`: `left,top,width,height` in its pixels, then,
    where the detector tells, `,score` and `,x,y,x,y` of both eyes."""
    faces: int | None = None
    """detect: how many of them count; the columns below describe the largest of those."""
    face_left: float | None = None
    face_top: float | None = None
    face_width: float | None = None
    face_height: float | None = None
    face_score: float | None = None
    crop: str = ""
    """crop: file of the square, relative to the manifest's folder."""
    crop_left: int | None = None
    crop_top: int | None = None
    crop_px: int | None = None
    shift_px: int | None = None
    pad_px: int | None = None
    sharpness: float | None = None
    c95: float | None = None
    r90: float | None = None
    phash: str = ""
    cluster: str = ""
    """dedupe: the item that stands for all that look like it."""
    duplicate_of: str = ""
    distance: int | None = None
    doubt: float | None = None
    """review: how near the item came to being out, 0 to 1."""
    decision: str = ""
    upscaled: str = ""
    """upscale: file of the dataset's picture, relative to the manifest's folder."""
    factor: int | None = None
    """upscale: how many times super-resolution enlarged it; 1 if not."""
    rank: str = ""
    split: str = ""

    @property
    def alive(self) -> bool:
        """Whether later stages have to do with it."""
        return self.status in (KEPT, REVIEW)

    def out(self, status: str, stage: str, reason: str) -> Item:
        """The item with another status; a doubt does not replace an earlier one."""
        if status == REVIEW and self.status != KEPT:
            return self
        return replace(self, status=status, stage=stage, reason=reason)


COLUMNS = tuple(field.name for field in fields(Item))
INTEGERS = frozenset(field.name for field in fields(Item) if "int" in str(field.type))
REALS = frozenset(field.name for field in fields(Item) if "float" in str(field.type))
DIGITS = 4
"""Decimals kept of a measured value, so that a manifest read again holds the same numbers."""


def changed(item: Item, columns: dict[str, Any]) -> Item:
    """The item with measured columns, rounded as they are written."""
    rounded: dict[str, Any] = {
        name: round(float(value), DIGITS) if name in REALS and value is not None else value
        for name, value in columns.items()
    }
    return replace(item, **rounded)


def write_items(path: Path, items: Iterable[Item]) -> None:
    """Write a stage's manifest as CSV, whole or not at all."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for item in items:
        writer.writerow("" if (value := getattr(item, name)) is None else value for name in COLUMNS)
    write_text(path, text.getvalue())


def read_items(path: Path) -> list[Item]:
    """Read a stage's manifest.

    Raises: UserError if it is missing, has other columns or other values.
    """
    remedy = "Delete it and run the same target again."
    try:
        with Path(path).open(encoding="utf-8", newline="") as handle:
            reader = csv.reader(handle)
            columns = next(reader, [])
            if tuple(columns) != COLUMNS:
                raise UserError(
                    f"{path}: not the columns of a stage's manifest (found {columns[:4]}). {remedy}"
                )
            return [_item(row) for row in reader]
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; expected the manifest of a stage. {remedy}") from None
    except (OSError, ValueError, csv.Error) as error:
        raise UserError(f"{path}: cannot be read as a stage's manifest ({error}). {remedy}") from None


def kind(reason: str) -> str:
    """The kind of a reason, by which pictures are counted."""
    return reason.partition(":")[0]


def _item(row: Sequence[str]) -> Item:
    values: dict[str, Any] = dict(zip(COLUMNS, row, strict=True))
    if values["status"] not in STATUSES:
        raise ValueError(f"status {values['status']!r}")
    for name in INTEGERS:
        values[name] = int(values[name]) if values[name] else None
    for name in REALS:
        values[name] = float(values[name]) if values[name] else None
    return Item(**values)
