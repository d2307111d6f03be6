"""CycleGAN (Zhu et al. 2017): networks, one update, translation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.optim import Adam

from ugatit.methods import Batch, Direction, Networks, Optimizers, Traits
from ugatit.models import Training
from ugatit.nn.discriminators import smallest_px
from ugatit.nn.initialization import initialize
from ugatit.nn.losses import absolute_difference, least_squares, require_finite
from ugatit.nn.optimization import AdamParameters, descend, frozen
from ugatit.nn.patch_discriminator import PatchDiscriminator, doubling_layers
from ugatit.nn.pool import ImagePool
from ugatit.nn.resnet_generator import ResidualGenerator
from ugatit.nn.sizes import SMALLEST_PX, require_sides
from ugatit.strict import Strict

NUMERICS = 1
"""Version of the arithmetic below and in `ugatit.nn`; raised with it, it makes every run anew."""

GENERATORS: dict[Direction, str] = {"a2b": "gen_ab", "b2a": "gen_ba"}

SLOWER = 0.5
"""The discriminators' loss is halved, so that they learn more slowly than the generators."""


class NetworkParameters(Strict):
    """Networks."""

    base_channels: int = Field(
        gt=0, description="Width of the generators' first layer; the blocks have four times as many."
    )
    residual_blocks: int = Field(gt=0)
    discriminator_channels: int = Field(gt=0, description="Width of the discriminators' first layer.")
    discriminator_layers: int = Field(ge=3, description="Convolutions; 5 sees patches of 70 pixels.")


class LossParameters(Strict):
    """Weights of the loss terms; the adversarial ones have 1."""

    cycle: float = Field(ge=0)
    identity: float = Field(ge=0, description="As a share of `cycle`; 0 leaves the term out.")


class Parameters(Strict):
    """Everything that distinguishes one CycleGAN from another."""

    network: NetworkParameters
    loss: LossParameters
    optimizer: AdamParameters
    pool_size: int = Field(ge=0, description="Translations per domain that wait for the discriminator.")


def traits(parameters: Parameters) -> Traits:
    """One batch for both updates, both directions."""
    return Traits()


def check_training(parameters: Parameters, training: Training) -> None:
    """Refuse picture sizes that the networks do not allow.

    Raises: UserError naming the smallest that works.
    """
    smallest = max(smallest_px(parameters.network.discriminator_layers), SMALLEST_PX)
    require_sides(training.image_px, training.crop_px, smallest, ", or fewer discriminator_layers")


def build(parameters: Parameters, image_px: int, seed: int | None) -> dict[str, nn.Module]:
    """Build two generators, two discriminators and the pools; without a seed weights are left unset."""
    p = parameters.network
    layers = doubling_layers(p.discriminator_channels, p.discriminator_layers, first_norm=False)
    networks: dict[str, nn.Module] = {
        name: ResidualGenerator(
            p.base_channels, p.residual_blocks, padding="reflect", bias=True, affine=False
        )
        for name in GENERATORS.values()
    }
    for domain in ("a", "b"):
        networks[f"disc_{domain}"] = PatchDiscriminator(layers, kernel=4, padding=1, bias=True, affine=False)
    if seed is not None:
        for index, network in enumerate(networks.values()):
            initialize(network, "normal", seed * len(networks) + index)
    return networks | {f"pool_{domain}": ImagePool(parameters.pool_size) for domain in ("a", "b")}


def optimizers(networks: Networks, parameters: Parameters) -> dict[str, Adam]:
    """One Adam for both generators, one for both discriminators."""
    p = parameters.optimizer
    return {
        "generators": p.over([networks["gen_ab"], networks["gen_ba"]]),
        "discriminators": p.over([networks["disc_a"], networks["disc_b"]]),
    }


def update(
    networks: Networks,
    optimizers: Optimizers,
    batches: Sequence[Batch],
    parameters: Parameters,
    progress: float,
) -> dict[str, Tensor]:
    """One generator and one discriminator update, in this order; every step is alike.

    The discriminators are frozen for the generators, and see the same fakes afterwards, or older ones from
    the pools. Pictures for one network go through it together: no layer mixes them.

    Shape: one batch of real_a, real_b (N, 3, H, W).
    Returns: the totals `generator` and `discriminator`, and the unweighted terms they are made of, scalars.
    Raises: NonFiniteLoss before the optimiser step that it would spoil.
    Source: Zhu et al. 2017, equations 1 to 3 and section 4; identity term: section 5.2.
    """
    real_a, real_b = batches[0]
    with frozen([networks["disc_a"], networks["disc_b"]]):
        fake_a, fake_b, terms = _generator_terms(networks, real_a, real_b, parameters.loss.identity > 0)
        loss = _total(terms, parameters.loss)
        terms = {"generator": loss, **terms}
        require_finite(terms)
        descend(optimizers["generators"], loss)

    judged = {
        "disc_a": _teach(networks["disc_a"], real_a, networks["pool_a"](fake_a)),
        "disc_b": _teach(networks["disc_b"], real_b, networks["pool_b"](fake_b)),
    }
    loss = SLOWER * (judged["disc_a"] + judged["disc_b"])
    judged = {"discriminator": loss, **judged}
    require_finite(judged)
    descend(optimizers["discriminators"], loss)
    return {name: term.detach() for name, term in (terms | judged).items()}


@torch.no_grad()
def translate(
    networks: Networks, pictures: Tensor, direction: Direction, codes: torch.Generator | None = None
) -> Tensor:
    """Translate pictures; nothing is drawn from `codes`.

    Shape: (N, 3, H, W) -> the same. Range: [-1, 1].
    """
    translated: Tensor = networks[GENERATORS[direction]](pictures)
    return translated


def _generator_terms(
    networks: Networks, real_a: Tensor, real_b: Tensor, identity: bool
) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """Both fakes, and what the generators are to lower."""
    n = len(real_a)
    made_b = networks["gen_ab"](torch.cat([real_a, real_b]) if identity else real_a)
    made_a = networks["gen_ba"](torch.cat([real_b, real_a]) if identity else real_b)
    fake_a, fake_b = made_a[:n], made_b[:n]
    terms = {
        "adversarial_a": least_squares(networks["disc_a"](fake_a), 1.0),
        "adversarial_b": least_squares(networks["disc_b"](fake_b), 1.0),
        "cycle_a": absolute_difference(networks["gen_ba"](fake_b), real_a),
        "cycle_b": absolute_difference(networks["gen_ab"](fake_a), real_b),
    }
    if identity:
        terms["identity_a"] = absolute_difference(made_a[n:], real_a)
        terms["identity_b"] = absolute_difference(made_b[n:], real_b)
    return fake_a, fake_b, terms


def _total(terms: dict[str, Tensor], loss: LossParameters) -> Tensor:
    """The generators' loss."""
    weights = {"adversarial": 1.0, "cycle": loss.cycle, "identity": loss.identity * loss.cycle}
    return torch.stack([weights[name.split("_")[0]] * term for name, term in terms.items()]).sum()


def _teach(judge: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """Least squares of a discriminator: real against 1, fake against 0."""
    on_real, on_fake = judge(torch.cat([real, fake])).chunk(2)
    return least_squares(on_real, 1.0) + least_squares(on_fake, 0.0)
