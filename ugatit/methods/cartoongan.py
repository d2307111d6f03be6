"""CartoonGAN (Chen et al. 2018): networks, one update, translation. One training gives one direction."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.optim import Adam

from ugatit.methods import Batch, Direction, Networks, Optimizers, Traits
from ugatit.methods import Stream as StreamName
from ugatit.models import Training
from ugatit.nn.blocks import Padding
from ugatit.nn.initialization import Gains, initialize
from ugatit.nn.losses import absolute_difference, binary_classification, least_squares, require_finite
from ugatit.nn.optimization import AdamParameters, descend, frozen
from ugatit.nn.patch_discriminator import PatchDiscriminator, PatchLayer
from ugatit.nn.pool import ImagePool
from ugatit.nn.resnet_generator import ResidualGenerator
from ugatit.nn.sizes import require_sides
from ugatit.nn.vgg import Levels, load_vgg19
from ugatit.strict import Strict

NUMERICS = 1
"""Version of the arithmetic here, in `ugatit.nn` and `ugatit.edges`; raised with it, it makes runs anew."""

GENERATORS: dict[Direction, str] = {"a2b": "gen_ab", "b2a": "gen_ba"}

STREAMS: dict[Direction, tuple[StreamName, StreamName, StreamName]] = {
    "a2b": ("a", "b", "edges_b"),
    "b2a": ("b", "a", "edges_a"),
}
"""Photos, cartoons, and cartoons with smoothed edges."""

ADVERSARIAL = {"lsgan": least_squares, "bce": binary_classification}


class NetworkParameters(Strict):
    """Networks."""

    base_channels: int = Field(
        gt=0, description="Width of the generator's first layer; the blocks have four times as many."
    )
    residual_blocks: int = Field(gt=0)
    discriminator_channels: int = Field(gt=0, description="Width of the discriminator's first layer.")
    padding: Padding = Field(description="Of the generator's first and last convolution and its blocks.")
    bias: bool = Field(description="Biases of all convolutions.")
    affine: bool = Field(description="Learned scale and shift of the instance normalisation.")
    gains: Gains = Field(description="First values of the learned scales.")


class VGGParameters(Strict):
    """The network whose features are compared, and what it is shown."""

    weights: str = Field(description="A file in torchvision's layout.")
    sha256: str = Field(min_length=8, description="Hash of the file, or its first digits (at least 8).")
    input: Levels = Field(
        description="Levels that the weights expect: imagenet (torchvision's), caffe255, unit01."
    )
    px: int | None = Field(gt=0, description="Side to which it resizes pictures; null: as they are.")


class ContentParameters(Strict):
    """How much a translation may differ from its photo."""

    weight: float = Field(ge=0, description="Against the adversarial term, whose weight is 1.")
    features: Literal["vgg19", "pixel"]
    vgg: VGGParameters | None

    @model_validator(mode="after")
    def _check(self) -> ContentParameters:
        if (self.vgg is not None) != (self.features == "vgg19"):
            raise ValueError("vgg belongs to features vgg19: set it there, and null elsewhere")
        return self


class InitialPhase(Strict):
    """The first steps, in which the generator only learns to reproduce the photo's content."""

    share: float = Field(ge=0, le=1, description="Of all steps.")
    lr: float = Field(gt=0)
    full_rate: float = Field(
        ge=0, le=1, description="Share of the phase before its learning rate falls linearly to 0."
    )


class Parameters(Strict):
    """Everything that distinguishes one CartoonGAN from another."""

    direction: Direction = Field(description="a2b: domain A has the photos, B the cartoons.")
    network: NetworkParameters
    adversarial: Literal["lsgan", "bce"]
    content: ContentParameters
    initial: InitialPhase
    optimizer: AdamParameters
    pool_size: int = Field(ge=0, description="Batches of translations that wait for the discriminator.")


def traits(parameters: Parameters) -> Traits:
    """One batch for both updates with a stream of smoothed pictures, one direction, perhaps VGG's weights."""
    vgg = parameters.content.vgg
    return Traits(
        streams=STREAMS[parameters.direction],
        directions=(parameters.direction,),
        files=(vgg.weights,) if vgg else (),
    )


def check_training(parameters: Parameters, training: Training) -> None:
    """Refuse picture sizes that the networks do not allow.

    Raises: UserError naming the smallest that works.
    """
    require_sides(training.image_px, training.crop_px)


def build(parameters: Parameters, image_px: int, seed: int | None) -> dict[str, nn.Module]:
    """Build a generator, a discriminator and the pool; without a seed their weights are left unset."""
    p, target = parameters.network, parameters.direction[-1]
    width = p.discriminator_channels
    layers = [
        PatchLayer(width, 1, norm=False),
        PatchLayer(2 * width, 2, norm=False),
        PatchLayer(4 * width, 1, norm=True),
        PatchLayer(4 * width, 2, norm=False),
        PatchLayer(8 * width, 1, norm=True),
        PatchLayer(8 * width, 1, norm=True),
    ]
    networks: dict[str, nn.Module] = {
        GENERATORS[parameters.direction]: ResidualGenerator(
            p.base_channels,
            p.residual_blocks,
            padding=p.padding,
            bias=p.bias,
            affine=p.affine,
            second_convolutions=True,
        ),
        f"disc_{target}": PatchDiscriminator(layers, kernel=3, padding=1, bias=p.bias, affine=p.affine),
    }
    if seed is not None:
        for index, network in enumerate(networks.values()):
            initialize(network, "normal", seed * len(networks) + index, gains=p.gains)
    return networks | {f"pool_{target}": ImagePool(parameters.pool_size)}


def given(parameters: Parameters) -> dict[str, nn.Module]:
    """VGG19 with its weights, which stay as they are; nothing if pixels are compared.

    Raises: UserError if the file of weights is missing or another one.
    """
    vgg = parameters.content.vgg
    return {"vgg": load_vgg19(Path(vgg.weights), vgg.sha256, vgg.input, vgg.px)} if vgg else {}


def optimizers(networks: Networks, parameters: Parameters) -> dict[str, Adam]:
    """An Adam for the generator in each phase, and one for the discriminator."""
    p = parameters.optimizer
    generator = networks[GENERATORS[parameters.direction]]
    return {
        "initial": p.over([generator], lr=parameters.initial.lr),
        "generator": p.over([generator]),
        "discriminator": p.over([networks[f"disc_{parameters.direction[-1]}"]]),
    }


def update(
    networks: Networks,
    optimizers: Optimizers,
    batches: Sequence[Batch],
    parameters: Parameters,
    progress: float,
) -> dict[str, Tensor]:
    """One step: of the generator alone in the initial phase, later of the discriminator and then of it.

    The discriminator sees the translations of the same forward pass, or earlier ones from the pool.

    Shape: one batch of photos, cartoons and cartoons with smoothed edges (N, 3, H, W).
    Returns: the totals `generator` and `discriminator`, and the unweighted terms they are made of, scalars.
    Raises: NonFiniteLoss before the optimiser step that it would spoil.
    Source: Chen et al. 2018, equations 1 to 6; order and targets: decision D55.
    """
    photos, cartoons, smoothed = batches[0]
    translated = networks[GENERATORS[parameters.direction]](photos)
    if progress <= parameters.initial.share:
        terms = _initial_step(networks, optimizers["initial"], photos, translated, parameters, progress)
        return {name: term.detach() for name, term in terms.items()}

    target = parameters.direction[-1]
    judge, adversarial = networks[f"disc_{target}"], ADVERSARIAL[parameters.adversarial]
    earlier = networks[f"pool_{target}"](translated[None])[0]
    judged = judge(torch.cat([cartoons, smoothed, earlier])).chunk(3)
    terms = {
        name: adversarial(patches, wanted)
        for name, patches, wanted in zip(("real", "edges", "fake"), judged, (1.0, 0.0, 0.0), strict=True)
    }
    loss = torch.stack(list(terms.values())).sum()
    terms = {"discriminator": loss, **terms}
    require_finite(terms)
    descend(optimizers["discriminator"], loss)

    with frozen([judge]):
        generator_terms = {
            "adversarial": adversarial(judge(translated), 1.0),
            "content": _content(networks, photos, translated),
        }
        loss = generator_terms["adversarial"] + parameters.content.weight * generator_terms["content"]
        terms |= {"generator": loss, **generator_terms}
        require_finite(terms)
        descend(optimizers["generator"], loss)
    return {name: term.detach() for name, term in terms.items()}


@torch.no_grad()
def translate(
    networks: Networks, pictures: Tensor, direction: Direction, codes: torch.Generator | None = None
) -> Tensor:
    """Translate pictures in the direction that was trained; nothing is drawn from `codes`.

    Shape: (N, 3, H, W) -> the same. Range: [-1, 1].
    """
    translated: Tensor = networks[GENERATORS[direction]](pictures)
    return translated


def initial_rate(phase: InitialPhase, progress: float) -> float:
    """The share of the full learning rate in the initial phase: constant, then linear to 0 at its end.

    Range: progress in (0, share]; the result in [0, 1].
    """
    done = progress / phase.share
    return 1.0 if done <= phase.full_rate else (1 - done) / (1 - phase.full_rate)


def _initial_step(
    networks: Networks,
    optimizer: torch.optim.Optimizer,
    photos: Tensor,
    translated: Tensor,
    parameters: Parameters,
    progress: float,
) -> dict[str, Tensor]:
    """Bring the content of the translations nearer to that of the photos."""
    content = _content(networks, photos, translated)
    terms = {"generator": parameters.content.weight * content, "content": content}
    require_finite(terms)
    # The loop has set this step's rate by the schedule of the whole training.
    for group in optimizer.param_groups:
        group["lr"] *= initial_rate(parameters.initial, progress)
    descend(optimizer, terms["generator"])
    return terms


def _content(networks: Networks, photos: Tensor, translated: Tensor) -> Tensor:
    """Mean absolute difference of VGG's features, or of pixels."""
    if "vgg" not in networks:
        return absolute_difference(translated, photos)
    with torch.no_grad():
        wanted = networks["vgg"](photos)
    return absolute_difference(networks["vgg"](translated), wanted)
