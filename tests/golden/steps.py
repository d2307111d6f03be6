"""Two tiny float64 steps of every model: their losses and checksums of the weights after them.

`python -m tests.golden.steps` writes the file that the test compares with. Do so only after raising `NUMERICS` in
the method's file: with it, every run of the method is trained anew.
"""

from __future__ import annotations

import pkgutil
from pathlib import Path
from typing import Any

import torch

import ugatit.methods
from tests.conftest import ROOT, TINY
from tests.random_vgg import with_random_vgg19
from ugatit.files import read_json, write_json
from ugatit.modules import method_module
from ugatit.params import Params, load, merge, parse
from ugatit.run import resolve
from ugatit.strict import check

METHODS = sorted(module.name for module in pkgutil.iter_modules(ugatit.methods.__path__))
STEPS = 2
FOLDER = Path(__file__).parent


def golden_file(method: str) -> Path:
    """Where a method's numbers are kept."""
    return FOLDER / f"{method}.json"


def tiny_models(method: str) -> list[str]:
    """The models of params.yaml that use a method; also `model@dataset` for one that has its own parameters."""
    return [
        case
        for name, model in load(ROOT / "params.yaml").models.items()
        if model.method == method
        for case in (name, *(f"{name}@{dataset}" for dataset in list(model.per_dataset)[:1]))
    ]


def compute(model: str) -> dict[str, Any]:
    """Losses of each step, and the sum and the sum of squares of each network's state afterwards."""
    name, _, dataset = model.partition("@")
    run = resolve(_tiny(load(ROOT / "params.yaml")), dataset or "cat2dog", name, 0)
    method = method_module(run.method)
    parameters = check(method.Parameters, run.parameters, model)
    px = run.training.seen_px
    networks = {
        name: net.double().train() for name, net in method.build(parameters, run.training.image_px, 0).items()
    }
    traits = method.traits(parameters)
    given = {name: net.double() for name, net in method.given(parameters).items()} if traits.files else {}
    optimizers = method.optimizers(networks, parameters)
    generator = torch.Generator().manual_seed(0)

    def pictures() -> torch.Tensor:
        return (
            torch.rand(run.training.batch_size, 3, px, px, generator=generator, dtype=torch.float64) * 2 - 1
        )

    losses = []
    for step in range(1, STEPS + 1):
        batches = [tuple(pictures() for _ in traits.streams) for _ in range(traits.draws)]
        torch.manual_seed(step)
        terms = method.update(networks | given, optimizers, batches, parameters, step / STEPS)
        losses.append({name: float(term) for name, term in terms.items()})
    states = {
        name: torch.cat([t.flatten() for t in net.state_dict().values()]) for name, net in networks.items()
    }
    checksums = {name: [float(s.sum()), float(s.square().sum())] for name, s in states.items()}
    return {"losses": losses, "checksums": checksums}


def read_golden(method: str) -> dict[str, Any]:
    """The numbers of a method, with the version of its arithmetic."""
    golden: dict[str, Any] = read_json(golden_file(method), "golden numbers", "Write them first.")
    return golden


def write_golden(method: str) -> None:
    """Write the numbers of a method as they are now."""
    models = {model: compute(model) for model in tiny_models(method)}
    write_json(golden_file(method), {"numerics": method_module(method).NUMERICS, "models": models})


def _tiny(params: Params) -> Params:
    """The parameters with small networks and batches; groups must divide their width."""
    config = merge(merge(params.model_dump(exclude_unset=True), TINY), with_random_vgg19())
    groups = {"parameters": {"network": {"gn_groups": 2}}}
    single = {"training": {"batch_size": 1}}
    return parse(merge(config, {"models": {"ugatit-gn": groups, "cartoongan": single}}))


if __name__ == "__main__":
    for name in METHODS:
        write_golden(name)
