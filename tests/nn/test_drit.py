"""DRIT's networks: counts, sizes, noise, and what is computed once instead of everywhere."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from ugatit.nn.drit import (
    AttributeEncoder,
    ConcatGenerator,
    ContentDiscriminator,
    FeaturewiseGenerator,
    Mixing,
    SharedContentEncoder,
    smallest_content_px,
)


def count(network: nn.Module) -> int:
    return sum(w.numel() for w in network.parameters())


def test_counts_and_sizes_at_256() -> None:
    with torch.device("meta"):
        content, picture = SharedContentEncoder(64, 3), torch.empty(2, 3, 256, 256)
        concat, featurewise = AttributeEncoder("concat", 64, 8), AttributeEncoder("featurewise", 64, 8)
        generators = ConcatGenerator(64, 3, 8), FeaturewiseGenerator(64, 4, 8)
    assert count(content) == 9_018_112
    assert [count(encoder) for encoder in (concat, featurewise)] == [2_688_160, 5_529_872]
    assert [count(generator) for generator in generators] == [9_564_710, 17_146_374]
    features = content(picture, "a")
    assert features.shape == (2, 256, 64, 64)
    mean, log_variance = concat(picture, "b")
    assert log_variance is not None
    assert mean.shape == log_variance.shape == (2, 8)
    assert featurewise(picture, "a").log_variance is None
    for generator in generators:
        assert generator(features, mean, "b").shape == picture.shape


@pytest.mark.parametrize(("px", "side"), [(216, 1), (212, 1), (256, 2)])
def test_content_discriminator_sizes(px: int, side: int) -> None:
    with torch.device("meta"):
        network, content = ContentDiscriminator(64, 3), torch.empty(1, 256, px // 4, px // 4)
    assert count(network) == 10_683_649
    assert network(content).shape == (1, 1, side, side)
    assert not [module for module in network.modules() if "Norm" in type(module).__name__]


@pytest.mark.parametrize(("layers", "px"), [(0, 16), (1, 44), (2, 100), (3, 212)])
def test_the_smallest_size_works_and_the_next_smaller_does_not(layers: int, px: int) -> None:
    assert smallest_content_px(layers) == px
    network = ContentDiscriminator(1, layers)
    network(torch.zeros(1, 4, px // 4, px // 4))
    with pytest.raises(RuntimeError):
        network(torch.zeros(1, 4, px // 4 - 1, px // 4 - 1))


def test_content_is_noisy_in_training_only_and_its_last_block_is_shared() -> None:
    encoder, picture = SharedContentEncoder(2, 1), torch.rand(1, 3, 16, 16)
    noise = encoder(picture, "a") - encoder.eval()(picture, "a")
    assert noise.std().item() == pytest.approx(1.0, abs=0.3)
    assert torch.equal(encoder(picture, "a"), encoder(picture, "a"))
    assert not torch.equal(encoder(picture, "a"), encoder(picture, "b"))
    encoder.own["b"].load_state_dict(encoder.own["a"].state_dict())
    assert torch.equal(encoder(picture, "a"), encoder(picture, "b"))


def test_attributes_of_the_concatenating_variant_are_drawn_around_their_mean() -> None:
    encoder = AttributeEncoder("concat", 2, 4)
    attribute = encoder(torch.rand(500, 3, 16, 16), "a")
    assert attribute.log_variance is not None
    shares = (attribute.sample() - attribute.mean) / (attribute.log_variance / 2).exp()
    assert shares.std().item() == pytest.approx(1.0, abs=0.1)
    plain = AttributeEncoder("featurewise", 2, 4)(torch.rand(2, 3, 16, 16), "a")
    assert torch.equal(plain.sample(), plain.mean)


def test_mixing_is_two_convolutions_over_features_and_the_broadcast_vector() -> None:
    mixing = Mixing(4).double()
    x, vector = torch.randn(2, 4, 3, 3, dtype=torch.float64), torch.randn(2, 4, dtype=torch.float64)
    both = torch.cat([x, vector[:, :, None, None].expand(-1, -1, 3, 3)], 1)
    expected = F.relu(mixing.second(F.relu(mixing.first(both))))
    torch.testing.assert_close(mixing(x, vector), expected)


@pytest.mark.parametrize("generator", [ConcatGenerator(2, 1, 8), FeaturewiseGenerator(2, 2, 8)])
def test_the_code_changes_the_picture(generator: nn.Module) -> None:
    content, codes = torch.randn(1, 8, 4, 4), torch.randn(2, 1, 8)
    pictures = [generator(content, code, "a") for code in codes]
    assert pictures[0].abs().max() <= 1
    assert not torch.equal(*pictures)
