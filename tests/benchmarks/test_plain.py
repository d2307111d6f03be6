"""Every method's update against a plain transcription of its published losses, in double precision."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn

import benchmarks.plain
from benchmarks.methods import METHODS
from ugatit.methods import Batch
from ugatit.modules import method_module
from ugatit.params import Params, merge
from ugatit.run import resolve
from ugatit.strict import check

Totals = dict[str, Tensor]

STEPS = 3

LOSS_TOLERANCE = 1e-10
"""Relative: the same float64 sums in another order."""

WEIGHT_TOLERANCE = 1e-4
"""Of a network's distance between the two sides, against the distance that it has moved. Where a gradient is
zero but for rounding, as of a bias before a normalisation, Adam makes a small step of the rounding."""

BUFFER_TOLERANCE = 1e-9
"""Absolute: pictures in pools and singular vectors, which the weights before them change."""

FORBIDDEN = {"ugatit.nn.losses", "ugatit.nn.optimization.descend", "ugatit.nn.optimization.frozen"}
"""What a plain step must write for itself, beside `update`."""


class Case(NamedTuple):
    """A model of params.yaml, made tiny, on a dataset, with changes of its parameters."""

    model: str
    dataset: str = "selfie2anime"
    changes: dict[str, Any] = {}  # noqa: RUF012


CASES = [
    Case("ugatit"),
    Case("ugatit-light"),
    Case("ugatit-tf"),
    Case("ugatit", changes={"optimizer": {"decay_scope": "all"}}),
    Case("cyclegan"),
    Case("cyclegan", changes={"loss": {"identity": 0.0}}),
    Case("unit"),
    Case("munit"),
    Case("munit", "horse2zebra"),
    Case("drit"),
    Case("drit-ms"),
    Case("drit", changes={"network": {"variant": "concat"}}),
    Case("drit-ms", changes={"network": {"variant": "concat"}}),
    Case("aggan"),
    Case("aggan", changes={"generator_update": "sequential"}),
    Case("cartoongan"),
    Case("cartoongan", changes={"content": {"features": "pixel", "vgg": None}}),
    Case("cartoongan-team"),
]


class Side:
    """One of two trainings that begin alike."""

    def __init__(self, method: ModuleType, module: ModuleType, parameters: Any, px: int) -> None:
        self.networks = {name: net.double().train() for name, net in method.build(parameters, px, 0).items()}
        self.optimizers = module.optimizers(self.networks, parameters)
        self.step = module.update if module is method else module.step
        self.groups = [group for adam in self.optimizers.values() for group in adam.param_groups]
        self.rates = [group["lr"] for group in self.groups]

    def weights(self) -> dict[str, Tensor]:
        """All weights of each network that has some."""
        found = {name: list(net.parameters()) for name, net in self.networks.items()}
        return {name: torch.cat([w.detach().flatten() for w in ws]) for name, ws in found.items() if ws}

    def buffers(self) -> dict[str, Tensor]:
        return {f"{name}.{key}": b for name, net in self.networks.items() for key, b in net.named_buffers()}

    def take(self, step: int, batches: list[Batch], parameters: Any, given: dict[str, nn.Module]) -> Totals:
        """One step as the training loop takes it: full learning rates and the random numbers of the step."""
        for group, rate in zip(self.groups, self.rates, strict=True):
            group["lr"] = rate
        torch.manual_seed(step)
        return self.step(self.networks | given, self.optimizers, batches, parameters, step / STEPS)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.model}@{case.dataset} {case.changes or ''}")
def test_steps_are_those_of_the_plain_formulation(tiny_params: Params, case: Case) -> None:
    run = resolve(tiny_params, case.dataset, case.model, 0)
    method = method_module(run.method)
    parameters = check(method.Parameters, merge(run.parameters, case.changes), "test")
    traits, px = method.traits(parameters), run.training.seen_px
    given = {name: net.double() for name, net in method.given(parameters).items()} if traits.files else {}
    plain = importlib.import_module(f"benchmarks.plain.{run.method}")
    sides = [Side(method, module, parameters, run.training.image_px) for module in (method, plain)]
    ours, theirs = sides
    start = ours.weights()
    generator = torch.Generator().manual_seed(0)
    shape = (min(run.training.batch_size, 2), 3, px, px)

    def pictures() -> Tensor:
        return torch.rand(shape, generator=generator, dtype=torch.float64) * 2 - 1

    for step in range(1, STEPS + 1):
        batches = [tuple(pictures() for _ in traits.streams) for _ in range(traits.draws)]
        found, expected = (side.take(step, batches, parameters, given) for side in sides)
        assert "generator" in expected
        for name, total in expected.items():
            assert float(found[name]) == pytest.approx(float(total), rel=LOSS_TOLERANCE), (step, name)

    plain_weights = theirs.weights()
    for name, weights in ours.weights().items():
        moved = (weights - start[name]).norm()
        assert moved > 0, name
        assert (weights - plain_weights[name]).norm() / moved < WEIGHT_TOLERANCE, name
    plain_buffers = theirs.buffers()
    for name, buffer in ours.buffers().items():
        torch.testing.assert_close(buffer, plain_buffers[name], rtol=0, atol=BUFFER_TOLERANCE, msg=name)


def test_every_method_of_the_paper_has_a_plain_step_that_writes_its_own_losses() -> None:
    folder = Path(benchmarks.plain.__path__[0])
    assert {file.stem for file in folder.glob("*.py")} >= set(METHODS.split(","))
    for file in folder.glob("*.py"):
        taken = {
            name
            for node in ast.walk(ast.parse(file.read_text()))
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
            for name in (node.module or "", f"{node.module}.{alias.name}")
        }
        assert not taken & (FORBIDDEN | {f"ugatit.methods.{name}.update" for name in METHODS.split(",")}), (
            file.name
        )
