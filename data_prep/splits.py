"""Find trainA, trainB, testA and testB, wherever in a folder they are."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from data_prep.sources import printable, subfolders
from ugatit.errors import UserError
from ugatit.manifest import SPLITS

LOG = logging.getLogger(__name__)

FOLDERS_SEARCHED, FOLDERS_SHOWN = 10_000, 12


def find_splits(root: Path) -> Path:
    """The first folder, breadth first, that holds trainA, trainB, testA and testB; it may be `root`.

    Raises: UserError saying which folders are there instead.
    """
    if not root.is_dir():
        raise UserError(f"{root}: no such folder; expected one with {', '.join(SPLITS)} somewhere in it.")
    if found := splits_folder(root):
        return found
    raise UserError(f"{root}: {_explained(root, list(_breadth_first(root)))}")


def splits_folder(root: Path) -> Path | None:
    """As `find_splits`, but None if there is no such folder."""
    return next((folder for folder in _breadth_first(root) if not _missing(folder)), None)


def _breadth_first(root: Path) -> Iterator[Path]:
    """A folder and the visible ones below it, none twice, level by level and in order, up to a bound."""
    waiting, seen = deque([root]), {root.resolve()}
    while waiting and len(seen) < FOLDERS_SEARCHED:
        folder = waiting.popleft()
        yield folder
        try:
            found = subfolders(folder)
        except PermissionError:
            LOG.warning("%s: cannot be listed; check its permissions", folder)
            continue
        for below in found:
            if not below.name.startswith(".") and below.name not in SPLITS and below.resolve() not in seen:
                seen.add(below.resolve())
                waiting.append(below)


def _missing(folder: Path) -> list[str]:
    return [split for split in SPLITS if not (folder / split).is_dir()]


def _explained(root: Path, folders: list[Path]) -> str:
    """Why none of these folders will do."""
    nearest = min(folders, key=lambda folder: len(_missing(folder)))
    if len(missing := _missing(nearest)) < len(SPLITS):
        return f"{nearest} lacks {', '.join(missing)}. Complete it, or get the archive again."
    for folder in folders:
        if all((folder / "train" / animal).is_dir() for animal in ("cat", "dog")):
            return (
                f"{folder} looks like AFHQ (train and val, with cat and dog in each), another dataset than "
                f"cat2dog; expected {', '.join(SPLITS)}. Get DRIT's cat2dog instead."
            )
    shown = [printable(folder.relative_to(root).as_posix()) for folder in folders[1:]]
    more = f" and {len(shown) - FOLDERS_SHOWN} more" if len(shown) > FOLDERS_SHOWN else ""
    found = ", ".join(shown[:FOLDERS_SHOWN]) + more or "none"
    return f"folders found: {found}; expected one with {', '.join(SPLITS)}. Give the folder that holds them."
