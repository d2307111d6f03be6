"""Convolution and residual blocks."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ugatit.nn.normalization import EPSILON, DecoderNorm
from ugatit.nn.padding import reflect


class PaddedConv(nn.Module):
    """Reflection padding, then a convolution without padding.

    Shape: (N, in, H, W) -> (N, out, H / stride, W / stride) for odd kernels with padding (kernel - 1) / 2.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int = 1, bias: bool = False):
        super().__init__()
        self.pad = kernel // 2
        self.conv = nn.Conv2d(in_channels, out_channels, kernel, stride, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Pad and convolve."""
        return self.conv(reflect(x, (self.pad, self.pad, self.pad, self.pad)))


class ConvNormRelu(nn.Sequential):
    """Padded convolution, instance normalisation, ReLU: the encoder's layer."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int, stride: int, bias: bool, affine: bool
    ) -> None:
        super().__init__(
            PaddedConv(in_channels, out_channels, kernel, stride, bias),
            nn.InstanceNorm2d(out_channels, eps=EPSILON, affine=affine),
            nn.ReLU(),
        )


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with instance normalisation around a skip; no activation after the sum (D34)."""

    def __init__(self, channels: int, bias: bool, affine: bool) -> None:
        super().__init__()
        self.body = nn.Sequential(
            ConvNormRelu(channels, channels, 3, 1, bias, affine),
            PaddedConv(channels, channels, 3, bias=bias),
            nn.InstanceNorm2d(channels, eps=EPSILON, affine=affine),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Shape: (N, C, H, W) -> the same."""
        return x + self.body(x)


class AdaptiveResidualBlock(nn.Module):
    """A residual block whose two normalisations take gamma and beta from outside.

    Source: section 2, figure 1 (AdaResBlock).
    """

    def __init__(self, channels: int, bias: bool, norm1: DecoderNorm, norm2: DecoderNorm) -> None:
        super().__init__()
        self.conv1 = PaddedConv(channels, channels, 3, bias=bias)
        self.norm1 = norm1
        self.conv2 = PaddedConv(channels, channels, 3, bias=bias)
        self.norm2 = norm2

    def forward(self, x: Tensor, gamma: Tensor | None, beta: Tensor | None) -> Tensor:
        """Shape: x (N, C, H, W); gamma, beta (N, C), or None if the normalisations have their own."""
        y = F.relu(self.norm1(self.conv1(x), gamma, beta))
        return x + self.norm2(self.conv2(y), gamma, beta)


class UpBlock(nn.Module):
    """Nearest-neighbour up-sampling, 3x3 convolution, LIN, ReLU."""

    def __init__(self, in_channels: int, out_channels: int, bias: bool, norm: DecoderNorm) -> None:
        super().__init__()
        self.conv = PaddedConv(in_channels, out_channels, 3, bias=bias)
        self.norm = norm

    def forward(self, x: Tensor) -> Tensor:
        """Shape: (N, in, H, W) -> (N, out, 2H, 2W)."""
        return F.relu(self.norm(self.conv(F.interpolate(x, scale_factor=2, mode="nearest"))))
