"""Datasets that are drawn by code: apples as domain A, melons as domain B."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PIL import Image

from data_prep.parallel import in_parallel
from data_prep.synthetic import DOMAINS, draw
from ugatit.manifest import SPLITS, Picture, describe_picture
from ugatit.params import DrawnSource


def collect(source: DrawnSource, staging: Path, threads: int) -> list[Picture]:
    """Draw the pictures of all splits and describe them."""
    rows: list[Picture] = []
    for split in SPLITS:
        (staging / split).mkdir()
        count = source.train if split.startswith("train") else source.test
        rows += in_parallel(partial(_stage, source, staging, split), range(count), threads, split)
    return rows


def _stage(source: DrawnSource, staging: Path, split: str, index: int) -> Picture:
    """Draw one picture and describe it."""
    part, domain = split[:-1], DOMAINS["AB".index(split[-1])]
    path = f"{split}/{index:04d}.png"
    picture = draw(domain, part, index, source.seed, source.picture_px)
    Image.fromarray(picture).save(staging / path)
    return describe_picture(staging / path, split, path, f"drawn:{source.seed}/{domain}/{part}/{index}")
