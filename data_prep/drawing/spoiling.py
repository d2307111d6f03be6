"""What happens to pictures in the wild: changes of their pixels, and odd or broken files."""

from __future__ import annotations

import io
from collections.abc import Callable

import cv2
import numpy as np
from PIL import ExifTags, Image

HTML = b"<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head><body>Not Found</body></html>\n"

SEPIA = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]])
"""The usual sepia matrix, RGB to RGB."""

ROTATED_LEFT = 6
"""EXIF orientation: to be turned clockwise by a quarter to be upright."""

BLUR = 0.03
"""Standard deviation of a blurred picture in its widths."""

KEPT_BYTES = 0.6
"""Part of a truncated file that is left."""


def grey(rgb: np.ndarray) -> np.ndarray:
    """Take the colour out of a picture (H, W, 3), uint8."""
    return np.asarray(Image.fromarray(rgb).convert("L").convert("RGB"))


def sepia(rgb: np.ndarray) -> np.ndarray:
    """Brown a picture (H, W, 3), uint8, as old photographs are."""
    return np.asarray((rgb @ SEPIA.T).round().clip(0, 255), dtype=np.uint8)


def blur(rgb: np.ndarray) -> np.ndarray:
    """Put a picture (H, W, 3), uint8, out of focus."""
    return np.asarray(cv2.GaussianBlur(rgb, (0, 0), BLUR * rgb.shape[1]))


def save(image: Image.Image, format_name: str, **options: object) -> bytes:
    """The bytes of a picture file."""
    stream = io.BytesIO()
    image.save(stream, format=format_name, **options)
    return stream.getvalue()


def save_cmyk(rgb: np.ndarray) -> bytes:
    """A JPEG for printers."""
    return save(Image.fromarray(rgb).convert("CMYK"), "JPEG", quality=92)


def save_grey_jpeg(rgb: np.ndarray) -> bytes:
    """A JPEG with one channel."""
    return save(Image.fromarray(rgb).convert("L"), "JPEG", quality=90)


def save_sixteen_bit(rgb: np.ndarray) -> bytes:
    """A grey PNG of 16 bits."""
    levels = np.asarray(Image.fromarray(rgb).convert("L"), dtype=np.uint16) * 257
    return save(Image.fromarray(levels), "PNG")


def save_rotated(rgb: np.ndarray) -> bytes:
    """A JPEG that lies on its side, with the EXIF entry that sets it upright."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = ROTATED_LEFT
    return save(Image.fromarray(np.rot90(rgb)), "JPEG", quality=90, exif=exif)


def save_transparent(rgb: np.ndarray) -> bytes:
    """A PNG that is transparent, over black, outside an oval."""
    inside = _oval(rgb)
    return save(Image.fromarray(np.dstack([rgb * inside[..., None], inside * 255])), "PNG")


def save_palette(rgb: np.ndarray) -> bytes:
    """A PNG of few colours, one of which is transparent outside an oval."""
    few = Image.fromarray(rgb).quantize(250)
    last = 255
    levels = np.where(_oval(rgb), np.asarray(few), last).astype(np.uint8)
    image = Image.frombytes("P", few.size, levels.tobytes())
    palette = few.getpalette() or []
    image.putpalette(palette + [0] * (768 - len(palette)))
    return save(image, "PNG", transparency=last)


def save_animation(rgb: np.ndarray) -> bytes:
    """A GIF whose second frame is brighter."""
    first, second = Image.fromarray(rgb), Image.fromarray(255 - (255 - rgb) // 2)
    return save(first, "GIF", save_all=True, append_images=[second], duration=200)


def save_truncated(rgb: np.ndarray) -> bytes:
    """A JPEG whose end is missing."""
    whole = save(Image.fromarray(rgb), "JPEG", quality=92)
    return whole[: int(len(whole) * KEPT_BYTES)]


def save_png(rgb: np.ndarray) -> bytes:
    """An ordinary PNG."""
    return save(Image.fromarray(rgb), "PNG")


def _oval(rgb: np.ndarray) -> np.ndarray:
    """1 within the oval that touches the picture's sides, 0 outside; uint8."""
    height, width = rgb.shape[:2]
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return (x * x + y * y <= 1).astype(np.uint8)


CHANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {"grey": grey, "sepia": sepia, "blurred": blur}
"""Kinds of trouble that are in the pixels."""

ODD_FILES: dict[str, tuple[Callable[[np.ndarray], bytes], str]] = {
    "grey-jpeg": (save_grey_jpeg, ".jpg"),
    "cmyk": (save_cmyk, ".jpg"),
    "exif-rotated": (save_rotated, ".jpg"),
    "misnamed": (save_png, ".jpg"),
    "palette": (save_palette, ".png"),
    "transparent": (save_transparent, ".png"),
    "sixteen-bit": (save_sixteen_bit, ".png"),
    "animated": (save_animation, ".gif"),
    "truncated": (save_truncated, ".jpg"),
    "html": (lambda rgb: HTML, ".jpg"),
    "empty": (lambda rgb: b"", ".jpg"),
}
"""Kinds of trouble that are in the file, with the ending of its name."""
