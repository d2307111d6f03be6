"""Stage 5, crop: the square around the face, written as a picture of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import PIL

from data_prep.faces.detection import Face
from data_prep.framing import cut, face_square, fit
from data_prep.items import Item
from data_prep.measuring import Columns, Measure, Stage
from data_prep.raw_pictures import decode_item
from data_prep.stages.order import STAGE_VERSIONS
from ugatit.construction import Crop
from ugatit.images import PictureError, write_png
from ugatit.manifest import DROPPED, ERROR


@dataclass(frozen=True)
class CropStage(Stage):
    """Cuts a square out of every picture with a face."""

    settings: Crop
    pictures: Path
    folder: Path
    """Of the manifest; crops go into a folder below it."""

    name: ClassVar[str] = "crop"
    reads: ClassVar[tuple[str, ...]] = (
        "sha256", "file", "face_left", "face_top", "face_width", "face_height",
    )  # fmt: skip

    def recipe(self) -> dict[str, Any]:
        """Settings, and versions of this code and of the decoder."""
        return {
            "code": STAGE_VERSIONS[self.name],
            "settings": self.settings.model_dump(),
            "pillow": PIL.__version__,
        }

    def open(self) -> Measure:
        """Nothing to load."""
        return self._measure

    def complete(self, columns: Columns) -> bool:
        """Whether the crop is still there."""
        return not columns.get("crop") or (self.folder / columns["crop"]).exists()

    def decide(self, item: Item) -> Item:
        """Drop faces that the picture cuts off."""
        if item.alive and not item.crop:
            return item.out(DROPPED, self.name, "out of frame")
        return item

    def _measure(self, item: Item, key: str) -> Columns:
        settings = self.settings
        try:
            rgb = decode_item(self.pictures, item)
        except PictureError as error:
            return {"status": ERROR, "stage": self.name, "reason": str(error)}
        square = face_square(
            _face(item), settings.scale, settings.reference, (settings.center_x, settings.center_y)
        )
        fitted = fit(square, rgb.shape[1], rgb.shape[0], settings.max_pad, settings.max_shift)
        if fitted is None:
            return {}
        path = f"crops/{key[:2]}/{key}.png"
        write_png(self.folder / path, cut(rgb, fitted))
        return {
            "crop": path,
            "crop_left": fitted.left,
            "crop_top": fitted.top,
            "crop_px": fitted.side,
            "shift_px": fitted.shift_px,
            "pad_px": fitted.pad_px,
        }


def _face(item: Item) -> Face:
    left, top, width, height = item.face_left, item.face_top, item.face_width, item.face_height
    if left is None or top is None or width is None or height is None:
        raise ValueError(f"{item.file}: to be cropped, but without a face")
    return Face(left, top, width, height)
