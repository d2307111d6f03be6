"""What is known of a run: how far it is, how long it took, and what its weights are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ugatit.files import read_json, read_json_lines
from ugatit.reporting.report.settings import RunEntry
from ugatit.reporting.status import read_log
from ugatit.run import training_key

HASH_DIGITS = 12
"""Digits of hashes as they are printed."""

REMEDY = "Make the run again."


@dataclass(frozen=True)
class RunFacts:
    """A run and what its folder tells."""

    entry: RunEntry
    state: str
    """finished, imported, made elsewhere, not begun, or as `ugatit status` says."""
    step: int | None = None
    steps: int | None = None
    elapsed_s: float | None = None
    steps_per_s: float | None = None
    weights_sha256: str = ""
    data_sha256: str = ""
    parameters: int | None = None
    """Numbers that were learned, in all networks."""
    machine: str = ""
    training: Path | None = None
    """Folder of the training, with its samples."""

    @property
    def has_weights(self) -> bool:
        """Whether the training is over."""
        return bool(self.weights_sha256)


def read_facts(entry: RunEntry, results: Path) -> RunFacts:
    """Read what is there of a run; nothing has to be.

    Raises: UserError if a file of the run is damaged.
    """
    if entry.seed is None:
        made = any((results / entry.folder / "translations").glob("*/manifest.csv"))
        return RunFacts(entry, "made elsewhere" if made else "not taken over yet")
    folder = results / entry.folder
    if (folder / "weights.json").is_file():
        return _of_weights(entry, folder)
    logs = sorted(folder.glob("training/*/train.jsonl"), key=lambda path: path.stat().st_mtime)
    if not logs:
        return RunFacts(entry, "not begun")
    status = read_log(logs[-1], results)
    elapsed_s, machine = _of_log(logs[-1])
    return RunFacts(
        entry,
        status.state,
        step=status.step,
        steps=status.steps,
        elapsed_s=elapsed_s,
        steps_per_s=status.steps_per_s,
        machine=machine,
        training=logs[-1].parent,
    )


def _of_weights(entry: RunEntry, folder: Path) -> RunFacts:
    """A run whose weights are there; imported ones have no training."""
    weights = read_json(folder / "weights.json", "the description of trained weights", REMEDY)
    run, step, data_sha256 = weights["run"], weights["step"], weights["data_sha256"]
    log = folder / "train.jsonl"
    elapsed_s, machine = _of_log(log) if log.is_file() else (None, "")
    training = folder / "training" / training_key(run, data_sha256) if data_sha256 else None
    return RunFacts(
        entry,
        "imported" if step is None else "finished",
        step=step,
        steps=run["training"]["steps"],
        elapsed_s=elapsed_s,
        steps_per_s=step / elapsed_s if step and elapsed_s else None,
        weights_sha256=weights["weights_sha256"],
        data_sha256=data_sha256 or "",
        parameters=sum(weights["parameters"].values()),
        machine=machine,
        training=training if training and training.is_dir() else None,
    )


def _of_log(path: Path) -> tuple[float | None, str]:
    """Seconds that a training took until now, and what it ran on."""
    records = read_json_lines(path)
    start: dict[str, Any] = next((r for r in reversed(records) if r.get("event") == "start"), {})
    machine = ", ".join(
        text.format(start[key])
        for key, text in {"device": "{}", "threads": "threads: {}", "torch": "torch {}"}.items()
        if key in start
    )
    return (records[-1]["elapsed_s"] if records else None), machine
