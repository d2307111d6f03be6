"""Stage 11, export: the chosen pictures of both sides as trainA, trainB, testA and testB."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from data_prep.items import Item
from data_prep.parallel import in_parallel
from data_prep.placing import install, staging_folder
from data_prep.raw_pictures import read_made
from data_prep.stages.split import TEST, TRAIN
from ugatit.construction import Construction, Export, Side
from ugatit.files import sha256_json
from ugatit.manifest import KEPT, Picture, describe_picture

LISTED_IN = "stages/export.csv"
"""The rows of the manifest to come, beside the dataset's folders."""

JPEG_QUALITY = 95
NO_SUBSAMPLING = 0


def export(
    sides: Mapping[Side, Sequence[Item]], stages: Construction, output: Path, reviewed: bool, threads: int
) -> list[Picture]:
    """Write the pictures of all splits into a dataset's folder, and what they are to its list.

    Names are the items', so that a picture keeps its own when others come or go.

    Raises: UserError if the folder holds pictures that no build put there.
    """
    rows: list[Picture] = []
    with staging_folder(output) as staging:
        for part in (TRAIN, TEST):
            for side, items in sides.items():
                rows += _export(items, part, side, stages, output, staging, threads)
        source = {"kind": "constructed", "stages": stages.model_dump(), "reviewed": reviewed}
        install(staging, output, rows, source, sha256_json([row.sha256 for row in rows]), LISTED_IN)
    return rows


def stage_folder(output: Path, side: Side) -> Path:
    """Where the manifests, crops and journals of a side are, in a dataset's folder."""
    return output / "stages" / side


def _export(
    items: Sequence[Item],
    part: str,
    side: Side,
    stages: Construction,
    output: Path,
    staging: Path,
    threads: int,
) -> list[Picture]:
    """One split, in order of its ranks."""
    split = part + side.upper()
    settings = (stages.a if side == "a" else stages.b).export
    (staging / split).mkdir()

    def write(item: Item) -> Picture:
        name = f"{settings.prefix}{item.item_id}{'.jpg' if settings.format == 'jpeg' else '.png'}"
        file = staging / split / name
        rgb = read_made(stage_folder(output, side), item.upscaled, "upscale")
        file.write_bytes(_encode(rgb, settings))
        return describe_picture(file, split, f"{split}/{name}", f"{side}/{item.file}")

    chosen = sorted((item for item in items if item.split == part), key=lambda item: item.rank)
    return in_parallel(write, [item for item in chosen if item.status == KEPT], threads, split)


def _encode(rgb: np.ndarray, settings: Export) -> bytes:
    """The bytes of a picture's file."""
    buffer = io.BytesIO()
    if settings.format == "jpeg":
        Image.fromarray(rgb).save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=NO_SUBSAMPLING)
    else:
        Image.fromarray(rgb).save(buffer, "PNG")
    return buffer.getvalue()
