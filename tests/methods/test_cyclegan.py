"""One update of CycleGAN: losses, order, identity, pool, what moves and what it costs."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from tests.cost import step_flops
from ugatit.errors import UserError
from ugatit.methods import Batch, cyclegan
from ugatit.nn.losses import NonFiniteLoss
from ugatit.params import Params, merge
from ugatit.run import resolve
from ugatit.strict import check

PX = 16

FLOAT64_TOLERANCE = 1e-9
"""The same sums of float64 numbers in another order."""

COST_TOLERANCE = 0.1
"""The count leaves out what is no convolution."""

Networks = dict[str, torch.nn.Module]


@pytest.fixture(scope="module")
def tiny(tiny_params: Params) -> cyclegan.Parameters:
    return check(cyclegan.Parameters, tiny_params.methods["cyclegan"], "test")


def changed(p: cyclegan.Parameters, **changes: object) -> cyclegan.Parameters:
    return check(cyclegan.Parameters, merge(p.model_dump(), changes), "test")


def networks_of(p: cyclegan.Parameters) -> Networks:
    return {name: network.double() for name, network in cyclegan.build(p, PX, 0).items()}


def batch(seed: int = 0, size: int = 1) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    a, b = (torch.rand(size, 3, PX, PX, generator=generator, dtype=torch.float64) * 2 - 1 for _ in "ab")
    return a, b


def step(p: cyclegan.Parameters, networks: Networks, seed: int = 0, size: int = 1) -> dict[str, torch.Tensor]:
    return cyclegan.update(networks, cyclegan.optimizers(networks, p), [batch(seed, size)], p, 1.0)


def plain_generator_loss(networks: Networks, reals: Batch) -> torch.Tensor:
    """The loss in the order of the paper: every forward by itself."""
    real_a, real_b = reals
    gen_ab, gen_ba = networks["gen_ab"], networks["gen_ba"]
    fake_b, fake_a = gen_ab(real_a), gen_ba(real_b)
    loss = ((networks["disc_b"](fake_b) - 1) ** 2).mean() + ((networks["disc_a"](fake_a) - 1) ** 2).mean()
    loss = loss + 10 * F.l1_loss(gen_ba(fake_b), real_a) + 10 * F.l1_loss(gen_ab(fake_a), real_b)
    return loss + 5 * F.l1_loss(gen_ab(real_b), real_b) + 5 * F.l1_loss(gen_ba(real_a), real_a)


@pytest.mark.parametrize("size", [1, 2])
def test_losses_and_gradients_are_those_of_the_plain_formulation(
    tiny: cyclegan.Parameters, size: int
) -> None:
    p = changed(tiny, pool_size=size)
    plain, ours = networks_of(p), networks_of(p)
    real_a, real_b = batch(size=size)
    expected = plain_generator_loss(plain, (real_a, real_b))
    expected.backward()
    terms = step(p, ours, size=size)
    assert float(terms["generator"]) == pytest.approx(float(expected.detach()), rel=FLOAT64_TOLERANCE)
    for name in ("gen_ab", "gen_ba"):
        for mine, theirs in zip(ours[name].parameters(), plain[name].parameters(), strict=True):
            torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-7, atol=1e-12)

    fresh = networks_of(p)
    with torch.no_grad():
        judged = 0.5 * sum(
            ((fresh[judge](real) - 1) ** 2).mean() + (fresh[judge](fresh[gen](other)) ** 2).mean()
            for judge, real, gen, other in (
                ("disc_a", real_a, "gen_ba", real_b),
                ("disc_b", real_b, "gen_ab", real_a),
            )
        )
    assert float(terms["discriminator"]) == pytest.approx(float(judged), rel=FLOAT64_TOLERANCE)


def test_generators_come_first_and_discriminators_see_the_same_fakes(
    tiny: cyclegan.Parameters, monkeypatch: pytest.MonkeyPatch
) -> None:
    networks, order = networks_of(tiny), []
    optimizers = cyclegan.optimizers(networks, tiny)
    for name, optimizer in optimizers.items():
        optimizer.register_step_pre_hook(lambda *_, name=name: order.append(name))
    before = networks_of(tiny)
    seen = []
    networks["disc_b"].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    real_a, real_b = batch()
    cyclegan.update(networks, optimizers, [(real_a, real_b)], tiny, 1.0)
    assert order == ["generators", "discriminators"]
    for_generator, for_judge = seen
    torch.testing.assert_close(for_generator, before["gen_ab"](real_a).detach())
    assert torch.equal(for_judge, torch.cat([real_b, for_generator]))


def test_generators_update_leaves_no_gradient_in_the_discriminators(tiny: cyclegan.Parameters) -> None:
    networks, fresh = networks_of(tiny), networks_of(tiny)
    step(tiny, networks)
    real_a, real_b = batch()
    fake = fresh["gen_ba"](real_b).detach()
    (0.5 * cyclegan._teach(fresh["disc_a"], real_a, fake)).backward()
    for mine, alone in zip(networks["disc_a"].parameters(), fresh["disc_a"].parameters(), strict=True):
        torch.testing.assert_close(mine.grad, alone.grad)
    assert all(w.requires_grad for net in networks.values() for w in net.parameters())


def test_without_identity_there_is_no_such_term_and_no_forward_for_it(tiny: cyclegan.Parameters) -> None:
    p = changed(tiny, loss={"identity": 0.0})
    networks = networks_of(p)
    seen = []
    networks["gen_ab"].register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    terms = step(p, networks)
    assert not [name for name in terms if name.startswith("identity")]
    assert seen == [1, 1]


def test_pool_feeds_the_discriminators_with_earlier_fakes(tiny: cyclegan.Parameters) -> None:
    networks = networks_of(tiny)
    optimizers = cyclegan.optimizers(networks, tiny)
    fakes, judged = [], []
    networks["disc_b"].register_forward_pre_hook(
        lambda _, inputs: (judged if len(inputs[0]) == 2 else fakes).append(inputs[0][-1].detach().clone())
    )
    torch.manual_seed(0)
    for k in range(12):
        cyclegan.update(networks, optimizers, [batch(k)], tiny, 1.0)
    ages = [next(age for age in range(k + 1) if torch.equal(judged[k], fakes[k - age])) for k in range(12)]
    assert ages[0] == 0
    assert max(ages) > 0
    assert ages.count(0) > 1


def test_non_finite_loss_stops_before_anything_moves(tiny: cyclegan.Parameters) -> None:
    networks = networks_of(tiny)
    with torch.no_grad():
        next(networks["gen_ab"].parameters()).fill_(float("nan"))
    before = {k: v.clone() for k, v in networks["gen_ba"].state_dict().items()}
    with pytest.raises(NonFiniteLoss, match="adversarial_b = nan"):
        step(tiny, networks)
    for key, value in networks["gen_ba"].state_dict().items():
        assert torch.equal(value, before[key])


def test_every_weight_takes_part(tiny: cyclegan.Parameters) -> None:
    networks = networks_of(tiny)
    step(tiny, networks)
    for name, network in networks.items():
        assert not [key for key, w in network.named_parameters() if w.grad is None], name


def test_translates_both_ways(tiny: cyclegan.Parameters) -> None:
    networks = networks_of(tiny)
    a, _ = batch()
    there, back = (cyclegan.translate(networks, a, direction) for direction in ("a2b", "b2a"))
    assert there.shape == back.shape == a.shape
    assert there.abs().max() <= 1
    assert not torch.equal(there, back)


def test_authors_recipe_and_equal_budget(params: Params) -> None:
    authors = resolve(params, "selfie2anime", "cyclegan", 0).training
    assert (authors.steps, authors.decay_start) == (680_000, 340_000)
    equal = resolve(params, "selfie2anime", "cyclegan-equal", 0).training
    assert (equal.steps, equal.decay_start) == (1_000_000, 500_000)


@pytest.mark.parametrize(("px", "layers"), [(20, 5), (22, 4), (8, 4)])
def test_sizes_that_the_networks_do_not_allow_are_refused(
    tiny_params: Params, tiny: cyclegan.Parameters, px: int, layers: int
) -> None:
    p = changed(tiny, network={"discriminator_layers": layers})
    training = resolve(tiny_params, "cat2dog", "cyclegan-equal", 0).training
    refused = training.model_copy(update={"image_px": px, "load_px": px})
    with pytest.raises(UserError, match=rf"training\.image_px: found {px}, expected a multiple of 4 from"):
        cyclegan.check_training(p, refused)
    smallest = 3 * 2 ** (layers - 2)
    cyclegan.check_training(p, training.model_copy(update={"image_px": smallest, "load_px": smallest}))
    networks = cyclegan.build(p, smallest, 0)
    picture = torch.zeros(1, 3, smallest, smallest)
    assert networks["disc_a"](networks["gen_ba"](picture)).shape == (1, 1, 1, 1)


@pytest.mark.parametrize(("identity", "tera"), [(0.5, 1.88), (0.0, 1.29)])
def test_cost_of_a_step_at_256_px(
    params: Params, monkeypatch: pytest.MonkeyPatch, identity: float, tera: float
) -> None:
    p = check(
        cyclegan.Parameters, merge(params.methods["cyclegan"], {"loss": {"identity": identity}}), "test"
    )
    assert step_flops(cyclegan, p, 256, 1, monkeypatch) == pytest.approx(tera * 1e12, rel=COST_TOLERANCE)
