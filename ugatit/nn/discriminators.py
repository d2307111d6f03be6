"""The attention-guided patch discriminator of U-GAT-IT."""

from __future__ import annotations

from typing import Literal, NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ugatit.nn.attention import CAM, Branches
from ugatit.nn.padding import reflect
from ugatit.nn.precision import at_least_float32
from ugatit.nn.spectral_norm import SpectralConv2d

SLOPE = 0.2
"""Negative slope of the leaky ReLU."""

SYMMETRIC, AFTER = (1, 1, 1, 1), (1, 2, 1, 2)
"""Reflection padding (left, right, top, bottom): one on each side, or one before and two after."""


class DiscriminatorOutput(NamedTuple):
    """What the discriminator returns."""

    patches: Tensor  # (N, 1, h, w) raw logits, one per patch
    cam_logits: Tensor | None  # (N, 2): average, maximum; None without a classifier
    attention: Tensor  # (N, 1, h', w'): the channel sum of the attention features


class AttentionDiscriminator(nn.Module):
    """Strided convolutions, CAM attention and a patch classifier, all spectrally normalised but the 1x1.

    `layers` counts all convolutions but the 1x1: 5 sees patches of 70 pixels, 7 of 286.

    Source: section 2, appendix, discriminator tables; decisions D3, D4, D6, D7, D20, D31.
    """

    def __init__(
        self,
        base_channels: int,
        layers: int,
        cam: Literal["full", "bypass", "none"],
        cam_fc: Branches,
        cam_weight: Literal["raw", "normalized"],  # which classifier weights make the attention
        padding: Literal["symmetric", "tf"],  # of the convolutions with stride 1
        classifier_bias: bool,
    ) -> None:
        super().__init__()
        widths = [3, *(base_channels * 2**k for k in range(layers - 1))]
        strides = [2] * (layers - 2) + [1]
        self.padding = SYMMETRIC if padding == "symmetric" else AFTER
        self.body = nn.ModuleList(
            SpectralConv2d(inside, outside, 4, stride, bias=True)
            for inside, outside, stride in zip(widths[:-1], widths[1:], strides, strict=True)
        )
        self.cam = None
        if cam != "none":
            self.cam = CAM(
                widths[-1],
                branches=cam_fc,
                mode=cam,
                spectral=True,
                normalized_attention=cam_weight == "normalized",
                tied=True,
            )
        self.classifier = SpectralConv2d(widths[-1], 1, 4, 1, bias=classifier_bias)

    def forward(self, x: Tensor) -> DiscriminatorOutput:
        """Judge pictures.

        Shape: x (N, 3, H, W). At 256: patches 30x30 (5 layers) or 6x6 (7 layers) with symmetric padding.
        Range: x in [-1, 1]; patches unbounded.
        """
        features = x
        for conv in self.body:
            padding = SYMMETRIC if conv.stride == 2 else self.padding
            features = F.leaky_relu(conv(reflect(features, padding)), SLOPE)
        cam_logits = None
        if self.cam is not None:
            cam_logits, features = self.cam(features)
            if self.cam.mix is not None:
                features = F.leaky_relu(features, SLOPE)
        patches = self.classifier(reflect(features, self.padding))
        return DiscriminatorOutput(patches, cam_logits, at_least_float32(features).sum(1, keepdim=True))


def smallest_px(layers: int) -> int:
    """The smallest picture side that a discriminator with so many layers accepts.

    Its last two convolutions need a map of 3x3, and every strided one halves the side.
    """
    return 3 * 2 ** (layers - 2)
