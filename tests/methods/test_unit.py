"""One update of UNIT: losses, noise, order, cost, and translation."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from tests.conftest import SMALL_AUTOENCODER
from tests.cost import step_flops
from ugatit.errors import UserError
from ugatit.methods import Batch, unit
from ugatit.nn.losses import NonFiniteLoss
from ugatit.params import Params, merge, parse
from ugatit.run import resolve
from ugatit.strict import check

PX = 16

FLOAT64_TOLERANCE = 1e-9
"""The same sums of float64 numbers in another order."""

COST_TOLERANCE = 0.1
"""How far from the published layers' count ours may be."""


@pytest.fixture
def p(params: Params) -> unit.Parameters:
    return check(unit.Parameters, merge(params.methods["unit"], {"network": SMALL_AUTOENCODER}), "test")


def networks_of(p: unit.Parameters) -> dict[str, torch.nn.Module]:
    return {name: network.double().train() for name, network in unit.build(p, PX, 0).items()}


def batch(seed: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    a, b = (torch.rand(1, 3, PX, PX, generator=generator, dtype=torch.float64) * 2 - 1 for _ in "ab")
    return a, b


def step(p: unit.Parameters, networks: dict[str, torch.nn.Module], seed: int = 0) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    return unit.update(networks, unit.optimizers(networks, p), [batch()], p, 1.0)


def squares(scales: list[torch.Tensor], target: float) -> torch.Tensor:
    return torch.stack([F.mse_loss(scores, torch.full_like(scores, target)) for scores in scales]).sum()


def plain_losses(networks: dict[str, torch.nn.Module], reals: Batch, seed: int = 0) -> tuple[float, float]:
    """The discriminators' loss and the generators' but for its adversarial part, every forward by itself."""
    a, b = reals
    enc_a, enc_b, gen_a, gen_b = (networks[name] for name in ("enc_a", "enc_b", "gen_a", "gen_b"))
    torch.manual_seed(seed)
    fake_b = gen_b(enc_a(a) + torch.randn(1, 16, 4, 4, dtype=torch.float64))
    fake_a = gen_a(enc_b(b) + torch.randn(1, 16, 4, 4, dtype=torch.float64))
    discriminator = squares(networks["disc_a"](fake_a), 0.0) + squares(networks["disc_a"](a), 1.0)
    discriminator += squares(networks["disc_b"](fake_b), 0.0) + squares(networks["disc_b"](b), 1.0)

    h_a, h_b = enc_a(a), enc_b(b)
    n_a, n_b = (torch.randn(1, 16, 4, 4, dtype=torch.float64) for _ in "ab")
    h_aba, h_bab = enc_b(gen_b(h_a + n_a)), enc_a(gen_a(h_b + n_b))
    generator = 10 * F.l1_loss(gen_a(h_a + n_a), a) + 10 * F.l1_loss(gen_b(h_b + n_b), b)
    n_aba, n_bab = (torch.randn(1, 16, 4, 4, dtype=torch.float64) for _ in "ab")
    generator += 10 * F.l1_loss(gen_a(h_aba + n_aba), a) + 10 * F.l1_loss(gen_b(h_bab + n_bab), b)
    generator += 0.01 * sum((h**2).mean() for h in (h_a, h_b, h_aba, h_bab))
    return float(discriminator.detach()), float(generator.detach())


def test_losses_are_those_of_the_plain_formulation(p: unit.Parameters) -> None:
    discriminator, rest = plain_losses(networks_of(p), batch())
    terms = step(p, networks_of(p))
    found = terms["generator"] - terms["adversarial_a"] - terms["adversarial_b"]
    assert float(terms["discriminator"]) == pytest.approx(discriminator, rel=FLOAT64_TOLERANCE)
    assert float(found) == pytest.approx(rest, rel=FLOAT64_TOLERANCE)


def test_adversarial_term_sees_the_updated_discriminators(p: unit.Parameters) -> None:
    before, after = networks_of(p), networks_of(p)
    terms = step(p, after)
    torch.manual_seed(0)
    noise = [torch.randn(1, 16, 4, 4, dtype=torch.float64) for _ in range(4)]
    fake_a = before["gen_a"](before["enc_b"](batch()[1]) + noise[3]).detach()
    expected = float(squares(after["disc_a"](fake_a), 1.0).detach())
    assert float(terms["adversarial_a"]) == pytest.approx(expected, rel=FLOAT64_TOLERANCE)
    assert expected != pytest.approx(float(squares(before["disc_a"](fake_a), 1.0).detach()), rel=1e-6)


def test_training_is_noisy_and_translation_is_not(p: unit.Parameters) -> None:
    first, again, other = (step(p, networks_of(p), seed) for seed in (0, 0, 1))
    assert torch.equal(first["generator"], again["generator"])
    assert not torch.equal(first["disc_b"], other["disc_b"])
    assert not torch.equal(first["cycle_a"], other["cycle_a"])
    networks, picture = networks_of(p), batch()[0]
    fakes = [unit.translate(networks, picture, "a2b") for _ in range(2)]
    assert torch.equal(*fakes)
    torch.testing.assert_close(fakes[0], networks["gen_b"](networks["enc_a"](picture)))
    assert unit.translate(networks, picture, "b2a").shape == picture.shape


def test_each_update_leaves_the_other_networks_alone(p: unit.Parameters) -> None:
    networks = networks_of(p)
    optimizers = unit.optimizers(networks, p)
    owned = {name: {id(w) for w in opt.param_groups[0]["params"]} for name, opt in optimizers.items()}
    judges = {id(w) for name in ("disc_a", "disc_b") for w in networks[name].parameters()}
    assert owned["discriminators"] == judges
    everything = {id(w) for network in networks.values() for w in network.parameters()}
    assert owned["generators"] == everything - judges
    step(p, networks)
    assert all(w.requires_grad for network in networks.values() for w in network.parameters())
    assert all(w.grad is not None for network in networks.values() for w in network.parameters())
    # The discriminators' gradients date from their own update: the generators' added nothing.
    fresh = networks_of(p)
    torch.manual_seed(0)
    noise = torch.randn(2, 1, 16, 4, 4, dtype=torch.float64)
    fake_b = fresh["gen_b"](fresh["enc_a"](batch()[0]) + noise[0]).detach()
    (squares(fresh["disc_b"](fake_b), 0.0) + squares(fresh["disc_b"](batch()[1]), 1.0)).backward()
    for ours, plain in zip(networks["disc_b"].parameters(), fresh["disc_b"].parameters(), strict=True):
        torch.testing.assert_close(ours.grad, plain.grad)


def test_a_non_finite_loss_stops_before_anything_moves(p: unit.Parameters) -> None:
    networks = networks_of(p)
    with torch.no_grad():
        networks["gen_a"][-1].output.conv.weight.fill_(float("nan"))
    before = {k: v.clone() for k, v in networks["disc_b"].state_dict().items()}
    with pytest.raises(NonFiniteLoss, match="disc_a = nan"):
        step(p, networks)
    assert all(torch.equal(value, before[key]) for key, value in networks["disc_b"].state_dict().items())


def test_whole_system_has_the_published_count(params: Params) -> None:
    run = resolve(params, "selfie2anime", "unit", 0)
    with torch.device("meta"):
        networks = unit.build(check(unit.Parameters, run.parameters, "unit"), 256, None)
    assert sum(w.numel() for network in networks.values() for w in network.parameters()) == 38_823_308


def test_a_step_costs_what_its_layers_do(monkeypatch: pytest.MonkeyPatch, params: Params) -> None:
    full = check(unit.Parameters, params.methods["unit"], "test")
    assert step_flops(unit, full, 256, 1, monkeypatch) == pytest.approx(2.63e12, rel=COST_TOLERANCE)


def test_recipes(params: Params) -> None:
    authors = resolve(params, "selfie2anime", "unit", 0).training
    assert (authors.load_px, authors.decay, authors.decay_start, authors.steps) == (
        256,
        "halve",
        100_000,
        1_000_000,
    )
    equal = resolve(params, "selfie2anime", "unit-equal", 0)
    assert equal.training == resolve(params, "selfie2anime", "ugatit", 0).training
    assert equal.parameters == resolve(params, "selfie2anime", "unit", 0).parameters


@pytest.mark.parametrize("px", [60, 66])
def test_sizes_that_the_networks_do_not_allow_are_refused(params: Params, px: int) -> None:
    small = parse(merge(params.model_dump(exclude_unset=True), {"training": {"image_px": px}}))
    with pytest.raises(
        UserError, match=rf"image_px: found {px}, expected a multiple of 4 from 64 on.*discriminator_layers"
    ):
        resolve(small, "cat2dog", "unit", 0)
