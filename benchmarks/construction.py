"""How fast raw pictures become a dataset: `python -m benchmarks.construction`.

Draws selfies of 306 px and anime pictures of 512 px, or takes folders of real ones, and runs the stages that
take the time with the settings of params.yaml: decode, detect and crop, and super-resolution from 128 to 256
px. Once with all cores and once with one process, in the same run on the same machine.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image

from data_prep.drawing.anime import draw_anime
from data_prep.drawing.selfie import draw_selfie
from data_prep.items import Item
from data_prep.measuring import Stage, measure_all
from data_prep.parallel import in_parallel
from data_prep.stages.crop import CropStage
from data_prep.stages.decode import DecodeStage
from data_prep.stages.detect import DetectStage
from data_prep.stages.index import index
from data_prep.stages.upscale import UpscaleStage
from ugatit.construction import SideStages
from ugatit.images import write_png
from ugatit.manifest import KEPT
from ugatit.params import load
from ugatit.sources import RawSide

SELFIE_PX, ANIME_PX, SMALL_PX = 306, 512, 128
WARM_UP = 16
"""Pictures that are measured alone, to know how long loading takes."""


def main(
    pictures: Annotated[int, typer.Option(help="How many to draw per side.")] = 400,
    selfies: Annotated[Path | None, typer.Option(help="Instead: a folder of selfies.")] = None,
    anime: Annotated[Path | None, typer.Option(help="Instead: a folder of anime pictures.")] = None,
    params: Annotated[Path, typer.Option(help="The parameter file.")] = Path("params.yaml"),
    processes: Annotated[int, typer.Option(help="Processes of the first run.")] = os.cpu_count() or 1,
    output: Annotated[Path | None, typer.Option(help="File for the numbers as JSON.")] = None,
) -> None:
    """Measure pictures per second, without the seconds that loading takes, and the memory of one process."""
    stages = load(params).construction
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sides = (
            ("selfies, MTCNN", stages.a, selfies or _draw("selfie", folder / "selfies", pictures)),
            ("anime, lbpcascade", stages.b, anime or _draw("anime", folder / "anime", pictures)),
        )
        for title, side, raw in sides:
            items = _items(raw)
            for count in dict.fromkeys((processes, 1)):
                work = folder / f"{title}-{count}"
                speed = _speed(_found_and_cut(side, raw, work), items, work, count)
                rows.append((f"decode + detect + crop: {title}", count, len(items), speed))
        small = _small(_items(sides[1][2]), sides[1][2], folder / "small")
        for count in dict.fromkeys((processes, 1)):
            work = folder / f"sr-{count}"
            shutil.copytree(folder / "small", work)
            stage = UpscaleStage(stages.b.upscale.model_copy(update={"size_px": 2 * SMALL_PX}), work)
            speed = _speed([stage], small, work, count)
            rows.append((f"waifu2x {stages.b.upscale.model}, 128 to 256 px", count, len(small), speed))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    for title, count, number, speed in rows:
        typer.echo(f"{title:42} {count} process{'es' * (count > 1):3} {number:6} pictures {speed:8.1f}/s")
    typer.echo(f"largest process: {peak} MB")
    if output is not None:
        columns = ("what", "processes", "pictures", "per_s")
        output.write_text(json.dumps([dict(zip(columns, row, strict=True)) for row in rows], indent=2) + "\n")


def _draw(what: str, folder: Path, count: int) -> Path:
    """A folder of drawn pictures, with faces of several sizes."""
    folder.mkdir()

    def draw(number: int) -> None:
        face = 0.3 + 0.2 * (number % 5) / 5
        if what == "selfie":
            rgb = draw_selfie(0, number, SELFIE_PX, face=max(face, 0.38)).rgb
            Image.fromarray(rgb).save(folder / f"{number:05d}.jpg", quality=90)
        else:
            rgb = draw_anime(0, number, ANIME_PX, face=face).rgb
            Image.fromarray(rgb).save(folder / f"{number:05d}.jpg", quality=90)

    in_parallel(draw, range(count), os.cpu_count() or 1, f"drawing {what}")
    return folder


def _items(raw: Path) -> list[Item]:
    """The pictures of a folder, indexed."""
    side = RawSide(source="benchmark", pictures=".", metadata=None)
    return [item for item in index(raw, side, 1) if item.status == KEPT]


def _found_and_cut(side: SideStages, raw: Path, work: Path) -> list[Stage]:
    """The stages from a file to a crop."""
    return [
        DecodeStage(side.decode, raw),
        DetectStage(side.detect, raw),
        CropStage(side.crop, raw, work),
    ]


def _small(items: Sequence[Item], raw: Path, folder: Path) -> list[Item]:
    """Pictures of 128 px, as crops that are kept."""
    small = []
    for item in items:
        with Image.open(raw / item.file) as image:
            pixels = image.convert("RGB").resize((SMALL_PX, SMALL_PX), Image.Resampling.BOX)
        write_png(folder / f"{item.item_id}.png", np.asarray(pixels))
        small.append(replace(item, crop=f"{item.item_id}.png", crop_px=SMALL_PX))
    return small


def _speed(stages: Sequence[Stage], items: Sequence[Item], work: Path, processes: int) -> float:
    """Pictures per second through all stages, apart from loading: many pictures' time less a few's."""
    few, many = list(items[:WARM_UP]), list(items)
    _run(stages, few, work / "first", processes)
    with _clock() as short:
        _run(stages, few, work / "few", processes)
    with _clock() as long:
        _run(stages, many, work / "many", processes)
    return (len(many) - len(few)) / max(long[0] - short[0], 1e-9)


def _run(stages: Sequence[Stage], items: list[Item], journals: Path, processes: int) -> None:
    for stage in stages:
        items = measure_all(stage, items, journals, processes)


@contextmanager
def _clock() -> Iterator[list[float]]:
    """A list that holds the elapsed seconds afterwards."""
    elapsed = [0.0]
    began = time.perf_counter()
    yield elapsed
    elapsed[0] = time.perf_counter() - began


if __name__ == "__main__":
    typer.run(main)
