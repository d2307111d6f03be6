"""Where pictures come from: the raw folders of a dataset, and a cheap identity of what lies in them.

Snakemake asks for that identity whenever it plans, so nothing here imports torch.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ugatit.errors import UserError
from ugatit.files import read_json, sha256_json
from ugatit.manifest import SPLITS
from ugatit.sources import FolderSource
from ugatit.strict import Strict, check

ABSENT = "absent"
"""Fingerprint of a raw folder that is not there and from which nothing was built."""


class Record(Strict):
    """What source.json keeps of a build, beside the manifest."""

    source: dict[str, Any]
    fingerprint: str
    files: dict[str, list[str]]
    """Per split, the names that the build put there: beside them it deletes only files of the system."""


def raw_root(source: FolderSource) -> Path:
    """The folder that should hold trainA, trainB, testA and testB."""
    return Path(source.path).expanduser()


def raw_split(source: FolderSource, split: str) -> Path:
    """The raw folder whose pictures become a split: the other side's with `swap`."""
    other = {"A": "B", "B": "A"}
    return raw_root(source) / (split[:-1] + other[split[-1]] if source.swap else split)


def subfolders(root: Path) -> list[Path]:
    """The folders directly below a folder, in order."""
    return sorted(entry for entry in root.iterdir() if entry.is_dir())


def list_files(folder: Path) -> list[Path]:
    """All visible files below a folder, also in subfolders, in order of their relative names.

    Names that begin with a dot are hidden, files and folders alike. Links to folders are not followed.

    Raises: UserError if a folder cannot be listed.
    """
    return sorted(_walk(folder), key=lambda file: file.relative_to(folder).as_posix())


def printable(name: str) -> str:
    """A file name as valid UTF-8: bytes that are none become replacement characters."""
    return os.fsencode(name).decode("utf-8", "replace")


def fingerprint(source: FolderSource, recorded: Path | None = None) -> str:
    """Identify what a source offers by relative names and sizes, without reading a picture.

    A raw folder may be deleted once the dataset is built: then the fingerprint in `recorded`, the
    dataset's source.json, stands for it, and `ABSENT` if there is none.

    Raises: UserError if a folder cannot be listed or `recorded` cannot be read.
    """
    root = raw_root(source)
    folders = [root / split for split in SPLITS if (root / split).is_dir()]
    if folders:
        return _listing_hash(root, [file for folder in folders for file in list_files(folder)])
    record = read_record(recorded) if recorded is not None else None
    return record.fingerprint if record else ABSENT


def folder_fingerprint(folder: Path) -> str:
    """Identify all files below a folder by relative names and sizes.

    Raises: UserError if a folder cannot be listed.
    """
    return _listing_hash(folder, list_files(folder))


def read_record(path: Path) -> Record | None:
    """Read a source.json; None if there is none.

    Raises: UserError if it is damaged.
    """
    if not Path(path).exists():
        return None
    content = read_json(path, "the record of a build", "Delete the dataset's folder and build it again.")
    return check(Record, content, str(path))


def _walk(folder: Path) -> Iterator[Path]:
    """Visible files below a folder in any order: also broken links, but no pipes and sockets."""
    for parent, folders, names in os.walk(folder, onerror=_refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for file in (Path(parent, name) for name in names if not name.startswith(".")):
            if file.is_file() or file.is_symlink():
                yield file


def _refuse(error: OSError) -> None:
    raise UserError(
        f"{error.filename}: cannot be listed ({error.strerror}). Check its permissions."
    ) from None


def _listing_hash(root: Path, files: Iterable[Path]) -> str:
    return sha256_json([[printable(file.relative_to(root).as_posix()), _size(file)] for file in files])


def _size(file: Path) -> int:
    """A file's size in bytes; -1 for a broken link."""
    return file.stat().st_size if file.exists() else -1
