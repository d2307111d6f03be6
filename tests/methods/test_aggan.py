"""One update of AGGAN: losses, the two stages, masks, both ways to update, and what it costs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from tests.cost import step_flops
from ugatit.methods import Batch, aggan
from ugatit.nn.mask import MaskNetwork, compose, foreground
from ugatit.params import Params, merge
from ugatit.run import resolve
from ugatit.strict import check

PX = 16
FIRST, SECOND = 0.5, 0.51
"""Progress at the last step of the first stage, and in the second."""

FLOAT64_TOLERANCE = 1e-9
"""The same sums of float64 numbers in another order."""

COST_TOLERANCE = 0.1
"""The count leaves out what is no convolution."""

Networks = dict[str, torch.nn.Module]
Judge = Callable[[str, torch.Tensor], torch.Tensor]


@pytest.fixture(scope="module")
def tiny(tiny_params: Params) -> aggan.Parameters:
    return check(aggan.Parameters, tiny_params.methods["aggan"], "test")


def changed(p: aggan.Parameters, **changes: object) -> aggan.Parameters:
    return check(aggan.Parameters, merge(p.model_dump(), changes), "test")


def networks_of(p: aggan.Parameters) -> Networks:
    """Networks whose masks are neither all above nor all below the threshold."""
    networks = {name: network.double() for name, network in aggan.build(p, PX, 0).items()}
    with torch.no_grad():
        for name in ("att_a", "att_b"):
            last = networks[name].body[-2]
            last.weight.normal_(0, 1, generator=torch.Generator().manual_seed(1))
            last.bias.fill_(-3.0)
    return networks


def batch(seed: int = 0, size: int = 1) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    a, b = (torch.rand(size, 3, PX, PX, generator=generator, dtype=torch.float64) * 2 - 1 for _ in "ab")
    return a, b


def step(
    p: aggan.Parameters, networks: Networks, progress: float, seed: int = 0, size: int = 1
) -> dict[str, torch.Tensor]:
    return aggan.update(networks, aggan.optimizers(networks, p), [batch(seed, size)], p, progress)


def plain_losses(networks: Networks, reals: Batch, progress: float) -> dict[str, torch.Tensor]:
    """Both generators' and discriminators' losses, written out."""
    a, b = reals
    first = progress <= FIRST
    mask_a, mask_b = networks["att_a"](a), networks["att_b"](b)
    fake_b = mask_a * networks["gen_ab"](a) + (1 - mask_a) * a
    fake_a = mask_b * networks["gen_ba"](b) + (1 - mask_b) * b
    mask_back, mask_forth = networks["att_b"](fake_b), networks["att_a"](fake_a)
    rec_a = mask_back * networks["gen_ba"](fake_b) + (1 - mask_back) * fake_b
    rec_b = mask_forth * networks["gen_ab"](fake_a) + (1 - mask_forth) * fake_a

    def judge(domain: str, picture: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        seen = picture if first else picture * (mask >= 0.1).double()
        return networks[f"disc_{domain}"](seen, normalized=first)

    cycle = 10 * F.l1_loss(rec_a, a) + 10 * F.l1_loss(rec_b, b)
    adversarial = ((judge("b", fake_b, mask_a) - 1) ** 2).mean() + (
        (judge("a", fake_a, mask_b) - 1) ** 2
    ).mean()
    real = ((judge("a", a, mask_a) - 1) ** 2).mean() + ((judge("b", b, mask_b) - 1) ** 2).mean()
    fake = (judge("a", fake_a.detach(), mask_b) ** 2).mean() + (
        judge("b", fake_b.detach(), mask_a) ** 2
    ).mean()
    return {"generator": cycle + adversarial, "discriminator": 0.5 * (real + fake)}


@pytest.mark.parametrize("progress", [FIRST, SECOND])
@pytest.mark.parametrize("size", [1, 2])
def test_losses_and_gradients_are_those_of_the_plain_formulation(
    tiny: aggan.Parameters, progress: float, size: int
) -> None:
    p = changed(tiny, pool_size=size)
    plain, ours = networks_of(p), networks_of(p)
    expected = plain_losses(plain, batch(size=size), progress)
    expected["generator"].backward()
    terms = step(p, ours, progress, size=size)
    for name, value in expected.items():
        assert float(terms[name]) == pytest.approx(float(value.detach()), rel=FLOAT64_TOLERANCE)
    learning = ["gen_ab", "gen_ba", *(["att_a", "att_b"] if progress == FIRST else [])]
    for name in learning:
        for mine, theirs in zip(ours[name].parameters(), plain[name].parameters(), strict=True):
            torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-7, atol=1e-12)

    fresh = networks_of(p)
    plain_losses(fresh, batch(size=size), progress)["discriminator"].backward()
    for name in ("disc_a", "disc_b"):
        for mine, theirs in zip(ours[name].parameters(), fresh[name].parameters(), strict=True):
            torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-7, atol=1e-12)


def test_masks_are_on_both_sides_of_the_threshold(tiny: aggan.Parameters) -> None:
    """Without this the tests of the second stage would prove little."""
    networks = networks_of(tiny)
    for name, picture in zip(("att_a", "att_b"), batch(), strict=True):
        assert 0.05 < (networks[name](picture) >= 0.1).double().mean() < 0.95


@pytest.mark.parametrize("update", ["joint", "sequential"])
def test_attention_learns_in_the_first_stage_only(tiny: aggan.Parameters, update: str) -> None:
    p = changed(tiny, generator_update=update)
    networks = networks_of(p)
    optimizers = aggan.optimizers(networks, p)

    def state() -> dict[str, torch.Tensor]:
        weights = {
            w: f"{name}.{key}" for name in ("att_a", "att_b") for key, w in networks[name].named_parameters()
        }
        values = {key: w.detach().clone() for w, key in weights.items()}
        for direction in ("a2b", "b2a"):
            for w, moments in optimizers[direction].state.items():
                if w in weights:
                    values |= {f"{weights[w]} {kind}": m.clone() for kind, m in moments.items()}
        return values

    before = state()
    aggan.update(networks, optimizers, [batch(0)], p, FIRST)
    first = state()
    assert all(not torch.equal(first[key], before[key]) for key in before if not key.endswith("bias"))
    aggan.update(networks, optimizers, [batch(1)], p, SECOND)
    second = state()
    assert first.keys() == second.keys() > before.keys()
    assert all(torch.equal(second[key], first[key]) for key in first)
    assert all(w.requires_grad for net in networks.values() for w in net.parameters())


def test_discriminators_stop_normalising_and_keep_their_scales(tiny: aggan.Parameters) -> None:
    networks = networks_of(tiny)
    optimizers = aggan.optimizers(networks, tiny)
    norms = [w for domain in "ab" for w in networks[f"disc_{domain}"].norms.parameters()]
    assert len(norms) == 2 * 2 * 2, "two hidden layers of each, scale and offset"
    before = [w.detach().clone() for w in norms]
    aggan.update(networks, optimizers, [batch(0)], tiny, FIRST)
    between = [w.detach().clone() for w in norms]
    assert all(not torch.equal(x, y) for x, y in zip(before, between, strict=True))
    aggan.update(networks, optimizers, [batch(1)], tiny, SECOND)
    assert all(torch.equal(x, y) for x, y in zip(between, norms, strict=True))


def test_threshold_0_shows_everything_and_lets_no_gradient_through() -> None:
    picture = torch.rand(1, 3, 4, 4, requires_grad=True)
    mask = torch.rand(1, 1, 4, 4, requires_grad=True)
    assert torch.equal(foreground(picture, mask, 0.0), picture)
    half = foreground(picture, mask, 0.5)
    half.sum().backward()
    assert mask.grad is None
    assert picture.grad is not None
    assert torch.equal(picture.grad, (mask >= 0.5).float().expand(1, 3, 4, 4))
    assert not half[(mask < 0.5).expand(1, 3, 4, 4)].any()


def test_composition_at_the_ends_of_the_mask() -> None:
    translated, picture = torch.rand(2, 1, 3, 4, 4)
    assert torch.equal(compose(torch.ones(1, 1, 4, 4), translated, picture), translated)
    assert torch.equal(compose(torch.zeros(1, 1, 4, 4), translated, picture), picture)


def test_pool_keeps_fakes_with_their_masks(tiny: aggan.Parameters) -> None:
    networks = networks_of(tiny)
    a, _ = batch()
    fake, mask = aggan._composed(networks, a, "a2b")
    step(tiny, networks, SECOND)
    kept = networks["pool_b"].stored
    assert kept.shape == (1, 4, PX, PX)
    torch.testing.assert_close(kept[:, :3], fake.detach())
    torch.testing.assert_close(kept[:, 3:], mask.detach())


def test_in_turn_each_update_sees_the_ones_before(tiny: aggan.Parameters) -> None:
    """The first update is as in the joint one; the second starts from the updated networks."""
    joint, turn = networks_of(tiny), networks_of(tiny)
    p = changed(tiny, generator_update="sequential")
    optimizers, order = aggan.optimizers(turn, p), []
    for name, optimizer in optimizers.items():
        optimizer.register_step_pre_hook(lambda *_, name=name: order.append(name))
    together = step(tiny, joint, FIRST)
    in_turn = aggan.update(turn, optimizers, [batch()], p, FIRST)
    assert order == ["a2b", "disc_b", "b2a", "disc_a"]
    assert float(in_turn["adversarial_b"]) == pytest.approx(
        float(together["adversarial_b"]), rel=FLOAT64_TOLERANCE
    )
    assert float(in_turn["cycle_a"]) != float(together["cycle_a"])
    for name in ("gen_ab", "att_a", "disc_b"):
        for mine, theirs in zip(turn[name].parameters(), joint[name].parameters(), strict=True):
            torch.testing.assert_close(mine, theirs)


def test_every_weight_takes_part(tiny: aggan.Parameters) -> None:
    networks = networks_of(tiny)
    step(tiny, networks, FIRST)
    for name, network in networks.items():
        assert not [key for key, w in network.named_parameters() if w.grad is None], name


def test_translation_is_the_soft_composite_and_attention_its_mask(tiny: aggan.Parameters) -> None:
    networks = networks_of(tiny)
    _, b = batch()
    assert aggan.traits(tiny).attention == ("generator",)
    mask = aggan.attend(networks, b, "b2a")["generator"]
    assert mask.shape == (1, 1, PX, PX)
    expected = mask * networks["gen_ba"](b) + (1 - mask) * b
    torch.testing.assert_close(aggan.translate(networks, b, "b2a"), expected)


@pytest.mark.parametrize("decoder", ["pointwise", "spatial"])
def test_mask_network_up_samples_where_its_decoder_says(decoder: str) -> None:
    """Pointwise convolutions before and after nearest-neighbour up-sampling are the same function."""
    network = MaskNetwork(4, decoder).double()  # type: ignore[arg-type]
    x = torch.rand(2, 3, 16, 16, dtype=torch.float64) * 2 - 1
    coarse = network.body[:3](x)
    kernels = [m for layer in (network.body[4], network.body[6], network.body[7]) for m in layer.modules()]
    assert {m.kernel_size[0] for m in kernels if isinstance(m, torch.nn.Conv2d)} == (
        {1} if decoder == "pointwise" else {3, 7}
    )
    plain = coarse
    for layer in (network.body[4], network.body[6]):
        plain = layer(F.interpolate(plain, scale_factor=2, mode="nearest"))
    torch.testing.assert_close(network(x), torch.sigmoid(network.body[7](plain)))
    blocks = F.interpolate(network(x)[..., ::4, ::4], scale_factor=4, mode="nearest")
    assert torch.equal(blocks, network(x)) == (decoder == "pointwise")


def test_authors_recipe(params: Params) -> None:
    run = resolve(params, "selfie2anime", "aggan", 0)
    assert (run.training.steps, run.training.decay_start) == (340_000, 170_000)
    assert run.training.steps * run.parameters["attention_share"] == pytest.approx(102_000)


@pytest.mark.parametrize(("update", "tera"), [("joint", 0.44), ("sequential", 0.60)])
def test_cost_of_a_step_at_256_px(
    params: Params, monkeypatch: pytest.MonkeyPatch, update: str, tera: float
) -> None:
    p = check(aggan.Parameters, merge(params.methods["aggan"], {"generator_update": update}), "test")
    flops = step_flops(aggan, p, 256, 1, monkeypatch, progress=0.1)
    assert flops == pytest.approx(tera * 1e12, rel=COST_TOLERANCE)
