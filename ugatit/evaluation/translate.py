"""Translate pictures with trained weights: one PNG per picture, under its own name."""

from __future__ import annotations

import hashlib
import logging
import sys
from dataclasses import replace
from pathlib import Path

import torch
from rich.progress import track

from ugatit.datasets import Direction
from ugatit.devices import choose_device, compute_deterministically, keep_freed_memory, use_threads
from ugatit.environment import snapshot
from ugatit.errors import UserError
from ugatit.files import write_json
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
from ugatit.modules import method_module
from ugatit.strict import check
from ugatit.weights import read_weights

RECORD = "translation.json"
"""Beside a manifest of translations: which weights made them, from what, where and when."""

log = logging.getLogger(__name__)


def translate(
    weights_path: Path,
    pictures: Path,
    split: str,
    direction: Direction,
    output: Path,
    device_name: str = "auto",
    threads: int | None = None,
    codes: int | None = None,
) -> list[Path]:
    """Translate the pictures of a manifest's split, or of a folder, and write them with a manifest.

    A picture of another size than the model's is resized, aspect ratio not kept (D25). Unreadable pictures
    of a folder are reported and left out. Each picture is translated alone: none depends on its neighbours.
    A method with random codes draws one per picture (D51); with `codes`, so many translations of each picture
    go into the folders code0, code1, ...

    A record beside each manifest (translation.json) names the weights by SHA-256.

    Returns: the paths of the written manifests; their rows name the picture they were made from by SHA-256.
    Raises: UserError for missing or unfitting weights, if there is no usable picture, and for several codes
        of a method that draws none.
    """
    manifest = open_pictures(pictures, split)
    chosen = manifest.kept(split)
    for bad in (row for row in manifest.rows if row.status == ERROR):
        log.warning("%s: left out: %s", bad.name, bad.reason)
    require_different_stems(chosen)
    device = choose_device(device_name)
    use_threads(threads)
    keep_freed_memory()
    compute_deterministically(device)
    run, networks, described = read_weights(weights_path, judges=False)
    method = method_module(run.method)
    traits = method.traits(check(method.Parameters, run.parameters, str(weights_path)))
    if direction not in traits.directions:
        raise UserError(
            f"{weights_path}: {run.model} translates {', '.join(traits.directions)} only, found --direction "
            f"{direction}. Train a model with the domains exchanged."
        )
    if codes is not None and not traits.random_codes:
        raise UserError(f"{weights_path}: {run.model} draws no random code, so --codes would change nothing.")
    for network in networks.values():
        network.to(device)
    folders = [output] if codes is None else [output / f"code{code}" for code in range(codes)]
    rows: list[list[Picture]] = [[] for _ in folders]
    for picture in track(chosen, description=direction, disable=not sys.stderr.isatty()):
        real = to_tensor(resize(manifest.read(picture).rgb, run.training.image_px))[None].to(device)
        for code, folder in enumerate(folders):
            fake = method.translate(networks, real, direction, code_generator(picture.sha256, code))[0]
            path = folder / f"{picture.stem}.png"
            write_png(path, to_uint8(fake))
            row = describe_picture(path, direction, path.name, picture.sha256)
            rows[code].append(replace(row, code=str(code)) if traits.random_codes else row)
    made = {
        "model": run.model,
        "direction": direction,
        "weights_sha256": described["weights_sha256"],
        "pictures": {"split": split, "digest": manifest.digest(split)},
        "device": str(device),
        **snapshot(device),
    }
    for folder, written in zip(folders, rows, strict=True):
        write_json(folder / RECORD, made)
        write_manifest(folder / "manifest.csv", written)
        log.info("%d pictures translated into %s", len(written), folder)
    return [folder / "manifest.csv" for folder in folders]


def code_generator(picture_sha256: str, code: int) -> torch.Generator:
    """The source of a picture's random code: a function of its content and the code's number alone."""
    digest = hashlib.sha256(f"{code} {picture_sha256}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


def open_pictures(pictures: Path, split: str) -> Manifest:
    """Open a manifest.csv, or describe a folder of pictures as the given split.

    Raises: UserError if there is neither.
    """
    return describe_folder(pictures, split) if pictures.is_dir() else read_manifest(pictures)


def require_different_stems(pictures: list[Picture]) -> None:
    """Refuse pictures whose translations would overwrite each other."""
    names: dict[str, str] = {}
    for picture in pictures:
        other = names.setdefault(picture.stem, picture.name)
        if other != picture.name:
            raise UserError(
                f"{other} and {picture.name}: both would become {picture.stem}.png. Rename one of them."
            )
