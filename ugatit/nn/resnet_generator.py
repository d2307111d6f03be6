"""The residual generator with transposed convolutions of CycleGAN, AGGAN and CartoonGAN."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from ugatit.nn.blocks import ConvNormRelu, Padding, ResidualBlock, convolution
from ugatit.nn.normalization import EPSILON
from ugatit.nn.precision import at_least_float32


class ResidualGenerator(nn.Sequential):
    """Two strided convolutions, residual blocks, two transposed convolutions.

    `padding` is that of the first and last convolution and of the residual blocks; strided and transposed
    ones pad with zeros.
    """

    def __init__(
        self,
        base_channels: int,
        residual_blocks: int,
        *,
        padding: Padding,
        bias: bool,  # biases of all convolutions
        affine: bool,  # learned scale and shift of the instance normalisation
        relu_after: bool = False,  # ReLU after a residual sum
        second_convolutions: bool = False,  # one more behind each strided and transposed one
    ) -> None:
        widths = (base_channels, 2 * base_channels, 4 * base_channels)
        super().__init__(
            ConvNormRelu(3, base_channels, 7, 1, bias, affine, padding),
            *(
                _resampling(nn.Conv2d(few, many, 3, 2, 1, bias=bias), many, bias, affine, second_convolutions)
                for few, many in pairwise(widths)
            ),
            *(ResidualBlock(widths[-1], bias, affine, padding, relu_after) for _ in range(residual_blocks)),
            *(
                _resampling(
                    nn.ConvTranspose2d(many, few, 3, 2, 1, output_padding=1, bias=bias),
                    few,
                    bias,
                    affine,
                    second_convolutions,
                )
                for many, few in pairwise(reversed(widths))
            ),
            convolution(base_channels, 3, 7, 1, bias, padding),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Translate.

        Shape: (N, 3, H, W), sides multiples of 4 -> the same. Range: [-1, 1].
        """
        return torch.tanh(at_least_float32(super().forward(x)))


def _resampling(resampled: nn.Module, channels: int, bias: bool, affine: bool, second: bool) -> nn.Module:
    """A strided or transposed convolution, a second one without anything between, norm, ReLU."""
    more = [nn.Conv2d(channels, channels, 3, 1, 1, bias=bias)] if second else []
    return nn.Sequential(resampled, *more, nn.InstanceNorm2d(channels, eps=EPSILON, affine=affine), nn.ReLU())
