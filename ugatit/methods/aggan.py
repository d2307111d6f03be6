"""AGGAN (Mejjati et al. 2018), attention-guided translation: networks, one update, translation, masks."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.optim import Adam

from ugatit.methods import Batch, Direction, Networks, Optimizers, Traits
from ugatit.models import Training
from ugatit.nn.initialization import initialize
from ugatit.nn.losses import absolute_difference, least_squares, require_finite
from ugatit.nn.mask import Decoder, MaskNetwork, compose, foreground
from ugatit.nn.optimization import AdamParameters, descend, frozen
from ugatit.nn.patch_discriminator import PatchDiscriminator, doubling_layers
from ugatit.nn.pool import ImagePool
from ugatit.nn.resnet_generator import ResidualGenerator
from ugatit.nn.sizes import require_sides
from ugatit.strict import Strict

NUMERICS = 1
"""Version of the arithmetic below and in `ugatit.nn`; raised with it, it makes every run anew."""

SLOWER = 0.5
"""The discriminators' loss is halved, so that they learn more slowly than the generators."""

DIRECTIONS: tuple[Direction, Direction] = ("a2b", "b2a")


class NetworkParameters(Strict):
    """Networks."""

    base_channels: int = Field(
        gt=0, description="Width of the first layer of generators and attention networks."
    )
    residual_blocks: int = Field(gt=0)
    attention_decoder: Decoder
    discriminator_channels: int = Field(gt=0, description="Width of the discriminators' first layer.")
    discriminator_layers: int = Field(ge=3, description="Convolutions.")


class Parameters(Strict):
    """Everything that distinguishes one AGGAN from another."""

    network: NetworkParameters
    cycle: float = Field(ge=0, description="Weight of the cycle terms; the adversarial ones have 1.")
    optimizer: AdamParameters
    generator_update: Literal["joint", "sequential"] = Field(
        description="Both generators at once, or one after the other with its discriminator in between."
    )
    attention_share: float = Field(
        ge=0, le=1, description="Share of the steps in which the attention networks learn; the first stage."
    )
    threshold: float = Field(
        ge=0, lt=1, description="Mask value from which discriminators see a pixel in the second stage."
    )
    pool_size: int = Field(
        ge=0, description="Translations per domain, with their masks, that wait for the discriminator."
    )


class _Stage(NamedTuple):
    """What the two stages of a training do differently for the discriminators."""

    threshold: float
    normalized: bool


@dataclass(frozen=True)
class _Pass:
    """All pictures of one forward pass of both cycles; masks are those of the real pictures."""

    fake_a: Tensor
    fake_b: Tensor
    rec_a: Tensor
    rec_b: Tensor
    mask_a: Tensor
    mask_b: Tensor


def traits(parameters: Parameters) -> Traits:
    """One batch for all updates, both directions, the mask as attention."""
    return Traits(attention=("generator",))


def check_training(parameters: Parameters, training: Training) -> None:
    """Refuse picture sizes that the networks do not allow.

    Raises: UserError naming the smallest that works.
    """
    require_sides(training.image_px, training.crop_px)


def build(parameters: Parameters, image_px: int, seed: int | None) -> dict[str, nn.Module]:
    """Build generators, attention networks, discriminators and pools; without a seed weights are left unset.

    `att_a` finds in pictures of domain a what `gen_ab` is to translate.
    """
    p = parameters.network
    layers = doubling_layers(p.discriminator_channels, p.discriminator_layers, first_norm=True)
    networks: dict[str, nn.Module] = {}
    for direction in DIRECTIONS:
        generator = ResidualGenerator(
            p.base_channels, p.residual_blocks, padding="zero", bias=True, affine=True, relu_after=True
        )
        networks[_generator(direction)] = generator
        networks[f"att_{direction[0]}"] = MaskNetwork(p.base_channels, p.attention_decoder)
    for domain in ("a", "b"):
        networks[f"disc_{domain}"] = PatchDiscriminator(layers, kernel=4, padding=2, bias=True, affine=True)
    if seed is not None:
        for index, network in enumerate(networks.values()):
            initialize(network, "truncated", seed * len(networks) + index, gains="truncated")
    return networks | {f"pool_{domain}": ImagePool(parameters.pool_size) for domain in ("a", "b")}


def optimizers(networks: Networks, parameters: Parameters) -> dict[str, Adam]:
    """One Adam for each generator with the attention network that guides it, one for each discriminator."""
    p = parameters.optimizer
    adams = {d: p.over([networks[_generator(d)], networks[f"att_{d[0]}"]]) for d in DIRECTIONS}
    return adams | {f"disc_{domain}": p.over([networks[f"disc_{domain}"]]) for domain in ("a", "b")}


def update(
    networks: Networks,
    optimizers: Optimizers,
    batches: Sequence[Batch],
    parameters: Parameters,
    progress: float,
) -> dict[str, Tensor]:
    """One update of the generators and of the discriminators.

    In the first stage the attention networks learn with the generators, and the discriminators see whole
    pictures. In the second stage the attention networks stay as they are, the discriminators see what
    is attended to, and no longer normalise.

    Shape: one batch of real_a, real_b (N, 3, H, W).
    Returns: the totals `generator` and `discriminator`, and the unweighted terms they are made of, scalars.
    Raises: NonFiniteLoss before the optimiser step that it would spoil.
    Source: Mejjati et al. 2018, section 3 and algorithm 1; one update of both generators: decision D54.
    """
    reals = batches[0]
    first_stage = progress <= parameters.attention_share
    stage = _Stage(0.0 if first_stage else parameters.threshold, normalized=first_stage)
    with ExitStack() as stack:
        if not first_stage:
            stack.enter_context(frozen([networks["att_a"], networks["att_b"]]))
        if parameters.generator_update == "joint":
            terms = _update_jointly(networks, optimizers, reals, parameters, stage)
        else:
            terms = _update_in_turn(networks, optimizers, reals, parameters, stage)
    totals = {
        "generator": terms["adversarial_a"]
        + terms["adversarial_b"]
        + parameters.cycle * (terms["cycle_a"] + terms["cycle_b"]),
        "discriminator": SLOWER * (terms["disc_a"] + terms["disc_b"]),
    }
    return {name: term.detach() for name, term in (totals | terms).items()}


@torch.no_grad()
def translate(
    networks: Networks, pictures: Tensor, direction: Direction, codes: torch.Generator | None = None
) -> Tensor:
    """Translate pictures where the soft mask is; nothing is drawn from `codes`.

    Shape: (N, 3, H, W) -> the same. Range: [-1, 1].
    """
    return _composed(networks, pictures, direction)[0]


@torch.no_grad()
def attend(networks: Networks, pictures: Tensor, direction: Direction) -> dict[str, Tensor]:
    """The soft mask of the pictures, by the name `generator`.

    Shape: (N, 3, H, W) -> (N, 1, H, W). Range: [0, 1].
    """
    mask: Tensor = networks[f"att_{direction[0]}"](pictures)
    return {"generator": mask}


def _generator(direction: Direction) -> str:
    """The name of a direction's generator, such as gen_ab."""
    return f"gen_{direction[0]}{direction[-1]}"


def _composed(networks: Networks, pictures: Tensor, direction: Direction) -> tuple[Tensor, Tensor]:
    """Translations and their masks."""
    mask: Tensor = networks[f"att_{direction[0]}"](pictures)
    return compose(mask, networks[_generator(direction)](pictures), pictures), mask


def _both_cycles(networks: Networks, reals: Batch) -> _Pass:
    """There and back again, from both domains."""
    real_a, real_b = reals
    fake_b, mask_a = _composed(networks, real_a, "a2b")
    fake_a, mask_b = _composed(networks, real_b, "b2a")
    rec_a, _ = _composed(networks, fake_b, "b2a")
    rec_b, _ = _composed(networks, fake_a, "a2b")
    return _Pass(fake_a, fake_b, rec_a, rec_b, mask_a, mask_b)


def _cycle_terms(made: _Pass, reals: Batch) -> dict[str, Tensor]:
    """What is lost on the way there and back."""
    real_a, real_b = reals
    return {
        "cycle_a": absolute_difference(made.rec_a, real_a),
        "cycle_b": absolute_difference(made.rec_b, real_b),
    }


def _adversarial(networks: Networks, made: _Pass, domain: str, stage: _Stage) -> Tensor:
    """What the discriminator of a domain says of a fake, seen through the mask of its source."""
    fake, mask = (made.fake_a, made.mask_b) if domain == "a" else (made.fake_b, made.mask_a)
    seen = foreground(fake, mask, stage.threshold)
    return least_squares(networks[f"disc_{domain}"](seen, stage.normalized), 1.0)


def _teach(
    networks: Networks,
    optimizer: torch.optim.Optimizer,
    made: _Pass,
    reals: Batch,
    domain: str,
    stage: _Stage,
) -> Tensor:
    """Update one discriminator: real pictures through their own masks, fakes of the pool through theirs."""
    if domain == "a":
        real, real_mask, fake, fake_mask = reals[0], made.mask_a, made.fake_a, made.mask_b
    else:
        real, real_mask, fake, fake_mask = reals[1], made.mask_b, made.fake_b, made.mask_a
    pooled = networks[f"pool_{domain}"](torch.cat([fake, fake_mask], dim=1))
    pictures, masks = torch.cat([real, pooled[:, :3]]), torch.cat([real_mask, pooled[:, 3:]])
    seen = foreground(pictures, masks, stage.threshold)
    on_real, on_fake = networks[f"disc_{domain}"](seen, stage.normalized).chunk(2)
    term = least_squares(on_real, 1.0) + least_squares(on_fake, 0.0)
    require_finite({f"disc_{domain}": term})
    descend(optimizer, SLOWER * term)
    return term


def _update_jointly(
    networks: Networks,
    optimizers: Optimizers,
    reals: Batch,
    parameters: Parameters,
    stage: _Stage,
) -> dict[str, Tensor]:
    """Both generators from one forward pass, then both discriminators, which see its fakes."""
    with frozen([networks["disc_a"], networks["disc_b"]]):
        made = _both_cycles(networks, reals)
        terms = {
            f"adversarial_{domain}": _adversarial(networks, made, domain, stage) for domain in ("a", "b")
        } | _cycle_terms(made, reals)
        require_finite(terms)
        cycles = parameters.cycle * (terms["cycle_a"] + terms["cycle_b"])
        loss = terms["adversarial_a"] + terms["adversarial_b"] + cycles
        optimizers["b2a"].zero_grad(set_to_none=True)
        descend(optimizers["a2b"], loss)
        optimizers["b2a"].step()
    for domain in ("a", "b"):
        name = f"disc_{domain}"
        terms[name] = _teach(networks, optimizers[name], made, reals, domain, stage)
    return terms


def _update_in_turn(
    networks: Networks,
    optimizers: Optimizers,
    reals: Batch,
    parameters: Parameters,
    stage: _Stage,
) -> dict[str, Tensor]:
    """As in the authors' code: gen_ab, disc_b, gen_ba, disc_a, with a new forward pass for each generator."""
    terms: dict[str, Tensor] = {}
    for direction, back in zip(DIRECTIONS, reversed(DIRECTIONS), strict=True):
        domain = direction[-1]
        others = [networks[name] for name in (_generator(back), f"att_{back[0]}", f"disc_{domain}")]
        with frozen(others):
            made = _both_cycles(networks, reals)
            adversarial = _adversarial(networks, made, domain, stage)
            terms |= {f"adversarial_{domain}": adversarial, **_cycle_terms(made, reals)}
            require_finite(terms)
            descend(
                optimizers[direction], adversarial + parameters.cycle * (terms["cycle_a"] + terms["cycle_b"])
            )
        name = f"disc_{domain}"
        terms[name] = _teach(networks, optimizers[name], made, reals, domain, stage)
    return terms
