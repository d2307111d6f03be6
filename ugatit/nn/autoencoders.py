"""Encoders and decoders of UNIT and MUNIT."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ugatit.nn.autoencoder_norms import DeviationNorm, adaptive_instance_norm
from ugatit.nn.blocks import ConvNormRelu, PaddedConv, ResidualBlock
from ugatit.nn.precision import at_least_float32


class ContentEncoder(nn.Sequential):
    """Pictures to features at a quarter of their size: UNIT's latent mean, MUNIT's content.

    Shape: (N, 3, H, W) -> (N, 4 base_channels, H/4, W/4); H and W multiples of 4.
    Source: UNIT and MUNIT (2018 code).
    """

    def __init__(self, base_channels: int, residual_blocks: int) -> None:
        width = 4 * base_channels
        super().__init__(
            ConvNormRelu(3, base_channels, 7, 1, bias=True, affine=False),
            ConvNormRelu(base_channels, 2 * base_channels, 4, 2, bias=True, affine=False),
            ConvNormRelu(2 * base_channels, width, 4, 2, bias=True, affine=False),
            *(ResidualBlock(width, bias=True, affine=False) for _ in range(residual_blocks)),
        )


class StyleEncoder(nn.Module):
    """Pictures to style codes; no normalisation, which would take the style away.

    Also DRIT's attribute encoder of the feature-wise variant.
    """

    smallest_px = 16  # four halvings, each of two pixels at least

    def __init__(self, base_channels: int, code_size: int) -> None:
        super().__init__()
        width = 4 * base_channels
        channels = [base_channels, 2 * base_channels, width, width, width]
        layers: list[nn.Module] = [PaddedConv(3, base_channels, 7, bias=True), nn.ReLU()]
        for inside, outside in zip(channels[:-1], channels[1:], strict=True):
            layers += [PaddedConv(inside, outside, 4, 2, bias=True), nn.ReLU()]
        self.body = nn.Sequential(*layers)
        self.code = nn.Conv2d(width, code_size, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Shape: (N, 3, H, W) -> (N, code_size)."""
        return self.code(self.body(x).mean((2, 3), keepdim=True)).flatten(1)


class MLP(nn.Sequential):
    """Two hidden layers from a code to what a decoder is steered by.

    Shape: (N, code_size) -> (N, outputs).
    """

    def __init__(self, code_size: int, width: int, outputs: int) -> None:
        super().__init__(
            nn.Linear(code_size, width),
            nn.ReLU(),
            nn.Linear(width, width),
            nn.ReLU(),
            nn.Linear(width, outputs),
        )


class UpBlock(nn.Sequential):
    """Nearest-neighbour up-sampling, 5x5 convolution, `DeviationNorm`, ReLU.

    Shape: (N, in, H, W) -> (N, out, 2H, 2W).
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(
            nn.Upsample(scale_factor=2, mode="nearest"),
            PaddedConv(in_channels, out_channels, 5, bias=True),
            DeviationNorm(out_channels),
            nn.ReLU(),
        )


class ToPicture(nn.Module):
    """The end of both decoders: two up-sampling blocks and a 7x7 convolution."""

    def __init__(self, base_channels: int) -> None:
        super().__init__()
        self.up = nn.Sequential(
            UpBlock(4 * base_channels, 2 * base_channels), UpBlock(2 * base_channels, base_channels)
        )
        self.output = PaddedConv(base_channels, 3, 7, bias=True)

    def forward(self, x: Tensor) -> Tensor:
        """Shape: (N, 4 base_channels, H/4, W/4) -> (N, 3, H, W). Range: [-1, 1]."""
        return torch.tanh(at_least_float32(self.output(self.up(x))))


class Decoder(nn.Sequential):
    """Latent to picture: residual blocks with instance normalisation, then `ToPicture`.

    Shape: (N, 4 base_channels, H/4, W/4) -> (N, 3, H, W). Range: [-1, 1].
    Source: UNIT (2018 code).
    """

    def __init__(self, base_channels: int, residual_blocks: int) -> None:
        super().__init__(
            *(ResidualBlock(4 * base_channels, bias=True, affine=False) for _ in range(residual_blocks)),
            ToPicture(base_channels),
        )


class StyledResidualBlock(nn.Module):
    """A residual block whose two normalisations are AdaIN, each with a shift and a scale of its own."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = PaddedConv(channels, channels, 3, bias=True)
        self.conv2 = PaddedConv(channels, channels, 3, bias=True)

    def forward(self, x: Tensor, affine: Tensor) -> Tensor:
        """Shape: x (N, C, H, W); affine (N, 2, 2, C): of the first and the second layer, shift and scale."""
        shift1, scale1, shift2, scale2 = affine.flatten(1, 2).unbind(1)
        y = F.relu(adaptive_instance_norm(self.conv1(x), scale1, shift1))
        return x + adaptive_instance_norm(self.conv2(y), scale2, shift2)


class StyledDecoder(nn.Module):
    """Content and style to picture: the style is in the shifts and scales of the residual blocks.

    The MLP's output is taken in the order of the layers; of each, first the shifts, then the scales, which
    are used as they are.

    Source: MUNIT, section 5.1 and figure 3; order: decision D63.
    """

    def __init__(self, base_channels: int, residual_blocks: int, code_size: int) -> None:
        super().__init__()
        width = 4 * base_channels
        self.code_size = code_size
        self.blocks = nn.ModuleList(StyledResidualBlock(width) for _ in range(residual_blocks))
        self.mlp = MLP(code_size, width, residual_blocks * 2 * 2 * width)
        self.to_picture = ToPicture(base_channels)

    def forward(self, content: Tensor, style: Tensor) -> Tensor:
        """Decode.

        Shape: content (N, 4 base_channels, H/4, W/4), style (N, code_size) -> (N, 3, H, W). Range: [-1, 1].
        """
        affine = at_least_float32(self.mlp(style)).unflatten(1, (len(self.blocks), 2, 2, content.shape[1]))
        for block, of_block in zip(self.blocks, affine.unbind(1), strict=True):
            content = block(content, of_block)
        picture: Tensor = self.to_picture(content)
        return picture
