"""Training runs: bit-equal resume, stops, guards, and looking that changes nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
import torch
from safetensors.torch import load_file

from tests.conftest import MakeRun
from ugatit.errors import UserError
from ugatit.evaluation.translate import translate
from ugatit.files import read_json_lines
from ugatit.images import read_rgb
from ugatit.manifest import Manifest, read_manifest, write_manifest
from ugatit.methods import ugatit
from ugatit.modules import method_module
from ugatit.nn.losses import NonFiniteLoss
from ugatit.run import training_key
from ugatit.training import checkpoint
from ugatit.training.loop import Options, train
from ugatit.training.samples import GAP_PX
from ugatit.training.stop import STOPPED_EXIT, Stopped

PATIENCE_S = 120
"""A command starts in seconds; a loaded machine may take longer."""

QUIET = Options(device="cpu", threads=1, samples=0)
EVERY_STEP = Options(device="cpu", threads=1, samples=0, checkpoint_minutes=0)


def bytes_of(weights_json: Path) -> bytes:
    return weights_json.with_name("weights.safetensors").read_bytes()


def stop_after(monkeypatch: pytest.MonkeyPatch, steps: int, method: ModuleType = ugatit) -> None:
    """Let the method fail, as a kill would, after so many updates."""
    update, calls = method.update, []

    def failing(*args: object) -> object:
        calls.append(1)
        if len(calls) > steps:
            raise KeyboardInterrupt
        return update(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(method, "update", failing)


def test_the_same_run_twice_gives_the_same_bytes(dataset: Manifest, make_run: MakeRun) -> None:
    results = [train(make_run(name)[0], dataset.path, QUIET) for name in ("one", "two")]
    assert bytes_of(results[0]) == bytes_of(results[1])
    assert results[0].read_bytes() == results[1].read_bytes()
    other = train(make_run("three", seed=1)[0], dataset.path, QUIET)
    assert bytes_of(other) != bytes_of(results[0])


@pytest.mark.parametrize(
    "model", ["ugatit", "ugatit-tf", "cyclegan-equal", "aggan-equal", "cartoongan-equal"]
)
@pytest.mark.parametrize("after", [1, 3, 5])
def test_resume_equals_an_undisturbed_run_bit_for_bit(
    dataset: Manifest, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, after: int, model: str
) -> None:
    undisturbed = train(make_run("undisturbed", model)[0], dataset.path, QUIET)
    path, run = make_run("killed", model)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        stop_after(patch, after, method_module(run.method))
        train(path, dataset.path, EVERY_STEP)
    resumed = train(path, dataset.path, QUIET)
    assert bytes_of(resumed) == bytes_of(undisturbed)
    steps = [
        record["step"] for record in read_json_lines(path.with_name("train.jsonl")) if "losses" in record
    ]
    assert steps == list(range(1, 7))


def test_kill_in_the_middle_of_a_checkpoint_write(
    dataset: Manifest, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = train(make_run("undisturbed")[0], dataset.path, QUIET)
    path, _ = make_run("killed")
    save, written = torch.save, []

    def half(state: object, file: Path) -> None:
        save(state, file)
        written.append(file)
        if len(written) == 3:
            whole = Path(file).read_bytes()
            Path(file).write_bytes(whole[: len(whole) // 2])
            os.link(file, Path(file).with_name("left-over.part"))  # a kill leaves no time to clean up
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(torch, "save", half)
        train(path, dataset.path, EVERY_STEP)
    folder = next((path.parent / "training").glob("*/checkpoints"))
    assert [file.name for file in sorted(folder.iterdir())] == [
        "left-over.part",
        "step_0000001.pt",
        "step_0000002.pt",
    ]
    assert bytes_of(train(path, dataset.path, QUIET)) == bytes_of(undisturbed)


@pytest.mark.parametrize("kept", [0, 1000])
def test_a_damaged_checkpoint_falls_back_on_the_one_before(
    dataset: Manifest,
    make_run: MakeRun,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    kept: int,
) -> None:
    undisturbed = train(make_run("undisturbed")[0], dataset.path, QUIET)
    path, _ = make_run("killed")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        stop_after(patch, 4)
        train(path, dataset.path, EVERY_STEP)
    newest = sorted((path.parent / "training").glob("*/checkpoints/*.pt"))[-1]
    newest.write_bytes(newest.read_bytes()[:kept])
    assert bytes_of(train(path, dataset.path, QUIET)) == bytes_of(undisturbed)
    assert "is damaged" in caplog.text
    assert "kept as *.damaged" in caplog.text


def test_damaged_checkpoints_do_not_displace_those_that_follow(
    dataset: Manifest, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = train(make_run("undisturbed")[0], dataset.path, QUIET)
    path, _ = make_run("killed")
    for steps in (4, 2):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            stop_after(patch, steps)
            train(path, dataset.path, EVERY_STEP)
        folder = next((path.parent / "training").glob("*/checkpoints"))
        saved = sorted(file.name for file in folder.glob("*.pt"))
        assert saved == [f"step_{step:07d}.pt" for step in range(1, steps + 1)][-2:]
        if steps == 4:
            older, newer = sorted(folder.glob("*.pt"))
            older.write_bytes(b"")
            torch.save({"step": 4}, newer)
    assert bytes_of(train(path, dataset.path, QUIET)) == bytes_of(undisturbed)


def test_kill_9_of_the_command_and_running_it_again(dataset: Manifest, make_run: MakeRun) -> None:
    undisturbed = train(make_run("undisturbed", steps=40)[0], dataset.path, QUIET)
    path, _ = make_run("killed", steps=40)
    command = train_command(path, dataset.path)
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, text=True)
    wait_for_step(path.parent, 8, process)
    process.kill()
    process.wait()
    assert not path.with_name("weights.json").exists()
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    assert bytes_of(path.with_name("weights.json")) == bytes_of(undisturbed)


def test_sigterm_ends_in_a_checkpoint_and_the_exit_code_for_again(
    dataset: Manifest, make_run: MakeRun
) -> None:
    path, _ = make_run("stopped", steps=100_000)
    command = train_command(path, dataset.path)
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    wait_for_step(path.parent, 1, process)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == STOPPED_EXIT
    assert "run the same command to continue" in errors
    assert list((path.parent / "training").glob("*/checkpoints/step_*.pt"))


def train_command(run: Path, data: Path) -> list[str]:
    """The command of a user, saving a checkpoint at every step."""
    quiet = ["--device", "cpu", "--threads", "1", "--samples", "0", "--checkpoint-minutes", "0"]
    return [sys.executable, "-m", "ugatit", "train", str(run), "--data", str(data), *quiet]


def wait_for_step(folder: Path, step: int, process: subprocess.Popen[str]) -> None:
    """Wait until a checkpoint of that step or a later one is there."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        assert process.poll() is None, "training ended before it was disturbed"
        saved = [file.stem for file in (folder / "training").glob("*/checkpoints/*.pt")]
        if any(int(name.removeprefix("step_")) >= step for name in saved):
            return
        time.sleep(0.02)
    raise TimeoutError(f"no step {step} in time")


def test_time_limit_saves_and_continues(dataset: Manifest, make_run: MakeRun) -> None:
    undisturbed = train(make_run("undisturbed")[0], dataset.path, QUIET)
    path, _ = make_run("limited")
    with pytest.raises(Stopped, match=r"--max-hours"):
        train(path, dataset.path, Options(device="cpu", threads=1, samples=0, max_hours=0))
    assert bytes_of(train(path, dataset.path, QUIET)) == bytes_of(undisturbed)


def test_observation_leaves_the_run_unchanged(dataset: Manifest, make_run: MakeRun) -> None:
    plain = train(make_run("plain")[0], dataset.path, QUIET)
    path, _ = make_run("observed")
    observed = train(path, dataset.path, Options(device="cpu", threads=1, samples=6, checkpoint_minutes=0))
    assert bytes_of(observed) == bytes_of(plain)
    (folder,) = (path.parent / "training").glob("*/samples")
    assert len(list(folder.glob("*.png"))) == 6
    index = json.loads((folder / "samples.json").read_text())
    assert index["steps"] == [1, 2, 3, 4, 5, 6]
    assert [len(index["pictures"][direction]) for direction in ("a2b", "b2a")] == [2, 2]
    for direction, pictures in index["pictures"].items():
        for picture in pictures:
            files = (folder / direction / picture["name"]).glob("*.png")
            assert sorted(int(file.stem.removeprefix("step_")) for file in files) == index["steps"]


def test_last_sample_is_the_translation_of_the_weights(dataset: Manifest, make_run: MakeRun) -> None:
    path, _ = make_run()
    weights = train(path, dataset.path, Options(device="cpu", threads=1, samples=1))
    (made,) = translate(weights, dataset.path, "testA", "a2b", path.with_name("a2b"), "cpu", 1)
    translated = read_manifest(made)
    (folder,) = (path.parent / "training").glob("*/samples")
    for picture in json.loads((folder / "samples.json").read_text())["pictures"]["a2b"]:
        sample = read_rgb(folder / "a2b" / picture["name"] / "step_0000006.png")
        (row,) = [row for row in translated.rows if row.stem == picture["name"]]
        assert row.source == picture["sha256"]
        assert (translated.read(row).rgb == sample).all()


def test_samples_of_an_interrupted_attempt_stay_listed(
    dataset: Manifest, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = make_run()
    options = Options(device="cpu", threads=1, samples=3)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        stop_after(patch, 3)
        train(path, dataset.path, options)
    train(path, dataset.path, options)
    (index,) = (path.parent / "training").glob("*/samples/samples.json")
    assert json.loads(index.read_text())["steps"] == [2, 4, 6]


def test_watching_leaves_the_run_unchanged(
    dataset: Manifest, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = train(make_run("watched")[0], dataset.path, QUIET)
    traits = ugatit.traits
    monkeypatch.setattr(ugatit, "traits", lambda parameters: replace(traits(parameters), watched=False))
    unwatched = train(make_run("unwatched")[0], dataset.path, QUIET)
    assert bytes_of(watched) == bytes_of(unwatched)
    records = [read_json_lines(path.with_name("train.jsonl")) for path in (watched, unwatched)]
    seen = [[r.get("watched", {}) for r in found if "losses" in r] for found in records]
    assert all(len(means) == 8 for means in seen[0])
    assert not any(seen[1])


def test_a_finished_run_is_left_alone(
    dataset: Manifest, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = make_run()
    train(path, dataset.path, QUIET)
    assert not list((path.parent / "training").glob("*/checkpoints"))
    left = next((path.parent / "training").glob("*")) / "checkpoints"
    left.mkdir()  # by a kill right after the weights were written
    stop_after(monkeypatch, 0)
    train(path, dataset.path, QUIET)
    assert not left.exists()


def test_weights_json_alone_is_no_finished_run(
    dataset: Manifest, make_run: MakeRun, caplog: pytest.LogCaptureFixture
) -> None:
    path, _ = make_run()
    expected = bytes_of(train(path, dataset.path, QUIET))
    path.with_name("weights.safetensors").unlink()
    assert bytes_of(train(path, dataset.path, QUIET)) == expected
    assert "without its weights.safetensors" in caplog.text


def test_weights_of_another_configuration_are_refused_with_the_difference(
    dataset: Manifest, make_run: MakeRun
) -> None:
    train(make_run()[0], dataset.path, QUIET)
    path, _ = make_run(steps=7)
    with pytest.raises(UserError, match=r"different: training\.steps: 6 -> 7\. Restore"):
        train(path, dataset.path, QUIET)


def test_changed_pictures_make_another_training(dataset: Manifest, make_run: MakeRun) -> None:
    path, _ = make_run()
    train(path, dataset.path, QUIET)
    write_manifest(dataset.path, dataset.rows[1:])
    with pytest.raises(UserError, match="different: the pictures"):
        train(path, dataset.path, QUIET)


def test_a_changed_run_does_not_continue_the_old_one(
    dataset: Manifest, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path, _ = make_run()
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        stop_after(patch, 3)
        train(path, dataset.path, EVERY_STEP)
    expected = train(make_run("fresh", flip=0.25)[0], dataset.path, QUIET)
    make_run(flip=0.25)
    assert bytes_of(train(path, dataset.path, QUIET)) == bytes_of(expected)
    assert "training.flip: 0.5 -> 0.25" in caplog.text


def test_a_checkpoint_put_in_the_wrong_place_is_refused(
    dataset: Manifest, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = make_run()
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        stop_after(patch, 3)
        train(path, dataset.path, EVERY_STEP)
    old = next((path.parent / "training").glob("*"))
    _, run = make_run(flip=0.25)
    new = old.with_name(training_key(run.model_dump(), dataset.digest()))
    old.rename(new)
    with pytest.raises(UserError, match=f"belongs to configuration {old.name}, expected {new.name}"):
        train(path, dataset.path, QUIET)


def test_a_checkpoint_of_another_shape_is_refused(dataset: Manifest, make_run: MakeRun) -> None:
    path, run = make_run()
    parameters = ugatit.Parameters.model_validate(run.parameters)
    wider = parameters.model_copy(
        update={"network": parameters.network.model_copy(update={"base_channels": 8})}
    )
    networks, expected = ugatit.build(wider, 16, 0), ugatit.build(parameters, 16, 0)
    key = training_key(run.model_dump(), dataset.digest())
    folder = path.parent / "training" / key / "checkpoints"
    checkpoint.save_checkpoint(folder, 3, networks, ugatit.optimizers(networks, wider), key)
    with pytest.raises(UserError, match="does not fit gen_ab"):
        checkpoint.load_checkpoint(folder, expected, ugatit.optimizers(expected, parameters), key)


def test_non_finite_loss_names_step_and_term_and_keeps_the_checkpoint(
    dataset: Manifest, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = make_run()
    update, calls = ugatit.update, []

    def poisoned(networks, optimizers, batches, parameters, progress):  # noqa: ANN001, ANN202
        calls.append(1)
        if len(calls) == 4:
            batches = [(batches[0][0] * float("nan"), batches[0][1])]
        return update(networks, optimizers, batches, parameters, progress)

    monkeypatch.setattr(ugatit, "update", poisoned)
    with pytest.raises(NonFiniteLoss, match=r"step 4: discriminator = nan"):
        train(path, dataset.path, EVERY_STEP)
    assert [f.name for f in sorted((path.parent / "training").glob("*/checkpoints/*"))] == [
        "step_0000002.pt",
        "step_0000003.pt",
    ]


def test_what_is_written_at_the_end(dataset: Manifest, make_run: MakeRun) -> None:
    path, run = make_run()
    described = json.loads(train(path, dataset.path, QUIET).read_text())
    assert described["run"] == run.model_dump()
    assert described["step"] == 6
    assert described["data_sha256"] == dataset.digest()
    tensors = load_file(path.with_name("weights.safetensors"))
    assert {name.split(".")[0] for name in tensors} == set(described["parameters"])
    records = read_json_lines(path.with_name("train.jsonl"))
    assert [r["event"] for r in records if "event" in r] == ["start", "finished"]
    assert [r["lr_factor"] for r in records if "losses" in r] == pytest.approx([1, 1, 1, 2 / 3, 1 / 3, 0])


def test_sample_sheets_show_the_directions_that_a_method_has(dataset: Manifest, make_run: MakeRun) -> None:
    heights = {}
    for model in ("cyclegan-equal", "cartoongan-equal"):
        path, run = make_run(model, model)
        train(path, dataset.path, Options(device="cpu", threads=1, samples=1))
        (sheet,) = (path.parent / "training").glob("*/samples/*.png")
        heights[model] = read_rgb(sheet).shape[0] / (run.training.image_px + GAP_PX)
    assert heights == {"cyclegan-equal": 6, "cartoongan-equal": 2}


def test_weights_hold_what_learns_and_no_pool(dataset: Manifest, make_run: MakeRun) -> None:
    weights = train(make_run(model="cyclegan-equal")[0], dataset.path, QUIET)
    names = {name.split(".")[0] for name in load_file(weights.with_name("weights.safetensors"))}
    assert names == {"gen_ab", "gen_ba", "disc_a", "disc_b"}


def test_bfloat16_follows_weights_that_move_within_an_update(
    dataset: Manifest, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DRIT's content discriminator takes three optimiser steps in one update."""
    path, _ = make_run(precision="bfloat16", steps=1, decay_start=1)
    update, products = ugatit.update, []

    def moving(*args: object) -> object:
        weight, one = torch.nn.Parameter(torch.ones(1, 1)), torch.ones(1, 1)
        for factor in (1, 2):
            with torch.no_grad():
                weight.mul_(factor)
            products.append(torch.nn.functional.linear(one, weight))
        return update(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(ugatit, "update", moving)
    train(path, dataset.path, QUIET)
    assert [(p.item(), p.dtype) for p in products] == [(1.0, torch.bfloat16), (2.0, torch.bfloat16)]


def test_bfloat16_trains_near_float32(dataset: Manifest, make_run: MakeRun) -> None:
    logs = {}
    for precision in ("float32", "bfloat16"):
        path, _ = make_run(precision, precision=precision)
        train(path, dataset.path, QUIET)
        logs[precision] = read_json_lines(path.with_name("train.jsonl"))[1]["losses"]["generator"]
    assert logs["float32"] != logs["bfloat16"]
    assert logs["bfloat16"] == pytest.approx(logs["float32"], rel=0.02)
