"""One file of a chain: what it says, what it was made from, and what does not match."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ugatit.environment import CODE
from ugatit.errors import UserError
from ugatit.files import read_json, sha256_file
from ugatit.manifest import KEPT, Manifest

REMEDY = "Restore it, or make it again."

SOURCE_SPLIT = {"a2b": "testA", "b2a": "testB"}
"""Direction -> the test pictures that it starts from."""


@dataclass(frozen=True)
class Cell:
    """One row and column of a table."""

    dataset: str
    model: str
    direction: str

    def holds(self, row: Mapping[str, Any]) -> bool:
        """Whether a row of a table belongs to it."""
        return all(row[name] == value for name, value in vars(self).items())

    def __str__(self) -> str:
        return f"{self.dataset}/{self.model}/{self.direction}"


@dataclass(frozen=True)
class Places:
    """Where the files behind a result are, what is asked for, and how closely it is looked at."""

    results: Path
    data: Path
    cell: Cell | None = None
    verify: bool = True
    """Read heavy files (weights, features, pictures) to compare their hashes."""

    def dataset(self, name: object) -> Path:
        """The manifest of a dataset."""
        return self.data / str(name) / "manifest.csv"


@dataclass
class Step:
    """One file of a chain."""

    path: Path
    kind: str
    says: dict[str, Any] = field(default_factory=dict)
    inputs: list[Path] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """What does not match."""
    workflow: dict[str, Any] | None = None
    """What Snakemake recorded of its making."""
    absent: list[str] = field(default_factory=list)
    """What it names, is not here, and was not compared therefore."""

    def require(self, holds: bool, problem: str) -> None:
        """Note a problem unless something holds."""
        if not holds:
            self.problems.append(problem)

    def compare_file(self, file: Path, digest: object, places: Places) -> None:
        """Compare a heavy file with the hash by which it is known."""
        if not file.is_file():
            self.absent.append(str(file))
        elif places.verify:
            self.require(sha256_file(file) == digest, f"{file} is not the file that it names")

    def compare_pictures(self, manifest: Manifest, places: Places) -> None:
        """Compare the pictures of a manifest with their hashes."""
        files = [(manifest.path.parent / row.path, row) for row in manifest.rows if row.status == KEPT]
        lacking = sum(not file.is_file() for file, _ in files)
        if lacking:
            self.absent.append(f"{lacking} pictures of {manifest.path}")
        for file, row in files if places.verify else []:
            if file.is_file():
                self.require(sha256_file(file) == row.sha256, f"{file} changed since it was listed")


Reader = Callable[[Step, Places], None]
"""Fills a step from its file."""


def recorded_inputs(record: Mapping[str, Any]) -> list[Path]:
    """What a file was made from by Snakemake's record, without the code that made it."""
    return [path for path in map(Path, record["input"]) if path.parts[0] not in CODE]


def json_of(path: Path, what: str) -> dict[str, Any]:
    """Read a JSON object.

    Raises: UserError if the file is none.
    """
    found = read_json(path, what, REMEDY)
    if not isinstance(found, dict):
        raise UserError(f"{path}: holds {type(found).__name__}; expected {what}. {REMEDY}")
    return found
