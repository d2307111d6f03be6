"""One update of MUNIT: losses, styles, order, cost, and translation with codes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from tests.conftest import SMALL_AUTOENCODER, MakeRun
from tests.cost import step_flops
from ugatit.errors import UserError
from ugatit.evaluation.translate import translate
from ugatit.manifest import Manifest, read_manifest
from ugatit.methods import Batch, munit
from ugatit.nn.losses import NonFiniteLoss
from ugatit.params import Params, merge, parse
from ugatit.run import resolve
from ugatit.strict import check
from ugatit.weights import save_weights

PX = 16
STYLE_SIZE = 8

FLOAT64_TOLERANCE = 1e-9
"""The same sums of float64 numbers in another order."""

COST_TOLERANCE = 0.1
"""How far from the published layers' count ours may be."""

Nets = dict[str, torch.nn.Module]


@pytest.fixture(params=[0.0, 10.0], ids=["no-cycle", "cycle"])
def p(request: pytest.FixtureRequest, params: Params) -> munit.Parameters:
    changes = {"network": SMALL_AUTOENCODER, "loss": {"cycle": request.param}}
    return check(munit.Parameters, merge(params.methods["munit"], changes), "test")


def networks_of(p: munit.Parameters) -> Nets:
    return {name: network.double().train() for name, network in munit.build(p, PX, 0).items()}


def batch(seed: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    a, b = (torch.rand(1, 3, PX, PX, generator=generator, dtype=torch.float64) * 2 - 1 for _ in "ab")
    return a, b


def step(p: munit.Parameters, networks: Nets, seed: int = 0) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    return munit.update(networks, munit.optimizers(networks, p), [batch()], p, 1.0)


def styles(seed: int = 0) -> list[torch.Tensor]:
    """The styles of an update: of a and b for the discriminators, then of a and b for the generators."""
    torch.manual_seed(seed)
    return [torch.randn(1, STYLE_SIZE, dtype=torch.float64) for _ in range(4)]


def squares(scales: list[torch.Tensor], target: float) -> torch.Tensor:
    return torch.stack([F.mse_loss(scores, torch.full_like(scores, target)) for scores in scales]).sum()


def plain_losses(networks: Nets, reals: Batch, cycle: float) -> tuple[float, float]:
    """The discriminators' loss and the generators' but for its adversarial part, every forward by itself."""
    a, b = reals
    names = ("content_a", "content_b", "style_a", "style_b", "gen_a", "gen_b")
    content_a, content_b, style_a, style_b, gen_a, gen_b = (networks[name] for name in names)
    first_a, first_b, s_a, s_b = styles()
    fake_a, fake_b = gen_a(content_b(b), first_a), gen_b(content_a(a), first_b)
    discriminator = squares(networks["disc_a"](a), 1.0) + squares(networks["disc_a"](fake_a), 0.0)
    discriminator += squares(networks["disc_b"](b), 1.0) + squares(networks["disc_b"](fake_b), 0.0)

    ba, ab = gen_a(content_b(b), s_a), gen_b(content_a(a), s_b)
    generator = 10 * F.l1_loss(gen_a(content_a(a), style_a(a)), a)
    generator += 10 * F.l1_loss(gen_b(content_b(b), style_b(b)), b)
    generator += F.l1_loss(style_a(ba), s_a) + F.l1_loss(style_b(ab), s_b)
    generator += F.l1_loss(content_a(ba), content_b(b)) + F.l1_loss(content_b(ab), content_a(a))
    generator += cycle * F.l1_loss(gen_a(content_b(ab), style_a(a)), a)
    generator += cycle * F.l1_loss(gen_b(content_a(ba), style_b(b)), b)
    return float(discriminator.detach()), float(generator.detach())


def test_losses_are_those_of_the_plain_formulation(p: munit.Parameters) -> None:
    discriminator, rest = plain_losses(networks_of(p), batch(), p.loss.cycle)
    terms = step(p, networks_of(p))
    found = terms["generator"] - terms["adversarial_a"] - terms["adversarial_b"]
    assert float(terms["discriminator"]) == pytest.approx(discriminator, rel=FLOAT64_TOLERANCE)
    assert float(found) == pytest.approx(rest, rel=FLOAT64_TOLERANCE)
    assert ("cycle_a" in terms) == bool(p.loss.cycle)


def test_adversarial_term_has_new_styles_and_the_updated_discriminators(p: munit.Parameters) -> None:
    before, after = networks_of(p), networks_of(p)
    terms = step(p, after)
    fake = before["gen_b"](before["content_a"](batch()[0]), styles()[3]).detach()
    expected = float(squares(after["disc_b"](fake), 1.0).detach())
    assert float(terms["adversarial_b"]) == pytest.approx(expected, rel=FLOAT64_TOLERANCE)


def test_every_weight_learns_and_discriminators_only_from_their_own_loss(p: munit.Parameters) -> None:
    networks = networks_of(p)
    optimizers = munit.optimizers(networks, p)
    owned = {name: {id(w) for w in opt.param_groups[0]["params"]} for name, opt in optimizers.items()}
    judges = {id(w) for name in ("disc_a", "disc_b") for w in networks[name].parameters()}
    everything = {id(w) for network in networks.values() for w in network.parameters()}
    assert owned == {"discriminators": judges, "generators": everything - judges}
    step(p, networks)
    assert all(w.grad is not None for network in networks.values() for w in network.parameters())
    fresh = networks_of(p)
    fake_a = fresh["gen_a"](fresh["content_b"](batch()[1]), styles()[0]).detach()
    (squares(fresh["disc_a"](fake_a), 0.0) + squares(fresh["disc_a"](batch()[0]), 1.0)).backward()
    for ours, plain in zip(networks["disc_a"].parameters(), fresh["disc_a"].parameters(), strict=True):
        torch.testing.assert_close(ours.grad, plain.grad)


def test_a_non_finite_loss_stops_before_anything_moves(p: munit.Parameters) -> None:
    networks = networks_of(p)
    with torch.no_grad():
        networks["gen_b"].mlp[0].weight.fill_(float("nan"))
    before = {k: v.clone() for k, v in networks["disc_a"].state_dict().items()}
    with pytest.raises(NonFiniteLoss, match="disc_b = nan"):
        step(p, networks)
    assert all(torch.equal(value, before[key]) for key, value in networks["disc_a"].state_dict().items())


def test_a_translation_is_a_function_of_picture_and_code(p: munit.Parameters) -> None:
    networks, picture = networks_of(p), batch()[0]
    fakes = [
        munit.translate(networks, picture, "a2b", torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)
    ]
    assert torch.equal(fakes[0], fakes[1])
    assert not torch.equal(fakes[0], fakes[2])
    style = torch.randn(1, STYLE_SIZE, generator=torch.Generator().manual_seed(0)).double()
    expected = networks["gen_b"](networks["content_a"](picture), style)
    torch.testing.assert_close(fakes[0], expected)
    with pytest.raises(ValueError, match="needs `codes`"):
        munit.translate(networks, picture, "a2b")


def test_several_translations_of_each_picture(dataset: Manifest, make_run: MakeRun, tmp_path: Path) -> None:
    path, run = make_run("run", "munit")
    parameters = check(munit.Parameters, run.parameters, "test")
    save_weights(path.with_name("weights.json"), run, munit.build(parameters, PX, 0), 1, None)

    def pictures(name: str, codes: int | None) -> list[dict[str, bytes]]:
        manifests = translate(
            path.with_name("weights.json"), dataset.path, "testA", "a2b", tmp_path / name, "cpu", 1, codes
        )
        assert [{row.code for row in read_manifest(file).rows} for file in manifests] == [
            {str(code)} for code in range(codes or 1)
        ]
        return [{f.name: f.read_bytes() for f in file.parent.glob("*.png")} for file in manifests]

    (one,), several = pictures("one", None), pictures("several", 3)
    assert len(one) == 3
    assert several[0] == one
    for name, content in one.items():
        assert len({content, several[1][name], several[2][name]}) == 3, f"{name}: codes change nothing"
    assert several == pictures("again", 3)


def test_whole_system_has_the_published_count(params: Params) -> None:
    run = resolve(params, "selfie2anime", "munit", 0)
    with torch.device("meta"):
        networks = munit.build(check(munit.Parameters, run.parameters, "munit"), 256, None)
    counts = {name: sum(w.numel() for w in network.parameters()) for name, network in networks.items()}
    assert counts["content_a"] + counts["style_a"] + counts["gen_a"] == 15_026_187
    assert sum(counts.values()) == 46_594_716


@pytest.mark.parametrize(("cycle", "tera"), [(0.0, 2.24), (10.0, 2.80)])
def test_a_step_costs_what_its_layers_do(
    monkeypatch: pytest.MonkeyPatch, params: Params, cycle: float, tera: float
) -> None:
    full = check(munit.Parameters, merge(params.methods["munit"], {"loss": {"cycle": cycle}}), "test")
    assert step_flops(munit, full, 256, 1, monkeypatch) == pytest.approx(tera * 1e12, rel=COST_TOLERANCE)


def test_recipes(params: Params) -> None:
    weights = {d: resolve(params, d, "munit", 0).parameters["loss"]["cycle"] for d in params.datasets}
    aligned = {dataset for dataset, weight in weights.items() if weight == 10}
    assert aligned == {"horse2zebra", "photo2vangogh"}
    assert all(weights[dataset] == 0 for dataset in weights.keys() - aligned)
    training = resolve(params, "cat2dog", "munit", 0).training
    assert (training.load_px, training.decay, training.decay_start) == (256, "halve", 100_000)
    equal = resolve(params, "horse2zebra", "munit-equal", 0)
    assert equal.training == resolve(params, "horse2zebra", "ugatit", 0).training
    assert equal.parameters == resolve(params, "horse2zebra", "munit", 0).parameters


def test_the_style_encoder_needs_sixteen_pixels(params: Params) -> None:
    small = {
        "training": {"image_px": 12},
        "methods": {"munit": {"network": {"discriminator_layers": 1, "discriminator_scales": 1}}},
    }
    config = parse(merge(params.model_dump(exclude_unset=True), small))
    with pytest.raises(UserError, match="found 12, expected a multiple of 4 from 16 on"):
        resolve(config, "cat2dog", "munit-equal", 0)
