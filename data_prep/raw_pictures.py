"""Reading a raw picture that was indexed before."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from data_prep.items import Item
from ugatit.images import PictureError, decode


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
