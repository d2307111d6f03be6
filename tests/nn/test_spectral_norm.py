"""Spectral normalisation against PyTorch's own and against the singular value."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils import spectral_norm

from ugatit.nn.spectral_norm import SpectralConv2d, SpectralScale

TOLERANCE = 1e-5
"""Float32: dividing the output or the weight rounds differently."""


def pair() -> tuple[SpectralConv2d, nn.Module]:
    """Our convolution and PyTorch's legacy one with the same weight, bias and vectors."""
    torch.manual_seed(0)
    ours = SpectralConv2d(3, 5, 4, 2, bias=True)
    theirs = spectral_norm(nn.Conv2d(3, 5, 4, 2))
    with torch.no_grad():
        ours.weight.copy_(theirs.weight_orig)
        ours.bias.copy_(theirs.bias)
        ours.u.copy_(theirs.weight_u)
        ours.v.copy_(theirs.weight_v)
    return ours, theirs


def test_training_and_evaluation_follow_pytorch() -> None:
    ours, theirs = pair()
    x = torch.randn(2, 3, 10, 10)
    for _ in range(3):
        torch.testing.assert_close(ours(x), theirs(x), rtol=TOLERANCE, atol=TOLERANCE)
        torch.testing.assert_close(ours.u, theirs.weight_u, rtol=TOLERANCE, atol=TOLERANCE)
    before = ours.u.clone()
    ours.eval()
    theirs.eval()
    torch.testing.assert_close(ours(x), theirs(x), rtol=TOLERANCE, atol=TOLERANCE)
    assert torch.equal(ours.u, before)


def test_gradient_follows_pytorch() -> None:
    ours, theirs = pair()
    x = torch.randn(2, 3, 10, 10)
    for layer in (ours, theirs):
        layer(x).square().sum().backward()
    torch.testing.assert_close(ours.weight.grad, theirs.weight_orig.grad, rtol=1e-4, atol=1e-4)


def test_two_forwards_before_one_backward_keep_their_own_vectors() -> None:
    ours, theirs = pair()
    x, y = torch.randn(1, 3, 10, 10), torch.randn(1, 3, 10, 10)
    for layer in (ours, theirs):
        (layer(x).square().sum() + layer(y).sum()).backward()
    torch.testing.assert_close(ours.weight.grad, theirs.weight_orig.grad, rtol=1e-4, atol=1e-4)


def test_sigma_becomes_the_largest_singular_value() -> None:
    scale = SpectralScale(6, 2, 3, 3)
    torch.nn.init.normal_(scale.weight)
    for _ in range(200):
        sigma = scale.sigma()
    largest = torch.linalg.matrix_norm(scale.weight.flatten(1), ord=2)
    torch.testing.assert_close(sigma, largest, rtol=1e-3, atol=0)


def test_one_row_has_unit_norm_after_one_round() -> None:
    row = SpectralScale(1, 16)
    torch.nn.init.normal_(row.weight)
    normalized = row.weight / row.sigma()
    torch.testing.assert_close(normalized.norm(), torch.tensor(1.0), rtol=TOLERANCE, atol=0)


def test_autocast_leaves_the_power_iteration_in_float32() -> None:
    ours, theirs = pair()
    with torch.autocast("cpu", torch.bfloat16):
        assert ours.sigma().dtype == torch.float32
    theirs(torch.randn(1, 3, 10, 10))
    torch.testing.assert_close(ours.u, theirs.weight_u, rtol=TOLERANCE, atol=TOLERANCE)
