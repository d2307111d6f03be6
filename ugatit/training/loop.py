"""The training loop: finished? checkpoint due? batch, update, log. It names no method."""

from __future__ import annotations

import hashlib
import json
import logging
import math
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ugatit import processes
from ugatit.data import UnpairedData
from ugatit.devices import (
    available_cores,
    choose_device,
    compute_deterministically,
    keep_freed_memory,
    use_threads,
)
from ugatit.environment import now, snapshot
from ugatit.errors import UserError
from ugatit.files import read_json, write_json
from ugatit.manifest import Manifest, read_manifest
from ugatit.methods import Networks, Optimizers
from ugatit.modules import method_module
from ugatit.nn.losses import NonFiniteLoss
from ugatit.run import Run, differences, read_run, training_key
from ugatit.strict import check
from ugatit.training.checkpoint import load_checkpoint, save_checkpoint
from ugatit.training.lock import Lock, alone
from ugatit.training.log import TrainingLog
from ugatit.training.samples import Samples
from ugatit.training.schedule import lr_factor
from ugatit.training.stop import Stopped, StopRequest, listening
from ugatit.training.team import check_team, team
from ugatit.weights import TENSORS, save_weights

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Options:
    """How a training is carried out; nothing here changes its result on the same machine and thread count.

    Several devices round differently than one, as threads do: decision D85.
    """

    device: str = "auto"
    threads: int | None = None
    max_hours: float | None = None  # stop with a checkpoint after so long
    checkpoint_minutes: float = 10.0
    samples: int = 20  # sample sheets over the whole run
    devices: int = 1  # processes that share every batch, each with a device of its own


def train(run_path: Path, manifest_path: Path, options: Options) -> Path:
    """Train the run of a run.json on a dataset; run again, it continues where its last checkpoint is.

    Writes weights.safetensors, train.jsonl and at last weights.json beside run.json. Until then, resume
    state, log and sample sheets are in training/<key>/, where the key stands for the run and its data.

    Returns: the path of weights.json.
    Raises: UserError for unusable input, or if another process trains this run; Stopped after a
        checkpoint on SIGTERM, Ctrl-C or the time limit; NonFiniteLoss, with the step, when a loss is not a
        finite number.
    """
    run, manifest = read_run(run_path), read_manifest(manifest_path)
    weights_path = run_path.with_name("weights.json")
    key = training_key(run.model_dump(), manifest.digest())
    folder = run_path.parent / "training" / key
    if _finished(weights_path, run, manifest):
        log.info("%s is there already; nothing to do", weights_path)
        shutil.rmtree(folder / "checkpoints", ignore_errors=True)  # a kill after the weights left them
        return weights_path
    with alone(folder.with_name("lock.json")) as lock:
        if _finished(weights_path, run, manifest):  # by the process that was waited for
            return weights_path
        _claim(folder, run)
        networks = _run_together(run, manifest, folder, key, options, lock)
        shutil.copyfile(folder / "train.jsonl", run_path.with_name("train.jsonl"))
        save_weights(weights_path, run, networks, run.training.steps, manifest.digest())
        shutil.rmtree(folder / "checkpoints")
    return weights_path


def _run_together(
    run: Run, manifest: Manifest, folder: Path, key: str, options: Options, lock: Lock
) -> Networks:
    """Carry out the steps that are missing, with the other processes if there are several."""
    method = method_module(run.method)
    device = choose_device(options.device, options.devices)
    if options.devices > 1:
        traits = method.traits(check(method.Parameters, run.parameters, "run.json"))
        check_team(options.devices, device, run, traits)
    share = (run, manifest, folder, key, options, device)
    with team(options.devices, device, _run_steps, share):
        return _run_steps(*share, lock)


def _run_steps(
    run: Run,
    manifest: Manifest,
    folder: Path,
    key: str,
    options: Options,
    device: torch.device,
    lock: Lock | None = None,
) -> Networks:
    """Build or resume the networks and carry out the steps that are missing; with the lock, write results."""
    method = method_module(run.method)
    parameters = check(method.Parameters, run.parameters, "run.json")
    traits = method.traits(parameters)
    steps, draws = run.training.steps, traits.draws
    if options.devices > 1 and device.type == "cuda":
        device = torch.device("cuda", processes.rank())
        torch.cuda.set_device(device)
    threads = use_threads(max(1, (options.threads or available_cores()) // options.devices))
    computing = {"device": str(device), "devices": options.devices, "threads": threads}
    keep_freed_memory()
    compute_deterministically(device)

    networks = {
        name: network.to(device).train()
        for name, network in method.build(parameters, run.training.image_px, run.seed).items()
    }
    given = {name: net.to(device) for name, net in method.given(parameters).items()} if traits.files else {}
    optimizers = method.optimizers(networks, parameters)
    full_lr = [group["lr"] for group in _groups(optimizers)]
    done = load_checkpoint(folder / "checkpoints", networks, optimizers, key)
    samples = Samples(manifest, run, folder / "samples")
    sample_every = math.ceil(steps / options.samples) if options.samples else steps + 1
    share = (processes.rank(), processes.count())
    data = UnpairedData(manifest, run.training, run.seed, traits.streams, share)
    batches = data.batches(done * draws, device)
    request, saved_at, saved = StopRequest(options.max_hours), time.monotonic(), done
    training_log = TrainingLog(folder / "train.jsonl" if lock else None, done + 1, steps)
    training_log.event("start", done, **computing, **snapshot(device))
    try:
        with listening(request):
            for step in range(done + 1, steps + 1):
                reason = request.check()
                due = reason or time.monotonic() - saved_at >= 60 * options.checkpoint_minutes
                if lock and due and saved < step - 1:
                    lock.require()
                    save_checkpoint(folder / "checkpoints", step - 1, networks, optimizers, key)
                    saved_at, saved = time.monotonic(), step - 1
                (stop,) = processes.as_the_leader(reason is not None)
                if stop:
                    training_log.event("stop", step - 1, reason=reason)
                    raise Stopped(
                        f"{reason}: stopped after step {step - 1}; run the same command to continue"
                    )

                factor = lr_factor(step, run.training)
                for group, lr in zip(_groups(optimizers), full_lr, strict=True):
                    group["lr"] = lr * factor
                torch.manual_seed(_step_seed(run.seed, step))
                drawn = [next(batches) for _ in range(draws)]
                # Weights may move within an update; a cache would go on with their old copies.
                with torch.autocast(
                    device.type,
                    torch.bfloat16,
                    enabled=run.training.precision == "bfloat16",
                    cache_enabled=False,
                ):
                    terms = method.update(networks | given, optimizers, drawn, parameters, step / steps)

                if training_log.due(step):
                    processes.average(terms.values())
                    watched = method.watch(networks) if traits.watched else None
                    shown = {name: term.item() for name, term in terms.items()}
                    training_log.step(step, factor, shown, watched)
                else:
                    training_log.step(step, factor, None)
                if lock and step % sample_every == 0:
                    samples.draw(networks, step, device)
    except NonFiniteLoss as error:
        training_log.event("non-finite loss", step, terms=str(error))
        raise NonFiniteLoss(f"step {step}: {error}; the last checkpoint is untouched") from None
    finally:
        training_log.close()
        batches.close()
    if lock:
        lock.require()
        save_checkpoint(folder / "checkpoints", steps, networks, optimizers, key)
    training_log.event("finished", steps, time=now())
    return networks


def _groups(optimizers: Optimizers) -> list[dict[str, Any]]:
    """All parameter groups, in order; loading a checkpoint replaces them."""
    return [group for optimizer in optimizers.values() for group in optimizer.param_groups]


def _step_seed(seed: int, step: int) -> int:
    """The seed of a step's random numbers, so that none of the generator's state needs saving."""
    return int.from_bytes(hashlib.sha256(f"{seed} {step}".encode()).digest()[:8], "big") >> 1


def _finished(weights_path: Path, run: Run, manifest: Manifest) -> bool:
    """Whether this very training is complete.

    Raises: UserError if the folder holds the weights of another one.
    """
    if not weights_path.is_file():
        return False
    if not weights_path.with_name(TENSORS).is_file():
        log.warning("%s is there without its %s; training anew", weights_path, TENSORS)
        return False
    found = read_json(weights_path, "a weights.json", "Delete it to train anew.")
    changes = differences(found.get("run", {}), run.model_dump())
    if found.get("data_sha256") != manifest.digest():
        changes.append("the pictures")
    if changes:
        raise UserError(
            f"{weights_path}: trained with another configuration; different: {'; '.join(changes)}. Restore "
            "the parameters, train in another folder, or delete weights.json to train anew here."
        )
    return True


def _claim(folder: Path, run: Run) -> None:
    """Mark a resume folder with its run, and say if others lie beside it."""
    others = [other for other in folder.parent.glob("*/run.json") if other.parent != folder]
    for other in others:
        changes = differences(json.loads(other.read_text(encoding="utf-8")), run.model_dump())
        what = "; ".join(changes) or "the pictures"
        log.warning(
            "%s holds an earlier training (different: %s); delete it if not needed", other.parent, what
        )
    write_json(folder / "run.json", run.model_dump())
