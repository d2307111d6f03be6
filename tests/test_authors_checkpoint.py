"""Checkpoints of the authors' PyTorch code, against plain modules that carry its names."""

from __future__ import annotations

import json
import logging
import os
import re
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from typer.testing import CliRunner

from tests.authors_networks import Nets, reference
from ugatit.authors_checkpoint import export_checkpoint, import_checkpoint, state_dicts
from ugatit.authors_layout import FIXED, NETWORKS, layout
from ugatit.cli import app
from ugatit.errors import UserError
from ugatit.images import read_rgb, to_tensor, to_uint8, write_png
from ugatit.methods import ugatit
from ugatit.params import load, merge
from ugatit.run import Run, resolve
from ugatit.strict import check
from ugatit.weights import read_weights, save_weights

ROOT = Path(__file__).parents[1]
PARAMS = load(ROOT / "params.yaml")
PX = 96

FLOAT64_TOLERANCE = 1e-9
"""Two orders of summation in float64 through some thirty layers of numbers of size one."""

OURS = {
    "genA2B": "gen_ab", "genB2A": "gen_ba",
    "disGA": "disc_a_global", "disGB": "disc_b_global", "disLA": "disc_a_local", "disLB": "disc_b_local",
}  # fmt: skip
"""The authors' discriminators are called after the domain whose pictures they judge, as ours are."""

CONTAINER_BYTES = 15_000
"""What the file's own name and the versions of layers without tensors take of it, 0.003 %."""

HALF_A_LEVEL = 0.501 / 127.5
"""A PNG keeps 256 levels between -1 and 1."""


def trained(networks: Nets, px: int = PX) -> Nets:
    """Move everything away from where it starts, as training would."""
    for network in networks.values():
        for name, parameter in network.named_parameters():
            if name.endswith(("rho", ".gamma", ".beta")):
                nn.init.uniform_(parameter, 0, 1)
        network(torch.randn(1, 3, px, px))
        network.eval()
    return networks


def saved(networks: Nets, path: Path, **options: bool) -> Path:
    torch.save({name: network.state_dict() for name, network in networks.items()}, path, **options)
    return path


def imported(file: Path, output: Path, **options: Any) -> Path:
    return import_checkpoint(file, PARAMS, "cat2dog", output, **options)


def equal(found: Mapping[str, Any], expected: Mapping[str, Any]) -> bool:
    """Whether two checkpoints have the same names in the same order, and the same bits."""
    return list(found) == list(expected) and all(
        list(found[key]) == list(expected[key])
        and all(torch.equal(found[key][name], tensor) for name, tensor in expected[key].items())
        for key in expected
    )


@pytest.fixture(scope="module", params=[False, True], ids=["full", "light"])
def theirs(request: pytest.FixtureRequest) -> Nets:
    return trained(reference(request.param, px=PX))


def light_of(networks: Nets) -> bool:
    return bool(networks["genA2B"].light)


def test_imported_networks_compute_what_the_authors_compute(theirs: Nets, tmp_path: Path) -> None:
    options = {"image_px": PX} if light_of(theirs) else {}
    run, ours, described = read_weights(
        imported(saved(theirs, tmp_path / "x.pt"), tmp_path / "run", **options)
    )
    assert (run.model, run.training.image_px) == ("ugatit-light" if light_of(theirs) else "ugatit", PX)
    assert described["data_sha256"] is None
    pictures = torch.rand(2, 3, PX, PX, dtype=torch.float64) * 2 - 1
    for name, network in theirs.items():
        with torch.no_grad():
            results = ours[OURS[name]].double()(pictures)
            expected = network.double()(pictures)
            network.float()
        for result, value in zip(results, expected, strict=True):
            torch.testing.assert_close(result, value, rtol=FLOAT64_TOLERANCE, atol=FLOAT64_TOLERANCE)


def test_export_is_the_file_that_was_imported(theirs: Nets, tmp_path: Path) -> None:
    options = {"image_px": PX} if light_of(theirs) else {}
    file = saved(theirs, tmp_path / "x.pt")
    exported = export_checkpoint(imported(file, tmp_path / "run", **options), tmp_path / "out" / "y.pt")
    found = torch.load(exported, weights_only=True)
    assert equal(found, torch.load(file, weights_only=True))
    fresh = reference(light_of(theirs))
    for name, network in fresh.items():
        versions = vars(network.state_dict())["_metadata"]
        assert type(found[name]) is OrderedDict
        assert all(found[name]._metadata[module] == versions[module] for module in found[name]._metadata)
        spectral = {module for module in versions if "spectral_norm" in versions[module]}
        assert spectral <= found[name]._metadata.keys()
        network.load_state_dict(found[name], strict=True)


def small_run(model: str = "ugatit", **network: object) -> Run:
    """A model of params.yaml, made small."""
    run = resolve(PARAMS, "cat2dog", model, 0)
    small = {"base_channels": 2, "residual_blocks": 1, "global_layers": 4, "local_layers": 3, **network}
    if run.parameters["network"]["decoder_norm"] == "gn":
        small["gn_groups"] = 1
    training = run.training.model_copy(update={"image_px": 16})
    return run.model_copy(
        update={"parameters": merge(run.parameters, {"network": small}), "training": training}
    )


def own_weights(folder: Path, run: Run) -> Path:
    """Weights of ours, as training leaves them."""
    networks = ugatit.build(check(ugatit.Parameters, run.parameters, "test"), run.training.image_px, 0)
    save_weights(folder / "weights.json", run, networks, 3, "0" * 64)
    return folder / "weights.json"


@pytest.mark.parametrize("model", ["ugatit", "ugatit-light"])
def test_our_weights_survive_export_and_import(model: str, tmp_path: Path) -> None:
    path = own_weights(tmp_path / "ours", small_run(model))
    options = {"image_px": 16} if model == "ugatit-light" else {}
    again = imported(export_checkpoint(path, tmp_path / "x.pt"), tmp_path / "again", **options)
    assert (
        again.with_name("weights.safetensors").read_bytes()
        == path.with_name("weights.safetensors").read_bytes()
    )
    before, after = (json.loads(file.read_text())["run"] for file in (path, again))
    assert after["parameters"] == before["parameters"]
    assert after["training"]["image_px"] == before["training"]["image_px"]


def test_the_same_weights_give_the_same_file(tmp_path: Path) -> None:
    path = own_weights(tmp_path, small_run())
    files = [export_checkpoint(path, tmp_path / name).read_bytes() for name in ("a.pt", "longer-name.pt")]
    assert files[0] == files[1]


@pytest.mark.parametrize(
    ("light", "base", "blocks", "px", "depths"), [(False, 2, 1, 24, (5, 4)), (True, 3, 6, 48, (6, 3))]
)
def test_everything_is_inferred_from_the_tensors(
    light: bool, base: int, blocks: int, px: int, depths: tuple[int, int], tmp_path: Path
) -> None:
    file = saved(reference(light, base, blocks, px, depths), tmp_path / "x.pt")
    run, _, _ = read_weights(imported(file, tmp_path, image_px=px))
    network = run.parameters["network"]
    assert run.training.image_px == px
    found = {key: network[key] for key in ("light", "base_channels", "residual_blocks")}
    assert found == {"light": light, "base_channels": base, "residual_blocks": blocks}
    assert (network["global_layers"], network["local_layers"]) == depths
    assert {key: network[key] for key in FIXED} == FIXED


def test_all_other_values_come_from_the_named_model(tmp_path: Path) -> None:
    file = saved(reference(True, 2, 1), tmp_path / "x.pt")
    run, _, _ = read_weights(imported(file, tmp_path, model="ugatit-tf"))
    expected = resolve(PARAMS, "cat2dog", "ugatit-tf", 0)
    assert (run.dataset, run.model, run.seed) == ("cat2dog", "ugatit-tf", 0)
    assert run.training == expected.training
    assert run.parameters["optimizer"] == expected.parameters["optimizer"]
    assert {key: run.parameters["network"][key] for key in FIXED} == FIXED


def test_files_of_the_time_before_zip_archives_are_read(tmp_path: Path) -> None:
    networks = reference(True, 2, 1)
    file = saved(networks, tmp_path / "x.pt", _use_new_zipfile_serialization=False)
    exported = export_checkpoint(imported(file, tmp_path), tmp_path / "y.pt")
    expected = {name: network.state_dict() for name, network in networks.items()}
    assert equal(torch.load(exported, weights_only=True), expected)


def authors_shapes(model: str) -> dict[str, dict[str, tuple[int, ...]]]:
    """Names and shapes of the authors' file for a model of params.yaml at 256 px, without memory."""
    run = resolve(PARAMS, "cat2dog", model, 0)
    parameters = check(ugatit.Parameters, run.parameters, "test")
    with torch.device("meta"):
        networks = ugatit.build(parameters, 256, None)
    return {
        name: {key: tuple(e.shape) for key, e in layout(ours, networks[ours], parameters.network).items()}
        for name, ours in NETWORKS.items()
    }


def values(shapes: dict[str, tuple[int, ...]]) -> int:
    return sum(torch.Size(shape).numel() for shape in shapes.values())


@pytest.mark.parametrize(
    ("model", "inputs", "total"), [("ugatit", 1_048_576, 670_941_260), ("ugatit-light", 256, 134_201_420)]
)
def test_tensor_counts_and_sizes_at_full_width(model: str, inputs: int, total: int) -> None:
    shapes = authors_shapes(model)
    assert list(shapes) == ["genA2B", "genB2A", "disGA", "disGB", "disLA", "disLB"]
    assert [len(tensors) for tensors in shapes.values()] == [44, 44, 35, 35, 27, 27]
    assert shapes["genA2B"]["FC.0.weight"] == (256, inputs)
    assert values(shapes["disLA"]) == values(shapes["disLB"]) == 3_307_955
    assert values(shapes["disGA"]) == values(shapes["disGB"]) == 53_202_867
    assert sum(map(values, shapes.values())) == total
    with torch.device("meta"):
        expected = reference(model == "ugatit-light", base=64, px=256)
    for name, network in expected.items():
        assert list(shapes[name].items()) == [(k, tuple(v.shape)) for k, v in network.state_dict().items()]


def test_size_of_the_light_file(tmp_path: Path) -> None:
    p = check(ugatit.Parameters, resolve(PARAMS, "cat2dog", "ugatit-light", 0).parameters, "test")
    with torch.device("meta"):
        networks = ugatit.build(p, 256, None)
    content = state_dicts(
        {name: network.to_empty(device="cpu") for name, network in networks.items()}, p.network
    )
    # Half a gigabyte of memory and disk that nothing touches: the tensors' places in the file stay holes.
    with (tmp_path / "x.pt").open("wb") as file, torch.serialization.skip_data():
        torch.save(content, file)
    assert (tmp_path / "x.pt").stat().st_size == pytest.approx(536_882_545, abs=CONTAINER_BYTES)


LOCAL_DISCRIMINATOR = {
    "gap_fc.weight_orig": (1, 512), "gap_fc.weight_u": (1,), "gap_fc.weight_v": (512,),
    "gmp_fc.weight_orig": (1, 512), "gmp_fc.weight_u": (1,), "gmp_fc.weight_v": (512,),
    "conv1x1.weight": (512, 1024, 1, 1), "conv1x1.bias": (512,),
    "conv.weight_orig": (1, 512, 4, 4), "conv.weight_u": (1,), "conv.weight_v": (8192,),
    "model.1.bias": (64,), "model.1.weight_orig": (64, 3, 4, 4),
    "model.1.weight_u": (64,), "model.1.weight_v": (48,),
    "model.4.bias": (128,), "model.4.weight_orig": (128, 64, 4, 4),
    "model.4.weight_u": (128,), "model.4.weight_v": (1024,),
    "model.7.bias": (256,), "model.7.weight_orig": (256, 128, 4, 4),
    "model.7.weight_u": (256,), "model.7.weight_v": (2048,),
    "model.10.bias": (512,), "model.10.weight_orig": (512, 256, 4, 4),
    "model.10.weight_u": (512,), "model.10.weight_v": (4096,),
}  # fmt: skip
"""The authors' local discriminator, tensor by tensor, in the order of their file."""


def test_local_discriminator_tensor_by_tensor() -> None:
    assert list(authors_shapes("ugatit")["disLB"].items()) == list(LOCAL_DISCRIMINATOR.items())


def test_every_network_setting_is_fixed_inferred_or_only_a_start() -> None:
    inferred = {"base_channels", "residual_blocks", "light", "global_layers", "local_layers"}
    start = {"rho_init", "initialization"}
    assert ugatit.NetworkParameters.model_fields.keys() == FIXED.keys() | inferred | start


class Intruder:
    """An object whose unpickling makes a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("zipped", [True, False])
def test_pickled_code_is_refused_and_not_run(zipped: bool, tmp_path: Path) -> None:
    content = {**{name: OrderedDict() for name in NETWORKS}, "extra": Intruder(tmp_path / "made")}
    torch.save(content, tmp_path / "x.pt", _use_new_zipfile_serialization=zipped)
    with pytest.raises(
        UserError, match=r"holds posix.mkdir; expected .*tensors only. Pickled code is never run"
    ):
        imported(tmp_path / "x.pt", tmp_path / "run")
    assert not (tmp_path / "made").exists()
    assert not (tmp_path / "run").exists()


def test_missing_and_damaged_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file; expected a checkpoint of the authors"):
        imported(tmp_path / "x.pt", tmp_path)
    whole = saved(reference(True, 2, 1), tmp_path / "whole.pt").read_bytes()
    for content in (
        b"",
        b"hello world\n",
        b"\x89PNG\r\n",
        b"PK\x03\x04",
        whole[: len(whole) // 2],
        whole[100:],
    ):
        (tmp_path / "x.pt").write_bytes(content)
        with pytest.raises(UserError, match=r"damaged or of another kind \(.*\); expected a checkpoint"):
            imported(tmp_path / "x.pt", tmp_path)
    with pytest.raises(UserError, match="Is a directory; expected a checkpoint"):
        imported(tmp_path, tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (torch.zeros(2), "holds a Tensor; expected"),
        (
            {"state_dict": {}, 3: 1},
            "found state_dict, 3; missing: genA2B, genB2A, disGA, disGB, disLA, disLB",
        ),
        ({name: {} for name in list(NETWORKS)[1:]}, "missing: genA2B; expected"),
        ({name: [] for name in NETWORKS}, "genA2B: no state dict of tensors"),
        ({name: {"a": 1} for name in NETWORKS}, "genA2B: no state dict of tensors"),
        ({name: {} for name in NETWORKS}, "genA2B: no tensor DownBlock.1.weight"),
    ],
)
def test_other_contents_are_refused(content: object, message: str, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "x.pt")
    with pytest.raises(UserError, match=re.escape(message)):
        imported(tmp_path / "x.pt", tmp_path / "run")


DAMAGE = [
    # network, tensor, what takes its place, what the message says
    ("genB2A", "UpBlock2.11.weight", None,
     "genB2A: no tensor UpBlock2.11.weight; expected shape (3, 2, 7, 7)"),
    ("genA2B", "FC.0.weight", None, "genA2B: no tensor FC.0.weight"),
    ("genA2B", "FC.0.weight", torch.zeros(8), "genA2B: FC.0.weight: found shape (8,), expected a weight"),
    ("genA2B", "FC.0.weight", torch.zeros(8, 24),
     "genA2B: FC.0.weight: found 24 inputs, expected 8 (light) or 8 times the square"),
    ("genA2B", "UpBlock1_1.conv1.weight", None, "genA2B: no tensor UpBlock1_1.conv1.weight"),
    ("genB2A", "UpBlock1_1.norm2.rho", torch.zeros(8),
     "genB2A: UpBlock1_1.norm2.rho: found shape (8,), expected (1, 8, 1, 1)"),
    ("disGB", "conv1x1.bias", torch.zeros(64, dtype=torch.float16),
     "disGB: conv1x1.bias: found torch.float16, expected torch.float32"),
    ("disLA", "model.1.weight_orig", None, "disLA: no tensor model.1.weight_orig"),
    ("disLB", "model.4.weight_v", torch.zeros(31),
     "disLB: model.4.weight_v: found shape (31,), expected (32,)"),
    ("disLB", "model.13.weight_orig", torch.zeros(2),
     "disLB: model.13.weight_orig: unexpected tensor (1 such)"),
]  # fmt: skip


@pytest.mark.parametrize(("network", "tensor", "value", "message"), DAMAGE)
def test_unfitting_tensors_are_named(
    network: str, tensor: str, value: Tensor | None, message: str, tmp_path: Path
) -> None:
    states = {name: net.state_dict() for name, net in reference(True, 2, 1).items()}
    if value is None:
        del states[network][tensor]
    else:
        states[network][tensor] = value
    torch.save(states, tmp_path / "x.pt")
    with pytest.raises(UserError, match=re.escape(message)):
        imported(tmp_path / "x.pt", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_files_without_v_are_refused_with_a_way_out(tmp_path: Path) -> None:
    states = {name: net.state_dict() for name, net in reference(True, 2, 1).items()}
    for key in [key for key in states["disGA"] if key.endswith("weight_v")]:
        del states["disGA"][key]
        states["disGA"][key.removesuffix("_v")] = states["disGA"][key.replace("_v", "_orig")]
    torch.save(states, tmp_path / "x.pt")
    with pytest.raises(
        UserError, match="disGA: no tensor gap_fc.weight_v.* a PyTorch before 1.0: load and save it"
    ):
        imported(tmp_path / "x.pt", tmp_path / "run")


def test_other_entries_are_left_out_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    states = {name: net.state_dict() for name, net in reference(True, 2, 1).items()}
    torch.save({**states, "epoch": 3}, tmp_path / "x.pt")
    with caplog.at_level(logging.WARNING):
        imported(tmp_path / "x.pt", tmp_path)
    assert [record.getMessage() for record in caplog.records] == [f"{tmp_path / 'x.pt'}: left out: epoch"]


def test_sizes_names_and_earlier_weights_are_guarded(tmp_path: Path) -> None:
    full, light = (saved(reference(kind, 2, 1), tmp_path / f"{kind}.pt") for kind in (False, True))
    with pytest.raises(UserError, match=r"--image-px 128: .*False.pt is a full model of 96 pixels"):
        imported(full, tmp_path, image_px=128)
    with pytest.raises(UserError, match="found 64, expected a multiple of 4 from 96 on"):
        imported(light, tmp_path, image_px=64)
    with pytest.raises(UserError, match="unknown model 'ugatit-ligth'; did you mean 'ugatit-light'"):
        imported(light, tmp_path, model="ugatit-ligth")
    with pytest.raises(UserError, match="unknown dataset 'cat2dgo'"):
        import_checkpoint(light, PARAMS, "cat2dgo", tmp_path)
    path = imported(light, tmp_path)
    before = path.read_bytes()
    with pytest.raises(UserError, match=r"weights.json: there are weights already"):
        imported(full, tmp_path)
    assert path.read_bytes() == before
    assert read_weights(path)[0].training.image_px == 256


UNEXPRESSIBLE = [
    # model, settings, what the message names
    ("ugatit-tf", {}, "network.bias: true -> false"),
    ("ugatit-in", {}, 'network.residual_affine: "static" -> "mlp"'),
    ("ugatit-adain", {}, 'network.decoder_norm: "in" -> "adalin"'),
    ("ugatit-gn", {}, "network.gn_groups: 1 -> null"),
    ("ugatit-no-g-cam", {}, 'network.generator_cam: "none" -> "full"'),
    ("ugatit-no-d-cam", {}, 'network.discriminator_cam: "none" -> "full"'),
    ("ugatit", {"encoder_affine": True}, "network.encoder_affine: true -> false"),
    ("ugatit", {"cam_fc": "shared"}, 'network.cam_fc: "shared" -> "separate"'),
    ("ugatit", {"generator_cam_tied": False}, "network.generator_cam_tied: false -> true"),
    ("ugatit", {"classifier_bias": True}, "network.classifier_bias: true -> false"),
    ("ugatit", {"discriminator_padding": "tf"}, 'network.discriminator_padding: "tf" -> "symmetric"'),
    ("ugatit", {"discriminator_cam_weight": "normalized"},
     'network.discriminator_cam_weight: "normalized" -> "raw"'),
    ("ugatit", {"rho_smoothing": 0.1}, "network.rho_smoothing: 0.1 -> 0.0"),
    ("ugatit", {"unbiased_variance": False}, "network.unbiased_variance: false -> true"),
]  # fmt: skip


@pytest.mark.parametrize(("model", "settings", "message"), UNEXPRESSIBLE)
def test_runs_that_the_authors_code_cannot_express_are_refused(
    model: str, settings: dict[str, object], message: str, tmp_path: Path
) -> None:
    path = own_weights(tmp_path, small_run(model, **settings))
    with pytest.raises(UserError, match=re.escape(message)):
        export_checkpoint(path, tmp_path / "x.pt")
    assert not (tmp_path / "x.pt").exists()


def test_other_depths_than_the_authors_are_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        export_checkpoint(own_weights(tmp_path, small_run()), tmp_path / "x.pt")
    assert "discriminators of 4 and 3 layers; the authors' program builds 7 and 5" in caplog.text


def test_the_commands(tmp_path: Path) -> None:
    networks = trained(reference(True, 2, 1))
    file = saved(networks, tmp_path / "x.pt")
    picture = torch.rand(3, PX, PX) * 2 - 1
    write_png(tmp_path / "pictures" / "p.png", to_uint8(picture))
    run = tmp_path / "run"

    def command(*words: str | Path) -> None:
        result = CliRunner().invoke(app, [str(word) for word in words])
        assert result.exit_code == 0, result.output

    params = ("--params", ROOT / "params.yaml")
    command(
        "import-checkpoint", file, "--dataset", "cat2dog", "--output", run, "--image-px", str(PX), *params
    )
    command("translate", run / "weights.json", "--pictures", tmp_path / "pictures", "--direction", "b2a",
            "--output", tmp_path / "fakes")  # fmt: skip
    command("export-checkpoint", run / "weights.json", "--output", tmp_path / "y.pt")
    assert equal(torch.load(tmp_path / "y.pt", weights_only=True), torch.load(file, weights_only=True))

    with torch.no_grad():
        expected, _, _ = networks["genB2A"](to_tensor(read_rgb(tmp_path / "pictures" / "p.png"))[None])
    found = to_tensor(read_rgb(tmp_path / "fakes" / "p.png"))
    torch.testing.assert_close(found, expected[0], rtol=0, atol=HALF_A_LEVEL)
