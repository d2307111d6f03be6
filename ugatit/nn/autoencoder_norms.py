"""The normalisations of UNIT's and MUNIT's decoders: by the deviation of a whole map, and by a style."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ugatit.nn.precision import at_least_float32

EPSILON = 1e-5


class DeviationNorm(nn.Module):
    """Layer normalisation that adds epsilon to the standard deviation instead of the variance.

    Mean and deviation (n - 1) are those of all channels and pixels of a picture; gain and bias are learned
    per channel, and the gain starts uniform in [0, 1].

    Source: the layer norm of UNIT and MUNIT; decision D60.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(channels))
        self.beta = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise.

        Shape: (N, C, H, W) -> the same, float32 or wider. A constant picture has finite gradients.
        """
        x = at_least_float32(x)
        deviation, mean = torch.std_mean(x, dim=(1, 2, 3), correction=1, keepdim=True)  # (N, 1, 1, 1)
        scale = self.gamma[:, None, None] / (deviation + EPSILON)  # (N, C, 1, 1)
        return torch.addcmul(self.beta[:, None, None] - mean * scale, x, scale)


def adaptive_instance_norm(x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
    """Normalise each channel of each picture (variance by n), then scale by gamma and shift by beta (AdaIN).

    Shape: x (N, C, H, W); gamma, beta (N, C). Returns (N, C, H, W), float32 or wider.
    Raises: ValueError if gamma or beta does not match x in N or C.
    Source: Huang and Belongie 2017, equation 8.
    """
    if not gamma.shape == beta.shape == x.shape[:2]:
        raise ValueError(
            f"gamma {tuple(gamma.shape)}, beta {tuple(beta.shape)}; expected (N, C) = {tuple(x.shape[:2])}"
        )
    x = at_least_float32(x)
    variance, mean = torch.var_mean(x, dim=(2, 3), correction=0)  # (N, C)
    scale = gamma * torch.rsqrt(variance + EPSILON)
    return torch.addcmul((beta - mean * scale)[:, :, None, None], x, scale[:, :, None, None])
