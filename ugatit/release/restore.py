"""Put a pulled release back where Snakemake looks, so that it agrees that nothing is to be done."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ugatit.errors import UserError
from ugatit.files import copy_file, sha256_file
from ugatit.params import Params
from ugatit.release.copies import MANIFEST, Copy, read_part, require_whole
from ugatit.release.parts import PARTS

TARGETS = ("datasets", "models", "evaluations", "all", "summarize_tables")
"""Rules whose outputs, and what these are made from, are all that a release can hold."""

SHOWN = 3


@dataclass(frozen=True)
class Restored:
    """What was put back."""

    parts: tuple[str, ...]
    copied: int
    present: int
    targets: int
    """Outputs of the workflow that are up to date now."""


def restore(params: Params, release_folder: Path) -> Restored:
    """Copy the parts of a release that were pulled to their places, and have Snakemake record them as made.

    Nothing is replaced or removed, and nothing is copied unless all of it can be: DVC must find parameters,
    code and release as they were when the release was made, every copy must have its hash, and no file in
    the way may have another content.

    Raises: UserError otherwise, with the first reason.
    """
    parts = {
        name: read_part(release_folder / name)
        for name in PARTS
        if (release_folder / name / MANIFEST).is_file()
    }
    if not parts:
        raise UserError(f"{release_folder}: no part of a release. Get it with `dvc pull`.")
    _require_dvc_agrees()
    for name, part in parts.items():
        require_whole(release_folder / name, part)
    copies = [
        (release_folder / name / copy.copy_at, copy) for name, part in parts.items() for copy in part.files
    ]
    raw = Path(params.paths.raw)
    stand_ins = {Path(copy.path): file for file, copy in copies if Path(copy.path).is_relative_to(raw)}
    copies = [(file, copy) for file, copy in copies if Path(copy.path) not in stand_ins]
    roots = (Path(params.paths.results), Path(params.paths.data))
    absent = [(file, copy) for file, copy in copies if not _is_there(copy, roots)]
    declared = declared_outputs()
    released = {copy.path for _, copy in copies}
    _refuse_strangers(roots, [file for file in declared if file not in released])
    for file, copy in absent:
        copy_file(file, Path(copy.path))
    targets = [file for file in declared if file in released]
    with _placeholders([Path(file) for file in declared], stand_ins):
        _snakemake("--touch", "--forceall", "--cores", "1", "--quiet", "all", "--", *targets)
    planned = _snakemake("--dry-run", "--cores", "1", "--", *targets)
    if "Nothing to be done" not in planned:
        raise UserError(
            "Snakemake still plans something after the release was put back; see `snakemake --dry-run`."
        )
    return Restored(tuple(parts), len(absent), len(copies) - len(absent), len(targets))


def declared_outputs() -> list[str]:
    """Every output that the workflow declares for what the parameters plan, in the order of the plan."""
    text = _snakemake("--summary", "--cores", "1", *TARGETS)
    start = text.index("output_file\t")
    rows = csv.DictReader(text[start:].splitlines(), delimiter="\t")
    return list(dict.fromkeys(row["output_file"] for row in rows))


def _require_dvc_agrees() -> None:
    """Refuse if parameters, code or the release are not those that dvc.lock names. Parts may lack."""
    done = _run([sys.executable, "-m", "dvc", "status", "--json"])
    if "No module named dvc" in done.stderr:
        raise UserError(
            "DVC is not installed, so nobody can say what the release belongs to. Run `make dvc`."
        )
    if done.returncode:
        raise UserError(f"`dvc status` failed: {done.stderr.strip().splitlines()[-1]}")
    changed = [
        f"{stage}: {path} ({state if isinstance(state, str) else 'changed'})"
        for stage, entries in json.loads(done.stdout or "{}").items()
        for entry in entries
        for path, state in _states(entry)
        if state != "deleted"
    ]
    if changed:
        more = f" and {len(changed) - SHOWN} more" if len(changed) > SHOWN else ""
        raise UserError(
            f"`dvc status` is not clean: {'; '.join(changed[:SHOWN])}{more}. The release belongs to other "
            "parameters or code; check out its commit, or make the results with `dvc repro`."
        )


def _states(entry: object) -> Iterator[tuple[str, object]]:
    """Path and state of each change that DVC names for a stage."""
    if not isinstance(entry, dict):
        yield str(entry), "changed"
        return
    for kind in entry.values():
        yield from kind.items() if isinstance(kind, dict) else [(str(kind), "changed")]


def _is_there(copy: Copy, roots: Sequence[Path]) -> bool:
    """Whether a file is in its place already.

    Raises: UserError if another one is, or if the place is not one of results or data.
    """
    path = Path(copy.path)
    if not any(path.is_relative_to(root) for root in roots):
        raise UserError(f"{path}: a release is for {' and '.join(map(str, roots))}, not for this place.")
    if not path.exists():
        return False
    if not path.is_file() or sha256_file(path) != copy.sha256:
        raise UserError(
            f"{path}: is in the way, other than the release's; nothing was touched. Move it away."
        )
    return True


def _refuse_strangers(roots: Sequence[Path], unreleased: Sequence[str]) -> None:
    """Refuse results that the release does not vouch for: touching would call them up to date."""
    inside = [file for file in unreleased if any(Path(file).is_relative_to(root) for root in roots)]
    found = [file for file in inside if Path(file).exists()]
    if found:
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        raise UserError(
            f"{', '.join(found[:SHOWN])}{more}: there, but not in what was pulled, so nobody can say whether "
            "it fits; nothing was touched. Pull all of the release, or move it away."
        )


@contextmanager
def _placeholders(files: Sequence[Path], stand_ins: Mapping[Path, Path]) -> Iterator[None]:
    """Let something stand in for each file that is missing, while Snakemake records the others.

    Raw pictures and fetched weights are not released: their records stand in, or empty files, which their
    readers would refuse if a kill left them there. All are removed again, so that a rule that needs the
    pictures fetches them.
    """
    made: list[Path] = []
    folders: set[Path] = set()
    try:
        for file in (file for file in files if not file.exists()):
            folders |= {folder for folder in file.parents if not folder.exists()}
            file.parent.mkdir(parents=True, exist_ok=True)
            made.append(file)
            if file in stand_ins:
                copy_file(stand_ins[file], file)
            else:
                file.touch()
        yield
    finally:
        for file in made:
            file.unlink(missing_ok=True)
        for folder in sorted(folders, key=lambda path: len(path.parts), reverse=True):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()


def _snakemake(*arguments: str) -> str:
    """Run Snakemake here, with the parameters of this repository and no profile of a cluster.

    Returns: all that it said.
    Raises: UserError with its last line if it fails.
    """
    done = _run([sys.executable, "-m", "snakemake", "--nocolor", *arguments])
    text = done.stdout + done.stderr
    if done.returncode:
        lines = [line for line in text.splitlines() if line.strip()]
        raise UserError(f"snakemake {arguments[0]} failed: {' '.join(lines[-3:])}")
    return text


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a program in this folder."""
    environment = {key: value for key, value in os.environ.items() if key != "SNAKEMAKE_PROFILE"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
