"""Translations made by any other program, taken over as if they had been made here."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from ugatit.datasets import DIRECTIONS, Direction
from ugatit.errors import UserError
from ugatit.files import atomic_path
from ugatit.images import PICTURE_SUFFIXES, PictureError, decode, write_png
from ugatit.manifest import Manifest, Picture, describe_picture, write_manifest

log = logging.getLogger(__name__)

Match = Literal["name", "number"]

TRAILING_NUMBER = re.compile(r"(\d+)$")

STRIP_TILES, STRIP_TRANSLATION = 7, 4
"""The authors' test pictures are columns of seven square tiles, of which the fifth is the translation."""

SHOWN_NAMES = 5


def import_translations(
    folder: Path,
    manifest: Manifest,
    split: str,
    direction: Direction,
    match: Match,
    output: Path,
    absent: Collection[str] = (),
) -> Manifest:
    """Take over a folder of translations of a split's pictures.

    `match`: `name` pairs files and pictures by their name without extension; `number` reads the number at the
    end of a file's name as the place of its picture among all of the split, in order of their names, from 1.
    That is how the authors' code numbers its test outputs; files of the other direction in the same folder
    are passed over, and of a strip of tiles the translation is cut out. `absent` names pictures that the
    other program did not have: they are not counted. PNG files are copied byte by byte, others re-encoded.

    Writes <stem>.png for every picture, and manifest.csv, in which unreadable files have status `error`.
    Pictures without a file, and files without a picture, are logged as warnings.

    Raises: UserError if the folder is missing, nothing matches, two files match one picture, or `absent`
        names a picture that is not in the split.
    """
    files = _find_files(Path(folder), direction)
    keys = _keys(manifest, split, match, absent)
    matched, unknown = _match(files, keys, match)
    pictures = manifest.kept(split)
    missing = [picture.name for picture in pictures if picture.name not in matched]
    if len(missing) == len(pictures):
        raise UserError(
            f"{folder}: no file matches a picture of {split} in {manifest.path} by {match}; found "
            f"{_some(p.name for p in files)}, expected {_expected(keys, match)}."
        )
    _warn(f"{folder}: no translation of", missing)
    _warn(f"{folder}: not a translation of any picture of {split}:", [path.name for path in unknown])
    if match == "number" and keys[str(len(keys))] not in matched:
        log.warning(
            "%s: the numbers end before the %d pictures of %s do. If the other program did not have one of "
            "them, all later pairs are shifted: compare a few, and name that picture as absent.",
            *(folder, len(keys), split),
        )
    output = Path(output)
    rows = [_take_over(matched[p.name], p, direction, output) for p in pictures if p.name in matched]
    path = output / "manifest.csv"
    write_manifest(path, rows)
    return Manifest(path, tuple(rows))


def _find_files(folder: Path, direction: Direction) -> list[Path]:
    """The folder's pictures, without those that are named after the other direction."""
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; expected a folder of translated pictures.")
    (other,) = set(DIRECTIONS) - {direction}
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES)
    files = [path for path in files if not path.name.lower().startswith(f"{other}_")]
    if not files:
        raise UserError(f"{folder}: no pictures of direction {direction}; expected translated pictures.")
    return files


def _keys(manifest: Manifest, split: str, match: Match, absent: Collection[str]) -> dict[str, str]:
    """Picture names by stem or place; those that were not kept count too, the other program saw them."""
    rows = {row.name: row for row in manifest.rows if row.split == split}
    if wrong := sorted(set(absent) - set(rows)):
        raise UserError(f"absent: {_some(wrong)} not among the pictures of {split} in {manifest.path}.")
    names = sorted(set(rows) - set(absent))
    if match == "name":
        return {rows[name].stem: name for name in names}
    return {str(place): name for place, name in enumerate(names, start=1)}


def _match(files: list[Path], keys: dict[str, str], match: Match) -> tuple[dict[str, Path], list[Path]]:
    """Files by the name of their picture, and files that have none."""
    matched: dict[str, Path] = {}
    unknown = []
    for path in files:
        name = keys.get(_key(path, match))
        if name is None:
            unknown.append(path)
        elif name in matched:
            raise UserError(
                f"{path.parent}: {matched[name].name} and {path.name} both match {name} by {match}; keep one."
            )
        else:
            matched[name] = path
    return matched, unknown


def _key(path: Path, match: Match) -> str:
    """What a file is matched by; a number without leading zeros."""
    if match == "name":
        return path.stem
    number = TRAILING_NUMBER.search(path.stem)
    return str(int(number.group(1))) if number else ""


def _take_over(file: Path, picture: Picture, direction: Direction, output: Path) -> Picture:
    """Store one translation and describe it."""
    name = f"{picture.stem}.png"
    try:
        decoded = decode(data := file.read_bytes())
    except PictureError as error:
        log.warning("%s: %s; left out", file, error)
        return replace(describe_picture(file, direction, "", picture.sha256), name=name)
    translation = _cut_strip(decoded.rgb)
    if decoded.format == "PNG" and translation is decoded.rgb:
        with atomic_path(output / name) as part:
            part.write_bytes(data)
    else:
        write_png(output / name, translation)
    return describe_picture(output / name, direction, name, picture.sha256)


def _cut_strip(rgb: np.ndarray) -> np.ndarray:
    """The translation's tile of an authors' strip; any other picture as it is."""
    height, side = rgb.shape[:2]
    if height != STRIP_TILES * side:
        return rgb
    return rgb[STRIP_TRANSLATION * side : (STRIP_TRANSLATION + 1) * side]


def _expected(keys: dict[str, str], match: Match) -> str:
    """What would have matched, in an example."""
    if match == "name":
        return _some(f"{stem}.png" for stem in keys)
    return f"names that end in a number from 1 to {len(keys)}"


def _warn(what: str, names: list[str]) -> None:
    """Log a count and the first names, if there are any."""
    if names:
        log.warning("%s %s (%d in all)", what, _some(names), len(names))


def _some(names: Iterable[str]) -> str:
    """The first few names."""
    listed = list(names)
    return ", ".join(listed[:SHOWN_NAMES]) + (", ..." if len(listed) > SHOWN_NAMES else "")
