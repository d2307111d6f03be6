"""The picture files of a report, named by their content: nothing is written twice, nothing old stays."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from ugatit.errors import UserError
from ugatit.images import PictureError, decode, resize

ID_DIGITS = 20
"""Digits of a hash that name a file: 80 bits, so that no two of a million pictures meet."""

THUMBNAIL_PX = 160
"""Side of a thumbnail; pictures up to this side are their own."""

JPEG_QUALITY = 88

REMEDY = "Make it again with the step that wrote it."


class PictureStore:
    """Collects the pictures of a report, then writes those that are missing and removes all others."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._wanted: dict[Path, Callable[[Path], None]] = {}

    def add_file(self, file: Path, sha256: str, thumbnail: bool) -> str:
        """Take over a PNG as it is. Returns: the name by which the page finds it."""
        name = sha256[:ID_DIGITS]
        self._want("pictures", name, ".png", partial(_link, file, sha256))
        if thumbnail:
            self._want("thumbnails", name, ".jpg", partial(_write_thumbnail, file, sha256))
        return name

    def add_square(self, file: Path, sha256: str, side_px: int) -> str:
        """Take over a picture of any kind as the models see it: a square of their size."""
        name = hashlib.sha256(f"{sha256} {side_px}".encode()).hexdigest()[:ID_DIGITS]
        self._want("pictures", name, ".png", partial(_write_square, file, sha256, side_px))
        if side_px > THUMBNAIL_PX:
            self._want("thumbnails", name, ".jpg", partial(_write_thumbnail, file, sha256))
        return name

    def add_levels(self, levels: np.ndarray, palette: bytes) -> str:
        """Draw a map, uint8 (h, w), in 256 colours."""
        digest = hashlib.sha256(str(levels.shape).encode() + palette + levels.tobytes())
        name = digest.hexdigest()[:ID_DIGITS]
        self._want("pictures", name, ".png", partial(_write_levels, levels, palette))
        return name

    def write(self, threads: int) -> None:
        """Write what is missing, and remove what no one asked for.

        Raises: UserError if a file changed since it was described, or cannot be read.
        """
        for folder in {path.parent for path in self._wanted}:
            folder.mkdir(parents=True, exist_ok=True)
        missing = [(path, write) for path, write in self._wanted.items() if not path.is_file()]
        with ThreadPoolExecutor(threads) as pool:
            try:
                list(pool.map(_write_whole, *zip(*missing, strict=True)) if missing else ())
            finally:
                pool.shutdown(cancel_futures=True)
        for kind in ("pictures", "thumbnails"):
            for path in (self._folder / kind).glob("*/*"):
                if path not in self._wanted:
                    path.unlink()

    def _want(self, kind: str, name: str, suffix: str, write: Callable[[Path], None]) -> None:
        """Ask for a file; folders by the first two digits keep listings short."""
        self._wanted.setdefault(self._folder / kind / name[:2] / f"{name}{suffix}", write)


def _write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Write beside and rename, without flushing each file to disk: a report is quickly made again."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    try:
        write(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _read(file: Path, sha256: str) -> bytes:
    """A file's bytes, if they are those that were described."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise UserError(f"{file}: {error.strerror}; the report shows it. {REMEDY}") from None
    if hashlib.sha256(data).hexdigest() != sha256:
        raise UserError(f"{file}: changed since it was described. {REMEDY}")
    return data


def _decode(file: Path, sha256: str) -> np.ndarray:
    try:
        return decode(_read(file, sha256)).rgb
    except PictureError as error:
        raise UserError(f"{file}: {error}; the report shows it. {REMEDY}") from None


def _link(file: Path, sha256: str, part: Path) -> None:
    """A second name of the same bytes on disk where that is possible, else a copy."""
    _read(file, sha256)
    try:
        os.link(file.resolve(), part)
    except OSError:
        shutil.copyfile(file, part)


def _write_square(file: Path, sha256: str, side_px: int, part: Path) -> None:
    Image.fromarray(resize(_decode(file, sha256), side_px)).save(part, "PNG", compress_level=3)


def _write_thumbnail(file: Path, sha256: str, part: Path) -> None:
    thumbnail = Image.fromarray(resize(_decode(file, sha256), THUMBNAIL_PX))
    thumbnail.save(part, "JPEG", quality=JPEG_QUALITY)


def _write_levels(levels: np.ndarray, palette: bytes, part: Path) -> None:
    image = Image.fromarray(levels)
    image.putpalette(palette)
    image.save(part, "PNG", optimize=True)
