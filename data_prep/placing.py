"""Put a built dataset into place, so that a manifest is only ever seen beside its own pictures.

Pictures are collected in a hidden staging folder inside the output, so that moving them is a rename. What is
there already is replaced when all is collected, and only if a build put it there.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from data_prep.sources import Record, read_record
from ugatit.errors import UserError
from ugatit.files import write_json
from ugatit.manifest import KEPT, SPLITS, Picture, write_manifest

MANIFEST, RECORD, STAGING = "manifest.csv", "source.json", ".building"

OF_THE_SYSTEM = re.compile(r"\.DS_Store|\._.*|\.nfs.*|\.directory|Thumbs\.db|desktop\.ini")
"""Files that systems leave in any folder; they go with it."""


@contextmanager
def staging_folder(output: Path) -> Iterator[Path]:
    """Give an empty folder in which to collect the pictures of the splits; it is gone afterwards.

    Raises: UserError if the output holds files that no build put there, or cannot be written.
    """
    _refuse_foreign_files(output)
    staging = output / STAGING
    shutil.rmtree(staging, ignore_errors=True)
    try:
        staging.mkdir(parents=True)
    except OSError as error:
        raise UserError(f"{output}: cannot be written ({error.strerror}). Choose another output.") from None
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def install(
    staging: Path,
    output: Path,
    rows: Sequence[Picture],
    source: dict[str, Any],
    fingerprint: str,
    listed_in: str = MANIFEST,
) -> None:
    """Replace a dataset by the one that was collected; the manifest goes first and comes last.

    Killed in between, it leaves no manifest and a record of all files that may be there, old and new.
    `listed_in` names another file for the rows, where something has yet to be checked before the manifest.
    """
    new = {split: [row.name for row in rows if row.split == split and row.status == KEPT] for split in SPLITS}
    old = _owned(output)
    both = {split: sorted({*old[split], *new[split]}) for split in SPLITS}
    (output / MANIFEST).unlink(missing_ok=True)
    write_json(output / RECORD, Record(source=source, fingerprint=fingerprint, files=both).model_dump())
    for split in SPLITS:
        if (output / split).exists():
            shutil.rmtree(output / split)
        (staging / split).rename(output / split)
    write_json(output / RECORD, Record(source=source, fingerprint=fingerprint, files=new).model_dump())
    write_manifest(output / listed_in, rows)


def require_apart(raw: Path, output: Path) -> None:
    """Refuse an output that is the raw folder, or lies inside it, or holds it.

    Raises: UserError.
    """
    inner, outer = output.resolve(), raw.resolve()
    if inner.is_relative_to(outer) or outer.is_relative_to(inner):
        raise UserError(
            f"{output}: the dataset would be built into its own raw folder {raw} and replace its pictures. "
            "Keep raw pictures elsewhere, such as raw/<dataset>, and change the dataset's `source.path`."
        )


def _owned(output: Path) -> dict[str, list[str]]:
    """The names that earlier builds put into each split."""
    record = read_record(output / RECORD)
    return {split: record.files.get(split, []) if record else [] for split in SPLITS}


def _refuse_foreign_files(output: Path) -> None:
    """Raise UserError if a split holds anything that neither a build nor a system put there."""
    owned = _owned(output)
    for split in SPLITS:
        folder = output / split
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            raise UserError(
                f"{folder}: is a link or a file; expected a folder of this dataset. Move it away."
            )
        names = {file.name for file in folder.iterdir()} if folder.exists() else set()
        foreign = sorted(name for name in names - set(owned[split]) if not OF_THE_SYSTEM.fullmatch(name))
        if foreign:
            raise UserError(
                f"{folder}: holds {len(foreign)} files that no build put there, such as {foreign[0]}. "
                "A build would delete them: move them to the raw folder, or choose another output."
            )
