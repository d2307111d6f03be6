"""Unpack datasets that are published as parquet files, as on Hugging Face, into folders of pictures.

A row holds one picture of each side. The two have nothing to do with each other, and the shorter side is
filled up with nulls. Nobody vouches for these files either, so the limits of archives hold for them.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from data_prep.archives import (
    AGAIN,
    LIMITS,
    Budget,
    Limits,
    PathNames,
    RefusedError,
    fresh_folder,
    safe_parts,
)
from data_prep.file_kinds import HEAD_BYTES, recognise
from ugatit.errors import UserError
from ugatit.images import EXTENSIONS, PICTURE_SUFFIXES

LOG = logging.getLogger(__name__)

COLUMNS = {"imageA": "A", "imageB": "B"}
"""Which column holds which side."""

UNKNOWN_SUFFIX = ".png"
"""Ending of bytes that are no known picture: they stay listed, and the build says what they are."""


def unpack_parquet(files: Sequence[Path], folder: Path, limits: Limits = LIMITS) -> None:
    """Write the pictures of parquet files into trainA, trainB, testA and testB of an empty folder.

    A file's split is the beginning of its name, or its folder's name: train or test. Pictures keep their
    names if the files give them, else they are numbered; their endings are those of their content.

    Raises: UserError if a file is damaged, of no known split, or without the columns imageA and imageB, or if
        all together exceed a limit.
    """
    parts = [(file, _split(file)) for file in files]
    budget = Budget(sum(file.stat().st_size for file in files), limits)
    with fresh_folder(folder) as staging:
        names, counts = PathNames(), Counter[str]()
        for file, split in parts:
            try:
                for side, picture in _pictures(file):
                    _spend(budget, picture["bytes"], limits.file_bytes)
                    place = f"{split}{side}"
                    name = _name(picture, counts[place])
                    target = staging / names.place(safe_parts(f"{place}/{name}"))
                    counts[place] += 1
                    target.parent.mkdir(exist_ok=True)
                    target.write_bytes(picture["bytes"])
            except RefusedError as error:
                raise UserError(f"{file}: {error}; nothing was unpacked. {AGAIN}") from None
        if not counts:
            raise UserError(f"{', '.join(map(str, files)) or 'no file'}: no pictures in these parquet files.")
    LOG.info("%s: %s", folder, ", ".join(f"{place} {count}" for place, count in counts.items()))


def _split(file: Path) -> str:
    """The split to which a file belongs."""
    if named := re.match(r"(train|test)(?![a-z])", file.name) or re.fullmatch(
        "(train|test)", file.parent.name
    ):
        return named[1]
    raise UserError(
        f"{file}: its split is not known; expected a name that begins with train or test, or a folder "
        "called so. Rename it."
    )


def _spend(budget: Budget, picture: bytes, most_bytes: int) -> None:
    """Count a picture."""
    budget.add_file()
    budget.spend(len(picture))
    if len(picture) > most_bytes:
        raise RefusedError(f"holds a picture of more than {most_bytes:,} bytes")


def _pictures(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Side, bytes and path of every picture of a file, one row in memory at a time."""
    try:
        # Buffering ahead, pyarrow would hold the whole file.
        with pq.ParquetFile(file, pre_buffer=False) as content:
            _require_columns(file, content.schema_arrow)
            for batch in content.iter_batches(1, columns=list(COLUMNS), use_threads=False):
                (row,) = batch.to_pylist()
                for column, side in COLUMNS.items():
                    value = row[column] if isinstance(row[column], dict) else {"bytes": row[column]}
                    if value["bytes"] is not None:
                        yield side, value
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file}: cannot be read as parquet ({error}). Delete it and get it again.") from None


def _require_columns(file: Path, schema: pa.Schema) -> None:
    """Raise UserError unless both columns hold pictures' bytes."""
    if not all(name in schema.names and _holds_bytes(schema.field(name).type) for name in COLUMNS):
        found = ", ".join(f"{field.name} ({field.type})" for field in schema) or "none"
        raise UserError(
            f"{file}: columns found: {found}; expected {' and '.join(COLUMNS)}, each binary or a struct with "
            "`bytes`. Unpack another file, or bring the pictures as folders."
        )


def _holds_bytes(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        index = kind.get_field_index("bytes")
        return index >= 0 and _holds_bytes(kind.field(index).type)
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)


def _name(picture: dict[str, Any], number: int) -> str:
    """A picture's file name: the stem that it came with or its number, and the ending of its content."""
    path = picture.get("path")
    given = PurePosixPath(PureWindowsPath(path if isinstance(path, str) else "").name)
    kind = recognise(picture["bytes"][:HEAD_BYTES])
    suffix = given.suffix.lower() if given.suffix.lower() in PICTURE_SUFFIXES else UNKNOWN_SUFFIX
    return (given.stem.lstrip(".") or f"{number:05d}") + EXTENSIONS.get(kind, suffix)
