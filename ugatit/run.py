"""One run: resolved from the parameters, frozen, and kept in run.json."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from ugatit.errors import UserError
from ugatit.files import read_json, sha256_json, write_json
from ugatit.models import Epochs, Training
from ugatit.modules import method_module
from ugatit.params import Params, merge
from ugatit.strict import Strict, check, nearest

RUN_SCHEMA = 2

KEY_DIGITS = 12


class Run(Strict):
    """One training, resolved: the trainer's only configuration. Stands in run.json."""

    run_schema: int
    dataset: str
    model: str
    seed: int = Field(ge=0)
    method: str
    numerics: int = Field(description="Version of the method's arithmetic; see the golden test.")
    training: Training
    parameters: dict[str, Any] = Field(description="Checked by the method's own `Parameters`.")


def resolve(params: Params, dataset: str, model: str, seed: int) -> Run:
    """Resolve one run: `training` ← dataset ← model, and `methods.<method>` ← preset ← model ← its dataset.

    Raises: UserError if a name is unknown or the merged values do not pass the method's checks.
    """
    _require("dataset", dataset, params.datasets)
    _require("model", model, params.models)
    entry = params.models[model]
    if entry.method is None:
        raise UserError(
            f"model {model!r} is external: its translations are taken over, there is nothing to train."
        )
    module = method_module(entry.method)
    training = merge(params.training.model_dump(), params.datasets[dataset].training)
    training = merge(training, entry.training)
    origin = f"parameters of {dataset}/{model}"
    checked = method_parameters(params, dataset, model)
    traits = module.traits(checked)
    if entry.epochs:
        training |= {"steps": 1, "decay_start": 1}  # until it is known how many
        per_step = check(Training, training, f"{origin}: training").batch_size * traits.draws
        training |= _steps_of(entry.epochs, params.datasets[dataset].pictures, per_step, dataset, model)
    run = Run(
        run_schema=RUN_SCHEMA,
        dataset=dataset,
        model=model,
        seed=seed,
        method=entry.method,
        numerics=module.NUMERICS,
        training=check(Training, training, f"{origin}: training"),
        parameters=checked.model_dump(),
    )
    module.check_training(checked, run.training)
    return run


def method_parameters(params: Params, dataset: str, model: str) -> Any:
    """The checked `Parameters` of a trained model on a dataset.

    Raises: UserError naming the value that does not pass the method's checks.
    """
    entry = params.models[model]
    method = entry.method or ""
    values = merge(params.methods[method], params.presets.get(entry.preset or "", {}))
    values = merge(merge(values, entry.parameters), entry.per_dataset.get(dataset, {}))
    return check(method_module(method).Parameters, values, f"parameters of {dataset}/{model}")


def _steps_of(
    epochs: Epochs, pictures: Mapping[Any, int], per_step: int, dataset: str, model: str
) -> dict[str, int]:
    """Length and decay in steps; an epoch takes every picture of the larger training set once."""
    if not {"trainA", "trainB"} <= pictures.keys():
        raise UserError(
            f"models.{model}.epochs: datasets.{dataset}.pictures does not say how many pictures trainA and "
            "trainB have, so an epoch has no length. Name both counts there, or set `epochs: null` and "
            "`training: {steps: ..., decay_start: ...}` for the model."
        )
    in_epoch = math.ceil(max(pictures["trainA"], pictures["trainB"]) / per_step)
    steps, start = epochs.length * in_epoch, epochs.full_rate * in_epoch
    if epochs.at_most is not None:
        steps = min(steps, epochs.at_most)
    return {"steps": steps, "decay_start": min(start, steps)}


def read_run(path: Path) -> Run:
    """Read a run.json.

    Raises: UserError if it is missing, damaged, or of another schema or arithmetic version.
    """
    remedy = "Write it with `ugatit resolve`."
    run = check(Run, read_json(path, "a resolved run", remedy), str(path))
    numerics = method_module(run.method).NUMERICS
    if (run.run_schema, run.numerics) != (RUN_SCHEMA, numerics):
        raise UserError(
            f"{path}: schema {run.run_schema}, numerics {run.numerics} of {run.method}; this version has "
            f"{RUN_SCHEMA} and {numerics}, so results would differ. {remedy}"
        )
    return run


def write_run(path: Path, run: Run, replace: bool = False) -> None:
    """Write a run.json.

    Raises: UserError with the differences if there is one with other values and it shall not be replaced.
    """
    value = run.model_dump()
    if path.is_file() and not replace:
        changes = differences(read_json(path, "a resolved run", "Delete it."), value)
        if changes:
            raise UserError(
                f"{path}: holds another run; different: {'; '.join(changes)}. Write to another folder, "
                "restore the parameters, or replace it with --force."
            )
    write_json(path, value)


def training_key(run: Mapping[str, Any], data_sha256: str) -> str:
    """What a training is known by: the first digits of a hash of its run and of its data's digest."""
    return sha256_json([run, data_sha256])[:KEY_DIGITS]


def differences(old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Say where two run.json values differ, one `key: old -> new` each."""
    lines: list[str] = []
    for key in sorted({*old, *new}):
        before, after = old.get(key), new.get(key)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            lines += differences(before, after, f"{prefix}{key}.")
        elif before != after:
            lines.append(f"{prefix}{key}: {json.dumps(before)} -> {json.dumps(after)}")
    return lines


def _require(kind: str, name: str, known: Iterable[str]) -> None:
    names = list(known)
    if name not in names:
        raise UserError(f"unknown {kind} {name!r}{nearest(name, names)}; known: {', '.join(names)}.")
