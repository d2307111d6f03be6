"""U-GAT-IT and its ablations: networks, one update, translation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.optim import Adam

from ugatit.errors import UserError
from ugatit.methods import SOURCE_MAP, Batch, Direction, Networks, Optimizers, Traits
from ugatit.models import Training
from ugatit.nn.attention import CAM
from ugatit.nn.discriminators import AttentionDiscriminator, DiscriminatorOutput, smallest_px
from ugatit.nn.generators import AttentionGenerator, GeneratorOutput
from ugatit.nn.initialization import initialize
from ugatit.nn.losses import absolute_difference, binary_classification, least_squares, require_finite
from ugatit.nn.normalization import clip_rho
from ugatit.nn.optimization import descend, frozen
from ugatit.strict import Strict

NUMERICS = 2
"""Version of the arithmetic below and in `ugatit.nn`; raised with it, it makes every run anew."""

GENERATORS: dict[Direction, str] = {"a2b": "gen_ab", "b2a": "gen_ba"}


class NetworkParameters(Strict):
    """Networks; rows D1 to D10, D29, D31, D35 to D37 of docs/decisions.md."""

    base_channels: int = Field(
        gt=0, description="Width of the first layer; the bottleneck has four times as many."
    )
    residual_blocks: int = Field(gt=0, description="In the encoder, and as many in the decoder.")
    light: bool = Field(description="The gamma/beta MLP reads pooled features instead of the whole map.")
    bias: bool = Field(description="Biases in the generator.")
    encoder_affine: bool = Field(description="Learned affine in the encoder's instance normalisation.")
    cam_fc: Literal["separate", "shared"]
    generator_cam: Literal["full", "bypass", "none"]
    generator_cam_tied: bool
    discriminator_cam: Literal["full", "bypass", "none"]
    discriminator_cam_weight: Literal["raw", "normalized"]
    discriminator_padding: Literal["symmetric", "tf"]
    classifier_bias: bool
    decoder_norm: Literal["adalin", "in", "ln", "gn"]
    residual_affine: Literal["mlp", "static"]
    gn_groups: int | None = Field(gt=0)
    rho_init: float = Field(ge=0, le=1)
    rho_smoothing: float = Field(ge=0, lt=1)
    unbiased_variance: bool
    local_layers: int = Field(ge=3)
    global_layers: int = Field(ge=3)
    initialization: Literal["normal", "torch"]

    @model_validator(mode="after")
    def _check(self) -> NetworkParameters:
        if (self.gn_groups is not None) != (self.decoder_norm == "gn"):
            raise ValueError("gn_groups belongs to decoder_norm gn: set it there, and null elsewhere")
        if self.gn_groups is not None and self.base_channels % self.gn_groups:
            raise ValueError(f"base_channels {self.base_channels} cannot be cut into {self.gn_groups} groups")
        return self


class LossParameters(Strict):
    """Weights of the loss terms (equation 6)."""

    adversarial: float = Field(ge=0)
    cycle: float = Field(ge=0)
    identity: float = Field(ge=0)
    cam: float = Field(ge=0, description="Of the generators' classifiers only; D17.")


class OptimizerParameters(Strict):
    """Adam for the generators and for the discriminators."""

    lr: float = Field(gt=0)
    beta1: float = Field(ge=0, lt=1)
    beta2: float = Field(ge=0, lt=1)
    weight_decay: float = Field(ge=0)
    decay_scope: Literal["kernels", "all"]
    fresh_generator_batch: bool = Field(description="The generators' update draws pictures of its own; D14.")


class Parameters(Strict):
    """Everything that distinguishes one U-GAT-IT from another."""

    network: NetworkParameters
    loss: LossParameters
    optimizer: OptimizerParameters


def traits(parameters: Parameters) -> Traits:
    """One batch for both updates, or one for each (D14); attention where a CAM weighs the features."""
    network = parameters.network
    attention = [SOURCE_MAP] if network.generator_cam == "full" else []
    attention += ["local", "global"] if network.discriminator_cam == "full" else []
    draws = 2 if parameters.optimizer.fresh_generator_batch else 1
    return Traits(
        draws=draws,
        attention=tuple(attention),
        classified=tuple(attention),
        watched=network.decoder_norm == "adalin",
        shared=True,
    )


def check_training(parameters: Parameters, training: Training) -> None:
    """Refuse picture sizes that the networks do not allow.

    Raises: UserError naming the smallest that works.
    """
    if training.seen_px != training.image_px and not parameters.network.light:
        raise UserError(
            f"training.crop_px: found {training.crop_px}, expected null or image_px {training.image_px}: the "
            "full model is bound to one size. Use the light model, or train at the size that you translate."
        )
    check_size(parameters, training.seen_px)


def check_size(parameters: Parameters, image_px: int) -> None:
    """Refuse a picture size that the networks do not allow.

    Raises: UserError naming the smallest that works.
    """
    network = parameters.network
    smallest = max(smallest_px(max(network.local_layers, network.global_layers)), 8)
    if image_px % 4 or image_px < smallest:
        raise UserError(
            f"training.image_px: found {image_px}, expected a multiple of 4 from {smallest} on "
            f"(global_layers {network.global_layers}, local_layers {network.local_layers}). "
            f"Use {smallest} or more, or fewer discriminator layers."
        )


def build(parameters: Parameters, image_px: int, seed: int | None) -> dict[str, nn.Module]:
    """Build two generators and four discriminators; without a seed their weights are left unset.

    Source: section 2; appendix, architecture tables.
    """
    p = parameters.network
    networks: dict[str, nn.Module] = {}
    for name in GENERATORS.values():
        networks[name] = AttentionGenerator(
            image_px,
            p.base_channels,
            p.residual_blocks,
            light=p.light,
            bias=p.bias,
            encoder_affine=p.encoder_affine,
            cam=p.generator_cam,
            cam_fc=p.cam_fc,
            cam_tied=p.generator_cam_tied,
            decoder_norm=p.decoder_norm,
            residual_affine=p.residual_affine,
            gn_groups=p.gn_groups,
            rho_init=p.rho_init,
            rho_smoothing=p.rho_smoothing,
            unbiased_variance=p.unbiased_variance,
        )
    for domain in ("a", "b"):
        for scale, layers in (("global", p.global_layers), ("local", p.local_layers)):
            networks[f"disc_{domain}_{scale}"] = AttentionDiscriminator(
                p.base_channels,
                layers,
                cam=p.discriminator_cam,
                cam_fc=p.cam_fc,
                cam_weight=p.discriminator_cam_weight,
                padding=p.discriminator_padding,
                classifier_bias=p.classifier_bias,
            )
    if seed is not None:
        for index, network in enumerate(networks.values()):
            initialize(network, p.initialization, seed * len(networks) + index)
    return networks


def optimizers(networks: Networks, parameters: Parameters) -> dict[str, Adam]:
    """One Adam for both generators, one for all discriminators; weight decay on kernels or on all (D11)."""
    p = parameters.optimizer

    def adam(prefix: str) -> Adam:
        weights = [w for name, net in networks.items() if name.startswith(prefix) for w in net.parameters()]
        decayed = [w for w in weights if p.decay_scope == "all" or w.ndim > 1]
        free = [w for w in weights if p.decay_scope != "all" and w.ndim <= 1]
        groups = [{"params": decayed, "weight_decay": p.weight_decay}, {"params": free, "weight_decay": 0.0}]
        return Adam([g for g in groups if g["params"]], lr=p.lr, betas=(p.beta1, p.beta2), fused=True)

    return {"generators": adam("gen_"), "discriminators": adam("disc_")}


def update(
    networks: Networks,
    optimizers: Optimizers,
    batches: Sequence[Batch],
    parameters: Parameters,
    progress: float,
) -> dict[str, Tensor]:
    """One discriminator and one generator update, in this order.

    The fakes are made once for both, detached for the discriminators, which are frozen for the generators
    (D15, D16). Each generator translates and reproduces in one batch: no layer mixes the pictures of a batch.
    `progress` changes nothing here: every step is alike.

    Shape: batches of real_a, real_b (N, 3, H, W); one, or two if the generators' update has its own (D14).
    Returns: the totals `discriminator` and `generator`, and the unweighted terms they are made of, scalars.
    Raises: NonFiniteLoss before the optimiser step that it would spoil.
    Source: section 2.2, equation 6; targets: decisions D17 to D19.
    """
    real_a, real_b = batches[-1]
    n = len(real_a)
    translated_b, reproduced_b = _halves(networks["gen_ab"](torch.cat([real_a, real_b])), n)
    translated_a, reproduced_a = _halves(networks["gen_ba"](torch.cat([real_b, real_a])), n)
    fake_a, fake_b = translated_a.picture, translated_b.picture
    fakes = (fake_a.detach(), fake_b.detach()) if len(batches) == 1 else _fakes(networks, batches[0])

    terms = _discriminator_terms(networks, batches[0], fakes)
    loss = parameters.loss.adversarial * torch.stack(list(terms.values())).sum()
    terms = {"discriminator": loss, **terms}
    require_finite(terms)
    descend(optimizers["discriminators"], loss)

    with frozen(net for name, net in networks.items() if name.startswith("disc_")):
        rec_a = networks["gen_ba"](fake_b).picture
        rec_b = networks["gen_ab"](fake_a).picture
        generator_terms = {
            "adversarial_a": _adversarial(networks, "a", fake_a),
            "adversarial_b": _adversarial(networks, "b", fake_b),
            "cycle_a": absolute_difference(rec_a, real_a),
            "cycle_b": absolute_difference(rec_b, real_b),
            "identity_a": absolute_difference(reproduced_a.picture, real_a),
            "identity_b": absolute_difference(reproduced_b.picture, real_b),
            **_cam_terms("ab", translated_b.cam_logits, reproduced_b.cam_logits),
            **_cam_terms("ba", translated_a.cam_logits, reproduced_a.cam_logits),
        }
        weights = parameters.loss.model_dump()
        loss = torch.stack(
            [weights[name.split("_")[0]] * term for name, term in generator_terms.items()]
        ).sum()
        terms |= {"generator": loss, **generator_terms}
        require_finite(terms)
        descend(optimizers["generators"], loss)
    for name in GENERATORS.values():
        clip_rho(networks[name])
    return {name: term.detach() for name, term in terms.items()}


@torch.no_grad()
def translate(
    networks: Networks, pictures: Tensor, direction: Direction, codes: torch.Generator | None = None
) -> Tensor:
    """Translate pictures; nothing is drawn from `codes`.

    Shape: (N, 3, H, W) -> the same. Range: [-1, 1].
    """
    output: GeneratorOutput = networks[GENERATORS[direction]](pictures)
    return output.picture


@torch.no_grad()
def attend(networks: Networks, pictures: Tensor, direction: Direction) -> dict[str, Tensor]:
    """Where the generator looks in the pictures, and the discriminators of their target in the translations.

    Shape: (N, 3, H, W) -> `generator` (N, 1, H/4, W/4), `local` and `global` of their own sizes; only those
    that `traits` names.
    Source: figure 2 and the appendix; which picture the discriminators see: decision D28.
    """
    output: GeneratorOutput = networks[GENERATORS[direction]](pictures)
    judges = {scale: networks[f"disc_{direction[-1]}_{scale}"] for scale in ("local", "global")}
    maps = {SOURCE_MAP: output.attention} if _attends(networks[GENERATORS[direction]]) else {}
    return maps | {
        scale: judge(output.picture).attention for scale, judge in judges.items() if _attends(judge)
    }


@torch.no_grad()
def classify(networks: Networks, seen: Tensor, name: str, direction: Direction) -> Tensor:
    """What the classifier says of pictures: the source domain for a generator, real for a discriminator.

    Shape: (N, 3, H, W), of the source domain for `generator`, else of the target -> (N,), the mean of the
    logits from average and maximum pooling.
    """
    if name == SOURCE_MAP:
        generator = cast(AttentionGenerator, networks[GENERATORS[direction]])
        logits, _ = cast(CAM, generator.cam)(generator.encoder(seen))
    else:
        judge = networks[f"disc_{direction[-1]}_{name}"]
        logits = judge(seen).cam_logits
    return logits.float().mean(dim=1)


@torch.no_grad()
def watch(networks: Networks) -> dict[str, float]:
    """The mean rho of every decoder layer, by generator and layer."""
    means = {
        f"rho.{generator}.{layer.removesuffix('.rho')}": rho.mean()
        for generator in GENERATORS.values()
        for layer, rho in networks[generator].named_parameters()
        if layer.endswith(".rho")
    }
    return dict(zip(means, torch.stack(list(means.values())).tolist(), strict=True))


def _attends(network: nn.Module) -> bool:
    """Whether a network weighs its features by a classifier's weights."""
    return isinstance(network.cam, CAM) and network.cam.mix is not None


def _halves(output: GeneratorOutput, n: int) -> tuple[GeneratorOutput, GeneratorOutput]:
    """Cut a generator's output into that of the first n pictures and the rest."""
    picture, logits, attention = output
    first_logits, rest_logits = (None, None) if logits is None else (logits[:n], logits[n:])
    return (
        GeneratorOutput(picture[:n], first_logits, attention[:n]),
        GeneratorOutput(picture[n:], rest_logits, attention[n:]),
    )


@torch.no_grad()
def _fakes(networks: Networks, batch: Batch) -> Batch:
    """The fakes (of domain a, of domain b) that a batch's real pictures give."""
    real_a, real_b = batch
    return translate(networks, real_b, "b2a"), translate(networks, real_a, "a2b")


def _discriminator_terms(networks: Networks, reals: Batch, fakes: Batch) -> dict[str, Tensor]:
    """For each discriminator: least squares of patches and classifier, real against 1 and fake against 0."""
    terms = {}
    for domain, real, fake in zip(("a", "b"), reals, fakes, strict=True):
        for scale in ("global", "local"):
            name = f"disc_{domain}_{scale}"
            terms[name] = _judge(networks[name](real), 1.0) + _judge(networks[name](fake), 0.0)
    return terms


def _adversarial(networks: Networks, domain: str, fake: Tensor) -> Tensor:
    """What both discriminators of a domain say of a fake that wants to be real."""
    return _judge(networks[f"disc_{domain}_global"](fake), 1.0) + _judge(
        networks[f"disc_{domain}_local"](fake), 1.0
    )


def _judge(output: DiscriminatorOutput, target: float) -> Tensor:
    """Least squares of the patches and, where there is one, of the classifier."""
    loss = least_squares(output.patches, target)
    return loss if output.cam_logits is None else loss + least_squares(output.cam_logits, target)


def _cam_terms(direction: str, source: Tensor | None, target: Tensor | None) -> dict[str, Tensor]:
    """The generator's classifier: its source pictures are 1, pictures of its target domain 0 (eq. 5)."""
    if source is None or target is None:
        return {}
    return {f"cam_{direction}": binary_classification(source, 1.0) + binary_classification(target, 0.0)}
