"""Translate pictures with trained weights: one PNG per picture, under its own name."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from rich.progress import track

from ugatit.devices import choose_device, compute_deterministically, keep_freed_memory, use_threads
from ugatit.errors import UserError
from ugatit.images import resize, to_tensor, to_uint8, write_png
from ugatit.manifest import (
    ERROR,
    Manifest,
    Picture,
    describe_folder,
    describe_picture,
    read_manifest,
    write_manifest,
)
from ugatit.params import Direction, method_module
from ugatit.weights import read_weights

log = logging.getLogger(__name__)


def translate(
    weights_path: Path,
    pictures: Path,
    split: str,
    direction: Direction,
    output: Path,
    device_name: str = "auto",
    threads: int | None = None,
) -> Path:
    """Translate the pictures of a manifest's split, or of a folder, and write them with a manifest.

    A picture of another size than the model's is resized, aspect ratio not kept (D25). Unreadable pictures
    of a folder are reported and left out. Each picture is translated alone: none depends on its neighbours.

    Returns: the path of the written manifest; its rows name the picture they were made from by SHA-256.
    Raises: UserError for missing or unfitting weights, and if there is no usable picture.
    """
    manifest = open_pictures(pictures, split)
    chosen = manifest.kept(split)
    for bad in (row for row in manifest.rows if row.status == ERROR):
        log.warning("%s: left out: %s", bad.name, bad.reason)
    _require_different_stems(chosen)
    device = choose_device(device_name)
    use_threads(threads)
    keep_freed_memory()
    compute_deterministically(device)
    run, networks, _ = read_weights(weights_path, only="gen_")
    method = method_module(run.method)
    for network in networks.values():
        network.to(device)
    rows = []
    for picture in track(chosen, description=direction, disable=not sys.stderr.isatty()):
        rgb = resize(manifest.read(picture).rgb, run.training.image_px)
        fake = method.translate(networks, to_tensor(rgb)[None].to(device), direction)[0]
        path = output / f"{picture.stem}.png"
        write_png(path, to_uint8(fake))
        rows.append(describe_picture(path, direction, path.name, picture.sha256))
    write_manifest(output / "manifest.csv", rows)
    log.info("%d pictures translated into %s", len(rows), output)
    return output / "manifest.csv"


def open_pictures(pictures: Path, split: str) -> Manifest:
    """Open a manifest.csv, or describe a folder of pictures as the given split.

    Raises: UserError if there is neither.
    """
    return describe_folder(pictures, split) if pictures.is_dir() else read_manifest(pictures)


def _require_different_stems(pictures: list[Picture]) -> None:
    """Refuse pictures whose translations would overwrite each other."""
    names: dict[str, str] = {}
    for picture in pictures:
        other = names.setdefault(picture.stem, picture.name)
        if other != picture.name:
            raise UserError(
                f"{other} and {picture.name}: both would become {picture.stem}.png. Rename one of them."
            )
