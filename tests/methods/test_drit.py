"""One update of DRIT: losses, the two steps, the content discriminator, pairs, cost, and translation."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F  # noqa: N812
from torch.optim import SGD
from torch.utils.flop_counter import FlopCounterMode

from tests.conftest import SMALL_AUTOENCODER
from tests.cost import step_flops
from ugatit.errors import UserError
from ugatit.methods import Batch, drit
from ugatit.nn.drit import Mixing
from ugatit.nn.losses import NonFiniteLoss
from ugatit.params import Params, merge, parse
from ugatit.run import resolve
from ugatit.strict import check

PX = 16
CODE_SIZE = 8

FLOAT64_TOLERANCE = 1e-9
"""The same sums of float64 numbers in another order."""

COST_TOLERANCE = 0.05
"""How far from the published layers' count ours may be."""

Nets = dict[str, torch.nn.Module]
VARIANTS = [("concat", 0.0), ("featurewise", 0.0), ("concat", 1.0), ("featurewise", 1.0)]


def make(params: Params, variant: str = "featurewise", mode_seeking: float = 0.0) -> drit.Parameters:
    network = {**SMALL_AUTOENCODER, "content_layers": 0, "variant": variant}
    changes = {"network": network, "loss": {"mode_seeking": mode_seeking}}
    return check(drit.Parameters, merge(params.methods["drit"], changes), "test")


@pytest.fixture(params=VARIANTS, ids=str)
def p(request: pytest.FixtureRequest, params: Params) -> drit.Parameters:
    return make(params, *request.param)


def networks_of(p: drit.Parameters, training: bool = False) -> Nets:
    """Small networks; in evaluation mode contents have no noise, and a plain formulation need not draw it."""
    return {name: net.double().train(training) for name, net in drit.build(p, PX, 0).items()}


def batches(count: int = 3) -> list[Batch]:
    generator = torch.Generator().manual_seed(0)

    def pair() -> torch.Tensor:
        return torch.rand(2, 3, PX, PX, generator=generator, dtype=torch.float64) * 2 - 1

    return [(pair(), pair()) for _ in range(count)]


def step(p: drit.Parameters, networks: Nets, drawn: list[Batch] | None = None) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return drit.update(networks, drit.optimizers(networks, p), drawn or batches(), p, 1.0)


def cross_entropy(scales: list[torch.Tensor], target: float) -> torch.Tensor:
    return torch.stack(
        [F.binary_cross_entropy(scores.sigmoid(), torch.full_like(scores, target)) for scores in scales]
    ).sum()


class Plain:
    """All that an update computes before any weight moves, every forward by itself."""

    def __init__(self, networks: Nets, p: drit.Parameters, batch: Batch) -> None:
        self.networks, self.weights = networks, p.loss
        content, attribute, gen = networks["content"], networks["attribute"], networks["gen"]
        (a, other_a), (b, other_b) = batch[0].split(1), batch[1].split(1)
        torch.manual_seed(0)
        c_a, c_b = content(a, "a"), content(b, "b")
        heads_a, heads_b = attribute(a, "a"), attribute(b, "b")
        z_a, z_b = self.reparameterised(heads_a), self.reparameterised(heads_b)
        z = [torch.randn(1, CODE_SIZE, dtype=torch.float64) for _ in range(2 if p.loss.mode_seeking else 1)]
        fake_a, fake_b = gen(c_b, z_a, "a"), gen(c_a, z_b, "b")
        random_a, random_b = [gen(c_b, code, "a") for code in z], [gen(c_a, code, "b") for code in z]

        def pays(name: str, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
            judge = networks[name]
            return cross_entropy(judge(real), 1.0) + cross_entropy(judge(fake.detach()), 0.0)

        self.discriminator = pays("disc_a", a, fake_a) + pays("disc_b", b, fake_b)
        for k in range(len(z)):
            self.discriminator += pays("disc_a2", other_a, random_a[k]) + pays(
                "disc_b2", other_b, random_b[k]
            )

        again_a, again_b = attribute(fake_a, "a"), attribute(fake_b, "b")
        rec_a = gen(content(fake_b, "b"), self.reparameterised(again_a), "a")
        rec_b = gen(content(fake_a, "a"), self.reparameterised(again_b), "b")
        self.first_rest = 10 * F.l1_loss(rec_a, a) + 10 * F.l1_loss(rec_b, b)
        self.first_rest += 10 * F.l1_loss(gen(c_a, z_a, "a"), a) + 10 * F.l1_loss(gen(c_b, z_b, "b"), b)
        self.first_rest += 0.01 * (c_a.square().mean() + c_b.square().mean())
        for heads in (heads_a, heads_b):
            if heads.log_variance is None:
                self.first_rest += 0.01 * heads.mean.square().mean()
            else:
                inner = 1 + heads.log_variance - heads.mean.square() - heads.log_variance.exp()
                self.first_rest += 0.01 * -0.5 * inner.sum()
        self.first_judged = cross_entropy(networks["disc_a"](fake_a), 1.0)
        self.first_judged += cross_entropy(networks["disc_b"](fake_b), 1.0)
        for c in (c_a, c_b):
            self.first_judged += cross_entropy([networks["disc_content"](c)], 0.5)

        self.second_rest = 10 * F.l1_loss(attribute(random_a[0], "a").mean, z[0])
        self.second_rest += 10 * F.l1_loss(attribute(random_b[0], "b").mean, z[0])
        if p.loss.mode_seeking:
            for fakes in (random_a, random_b):
                d = (fakes[1] - fakes[0]).abs().mean() / (z[1] - z[0]).abs().mean()
                self.second_rest += p.loss.mode_seeking / (d + 1e-5)
        self.second_judged = torch.zeros((), dtype=torch.float64)
        for k in range(len(z)):
            self.second_judged += cross_entropy(networks["disc_a2"](random_a[k]), 1.0)
            self.second_judged += cross_entropy(networks["disc_b2"](random_b[k]), 1.0)

    @staticmethod
    def reparameterised(heads: drit.Attribute) -> torch.Tensor:
        if heads.log_variance is None:
            return heads.mean
        return heads.mean + torch.exp(0.5 * heads.log_variance) * torch.randn_like(heads.mean)


def test_losses_are_those_of_the_plain_formulation(p: drit.Parameters) -> None:
    plain = Plain(networks_of(p), p, batches()[-1])
    terms = {name: float(term) for name, term in step(p, networks_of(p)).items()}
    judged = sum(terms[f"{name}_{d}"] for name in ("adversarial", "content") for d in "ab")
    random = terms["random_a"] + terms["random_b"]
    for found, expected in (
        (terms["discriminator"], plain.discriminator),
        (terms["generator"] - judged, plain.first_rest),
        (terms["generator_random"] - random, plain.second_rest),
    ):
        assert found == pytest.approx(float(expected.detach()), rel=FLOAT64_TOLERANCE)


def test_both_steps_go_down_the_gradients_at_the_weights_before_the_first(p: drit.Parameters) -> None:
    """With plain gradient descent the two steps are one of both gradients; discriminators stay still here."""
    networks, rate = networks_of(p), 1e-3
    optimizers = {
        name: SGD(
            [w for group in optimizer.param_groups for w in group["params"]],
            lr=0.0 if "discriminator" in name else rate,
        )
        for name, optimizer in drit.optimizers(networks, p).items()
    }
    before = networks_of(p)
    plain = Plain(before, p, batches()[-1])
    first, second = plain.first_rest + plain.first_judged, plain.second_rest + plain.second_judged
    torch.manual_seed(0)
    drit.update(networks, optimizers, batches(), p, 1.0)
    for name in ("content", "gen", "attribute"):
        weights = list(before[name].parameters())
        losses = first if name == "attribute" else first + second
        gradients = torch.autograd.grad(losses, weights, retain_graph=True)
        for weight, gradient, moved in zip(weights, gradients, networks[name].parameters(), strict=True):
            torch.testing.assert_close(moved.detach(), (weight - rate * gradient).detach())


def test_numbers_of_adam_steps(p: drit.Parameters) -> None:
    networks = networks_of(p, training=True)
    optimizers = drit.optimizers(networks, p)
    torch.manual_seed(0)
    drit.update(networks, optimizers, batches(), p, 1.0)
    taken = {
        name: {int(optimizer.state[w]["step"]) for w in optimizer.param_groups[0]["params"]}
        for name, optimizer in optimizers.items()
    }
    assert taken == {"generators": {2}, "attribute": {1}, "discriminators": {1}, "content_discriminator": {3}}
    assert {o.param_groups[0]["lr"] for n, o in optimizers.items() if n != "content_discriminator"} == {1e-4}
    assert optimizers["content_discriminator"].param_groups[0]["lr"] == 4e-5
    everything = sum(len(o.param_groups[0]["params"]) for o in optimizers.values())
    assert everything == sum(len(list(network.parameters())) for network in networks.values())
    assert all(w.requires_grad for network in networks.values() for w in network.parameters())


def test_content_discriminator_learns_from_each_batch_and_from_nothing_else(p: drit.Parameters) -> None:
    networks, alone = networks_of(p), networks_of(p)
    step(p, networks)
    optimizer = drit.optimizers(alone, p)["content_discriminator"]
    judge = alone["disc_content"]
    for real_a, real_b in batches():
        contents = [alone["content"](real_a[:1], "a").detach(), alone["content"](real_b[:1], "b").detach()]
        loss = cross_entropy([judge(contents[0])], 0.0) + cross_entropy([judge(contents[1])], 1.0)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(judge.parameters(), 5.0)
        optimizer.step()
    for ours, plain in zip(networks["disc_content"].parameters(), judge.parameters(), strict=True):
        torch.testing.assert_close(ours, plain)


def test_content_gradient_is_clipped(params: Params) -> None:
    p = make(params)
    networks = networks_of(p)
    judge = networks["disc_content"]
    with torch.no_grad():
        judge.body[-1].weight.mul_(1e4)
    before = [w.detach().clone() for w in judge.parameters()]
    optimizers = drit.optimizers(networks, p) | {"content_discriminator": SGD(judge.parameters(), lr=0.1)}
    contents = [torch.randn(1, 16, 4, 4, dtype=torch.float64) for _ in "ab"]
    drit._update_content_discriminator(networks, optimizers, contents, p)
    moved = [w.detach() - old for w, old in zip(judge.parameters(), before, strict=True)]
    assert float(torch.cat([m.flatten() for m in moved]).norm()) == pytest.approx(0.5, rel=1e-4)


def test_the_second_picture_of_a_pair_is_only_real_for_the_second_discriminators(p: drit.Parameters) -> None:
    changed = batches()
    for pictures in changed[-1]:
        pictures[1] *= -1
    before, after = step(p, networks_of(p)), step(p, networks_of(p), changed)
    differ = {name for name in before if not torch.equal(before[name], after[name])}
    assert differ == {"discriminator", "disc_a2", "disc_b2", "generator_random", "random_a", "random_b"}


def test_a_non_finite_loss_stops_before_the_pictures_discriminators_move(params: Params) -> None:
    p = make(params)
    networks = networks_of(p)
    with torch.no_grad():
        networks["gen"].own["a"].up[-1].weight.fill_(float("nan"))
    before = {k: v.clone() for k, v in networks["disc_b"].state_dict().items()}
    with pytest.raises(NonFiniteLoss, match="disc_a = nan"):
        step(p, networks)
    assert all(torch.equal(value, before[key]) for key, value in networks["disc_b"].state_dict().items())


def test_a_translation_is_a_function_of_picture_and_code(p: drit.Parameters) -> None:
    networks, picture = networks_of(p), batches()[0][0]
    fakes = [
        drit.translate(networks, picture, "b2a", torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)
    ]
    assert torch.equal(fakes[0], fakes[1])
    assert not torch.equal(fakes[0], fakes[2])
    code = torch.randn(2, CODE_SIZE, generator=torch.Generator().manual_seed(0)).double()
    torch.testing.assert_close(fakes[0], networks["gen"](networks["content"](picture, "b"), code, "a"))
    with pytest.raises(ValueError, match="needs `codes`"):
        drit.translate(networks, picture, "a2b")


@pytest.mark.parametrize(("dataset", "total"), [("horse2zebra", 65_039_315), ("cat2dog", 75_462_691)])
def test_whole_system_has_the_published_count(params: Params, dataset: str, total: int) -> None:
    run = resolve(params, dataset, "drit", 0)
    with torch.device("meta"):
        networks = drit.build(check(drit.Parameters, run.parameters, "drit"), 256, None)
    assert sum(w.numel() for network in networks.values() for w in network.parameters()) == total


COSTS = [
    # variant, mode seeking, published TFLOP; in forward passes of a generator: what a step needs, and what it
    # spends on gradients that are zero if all fakes of a domain are one batch
    ("concat", 0.0, 3.00, 24, 12),
    ("featurewise", 0.0, 3.91, 24, 12),
    ("concat", 1.0, 3.53, 32, 16),
    ("featurewise", 1.0, 4.67, 32, 16),
]


@pytest.mark.parametrize(("variant", "mode_seeking", "published", "needed", "in_vain"), COSTS)
def test_a_step_costs_what_its_layers_do(
    monkeypatch: pytest.MonkeyPatch,
    params: Params,
    variant: str,
    mode_seeking: float,
    published: float,
    needed: int,
    in_vain: int,
) -> None:
    """The published count less what is not computed here (D73).

    There both losses go back through all fakes of a domain, made as one batch; here the fakes of each loss are
    made apart. And the code's half of the feature-wise 1x1 convolutions is computed at every position.
    """
    px, changes = 256, {"network": {"variant": variant}, "loss": {"mode_seeking": mode_seeking}}
    full = check(drit.Parameters, merge(params.methods["drit"], changes), "test")
    found = step_flops(drit, full, px, drit.PAIR, monkeypatch)
    with torch.device("meta"):
        gen = drit.build(full, px, None)["gen"]
        content, code = torch.empty(1, 256, px // 4, px // 4), torch.empty(1, CODE_SIZE)
    with FlopCounterMode(display=False) as counter:
        gen(content, code, "a")
    mixings = sum(isinstance(module, Mixing) for module in gen.modules()) // 2  # of one domain
    broadcast = mixings * 2 * 256 * 512 * (px // 4) ** 2
    expected = published * 1e12 - in_vain * (counter.get_total_flops() + broadcast) - needed * broadcast
    assert found == pytest.approx(expected, rel=COST_TOLERANCE)


def test_recipes(params: Params) -> None:
    run = resolve(params, "selfie2anime", "drit", 0)
    training = run.training
    assert (training.batch_size, training.load_px, training.crop_px, training.image_px) == (2, 256, 216, 256)
    assert (training.steps, training.decay_start) == (500_000, 600 * 567)
    variants = {d: resolve(params, d, "drit", 0).parameters["network"]["variant"] for d in params.datasets}
    assert {dataset for dataset, variant in variants.items() if variant == "concat"} == {"horse2zebra"}
    assert run.parameters["loss"]["mode_seeking"] == 0
    assert resolve(params, "cat2dog", "drit-ms", 0).parameters["loss"]["mode_seeking"] == 1
    equal = resolve(params, "horse2zebra", "drit-equal", 0)
    ugatit = resolve(params, "horse2zebra", "ugatit", 0)
    assert equal.training == ugatit.training.model_copy(update={"batch_size": 2})
    assert equal.parameters == resolve(params, "horse2zebra", "drit", 0).parameters


def change(params: Params, **training: object) -> Params:
    return parse(merge(params.model_dump(exclude_unset=True), {"models": {"drit": {"training": training}}}))


@pytest.mark.parametrize("px", [208, 128])
def test_crops_below_212_are_refused(params: Params, px: int) -> None:
    resolve(change(params, crop_px=212), "cat2dog", "drit", 0)
    with pytest.raises(
        UserError, match=rf"crop_px: found {px}, expected a multiple of 4 from 212 on.*content_layers 3"
    ):
        resolve(change(params, crop_px=px), "cat2dog", "drit", 0)


def test_batches_other_than_pairs_are_refused(params: Params) -> None:
    with pytest.raises(UserError, match=r"batch_size: found 1, expected 2"):
        resolve(change(params, batch_size=1), "cat2dog", "drit", 0)


def test_fewer_content_layers_allow_64_px(params: Params) -> None:
    small = {"image_px": 64, "load_px": 72, "crop_px": None}
    with pytest.raises(UserError, match="image_px: found 64, expected a multiple of 4 from 212"):
        resolve(change(params, **small), "cat2dog", "drit", 0)
    overlay = {"methods": {"drit": {"network": {"content_layers": 1}}}}
    fewer = parse(merge(change(params, **small).model_dump(exclude_unset=True), overlay))
    assert resolve(fewer, "cat2dog", "drit", 0).training.seen_px == 64
