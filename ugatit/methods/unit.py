"""UNIT: two auto-encoders that share a latent space; networks, one update, translation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.optim import Adam

from ugatit.methods import JUDGES, Batch, Direction, Networks, Optimizers, Traits
from ugatit.models import Training
from ugatit.nn.autoencoders import ContentEncoder, Decoder
from ugatit.nn.initialization import Scheme, initialize
from ugatit.nn.losses import (
    absolute_difference,
    least_squares,
    mean_square,
    over_scales,
    real_and_fake,
    require_finite,
    weighted_sum,
)
from ugatit.nn.multiscale import MultiScaleDiscriminator, smallest_px
from ugatit.nn.optimization import DecayingAdamParameters, descend, frozen
from ugatit.nn.sizes import require_sides
from ugatit.strict import Strict

NUMERICS = 1
"""Version of the arithmetic below and in `ugatit.nn`; raised with it, it makes every run anew."""

SLOPE = 0.2
"""Negative slope of the discriminators' leaky ReLU."""


class NetworkParameters(Strict):
    """Encoder, decoder and discriminator of each domain; row D61 of docs/decisions.md."""

    base_channels: int = Field(
        gt=0, description="Width of the first layers; the latent has four times as many."
    )
    residual_blocks: int = Field(gt=0, description="In each encoder, and as many in each decoder.")
    discriminator_layers: int = Field(gt=0, description="Strided convolutions of a discriminator's scale.")
    discriminator_scales: int = Field(gt=0, description="Scales of each discriminator.")


class LossParameters(Strict):
    """Weights of the loss terms."""

    adversarial: float = Field(ge=0)
    reconstruction: float = Field(ge=0)
    cycle: float = Field(ge=0)
    latent: float = Field(ge=0, description="Mean square of a picture's latent; D62.")
    latent_cycle: float = Field(ge=0, description="The same of its translation's latent.")


class Parameters(Strict):
    """Everything that distinguishes one UNIT from another."""

    network: NetworkParameters
    loss: LossParameters
    optimizer: DecayingAdamParameters


def traits(parameters: Parameters) -> Traits:
    """One batch a step; the latent's noise belongs to training, so a translation draws nothing."""
    return Traits()


def check_training(parameters: Parameters, training: Training) -> None:
    """Refuse picture sizes that the networks do not allow.

    Raises: UserError naming the smallest that works.
    """
    p = parameters.network
    require_sides(
        training.image_px,
        training.crop_px,
        smallest_px(p.discriminator_layers, p.discriminator_scales),
        f", or fewer discriminator_layers (now {p.discriminator_layers}) or discriminator_scales (now "
        f"{p.discriminator_scales})",
    )


def build(parameters: Parameters, image_px: int, seed: int | None) -> dict[str, nn.Module]:
    """Build an encoder, a decoder and a discriminator per domain; without a seed, weights are left unset.

    Source: UNIT, 2018 code; no layer is shared (D61).
    """
    p = parameters.network
    networks: dict[str, nn.Module] = {}
    for domain in ("a", "b"):
        networks[f"enc_{domain}"] = ContentEncoder(p.base_channels, p.residual_blocks)
        networks[f"gen_{domain}"] = Decoder(p.base_channels, p.residual_blocks)
        networks[f"disc_{domain}"] = MultiScaleDiscriminator(
            p.base_channels, p.discriminator_layers, p.discriminator_scales, SLOPE
        )
    if seed is not None:
        for index, (name, network) in enumerate(networks.items()):
            scheme: Scheme = "normal" if name.startswith(JUDGES) else "kaiming"
            initialize(network, scheme, seed * len(networks) + index)
    return networks


def optimizers(networks: Networks, parameters: Parameters) -> dict[str, Adam]:
    """One Adam for encoders and decoders, one for the discriminators."""
    judges = [net for name, net in networks.items() if name.startswith(JUDGES)]
    translators = [net for name, net in networks.items() if not name.startswith(JUDGES)]
    return {
        "generators": parameters.optimizer.over(translators),
        "discriminators": parameters.optimizer.over(judges),
    }


def update(
    networks: Networks,
    optimizers: Optimizers,
    batches: Sequence[Batch],
    parameters: Parameters,
    progress: float,
) -> dict[str, Tensor]:
    """One discriminator and one generator update, in this order.

    Each encodes and decodes for itself, with noise of its own in the latents. Both decodings of a latent
    share its noise. `progress` changes nothing here: every step is alike.

    Shape: one batch of real_a, real_b (N, 3, H, W).
    Returns: the totals `discriminator` and `generator`, and the unweighted terms they are made of, scalars.
    Raises: NonFiniteLoss before the optimiser step that it would spoil.
    Source: UNIT, equations 3 to 7, as in the 2018 code; decisions D61, D62.
    """
    real_a, real_b = batches[0]
    enc_a, enc_b, gen_a, gen_b = (networks[name] for name in ("enc_a", "enc_b", "gen_a", "gen_b"))

    with torch.no_grad():
        fake_b, fake_a = gen_b(noisy(enc_a(real_a))), gen_a(noisy(enc_b(real_b)))
    terms = {
        "disc_a": _judge(networks["disc_a"], real_a, fake_a),
        "disc_b": _judge(networks["disc_b"], real_b, fake_b),
    }
    loss = parameters.loss.adversarial * torch.stack(list(terms.values())).sum()
    terms = {"discriminator": loss, **terms}
    require_finite(terms)
    descend(optimizers["discriminators"], loss)

    with frozen([networks["disc_a"], networks["disc_b"]]):
        latent_a, latent_b = enc_a(real_a), enc_b(real_b)
        noisy_a, noisy_b = noisy(latent_a), noisy(latent_b)
        rec_a, fake_a = gen_a(torch.cat([noisy_a, noisy_b])).chunk(2)
        rec_b, fake_b = gen_b(torch.cat([noisy_b, noisy_a])).chunk(2)
        back_a, back_b = enc_b(fake_b), enc_a(fake_a)  # the latents of a and b, found in their translations
        generator_terms = {
            "adversarial_a": over_scales(least_squares, networks["disc_a"](fake_a), 1.0),
            "adversarial_b": over_scales(least_squares, networks["disc_b"](fake_b), 1.0),
            "reconstruction_a": absolute_difference(rec_a, real_a),
            "reconstruction_b": absolute_difference(rec_b, real_b),
            "cycle_a": absolute_difference(gen_a(noisy(back_a)), real_a),
            "cycle_b": absolute_difference(gen_b(noisy(back_b)), real_b),
            "latent_a": mean_square(latent_a),
            "latent_b": mean_square(latent_b),
            "latent_cycle_a": mean_square(back_a),
            "latent_cycle_b": mean_square(back_b),
        }
        loss = weighted_sum(generator_terms, parameters.loss.model_dump())
        terms |= {"generator": loss, **generator_terms}
        require_finite(terms)
        descend(optimizers["generators"], loss)
    return {name: term.detach() for name, term in terms.items()}


@torch.no_grad()
def translate(
    networks: Networks, pictures: Tensor, direction: Direction, codes: torch.Generator | None = None
) -> Tensor:
    """Translate pictures, without noise; nothing is drawn from `codes`.

    Shape: (N, 3, H, W) -> the same. Range: [-1, 1].
    """
    source, target = direction[0], direction[-1]
    fake: Tensor = networks[f"gen_{target}"](networks[f"enc_{source}"](pictures))
    return fake


def noisy(latent: Tensor) -> Tensor:
    """A draw from the normal distribution around a latent, with standard deviation 1."""
    return latent + torch.randn_like(latent)


def _judge(discriminator: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """What a discriminator pays for a real picture and a fake."""
    return real_and_fake(least_squares, discriminator(torch.cat([real, fake])), len(real))
