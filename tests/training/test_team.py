"""One training in several processes: the same as in one, but for rounding."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.conftest import MakeRun
from tests.training.test_loop import PATIENCE_S, train_command, wait_for_step
from ugatit.data import UnpairedData
from ugatit.errors import UserError
from ugatit.files import read_json_lines
from ugatit.manifest import Manifest
from ugatit.methods import ugatit
from ugatit.run import Run
from ugatit.training.loop import Options, train
from ugatit.training.stop import STOPPED_EXIT, Stopped

QUIET = Options(device="cpu", threads=2, samples=0)

WEIGHT_TOLERANCE = 0.01
"""Share of the way that the weights went. Gradients are summed in another order, and Adam makes the rounding
of a gradient that is zero, such as that of a bias before a normalisation, as large as any other's."""

LOSS_TOLERANCE = 1e-4
"""Of losses of a few steps, relative."""


def losses(run: Path) -> list[dict[str, float]]:
    return [r["losses"] for r in read_json_lines(run.with_name("train.jsonl")) if "losses" in r]


def weights(run: Path) -> torch.Tensor:
    tensors = load_file(run.with_name("weights.safetensors"))
    return torch.cat([tensors[name].flatten() for name in sorted(tensors)])


def first_weights(run: Run) -> torch.Tensor:
    networks = ugatit.build(ugatit.Parameters.model_validate(run.parameters), run.training.image_px, run.seed)
    tensors = {f"{name}.{key}": t for name, net in networks.items() for key, t in net.state_dict().items()}
    return torch.cat([tensors[name].flatten() for name in sorted(tensors)])


def test_shares_make_up_the_batch(dataset: Manifest, make_run: MakeRun) -> None:
    _, run = make_run(batch_size=4)
    whole = UnpairedData(dataset, run.training, 0)
    shares = [UnpairedData(dataset, run.training, 0, share=(number, 2)) for number in (0, 1)]
    for k in range(3):
        for pictures, *parts in zip(whole.batch(k), *(share.batch(k) for share in shares), strict=True):
            assert torch.equal(pictures, torch.cat(parts))


def test_two_processes_train_what_one_does(dataset: Manifest, make_run: MakeRun) -> None:
    (one, run), (two, _) = (make_run(name, "ugatit-tf", batch_size=4, steps=4) for name in ("one", "two"))
    train(one, dataset.path, QUIET)
    train(two, dataset.path, replace(QUIET, devices=2))
    assert one.read_bytes() == two.read_bytes()
    for before, now in zip(losses(one), losses(two), strict=True):
        assert now == pytest.approx(before, rel=LOSS_TOLERANCE)
    way = weights(one) - first_weights(run)
    assert (weights(one) - weights(two)).norm() < WEIGHT_TOLERANCE * way.norm()


def test_kills_and_signals_end_all_processes_and_any_number_continues(
    dataset: Manifest, make_run: MakeRun
) -> None:
    path, _ = make_run("disturbed", batch_size=2, steps=100_000)
    command = [*train_command(path, dataset.path), "--devices", "2"]
    killed = subprocess.Popen(command, stderr=subprocess.DEVNULL, text=True, start_new_session=True)
    wait_for_step(path.parent, 2, killed)
    killed.kill()
    killed.wait()
    wait_for_the_end_of(killed.pid)

    stopped = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    (log,) = (path.parent / "training").glob("*/train.jsonl")
    wait_for_step(path.parent, read_json_lines(log)[-1]["step"] + 2, stopped)
    os.killpg(stopped.pid, signal.SIGTERM)  # as clusters do: to every process
    _, errors = stopped.communicate(timeout=PATIENCE_S)
    assert stopped.returncode == STOPPED_EXIT, errors
    wait_for_the_end_of(stopped.pid)
    last = read_json_lines(log)[-1]
    assert (last["event"], last["reason"]) == ("stop", "SIGTERM")

    with pytest.raises(Stopped):
        train(path, dataset.path, replace(QUIET, max_hours=0))
    starts = [(r["step"], r["devices"]) for r in read_json_lines(log) if r.get("event") == "start"]
    assert starts[0] == (0, 2)
    assert 2 <= starts[1][0] < starts[2][0]
    assert starts[2] == (last["step"], 1)


def wait_for_the_end_of(group: int) -> None:
    """Wait until no process of a group is left."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        assert time.monotonic() < deadline, "a process is left"
        time.sleep(0.1)


@pytest.mark.parametrize(("batch_size", "devices"), [(1, 2), (3, 2), (4, 3)])
def test_a_batch_that_cannot_be_shared_equally_is_refused(
    dataset: Manifest, make_run: MakeRun, batch_size: int, devices: int
) -> None:
    path, _ = make_run(batch_size=batch_size)
    with pytest.raises(
        UserError,
        match=rf"--devices {devices} \(resource `gpu` of rule train\): training.batch_size {batch_size} cannot be shared",
    ):
        train(path, dataset.path, replace(QUIET, devices=devices))


def test_a_method_that_draws_or_keeps_is_refused(
    dataset: Manifest, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = make_run(batch_size=2)
    traits = ugatit.traits
    monkeypatch.setattr(ugatit, "traits", lambda parameters: replace(traits(parameters), shared=False))
    with pytest.raises(UserError, match="the method ugatit draws random numbers or keeps pictures"):
        train(path, dataset.path, replace(QUIET, devices=2))
