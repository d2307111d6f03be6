"""Sizes and counts of the convolutional baselines' networks, as their authors' code has them."""

from __future__ import annotations

from types import ModuleType

import pytest
import torch

from ugatit.methods import aggan, cartoongan, cyclegan
from ugatit.nn.blocks import ResidualBlock
from ugatit.nn.initialization import initialize
from ugatit.nn.patch_discriminator import PatchDiscriminator, PatchLayer
from ugatit.params import Params, merge
from ugatit.strict import check

Networks = dict[str, torch.nn.Module]


def networks_of(params: Params, method: ModuleType, **network: object) -> Networks:
    """A method of params.yaml at 256 px, without memory."""
    values = merge(params.methods[method.__name__.split(".")[-1]], {"network": network})
    with torch.device("meta"):
        return method.build(check(method.Parameters, values, "test"), 256, None)


def count(network: torch.nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def shape(network: torch.nn.Module) -> tuple[int, ...]:
    """Shape of what comes out for a picture of 256 px."""
    return tuple(network(torch.empty(1, 3, 256, 256, device="meta")).shape)


def test_cyclegan(params: Params) -> None:
    networks = networks_of(params, cyclegan)
    for name in ("gen_ab", "gen_ba"):
        assert count(networks[name]) == 11_378_179
        assert shape(networks[name]) == (1, 3, 256, 256)
    for name in ("disc_a", "disc_b"):
        assert count(networks[name]) == 2_764_737
        assert shape(networks[name]) == (1, 1, 30, 30)
    assert sum(map(count, networks.values())) == 28_285_832
    assert count(networks_of(params, cyclegan, residual_blocks=6)["gen_ab"]) == 7_837_699


def test_aggan(params: Params) -> None:
    networks = networks_of(params, aggan)
    for name in ("gen_ab", "gen_ba"):
        assert count(networks[name]) == 2_855_811
        assert shape(networks[name]) == (1, 3, 256, 256)
    for name in ("att_a", "att_b"):
        assert count(networks[name]) == 104_001
        assert shape(networks[name]) == (1, 1, 256, 256)
    for name in ("disc_a", "disc_b"):
        assert count(networks[name]) == 2_766_657
        assert count(networks[name]) - count(networks[name].norms) == 2_764_737
        assert shape(networks[name]) == (1, 1, 35, 35)
    assert sum(map(count, networks.values())) == 11_452_938
    spatial = networks_of(params, aggan, attention_decoder="spatial")["att_a"]
    assert count(spatial) == 154_689
    assert shape(spatial) == (1, 1, 256, 256)


CARTOONGAN = [  # biases, affine instance normalisation, parameters of generator and discriminator
    (True, True, 11_129_667, 1_129_665),
    (True, False, 11_120_195, 1_128_385),
    (False, True, 11_124_352, 1_128_800),
]


@pytest.mark.parametrize(("bias", "affine", "generator", "discriminator"), CARTOONGAN)
def test_cartoongan(params: Params, bias: bool, affine: bool, generator: int, discriminator: int) -> None:
    for padding in ("reflect", "zero"):
        networks = networks_of(params, cartoongan, bias=bias, affine=affine, padding=padding)
        assert count(networks["gen_ab"]) == generator
        assert count(networks["disc_b"]) == discriminator
        assert shape(networks["gen_ab"]) == (1, 3, 256, 256)
        assert shape(networks["disc_b"]) == (1, 1, 64, 64)


def test_residual_block_without_and_with_relu_after_the_sum() -> None:
    plain, relu = (ResidualBlock(2, True, False, "zero", after) for after in (False, True))
    relu.load_state_dict(plain.state_dict())
    x = torch.randn(1, 2, 8, 8)
    assert plain(x).min() < 0
    assert torch.equal(relu(x), plain(x).clamp(min=0))


def test_discriminator_without_normalisation_is_another_function() -> None:
    network = PatchDiscriminator([PatchLayer(4, 2, True)], kernel=4, padding=2, bias=True, affine=True)
    initialize(network, "normal", 0)
    x = torch.randn(1, 3, 16, 16)
    plain = torch.nn.functional.leaky_relu(network.body[0](x), 0.2)
    assert torch.equal(network(x, normalized=False), network.classifier(plain))
    assert not torch.allclose(network(x), network(x, normalized=False))


def test_initialisation_of_transposed_convolutions_and_gains() -> None:
    def part() -> torch.nn.Module:
        return torch.nn.Sequential(
            torch.nn.ConvTranspose2d(64, 64, 3), torch.nn.InstanceNorm2d(4096, affine=True)
        )

    for scheme, gains in (("normal", "one"), ("truncated", "truncated"), ("normal", "uniform")):
        kernel, norm = network = part()
        initialize(network, scheme, 0, gains)  # type: ignore[arg-type]
        assert not kernel.bias.any()
        assert not norm.bias.any()
        assert kernel.weight.mean().item() == pytest.approx(0, abs=4 * 0.02 / kernel.weight.numel() ** 0.5)
        if scheme == "truncated":
            assert 0.039 < kernel.weight.abs().max().item() <= 0.04
            assert 0.039 < (norm.weight - 1).abs().max().item() <= 0.04 + 1e-7
        else:
            assert kernel.weight.std().item() == pytest.approx(0.02, rel=0.02)
        if gains == "one":
            assert torch.equal(norm.weight, torch.ones(4096))
        if gains == "uniform":
            assert 0 <= norm.weight.min() < 0.01
            assert 0.99 < norm.weight.max() <= 1

    kernel = torch.nn.ConvTranspose2d(8, 2, 3)
    initialize(kernel, "torch", 0)
    bound = (2 * 9) ** -0.5  # PyTorch's own: the second dimension counts as fan in
    assert 0.9 * bound < kernel.weight.abs().max().item() <= bound
