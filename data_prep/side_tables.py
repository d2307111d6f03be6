"""The small tables beside raw pictures: which content a stage read, for the workflow to notice a change.

Raw pictures are known by names and sizes; a table that was corrected may keep both.
"""

from __future__ import annotations

from pathlib import Path

from data_prep.obtain import read_obtained
from ugatit.files import sha256_file, write_text
from ugatit.sources import RawSide

NONE = "none"
"""State of a table that a stage does not have, or that is yet to be fetched."""


def table_of(stage: str, side: RawSide) -> str | None:
    """The table that a stage reads, relative to the source's folder."""
    return {"index": side.metadata, "select": side.scores}.get(stage)


def note_table(stage: str, side: RawSide, root: Path, folder: Path) -> None:
    """Write down beside a stage's manifest the hash of the table that it read."""
    if table := table_of(stage, side):
        write_text(_note(stage, folder), sha256_file(root / table) + "\n")


def table_state(stage: str, side: RawSide, raw: Path, folder: Path) -> str:
    """The hash of the table that a stage reads, or of the one that it read if that is gone.

    So it stays the same when raw pictures are removed. `folder` is where the stage's manifest is.

    Raises: UserError if the record of the raw pictures is damaged.
    """
    table, record = table_of(stage, side), raw / f"{side.source}.json"
    if table is None:
        return NONE
    if record.exists() and (file := Path(read_obtained(record).folder, table)).is_file():
        return sha256_file(file)
    note = _note(stage, folder)
    return note.read_text(encoding="utf-8").strip() if note.exists() else NONE


def _note(stage: str, folder: Path) -> Path:
    return folder / f"{stage}.table"
