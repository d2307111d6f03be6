"""How the authors' PyTorch code lays out its networks: names and shapes of tensors, and what they tell."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ugatit.errors import UserError
from ugatit.methods.ugatit import NetworkParameters

NETWORKS = {
    "genA2B": "gen_ab",
    "genB2A": "gen_ba",
    "disGA": "disc_a_global",
    "disGB": "disc_b_global",
    "disLA": "disc_a_local",
    "disLB": "disc_b_local",
}
"""The authors' names of the networks, in the order of their files, and ours."""

FIXED: dict[str, Any] = {
    "bias": False,
    "encoder_affine": False,
    "cam_fc": "separate",
    "generator_cam": "full",
    "generator_cam_tied": True,
    "discriminator_cam": "full",
    "discriminator_cam_weight": "raw",
    "discriminator_padding": "symmetric",
    "classifier_bias": False,
    "decoder_norm": "adalin",
    "residual_affine": "mlp",
    "gn_groups": None,
    "rho_smoothing": 0.0,
    "unbiased_variance": True,
}
"""Settings of the network that the authors' PyTorch code leaves no choice about."""

GLOBAL_LAYERS, LOCAL_LAYERS = 7, 5
"""Layers of the discriminators that the authors' program builds."""

SPECTRAL = {"weight_orig": "weight", "weight_u": "u", "weight_v": "v"}
"""Tensors of a spectrally normalised layer: the authors' names and ours."""

PER_CHANNEL = ("rho", "gamma", "beta")
"""Tensors that the authors keep as (1, C, 1, 1), and we as (C,)."""

State = Mapping[str, Tensor]
Layer = tuple[str, str, tuple[str, ...]]
"""A layer: its name in the authors' code, in ours, and its tensors in the authors' order."""


class Entry(NamedTuple):
    """A tensor of the authors' layout."""

    name: str  # in our network
    shape: torch.Size  # in the authors' file


def layout(name: str, network: nn.Module, settings: NetworkParameters) -> dict[str, Entry]:
    """The tensors that the authors' file holds of a network of ours, by their names and in their order."""
    if name.startswith("gen_"):
        layers = _generator_layers(settings.residual_blocks)
    else:
        depth = settings.global_layers if name.endswith("_global") else settings.local_layers
        layers = _discriminator_layers(depth)
    own = network.state_dict()
    entries = {}
    for theirs, ours, tensors in layers:
        for tensor in tensors:
            our_name = f"{ours}.{SPECTRAL.get(tensor, tensor)}"
            shape = own[our_name].shape
            entries[f"{theirs}.{tensor}"] = Entry(
                our_name, torch.Size((1, *shape, 1, 1)) if tensor in PER_CHANNEL else shape
            )
    return entries


def _generator_layers(blocks: int) -> Iterator[Layer]:
    """The layers of a generator, in the order in which the authors register them."""
    weight = ("weight",)
    yield "gap_fc", "cam.average", weight
    yield "gmp_fc", "cam.maximum", weight
    yield "conv1x1", "cam.mix", ("weight", "bias")
    yield "gamma", "gamma", weight
    yield "beta", "beta", weight
    for k in range(blocks):
        for half in (1, 2):
            yield f"UpBlock1_{k + 1}.conv{half}", f"residual.{k}.conv{half}.conv", weight
            yield f"UpBlock1_{k + 1}.norm{half}", f"residual.{k}.norm{half}", ("rho",)
    for k in range(3):
        yield f"DownBlock.{1 + 4 * k}", f"encoder.{k}.0.conv", weight
    for k in range(blocks):
        yield f"DownBlock.{12 + k}.conv_block.1", f"encoder.{3 + k}.body.0.0.conv", weight
        yield f"DownBlock.{12 + k}.conv_block.5", f"encoder.{3 + k}.body.1.conv", weight
    yield "FC.0", "mlp.0", weight
    yield "FC.2", "mlp.2", weight
    for k in range(2):
        yield f"UpBlock2.{2 + 5 * k}", f"up.{k}.conv.conv", weight
        yield f"UpBlock2.{3 + 5 * k}", f"up.{k}.norm", PER_CHANNEL
    yield "UpBlock2.11", "output.conv", weight


def _discriminator_layers(layers: int) -> Iterator[Layer]:
    """The layers of a discriminator, in the order in which the authors register them."""
    spectral = tuple(SPECTRAL)
    yield "gap_fc", "cam.average", spectral
    yield "gmp_fc", "cam.maximum", spectral
    yield "conv1x1", "cam.mix", ("weight", "bias")
    yield "conv", "classifier", spectral
    for k in range(layers - 1):
        yield f"model.{1 + 3 * k}", f"body.{k}", ("bias", *spectral)


def infer_network(file: Path, states: Mapping[str, State]) -> dict[str, Any]:
    """The network parameters that a file's tensors tell, with those that the layout fixes.

    Raises: UserError if a tensor that must be known is missing.
    """
    base_channels = _side(file, states, "genA2B", "DownBlock.1.weight", 0)
    return FIXED | {
        "base_channels": base_channels,
        "residual_blocks": _count(file, states, "genA2B", "UpBlock1_{}.conv1.weight", 1),
        "light": _side(file, states, "genA2B", "FC.0.weight", 1) == 4 * base_channels,
        "global_layers": _count(file, states, "disGA", "model.{}.weight_orig", 3) + 1,
        "local_layers": _count(file, states, "disLA", "model.{}.weight_orig", 3) + 1,
    }


def infer_image_px(file: Path, states: Mapping[str, State]) -> int:
    """The picture size to which a full model is bound, told by the first layer of its MLP.

    Raises: UserError if that layer fits no size.
    """
    inputs = _side(file, states, "genA2B", "FC.0.weight", 1)
    width = 4 * _side(file, states, "genA2B", "DownBlock.1.weight", 0)
    quarter_px = math.isqrt(inputs // width)
    if width * quarter_px**2 != inputs:
        raise UserError(
            f"{file}: genA2B: FC.0.weight: found {inputs} inputs, expected {width} (light) or {width} times "
            "the square of a quarter of the picture size (full)."
        )
    return 4 * quarter_px


def _count(file: Path, states: Mapping[str, State], network: str, pattern: str, stride: int) -> int:
    """How many tensors of consecutive numbers (1, 1 + stride, ...) a network has; at least one."""
    found = next(k for k in count() if pattern.format(1 + stride * k) not in states[network])
    if not found:
        raise UserError(f"{file}: {network}: no tensor {pattern.format(1)}; not the authors' layout.")
    return found


def _side(file: Path, states: Mapping[str, State], network: str, name: str, dimension: int) -> int:
    """One side of a tensor that every file has."""
    if name not in states[network]:
        raise UserError(f"{file}: {network}: no tensor {name}; not the authors' layout.")
    shape = states[network][name].shape
    if len(shape) <= dimension or not shape.numel():
        raise UserError(f"{file}: {network}: {name}: found shape {tuple(shape)}, expected a weight.")
    return shape[dimension]
