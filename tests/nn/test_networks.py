"""Generator and discriminator: sizes, counts and receptive fields of the paper and of the authors' code."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ugatit.errors import UserError
from ugatit.methods import ugatit
from ugatit.nn.discriminators import AttentionDiscriminator, smallest_px
from ugatit.params import load, merge
from ugatit.run import resolve

PARAMS = load(Path(__file__).parents[2] / "params.yaml")


def parameters(**network: object) -> ugatit.Parameters:
    values = merge(PARAMS.methods["ugatit"], {"network": network})
    return ugatit.Parameters.model_validate(values)


def networks_of(model: str) -> dict[str, torch.nn.Module]:
    """A model of params.yaml at 256 px, without memory."""
    run = resolve(PARAMS, "selfie2anime", model, 0)
    with torch.device("meta"):
        return ugatit.build(ugatit.Parameters.model_validate(run.parameters), 256, None)


def count(network: torch.nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(
    ("model", "generator", "total"),
    [("ugatit", 278_959_808, 670_761_088), ("ugatit-light", 10_589_888, 134_021_248)],
)
def test_parameter_counts_of_the_authors_pytorch_code(model: str, generator: int, total: int) -> None:
    networks = networks_of(model)
    assert count(networks["gen_ab"]) == count(networks["gen_ba"]) == generator
    assert count(networks["disc_a_local"]) == count(networks["disc_b_local"]) == 3_290_560
    assert count(networks["disc_a_global"]) == count(networks["disc_b_global"]) == 53_130_176
    assert sum(map(count, networks.values())) == total


def test_parameter_counts_of_the_authors_tensorflow_code() -> None:
    networks = networks_of("ugatit-tf")
    untied_kernel_and_bias = 257
    assert count(networks["gen_ab"]) == 278_970_308 + untied_kernel_and_bias
    assert count(networks["disc_a_local"]) == 3_290_050
    assert count(networks["disc_a_global"]) == 53_128_130
    with torch.device("meta"):
        p = parameters(**{**PARAMS.presets["tf"]["network"], "generator_cam_tied": True})
        assert count(ugatit.build(p, 256, None)["gen_ab"]) == 278_970_308


def test_light_differs_in_one_layer_only() -> None:
    full, light = networks_of("ugatit")["gen_ab"], networks_of("ugatit-light")["gen_ab"]
    shapes = [{name: p.shape for name, p in network.named_parameters()} for network in (full, light)]
    assert [name for name in shapes[0] if shapes[0][name] != shapes[1][name]] == ["mlp.0.weight"]
    assert shapes[0].keys() == shapes[1].keys()


def test_initial_weights_are_a_function_of_the_seed() -> None:
    p = parameters(base_channels=2, light=True)
    first, again, other = (ugatit.build(p, 96, seed) for seed in (0, 0, 1))
    for name in first:
        for key, value in first[name].state_dict().items():
            assert torch.equal(value, again[name].state_dict()[key]), (name, key)
    assert not torch.equal(first["gen_ab"].output.conv.weight, other["gen_ab"].output.conv.weight)
    assert not torch.equal(first["gen_ab"].output.conv.weight, first["gen_ba"].output.conv.weight)


def test_initialisation_schemes() -> None:
    network = ugatit.build(parameters(light=True, global_layers=3, local_layers=3, bias=True), 64, 0)[
        "gen_ab"
    ]
    kernel = network.residual[0].conv1.conv
    assert kernel.weight.std().item() == pytest.approx(0.02, rel=0.01)
    assert not kernel.bias.any()
    scheme = parameters(light=True, global_layers=3, local_layers=3, bias=True, initialization="torch")
    kernel = ugatit.build(scheme, 64, 0)["gen_ab"].residual[0].conv1.conv
    bound = (256 * 9) ** -0.5
    assert kernel.weight.abs().max().item() == pytest.approx(bound, rel=0.01)
    assert 0 < kernel.bias.abs().max().item() <= bound


@pytest.mark.parametrize("px", [96, 128])
def test_generator_outputs(px: int) -> None:
    generator = ugatit.build(parameters(base_channels=2), px, 0)["gen_ab"]
    picture, cam_logits, attention = generator(torch.rand(2, 3, px, px) * 2 - 1)
    assert picture.shape == (2, 3, px, px)
    assert cam_logits.shape == (2, 2)
    assert attention.shape == (2, 1, px // 4, px // 4)
    assert picture.abs().max() <= 1
    assert attention.min() >= 0


def test_light_takes_other_sizes_than_its_own() -> None:
    generator = ugatit.build(parameters(base_channels=2, light=True), 96, 0)["gen_ab"]
    assert generator(torch.zeros(1, 3, 100, 100)).picture.shape == (1, 3, 100, 100)


DISCRIMINATOR_MAPS = [
    # layers, padding, picture, patch logits, attention map
    (5, "symmetric", 256, 30, 31),
    (7, "symmetric", 256, 6, 7),
    (5, "tf", 256, 32, 32),
    (7, "tf", 256, 8, 8),
    (7, "symmetric", 96, 1, 2),
    (7, "symmetric", 128, 2, 3),
    (7, "symmetric", 512, 14, 15),
    (5, "symmetric", 96, 10, 11),
]


def discriminator(layers: int, padding: str = "symmetric", cam: str = "full") -> AttentionDiscriminator:
    network = AttentionDiscriminator(2, layers, cam, "separate", "raw", padding, classifier_bias=False)  # type: ignore[arg-type]
    for p in network.parameters():
        torch.nn.init.normal_(p)
    return network


@pytest.mark.parametrize(("layers", "padding", "px", "patches", "attention"), DISCRIMINATOR_MAPS)
def test_discriminator_maps(layers: int, padding: str, px: int, patches: int, attention: int) -> None:
    output = discriminator(layers, padding)(torch.zeros(1, 3, px, px))
    assert output.patches.shape == (1, 1, patches, patches)
    assert output.attention.shape == (1, 1, attention, attention)
    assert output.cam_logits is not None
    assert output.cam_logits.shape == (1, 2)


@pytest.mark.parametrize(("layers", "field"), [(5, 70), (7, 286)])
def test_receptive_field_of_a_patch(layers: int, field: int) -> None:
    px = 512
    network = discriminator(layers, cam="none").double().eval()
    picture = torch.rand(1, 3, px, px, dtype=torch.float64, requires_grad=True)
    patches = network(picture).patches
    middle = patches.shape[-1] // 2
    (gradient,) = torch.autograd.grad(patches[0, 0, middle, middle], picture)
    touched = gradient[0].abs().sum(0).nonzero()
    assert (touched.max(0).values - touched.min(0).values + 1).tolist() == [field, field]


@pytest.mark.parametrize("layers", [3, 5, 6, 7])
def test_the_smallest_size_works_and_the_next_smaller_does_not(layers: int) -> None:
    px = smallest_px(layers)
    discriminator(layers)(torch.zeros(1, 3, px, px))
    with pytest.raises(RuntimeError):
        discriminator(layers)(torch.zeros(1, 3, px - 2 ** (layers - 2), px - 2 ** (layers - 2)))


@pytest.mark.parametrize("px", [64, 95, 98])
def test_sizes_that_the_networks_do_not_allow_are_refused_with_the_smallest(px: int) -> None:
    with pytest.raises(UserError, match=rf"found {px}, expected a multiple of 4 from 96 on"):
        ugatit.check_size(parameters(), px)
    ugatit.check_size(parameters(), 96)
