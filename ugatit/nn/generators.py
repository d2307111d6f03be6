"""The attention-guided generator of U-GAT-IT."""

from __future__ import annotations

from functools import partial
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ugatit.nn.attention import CAM, Branches
from ugatit.nn.blocks import AdaptiveResidualBlock, ConvNormRelu, PaddedConv, ResidualBlock, UpBlock
from ugatit.nn.normalization import DecoderNorm, Kind
from ugatit.nn.precision import at_least_float32


class GeneratorOutput(NamedTuple):
    """What the generator returns."""

    picture: Tensor  # (N, 3, H, W) in [-1, 1]
    cam_logits: Tensor | None  # (N, 2): average, maximum; None without a classifier
    attention: Tensor  # (N, 1, H/4, W/4): the channel sum of what the decoder reads; with CAM at least 0


class AttentionGenerator(nn.Module):
    """Encoder, CAM attention, gamma/beta MLP and AdaLIN decoder.

    The light version differs in one place: its MLP reads pooled features, so any size divisible by 4 works.

    Source: section 2, figure 1; appendix, generator table; decisions D1, D2, D21, D22, D23.
    """

    def __init__(
        self,
        image_px: int,  # training size; only the full version is bound to it
        base_channels: int,
        residual_blocks: int,  # in the encoder, and as many in the decoder
        light: bool,
        bias: bool,  # biases of convolutions and linear layers
        encoder_affine: bool,  # learned scale and shift of the encoder's instance normalisation
        cam: Literal["full", "bypass", "none"],
        cam_fc: Branches,
        cam_tied: bool,
        decoder_norm: Kind,
        residual_affine: Literal["mlp", "static"],  # where the residual blocks' gamma and beta come from
        gn_groups: int | None,
        rho_init: float,
        rho_smoothing: float,
        unbiased_variance: bool,
    ) -> None:
        super().__init__()
        width = 4 * base_channels
        self.light = light
        self.encoder = nn.Sequential(
            ConvNormRelu(3, base_channels, 7, 1, bias, encoder_affine),
            ConvNormRelu(base_channels, 2 * base_channels, 3, 2, bias, encoder_affine),
            ConvNormRelu(2 * base_channels, width, 3, 2, bias, encoder_affine),
            *(ResidualBlock(width, bias, encoder_affine) for _ in range(residual_blocks)),
        )
        self.cam = None
        if cam != "none":
            self.cam = CAM(
                width, branches=cam_fc, mode=cam, spectral=False, normalized_attention=False, tied=cam_tied
            )
        self.mlp = None
        if residual_affine == "mlp":
            inputs = width if light else width * (image_px // 4) ** 2
            self.mlp = nn.Sequential(
                nn.Linear(inputs, width, bias), nn.ReLU(), nn.Linear(width, width, bias), nn.ReLU()
            )
            self.gamma = nn.Linear(width, width, bias)
            self.beta = nn.Linear(width, width, bias)
        norm = partial(DecoderNorm, decoder_norm, unbiased=unbiased_variance, groups=gn_groups)
        residual_norm = partial(
            norm,
            width,
            own_affine=residual_affine == "static",
            rho_init=rho_init,
            rho_smoothing=rho_smoothing,
        )
        up_norm = partial(norm, own_affine=True, rho_init=0.0, rho_smoothing=0.0)
        self.residual = nn.ModuleList(
            AdaptiveResidualBlock(width, bias, residual_norm(), residual_norm())
            for _ in range(residual_blocks)
        )
        self.up = nn.Sequential(
            UpBlock(width, width // 2, bias, up_norm(width // 2)),
            UpBlock(width // 2, width // 4, bias, up_norm(width // 4)),
        )
        self.output = PaddedConv(base_channels, 3, 7, bias=bias)

    def forward(self, x: Tensor) -> GeneratorOutput:
        """Translate.

        Shape: x (N, 3, H, W), H = W = image_px (light: any multiple of 4).
        Range: x and the returned picture in [-1, 1].
        """
        features = self.encoder(x)  # (N, C, H/4, W/4)
        cam_logits = None
        if self.cam is not None:
            cam_logits, features = self.cam(features)
            if self.cam.mix is not None:
                features = F.relu(features)
        attention = at_least_float32(features).sum(1, keepdim=True)
        gamma, beta = self._affine(features)
        y = features
        for block in self.residual:
            y = block(y, gamma, beta)
        picture = torch.tanh(at_least_float32(self.output(self.up(y))))
        return GeneratorOutput(picture, cam_logits, attention)

    def _affine(self, features: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """Gamma and beta, (N, C), shared by all adaptive blocks; None if the blocks have their own."""
        if self.mlp is None:
            return None, None
        hidden = self.mlp(features.mean((2, 3)) if self.light else features.flatten(1))
        return self.gamma(hidden), self.beta(hidden)
