"""What features are, their files, and which may be compared.

A record (features.json) names the extractor, its weights and the pictures by hash; the values lie in the .npz
of the same name and are checked against the record when they are read.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from ugatit.errors import UserError
from ugatit.files import atomic_path, read_json, write_json
from ugatit.strict import Strict, check

REMEDY = "Write it with `ugatit extract-features`."


class ExtractorRecord(Strict):
    """What identifies an extractor."""

    name: str
    weights_sha256: str
    feature_dim: int


class PicturesRecord(Strict):
    """What identifies pictures, wherever they lie."""

    digest: str = Field(description="SHA-256 of names and contents, in order.")
    contents: str | None = Field(
        default=None, description="SHA-256 of the sorted contents, without names; None: not recorded."
    )
    split: str
    n: int
    limit: int | None


class Identity(Strict):
    """What features are of, and how they were made; equal identities have equal features."""

    version: Literal[1] = Field(default=1, alias="schema")
    extractor: ExtractorRecord
    image_px: int
    pictures: PicturesRecord


class Record(Identity):
    """All of features.json."""

    features_sha256: str


@dataclass(frozen=True)
class Features:
    """Features (N, D), float32, with the pictures' names in the same order.

    `sha256` is the hash of the .npz file that holds them.
    """

    values: np.ndarray
    names: tuple[str, ...]
    identity: Identity
    sha256: str


def pack(values: np.ndarray, names: tuple[str, ...], identity: Identity) -> Features:
    """Join values and names with what identifies them."""
    return Features(values, names, identity, hashlib.sha256(_npz_bytes(values, names)).hexdigest())


def write_features(output: Path, features: Features) -> None:
    """Write the values, then the record (`output`, features.json) that vouches for them."""
    output = Path(output)
    with atomic_path(output.with_suffix(".npz")) as part:
        part.write_bytes(_npz_bytes(features.values, features.names))
    record = Record(**features.identity.model_dump(by_alias=True), features_sha256=features.sha256)
    write_json(output, record.model_dump(by_alias=True))


def read_features(path: Path) -> Features:
    """Read a features.json and the values beside it.

    Raises: UserError if either file is missing or damaged, or they do not belong together.
    """
    path = Path(path)
    record = check(Record, read_json(path, "features of pictures", REMEDY), str(path))
    values_path = path.with_suffix(".npz")
    try:
        data = values_path.read_bytes()
    except OSError as error:
        raise UserError(f"{values_path}: {error.strerror}; {path} describes it. {REMEDY}") from None
    digest = hashlib.sha256(data).hexdigest()
    if digest != record.features_sha256:
        raise UserError(
            f"{values_path}: SHA-256 is {digest}, but {path} describes {record.features_sha256}. {REMEDY}"
        )
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        values, names = arrays["features"], tuple(map(str, arrays["names"]))
    identity = Identity.model_validate(record.model_dump(by_alias=True, exclude={"features_sha256"}))
    return Features(values, names, identity, digest)


def require_comparable(features: Mapping[str, Features]) -> None:
    """Refuse to compare features of different extractors, weights or picture sizes.

    Raises: UserError naming the first two that differ, and in what.
    """
    (first, reference), *others = features.items()
    for name, other in others:
        for what, left, right in (
            ("extractor", reference.identity.extractor.name, other.identity.extractor.name),
            ("weights", reference.identity.extractor.weights_sha256, other.identity.extractor.weights_sha256),
            ("image_px", reference.identity.image_px, other.identity.image_px),
        ):
            if left != right:
                raise UserError(
                    f"features cannot be compared: {what} of {first} is {left}, of {name} {right}. "
                    "Extract both with the same extractor, weights and image_px."
                )


def are_same_pictures(one: Features, other: Features) -> bool:
    """Whether both are of the same pictures, whatever their names and order; no if a record does not tell."""
    contents = one.identity.pictures.contents
    return contents is not None and contents == other.identity.pictures.contents


def _npz_bytes(values: np.ndarray, names: tuple[str, ...]) -> bytes:
    """The bytes of the .npz file; the same for the same values."""
    packed = io.BytesIO()
    np.savez(packed, features=values, names=np.array(names))
    return packed.getvalue()
