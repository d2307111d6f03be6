"""Follow a result to what it was made from."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ugatit.environment import snapshot
from ugatit.errors import UserError
from ugatit.reporting.provenance import runs, scores
from ugatit.reporting.provenance.steps import Cell, Places, Reader, Step, recorded_inputs
from ugatit.reporting.provenance.workflow_record import read_record

MISSING = "not here"
"""Kind of a file that a chain names and that is not there."""

BY_NAME: dict[str, tuple[str, Reader]] = {
    "metrics.json": ("metrics", scores.read_metrics),
    "weights.json": ("weights", runs.read_weights),
    "run.json": ("parameters", runs.read_run),
    "train.jsonl": ("training", runs.read_training),
    "attention.json": ("attention", runs.read_attention),
}

RESULT_FOLDERS = ("tables", "metrics", "figures", "sheets", "logs")
"""By one of these a results directory is known."""


@dataclass(frozen=True)
class Provenance:
    """A result and everything behind it."""

    target: Path
    cell: Cell | None
    steps: tuple[Step, ...]
    """The target first, then what it was made from, each file once."""
    here: dict[str, Any]
    """Code, versions, machine and time of this look at it."""

    def problems(self) -> list[str]:
        """What does not match, each with the file that it concerns."""
        return [f"{step.path}: {problem}" for step in self.steps for problem in step.problems]

    def absent(self) -> list[str]:
        """What was not compared because it is not here."""
        missing = [str(step.path) for step in self.steps if step.kind == MISSING]
        return missing + [what for step in self.steps for what in step.absent]

    def of_kind(self, kind: str) -> Iterator[Step]:
        """The steps of one kind: table, metrics, features, translations, weights, training, dataset, ..."""
        return (step for step in self.steps if step.kind == kind)

    def as_json(self) -> dict[str, Any]:
        """All of it as plain JSON."""
        return {
            "target": self.target.as_posix(),
            "cell": str(self.cell) if self.cell else None,
            "problems": self.problems(),
            "not_compared": self.absent(),
            "steps": [
                {
                    "path": step.path.as_posix(),
                    "kind": step.kind,
                    "says": step.says,
                    "inputs": [path.as_posix() for path in step.inputs],
                    "problems": step.problems,
                    "workflow": step.workflow,
                }
                for step in self.steps
            ],
            "here": self.here,
        }


def trace(
    target: Path,
    data: Path,
    cell: str | None = None,
    verify: bool = True,
    known: dict[Path, Step] | None = None,
) -> Provenance:
    """Follow a table, figure, sheet, run or any file of results/ to the raw pictures, comparing hashes.

    `data` is the folder of the datasets; `cell` is dataset/model/direction of a table. Without `verify`
    weights, features and pictures are not read, only what the text files say of each other is compared.
    `known` keeps what was read, for the next target in the same folders; a cell needs a look of its own.

    Raises: UserError if there is no such file or cell; what does not match is told, not raised.
    """
    target = Path(target)
    if not target.is_file():
        raise UserError(f"{target}: no such file; expected a table, figure or another result.")
    chosen = parse_cell(cell, target) if cell else None
    places = Places(_results_of(target), Path(data), chosen, verify)
    known = {} if known is None or chosen else known
    steps: dict[Path, Step] = {}
    waiting = deque([target])
    while waiting:
        path = waiting.popleft()
        if path in steps:
            continue
        if path not in known:
            known[path] = read_step(path, places)
        steps[path] = known[path]
        waiting.extend(steps[path].inputs)
    if chosen and not steps[target].says.get("values"):
        raise UserError(
            f"{target}: no value for {chosen}; expected DATASET/MODEL/DIRECTION of one of its rows."
        )
    return Provenance(target, chosen, tuple(steps.values()), snapshot())


def parse_cell(text: str, target: Path) -> Cell:
    """A cell by its name.

    Raises: UserError if it is not of the form dataset/model/direction, or the target is no table.
    """
    parts = text.split("/")
    if len(parts) != 3 or parts[2] not in ("a2b", "b2a"):
        raise UserError(f"cell {text!r}: expected DATASET/MODEL/DIRECTION, such as cat2dog/ugatit-light/a2b.")
    if target.parent.name != "tables":
        raise UserError(f"{target}: is no table, so it has no cell {text!r}. Leave the cell out.")
    return Cell(*parts)


def read_step(path: Path, places: Places) -> Step:
    """Read a file of a chain. What cannot be read is a problem of the step.

    Kinds without a reader (figures, sheets, scores) are followed by Snakemake's record alone.
    """
    kind, reader = _reader(path, places)
    step = Step(path, kind, workflow=read_record(path))
    if not path.is_file():
        step.kind = MISSING
        return step
    try:
        if reader is not None:
            reader(step, places)
        elif step.workflow is not None:
            step.inputs = recorded_inputs(step.workflow)
        elif path.is_relative_to(places.results):
            step.absent.append(f"Snakemake's record of what {path} was made from")
    except (UserError, KeyError, TypeError, ValueError, AttributeError) as error:
        step.problems.append(f"cannot be read ({error!r})" if isinstance(error, KeyError) else str(error))
    return step


def _reader(path: Path, places: Places) -> tuple[str, Reader | None]:
    """Kind and reader of a file, by its place."""
    if path.name == "manifest.csv" and path == places.dataset(path.parent.name):
        return "dataset", runs.read_dataset
    if not path.is_relative_to(places.results):
        return ("raw pictures", runs.read_raw) if path.suffix == ".json" else ("file", None)
    parts = path.relative_to(places.results).parts
    if len(parts) == 2 and parts[0] == "tables" and path.suffix != ".json":
        return "table", scores.read_table
    if len(parts) == 2 and parts[0] == "metrics":
        return "collected metrics", scores.read_collected
    if path.name in BY_NAME:
        return BY_NAME[path.name]
    if path.parent.name == "features" and path.suffix == ".json":
        return "features", scores.read_features
    if path.name == "manifest.csv" and "translations" in parts:
        return "translations", runs.read_translations
    return ("figure" if parts[0] in ("figures", "sheets") else "file"), None


def _results_of(target: Path) -> Path:
    """The results directory that a file is in.

    Raises: UserError if it is in none.
    """
    for folder in target.parents:
        if any((folder / name).is_dir() for name in RESULT_FOLDERS):
            return folder
    raise UserError(
        f"{target}: is in no results directory; expected a file below one that holds "
        f"{' or '.join(RESULT_FOLDERS[:2])}/."
    )
