"""Copy a part of the results to its folder below release/, with a manifest of hashes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from ugatit.errors import UserError
from ugatit.files import copy_file, read_json, sha256_file, write_json
from ugatit.params import Params
from ugatit.release.parts import part_files
from ugatit.strict import Strict, check

MANIFEST = "release.json"


class Copy(Strict):
    """One released file."""

    path: str
    """Where it belongs, relative to the repository."""
    copy_at: str
    """Where its copy is, relative to the part's folder."""
    sha256: str
    bytes: int


class Part(Strict):
    """All of a part's release.json."""

    version: Literal[1] = 1
    part: str
    files: list[Copy]


@dataclass(frozen=True)
class Outcome:
    """What a release did."""

    copied: int
    unchanged: int
    earlier: tuple[str, ...]
    """Files in the part's folder that no longer belong to it."""


def release(params: Params, part: str, release_folder: Path, prune: bool = False) -> Outcome:
    """Copy the files of a part; those that are there already, with the same content, are left alone.

    Files of earlier releases stay unless `prune`; then those that an earlier release.json lists are removed.

    Raises: UserError if something that is planned is missing.
    """
    folder = release_folder / part
    results = Path(params.paths.results)
    roots = (results / part, results, Path(params.paths.data))
    before = read_part(folder) if (folder / MANIFEST).is_file() else None
    copies, copied = [], 0
    for file in part_files(params, part):
        target = folder / _below(file, roots)
        digest = sha256_file(file)
        if not target.is_file() or sha256_file(target) != digest:
            copy_file(file, target)
            copied += 1
        copies.append(
            Copy(
                path=file.as_posix(),
                copy_at=target.relative_to(folder).as_posix(),
                sha256=digest,
                bytes=file.stat().st_size,
            )
        )
    write_json(folder / MANIFEST, Part(part=part, files=copies).model_dump())
    earlier = _earlier(folder, copies)
    if prune and before:
        for name in sorted(earlier & {copy.copy_at for copy in before.files}):
            (folder / name).unlink()
            earlier.discard(name)
        _remove_empty(folder)
    return Outcome(copied, len(copies) - copied, tuple(sorted(earlier)))


def read_part(folder: Path) -> Part:
    """Read the release.json of a part's folder; every place that it names lies in the repository.

    Raises: UserError if it is missing or damaged.
    """
    path = folder / MANIFEST
    part = check(
        Part, read_json(path, "the manifest of a release", "Write it with `ugatit release`."), str(path)
    )
    for name in (name for copy in part.files for name in (copy.path, copy.copy_at)):
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise UserError(f"{path}: names {name!r}, which is outside the repository; nothing was touched.")
    return part


def require_whole(folder: Path, part: Part) -> None:
    """Compare the copies of a part with its release.json.

    Raises: UserError naming the first file that is missing or has other content.
    """
    for copy in part.files:
        file = folder / copy.copy_at
        if not file.is_file():
            raise UserError(f"{file}: no such file, though {folder / MANIFEST} lists it. Pull it again.")
        if file.stat().st_size != copy.bytes or sha256_file(file) != copy.sha256:
            raise UserError(f"{file}: is not the file that {folder / MANIFEST} lists. Pull it again.")


def _below(file: Path, roots: Iterable[Path]) -> Path:
    """A path without the first of some folders that it lies in."""
    for root in roots:
        if file.is_relative_to(root):
            return file.relative_to(root)
    return file


def _earlier(folder: Path, copies: Iterable[Copy]) -> set[str]:
    """Files of a part's folder that do not belong to it now."""
    present = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    return present - {copy.copy_at for copy in copies} - {MANIFEST}


def _remove_empty(folder: Path) -> None:
    """Remove folders that hold nothing."""
    for path in sorted((p for p in folder.rglob("*") if p.is_dir()), reverse=True):
        if not any(path.iterdir()):
            path.rmdir()
