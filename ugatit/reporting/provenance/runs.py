"""Readers from translations down to raw pictures, by way of weights, run and dataset."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from ugatit.files import read_json_lines, sha256_json
from ugatit.manifest import KEPT, read_manifest
from ugatit.reporting.provenance.steps import SOURCE_SPLIT, Places, Step, json_of, recorded_inputs

CIRCUMSTANCES = ("time", "code", "versions", "machine", "device", "threads")
"""What a record says of the making itself."""


def read_translations(step: Step, places: Places) -> None:
    """Translations; they must be of test pictures, and made by the weights that lie beside them."""
    manifest = read_manifest(step.path)
    kept = [row for row in manifest.rows if row.status == KEPT]
    direction, run = step.path.parent.name, step.path.parents[2]
    step.says = {"direction": direction, "pictures": len(kept), "digest": manifest.digest()}
    step.compare_pictures(manifest, places)
    record, weights = step.path.with_name("translation.json"), run / "weights.json"
    if record.is_file():
        made = json_of(record, "the record of translations")
        step.says |= {key: made[key] for key in CIRCUMSTANCES if key in made}
        _require_weights(step, weights, made.get("weights_sha256"))
    elif weights.is_file():
        step.inputs.append(weights)
        step.absent.append(f"{record}, which says whether {weights} made them")
    else:
        step.says["made"] = "elsewhere"
    dataset = places.dataset(step.path.relative_to(places.results).parts[0])
    step.inputs.append(dataset)
    if dataset.is_file():
        tests = {row.sha256 for row in read_manifest(dataset).rows if row.split == SOURCE_SPLIT[direction]}
        strange = sum(row.source not in tests for row in kept)
        step.require(not strange, f"{strange} of {len(kept)} are of no test picture of {dataset}")


def read_attention(step: Step, places: Places) -> None:
    """Attention maps; they must be of the weights that lie beside them."""
    found = json_of(step.path, "attention maps")
    step.says = {key: value for key, value in found.items() if key not in ("names", "sources", "maps")}
    step.compare_file(step.path.with_suffix(".npz"), found.get("arrays_sha256"), places)
    _require_weights(step, step.path.parents[2] / "weights.json", found.get("weights_sha256"))
    step.inputs.append(places.dataset(found.get("dataset")))


def read_weights(step: Step, places: Places) -> None:
    """Weights; run.json and the dataset must be those that they were trained with."""
    found = json_of(step.path, "weights")
    run = found.get("run", {})
    step.says = {key: found.get(key) for key in ("step", "weights_sha256", "run_sha256", "data_sha256")}
    step.compare_file(step.path.with_name("weights.safetensors"), found.get("weights_sha256"), places)
    step.require(sha256_json(run) == found.get("run_sha256"), "the run in it is not that of its hash")
    if found.get("step") is None:
        step.says["made"] = "elsewhere"
        return
    run_path, dataset = step.path.with_name("run.json"), places.dataset(run.get("dataset"))
    step.inputs = [run_path, step.path.with_name("train.jsonl"), dataset]
    if run_path.is_file():
        step.require(
            json_of(run_path, "a run") == run, f"{run_path} has other parameters than it was trained with"
        )
    if dataset.is_file():
        step.require(
            read_manifest(dataset).digest() == found.get("data_sha256"),
            f"{dataset} lists other pictures than it was trained on",
        )


def read_run(step: Step, places: Places) -> None:
    """The parameters of a run."""
    step.says = json_of(step.path, "a run")


def read_training(step: Step, places: Places) -> None:
    """Where, when and with what a training was carried out, in how many pieces."""
    records = read_json_lines(step.path)
    starts = [record for record in records if record.get("event") == "start"]
    finished = [record for record in records if record.get("event") == "finished"]
    step.says = {
        "starts": [{"step": s["step"], **{k: s[k] for k in CIRCUMSTANCES if k in s}} for s in starts],
        "finished": finished[-1].get("time") if finished else None,
        "elapsed_s": records[-1]["elapsed_s"] if records else None,
    }
    step.require(bool(finished), "it does not say that the training was finished")


def read_dataset(step: Step, places: Places) -> None:
    """A dataset: how many pictures, and which by their digest."""
    manifest = read_manifest(step.path)
    counts = Counter(row.split for row in manifest.rows if row.status == KEPT)
    step.says = {"digest": manifest.digest(), "pictures": dict(counts)}
    step.compare_pictures(manifest, places)
    if step.workflow:
        step.inputs = recorded_inputs(step.workflow)


def read_raw(step: Step, places: Places) -> None:
    """Where raw pictures came from."""
    found = json_of(step.path, "the record of raw pictures")
    step.says = {key: found[key] for key in ("folder", "swap", "archive", "fingerprint") if key in found}


def _require_weights(step: Step, weights: Path, digest: object) -> None:
    """Name the weights as an input, and compare them with the hash that was noted."""
    step.inputs.append(weights)
    if weights.is_file():
        known = json_of(weights, "weights").get("weights_sha256")
        step.require(known == digest, f"{weights} does not hold the weights that made it")
