"""MUNIT: content shared between the domains, style of each by itself; networks, one update, translation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.optim import Adam

from ugatit.methods import JUDGES, Batch, Direction, Networks, Optimizers, Traits
from ugatit.models import Training
from ugatit.nn.autoencoders import ContentEncoder, StyledDecoder, StyleEncoder
from ugatit.nn.codes import draw_codes
from ugatit.nn.initialization import Scheme, initialize
from ugatit.nn.losses import (
    absolute_difference,
    least_squares,
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
    """Encoders, decoder and discriminator of each domain; row D61 of docs/decisions.md."""

    base_channels: int = Field(
        gt=0, description="Width of the first layers; the content has four times as many."
    )
    residual_blocks: int = Field(gt=0, description="In each content encoder, and as many in each decoder.")
    style_size: int = Field(gt=0, description="Numbers in a style code.")
    discriminator_layers: int = Field(gt=0, description="Strided convolutions of a discriminator's scale.")
    discriminator_scales: int = Field(gt=0, description="Scales of each discriminator.")


class LossParameters(Strict):
    """Weights of the loss terms (equation 5)."""

    adversarial: float = Field(ge=0)
    reconstruction: float = Field(ge=0)
    style: float = Field(ge=0, description="Of a drawn style, found again in the picture made with it.")
    content: float = Field(ge=0, description="Of a content, found again in the translation.")
    cycle: float = Field(ge=0, description="Of pictures translated there and back; 0: not computed; D64.")


class Parameters(Strict):
    """Everything that distinguishes one MUNIT from another."""

    network: NetworkParameters
    loss: LossParameters
    optimizer: DecayingAdamParameters


def traits(parameters: Parameters) -> Traits:
    """One batch a step; a translation draws the style of its target domain."""
    return Traits(random_codes=True)


def check_training(parameters: Parameters, training: Training) -> None:
    """Refuse picture sizes that the networks do not allow.

    Raises: UserError naming the smallest that works.
    """
    p = parameters.network
    require_sides(
        training.image_px,
        training.crop_px,
        max(smallest_px(p.discriminator_layers, p.discriminator_scales), StyleEncoder.smallest_px),
        f", or, down to {StyleEncoder.smallest_px}, fewer discriminator_layers (now "
        f"{p.discriminator_layers}) or discriminator_scales (now {p.discriminator_scales})",
    )


def build(parameters: Parameters, image_px: int, seed: int | None) -> dict[str, nn.Module]:
    """Build two encoders, a decoder and a discriminator per domain.

    Without a seed, weights are left unset.

    Source: MUNIT, section 5.1.
    """
    p = parameters.network
    networks: dict[str, nn.Module] = {}
    for domain in ("a", "b"):
        networks[f"content_{domain}"] = ContentEncoder(p.base_channels, p.residual_blocks)
        networks[f"style_{domain}"] = StyleEncoder(p.base_channels, p.style_size)
        networks[f"gen_{domain}"] = StyledDecoder(p.base_channels, p.residual_blocks, p.style_size)
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
    """One discriminator and one generator update, in this order, each with styles of its own.

    Contents and styles that shall be found again are targets through which gradients flow too.
    `progress` changes nothing here: every step is alike.

    Shape: one batch of real_a, real_b (N, 3, H, W).
    Returns: the totals `discriminator` and `generator`, and the unweighted terms they are made of, scalars.
    Raises: NonFiniteLoss before the optimiser step that it would spoil.
    Source: MUNIT, section 4, equations 1 to 5; decision D64.
    """
    real_a, real_b = batches[0]
    gen_a, gen_b = networks["gen_a"], networks["gen_b"]
    encode_a, encode_b = networks["content_a"], networks["content_b"]

    with torch.no_grad():
        drawn_a, drawn_b = draw_styles(parameters, real_a), draw_styles(parameters, real_b)
        fake_a, fake_b = gen_a(encode_b(real_b), drawn_a), gen_b(encode_a(real_a), drawn_b)
    terms = {
        "disc_a": _judge(networks["disc_a"], real_a, fake_a),
        "disc_b": _judge(networks["disc_b"], real_b, fake_b),
    }
    loss = parameters.loss.adversarial * torch.stack(list(terms.values())).sum()
    terms = {"discriminator": loss, **terms}
    require_finite(terms)
    descend(optimizers["discriminators"], loss)

    with frozen([networks["disc_a"], networks["disc_b"]]):
        drawn_a, drawn_b = draw_styles(parameters, real_a), draw_styles(parameters, real_b)
        content_a, content_b = encode_a(real_a), encode_b(real_b)
        style_a, style_b = networks["style_a"](real_a), networks["style_b"](real_b)
        rec_a, fake_a = gen_a(torch.cat([content_a, content_b]), torch.cat([style_a, drawn_a])).chunk(2)
        rec_b, fake_b = gen_b(torch.cat([content_b, content_a]), torch.cat([style_b, drawn_b])).chunk(2)
        back_a, back_b = encode_b(fake_b), encode_a(fake_a)  # the contents of a and b, found in translations
        generator_terms = {
            "adversarial_a": over_scales(least_squares, networks["disc_a"](fake_a), 1.0),
            "adversarial_b": over_scales(least_squares, networks["disc_b"](fake_b), 1.0),
            "reconstruction_a": absolute_difference(rec_a, real_a),
            "reconstruction_b": absolute_difference(rec_b, real_b),
            "style_a": absolute_difference(networks["style_a"](fake_a), drawn_a),
            "style_b": absolute_difference(networks["style_b"](fake_b), drawn_b),
            "content_a": absolute_difference(back_a, content_a),
            "content_b": absolute_difference(back_b, content_b),
        }
        if parameters.loss.cycle:
            generator_terms |= {
                "cycle_a": absolute_difference(gen_a(back_a, style_a), real_a),
                "cycle_b": absolute_difference(gen_b(back_b, style_b), real_b),
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
    """Translate pictures, each with a style drawn from `codes`, a generator on the CPU.

    Shape: (N, 3, H, W) -> the same. Range: [-1, 1].
    Raises: ValueError without `codes`.
    Source: decision D51.
    """
    source, target = direction[0], direction[-1]
    decoder = cast(StyledDecoder, networks[f"gen_{target}"])
    style = draw_codes(codes, len(pictures), decoder.code_size).to(pictures)
    fake: Tensor = decoder(networks[f"content_{source}"](pictures), style)
    return fake


def draw_styles(parameters: Parameters, pictures: Tensor) -> Tensor:
    """A style for each picture, (N, style_size), from N(0, I)."""
    return torch.randn(
        len(pictures), parameters.network.style_size, dtype=pictures.dtype, device=pictures.device
    )


def _judge(discriminator: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """What a discriminator pays for a real picture and a fake."""
    return real_and_fake(least_squares, discriminator(torch.cat([real, fake])), len(real))
