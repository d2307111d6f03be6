"""Bit-equal resume of the methods that draw noise, codes or several batches per step."""

from __future__ import annotations

import pytest

from tests.conftest import MakeRun
from ugatit.files import read_json_lines
from ugatit.manifest import Manifest
from ugatit.modules import method_module
from ugatit.training.loop import Options, train

QUIET = Options(device="cpu", threads=1, samples=0)
EVERY_STEP = Options(device="cpu", threads=1, samples=0, checkpoint_minutes=0)
LOOKING = Options(device="cpu", threads=1, samples=6)
MODELS = ["unit", "munit", "drit", "drit-ms"]
AFTER = 3
"""Steps before the kill: the learning rate decays from the next one on."""


@pytest.mark.parametrize("model", MODELS)
def test_resume_and_looking_change_no_bit(
    dataset: Manifest, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    undisturbed = train(make_run("undisturbed", model)[0], dataset.path, LOOKING)
    assert len(list((undisturbed.parent / "training").glob("*/samples/*.png"))) == 6
    path, run = make_run("killed", model)
    method = method_module(run.method)
    update, calls = method.update, []

    def failing(*args: object) -> object:
        calls.append(1)
        if len(calls) > AFTER:
            raise KeyboardInterrupt
        return update(*args)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(method, "update", failing)
        train(path, dataset.path, EVERY_STEP)
    resumed = train(path, dataset.path, QUIET)
    weights = [file.with_name("weights.safetensors").read_bytes() for file in (undisturbed, resumed)]
    assert weights[0] == weights[1]
    steps = [r["step"] for r in read_json_lines(path.with_name("train.jsonl")) if "losses" in r]
    assert steps == list(range(1, 7))
