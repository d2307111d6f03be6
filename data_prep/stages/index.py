"""Stage 1, index: one row per raw picture, with its hash and what the metadata say of it."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from data_prep.items import ID_DIGITS, Item
from data_prep.metadata import key_of, read_table, read_ucf
from data_prep.parallel import in_parallel
from data_prep.sources import list_files, printable
from ugatit.errors import UserError
from ugatit.files import sha256_file
from ugatit.images import PICTURE_SUFFIXES
from ugatit.manifest import DROPPED, ERROR, KEPT
from ugatit.sources import RawSide

LOG = logging.getLogger(__name__)

NAME = "index"

UNPRINTABLE = "\ufffd"
"""Stands for bytes of a file name that are no UTF-8, and for control characters."""


def index(root: Path, side: RawSide, threads: int) -> list[Item]:
    """List the raw pictures of a side in order of their names.

    Files without a picture's ending are left out; a file with the bytes of an earlier one is dropped.

    Raises: UserError if the folder or the metadata are missing, or if there is no picture.
    """
    folder = root / side.pictures
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; expected the raw pictures of source {side.source!r}.")
    files = [file for file in list_files(folder) if file.suffix.lower() in PICTURE_SUFFIXES]
    if not files:
        raise UserError(
            f"{folder}: no pictures; expected files ending in {', '.join(sorted(PICTURE_SUFFIXES))}."
        )
    labels = _labels(root, side)
    items, used = [], set()
    hashes = in_parallel(_hash, files, threads, NAME)
    for file, (digest, size) in zip(files, hashes, strict=True):
        name = _shown(printable(file.relative_to(folder).as_posix()))
        key = key_of(name, labels)
        used.add(key)
        items.append(_item(name, digest, size, labels.get(key, ())))
    _log_unmatched(items, labels.keys() - used)
    return _without_repeats(items)


def _labels(root: Path, side: RawSide) -> dict[str, tuple[str, ...]]:
    """What the metadata say, by the names that they call the files."""
    if side.metadata is None:
        return {}
    return (read_ucf if side.format == "ucf" else read_table)(root / side.metadata)


def _hash(file: Path) -> tuple[str, int]:
    """SHA-256 and size; no hash if the file cannot be opened."""
    try:
        return sha256_file(file), file.stat().st_size
    except OSError:
        return "", 0


def _shown(name: str) -> str:
    """A name that a manifest can hold."""
    return "".join(sign if sign.isprintable() else UNPRINTABLE for sign in name)


def _item(name: str, digest: str, size: int, labels: Iterable[str]) -> Item:
    item = Item(digest[:ID_DIGITS], name, digest, size, KEPT, labels=";".join(labels))
    if not digest:
        return item.out(ERROR, NAME, "cannot be opened")
    if UNPRINTABLE in name:
        return item.out(ERROR, NAME, "file name: not UTF-8, or with control characters")
    return item


def _without_repeats(items: list[Item]) -> list[Item]:
    """Drop files whose bytes an earlier file has; several empty files are not repeats but errors."""
    first: dict[str, str] = {}
    kept = []
    for item in items:
        repeats = item.bytes and first.setdefault(item.sha256, item.file)
        if repeats and repeats != item.file:
            item = item.out(DROPPED, NAME, f"same bytes: {repeats}")
        kept.append(item)
    return kept


def _log_unmatched(items: list[Item], unused: set[str]) -> None:
    """Say how well files and metadata fit."""
    bare = [item.file for item in items if not item.labels]
    LOG.info(
        "%d pictures; %d without metadata; %d metadata rows without a picture",
        len(items),
        len(bare),
        len(unused),
    )
    if unused and len(bare) == len(items):
        LOG.warning(
            "no picture has metadata: the names differ, as %s and %s", bare[0], next(iter(sorted(unused)))
        )
