"""Stage 6, quality: crops that are too small, too soft or without colour."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import cv2

from data_prep.items import REVIEW, Item
from data_prep.measuring import Columns, Measure, Stage
from data_prep.monochrome import colorfulness, judge
from data_prep.raw_pictures import read_made
from data_prep.sharpness import laplacian_variance
from data_prep.stages.order import STAGE_VERSIONS
from ugatit.construction import Quality
from ugatit.manifest import DROPPED


@dataclass(frozen=True)
class QualityStage(Stage):
    """Measures every crop; the limits are applied afterwards."""

    settings: Quality
    folder: Path

    name: ClassVar[str] = "quality"
    reads: ClassVar[tuple[str, ...]] = ("crop",)

    def concerns(self, item: Item) -> bool:
        """Whether there is a crop."""
        return bool(item.crop)

    def recipe(self) -> dict[str, Any]:
        """Versions: no setting changes a measurement."""
        return {"code": STAGE_VERSIONS[self.name], "opencv": cv2.__version__}

    def open(self) -> Measure:
        """Nothing to load."""
        return self._measure

    def decide(self, item: Item) -> Item:
        """Apply the limits: what is certainly bad is dropped, what is doubtful is for review."""
        if not item.alive:
            return item
        side, limits = item.crop_px or 0, self.settings
        if side < limits.min_side_px:
            return item.out(DROPPED, self.name, f"small face: {side} px, at least {limits.min_side_px}")
        if item.sharpness is not None and item.sharpness < limits.min_sharpness:
            return item.out(DROPPED, self.name, f"soft: {item.sharpness}, at least {limits.min_sharpness}")
        if limits.monochrome and item.c95 is not None and item.r90 is not None:
            verdict = judge(item.c95, item.r90, limits.monochrome)
            found = f"C95 {item.c95}, R90 {item.r90}"
            if verdict == "mono":
                return item.out(DROPPED, self.name, f"monochrome: {found}")
            if verdict == "review":
                return item.out(REVIEW, self.name, f"monochrome?: {found}")
        if side < limits.review_side_px:
            return item.out(REVIEW, self.name, f"small face?: {side} px, better {limits.review_side_px}")
        return item

    def _measure(self, item: Item, key: str) -> Columns:
        rgb = read_made(self.folder, item.crop, "crop")
        c95, r90 = colorfulness(rgb)
        return {"sharpness": laplacian_variance(rgb), "c95": c95, "r90": r90}
