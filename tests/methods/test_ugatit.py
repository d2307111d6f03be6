"""One update of U-GAT-IT: losses, order, switches, and what defines each ablation."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from tests.cost import step_flops
from ugatit.errors import UserError
from ugatit.methods import Batch, ugatit
from ugatit.nn.discriminators import DiscriminatorOutput
from ugatit.nn.losses import NonFiniteLoss
from ugatit.params import load, merge
from ugatit.run import resolve
from ugatit.strict import check

PARAMS = load(Path(__file__).parents[2] / "params.yaml")
SMALL = {"base_channels": 4, "residual_blocks": 1, "global_layers": 4, "local_layers": 3}
PX = 16

FLOAT64_TOLERANCE = 1e-9
"""The same sums of float64 numbers in another order."""

FLOAT32_TOLERANCE = 1e-6
"""A float64 number and its float32."""

COST_TOLERANCE = 0.05
"""The operations are given to three digits."""

SAVED_TERA = 2 * 0.106
"""A forward pass of each generator: the authors' code translates again for the generators' update (D16)."""


def parameters(model: str = "ugatit", **changes: dict[str, object]) -> ugatit.Parameters:
    """A model of params.yaml, made small."""
    entry = PARAMS.models[model]
    values = merge(PARAMS.methods["ugatit"], PARAMS.presets.get(entry.preset or "", {}))
    values = merge(merge(values, entry.parameters), {"network": SMALL})
    if values["network"]["decoder_norm"] == "gn":
        values = merge(values, {"network": {"gn_groups": 2}})
    return check(ugatit.Parameters, merge(values, changes), "test")


def networks_of(p: ugatit.Parameters) -> dict[str, torch.nn.Module]:
    return {name: network.double() for name, network in ugatit.build(p, PX, 0).items()}


def batch(seed: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    a, b = (torch.rand(1, 3, PX, PX, generator=generator, dtype=torch.float64) * 2 - 1 for _ in "ab")
    return a, b


def step(p: ugatit.Parameters, networks: dict[str, torch.nn.Module] | None = None) -> dict[str, torch.Tensor]:
    networks = networks or networks_of(p)
    batches = [batch(k) for k in range(ugatit.traits(p).draws)]
    return ugatit.update(networks, ugatit.optimizers(networks, p), batches, p, 1.0)


def plain_losses(networks: dict[str, torch.nn.Module], reals: Batch) -> tuple[float, float]:
    """Both losses before any update, in the order of the authors' code: every forward by itself."""
    real_a, real_b = reals
    fake_b, fake_a = networks["gen_ab"](real_a), networks["gen_ba"](real_b)
    discriminator = torch.zeros((), dtype=torch.float64)
    for domain, real, fake in (("a", real_a, fake_a.picture), ("b", real_b, fake_b.picture)):
        for scale in ("global", "local"):
            judge = networks[f"disc_{domain}_{scale}"]
            on_real, on_fake = judge(real), judge(fake)
            for output, target in ((on_real, 1.0), (on_fake, 0.0)):
                discriminator += F.mse_loss(output.patches, torch.full_like(output.patches, target))
                discriminator += F.mse_loss(output.cam_logits, torch.full_like(output.cam_logits, target))
    rec_a, rec_b = networks["gen_ba"](fake_b.picture).picture, networks["gen_ab"](fake_a.picture).picture
    idt_a, idt_b = networks["gen_ba"](real_a), networks["gen_ab"](real_b)
    cycle = F.l1_loss(rec_a, real_a) + F.l1_loss(rec_b, real_b)
    identity = F.l1_loss(idt_a.picture, real_a) + F.l1_loss(idt_b.picture, real_b)
    cam = torch.zeros((), dtype=torch.float64)
    for positive, negative in ((fake_b.cam_logits, idt_b.cam_logits), (fake_a.cam_logits, idt_a.cam_logits)):
        cam += F.binary_cross_entropy_with_logits(positive, torch.ones_like(positive))
        cam += F.binary_cross_entropy_with_logits(negative, torch.zeros_like(negative))
    return float(discriminator.detach()), float((10 * cycle + 10 * identity + 1000 * cam).detach())


def test_losses_are_those_of_the_plain_formulation() -> None:
    p = parameters()
    expected_discriminator, expected_rest = plain_losses(networks_of(p), batch())
    terms = step(p)
    rest = terms["generator"] - terms["adversarial_a"] - terms["adversarial_b"]
    assert float(terms["discriminator"]) == pytest.approx(expected_discriminator, abs=FLOAT64_TOLERANCE)
    assert float(rest) == pytest.approx(expected_rest, rel=FLOAT64_TOLERANCE)


def test_adversarial_term_sees_the_updated_discriminators() -> None:
    p = parameters()
    before, after = networks_of(p), networks_of(p)
    fake = before["gen_ba"](batch()[1]).picture.detach()
    terms = step(p, after)
    for name in ("disc_a_global", "disc_a_local"):
        after[name].eval()
    updated = sum(_judge(after[name](fake)).item() for name in ("disc_a_global", "disc_a_local"))
    assert float(terms["adversarial_a"]) == pytest.approx(updated, rel=1e-6)


def _judge(output: DiscriminatorOutput) -> torch.Tensor:
    return ((output.patches - 1) ** 2).mean() + ((output.cam_logits - 1) ** 2).mean()


def test_chance_level_losses() -> None:
    """All discriminator outputs 0.5 give 4.0 and 2.0; zero logits give 4 ln 2, 2772.6 when weighted."""
    half = torch.full((1, 1, 3, 3), 0.5)
    output = DiscriminatorOutput(half, torch.full((1, 2), 0.5), half)
    per_network = ugatit._judge(output, 1.0) + ugatit._judge(output, 0.0)
    assert float(4 * per_network) == pytest.approx(4.0)
    assert float(4 * ugatit._judge(output, 1.0)) == pytest.approx(2.0)
    zero = torch.zeros(1, 2)
    cam = sum(
        map(float, ({**ugatit._cam_terms("ab", zero, zero), **ugatit._cam_terms("ba", zero, zero)}).values())
    )
    assert 1000 * cam == pytest.approx(2772.589, abs=1e-3)
    assert cam == pytest.approx(4 * math.log(2))


def test_each_update_leaves_the_other_networks_alone() -> None:
    p = parameters()
    networks = networks_of(p)
    optimizers = ugatit.optimizers(networks, p)
    for frozen, moving in (("gen_", "discriminators"), ("disc_", "generators")):
        owned = {id(w) for group in optimizers[moving].param_groups for w in group["params"]}
        kept = {id(w) for name, net in networks.items() if name.startswith(frozen) for w in net.parameters()}
        assert owned
        assert not owned & kept
    step(p, networks)
    assert all(w.requires_grad for net in networks.values() for w in net.parameters())
    # The discriminators' own gradients date from their update: the generators' update added nothing.
    fresh = networks_of(p)
    reals = batch()
    fakes = ugatit._fakes(fresh, reals)
    torch.stack(list(ugatit._discriminator_terms(fresh, reals, fakes).values())).sum().backward()
    for name in ("disc_a_global", "disc_b_local"):
        for ours, plain in zip(networks[name].parameters(), fresh[name].parameters(), strict=True):
            torch.testing.assert_close(ours.grad, plain.grad)


def test_fresh_generator_batch_draws_twice_and_uses_the_second() -> None:
    p = parameters(optimizer={"fresh_generator_batch": True})
    assert ugatit.traits(p).draws == 2
    networks = networks_of(p)
    expected = plain_losses(networks_of(p), batch(1))[1]
    terms = ugatit.update(networks, ugatit.optimizers(networks, p), [batch(0), batch(1)], p, 1.0)
    rest = terms["generator"] - terms["adversarial_a"] - terms["adversarial_b"]
    assert float(rest) == pytest.approx(expected, rel=FLOAT64_TOLERANCE)
    assert float(terms["discriminator"]) == pytest.approx(plain_losses(networks_of(p), batch(0))[0])


def test_rho_stays_in_its_range() -> None:
    p = parameters(optimizer={"lr": 0.5})
    networks = networks_of(p)
    optimizers = ugatit.optimizers(networks, p)
    for k in range(3):
        ugatit.update(networks, optimizers, [batch(k)], p, 1.0)
    rho = torch.cat([w.detach() for name, w in networks["gen_ab"].named_parameters() if name.endswith("rho")])
    assert rho.min() == 0
    assert rho.max() <= 1


@pytest.mark.parametrize("scope", ["kernels", "all"])
def test_weight_decay_reaches_what_its_scope_says(scope: str) -> None:
    p = parameters(optimizer={"decay_scope": scope})
    networks = networks_of(p)
    generators = ugatit.optimizers(networks, p)["generators"]
    decayed = {id(w) for g in generators.param_groups if g["weight_decay"] for w in g["params"]}
    names = {name for name, w in networks["gen_ab"].named_parameters() if id(w) in decayed}
    assert "residual.0.conv1.conv.weight" in names
    assert "gamma.weight" in names
    assert ("residual.0.norm1.rho" in names) == (scope == "all")
    assert ("up.0.norm.gamma" in names) == (scope == "all")
    everything = sum(
        len(g["params"]) for o in ugatit.optimizers(networks, p).values() for g in o.param_groups
    )
    assert everything == sum(len(list(net.parameters())) for net in networks.values())


def test_weight_decay_of_the_tensorflow_code() -> None:
    """28 kernels a generator; the untied attention's weight is none of them."""
    run = resolve(PARAMS, "cat2dog", "ugatit-tf", 0)
    p = check(ugatit.Parameters, run.parameters, "test")
    with torch.device("meta"):
        networks = ugatit.build(p, 256, None)
    generators = ugatit.optimizers(networks, p)["generators"]
    decayed = [w for g in generators.param_groups if g["weight_decay"] for w in g["params"]]
    assert len(decayed) == 2 * 28


def test_a_non_finite_loss_stops_before_anything_moves() -> None:
    p = parameters()
    networks = networks_of(p)
    optimizers = ugatit.optimizers(networks, p)
    with torch.no_grad():
        networks["gen_ab"].cam.average.weight.fill_(float("nan"))
    before = {k: v.clone() for k, v in networks["gen_ba"].state_dict().items()}
    with pytest.raises(NonFiniteLoss, match="disc_b_global = nan"):
        ugatit.update(networks, optimizers, [batch()], p, 1.0)
    for key, value in networks["gen_ba"].state_dict().items():
        assert torch.equal(value, before[key])


MODELS = [name for name, model in PARAMS.models.items() if model.method == "ugatit"]


@pytest.mark.parametrize("model", MODELS)
def test_every_model_updates_and_translates(model: str) -> None:
    p = parameters(model)
    networks = networks_of(p)
    terms = step(p, networks)
    assert all(torch.isfinite(term) for term in terms.values())
    fake = ugatit.translate(networks, batch()[0], "a2b")
    assert fake.shape == (1, 3, PX, PX)
    for name, network in networks.items():
        unused = [key for key, w in network.named_parameters() if w.grad is None]
        assert not unused, f"{name}: {unused} take no part in the loss"


def names_of(model: str) -> set[str]:
    return {key for key, _ in networks_of(parameters(model))["gen_ab"].named_parameters()}


@pytest.mark.parametrize("model", ["ugatit-in", "ugatit-ln", "ugatit-gn"])
def test_static_ablations_have_neither_rho_nor_mlp(model: str) -> None:
    names = names_of(model)
    assert not [n for n in names if n.endswith("rho") or n.startswith(("mlp.", "gamma.", "beta."))]
    assert "residual.0.norm1.gamma" in names


def test_adain_takes_gamma_and_beta_from_the_attention_features() -> None:
    names = names_of("ugatit-adain")
    assert not [n for n in names if n.endswith("rho")]
    assert "gamma.weight" in names
    assert "residual.0.norm1.gamma" not in names
    assert "up.0.norm.gamma" in names


@pytest.mark.parametrize(
    ("model", "in_generator", "in_discriminator"),
    [("ugatit", True, True), ("ugatit-no-cam", False, False), ("ugatit-no-g-cam", False, True),
     ("ugatit-no-d-cam", True, False)],
)  # fmt: skip
def test_cam_ablations_have_no_classifier_and_no_term(
    model: str, in_generator: bool, in_discriminator: bool
) -> None:
    p = parameters(model)
    networks = networks_of(p)
    terms = step(p, networks)
    assert any("cam." in n for n, _ in networks["gen_ab"].named_parameters()) == in_generator
    assert any("cam." in n for n, _ in networks["disc_a_local"].named_parameters()) == in_discriminator
    assert ({"cam_ab", "cam_ba"} <= terms.keys()) == in_generator
    output = networks["disc_a_local"](batch()[0])
    assert (output.cam_logits is not None) == in_discriminator


def test_groups_belong_to_group_normalisation() -> None:
    with pytest.raises(UserError, match="gn_groups belongs to decoder_norm gn"):
        parameters("ugatit", network={"gn_groups": 2})
    with pytest.raises(UserError, match="cannot be cut into 3 groups"):
        parameters("ugatit-gn", network={"gn_groups": 3})


@pytest.mark.parametrize("model", MODELS)
def test_models_resolve_at_their_real_size(model: str) -> None:
    run = resolve(PARAMS, "selfie2anime", model, 0)
    assert run.training.image_px == 256
    assert run.parameters["network"]["base_channels"] == 64


def test_classify_is_the_logit_of_the_network_of_the_map() -> None:
    p = parameters()
    networks = networks_of(p)
    pictures = torch.cat(batch())
    for name, network in (("generator", "gen_ab"), ("local", "disc_b_local"), ("global", "disc_b_global")):
        expected = networks[network].eval()(pictures).cam_logits.mean(dim=1)
        found = ugatit.classify(networks, pictures, name, "a2b")
        assert found.tolist() == pytest.approx(expected.tolist(), rel=FLOAT32_TOLERANCE)


@pytest.mark.parametrize(
    ("model", "maps"),
    [
        ("ugatit", ("generator", "local", "global")),
        ("ugatit-no-g-cam", ("local", "global")),
        ("ugatit-no-d-cam", ("generator",)),
        ("ugatit-no-cam", ()),
    ],
)
def test_maps_are_those_of_networks_with_a_classifier(model: str, maps: tuple[str, ...]) -> None:
    p = parameters(model)
    found = ugatit.attend(networks_of(p), batch()[0], "a2b")
    assert tuple(found) == ugatit.traits(p).attention == ugatit.traits(p).classified == maps


def test_the_log_sees_the_mean_rho_of_every_decoder_layer() -> None:
    networks = networks_of(parameters())
    watched = ugatit.watch(networks)
    layers = ("residual.0.norm1", "residual.0.norm2", "up.0.norm", "up.1.norm")
    assert list(watched) == [
        f"rho.{generator}.{layer}" for generator in ("gen_ab", "gen_ba") for layer in layers
    ]
    assert watched["rho.gen_ab.residual.0.norm1"] == pytest.approx(0.9)
    assert watched["rho.gen_ba.up.1.norm"] == 0.0
    assert ugatit.traits(parameters()).watched
    assert not ugatit.traits(parameters("ugatit-gn")).watched


@pytest.mark.parametrize(("model", "published_tera"), [("ugatit", 2.36), ("ugatit-light", 2.35)])
def test_cost_of_a_step_at_256_px(monkeypatch: pytest.MonkeyPatch, model: str, published_tera: float) -> None:
    full = check(ugatit.Parameters, resolve(PARAMS, "cat2dog", model, 0).parameters, "test")
    flops = step_flops(ugatit, full, 256, 1, monkeypatch)
    assert flops == pytest.approx((published_tera - SAVED_TERA) * 1e12, rel=COST_TOLERANCE)
