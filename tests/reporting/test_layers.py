"""The layers of a network as it runs: in order, with what surrounds them, every parameter counted once."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ugatit.params import Params, load
from ugatit.reporting.architecture import ArchitectureSettings, architecture_settings, run_network
from ugatit.reporting.layers import UNUSED, Layer, record_layers
from ugatit.tables import ArchitectureTable

ROOT = Path(__file__).parents[2]

NETWORKS = ("gen_ab", "disc_b_local")


class Toy(nn.Module):
    """One of everything that is written as a function rather than as a module."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 4, 2, padding=1)
        self.norm = nn.GroupNorm(2, 4)
        self.spectral = nn.utils.parametrizations.spectral_norm(nn.Conv2d(4, 4, 3, padding=(1, 2)))
        self.up = nn.ConvTranspose2d(4, 2, 4, 2, 1, bias=False)
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(8, 5), nn.PReLU())
        self.scale = nn.Parameter(torch.ones(7))
        self.idle = nn.Linear(2, 3)

    def forward(self, x: Tensor) -> Tensor:
        y = F.leaky_relu(self.norm(self.first(F.pad(x, (1, 2, 1, 2), mode="reflect"))), 0.1)
        y = y + F.interpolate(F.instance_norm(self.spectral(y))[..., :1], size=y.shape[2:])
        y = self.up(F.interpolate(y, scale_factor=2)).tanh()
        return self.head(F.adaptive_avg_pool2d(y, 2)) * self.scale.mean()


def layers_of(settings: ArchitectureSettings, network: str) -> list[Layer]:
    return run_network(settings.model_copy(update={"network": network}))


def settings_of(params: Params, model: str) -> ArchitectureSettings:
    table = ArchitectureTable(
        kind="architecture", caption="", model=model, network="gen_ab", dataset="selfie2anime"
    )
    return architecture_settings(params, "layers", table)


def test_functions_around_a_layer_are_told_with_it() -> None:
    network = Toy().eval()
    layers = record_layers(network, lambda: network(torch.zeros(1, 3, 6, 6)))
    found = [(x.path, x.operation, x.kernel, x.stride, x.padding, x.followed_by, x.output) for x in layers]
    assert found == [
        ("first", "conv", "4", "2", "reflect 1/2, zero 1", ["GN", "LeakyReLU 0.1"], (4, 4, 4)),
        ("spectral", "SN conv", "3", "1", "zero 1 × 2", ["IN", "sum"], (4, 4, 6)),
        ("up", "nearest × 4, nearest × 2, transposed conv", "4", "2", "zero 1", ["tanh"], (2, 16, 16)),
        ("head.1", "average pool, flatten, linear", "", "", "", ["PReLU"], (5,)),
        (UNUSED, "", "", "", "", [], ()),
    ]
    counts = [3 * 4 * 16 + 4 + 4 + 4, 4 * 4 * 9 + 4, 4 * 2 * 16, 8 * 5 + 5 + 1 + 7, 2 * 3 + 3]
    assert [layer.parameters for layer in layers] == counts
    assert sum(counts) == sum(parameter.numel() for parameter in network.parameters())


def test_only_the_first_call_is_told_and_shared_weights_count_once() -> None:
    conv = nn.Conv2d(3, 3, 1)
    network = nn.Sequential(conv, nn.ReLU(), conv)
    layers = record_layers(network, lambda: [network(torch.zeros(1, 3, 2, 2)) for _ in range(2)])
    assert [(layer.path, layer.parameters) for layer in layers] == [("0", 12), ("0", 0)]


def test_recording_leaves_nothing_behind() -> None:
    network = Toy().eval()
    assert record_layers(network, lambda: None) == []
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())


@pytest.mark.parametrize(
    ("model", "network", "parameters"),
    [
        ("ugatit", "gen_ab", 278_959_808),
        ("ugatit-light", "gen_ba", 10_589_888),
        ("ugatit", "disc_a_local", 3_290_560),
        ("ugatit", "disc_b_global", 53_130_176),
    ],
)
def test_parameters_in_all(params: Params, model: str, network: str, parameters: int) -> None:
    layers = layers_of(settings_of(params, model), network)
    assert sum(layer.parameters for layer in layers) == parameters
    assert UNUSED not in {layer.path for layer in layers}


def test_layers_of_the_generator(params: Params) -> None:
    layers = {layer.path: layer for layer in layers_of(settings_of(params, "ugatit"), "gen_ab")}
    assert len(layers) == 29
    linear = layers["mlp.0"]
    assert (linear.operation, linear.output, linear.parameters) == ("flatten, linear", (256,), 268_435_456)
    mix = layers["cam.mix"]
    assert (mix.kernel, mix.followed_by, mix.output, mix.parameters) == (
        "1",
        ["ReLU"],
        (256, 64, 64),
        131_328,
    )
    decoder = layers["residual.0.conv2.conv"]
    assert (decoder.followed_by, decoder.parameters) == (["AdaLIN", "sum"], 589_824 + 256)
    up = layers["up.1.conv.conv"]
    assert (up.operation, up.followed_by) == ("nearest × 2, conv", ["LIN", "ReLU"])
    assert (up.output, up.parameters) == ((64, 256, 256), 73_728 + 192)


TRAINED = [model for model, entry in load(ROOT / "params.yaml").models.items() if entry.method == "ugatit"]


@pytest.mark.parametrize("model", TRAINED)
def test_every_parameter_belongs_to_a_layer(params: Params, model: str) -> None:
    settings = settings_of(params, model)
    for name in NETWORKS:
        layers = layers_of(settings, name)
        assert UNUSED not in {layer.path for layer in layers}, name


@pytest.mark.parametrize(
    ("model", "norms"),
    [
        ("ugatit-in", {"IN"}),
        ("ugatit-ln", {"LN"}),
        ("ugatit-gn", {"GN"}),
        ("ugatit-adain", {"AdaIN", "IN"}),
        ("ugatit", {"AdaLIN", "LIN"}),
    ],
)
def test_norms_of_the_decoder_have_the_papers_names(params: Params, model: str, norms: set[str]) -> None:
    layers = layers_of(settings_of(params, model), "gen_ab")
    decoder = [layer for layer in layers if layer.path.startswith(("residual", "up"))]
    assert {layer.followed_by[0] for layer in decoder} == norms
