"""Stage 2, decode: which files are whole pictures of a usable size, and what is peculiar about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import PIL

from data_prep.examine import FORMAT_OF_SUFFIX, peculiarities
from data_prep.items import Item, kind
from data_prep.measuring import Columns, Measure, Stage
from data_prep.raw_pictures import read_item
from data_prep.stages.order import STAGE_VERSIONS
from ugatit.construction import Decode
from ugatit.errors import UserError
from ugatit.images import PictureError, decode
from ugatit.manifest import DROPPED, ERROR


@dataclass(frozen=True)
class DecodeStage(Stage):
    """Reads every picture once."""

    settings: Decode
    pictures: Path

    name: ClassVar[str] = "decode"
    reads: ClassVar[tuple[str, ...]] = ("sha256", "file")

    def recipe(self) -> dict[str, Any]:
        """Version of this code and of the decoder."""
        return {"code": STAGE_VERSIONS[self.name], "pillow": PIL.__version__}

    def open(self) -> Measure:
        """Nothing to load."""
        return self._measure

    def decide(self, item: Item) -> Item:
        """Drop small pictures."""
        if not item.alive:
            return item
        least = self.settings.min_side_px
        if min(item.width or 0, item.height or 0) < least:
            return item.out(
                DROPPED, self.name, f"small picture: {item.width}x{item.height}, at least {least}"
            )
        return item

    def _measure(self, item: Item, key: str) -> Columns:
        try:
            data = read_item(self.pictures, item)
            picture = decode(data)
        except PictureError as error:
            return {"status": ERROR, "stage": self.name, "reason": _problem(str(error))}
        transparent, rotated, animated = peculiarities(data)
        traits = {
            "alpha": transparent,
            "rotated": rotated,
            "animated": animated,
            "cmyk": picture.mode == "CMYK",
            "grey": picture.mode in ("L", "LA", "1") or picture.mode.startswith("I"),
            "misnamed": FORMAT_OF_SUFFIX[Path(item.file).suffix.lower()] != picture.format,
        }
        height, width = picture.rgb.shape[:2]
        return {
            "format": picture.format,
            "mode": picture.mode,
            "width": width,
            "height": height,
            "traits": ";".join(name for name, present in traits.items() if present),
        }


def require_few_errors(items: Sequence[Item], limit: float) -> None:
    """Refuse a source of which most is unreadable: it is more likely misplaced than damaged.

    Raises: UserError.
    """
    errors = [item for item in items if item.status == ERROR]
    if len(errors) > limit * len(items):
        raise UserError(
            f"decode: {len(errors)} of {len(items)} pictures cannot be read, such as {errors[0].file} "
            f"({errors[0].reason}); at most {limit:.0%} may. Look at the folder, or raise max_error_share."
        )


def _problem(reason: str) -> str:
    """A decoder's reason with its details after a colon."""
    head, _, detail = reason.partition(" (")
    return f"{head}: {detail.removesuffix(')')}" if detail else kind(reason)
