"""DRIT: content shared between the domains, attributes of each; networks, one update, translation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import Adam

from ugatit.errors import UserError
from ugatit.methods import JUDGES, Batch, Direction, Networks, Optimizers, Traits
from ugatit.models import Training
from ugatit.nn.codes import draw_codes
from ugatit.nn.drit import (
    CONTENT_SLOPE,
    Attribute,
    AttributeEncoder,
    ConcatGenerator,
    ContentDiscriminator,
    Domain,
    FeaturewiseGenerator,
    SharedContentEncoder,
    Variant,
    smallest_content_px,
)
from ugatit.nn.initialization import initialize
from ugatit.nn.losses import (
    absolute_difference,
    binary_classification,
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

PAIR = 2
"""Pictures per domain and batch: one is translated, the other only shown to discriminators as real (D69)."""

APART = 1e-5
"""Added to the ratio of differences in the mode-seeking term."""


class NetworkParameters(Strict):
    """Networks; rows D66, D68 of docs/decisions.md."""

    variant: Variant = Field(description="How the generators take the attribute code; D66.")
    base_channels: int = Field(
        gt=0, description="Width of the first layers; the content has four times as many."
    )
    residual_blocks: int = Field(gt=0, description="Of each domain in the content encoder and generator.")
    code_size: int = Field(gt=0, description="Numbers in an attribute code.")
    content_layers: int = Field(ge=0, description="7x7 convolutions of the content discriminator.")
    discriminator_layers: int = Field(
        gt=0, description="Strided convolutions of a picture discriminator's scale."
    )
    discriminator_scales: int = Field(gt=0, description="Scales of each picture discriminator.")


class LossParameters(Strict):
    """Weights of the loss terms."""

    adversarial: float = Field(ge=0, description="Of translations with the attributes of a real picture.")
    random: float = Field(ge=0, description="Of translations with drawn attributes.")
    content: float = Field(ge=0, description="Of contents that shall not tell their domain.")
    cross_cycle: float = Field(ge=0)
    reconstruction: float = Field(ge=0)
    content_prior: float = Field(ge=0, description="Mean square of the contents.")
    attribute_prior: float = Field(ge=0, description="KL divergence from N(0, I), or the codes' mean square.")
    code: float = Field(ge=0, description="Of a drawn code, found again in the picture made with it.")
    mode_seeking: float = Field(ge=0, description="DRIT++'s term; 0: no second code is drawn; D66.")


class OptimizerParameters(DecayingAdamParameters):
    """Adam for all networks; the content discriminator has a rate of its own."""

    content_lr: float = Field(gt=0, description="Learning rate of the content discriminator.")
    content_clip: float = Field(gt=0, description="Largest norm of the content discriminator's gradient.")
    content_updates: int = Field(gt=0, description="Updates of the content discriminator per step; D69.")


class Parameters(Strict):
    """Everything that distinguishes one DRIT from another."""

    network: NetworkParameters
    loss: LossParameters
    optimizer: OptimizerParameters


def traits(parameters: Parameters) -> Traits:
    """A batch for each update of the content discriminator; a translation draws attributes."""
    return Traits(draws=parameters.optimizer.content_updates, random_codes=True)


def check_training(parameters: Parameters, training: Training) -> None:
    """Refuse picture sizes that the networks do not allow, and batches other than pairs.

    Raises: UserError naming the smallest size that works, or the batch size.
    """
    p = parameters.network
    content_px, picture_px = (
        smallest_content_px(p.content_layers),
        smallest_px(p.discriminator_layers, p.discriminator_scales),
    )
    require_sides(
        training.image_px,
        training.crop_px,
        max(content_px, picture_px, AttributeEncoder.smallest_px),
        f", or fewer layers: content_layers {p.content_layers} needs {content_px}, discriminator_layers "
        f"{p.discriminator_layers} with discriminator_scales {p.discriminator_scales} needs {picture_px}",
    )
    if training.batch_size != PAIR:
        raise UserError(
            f"training.batch_size: found {training.batch_size}, expected {PAIR}: DRIT translates the first "
            f"picture of a pair and shows the second to discriminators. Set batch_size: {PAIR} for the model."
        )


def build(parameters: Parameters, image_px: int, seed: int | None) -> dict[str, nn.Module]:
    """Build encoders and generator of both domains, four picture discriminators and one of contents.

    Without a seed, weights are left unset. `disc_a` and `disc_b` judge translations with the attributes of a
    real picture, `disc_a2` and `disc_b2` those with drawn attributes.

    Source: DRIT, section 3 and figure 3.
    """
    p = parameters.network
    concat = p.variant == "concat"
    networks: dict[str, nn.Module] = {
        "content": SharedContentEncoder(p.base_channels, p.residual_blocks),
        "attribute": AttributeEncoder(p.variant, p.base_channels, p.code_size),
        "gen": ConcatGenerator(p.base_channels, p.residual_blocks, p.code_size)
        if concat
        else FeaturewiseGenerator(p.base_channels, p.residual_blocks + 1, p.code_size),
        "disc_content": ContentDiscriminator(p.base_channels, p.content_layers),
    }
    for name in ("disc_a", "disc_b", "disc_a2", "disc_b2"):
        networks[name] = MultiScaleDiscriminator(
            p.base_channels, p.discriminator_layers, p.discriminator_scales, CONTENT_SLOPE
        )
    if seed is not None:
        for index, network in enumerate(networks.values()):
            initialize(network, "normal-convolutions", seed * len(networks) + index)
    return networks


def optimizers(networks: Networks, parameters: Parameters) -> dict[str, Adam]:
    """One Adam for what takes two steps per update, and one each for the rest."""
    p = parameters.optimizer
    judges = [net for name, net in networks.items() if name.startswith(JUDGES) and name != "disc_content"]
    return {
        "generators": p.over([networks["content"], networks["gen"]]),
        "attribute": p.over([networks["attribute"]]),
        "discriminators": p.over(judges),
        "content_discriminator": p.over([networks["disc_content"]], p.content_lr),
    }


def update(
    networks: Networks,
    optimizers: Optimizers,
    batches: Sequence[Batch],
    parameters: Parameters,
    progress: float,
) -> dict[str, Tensor]:
    """Updates of the content discriminator on all batches but the last, then of all networks on the last one.

    Content encoder and generator take two Adam steps: by the first loss, and by that of translations with
    drawn attributes. Both gradients are those at the weights before the first step (D67).
    `progress` changes nothing here: every step is alike.

    Shape: batches of real_a, real_b (2, 3, H, W): a picture to translate, and one for disc_a2 or disc_b2.
    Returns: the totals `discriminator`, `generator` and `generator_random`, and the unweighted terms they are
        made of, scalars.
    Raises: NonFiniteLoss before the optimiser step that it would spoil.
    Source: DRIT, section 3.2; decisions D66, D67, D69.
    """
    for batch in batches[:-1]:
        with torch.no_grad():
            contents = [networks["content"](real.chunk(2)[0], d) for real, d in zip(batch, "ab", strict=True)]
        _update_content_discriminator(networks, optimizers, contents, parameters)

    content, attribute, gen = networks["content"], networks["attribute"], networks["gen"]
    (real_a, other_a), (real_b, other_b) = (pictures.chunk(2) for pictures in batches[-1])
    content_a, content_b = content(real_a, "a"), content(real_b, "b")
    attribute_a, attribute_b = attribute(real_a, "a"), attribute(real_b, "b")
    code_a, code_b = attribute_a.sample(), attribute_b.sample()
    drawn = [torch.randn_like(code_a) for _ in range(2 if parameters.loss.mode_seeking else 1)]
    fake_a, same_a = gen(torch.cat([content_b, content_a]), torch.cat([code_a, code_a]), "a").chunk(2)
    fake_b, same_b = gen(torch.cat([content_a, content_b]), torch.cat([code_b, code_b]), "b").chunk(2)
    random_a = gen(torch.cat([content_b] * len(drawn)), torch.cat(drawn), "a")
    random_b = gen(torch.cat([content_a] * len(drawn)), torch.cat(drawn), "b")

    terms = {
        "disc_a": _judge(networks["disc_a"], real_a, fake_a.detach()),
        "disc_b": _judge(networks["disc_b"], real_b, fake_b.detach()),
        "disc_a2": _judge(networks["disc_a2"], other_a, random_a.detach()),
        "disc_b2": _judge(networks["disc_b2"], other_b, random_b.detach()),
    }
    loss = torch.stack(list(terms.values())).sum()
    terms = {"discriminator": loss, **terms}
    require_finite(terms)
    descend(optimizers["discriminators"], loss)
    contents = [content_a.detach(), content_b.detach()]
    terms["disc_content"] = _update_content_discriminator(networks, optimizers, contents, parameters)

    with frozen(net for name, net in networks.items() if name.startswith(JUDGES)):
        twice = [weight for network in (content, gen) for weight in network.parameters()]
        random_terms, random_gradients = _random_branch(
            networks, random_a, random_b, drawn, twice, parameters.loss
        )
        terms |= random_terms
        del random_a, random_b  # and with them their part of the graph

        back_a, back_b = content(fake_b, "b"), content(fake_a, "a")  # contents of a and b, from translations
        rec_a = gen(back_a, attribute(fake_a, "a").sample(), "a")
        rec_b = gen(back_b, attribute(fake_b, "b").sample(), "b")
        generator_terms = {
            "adversarial_a": over_scales(binary_classification, networks["disc_a"](fake_a), 1.0),
            "adversarial_b": over_scales(binary_classification, networks["disc_b"](fake_b), 1.0),
            "content_a": binary_classification(networks["disc_content"](content_a), 0.5),
            "content_b": binary_classification(networks["disc_content"](content_b), 0.5),
            "cross_cycle_a": absolute_difference(rec_a, real_a),
            "cross_cycle_b": absolute_difference(rec_b, real_b),
            "reconstruction_a": absolute_difference(same_a, real_a),
            "reconstruction_b": absolute_difference(same_b, real_b),
            "content_prior_a": mean_square(content_a),
            "content_prior_b": mean_square(content_b),
            "attribute_prior_a": _attribute_prior(attribute_a),
            "attribute_prior_b": _attribute_prior(attribute_b),
        }
        loss = weighted_sum(generator_terms, parameters.loss.model_dump())
        terms |= {"generator": loss, **generator_terms}
        require_finite(terms)
        optimizers["attribute"].zero_grad(set_to_none=True)
        descend(optimizers["generators"], loss)
        optimizers["attribute"].step()
        for weight, gradient in zip(twice, random_gradients, strict=True):
            weight.grad = gradient
        optimizers["generators"].step()
    return {name: term.detach() for name, term in terms.items()}


@torch.no_grad()
def translate(
    networks: Networks, pictures: Tensor, direction: Direction, codes: torch.Generator | None = None
) -> Tensor:
    """Translate pictures, each with attributes drawn from `codes`, a generator on the CPU.

    Shape: (N, 3, H, W) -> the same. Range: [-1, 1].
    Raises: ValueError without `codes`.
    Source: decision D51.
    """
    source, target = direction[0], direction[-1]
    gen = cast(ConcatGenerator | FeaturewiseGenerator, networks["gen"])
    code = draw_codes(codes, len(pictures), gen.code_size).to(pictures)
    fake: Tensor = gen(networks["content"](pictures, source), code, cast(Domain, target))
    return fake


def _update_content_discriminator(
    networks: Networks, optimizers: Optimizers, contents: Sequence[Tensor], parameters: Parameters
) -> Tensor:
    """One step of the content discriminator, its gradient clipped; returns its loss."""
    judge, optimizer = networks["disc_content"], optimizers["content_discriminator"]
    content_a, content_b = contents
    loss = binary_classification(judge(content_a), 0.0) + binary_classification(judge(content_b), 1.0)
    require_finite({"disc_content": loss})
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    clip_grad_norm_(judge.parameters(), parameters.optimizer.content_clip)
    optimizer.step()
    return loss


def _judge(discriminator: nn.Module, real: Tensor, fakes: Tensor) -> Tensor:
    """What a discriminator pays for a real picture and a fake; twice, on average, if there are two fakes."""
    times = len(fakes) // len(real)
    return times * real_and_fake(binary_classification, discriminator(torch.cat([real, fakes])), len(real))


def _random_branch(
    networks: Networks,
    random_a: Tensor,
    random_b: Tensor,
    drawn: Sequence[Tensor],
    weights: Sequence[nn.Parameter],
    loss_weights: LossParameters,
) -> tuple[dict[str, Tensor], tuple[Tensor, ...]]:
    """The loss of translations with drawn attributes, and its gradients; the graph stays for the other loss.

    Its terms: what discriminators say, the code found again, and mode seeking if there are two codes.
    """
    terms: dict[str, Tensor] = {}
    fakes: Mapping[str, Tensor] = {"a": random_a, "b": random_b}
    for domain, fake in fakes.items():
        scores = networks[f"disc_{domain}2"](fake)
        terms[f"random_{domain}"] = len(drawn) * over_scales(binary_classification, scores, 1.0)
        first = fake[: len(drawn[0])]
        terms[f"code_{domain}"] = absolute_difference(networks["attribute"](first, domain).mean, drawn[0])
        if len(drawn) > 1:
            ratio = absolute_difference(*fake.chunk(2)) / absolute_difference(*drawn)
            terms[f"mode_seeking_{domain}"] = 1 / (ratio + APART)
    loss = weighted_sum(terms, loss_weights.model_dump())
    terms = {"generator_random": loss, **terms}
    require_finite(terms)
    gradients = torch.autograd.grad(loss, weights, retain_graph=True)
    return {name: term.detach() for name, term in terms.items()}, gradients


def _attribute_prior(attribute: Attribute) -> Tensor:
    """How far attributes are from N(0, I): the KL divergence, summed, or of plain codes their mean square."""
    mean, log_variance = attribute.mean, attribute.log_variance
    if log_variance is None:
        return mean_square(mean)
    return -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum()
