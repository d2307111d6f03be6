"""The manifest: one CSV row per picture, the arrow between the stages of the pipeline.

A dataset's manifest has the splits trainA, trainB, testA, testB; a translation's has its direction as split.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from ugatit.errors import UserError
from ugatit.files import sha256_json, write_text
from ugatit.images import PICTURE_SUFFIXES, Decoded, PictureError, decode

SPLITS = ("trainA", "trainB", "testA", "testB")
"""The four folders of an unpaired dataset, in the field's spelling."""

KEPT, ERROR, DROPPED = "kept", "error", "dropped"
"""Values of a row's status: used; not readable; readable, but taken out for the stated reason."""


@dataclass(frozen=True)
class Picture:
    """One row: a picture file and what is known of it."""

    split: str
    name: str
    """File name without folder; unique by its stem within a split."""
    path: str
    """Relative to the manifest's folder; empty if the picture was not taken over."""
    sha256: str
    format: str
    mode: str
    width: int
    height: int
    status: str
    reason: str
    source: str
    """Where it came from: a path in the raw folder, or the SHA-256 of the picture that was translated."""
    code: str = ""
    """Number of the random code that a translation was made with; empty if its method draws none."""

    @property
    def stem(self) -> str:
        """The name without its extension: what a translation of this picture is called."""
        return Path(self.name).stem


COLUMNS = tuple(field.name for field in fields(Picture))


@dataclass(frozen=True)
class Manifest:
    """The rows of one manifest file, in file order."""

    path: Path
    rows: tuple[Picture, ...]

    def kept(self, split: str) -> list[Picture]:
        """The usable pictures of a split, in order.

        Raises: UserError if there is none.
        """
        rows = [row for row in self.rows if row.split == split and row.status == KEPT]
        if not rows:
            known = ", ".join(sorted({row.split for row in self.rows if row.status == KEPT})) or "none"
            raise UserError(
                f"{self.path}: no usable picture in split {split!r} (splits with pictures: {known}). "
                "Add pictures to that folder and build the manifest again."
            )
        return rows

    def digest(self, split: str | None = None) -> str:
        """SHA-256 of the usable pictures' splits, names and contents: the identity of the data."""
        rows = [r for r in self.rows if r.status == KEPT and split in (None, r.split)]
        return sha256_json([[r.split, r.name, r.sha256] for r in rows])

    def read(self, picture: Picture) -> Decoded:
        """Read a picture and check it against its row.

        Raises: UserError if the file is missing, changed or unreadable.
        """
        path = self.path.parent / picture.path
        try:
            data = path.read_bytes()
        except OSError as error:
            raise UserError(
                f"{path}: {error.strerror}; listed in {self.path}. Build the manifest again."
            ) from None
        if hashlib.sha256(data).hexdigest() != picture.sha256:
            raise UserError(f"{path}: changed since {self.path} was written. Build the manifest again.")
        try:
            return decode(data)
        except PictureError as error:
            raise UserError(f"{path}: {error}; listed as usable in {self.path}. Build it again.") from None


def first_by_name_hash(pictures: Sequence[Picture], limit: int | None) -> list[Picture]:
    """At most `limit` pictures, those that rank first by the SHA-256 of their name, in the given order.

    More pictures in a split displace only some of them.
    """
    if limit is None or limit >= len(pictures):
        return list(pictures)
    ranked = sorted(pictures, key=lambda picture: hashlib.sha256(picture.name.encode()).hexdigest())
    chosen = {picture.name for picture in ranked[:limit]}
    return [picture for picture in pictures if picture.name in chosen]


def write_manifest(path: Path, rows: Sequence[Picture]) -> None:
    """Write the rows as CSV, whole or not at all."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row) for row in rows)
    write_text(path, text.getvalue())


def read_manifest(path: Path) -> Manifest:
    """Read a manifest.

    Raises: UserError if the file is missing or has other columns.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            reader = csv.DictReader(handle)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise UserError(
                    f"{path}: columns {reader.fieldnames}; expected a manifest with {list(COLUMNS)}."
                )
            rows = tuple(
                Picture(**{**row, "width": int(row["width"]), "height": int(row["height"])})  # type: ignore[arg-type]
                for row in reader
            )
    except FileNotFoundError:
        raise UserError(f"{path}: no such manifest. Build it with `data-prep build`.") from None
    except (OSError, UnicodeDecodeError, TypeError, ValueError) as error:
        raise UserError(f"{path}: not a readable manifest ({error}).") from None
    return Manifest(path, rows)


def describe_folder(folder: Path, split: str) -> Manifest:
    """Describe a folder of pictures as a manifest without writing one, in order of the names.

    Unreadable pictures become rows with status `error`. Not recursive.

    Raises: UserError if the folder is missing or holds no file with a picture's ending.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; expected a folder of pictures.")
    files = sorted(p for p in folder.iterdir() if p.is_file() and p.suffix.lower() in PICTURE_SUFFIXES)
    if not files:
        raise UserError(
            f"{folder}: no pictures; expected files ending in {', '.join(sorted(PICTURE_SUFFIXES))}."
        )
    return Manifest(folder / "manifest.csv", tuple(describe_picture(p, split, p.name, p.name) for p in files))


def describe_picture(file: Path, split: str, path: str, source: str) -> Picture:
    """Decode one file and describe it; an unreadable one becomes a row with status `error` and the reason."""
    data = file.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    try:
        picture = decode(data)
    except PictureError as error:
        return Picture(split, file.name, "", digest, "", "", 0, 0, ERROR, str(error), source)
    height, width = picture.rgb.shape[:2]
    return Picture(
        split, file.name, path, digest, picture.format, picture.mode, width, height, KEPT, "", source
    )
