"""Readers from a table down to features: tables, collected metrics, metrics, features."""

from __future__ import annotations

import csv
import statistics
from pathlib import Path

from ugatit.files import sha256_json
from ugatit.manifest import first_by_name_hash, read_manifest
from ugatit.reporting.collect import MetricRow, read_metrics_csv
from ugatit.reporting.collect import read_metrics as rows_of_metrics
from ugatit.reporting.provenance.steps import SOURCE_SPLIT, Places, Step, json_of

LAST_DECIMAL = 1e-4
"""Of the values in a table's CSV."""


def read_table(step: Step, places: Places) -> None:
    """A table; its values must be the means of what was collected."""
    collected = places.results / "metrics" / f"{step.path.stem}.csv"
    step.inputs = [collected]
    step.says = {"table": step.path.stem}
    values = step.path.with_suffix(".csv")
    if not values.is_file():
        step.absent.append(str(values))
        return
    with values.open(encoding="utf-8", newline="") as handle:
        lines = [line for line in csv.DictReader(handle) if line.get("ours")]
    if not lines:
        step.inputs = []  # of layers, or of the paper's values alone
    if places.cell:
        lines = [line for line in lines if places.cell.holds(line)]
        step.says["values"] = {line["metric"]: float(line["ours"]) for line in lines}
        step.says["seeds"] = lines[0]["seeds"] if lines else ""
        step.require(bool(lines), f"it has no value for {places.cell}")
    if not collected.is_file():
        return
    rows = read_metrics_csv(collected)
    for line in lines:
        key = tuple(line[name] for name in ("dataset", "model", "direction", "metric"))
        seeds = {int(seed) for seed in line["seeds"].split()}
        own = [
            row.value
            for row in rows
            if (row.dataset, row.model, row.direction, row.metric) == key and (row.seed in seeds or not seeds)
        ]
        mean = statistics.fmean(own) if own else None
        step.require(
            mean is not None and abs(mean - float(line["ours"])) < LAST_DECIMAL,
            f"{'/'.join(key)} is {line['ours']}, but {collected} has {mean}",
        )


def read_collected(step: Step, places: Places) -> None:
    """The metrics of a table's runs; each metrics.json must still say the same."""
    rows = read_metrics_csv(step.path)
    by_file: dict[Path, list[MetricRow]] = {}
    for row in rows:
        if places.cell is None or places.cell.holds(vars(row)):
            seed = () if row.seed is None else (f"seed{row.seed}",)
            path = places.results.joinpath(row.dataset, row.model, *seed, "metrics.json")
            by_file.setdefault(path, []).append(row)
    step.says = {"runs": len(by_file)}
    step.inputs = sorted(by_file)
    for path, own in by_file.items():
        if path.is_file():
            step.require(set(own) <= set(rows_of_metrics(path)), f"it has other values than {path}")


def read_metrics(step: Step, places: Places) -> None:
    """The metrics of one run; the features must be those that were compared."""
    found = json_of(step.path, "the metrics of one run")
    step.says = {key: found.get(key) for key in ("dataset", "model", "seed", "image_px", "extractor")}
    for direction, part in found["directions"].items():
        if places.cell and direction != places.cell.direction:
            continue
        values = {name: metric["value"] for name, metric in part["metrics"].items()}
        step.says[direction] = {"counts": part["counts"], "values": values}
        for role, file in _compared(step.path.parent, found, direction, places).items():
            if file not in step.inputs:
                step.inputs.append(file)
            if file.is_file():
                step.require(
                    json_of(file, "features").get("features_sha256") == part["inputs"][f"{role}_sha256"],
                    f"{direction}: {file} holds other features than were compared",
                )


def read_features(step: Step, places: Places) -> None:
    """Features; they must be of the pictures that their manifest lists now."""
    found = json_of(step.path, "features")
    step.says = {key: found.get(key) for key in ("extractor", "image_px", "pictures", "features_sha256")}
    step.compare_file(step.path.with_suffix(".npz"), found.get("features_sha256"), places)
    owner, split = step.path.parent.parent, found["pictures"]["split"]
    manifest = owner / "translations" / split / "manifest.csv"
    if owner.name == "real":
        manifest = places.dataset(owner.parent.name)
    step.inputs = [manifest]
    if manifest.is_file():
        pictures = first_by_name_hash(read_manifest(manifest).kept(split), found["pictures"]["limit"])
        digest = sha256_json([[picture.name, picture.sha256] for picture in pictures])
        step.require(digest == found["pictures"]["digest"], f"{manifest} lists other pictures than it is of")


def _compared(folder: Path, found: dict[str, object], direction: str, places: Places) -> dict[str, Path]:
    """Files of the features that one direction compares, by role."""
    real = places.results / str(found["dataset"]) / "real/features"
    source = SOURCE_SPLIT[direction]
    target = next(split for split in SOURCE_SPLIT.values() if split != source)
    references = {"source": f"{source}.json", "real": f"{target.replace('test', 'train')}.json"}
    fake = folder / "features" / f"{direction}.json"
    if (model := str(found["model"])) in references:
        fake = real / references[model]
    return {"fake": fake, "target": real / f"{target}.json", "source": real / f"{source}.json"}
