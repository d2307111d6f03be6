"""A result with what stands behind it as an RO-Crate: files, ro-crate-metadata.json, one action per making.

Source: RO-Crate 1.1 and the profile Process Run Crate 0.5.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ugatit.errors import UserError
from ugatit.files import copy_file, sha256_file, write_json
from ugatit.reporting.provenance.steps import Step
from ugatit.reporting.provenance.trace import MISSING, Provenance

CONTEXT = "https://w3id.org/ro/crate/1.1/context"
SPECIFICATION = "https://w3id.org/ro/crate/1.1"
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"

SOFTWARE = "#ugatit"
METADATA = "ro-crate-metadata.json"

ACTIONS = {
    "table": "Table from the metrics of runs",
    "collected metrics": "Collection of metrics",
    "metrics": "Evaluation of translations",
    "features": "Extraction of features",
    "translations": "Translation of test pictures",
    "attention": "Attention maps of test pictures",
    "weights": "Training",
    "dataset": "Construction of a dataset",
    "figure": "Drawing of a figure",
}
"""Kinds of files that a step of the pipeline makes, and what it is called."""

TEXT_SUFFIXES = (".csv", ".json", ".jsonl", ".md", ".tex")
"""Files that hold numbers and words only, so no one's pictures."""

MIT = {"@id": "https://spdx.org/licenses/MIT"}
WITH_PICTURES = "The text files are under MIT. Pictures have the terms of the datasets that they are of."

Entity = dict[str, Any]


def export_crate(found: Provenance, output: Path) -> Path:
    """Write a folder with the result, the text files behind it, and ro-crate-metadata.json.

    A figure or sheet is copied with the pictures that it shows. Weights, features and pictures behind a
    result are not: their hashes stand in the text files. Folders in the crate are those of the repository.

    Returns: the path of ro-crate-metadata.json.
    Raises: UserError if the folder holds something already, or what stands behind the result does not match.
    """
    if problems := found.problems():
        raise UserError(f"{problems[0]}; a crate is only made of what matches. See `ugatit provenance`.")
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise UserError(f"{output}: exists; expected a new or empty folder for the crate.")
    steps = [step for step in found.steps if step.kind != MISSING and not step.path.is_absolute()]
    if found.target.is_absolute():
        raise UserError(f"{found.target}: absolute; name the result relative to the repository.")
    for step in steps:
        copy_file(step.path, output / step.path)
    files = {step.path: _file(step) for step in steps}
    actions = [action for step in steps if (action := _action(step, files, found)) is not None]
    entities = [
        _descriptor(),
        _root(found, files.values(), actions),
        {"@id": PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"},
        # Of no one version: each action tells its own.
        {"@id": SOFTWARE, "@type": "SoftwareApplication", "name": "ugatit"},
        *files.values(),
        *actions,
    ]
    write_json(output / METADATA, {"@context": CONTEXT, "@graph": entities})
    return output / METADATA


def _descriptor() -> Entity:
    """What makes the file a crate's."""
    return {
        "@id": METADATA,
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": {"@id": SPECIFICATION},
    }


def _root(found: Provenance, files: Iterable[Entity], actions: Iterable[Entity]) -> Entity:
    """The crate itself."""
    cell = f", cell {found.cell}" if found.cell else ""
    is_text = all(step.path.suffix in TEXT_SUFFIXES for step in found.steps if step.kind != MISSING)
    return {
        "@id": "./",
        "@type": "Dataset",
        "name": f"{found.target}{cell}",
        "description": f"{found.target}{cell} with the records of all that it was computed from.",
        "datePublished": found.here["time"],
        "license": MIT if is_text else WITH_PICTURES,
        "conformsTo": {"@id": PROFILE},
        "mainEntity": {"@id": found.target.as_posix()},
        "hasPart": [{"@id": file["@id"]} for file in files],
        "mentions": [{"@id": action["@id"]} for action in actions],
    }


def _file(step: Step) -> Entity:
    """A copied file."""
    kind, _ = mimetypes.guess_type(step.path.name)
    return {
        "@id": step.path.as_posix(),
        "@type": "File",
        "name": step.path.as_posix(),
        "description": step.kind,
        "encodingFormat": kind or "text/plain",
        "contentSize": str(step.path.stat().st_size),
        "sha256": sha256_file(step.path),
    }


def _action(step: Step, files: dict[Path, Entity], found: Provenance) -> Entity | None:
    """The making of a file: with what, from what, when, where."""
    if step.kind not in ACTIONS or not step.inputs:
        return None
    started, ended, circumstances = _circumstances(step, found)
    action: Entity = {
        "@id": f"#making-{step.path.as_posix()}",
        "@type": "CreateAction",
        "name": f"{ACTIONS[step.kind]}: {step.path}",
        "instrument": {"@id": SOFTWARE},
        "object": [{"@id": files[path]["@id"]} for path in step.inputs if path in files],
        "result": {"@id": files[step.path]["@id"]},
        "actionStatus": {"@id": "http://schema.org/CompletedActionStatus"},
    }
    if started:
        action["startTime"] = started
    if ended:
        action["endTime"] = ended
    if circumstances:
        action["description"] = "; ".join(circumstances)
    return action


def _circumstances(step: Step, found: Provenance) -> tuple[str | None, str | None, list[str]]:
    """Start, end, and code, machine and versions of a making, as far as they are recorded."""
    started = step.workflow["started"] if step.workflow else None
    ended = step.workflow["ended"] if step.workflow else None
    pieces = [step.says] if "code" in step.says else []
    if step.kind == "weights":
        log = step.path.with_name("train.jsonl")
        training = next((other for other in found.of_kind("training") if other.path == log), None)
        if training is not None:
            pieces = training.says["starts"]
            started = pieces[0].get("time", started) if pieces else started
            ended = training.says["finished"] or ended
    return started, ended, [_piece(piece) for piece in pieces if "code" in piece]


def _piece(piece: dict[str, Any]) -> str:
    """One piece of work in words."""
    code, machine = piece["code"], piece.get("machine", {})
    dirty = " with changes" if code.get("dirty") else ""
    versions = ", ".join(f"{name} {version}" for name, version in piece.get("versions", {}).items())
    return (
        f"commit {code.get('commit') or 'unknown'}{dirty} on {machine.get('host', 'unknown')} with {versions}"
    )
