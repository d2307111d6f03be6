"""Convolution and residual blocks."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ugatit.nn.normalization import EPSILON, DecoderNorm
from ugatit.nn.padding import reflect

Padding = Literal["reflect", "zero"]


class PaddedConv(nn.Module):
    """Reflection padding, then a convolution without padding.

    Shape: (N, in, H, W) -> (N, out, H / stride, W / stride), for odd kernels and for kernel 4 with stride 2.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int = 1, bias: bool = False):
        super().__init__()
        self.pad = (kernel - 1) // 2
        self.conv = nn.Conv2d(in_channels, out_channels, kernel, stride, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Pad and convolve."""
        return self.conv(reflect(x, (self.pad, self.pad, self.pad, self.pad)))


def convolution(
    in_channels: int, out_channels: int, kernel: int, stride: int, bias: bool, padding: Padding
) -> nn.Module:
    """Build a convolution whose padding of kernel // 2 mirrors the picture, or is zero."""
    if padding == "reflect":
        return PaddedConv(in_channels, out_channels, kernel, stride, bias)
    return nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, bias=bias)


class ConvNormRelu(nn.Sequential):
    """Padded convolution, instance normalisation, ReLU: the encoder's layer."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        stride: int,
        bias: bool,
        affine: bool,
        padding: Padding = "reflect",
    ) -> None:
        super().__init__(
            convolution(in_channels, out_channels, kernel, stride, bias, padding),
            nn.InstanceNorm2d(out_channels, eps=EPSILON, affine=affine),
            nn.ReLU(),
        )


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with instance normalisation around a skip.

    There is no activation after the sum (D34), unless `relu_after` asks for one, as AGGAN does.
    """

    def __init__(
        self,
        channels: int,
        bias: bool,
        affine: bool,
        padding: Padding = "reflect",
        relu_after: bool = False,
    ) -> None:
        super().__init__()
        self.relu_after = relu_after
        self.body = nn.Sequential(
            ConvNormRelu(channels, channels, 3, 1, bias, affine, padding),
            convolution(channels, channels, 3, 1, bias, padding),
            nn.InstanceNorm2d(channels, eps=EPSILON, affine=affine),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Shape: (N, C, H, W) -> the same."""
        y = x + self.body(x)
        return F.relu(y) if self.relu_after else y


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
