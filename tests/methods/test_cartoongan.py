"""One update of CartoonGAN: both phases, losses, edges, content, one direction, and what it costs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from tests.cost import step_flops
from ugatit.data import UnpairedData
from ugatit.edges import smooth_edges
from ugatit.errors import UserError
from ugatit.images import to_uint8
from ugatit.manifest import Manifest
from ugatit.methods import Batch, cartoongan
from ugatit.nn.vgg import VGG19
from ugatit.params import Params, merge
from ugatit.run import method_parameters, resolve
from ugatit.strict import check

PX = 16
INITIAL, MAIN = 0.5, 0.51
"""Progress at the last step of the initial phase, and after it."""

FLOAT64_TOLERANCE = 1e-9
"""The same sums of float64 numbers in another order."""

COST_TOLERANCE = 0.1
"""The count leaves out what is no convolution."""

Networks = dict[str, torch.nn.Module]


@pytest.fixture(scope="module")
def tiny(tiny_params: Params) -> cartoongan.Parameters:
    return check(cartoongan.Parameters, tiny_params.methods["cartoongan"], "test")


@pytest.fixture(scope="module")
def vgg(tiny: cartoongan.Parameters) -> torch.nn.Module:
    return cartoongan.given(tiny)["vgg"].double()


def changed(p: cartoongan.Parameters, **changes: object) -> cartoongan.Parameters:
    return check(cartoongan.Parameters, merge(p.model_dump(), changes), "test")


def networks_of(p: cartoongan.Parameters, vgg: torch.nn.Module | None = None) -> Networks:
    networks = {name: network.double() for name, network in cartoongan.build(p, PX, 0).items()}
    return networks | ({"vgg": vgg} if vgg else {})


def batch(seed: int = 0, size: int = 2) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    return tuple(
        torch.rand(size, 3, PX, PX, generator=generator, dtype=torch.float64) * 2 - 1 for _ in range(3)
    )


def step(
    p: cartoongan.Parameters, networks: Networks, progress: float, seed: int = 0
) -> dict[str, torch.Tensor]:
    learning = {name: net for name, net in networks.items() if name != "vgg"}
    return cartoongan.update(networks, cartoongan.optimizers(learning, p), [batch(seed)], p, progress)


def plain_judge(adversarial: str, patches: torch.Tensor, target: float) -> torch.Tensor:
    wanted = torch.full_like(patches, target)
    if adversarial == "bce":
        return F.binary_cross_entropy(torch.sigmoid(patches), wanted)
    return F.mse_loss(patches, wanted)


@pytest.mark.parametrize("adversarial", ["lsgan", "bce"])
def test_losses_of_the_main_phase_are_those_of_the_plain_formulation(
    tiny: cartoongan.Parameters, vgg: torch.nn.Module, adversarial: str
) -> None:
    p = changed(tiny, adversarial=adversarial)
    plain, ours = networks_of(p, vgg), networks_of(p, vgg)
    photos, cartoons, smoothed = batch()
    translated = plain["gen_ab"](photos)
    disc = plain["disc_b"]
    expected = (
        plain_judge(adversarial, disc(cartoons), 1.0)
        + plain_judge(adversarial, disc(smoothed), 0.0)
        + plain_judge(adversarial, disc(translated.detach()), 0.0)
    )
    expected.backward()
    terms = step(p, ours, MAIN)
    assert float(terms["discriminator"]) == pytest.approx(float(expected.detach()), rel=FLOAT64_TOLERANCE)
    for mine, theirs in zip(ours["disc_b"].parameters(), disc.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-7, atol=1e-12)

    # The generator's update sees the updated discriminator.
    content = F.l1_loss(vgg(translated), vgg(photos))
    loss = plain_judge(adversarial, ours["disc_b"](translated), 1.0) + p.content.weight * content
    assert float(terms["generator"]) == pytest.approx(float(loss.detach()), rel=FLOAT64_TOLERANCE)
    gradients = torch.autograd.grad(loss, list(plain["gen_ab"].parameters()))
    for mine, theirs in zip(ours["gen_ab"].parameters(), gradients, strict=True):
        torch.testing.assert_close(mine.grad, theirs, rtol=1e-7, atol=1e-12)


def test_initial_phase_moves_the_generator_by_content_alone(
    tiny: cartoongan.Parameters, vgg: torch.nn.Module
) -> None:
    networks, plain = networks_of(tiny, vgg), networks_of(tiny, vgg)
    before = {k: v.clone() for k, v in networks["disc_b"].state_dict().items()}
    weights = [w.detach().clone() for w in networks["gen_ab"].parameters()]
    called = []
    networks["disc_b"].register_forward_pre_hook(lambda *_: called.append(1))
    terms = step(tiny, networks, INITIAL / 2)
    assert not called
    assert all(torch.equal(v, before[k]) for k, v in networks["disc_b"].state_dict().items())
    assert not len(networks["pool_b"].stored)
    assert terms.keys() == {"generator", "content"}
    photos = batch()[0]
    expected = F.l1_loss(vgg(plain["gen_ab"](photos)), vgg(photos)).detach()
    assert float(terms["content"]) == pytest.approx(float(expected), rel=FLOAT64_TOLERANCE)
    assert float(terms["generator"]) == pytest.approx(tiny.content.weight * float(expected))
    assert any(not torch.equal(w, v) for w, v in zip(networks["gen_ab"].parameters(), weights, strict=True))


def test_rate_of_the_initial_phase() -> None:
    phase = cartoongan.InitialPhase(share=0.2, lr=1.0, full_rate=0.5)
    rates = [cartoongan.initial_rate(phase, progress) for progress in (0.01, 0.1, 0.15, 0.2)]
    assert rates == pytest.approx([1, 1, 0.5, 0])
    constant = cartoongan.InitialPhase(share=0.2, lr=1.0, full_rate=1.0)
    assert cartoongan.initial_rate(constant, 0.2) == 1


def test_phases_have_rates_of_their_own(tiny: cartoongan.Parameters, vgg: torch.nn.Module) -> None:
    networks = networks_of(tiny)
    optimizers = cartoongan.optimizers(networks, tiny)
    assert {name: o.param_groups[0]["lr"] for name, o in optimizers.items()} == {
        "initial": 2e-4, "generator": 1e-5, "discriminator": 1e-5
    }  # fmt: skip
    cartoongan.update(networks | {"vgg": vgg}, optimizers, [batch()], tiny, 0.375)
    assert optimizers["initial"].param_groups[0]["lr"] == pytest.approx(1e-4)
    assert not optimizers["generator"].state


def test_pool_keeps_whole_batches(tiny: cartoongan.Parameters, vgg: torch.nn.Module) -> None:
    networks = networks_of(tiny, vgg)
    photos = batch()[0]
    translated = networks["gen_ab"](photos).detach()
    step(tiny, networks, MAIN)
    assert networks["pool_b"].stored.shape == (1, 2, 3, PX, PX)
    torch.testing.assert_close(networks["pool_b"].stored[0], translated)


def test_every_weight_takes_part(tiny: cartoongan.Parameters, vgg: torch.nn.Module) -> None:
    networks = networks_of(tiny, vgg)
    step(tiny, networks, MAIN)
    for name in ("gen_ab", "disc_b"):
        assert not [key for key, w in networks[name].named_parameters() if w.grad is None], name
    assert not any(w.requires_grad for w in vgg.parameters())


def test_pixels_may_stand_for_features_and_need_no_file(tiny: cartoongan.Parameters) -> None:
    p = changed(tiny, content={"features": "pixel", "vgg": None})
    assert cartoongan.traits(p).files == ()
    assert cartoongan.given(p) == {}
    networks = networks_of(p)
    photos = batch()[0]
    expected = F.l1_loss(networks["gen_ab"](photos), photos).detach()
    assert float(step(p, networks, MAIN)["content"]) == pytest.approx(float(expected), rel=FLOAT64_TOLERANCE)


def test_features_and_weights_belong_together(tiny: cartoongan.Parameters) -> None:
    with pytest.raises(UserError, match="vgg belongs to features vgg19: set it there, and null elsewhere"):
        changed(tiny, content={"features": "pixel"})
    with pytest.raises(UserError, match="vgg belongs to features vgg19"):
        changed(tiny, content={"vgg": None})


def test_missing_weights_are_asked_for_and_never_made_up(params: Params) -> None:
    p = check(cartoongan.Parameters, params.methods["cartoongan"], "test")
    assert cartoongan.traits(p).files == ("assets/vgg19-dcbb9e9d.pth",)
    assert [a.file for a in params.assets.values() if a.file in cartoongan.traits(p).files]
    missing = changed(p, content={"vgg": {"weights": "nowhere/vgg19.pth"}})
    with pytest.raises(
        UserError, match=r"nowhere/vgg19\.pth: no such file.*dcbb9e9d.*`data-prep fetch vgg19`"
    ):
        cartoongan.given(missing)


@pytest.mark.parametrize(
    ("direction", "generator", "streams"),
    [("a2b", "gen_ab", ("a", "b", "edges_b")), ("b2a", "gen_ba", ("b", "a", "edges_a"))],
)
def test_one_direction_is_trained_and_offered(
    tiny: cartoongan.Parameters,
    vgg: torch.nn.Module,
    direction: str,
    generator: str,
    streams: tuple[str, ...],
) -> None:
    p = changed(tiny, direction=direction)
    traits = cartoongan.traits(p)
    assert traits.directions == (direction,)
    assert traits.streams == streams
    networks = networks_of(p, vgg)
    assert list(networks) == [generator, f"disc_{direction[-1]}", f"pool_{direction[-1]}", "vgg"]
    step(p, networks, MAIN)
    photos = batch()[0]
    fake = cartoongan.translate(networks, photos, direction)  # type: ignore[arg-type]
    assert torch.equal(fake, networks[generator](photos))


def test_edges_come_from_the_cartoons_and_are_drawn_by_themselves(
    dataset: Manifest, tiny_params: Params, tiny: cartoongan.Parameters
) -> None:
    run = resolve(tiny_params, "cat2dog", "cartoongan-equal", 0)
    training = run.training.model_copy(update={"load_px": PX, "flip": 0.0})
    data = UnpairedData(dataset, training, 0, cartoongan.traits(tiny).streams)
    smooth = {smooth_edges(rgb).tobytes() for k in range(40) for rgb in to_uint8(data.batch(k)[1])}
    sharp = {rgb.tobytes() for k in range(40) for rgb in to_uint8(data.batch(k)[1])}
    pairs = []
    for k in range(40):
        _, cartoons, smoothed = (to_uint8(pictures)[0] for pictures in data.batch(k))
        assert smoothed.tobytes() in smooth - sharp
        pairs.append(np.array_equal(smooth_edges(cartoons), smoothed))
    assert 0 < sum(pairs) < 40, "the same picture only now and then"


def test_recipes(params: Params) -> None:
    authors = resolve(params, "selfie2anime", "cartoongan", 0)
    in_epoch = 3400 // 8
    assert authors.training.batch_size == 8
    assert (authors.training.steps, authors.training.decay_start) == (220 * in_epoch, 120 * in_epoch)
    initial = authors.parameters["initial"]["share"] * authors.training.steps
    assert 20 * in_epoch <= initial < 20 * in_epoch + 1
    assert (authors.training.load_px, authors.training.seen_px) == (256, 256)
    team = resolve(params, "selfie2anime", "cartoongan-team", 0)
    assert team.parameters["adversarial"] == "bce"
    assert team.parameters["optimizer"]["lr"] == 1e-4
    assert team.parameters["initial"]["share"] * team.training.steps == 10_000
    assert (team.training.batch_size, team.training.decay_start) == (1, team.training.steps)
    assert authors.parameters["content"]["vgg"]["input"] == "imagenet"
    assert team.parameters["content"]["vgg"] == {
        "weights": "assets/vgg19-dcbb9e9d.pth", "sha256": "dcbb9e9d", "input": "unit01", "px": None
    }  # fmt: skip


SAVED_TERA = 8 * 0.109
"""A forward pass of the generator: the plain formulation translates once more for the discriminator's update (D73)."""


@pytest.mark.parametrize(("progress", "tera"), [(0.05, 3.45), (1.0, 5.34 - SAVED_TERA)])
def test_cost_of_a_step_of_eight_at_256_px(
    params: Params, monkeypatch: pytest.MonkeyPatch, progress: float, tera: float
) -> None:
    p = method_parameters(params, "selfie2anime", "cartoongan")
    flops = step_flops(
        cartoongan, p, 256, 8, monkeypatch, progress, lambda: {"vgg": VGG19("imagenet", p.content.vgg.px)}
    )
    assert flops == pytest.approx(tera * 1e12, rel=COST_TOLERANCE)
