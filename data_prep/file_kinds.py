"""What a file is by its first bytes, whatever its name."""

from __future__ import annotations

import re
from pathlib import Path

HEAD_BYTES = 4096
"""How much of a file's beginning `recognise` looks at."""

_MAGIC = (
    (rb"PK\x03\x04|PK\x05\x06", "zip"),
    (rb"\x1f\x8b", "gzip"),
    (rb"PAR1", "parquet"),
    (rb"\xff\xd8\xff", "JPEG"),
    (rb"\x89PNG\r\n\x1a\n", "PNG"),
    (rb"GIF8[79]a", "GIF"),
    (rb"RIFF.{4}WEBP", "WEBP"),
    (rb"II\*\x00|MM\x00\*", "TIFF"),
    (rb"BM.{4}\x00{4}", "BMP"),
    (rb"P[1-6]\s", "PPM"),
    (rb".{257}ustar", "tar"),
    (
        rb"(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?(<!--((?!-->).)*-->\s*)*"
        rb"<(?i:!doctype\s+html|html|head|body|title|script|meta)\b",
        "html",
    ),
)


def recognise(head: bytes) -> str:
    """Say what a file is by its first `HEAD_BYTES`, whatever its name.

    Returns "zip", "gzip", "tar", "parquet", "html", a picture's format as in `ugatit.images.EXTENSIONS`,
    or "other".
    """
    found = (kind for magic, kind in _MAGIC if re.match(magic, head, re.DOTALL))
    return next(found, "other")


def read_head(file: Path) -> bytes:
    """The beginning of a file, for `recognise`."""
    with file.open("rb") as handle:
        return handle.read(HEAD_BYTES)
