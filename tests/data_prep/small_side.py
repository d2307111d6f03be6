"""A small side of a construction for the tests: raw pictures with a table, and the stages run on them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from data_prep.construct import Work, run_stage
from data_prep.items import Item
from data_prep.obtain import Obtained
from data_prep.stages.order import SIDE_STAGES
from ugatit.construction import AnimeFace, SideStages
from ugatit.manifest import KEPT
from ugatit.params import Params
from ugatit.sources import RawSide

SIDE = RawSide(source="mine", pictures="pictures", metadata="table.csv", format="table")

DETECTOR = AnimeFace(name="animeface", max_side_px=256, min_face_px=24)
"""The detector that needs no file and loads in no time."""


def encoded(picture: np.ndarray | Image.Image, format_name: str = "PNG", **options: object) -> bytes:
    """The bytes of a picture file."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    stream = io.BytesIO()
    image.save(stream, format=format_name, **options)
    return stream.getvalue()


def plain(level: int, width: int = 80, height: int = 64) -> bytes:
    """A picture file of one grey level."""
    return encoded(np.full((height, width, 3), level, dtype=np.uint8))


def item(number: int = 0, **columns: Any) -> Item:
    """An item that is in; its number makes it another one."""
    made = Item(f"{number:016x}", f"{number}.png", f"{number:064x}", 10, KEPT)
    return replace(made, **columns)


def small_stages(params: Params, **changes: Mapping[str, object]) -> SideStages:
    """Side B of params.yaml with a detector that is at hand and no network; `changes` per stage."""
    defaults: dict[str, dict[str, object]] = {
        "detect": {"detector": DETECTOR},
        "crop": {"scale": 1.5},
        "upscale": {"size_px": 48, "model": None},
    }
    stages = params.construction.b
    for values in (defaults, changes):
        updated = {name: getattr(stages, name).model_copy(update=dict(v)) for name, v in values.items()}
        stages = stages.model_copy(update=updated)
    return stages


@dataclass(frozen=True)
class SmallSide:
    """Raw pictures below `root`, manifests in `folder`."""

    root: Path
    folder: Path
    stages: SideStages
    threads: int = 1

    def add(self, name: str, data: bytes, gender: str = "Female") -> None:
        """Add a raw picture with a row in the table."""
        file = self.root / SIDE.pictures / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        table = self.root / str(SIDE.metadata)
        lines = table.read_text() if table.exists() else "file,gender\n"
        table.write_text(f"{lines}{name},{gender}\n")

    def work(self, stage: str, **options: Any) -> Work:
        """What a stage is given."""
        obtained = Obtained(
            folder=str(self.root),
            swap=False,
            made=False,
            origin={},
            archive=None,
            fingerprint="",
            state="first",
        )
        number = SIDE_STAGES.index(stage)
        before = self.folder / f"{SIDE_STAGES[number - 1]}.csv" if number else None
        output = self.folder / f"{stage}.csv"
        return Work(obtained, SIDE, before, output, self.threads, auto=True, **options)

    def settings(self, stage: str) -> dict[str, Any]:
        """A stage's group of the parameters."""
        if stage == "index":
            return {}
        return (self.stages if stage == "review" else getattr(self.stages, stage)).model_dump()

    def run(self, stage: str, **options: Any) -> list[Item]:
        """Run one stage; the one before must have run."""
        return run_stage(stage, self.settings(stage), self.work(stage, **options))

    def run_to(self, last: str, **options: Any) -> dict[str, Item]:
        """Run the stages up to one; the items by file."""
        for stage in SIDE_STAGES[: SIDE_STAGES.index(last) + 1]:
            items = self.run(stage, **(options if stage == "split" else {}))
        return {item.file: item for item in items}

    def files(self) -> dict[str, bytes]:
        """Everything that the stages wrote, but for the journals, whose lines come in any order."""
        return {
            file.relative_to(self.folder).as_posix(): file.read_bytes()
            for file in self.folder.rglob("*")
            if file.is_file() and file.suffix != ".jsonl"
        }
