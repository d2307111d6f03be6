"""Encoders and decoders of UNIT and MUNIT: counts, sizes, first weights."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from ugatit.nn.autoencoder_norms import DeviationNorm
from ugatit.nn.autoencoders import MLP, ContentEncoder, Decoder, StyledDecoder, StyleEncoder
from ugatit.nn.initialization import initialize


def count(network: nn.Module) -> int:
    return sum(w.numel() for w in network.parameters())


def test_counts_and_sizes_at_256() -> None:
    with torch.device("meta"):
        content, style = ContentEncoder(64, 4), StyleEncoder(64, 8)
        decoder, styled = Decoder(64, 4), StyledDecoder(64, 4, 8)
        picture = torch.empty(1, 3, 256, 256)
    assert count(content) == 5_385_856
    assert count(style) == 2_764_936
    assert count(decoder) == 5_754_627
    assert count(styled.mlp) == 1_120_768
    assert count(styled) - count(styled.mlp) == 5_754_627
    latent, code = content(picture), style(picture)
    assert latent.shape == (1, 256, 64, 64)
    assert code.shape == (1, 8)
    assert styled.mlp(code).shape == (1, 4096)
    assert decoder(latent).shape == styled(latent, code).shape == (1, 3, 256, 256)


def test_style_takes_shifts_first_then_scales_layer_by_layer() -> None:
    """Without its convolutions the decoder only normalises, shifts and scales."""
    width, blocks = 8, 2
    decoder = StyledDecoder(2, blocks, 8).double()
    pieces = torch.arange(1.0, 1 + blocks * 2 * 2 * width, dtype=torch.float64)
    with torch.no_grad():
        decoder.mlp[-1].weight.zero_()
        decoder.mlp[-1].bias.copy_(pieces)
    decoder.to_picture = nn.Identity()
    for block in decoder.blocks:
        block.conv1 = block.conv2 = nn.Identity()
    content = torch.randn(1, width, 16, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = decoder(content, torch.zeros(1, 8, dtype=torch.float64))

    expected, k = content, 0
    for _ in range(blocks):
        y = expected
        for layer in range(2):
            shift, scale = pieces[k : k + width], pieces[k + width : k + 2 * width]
            variance, mean = torch.var_mean(y, dim=(2, 3), correction=0, keepdim=True)
            y = (y - mean) / (variance + 1e-5).sqrt() * scale[:, None, None] + shift[:, None, None]
            y = y.relu() if layer == 0 else y
            k += 2 * width
        expected = expected + y
    torch.testing.assert_close(found, expected)


def test_style_changes_the_picture_and_content_does_too() -> None:
    decoder = StyledDecoder(2, 1, 8)
    initialize(decoder, "kaiming", 0)
    contents, styles = torch.randn(2, 8, 4, 4), torch.randn(2, 8)
    first = decoder(contents[:1], styles[:1])
    assert not torch.equal(first, decoder(contents[:1], styles[1:]))
    assert not torch.equal(first, decoder(contents[1:], styles[:1]))


def test_kaiming_weights_and_drawn_gains() -> None:
    network = Decoder(16, 2)
    initialize(network, "kaiming", 0)
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.weight.numel() > 10_000:
            fan_in = module.weight[0].numel()
            assert module.weight.std().item() == pytest.approx(math.sqrt(2 / fan_in), rel=0.03)
            assert not module.bias.any()
    gains = torch.cat([m.gamma for m in network.modules() if isinstance(m, DeviationNorm)])
    assert gains.min() >= 0
    assert gains.max() <= 1
    assert gains.mean().item() == pytest.approx(0.5, abs=0.2)
    assert gains.std().item() == pytest.approx(math.sqrt(1 / 12), abs=0.1)
    again = Decoder(16, 2)
    initialize(again, "kaiming", 0)
    assert all(torch.equal(w, v) for w, v in zip(network.parameters(), again.parameters(), strict=True))


def test_normal_convolutions_leave_linear_layers_and_biases_uniform() -> None:
    network = nn.Sequential(MLP(8, 64, 64), nn.Conv2d(16, 64, 5), nn.ConvTranspose2d(64, 32, 3))
    initialize(network, "normal-convolutions", 0)
    linear, convolution, transposed = network[0][2], network[1], network[2]
    assert linear.weight.abs().max().item() == pytest.approx(1 / 8, rel=0.01)
    for layer in (convolution, transposed):
        assert layer.weight.std().item() == pytest.approx(0.02, rel=0.03)
        bound = 1 / math.sqrt(layer.weight[0].numel())
        assert 0 < layer.bias.abs().max().item() <= bound
