"""The comparison of a method's step with the plain one, at a tiny size; its times are nobody's business here."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest
import torch
import typer
from typer.testing import CliRunner

from benchmarks import side_by_side
from benchmarks.methods import build_case, main
from benchmarks.plain import cyclegan, unit
from tests.conftest import ROOT
from ugatit.params import Params

TINY = ["--image-px", "64", "--base-channels", "4", "--seconds", "0", "--threads", "1"]
CPU = torch.device("cpu")

app = typer.Typer()
app.command()(main)


def tiny_case(params: Params, name: str, batch_size: int = 1) -> side_by_side.Case:
    return build_case(params, name, 64, 4, batch_size, 1.0, CPU)


def test_a_table_and_a_file_say_what_a_step_costs(tmp_path: Path) -> None:
    file = tmp_path / "costs.json"
    arguments = ["--methods", "unit", "--params", str(ROOT / "params.yaml"), "--output", str(file)]
    done = CliRunner().invoke(app, [*TINY, *arguments])
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[-1].split()[:2] == ["unit", "64"]
    found = json.loads(file.read_text())["unit"]
    assert found["pairs"] == side_by_side.FEWEST
    assert found["quartiles"][0] <= found["ratio"] <= found["quartiles"][1]
    # The plain generators' update computes gradients of the discriminators' weights too.
    assert 0 < found["ours"]["tflop"] < found["plain"]["tflop"]
    assert min(found["ours"]["seconds"], found["plain"]["seconds"]) > 0
    assert found["ours"]["peak_mib"] is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--methods", "pix2pix"], "found 'pix2pix', expected some of ugatit,cyclegan"),
        (["--methods", "unit", "--image-px", "32"], "found 32, expected a multiple of 4 from 64 on"),
        (["--device", "tpu"], "unknown; expected auto"),
    ],
)
def test_unusable_options_are_refused_in_one_line(arguments: list[str], message: str) -> None:
    done = CliRunner().invoke(app, [*TINY, "--params", str(ROOT / "params.yaml"), *arguments])
    assert done.exit_code == 2
    assert message in " ".join(done.output.replace("│", " ").split())


def test_steps_with_other_losses_are_not_timed(params: Params, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cyclegan, "lsgan", lambda scores, target: (scores - target).abs().mean())
    with pytest.raises(ValueError, match="first step: the loss generator is"):
        side_by_side.compare(tiny_case(params, "cyclegan"), cyclegan, 0)


def test_drit_has_its_smallest_pictures_and_cartoongan_the_whole_vgg(params: Params) -> None:
    drit, cartoongan = tiny_case(params, "drit", batch_size=1), tiny_case(params, "cartoongan", batch_size=3)
    assert drit.px == 212
    assert [[len(real) for real in batch] for batch in drit.batches] == [[2, 2]] * 3
    assert [len(pictures) for pictures in cartoongan.batches[0]] == [3, 3, 3]
    assert sum(w.numel() for w in cartoongan.given["vgg"].parameters()) == 10_585_152


@pytest.mark.parametrize("plain", [None, unit])
def test_a_side_holds_weights_gradients_and_two_moments(params: Params, plain: ModuleType | None) -> None:
    side = side_by_side.Side(tiny_case(params, "unit"), plain)
    side.step()
    weights = [w for net in side.networks.values() for w in net.parameters()]
    counters = 4 * len(weights)  # Adam's, one number per weight
    assert side.held_bytes() == 4 * 4 * sum(w.numel() for w in weights) + counters
