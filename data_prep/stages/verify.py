"""Stage 12, verify: whether the exported pictures are the dataset that was asked for."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from data_prep.likeness import perceptual_hash
from data_prep.parallel import in_parallel
from ugatit.errors import UserError
from ugatit.images import PictureError, decode, read_rgb
from ugatit.manifest import SPLITS, Picture


def verify(
    rows: Sequence[Picture], folder: Path, size_px: int, expected: Mapping[str, int] | None, threads: int
) -> list[str]:
    """Check a dataset's pictures against its list: counts, sizes, bytes, and no picture twice.

    `expected` counts are checked only if they are given. Returns the checks that passed, in words.

    Raises: UserError naming the first check that failed, and what failed it.
    """
    listed = {row.path for row in rows}
    present = {f"{split}/{file.name}" for split in SPLITS for file in (folder / split).glob("[!.]*")}
    _require("files and list agree", sorted(listed ^ present))
    problems = in_parallel(lambda row: _problem(row, folder, size_px), rows, threads, "verify")
    _require(f"every picture is whole, RGB and {size_px} x {size_px}", [p for p in problems if p])
    _require("no bytes twice", _repeated(rows), _drop_one_of_them(folder.name))
    passed = [
        f"{len(rows)} files, as listed",
        f"all whole, RGB and {size_px} x {size_px}",
        "no bytes twice",
    ]
    for side in "AB":
        check = f"no picture of test{side} has the perceptual hash of one of train{side}"
        _require(check, _leaks(rows, folder, side, threads))
        passed.append(check)
    if expected is not None:
        found = Counter(row.split for row in rows)
        _require("counts as asked", [f"{s} {found[s]} of {n}" for s, n in expected.items() if found[s] != n])
        passed.append("counts as asked")
    return passed


def _require(check: str, failures: Sequence[str], remedy: str = "Build the dataset again.") -> None:
    if failures:
        more = f" and {len(failures) - 1} more" if len(failures) > 1 else ""
        raise UserError(f"verify: not true that {check}: {failures[0]}{more}. {remedy}")


def _repeated(rows: Sequence[Picture]) -> list[str]:
    """Pictures with the bytes of an earlier one, and that one."""
    first: dict[str, Picture] = {}
    pairs = [(first.setdefault(row.sha256, row), row) for row in rows]
    return [
        f"{one.path} (from {one.source}) and {two.path} (from {two.source})"
        for one, two in pairs
        if one is not two
    ]


def _drop_one_of_them(dataset: str) -> str:
    """The remedy for a duplicate: dedupe leaves none, but a reviewer may keep one."""
    return (
        "If both were kept by hand, take back the decision for one of them in the file of decisions, with D "
        f"on the page of `data-prep review {dataset}`. Else build the dataset again."
    )


def _problem(row: Picture, folder: Path, size_px: int) -> str:
    """What is wrong with a file; empty if nothing is."""
    data = (folder / row.path).read_bytes()
    if hashlib.sha256(data).hexdigest() != row.sha256:
        return f"{row.path} has changed"
    try:
        picture = decode(data)
    except PictureError as error:
        return f"{row.path}: {error}"
    height, width = picture.rgb.shape[:2]
    fits = (width, height, picture.mode) == (size_px, size_px, "RGB")
    return "" if fits else f"{row.path}: {width}x{height} {picture.mode}"


def _leaks(rows: Sequence[Picture], folder: Path, side: str, threads: int) -> list[str]:
    """Test pictures of a side whose perceptual hash a training picture has."""

    def looks(split: str) -> list[tuple[str, int | None]]:
        paths = [row.path for row in rows if row.split == split]
        hashes = in_parallel(lambda path: perceptual_hash(read_rgb(folder / path)), paths, threads, split)
        return list(zip(paths, hashes, strict=True))

    trained = {look for _, look in looks(f"train{side}")} - {None}
    return [path for path, look in looks(f"test{side}") if look in trained]
