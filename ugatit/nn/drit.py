"""DRIT's encoders, generators and content discriminator."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ugatit.nn.autoencoders import MLP, StyleEncoder
from ugatit.nn.blocks import ConvNormRelu, PaddedConv, ResidualBlock
from ugatit.nn.normalization import EPSILON
from ugatit.nn.padding import reflect
from ugatit.nn.precision import at_least_float32

Domain = Literal["a", "b"]
Variant = Literal["concat", "featurewise"]
"""How a generator takes the attribute code: concatenated to its features, or mixed into each position."""

DOMAINS: tuple[Domain, Domain] = ("a", "b")

CONTENT_SLOPE, ATTRIBUTE_SLOPE = 0.01, 0.2
"""Negative slopes of the leaky ReLUs: of content encoder and discriminators, and of the attribute encoder."""


class SharedContentEncoder(nn.Module):
    """Pictures of both domains to one content space: layers of their own, then a shared block and noise.

    Source: DRIT, section 3.1; noise in training only, the first layer without normalisation: decision D68.
    """

    def __init__(self, base_channels: int, residual_blocks: int) -> None:
        super().__init__()
        width = 4 * base_channels
        self.own = nn.ModuleDict(
            {
                domain: nn.Sequential(
                    PaddedConv(3, base_channels, 7, bias=True),
                    nn.LeakyReLU(CONTENT_SLOPE),
                    ConvNormRelu(base_channels, 2 * base_channels, 3, 2, bias=True, affine=False),
                    ConvNormRelu(2 * base_channels, width, 3, 2, bias=True, affine=False),
                    *(ResidualBlock(width, bias=True, affine=False) for _ in range(residual_blocks)),
                )
                for domain in DOMAINS
            }
        )
        self.shared = ResidualBlock(width, bias=True, affine=False)

    def forward(self, x: Tensor, domain: Domain) -> Tensor:
        """Shape: (N, 3, H, W) of one domain -> (N, 4 base_channels, H/4, W/4)."""
        content: Tensor = self.shared(self.own[domain](x))
        return content + torch.randn_like(content) if self.training else content


class Attribute(NamedTuple):
    """What an attribute encoder says of pictures: their codes, or normal distributions of them."""

    mean: Tensor  # (N, code_size)
    log_variance: Tensor | None  # (N, code_size); None: the mean is the code

    def sample(self) -> Tensor:
        """A code for each picture, (N, code_size)."""
        if self.log_variance is None:
            return self.mean
        return self.mean + (self.log_variance / 2).exp() * torch.randn_like(self.mean)


class AttributeEncoder(nn.Module):
    """Pictures to attribute codes, an encoder per domain: with `concat` a distribution, else a code."""

    smallest_px = 16  # four halvings, each of two pixels at least

    def __init__(self, variant: Variant, base_channels: int, code_size: int) -> None:
        super().__init__()
        encoder = DownEncoder if variant == "concat" else StyleEncoder
        self.own = nn.ModuleDict({domain: encoder(base_channels, code_size) for domain in DOMAINS})

    def forward(self, x: Tensor, domain: Domain) -> Attribute:
        """Shape: (N, 3, H, W) of one domain -> mean, and perhaps log variance, (N, code_size)."""
        encoder = self.own[domain]
        found = at_least_float32(encoder(x))
        return Attribute(*found.chunk(2, 1)) if isinstance(encoder, DownEncoder) else Attribute(found, None)


class DownEncoder(nn.Module):
    """Residual blocks that halve, without normalisation, and two linear heads: mean and log variance."""

    def __init__(self, base_channels: int, code_size: int) -> None:
        super().__init__()
        channels = [base_channels * k for k in range(1, 5)]
        self.body = nn.Sequential(
            PaddedConv(3, base_channels, 4, 2, bias=True),
            *(DownBlock(*pair) for pair in zip(channels[:-1], channels[1:], strict=True)),
            nn.LeakyReLU(ATTRIBUTE_SLOPE),
        )
        self.mean = nn.Linear(channels[-1], code_size)
        self.log_variance = nn.Linear(channels[-1], code_size)

    def forward(self, x: Tensor) -> Tensor:
        """Shape: (N, 3, H, W) -> (N, 2 code_size): the means, then the log variances."""
        features = self.body(x).mean((2, 3))
        return torch.cat([self.mean(features), self.log_variance(features)], 1)


class DownBlock(nn.Module):
    """Activation before each of two convolutions, and a halving of body and shortcut by means of 2x2."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.LeakyReLU(ATTRIBUTE_SLOPE),
            PaddedConv(in_channels, in_channels, 3, bias=True),
            nn.LeakyReLU(ATTRIBUTE_SLOPE),
            PaddedConv(in_channels, out_channels, 3, bias=True),
            nn.AvgPool2d(2),
        )
        self.shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(in_channels, out_channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Shape: (N, in, H, W) -> (N, out, H/2, W/2), rounded down."""
        y: Tensor = self.body(x) + self.shortcut(x)
        return y


class TransposedBlock(nn.Sequential):
    """Transposed 3x3 convolution, layer normalisation, ReLU.

    Shape: (N, in, H, W) -> (N, out, 2H, 2W).
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(
            nn.ConvTranspose2d(in_channels, out_channels, 3, 2, padding=1, output_padding=1),
            nn.GroupNorm(1, out_channels, eps=EPSILON),  # one group: all channels and pixels
            nn.ReLU(),
        )


class ConcatGenerator(nn.Module):
    """Content and attribute to pictures of both domains: the code is concatenated before every stage.

    Source: DRIT, section 3.1; the variant for domains whose shapes agree, decision D66.
    """

    def __init__(self, base_channels: int, residual_blocks: int, code_size: int) -> None:
        super().__init__()
        self.code_size = code_size
        width = 4 * base_channels
        self.shared = ResidualBlock(width, bias=True, affine=False)
        self.own = nn.ModuleDict(
            {domain: ConcatDecoder(width, residual_blocks, code_size) for domain in DOMAINS}
        )

    def forward(self, content: Tensor, code: Tensor, domain: Domain) -> Tensor:
        """Shape: content (N, 4 base_channels, H/4, W/4), code (N, code_size) -> (N, 3, H, W).

        Range: [-1, 1].
        """
        picture: Tensor = self.own[domain](self.shared(content), code)
        return picture


class ConcatDecoder(nn.Module):
    """The concatenating generator of one domain, but for the shared block."""

    def __init__(self, width: int, residual_blocks: int, code_size: int) -> None:
        super().__init__()
        first = width + code_size
        second = (first + code_size) // 2
        third = (second + code_size) // 2
        self.blocks = nn.Sequential(
            *(ResidualBlock(first, bias=True, affine=False) for _ in range(residual_blocks))
        )
        self.up1 = TransposedBlock(first + code_size, second)
        self.up2 = TransposedBlock(second + code_size, third)
        self.output = nn.ConvTranspose2d(third + code_size, 3, 1)

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        """Shape: x (N, width, h, w), code (N, code_size) -> (N, 3, 4h, 4w). Range: [-1, 1]."""
        for stage in (self.blocks, self.up1, self.up2, self.output):
            everywhere = code.to(x)[:, :, None, None].expand(-1, -1, *x.shape[2:])
            x = stage(torch.cat([x, everywhere], 1))
        return torch.tanh(at_least_float32(x))


class FeaturewiseGenerator(nn.Module):
    """Content and attribute to pictures of both domains: the code steers every residual block.

    Source: DRIT, appendix (feature-wise transformation); for domains that differ in shape, decision D66.
    """

    def __init__(self, base_channels: int, residual_blocks: int, code_size: int) -> None:
        super().__init__()
        self.code_size = code_size
        width = 4 * base_channels
        self.own = nn.ModuleDict(
            {domain: FeaturewiseDecoder(width, residual_blocks, code_size) for domain in DOMAINS}
        )

    def forward(self, content: Tensor, code: Tensor, domain: Domain) -> Tensor:
        """Shape: content (N, 4 base_channels, H/4, W/4), code (N, code_size) -> (N, 3, H, W).

        Range: [-1, 1].
        """
        picture: Tensor = self.own[domain](content, code)
        return picture


class FeaturewiseDecoder(nn.Module):
    """The feature-wise generator of one domain."""

    def __init__(self, width: int, residual_blocks: int, code_size: int) -> None:
        super().__init__()
        self.mlp = MLP(code_size, width, residual_blocks * width)
        self.blocks = nn.ModuleList(FeaturewiseBlock(width) for _ in range(residual_blocks))
        self.up = nn.Sequential(
            TransposedBlock(width, width // 2),
            TransposedBlock(width // 2, width // 4),
            nn.ConvTranspose2d(width // 4, 3, 1),
        )

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        """Shape: x (N, width, h, w), code (N, code_size) -> (N, 3, 4h, 4w). Range: [-1, 1]."""
        pieces = self.mlp(code).chunk(len(self.blocks), 1)
        for block, piece in zip(self.blocks, pieces, strict=True):
            x = block(x, piece)
        return torch.tanh(at_least_float32(self.up(x)))


class FeaturewiseBlock(nn.Module):
    """Two normalised convolutions around a skip, each followed by a mixing with the code's piece."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1, self.mix1 = self._normalised(width), Mixing(width)
        self.conv2, self.mix2 = self._normalised(width), Mixing(width)

    @staticmethod
    def _normalised(width: int) -> nn.Sequential:
        return nn.Sequential(PaddedConv(width, width, 3, bias=True), nn.InstanceNorm2d(width, eps=EPSILON))

    def forward(self, x: Tensor, piece: Tensor) -> Tensor:
        """Shape: x (N, width, h, w), piece (N, width) -> as x."""
        y = self.mix1(self.conv1(x), piece)
        return x + self.mix2(self.conv2(y), piece)


class Mixing(nn.Module):
    """Two 1x1 convolutions with ReLU over the features and a vector that is the same at every position."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(2 * width, 2 * width, 1)
        self.second = nn.Conv2d(2 * width, width, 1)

    def forward(self, x: Tensor, vector: Tensor) -> Tensor:
        """Shape: x (N, width, h, w), vector (N, width) -> as x."""
        # The vector's part of the first convolution is the same everywhere: it is computed once.
        of_features, of_vector = self.first.weight.chunk(2, 1)
        shift = F.linear(vector, of_vector.flatten(1), self.first.bias)
        hidden = F.relu(F.conv2d(x, of_features) + shift[:, :, None, None])
        return F.relu(self.second(hidden))


class ContentDiscriminator(nn.Module):
    """Tells contents of domain b (1) from those of domain a (0).

    So many 7x7 convolutions with stride 2, then 4x4 and 1x1; no normalisation (decision D68).
    """

    def __init__(self, base_channels: int, layers: int) -> None:
        super().__init__()
        width = 4 * base_channels
        halvings: list[nn.Module] = []
        for _ in range(layers):
            halvings += [HalvingConv(width), nn.LeakyReLU(CONTENT_SLOPE)]
        self.body = nn.Sequential(
            *halvings, nn.Conv2d(width, width, 4), nn.LeakyReLU(CONTENT_SLOPE), nn.Conv2d(width, 1, 1)
        )

    def forward(self, content: Tensor) -> Tensor:
        """Shape: (N, 4 base_channels, h, w) -> logits (N, 1, h', w'); 1x1 for contents of 216-px pictures."""
        logits: Tensor = self.body(content)
        return logits


class HalvingConv(nn.Module):
    """A 7x7 convolution with stride 2, the picture padded by one reflected pixel only."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 7, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Shape: (N, C, h, w) -> (N, C, h', w') with h' = (h - 5) // 2 + 1."""
        y: Tensor = self.conv(reflect(x, (1, 1, 1, 1)))
        return y


def smallest_content_px(layers: int) -> int:
    """The smallest picture side whose content a discriminator with so many 7x7 convolutions accepts."""
    side = 4  # the 4x4 convolution
    for _ in range(layers):
        side = 2 * side + 3
    return 4 * side
