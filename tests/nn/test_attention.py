"""The auxiliary classifier and its attention against the plain construction."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from ugatit.nn.attention import CAM
from ugatit.nn.initialization import initialize

TOLERANCE = 1e-5
"""Float32: the merged kernel sums the same products in another order."""


def build(channels: int = 8, **changes: object) -> CAM:
    options = {
        "branches": "separate",
        "mode": "full",
        "spectral": False,
        "normalized_attention": False,
        "tied": True,
    }
    torch.manual_seed(1)
    cam = CAM(channels, **{**options, **changes})  # type: ignore[arg-type]
    for parameter in cam.parameters():
        torch.nn.init.normal_(parameter)
    return cam


def features() -> torch.Tensor:
    return torch.randn(2, 8, 5, 5, generator=torch.Generator().manual_seed(2))


def plain(cam: CAM, x: torch.Tensor, row_average: torch.Tensor, row_max: torch.Tensor) -> torch.Tensor:
    """Two weighted copies, one above the other, and a 1x1 convolution."""
    assert cam.mix is not None
    return cam.mix(torch.cat([x * row_average[..., None, None], x * row_max[..., None, None]], dim=1))


def test_separate_branches() -> None:
    cam, x = build(), features()
    logits, attended = cam(x)
    assert cam.maximum is not None
    expected = torch.cat(
        [F.linear(x.mean((2, 3)), cam.average.weight), F.linear(x.amax((2, 3)), cam.maximum.weight)], 1
    )
    torch.testing.assert_close(logits, expected, rtol=TOLERANCE, atol=TOLERANCE)
    torch.testing.assert_close(
        attended, plain(cam, x, cam.average.weight, cam.maximum.weight), rtol=TOLERANCE, atol=TOLERANCE
    )


def test_shared_branch_adds_its_bias_to_logits_and_to_every_attention_weight() -> None:
    cam, x = build(branches="shared"), features()
    logits, attended = cam(x)
    weight, bias = cam.average.weight, cam.bias
    assert bias is not None
    expected = torch.cat([F.linear(x.mean((2, 3)), weight, bias), F.linear(x.amax((2, 3)), weight, bias)], 1)
    torch.testing.assert_close(logits, expected, rtol=TOLERANCE, atol=TOLERANCE)
    torch.testing.assert_close(
        attended, plain(cam, x, weight + bias, weight + bias), rtol=TOLERANCE, atol=TOLERANCE * 10
    )


@pytest.mark.parametrize("normalized", [False, True])
def test_scaling_a_normalised_classifier_moves_only_raw_attention(normalized: bool) -> None:
    cam, x = build(spectral=True, normalized_attention=normalized), features()
    cam.train()(x)
    cam.eval()
    logits, attended = cam(x)
    with torch.no_grad():
        cam.average.weight.mul_(3)
    scaled_logits, scaled_attended = cam(x)
    torch.testing.assert_close(scaled_logits, logits, rtol=TOLERANCE, atol=TOLERANCE)
    assert torch.allclose(scaled_attended, attended, atol=1e-4) == normalized


def test_untied_attention_and_classifier_do_not_train_each_other() -> None:
    cam, x = build(branches="shared", tied=False), features()
    logits, _ = cam(x)
    logits.sum().backward()
    assert cam.untied is not None
    assert cam.untied.weight.grad is None
    cam.zero_grad()
    _, attended = cam(x)
    attended.sum().backward()
    assert cam.average.weight.grad is None
    assert cam.untied.weight.grad is not None


def test_untied_attention_starts_as_glorots_dense_layer_does() -> None:
    cam = build(branches="shared", tied=False, channels=2000)
    initialize(cam, "normal", 0)
    assert cam.untied is not None
    bound = math.sqrt(6 / 2001)
    assert bound * 0.99 < cam.untied.weight.abs().max() < bound
    assert cam.untied.weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.05)
    assert cam.untied.bias == 0
    assert cam.average.weight.std().item() == pytest.approx(0.02, rel=0.05)


def test_bypass_classifies_and_passes_the_features_on() -> None:
    cam, x = build(mode="bypass"), features()
    logits, attended = cam(x)
    assert logits.shape == (2, 2)
    assert attended is x
    assert cam.mix is None
    assert build(mode="bypass", tied=False).untied is None
