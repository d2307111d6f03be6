"""The plain patch discriminator, built from a list of layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ugatit.nn.discriminators import SLOPE
from ugatit.nn.normalization import EPSILON

WIDEST = 8
"""A layer has at most so many times the channels of the first."""


class PatchLayer(NamedTuple):
    """A convolution before a leaky ReLU, with or without instance normalisation between them."""

    channels: int
    stride: int
    norm: bool


class PatchDiscriminator(nn.Module):
    """Convolutions that pad with zeros, and a last one to a value per patch, without sigmoid."""

    def __init__(
        self,
        layers: Sequence[PatchLayer],
        *,
        kernel: int,
        padding: int,
        bias: bool,
        affine: bool,  # learned scale and shift of the instance normalisation
    ) -> None:
        super().__init__()
        widths = [3, *(layer.channels for layer in layers)]
        self.body = nn.ModuleList(
            nn.Conv2d(before, layer.channels, kernel, layer.stride, padding, bias=bias)
            for before, layer in zip(widths[:-1], layers, strict=True)
        )
        self.norms = nn.ModuleList(
            nn.InstanceNorm2d(layer.channels, eps=EPSILON, affine=affine) if layer.norm else nn.Identity()
            for layer in layers
        )
        self.classifier = nn.Conv2d(widths[-1], 1, kernel, 1, padding, bias=bias)

    def forward(self, x: Tensor, normalized: bool = True) -> Tensor:
        """Judge pictures, without instance normalisation if `normalized` is false.

        Shape: (N, 3, H, W) -> (N, 1, h, w). Range: x in [-1, 1]; patches unbounded.
        """
        for convolution, norm in zip(self.body, self.norms, strict=True):
            x = convolution(x)
            x = F.leaky_relu(norm(x) if normalized else x, SLOPE)
        return self.classifier(x)


def doubling_layers(base_channels: int, layers: int, first_norm: bool) -> list[PatchLayer]:
    """All layers but the last of CycleGAN's discriminator and AGGAN's: strided ones, then one that is not.

    `layers` counts the last one too: 5 sees patches of 70 pixels.
    """
    return [
        PatchLayer(base_channels * min(2**k, WIDEST), 2 if k < layers - 2 else 1, first_norm or k > 0)
        for k in range(layers - 1)
    ]
