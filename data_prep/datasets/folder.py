"""Datasets that exist as folders: take over trainA, trainB, testA and testB, and describe every picture."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from data_prep.parallel import in_parallel
from data_prep.sources import list_files, printable, raw_root, raw_split, subfolders
from data_prep.splits import splits_folder
from ugatit.errors import UserError
from ugatit.images import EXTENSIONS, PICTURE_SUFFIXES
from ugatit.manifest import ERROR, KEPT, SPLITS, Picture, describe_picture
from ugatit.sources import FolderSource

LOG = logging.getLogger(__name__)

EXPECTED = "a folder with trainA, trainB, testA and testB"
REMEDY = "Put the pictures there, or change the dataset's `source.path`."


def collect(source: FolderSource, staging: Path, threads: int) -> list[Picture]:
    """Copy the usable pictures of all splits and describe the others too.

    Bytes stay as they are; names lose their subfolders and get the extension of the real format.

    Raises: UserError if one of the four folders is missing or has no usable picture.
    """
    _require_splits(raw_root(source))
    rows: list[Picture] = []
    for split in SPLITS:
        rows += _collect_split(raw_split(source, split), split, staging / split, threads)
    return rows


def _require_splits(root: Path) -> None:
    """Raise UserError unless all four folders are there, saying what is there instead."""
    if not root.is_dir():
        found = "is a file; unpack it if it is an archive" if root.exists() else "no such folder"
        raise UserError(f"{root}: {found}; expected {EXPECTED}. {REMEDY}")
    missing = [split for split in SPLITS if not (root / split).is_dir()]
    if not missing:
        return
    nested = splits_folder(root)
    remedy = f"All four are in {nested}: change the dataset's `source.path` to it." if nested else REMEDY
    found = ", ".join(printable(folder.name) for folder in subfolders(root)) or "none"
    raise UserError(
        f"{root}: no {', '.join(missing)} (folders found: {found}); expected {EXPECTED}. {remedy}"
    )


def _collect_split(raw: Path, split: str, staging: Path, threads: int) -> list[Picture]:
    """Copy and describe one split, in order of the relative names."""
    files = list_files(raw)
    pictures = [file for file in files if file.suffix.lower() in PICTURE_SUFFIXES]
    if not pictures:
        found = f"{len(files)} other files, such as {printable(files[0].name)}" if files else "empty"
        endings = ", ".join(sorted(PICTURE_SUFFIXES))
        raise UserError(f"{raw}: no pictures ({found}); expected files ending in {endings}. {REMEDY}")
    if len(files) > len(pictures):
        LOG.info("%s: %d files without a picture's ending are left out", raw, len(files) - len(pictures))
    staging.mkdir()
    rows = in_parallel(
        lambda item: _stage(item[1], raw, split, staging / str(item[0])),
        list(enumerate(pictures)),
        threads,
        split,
    )
    if not any(row.status == KEPT for row in rows):
        raise UserError(
            f"{raw}: none of {len(rows)} pictures can be used ({rows[0].name}: {rows[0].reason}); "
            f"expected at least one. {REMEDY}"
        )
    return _name(rows, staging)


def _stage(file: Path, raw: Path, split: str, staged: Path) -> Picture:
    """Copy one file under a preliminary name and describe it; an unusable one is not kept."""
    source = printable(f"{raw.name}/{file.relative_to(raw).as_posix()}")
    name = printable(file.name)
    try:
        data = file.read_bytes()
    except OSError as error:
        return Picture(
            split, name, "", "", "", "", 0, 0, ERROR, f"cannot be opened ({error.strerror})", source
        )
    staged.write_bytes(data)
    row = replace(describe_picture(staged, split, "", source), name=name)
    if row.status != KEPT:
        staged.unlink()
    return row


def _name(rows: Sequence[Picture], staging: Path) -> list[Picture]:
    """Give the staged pictures of a split their names."""
    taken: set[str] = set()
    named = []
    for index, row in enumerate(rows):
        if row.status == KEPT:
            name = _unique_stem(row, taken) + EXTENSIONS[row.format]
            (staging / str(index)).rename(staging / name)
            row = replace(row, name=name, path=f"{row.split}/{name}")
        named.append(row)
    return named


def _unique_stem(row: Picture, taken: set[str]) -> str:
    """The row's stem, lengthened until it differs from those taken also where case does not count."""
    marked = f"{row.stem}_{row.sha256[:8]}"
    candidates = [row.stem, marked, *(f"{marked}_{number}" for number in range(2, len(taken) + 2))]
    stem = next(stem for stem in candidates if stem.casefold() not in taken)
    taken.add(stem.casefold())
    return stem
