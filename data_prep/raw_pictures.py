"""Reading a raw picture that was indexed before, and the pictures that stages made of it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from data_prep.items import Item
from ugatit.errors import UserError
from ugatit.images import PictureError, decode, read_rgb


def read_item(pictures: Path, item: Item) -> bytes:
    """The bytes of an item's file.

    Raises: PictureError if it cannot be opened or is another file than the one that was indexed.
    """
    try:
        data = (pictures / item.file).read_bytes()
    except OSError as error:
        raise PictureError(f"cannot be opened ({error.strerror})") from None
    if hashlib.sha256(data).hexdigest() != item.sha256:
        raise PictureError("changed since it was indexed")
    return data


def decode_item(pictures: Path, item: Item) -> np.ndarray:
    """The pixels of an item's file.

    Shape: returns (H, W, 3), uint8.
    Raises: PictureError.
    """
    return decode(read_item(pictures, item)).rgb


def read_made(folder: Path, name: str, stage: str) -> np.ndarray:
    """The pixels of a picture that a stage made.

    Shape: returns (H, H, 3), uint8.
    Raises: UserError if somebody removed or damaged it.
    """
    file = folder / name
    try:
        return read_rgb(file)
    except (OSError, PictureError) as error:
        raise UserError(
            f"{file}: made by the stage {stage}, unreadable ({error}). Delete it and {folder / stage}.csv "
            "and run the same target again: both are made anew."
        ) from None
