"""The small files that stand behind a result, one reader per kind: what each says, and what it was made from."""

from __future__ import annotations

import csv
import statistics
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ugatit.errors import UserError
from ugatit.files import read_json, read_json_lines, sha256_file, sha256_json
from ugatit.manifest import KEPT, Manifest, first_by_name_hash, read_manifest
from ugatit.reporting.collect import MetricRow, read_metrics_csv, rows_of_metrics
from ugatit.reporting.workflow_record import read_record

REMEDY = "Restore it, or make it again."

FEATURES_OF = {"a2b": "testA", "b2a": "testB"}
"""Direction -> the test pictures that it starts from."""

TABLE_TOLERANCE = 5e-5 + 1e-9
"""Half of the last printed decimal of a table's CSV."""


@dataclass(frozen=True)
class Cell:
    """One row and column of a table."""

    dataset: str
    model: str
    direction: str


@dataclass(frozen=True)
class Places:
    """Where the files of a result are, what is asked for, and how closely it is looked at."""

    results: Path
    data: Path
    cell: Cell | None = None
    verify: bool = True
    """Read heavy files (weights, features, pictures) to compare their hashes."""

    def dataset(self, name: str) -> Path:
        """The manifest of a dataset."""
        return self.data / name / "manifest.csv"


@dataclass
class Step:
    """One file of a chain."""

    path: Path
    kind: str
    says: dict[str, Any] = field(default_factory=dict)
    inputs: list[Path] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """What does not match what it was made from."""
    workflow: dict[str, Any] | None = None
    """What Snakemake recorded of its making."""

    def require(self, holds: bool, problem: str) -> None:
        """Note a problem unless something holds."""
        if not holds:
            self.problems.append(problem)


def read_step(path: Path, places: Places) -> Step:
    """Read a file of a chain, compare it with what it was made from, and name that.

    Files of kinds without a reader (figures, sheets, scores) are followed by Snakemake's record alone. What
    cannot be read is a problem of the step, never an exception.
    """
    record = read_record(path)
    kind, reader = _reader(path, places)
    step = Step(path, kind, workflow=record)
    if not path.is_file():
        step.kind = "missing"
        return step
    try:
        if reader is not None:
            reader(step, places)
        elif record is not None:
            step.inputs = [Path(file) for file in record["input"] if not file.endswith(".py")]
        else:
            step.problems.append("Snakemake has no record of what it was made from")
    except UserError as error:
        step.problems.append(str(error))
    return step


Reader = Callable[[Step, Places], None]


def _reader(path: Path, places: Places) -> tuple[str, Reader | None]:
    """Kind and reader of a file, by its place."""
    if path == places.data / path.parent.name / "manifest.csv":
        return "dataset", _dataset
    if not path.is_relative_to(places.results):
        return ("raw pictures", _raw) if path.suffix == ".json" else ("file", None)
    parts = path.relative_to(places.results).parts
    if parts[0] == "tables" and len(parts) == 2:
        return ("digest of tables", None) if path.suffix == ".json" else ("table", _table)
    if parts[0] == "metrics" and len(parts) == 2:
        return "collected metrics", _collected
    by_name: dict[str, tuple[str, Reader]] = {
        "metrics.json": ("metrics", _metrics),
        "weights.json": ("weights", _weights),
        "run.json": ("parameters", _run),
        "train.jsonl": ("training", _training),
        "attention.json": ("attention", _attention),
    }
    if path.name in by_name:
        return by_name[path.name]
    if path.parent.name == "features" and path.suffix == ".json":
        return "features", _features
    if "translations" in parts and path.name == "manifest.csv":
        return "translations", _translations
    return ("figure", None) if parts[0] in ("figures", "sheets") else ("file", None)


def _table(step: Step, places: Places) -> None:
    """A table, and whether its cell is the mean of what was measured."""
    collected = places.results / "metrics" / f"{step.path.stem}.csv"
    step.inputs = [collected]
    step.says = {"table": step.path.stem}
    csv_path = step.path.with_suffix(".csv")
    if not csv_path.is_file():
        step.problems.append(f"{csv_path}: no such file, so its values were not compared")
        return
    with csv_path.open(encoding="utf-8", newline="") as handle:
        lines = [line for line in csv.DictReader(handle) if _chosen(line, places.cell) and line["ours"]]
    if places.cell:
        step.says["values"] = {line["metric"]: float(line["ours"]) for line in lines}
        step.says["seeds"] = lines[0]["seeds"] if lines else ""
    if not collected.is_file():
        return
    rows = list(read_metrics_csv(collected))
    for line in lines:
        seeds = {int(seed) for seed in line["seeds"].split()}
        own = [
            row.value
            for row in rows
            if (row.dataset, row.model, row.direction, row.metric)
            == (line["dataset"], line["model"], line["direction"], line["metric"])
            and (row.seed in seeds or not seeds)
        ]
        step.require(
            bool(own) and abs(statistics.fmean(own) - float(line["ours"])) <= TABLE_TOLERANCE,
            f"{line['metric']} of {line['dataset']}/{line['model']}/{line['direction']} is {line['ours']}, "
            f"but {collected} has {statistics.fmean(own) if own else 'no such value'}",
        )


def _collected(step: Step, places: Places) -> None:
    """All metrics of a table's runs, and whether each file still says the same."""
    chosen = [row for row in read_metrics_csv(step.path) if _chosen(vars(row), places.cell)]
    by_file: dict[Path, list[MetricRow]] = {}
    for row in chosen:
        by_file.setdefault(_metrics_path(row, places), []).append(row)
    step.inputs = sorted(by_file)
    for path, rows in by_file.items():
        if path.is_file():
            step.require(
                set(rows) <= set(rows_of_metrics(path)), f"its rows are not the values of {path}"
            )


def _metrics(step: Step, places: Places) -> None:
    """The metrics of one run, and the features that they compare."""
    found = _json(step.path, "the metrics of one run")
    step.says = {key: found.get(key) for key in ("dataset", "model", "seed", "image_px", "extractor")}
    folder, real = step.path.parent, places.results / str(found.get("dataset")) / "real" / "features"
    for direction, part in found.get("directions", {}).items():
        if places.cell and direction != places.cell.direction:
            continue
        step.says[direction] = {"counts": part.get("counts"), "metrics": _values(part)}
        source = FEATURES_OF[direction]
        target = FEATURES_OF["b2a" if direction == "a2b" else "a2b"]
        fake = {
            "source": real / f"{source}.json",
            "real": real / f"{target.replace('test', 'train')}.json",
        }.get(str(found.get("model")), folder / "features" / f"{direction}.json")
        for role, file in (("fake", fake), ("target", real / f"{target}.json"), ("source", real / f"{source}.json")):
            step.inputs.append(file)
            if file.is_file():
                step.require(
                    _json(file, "features").get("features_sha256") == part["inputs"].get(f"{role}_sha256"),
                    f"{direction}: {file} holds other features than were compared",
                )


def _features(step: Step, places: Places) -> None:
    """Features, their values, and the pictures that they are of."""
    found = _json(step.path, "features")
    step.says = {key: found.get(key) for key in ("extractor", "image_px", "pictures", "features_sha256")}
    values = step.path.with_suffix(".npz")
    _compare_file(step, values, found.get("features_sha256"), places)
    split, limit = found["pictures"]["split"], found["pictures"]["limit"]
    owner = step.path.parent.parent
    is_real = owner.name == "real"
    manifest_path = (
        places.dataset(owner.parent.name) if is_real else owner / "translations" / split / "manifest.csv"
    )
    step.inputs = [manifest_path]
    if manifest_path.is_file():
        pictures = first_by_name_hash(read_manifest(manifest_path).kept(split), limit)
        step.require(
            sha256_json([[p.name, p.sha256] for p in pictures]) == found["pictures"]["digest"],
            f"{manifest_path} lists other pictures than these features are of",
        )


def _translations(step: Step, places: Places) -> None:
    """Translations, the weights that made them, and the pictures that they are of."""
    manifest = read_manifest(step.path)
    direction, run = step.path.parent.name, step.path.parents[2]
    kept = [row for row in manifest.rows if row.status == KEPT]
    step.says = {"direction": direction, "pictures": len(kept), "digest": manifest.digest()}
    _compare_pictures(step, manifest, places)
    dataset_name = run.parent.name if run.name.startswith("seed") else run.name
    dataset_path = places.dataset(
        run.parents[1].name if run.name.startswith("seed") and run.parents[1] != places.results else run.parent.name
    )
    del dataset_name
    record_path = step.path.with_name("translation.json")
    weights = run / "weights.json"
    if record_path.is_file():
        made = _json(record_path, "the record of translations")
        step.says |= {key: made[key] for key in ("time", "code", "versions", "machine", "device") if key in made}
        step.inputs.append(weights)
        if weights.is_file():
            step.require(
                _json(weights, "weights").get("weights_sha256") == made.get("weights_sha256"),
                f"{weights} is not what made them",
            )
    elif weights.is_file():
        step.inputs.append(weights)
        step.problems.append(f"{record_path}: no such file, so nothing says that {weights} made them")
    else:
        step.says["made"] = "elsewhere"
    step.inputs.append(dataset_path)
    if dataset_path.is_file():
        sources = {row.sha256 for row in read_manifest(dataset_path).rows if row.split == FEATURES_OF[direction]}
        strange = sum(row.source not in sources for row in kept)
        step.require(not strange, f"{strange} are of no test picture of {dataset_path}")


def _weights(step: Step, places: Places) -> None:
    """Weights, the run and the data that they were trained with."""
    found = _json(step.path, "weights")
    step.says = {key: found.get(key) for key in ("step", "weights_sha256", "run_sha256", "data_sha256", "parameters")}
    _compare_file(step, step.path.with_name("weights.safetensors"), found.get("weights_sha256"), places)
    run = found.get("run", {})
    step.require(sha256_json(run) == found.get("run_sha256"), "its run is not the one of its hash")
    run_path, log_path = step.path.with_name("run.json"), step.path.with_name("train.jsonl")
    step.inputs = [run_path, log_path] if found.get("step") is not None else []
    if run_path.is_file():
        step.require(_json(run_path, "a run") == run, f"{run_path} holds other parameters than it was trained with")
    dataset = places.dataset(str(run.get("dataset")))
    if found.get("data_sha256") is not None:
        step.inputs.append(dataset)
        if dataset.is_file():
            step.require(
                read_manifest(dataset).digest() == found["data_sha256"],
                f"{dataset} lists other pictures than it was trained on",
            )


def _run(step: Step, places: Places) -> None:
    """The parameters of a run."""
    step.says = _json(step.path, "a run")


def _training(step: Step, places: Places) -> None:
    """Where, when and with what a training was carried out, in how many pieces."""
    records = read_json_lines(step.path)
    step.says = {
        "starts": [
            {key: value for key, value in record.items() if key not in ("event", "elapsed_s")}
            for record in records
            if record.get("event") == "start"
        ],
        "finished": next((r.get("time") for r in records if r.get("event") == "finished"), None),
        "elapsed_s": records[-1].get("elapsed_s") if records else None,
    }


def _attention(step: Step, places: Places) -> None:
    """Attention maps, and the weights that they are of."""
    found = _json(step.path, "attention maps")
    step.says = {key: value for key, value in found.items() if key not in ("names", "maps")}
    _compare_file(step, step.path.with_suffix(".npz"), found.get("arrays_sha256"), places)
    weights = step.path.parents[2] / "weights.json"
    step.inputs = [weights, places.dataset(str(found.get("dataset")))]
    if weights.is_file():
        step.require(
            _json(weights, "weights").get("weights_sha256") == found.get("weights_sha256"),
            f"{weights} is not what they are of",
        )


def _dataset(step: Step, places: Places) -> None:
    """A dataset, and what Snakemake made it from."""
    manifest = read_manifest(step.path)
    kept = [row for row in manifest.rows if row.status == KEPT]
    splits = dict.fromkeys(row.split for row in kept)
    step.says = {
        "digest": manifest.digest(),
        "pictures": {split: sum(row.split == split for row in kept) for split in splits},
    }
    _compare_pictures(step, manifest, places)
    if step.workflow:
        step.inputs = [Path(file) for file in step.workflow["input"] if not file.endswith(".py")]


def _raw(step: Step, places: Places) -> None:
    """Where raw pictures came from."""
    found = _json(step.path, "the record of raw pictures")
    step.says = {key: found[key] for key in ("folder", "swap", "archive", "fingerprint") if key in found}


def _compare_file(step: Step, file: Path, digest: object, places: Places) -> None:
    """Compare a heavy file with the hash that a record names; one that is not here is not compared."""
    if not places.verify:
        return
    if not file.is_file():
        step.says["not here"] = file.name
    else:
        step.require(sha256_file(file) == digest, f"{file} is not the file that it names")


def _compare_pictures(step: Step, manifest: Manifest, places: Places) -> None:
    """Compare pictures with the hashes of their manifest; those that are not here are counted."""
    if not places.verify:
        return
    absent = 0
    for row in (row for row in manifest.rows if row.status == KEPT):
        file = manifest.path.parent / row.path
        if not file.is_file():
            absent += 1
        else:
            step.require(sha256_file(file) == row.sha256, f"{file} changed since it was listed")
    if absent:
        step.says["not here"] = f"{absent} pictures"


def _metrics_path(row: MetricRow, places: Places) -> Path:
    """The file that a row of collected metrics was read from."""
    seed = () if row.seed is None else (f"seed{row.seed}",)
    return places.results.joinpath(row.dataset, row.model, *seed, "metrics.json")


def _chosen(row: dict[str, Any], cell: Cell | None) -> bool:
    """Whether a row belongs to the cell that is asked for."""
    return cell is None or (row["dataset"], row["model"], row["direction"]) == (
        cell.dataset,
        cell.model,
        cell.direction,
    )


def _values(part: dict[str, Any]) -> dict[str, Any]:
    """Metric -> value of one direction of a metrics.json."""
    return {name: metric.get("value") for name, metric in part.get("metrics", {}).items()}


def _json(path: Path, what: str) -> dict[str, Any]:
    """A JSON object.

    Raises: UserError if it is none.
    """
    found = read_json(path, what, REMEDY)
    if not isinstance(found, dict):
        raise UserError(f"{path}: holds {type(found).__name__}; expected {what}. {REMEDY}")
    return found


def absent(steps: Iterable[Step]) -> Iterator[Path]:
    """Files that a chain names and that are not here."""
    return (step.path for step in steps if step.kind == "missing")
