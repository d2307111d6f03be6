"""What one file of a dataset is: format, size, peculiarities, and the hashes by which it is compared."""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image

from data_prep.likeness import perceptual_hash
from data_prep.sources import printable
from ugatit.images import DAMAGE, EXTENSIONS, FORMATS, PictureError, decode

FORMAT_OF_SUFFIX = {
    **{suffix: name for name, suffix in EXTENSIONS.items()},
    ".jpeg": "JPEG",
    ".tiff": "TIFF",
    ".pgm": "PPM",
    ".pbm": "PPM",
    ".pnm": "PPM",
}

UPRIGHT = 1
"""EXIF orientation of a picture that is stored as it is to be seen."""


@dataclass(frozen=True)
class Examined:
    """What is kept of one file: everything but its pixels."""

    split: str
    name: str
    """Relative to the dataset's folder, such as trainA/cats/1.jpg."""
    reason: str = ""
    """Why it cannot be read; empty if it can, and only then the rest is known."""
    format: str = ""
    mode: str = ""
    width: int = 0
    height: int = 0
    """Size in pixels after rotation by EXIF."""
    content: str = ""
    """SHA-256 of the bytes."""
    pixels: str = ""
    """SHA-256 of size and RGB pixels."""
    look: int | None = None
    """Perceptual hash; None if the picture is of one colour."""
    mirrored: int | None = None
    """Perceptual hash of the picture flipped left to right."""
    grey: bool = False
    transparent: bool = False
    rotated: bool = False
    animated: bool = False

    @property
    def usable(self) -> bool:
        """Whether the builder would take it."""
        return not self.reason

    @property
    def misnamed(self) -> bool:
        """Whether the extension names another format than the bytes have."""
        return self.usable and FORMAT_OF_SUFFIX[Path(self.name).suffix.lower()] != self.format


def examine(file: Path, root: Path, split: str) -> Examined:
    """Read one file with a picture's ending; never raises for what is wrong with it."""
    name = printable(file.relative_to(root).as_posix())
    try:
        data = file.read_bytes()
        picture = decode(data)
    except OSError as error:
        return Examined(split, name, f"cannot be opened ({error.strerror})")
    except PictureError as error:
        return Examined(split, name, str(error))
    transparent, rotated, animated = peculiarities(data)
    rgb = np.ascontiguousarray(picture.rgb)
    height, width = rgb.shape[:2]
    return Examined(
        split,
        name,
        format=picture.format,
        mode=picture.mode,
        width=width,
        height=height,
        content=hashlib.sha256(data).hexdigest(),
        pixels=hashlib.sha256(f"{width}x{height}:".encode() + rgb.tobytes()).hexdigest(),
        look=perceptual_hash(rgb),
        mirrored=perceptual_hash(np.ascontiguousarray(rgb[:, ::-1])),
        grey=bool((rgb[..., 0] == rgb[..., 1]).all() and (rgb[..., 1] == rgb[..., 2]).all()),
        transparent=transparent,
        rotated=rotated,
        animated=animated,
    )


def peculiarities(data: bytes) -> tuple[bool, bool, bool]:
    """Whether a picture that can be decoded is transparent, rotated by EXIF, animated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            transparent = "A" in image.getbands() or "transparency" in image.info
            rotated = image.getexif().get(ExifTags.Base.Orientation, UPRIGHT) != UPRIGHT
            return transparent, rotated, _is_animated(image)


def _is_animated(image: Image.Image) -> bool:
    """Whether there is a second frame; the further views of a phone's JPEG are none, damaged ones neither."""
    try:
        return image.format != "MPO" and bool(getattr(image, "is_animated", False))
    except DAMAGE:
        return False
