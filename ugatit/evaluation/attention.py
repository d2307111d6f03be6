"""Attention maps on disk: attention.npz, and the small attention.json that vouches for it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import Field

from ugatit.datasets import Direction
from ugatit.errors import UserError
from ugatit.files import atomic_path, read_json, sha256_file, write_json
from ugatit.params import Masking
from ugatit.strict import Strict, check

ARRAYS = "attention.npz"
REMEDY = "Write it with `ugatit attention`."


class Effect(Strict):
    """What masking does to the logit of the network that a map is of, in logits; means over the pictures."""

    pictures: int
    logit: float = Field(description="Of the whole pictures.")
    hottest: float = Field(description="Fall of the logit where the hottest region is masked.")
    random: float = Field(description="Likewise for regions of its shape at random places.")
    difference: float = Field(
        description="hottest - random: above 0, the map shows what speaks for the class."
    )
    standard_error: float | None = Field(
        description="Of the difference, over pictures; null for one picture."
    )
    change_hottest: float = Field(description="Size of the change, whatever its sign.")
    change_random: float
    change_difference: float
    change_standard_error: float | None


class Faithfulness(Masking):
    """The settings and what came out, for maps whose network has a classifier."""

    maps: dict[str, Effect]


class MapRecord(Strict):
    """One array of the file."""

    shape: list[int]
    min: float
    max: float


class AttentionRecord(Strict):
    """All of attention.json."""

    dataset: str
    model: str
    seed: int
    direction: Direction
    step: int | None
    weights_sha256: str
    arrays_sha256: str
    names: list[str] = Field(description="Stems of the pictures, in the arrays' order.")
    sources: list[str] = Field(description="SHA-256 of the pictures, likewise.")
    maps: dict[str, MapRecord]
    faithfulness: Faithfulness


@dataclass(frozen=True)
class Attention:
    """What an attention.json says, and the arrays: by name (N, h, w), float32."""

    record: AttentionRecord
    arrays: Mapping[str, np.ndarray]

    def of(self, name: str, stem: str) -> np.ndarray | None:
        """One map (h, w) of the picture with this stem; None if there is no such map or picture."""
        if name not in self.arrays or stem not in self.record.names:
            return None
        return np.asarray(self.arrays[name][self.record.names.index(stem)])


def write_attention(path: Path, record: Mapping[str, object], arrays: Mapping[str, np.ndarray]) -> None:
    """Write attention.npz, then the attention.json that names its hash and the arrays' shapes and ranges."""
    file = path.with_name(ARRAYS)
    with atomic_path(file) as part, part.open("wb") as handle:
        np.savez(handle, allow_pickle=False, **arrays)
    maps = {
        name: {"shape": list(array.shape), "min": float(array.min()), "max": float(array.max())}
        for name, array in arrays.items()
    }
    whole = check(
        AttentionRecord, {**record, "arrays_sha256": sha256_file(file), "maps": maps}, "attention.json"
    )
    write_json(path, whole.model_dump())


def read_attention(path: Path) -> Attention:
    """Read an attention.json and its arrays.

    Raises: UserError if a file is missing, changed, or not of the expected form.
    """
    path = Path(path)
    record = check(AttentionRecord, read_json(path, "an attention.json", REMEDY), str(path))
    file = path.with_name(ARRAYS)
    if not file.is_file():
        raise UserError(f"{file}: no such file, though {path} names it. {REMEDY}")
    if sha256_file(file) != record.arrays_sha256:
        raise UserError(f"{file}: is not the file that {path} names (its SHA-256 differs). {REMEDY}")
    try:
        with np.load(io.BytesIO(file.read_bytes()), allow_pickle=False) as loaded:
            arrays = {name: loaded[name] for name in record.maps}
    except (KeyError, ValueError, zipfile.BadZipFile) as error:
        raise UserError(f"{file}: does not hold the maps that {path} names ({error}). {REMEDY}") from None
    return Attention(record, arrays)


def effect(logits: Sequence[np.ndarray]) -> Effect:
    """Sum up the logits of masked pictures.

    Shape: per picture (2 + draws,): whole, hottest region masked, random regions masked.
    """
    table = np.asarray(logits, dtype=np.float64)  # (N, 2 + draws)
    falls = table[:, :1] - table[:, 1:]
    hottest, random = falls[:, 0], falls[:, 1:].mean(axis=1)
    change_hottest, change_random = abs(falls[:, 0]), abs(falls[:, 1:]).mean(axis=1)
    return Effect(
        pictures=len(table),
        logit=float(table[:, 0].mean()),
        hottest=float(hottest.mean()),
        random=float(random.mean()),
        difference=float((hottest - random).mean()),
        standard_error=_standard_error(hottest - random),
        change_hottest=float(change_hottest.mean()),
        change_random=float(change_random.mean()),
        change_difference=float((change_hottest - change_random).mean()),
        change_standard_error=_standard_error(change_hottest - change_random),
    )


def _standard_error(values: np.ndarray) -> float | None:
    """Standard deviation of the mean of independent values; None for a single one."""
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
