"""Plain networks that carry the registration names of the authors' PyTorch checkpoints."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from torch.nn.utils import spectral_norm

Nets = dict[str, nn.Module]


class ResidualBlock(nn.Module):
    """A residual block of the encoder."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        branch: list[nn.Module] = []
        for _ in range(2):
            conv = nn.Conv2d(channels, channels, 3, bias=False)
            branch += [nn.ReflectionPad2d(1), conv, nn.InstanceNorm2d(channels), nn.ReLU()]
        self.conv_block = nn.Sequential(*branch[:-1])

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv_block(x)


class Blend(nn.Module):
    """AdaLIN, or with own gamma and beta LIN, in the plainest form."""

    def __init__(self, channels: int, rho: float, own_affine: bool) -> None:
        super().__init__()
        self.rho = nn.Parameter(torch.full((1, channels, 1, 1), rho))
        if own_affine:
            self.gamma = nn.Parameter(torch.ones(1, channels, 1, 1))
            self.beta = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x: Tensor, gamma: Tensor | None = None, beta: Tensor | None = None) -> Tensor:
        instance = (x - x.mean((2, 3), True)) / (x.var((2, 3), keepdim=True) + 1e-5).sqrt()
        layer = (x - x.mean((1, 2, 3), True)) / (x.var((1, 2, 3), keepdim=True) + 1e-5).sqrt()
        blend = self.rho * instance + (1 - self.rho) * layer
        if gamma is None or beta is None:
            return blend * self.gamma + self.beta
        return blend * gamma[:, :, None, None] + beta[:, :, None, None]


class AdaptiveBlock(nn.Module):
    """A residual block of the decoder."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, bias=False)
        self.norm1 = Blend(channels, 0.9, own_affine=False)
        self.conv2 = nn.Conv2d(channels, channels, 3, bias=False)
        self.norm2 = Blend(channels, 0.9, own_affine=False)

    def forward(self, x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
        y = self.norm1(self.conv1(reflect(x)), gamma, beta).relu()
        return x + self.norm2(self.conv2(reflect(y)), gamma, beta)


def reflect(x: Tensor) -> Tensor:
    """Pad by one pixel."""
    return F.pad(x, (1, 1, 1, 1), mode="reflect")


def attend(x: Tensor, rows: list[Any], mix: nn.Module) -> Tensor:
    """One weighted copy of the features per row, one above the other, mixed by the 1x1 convolution."""
    return mix(torch.cat([x * row[..., None, None] for row in rows], 1))


class Generator(nn.Module):
    """A generator with the registration names of the authors' checkpoints."""

    def __init__(self, base: int, blocks: int, px: int, light: bool) -> None:
        super().__init__()
        c = 4 * base
        self.light, self.blocks = light, blocks
        self.gap_fc = nn.Linear(c, 1, bias=False)
        self.gmp_fc = nn.Linear(c, 1, bias=False)
        self.conv1x1 = nn.Conv2d(2 * c, c, 1)
        self.gamma = nn.Linear(c, c, bias=False)
        self.beta = nn.Linear(c, c, bias=False)
        for k in range(blocks):
            self.add_module(f"UpBlock1_{k + 1}", AdaptiveBlock(c))
        down: list[nn.Module] = []
        for inside, outside, kernel, stride in ((3, base, 7, 1), (base, 2 * base, 3, 2), (2 * base, c, 3, 2)):
            conv = nn.Conv2d(inside, outside, kernel, stride, bias=False)
            down += [nn.ReflectionPad2d(kernel // 2), conv, nn.InstanceNorm2d(outside), nn.ReLU()]
        self.DownBlock = nn.Sequential(*down, *(ResidualBlock(c) for _ in range(blocks)))
        inputs = c if light else c * (px // 4) ** 2
        self.FC = nn.Sequential(
            nn.Linear(inputs, c, bias=False), nn.ReLU(), nn.Linear(c, c, bias=False), nn.ReLU()
        )
        up: list[nn.Module] = []
        for inside, outside in ((c, c // 2), (c // 2, c // 4)):
            conv = nn.Conv2d(inside, outside, 3, bias=False)
            up += [
                nn.Upsample(scale_factor=2),
                nn.ReflectionPad2d(1),
                conv,
                Blend(outside, 0.0, own_affine=True),
                nn.ReLU(),
            ]
        self.UpBlock2 = nn.Sequential(
            *up, nn.ReflectionPad2d(3), nn.Conv2d(base, 3, 7, bias=False), nn.Tanh()
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = self.DownBlock(x)
        logits = torch.cat([self.gap_fc(x.mean((2, 3))), self.gmp_fc(x.amax((2, 3)))], 1)
        x = attend(x, [self.gap_fc.weight, self.gmp_fc.weight], self.conv1x1).relu()
        heat = x.sum(1, keepdim=True)
        hidden = self.FC(x.mean((2, 3)) if self.light else x.flatten(1))
        gamma, beta = self.gamma(hidden), self.beta(hidden)
        for k in range(self.blocks):
            x = self.get_submodule(f"UpBlock1_{k + 1}")(x, gamma, beta)
        return self.UpBlock2(x), logits, heat


class Discriminator(nn.Module):
    """A discriminator with the registration names of the authors' checkpoints."""

    def __init__(self, base: int, layers: int) -> None:
        super().__init__()
        widths = [3, *(base * 2**k for k in range(layers - 1))]
        c = widths[-1]
        self.gap_fc = spectral_norm(nn.Linear(c, 1, bias=False))
        self.gmp_fc = spectral_norm(nn.Linear(c, 1, bias=False))
        self.conv1x1 = nn.Conv2d(2 * c, c, 1)
        self.conv = spectral_norm(nn.Conv2d(c, 1, 4, bias=False))
        body: list[nn.Module] = []
        for k in range(layers - 1):
            conv = nn.Conv2d(widths[k], widths[k + 1], 4, 1 if k == layers - 2 else 2)
            body += [nn.ReflectionPad2d(1), spectral_norm(conv), nn.LeakyReLU(0.2)]
        self.model = nn.Sequential(*body)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = self.model(x)
        logits = torch.cat([self.gap_fc(x.mean((2, 3))), self.gmp_fc(x.amax((2, 3)))], 1)
        x = F.leaky_relu(attend(x, [self.gap_fc.weight_orig, self.gmp_fc.weight_orig], self.conv1x1), 0.2)
        return self.conv(reflect(x)), logits, x.sum(1, keepdim=True)


def reference(
    light: bool, base: int = 4, blocks: int = 4, px: int = 96, depths: tuple[int, int] = (7, 5)
) -> Nets:
    """The six networks of the authors' file, in its order."""
    torch.manual_seed(0)
    wide, narrow = depths
    return {
        "genA2B": Generator(base, blocks, px, light),
        "genB2A": Generator(base, blocks, px, light),
        "disGA": Discriminator(base, wide),
        "disGB": Discriminator(base, wide),
        "disLA": Discriminator(base, narrow),
        "disLB": Discriminator(base, narrow),
    }
