"""AGGAN's attention network: one soft mask per picture, and what masks do to pictures."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from ugatit.nn.blocks import ConvNormRelu, ResidualBlock, convolution
from ugatit.nn.precision import at_least_float32

Decoder = Literal["pointwise", "spatial"]

KERNELS: dict[Decoder, tuple[int, int, int]] = {"pointwise": (1, 1, 1), "spatial": (3, 3, 7)}


class MaskNetwork(nn.Module):
    """A small encoder and decoder that say for each pixel how much of it is translated.

    `decoder`: `pointwise` has 1x1 convolutions, as the authors' code comes to have; `spatial` the 3x3, 3x3
    and 7x7 that it asks for. Pointwise convolutions and instance normalisation give the same before and
    after nearest-neighbour up-sampling, so there it comes last, at a sixteenth of the work.

    Source: Mejjati et al. 2018, section 3 and appendix; decision D53.
    """

    def __init__(self, base_channels: int, decoder: Decoder) -> None:
        super().__init__()
        few, many = base_channels, 2 * base_channels
        first, second, last = KERNELS[decoder]
        between, behind = (1, 4) if decoder == "pointwise" else (2, 1)
        self.body = nn.Sequential(
            ConvNormRelu(3, few, 7, 2, True, True, "reflect"),
            ConvNormRelu(few, many, 3, 2, True, True, "zero"),
            ResidualBlock(many, True, True, "reflect", relu_after=True),
            nn.Upsample(scale_factor=between),
            ConvNormRelu(many, many, first, 1, True, True, "zero"),
            nn.Upsample(scale_factor=between),
            ConvNormRelu(many, few, second, 1, True, True, "zero"),
            convolution(few, 1, last, 1, True, "zero"),
            nn.Upsample(scale_factor=behind),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Shape: (N, 3, H, W), sides multiples of 4 -> (N, 1, H, W). Range: [0, 1]."""
        return torch.sigmoid(at_least_float32(self.body(x)))


def compose(mask: Tensor, translated: Tensor, picture: Tensor) -> Tensor:
    """Take the translation where the mask is 1, the picture where it is 0.

    Source: Mejjati et al. 2018, equation 1.
    """
    return mask * translated + (1 - mask) * picture


def foreground(picture: Tensor, mask: Tensor, threshold: float) -> Tensor:
    """What is attended to, on grey (0); the threshold lets no gradient into the mask.

    A threshold of 0 leaves pictures as they are.

    Source: Mejjati et al. 2018, section 3.3.
    """
    return picture * (mask.detach() >= threshold)
