"""Pictures: the one decoder, and the only place that knows uint8 [0, 255] and float32 [-1, 1]."""

from __future__ import annotations

import io
import struct
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ugatit.files import atomic_path

if TYPE_CHECKING:  # PyTorch takes seconds to import, and most users of this module only decode.
    from torch import Tensor

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "PPM", "TIFF", "GIF")
"""Formats that are decoded; all others are refused, so that rarely used decoders are never reached."""

EXTENSIONS = {
    "JPEG": ".jpg",
    "PNG": ".png",
    "WEBP": ".webp",
    "BMP": ".bmp",
    "PPM": ".ppm",
    "TIFF": ".tif",
    "GIF": ".gif",
}
"""The file extension that belongs to each format."""

PICTURE_SUFFIXES = frozenset({*EXTENSIONS.values(), ".jpeg", ".tiff", ".pgm", ".pbm", ".pnm"})
"""File name endings (lower case) by which a folder's pictures are found."""

MAX_PIXELS = 50_000_000
"""Larger pictures are refused before they are decoded."""

DAMAGE = (
    OSError,
    ValueError,
    SyntaxError,
    LookupError,
    MemoryError,
    TypeError,
    ArithmeticError,
    EOFError,
    struct.error,
)
"""What Pillow raises on damaged bytes; found by damaging pictures of every format at random."""


class PictureError(Exception):
    """A file is not a usable picture; the message is the reason, without the file's name."""


@dataclass(frozen=True)
class Decoded:
    """A decoded picture and what its file said: RGB uint8 (H, W, 3), format and mode before conversion."""

    rgb: np.ndarray
    format: str
    mode: str


def decode(data: bytes) -> Decoded:
    """Decode a picture file to RGB.

    EXIF rotation is applied, transparency is laid over white, grey and CMYK become RGB, 16-bit grey is
    scaled, and of an animation the first frame is taken.

    Shape: returns rgb (H, W, 3), uint8.
    Raises: PictureError with the reason if the bytes are no whole picture of a known format.
    """
    if not data:
        raise PictureError("empty file")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = Image.open(io.BytesIO(data), formats=FORMATS)
        except UnidentifiedImageError:
            raise PictureError(f"not a picture ({_describe_bytes(data)})") from None
        except (*DAMAGE, Image.DecompressionBombError) as error:
            raise PictureError(f"not a readable picture ({error})") from None
        if image.width * image.height > MAX_PIXELS:
            raise PictureError(f"too large ({image.width}x{image.height}, at most {MAX_PIXELS} pixels)")
        # Pillow calls a JPEG with further views, as phones write them, MPO; the first view is the picture.
        format_name, mode = "JPEG" if image.format == "MPO" else str(image.format), image.mode
        try:
            image.load()
            rgb = _to_rgb(ImageOps.exif_transpose(image))
        except DAMAGE as error:
            reason = "truncated" if "truncated" in str(error) else f"damaged ({error})"
            raise PictureError(reason) from None
    return Decoded(np.asarray(rgb, dtype=np.uint8), format_name, mode)


def read_rgb(path: Path) -> np.ndarray:
    """Read a picture file.

    Shape: returns (H, W, 3), uint8.
    Raises: PictureError with the reason if it is no usable picture; OSError if it cannot be opened.
    """
    return decode(Path(path).read_bytes()).rgb


def resize(rgb: np.ndarray, image_px: int) -> np.ndarray:
    """Resize to a square, bilinear with antialiasing; the aspect ratio is not kept, as in the authors' code.

    Shape: rgb (H, W, 3) -> (image_px, image_px, 3), uint8. A picture of that size is returned as it is.
    Source: section 5 (training details); filter: decision D25.
    """
    if rgb.shape[:2] == (image_px, image_px):
        return rgb
    image = Image.fromarray(rgb).resize((image_px, image_px), Image.Resampling.BILINEAR)
    return np.asarray(image, dtype=np.uint8)


def to_tensor(rgb: np.ndarray) -> Tensor:
    """Turn pictures into network input.

    Shape: (H, W, 3) -> (3, H, W), or with a leading batch dimension.
    Range: uint8 [0, 255] -> float32 [-1, 1].
    """
    import torch

    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(rgb, -1, -3))).float() / 127.5 - 1.0


def to_uint8(picture: Tensor) -> np.ndarray:
    """Turn network output into pictures, rounding to the nearest level (decision D26).

    Shape: (3, H, W) -> (H, W, 3), or with a leading batch dimension.
    Range: float [-1, 1] -> uint8 [0, 255]; values outside are clipped.
    """
    levels = ((picture.detach().float().cpu() + 1.0) * 127.5).round().clamp(0, 255).byte()
    return np.moveaxis(levels.numpy(), -3, -1)


def write_png(path: Path, rgb: np.ndarray) -> None:
    """Write a picture (H, W, 3), uint8, as PNG, whole or not at all."""
    with atomic_path(path) as part:
        Image.fromarray(np.ascontiguousarray(rgb)).save(part, format="PNG")


def _to_rgb(image: Image.Image) -> Image.Image:
    """Convert any mode to RGB the way a viewer would show it."""
    if image.mode in ("I;16", "I;16L", "I;16B", "I"):
        levels = np.asarray(image, dtype=np.float64) / 257.0
        return Image.fromarray(levels.round().clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")


def _describe_bytes(data: bytes) -> str:
    """Say in a word what bytes that are no picture look like."""
    head = data[:512].lstrip().lower()
    if head.startswith((b"<!doctype html", b"<html")):
        return "HTML page"
    if data[:2] == b"PK":
        return "zip archive"
    try:
        data[:512].decode("utf-8")
    except UnicodeDecodeError:
        return "unknown bytes"
    return "text"
