"""The multi-scale discriminator: sizes of its maps, its scales, and the smallest picture."""

from __future__ import annotations

import pytest
import torch

from ugatit.nn.multiscale import MultiScaleDiscriminator, smallest_px


@pytest.mark.parametrize(("px", "sides"), [(256, [16, 8, 4]), (216, [13, 6, 3]), (64, [4, 2, 1])])
def test_maps_of_the_three_scales(px: int, sides: list[int]) -> None:
    with torch.device("meta"):
        judged = MultiScaleDiscriminator(64, 4, 3, 0.2)(torch.empty(1, 3, px, px))
    assert [tuple(scores.shape) for scores in judged] == [(1, 1, side, side) for side in sides]


def test_counts() -> None:
    with torch.device("meta"):
        network = MultiScaleDiscriminator(64, 4, 3, 0.2)
    assert sum(w.numel() for w in network.parameters()) == 8_271_171
    assert not [module for module in network.modules() if "Norm" in type(module).__name__]


def test_second_scale_sees_means_of_what_is_inside_the_picture() -> None:
    network = MultiScaleDiscriminator(2, 1, 2, 0.2).double()
    x = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    half = torch.empty(1, 3, 4, 4, dtype=torch.float64)
    for row in range(4):
        for column in range(4):
            top, left = max(2 * row - 1, 0), max(2 * column - 1, 0)
            half[..., row, column] = x[..., top : 2 * row + 2, left : 2 * column + 2].mean((2, 3))
    torch.testing.assert_close(network(x)[1], network.scales[1](half))


@pytest.mark.parametrize(("layers", "scales"), [(4, 3), (2, 2), (3, 1)])
def test_the_smallest_size_works_and_half_of_it_does_not(layers: int, scales: int) -> None:
    network, px = MultiScaleDiscriminator(2, layers, scales, 0.2), smallest_px(layers, scales)
    network(torch.zeros(1, 3, px, px))
    with pytest.raises(RuntimeError):
        network(torch.zeros(1, 3, px // 2, px // 2))
