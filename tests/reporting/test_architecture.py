"""Tables of layers: beside the paper's statement, for any model, and what is refused."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from ugatit.errors import UserError
from ugatit.methods import Traits, ugatit
from ugatit.params import Params, merge, parse
from ugatit.reporting.paper_values import published_layers
from ugatit.reporting.tables import make_table, table_settings
from ugatit.strict import Strict

LOCAL = "architecture-local-discriminator"


def settings_of(params: Params, table: str, **changes: object) -> dict[str, object]:
    config = merge(params.model_dump(exclude_unset=True), {"tables": {table: changes}})
    return table_settings(parse(config), table)


def make(settings: object, folder: Path) -> tuple[list[dict[str, str]], str]:
    """The lines of the CSV and the Markdown."""
    make_table(settings, None, folder / "t")
    with (folder / "t.csv").open(newline="") as handle:
        return list(csv.DictReader(handle)), (folder / "t.md").read_text()


def test_settings_are_json_and_hold_what_the_network_is_built_from(params: Params) -> None:
    settings = table_settings(params, LOCAL)
    assert json.loads(json.dumps(settings)) == settings
    assert (settings["model"], settings["network"], settings["image_px"]) == ("ugatit", "disc_b_local", 256)
    longer = parse(merge(params.model_dump(exclude_unset=True), {"training": {"steps": 2_000_000}}))
    assert table_settings(longer, LOCAL) == settings


def test_the_paper_stands_in_brackets_where_it_differs(params: Params, tmp_path: Path) -> None:
    lines, text = make(table_settings(params, LOCAL), tmp_path)
    assert lines[-1]["layer"] == "total" and lines[-1]["parameters"] == "3290560"
    sizes = {line["layer"]: (line["output"], line["paper_output"]) for line in lines}
    assert sizes["body.2"] == ("32² × 256", "32² × 256")
    assert sizes["body.3"] == ("31² × 512", "32² × 512")
    assert sizes["classifier"] == ("30² × 1", "32² × 1")
    assert "31² × 512 [32² × 512]" in text
    assert "32² × 256 [" not in text
    assert "In brackets: the paper's, where it differs." in text
    assert "Padding: reflect." in text


def test_the_tf_preset_has_the_papers_sizes(params: Params, tmp_path: Path) -> None:
    lines, text = make(settings_of(params, LOCAL, model="ugatit-tf"), tmp_path)
    assert all(line["output"] == line["paper_output"] for line in lines if line["paper_output"])
    assert "Padding a/b: a before (left, top), b after." in text


def test_the_generator_agrees_with_the_paper(params: Params, tmp_path: Path) -> None:
    lines, text = make(table_settings(params, "architecture-generator"), tmp_path)
    assert {line["layer"] for line in lines} == {*published_layers("table4"), "total"}
    assert "The paper states the same sizes." in text
    assert "[" not in text
    assert "**278,959,808**" in text


def test_layers_that_only_the_paper_has_are_named(params: Params, tmp_path: Path) -> None:
    _, text = make(settings_of(params, LOCAL, model="ugatit-no-d-cam"), tmp_path)
    assert "Only in the paper: cam.average, cam.maximum, cam.mix." in text


def test_a_picture_size_gives_other_outputs(params: Params, tmp_path: Path) -> None:
    config = merge(params.model_dump(exclude_unset=True), {"training": {"image_px": 128, "load_px": 143}})
    lines, _ = make(table_settings(parse(config), "architecture-generator"), tmp_path)
    assert next(line for line in lines if line["layer"] == "mlp.0")["parameters"] == str(256 * 256 * 32 * 32)


def test_mistakes_are_refused(params: Params, tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"no network 'gen_abb'; did you mean 'gen_ab'\?.*known: gen_ab, gen_ba"
    ):
        make(settings_of(params, LOCAL, network="gen_abb"), tmp_path)
    with pytest.raises(
        UserError, match=r"gen_ab of ugatit has 3 of the 8 layers of the paper's table5.*paper: null"
    ):
        make(settings_of(params, LOCAL, network="gen_ab"), tmp_path)
    with pytest.raises(UserError, match=r"table settings: .*unknown key"):
        make({**table_settings(params, LOCAL), "seed": 0}, tmp_path)


class Numbers(Strict):
    """Parameters of a method without any."""


class Rescaled(nn.Module):
    """A network that does not take pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.map = nn.Linear(8, 4)

    def forward(self, code: torch.Tensor, picture: torch.Tensor) -> torch.Tensor:
        return self.map(code)[:, :3, None, None] * picture


class Unreached(nn.Module):
    """A network that judges something else than a picture."""

    def forward(self, features: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return features + other


def translate(
    networks: dict[str, nn.Module], pictures: torch.Tensor, direction: str, codes: torch.Generator
) -> torch.Tensor:
    code = torch.randn(len(pictures), 8, generator=codes)
    return networks[f"style_{direction[-1]}"](code, pictures)


OTHER = SimpleNamespace(
    NUMERICS=1,
    Parameters=Numbers,
    build=lambda parameters, image_px, seed: {
        "style_a": Rescaled(), "style_b": Rescaled(), "disc_content": Unreached(), "pool": nn.Identity()
    },
    traits=lambda parameters: Traits(random_codes=True),
    translate=translate,
)  # fmt: skip


@pytest.mark.parametrize("network", ["style_a", "style_b"])
def test_a_network_is_run_as_its_method_runs_it(
    params: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, network: str
) -> None:
    settings = {**table_settings(params, LOCAL), "parameters": {}, "paper": None, "network": network}
    monkeypatch.setattr("ugatit.reporting.architecture.method_module", lambda name: OTHER)
    lines, _ = make(settings, tmp_path)
    assert [(line["layer"], line["output"], line["parameters"]) for line in lines] == [
        ("map", "4", "36"),
        ("total", "", "36"),
    ]
    with pytest.raises(UserError, match="disc_content of ugatit takes no part in translating"):
        make({**settings, "network": "disc_content"}, tmp_path)
    with pytest.raises(UserError, match=r"pool of ugatit takes no part .* \(it has no layers"):
        make({**settings, "network": "pool"}, tmp_path)


def test_the_method_of_the_tables_is_the_one_that_is_trained(params: Params) -> None:
    assert table_settings(params, LOCAL)["numerics"] == ugatit.NUMERICS
