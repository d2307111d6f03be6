"""Extract the features of pictures, once."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import track

from ugatit import images
from ugatit.devices import keep_freed_memory
from ugatit.errors import UserError
from ugatit.evaluation.extractors import Extractor
from ugatit.evaluation.feature_file import (
    ExtractorRecord,
    Features,
    Identity,
    PicturesRecord,
    pack,
    read_features,
    write_features,
)
from ugatit.files import sha256_json
from ugatit.manifest import (
    ERROR,
    Manifest,
    Picture,
    describe_folder,
    first_by_name_hash,
    read_manifest,
)

log = logging.getLogger(__name__)


def features_of(
    path: Path,
    split: str,
    extractor: Extractor,
    image_px: int,
    batch_size: int,
) -> Features:
    """Extract the features of a manifest's split or of a folder of pictures, without storing them.

    `split` names the manifest's rows; for a folder it is only a label.

    Raises: UserError if the path is neither or has no usable pictures.
    """
    manifest = read_manifest(path) if path.suffix == ".csv" else describe_folder(path, split)
    return extract_features(manifest, split, extractor, None, image_px, batch_size)


def extract_features(
    manifest: Manifest,
    split: str,
    extractor: Extractor,
    output: Path | None,
    image_px: int,
    batch_size: int,
    limit: int | None = None,
) -> Features:
    """Extract the features of a split and write them to `output` (features.json) and the .npz beside it.

    Every picture is first resized to a square of `image_px`, real and translated ones alike, because the
    models see and produce only that size. `limit` takes the pictures that rank first by the SHA-256 of their
    name: more pictures in the split only displace some of them. `output` None stores nothing; if it already
    holds these features, they are read instead.

    Raises: UserError if the split is empty, a picture has changed or a feature is not finite.
    Source: section 5 (all pictures at one size); resizing: decision D25.
    """
    pictures = _select(manifest, split, limit)
    identity = _identify(pictures, split, extractor, image_px, limit)
    if output is not None and (stored := _stored(output, identity)) is not None:
        return stored
    values = _compute(manifest, pictures, extractor, image_px, batch_size)
    if not np.isfinite(values).all():
        raise UserError(
            f"{manifest.path}: {extractor.name} gives features that are not finite for split {split!r}; "
            "check the extractor's weights."
        )
    names = tuple(picture.name for picture in pictures)
    features = pack(values, names, identity)
    if output is not None:
        write_features(output, features)
    return features


def _select(manifest: Manifest, split: str, limit: int | None) -> list[Picture]:
    """The pictures to use, in the manifest's order; tell which ones could not be read."""
    unreadable = [row.name for row in manifest.rows if row.split == split and row.status == ERROR]
    if unreadable:
        shown = ", ".join(unreadable[:3]) + (", ..." if len(unreadable) > 3 else "")
        log.warning("%s: %d unreadable in %s, left out: %s", manifest.path, len(unreadable), split, shown)
    return first_by_name_hash(manifest.kept(split), limit)


def _identify(
    pictures: list[Picture], split: str, extractor: Extractor, image_px: int, limit: int | None
) -> Identity:
    """The identity that the features of these pictures will have."""
    return Identity(
        extractor=ExtractorRecord(
            name=extractor.name, weights_sha256=extractor.weights_sha256, feature_dim=extractor.feature_dim
        ),
        image_px=image_px,
        pictures=PicturesRecord(
            digest=sha256_json([[picture.name, picture.sha256] for picture in pictures]),
            contents=sha256_json(sorted(picture.sha256 for picture in pictures)),
            split=split,
            n=len(pictures),
            limit=limit,
        ),
    )


def _stored(output: Path, identity: Identity) -> Features | None:
    """What lies at `output`, if it is whole and of this identity."""
    try:
        stored = read_features(output)
    except UserError:
        return None
    return stored if stored.identity == identity else None


def _compute(
    manifest: Manifest, pictures: list[Picture], extractor: Extractor, image_px: int, batch_size: int
) -> np.ndarray:
    """Features of the pictures, batch by batch; a live bar on a terminal."""
    keep_freed_memory()
    batches = track(
        _batches(manifest, pictures, image_px, batch_size),
        description=f"features of {pictures[0].split}",
        total=-(-len(pictures) // batch_size),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    return np.concatenate([extractor(torch.from_numpy(batch)).numpy() for batch in batches])


def _batches(
    manifest: Manifest, pictures: list[Picture], image_px: int, batch_size: int
) -> Iterator[np.ndarray]:
    """Decoded pictures (B, 3, image_px, image_px), uint8."""
    for start in range(0, len(pictures), batch_size):
        some = [images.resize(manifest.read(p).rgb, image_px) for p in pictures[start : start + batch_size]]
        yield np.ascontiguousarray(np.moveaxis(np.stack(some), -1, 1))
