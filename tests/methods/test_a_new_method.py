"""A method is one file and one entry: written by the recipe of docs/extending.md, it trains and translates."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

import ugatit.methods
from ugatit import plan
from ugatit.evaluation.translate import translate
from ugatit.manifest import Manifest, read_manifest
from ugatit.params import Params, merge, parse
from ugatit.run import resolve, write_run
from ugatit.training.loop import Options, train

FILE = '''
"""Adds a learned colour to the pictures of domain a."""

import torch
from torch import nn

from ugatit.methods import Traits
from ugatit.strict import Strict

NUMERICS = 1


class Parameters(Strict):
    lr: float


class Shift(nn.Module):
    def __init__(self):
        super().__init__()
        self.colour = nn.Parameter(torch.zeros(3, 1, 1))

    def forward(self, x):
        return x + self.colour


class Count(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("steps", torch.zeros(()))


def traits(parameters):
    return Traits(directions=("a2b",))


def check_training(parameters, training):
    pass


def build(parameters, image_px, seed):
    return {"gen_ab": Shift(), "count": Count()}


def optimizers(networks, parameters):
    return {"all": torch.optim.SGD(networks["gen_ab"].parameters(), lr=parameters.lr)}


def update(networks, optimizers, batches, parameters, progress):
    real_a, real_b = batches[0]
    loss = (networks["gen_ab"](real_a).mean((2, 3)) - real_b.mean((2, 3))).square().mean()
    optimizers["all"].zero_grad()
    loss.backward()
    optimizers["all"].step()
    networks["count"].steps += 1
    return {"generator": loss.detach()}


@torch.no_grad()
def translate(networks, pictures, direction, codes=None):
    return networks["gen_ab"](pictures)
'''

ENTRIES = {
    "methods": {"tint": {"lr": 0.25}},
    "models": {"tint": {"label": "Tint", "method": "tint"}},
    "tables": {"kid": {"datasets": ["cat2dog"], "models": ["tint"]}},
}


def test_one_file_and_one_entry(
    tmp_path: Path, dataset: Manifest, tiny_params: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tint.py").write_text(FILE)
    monkeypatch.setattr(ugatit.methods, "__path__", [*ugatit.methods.__path__, str(tmp_path)])
    params = parse(merge(tiny_params.model_dump(exclude_unset=True), ENTRIES))
    assert "cat2dog/tint/seed0" in plan.table_folders(params, "kid")
    assert plan.directions(params, "cat2dog", "tint") == ["a2b"]

    path = tmp_path / "run" / "run.json"
    write_run(path, resolve(params, "cat2dog", "tint", 0))
    weights = train(path, dataset.path, Options(device="cpu", threads=1, samples=1))
    tensors = load_file(weights.with_name("weights.safetensors"))
    assert list(tensors) == ["gen_ab.colour"]
    assert tensors["gen_ab.colour"].any()

    (manifest,) = translate(weights, dataset.path, "testA", "a2b", tmp_path / "out", "cpu", 1)
    assert len(read_manifest(manifest).rows) == 3
    sys.modules.pop("ugatit.methods.tint")
