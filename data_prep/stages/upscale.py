"""Stage 9, upscale: every crop that is kept, at the dataset's size."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import PIL

from data_prep.items import Item
from data_prep.measuring import Columns, Measure, Stage
from data_prep.raw_pictures import read_made
from data_prep.stages.order import STAGE_VERSIONS
from data_prep.waifu2x import Waifu2x, upscale
from ugatit.construction import Upscale
from ugatit.images import write_png
from ugatit.manifest import KEPT


@dataclass(frozen=True)
class UpscaleStage(Stage):
    """Doubles small crops by super-resolution, as often as it takes, and reduces to the size."""

    settings: Upscale
    folder: Path

    name: ClassVar[str] = "upscale"
    reads: ClassVar[tuple[str, ...]] = ("crop",)

    def concerns(self, item: Item) -> bool:
        """Whether the picture is in."""
        return item.status == KEPT

    def recipe(self) -> dict[str, Any]:
        """Settings and versions; the network is loaded for its self-test."""
        net = self._net()
        versions = {"pillow": PIL.__version__, "waifu2x": net.version if net else None}
        return {"code": STAGE_VERSIONS[self.name], "settings": self.settings.model_dump(), **versions}

    def open(self) -> Measure:
        """Load the network."""
        net = self._net()

        def measure(item: Item, key: str) -> Columns:
            rgb, factor = upscale(read_made(self.folder, item.crop, "crop"), self.settings.size_px, net)
            path = f"upscaled/{key[:2]}/{key}.png"
            write_png(self.folder / path, rgb)
            return {"upscaled": path, "factor": factor}

        return measure

    def complete(self, columns: Columns) -> bool:
        """Whether the picture is still there."""
        return (self.folder / columns["upscaled"]).exists()

    def _net(self) -> Waifu2x | None:
        return Waifu2x(self.settings.model, self.settings.denoise) if self.settings.model else None
