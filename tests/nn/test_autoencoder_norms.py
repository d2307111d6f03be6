"""The layer norm of UNIT and MUNIT, and AdaIN: formulas in plain loops, and constant pictures."""

from __future__ import annotations

import pytest
import torch

from ugatit.nn.autoencoder_norms import DeviationNorm, adaptive_instance_norm

FLOAT64_TOLERANCE = 1e-12
"""The same sums of float64 numbers in another order."""


def drawn(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 3 - 1


def test_deviation_norm_is_the_plain_formula() -> None:
    norm = DeviationNorm(3).double()
    with torch.no_grad():
        norm.gamma.copy_(torch.tensor([0.2, 1.0, 3.0]))
        norm.beta.copy_(torch.tensor([0.0, -1.0, 2.0]))
    x = drawn(2, 3, 4, 5)
    for picture, found in zip(x, norm(x), strict=True):
        numbers = picture.flatten().tolist()
        mean = sum(numbers) / 60
        deviation = (sum((v - mean) ** 2 for v in numbers) / 59) ** 0.5
        for channel in range(3):
            expected = (picture[channel] - mean) / (deviation + 1e-5) * norm.gamma[channel] + norm.beta[
                channel
            ]
            torch.testing.assert_close(found[channel], expected, rtol=0, atol=FLOAT64_TOLERANCE)


def test_a_constant_picture_spoils_no_gradient() -> None:
    norm = DeviationNorm(2)
    x = torch.full((1, 2, 4, 4), 0.7, requires_grad=True)
    norm(x).square().sum().backward()
    for gradient in (x.grad, norm.gamma.grad, norm.beta.grad):
        assert gradient is not None
        assert torch.isfinite(gradient).all()


def test_adain_gives_each_channel_its_deviation_and_mean() -> None:
    x, gamma, beta = drawn(2, 3, 6, 6), drawn(2, 3) + 2, drawn(2, 3)
    variance, mean = torch.var_mean(adaptive_instance_norm(x, gamma, beta), dim=(2, 3), correction=0)
    before = torch.var(x, dim=(2, 3), correction=0)
    torch.testing.assert_close(mean, beta, rtol=0, atol=FLOAT64_TOLERANCE)
    torch.testing.assert_close(variance, gamma**2 * before / (before + 1e-5), rtol=1e-12, atol=0)


def test_adain_refuses_shifts_of_another_size() -> None:
    with pytest.raises(ValueError, match=r"expected \(N, C\) = \(2, 3\)"):
        adaptive_instance_norm(drawn(2, 3, 4, 4), drawn(2, 3), drawn(1, 3))
