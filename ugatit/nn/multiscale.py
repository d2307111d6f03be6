"""The multi-scale patch discriminator of UNIT, MUNIT and DRIT."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ugatit.nn.blocks import PaddedConv


class MultiScaleDiscriminator(nn.Module):
    """Independent copies of one patch discriminator, each on pictures half as large as for the one before.

    Convolutions 4x4 with stride 2 and leaky ReLU, no normalisation, then 1x1.
    """

    def __init__(self, base_channels: int, layers: int, scales: int, slope: float) -> None:
        super().__init__()
        self.scales = nn.ModuleList(_patches(base_channels, layers, slope) for _ in range(scales))

    def forward(self, x: Tensor) -> list[Tensor]:
        """Judge pictures.

        Shape: (N, 3, H, W) -> one (N, 1, h, w) per scale; at 256 px with 4 layers 16x16, 8x8, 4x4.
        Range: x in [-1, 1]; output unbounded.
        """
        judged = []
        for k, patches in enumerate(self.scales):
            if k:
                # The border's windows reach over the edge; only what is inside counts.
                x = F.avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False)
            judged.append(patches(x))
        return judged


def smallest_px(layers: int, scales: int) -> int:
    """The smallest multiple of 4 that a discriminator can halve so often, each time two pixels at least."""
    return max(2 ** (layers + scales - 1), 4)


def _patches(base_channels: int, layers: int, slope: float) -> nn.Sequential:
    """The discriminator of one scale."""
    channels = [3, *(base_channels * 2**k for k in range(layers))]
    body: list[nn.Module] = []
    for inside, outside in zip(channels[:-1], channels[1:], strict=True):
        body += [PaddedConv(inside, outside, 4, 2, bias=True), nn.LeakyReLU(slope)]
    return nn.Sequential(*body, nn.Conv2d(channels[-1], 1, 1))
