"""AdaLIN, LIN and the ablations' normalisations against plain formulas."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F  # noqa: N812

from ugatit.nn.normalization import EPSILON, DecoderNorm, adaptive_norm, clip_rho

FLOAT64_TOLERANCE = 1e-10
"""Two orders of summation in float64 on a few hundred numbers of size one."""


def random_inputs(seed: int, n: int, channels: int, px: int) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    return (
        draw(n, channels, px, px) * 2 + 0.5,
        draw(n, channels),
        draw(n, channels),
        torch.sigmoid(draw(channels)),
    )


def plain_adaptive_norm(
    x: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor, rho: torch.Tensor, unbiased: bool
) -> torch.Tensor:
    """The paper's formula, picture by picture and channel by channel."""
    out = torch.empty_like(x)
    for n in range(x.shape[0]):
        layer = (x[n] - x[n].mean()) / (x[n].var(unbiased=unbiased) + EPSILON).sqrt()
        for c in range(x.shape[1]):
            instance = (x[n, c] - x[n, c].mean()) / (x[n, c].var(unbiased=unbiased) + EPSILON).sqrt()
            blend = rho[c] * instance + (1 - rho[c]) * layer[c]
            out[n, c] = gamma[n, c] * blend + beta[n, c]
    return out


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 3), st.integers(1, 5), st.integers(2, 7), st.booleans())
def test_equals_the_paper_s_formula(seed: int, n: int, channels: int, px: int, unbiased: bool) -> None:
    x, gamma, beta, rho = random_inputs(seed, n, channels, px)
    expected = plain_adaptive_norm(x, gamma, beta, rho, unbiased)
    torch.testing.assert_close(
        adaptive_norm(x, gamma, beta, rho, unbiased), expected, rtol=0, atol=FLOAT64_TOLERANCE * 100
    )


def test_rho_one_is_instance_normalisation() -> None:
    x, gamma, beta, rho = random_inputs(0, 2, 3, 8)
    expected = gamma[..., None, None] * F.instance_norm(x) + beta[..., None, None]
    result = adaptive_norm(x, gamma, beta, torch.ones_like(rho), unbiased=False)
    torch.testing.assert_close(result, expected, rtol=0, atol=FLOAT64_TOLERANCE)


def test_rho_zero_is_layer_normalisation() -> None:
    x, gamma, beta, rho = random_inputs(1, 2, 3, 8)
    expected = gamma[..., None, None] * F.layer_norm(x, x.shape[1:]) + beta[..., None, None]
    result = adaptive_norm(x, gamma, beta, torch.zeros_like(rho), unbiased=False)
    torch.testing.assert_close(result, expected, rtol=0, atol=FLOAT64_TOLERANCE)


def test_variance_estimators_differ_by_their_known_ratio() -> None:
    x, gamma, _, rho = random_inputs(2, 1, 4, 4)
    zero, one = torch.zeros_like(gamma), torch.ones_like(rho)
    ratio = adaptive_norm(x, gamma, zero, one, unbiased=False) / adaptive_norm(
        x, gamma, zero, one, unbiased=True
    )
    torch.testing.assert_close(ratio, torch.full_like(ratio, (16 / 15) ** 0.5), rtol=1e-4, atol=0)


def test_gradient_is_that_of_the_formula() -> None:
    x, gamma, beta, rho = random_inputs(3, 2, 3, 4)
    gradients = []
    for function in (adaptive_norm, plain_adaptive_norm):
        inputs = [t.clone().requires_grad_() for t in (x, gamma, beta, rho)]
        loss = function(*inputs, True).pow(3).sum()
        gradients.append(torch.autograd.grad(loss, inputs))
    for ours, plain in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, plain, rtol=1e-8, atol=1e-8)


def test_pictures_of_a_batch_do_not_mix() -> None:
    x, gamma, beta, rho = random_inputs(4, 3, 4, 5)
    together = adaptive_norm(x, gamma, beta, rho)
    alone = torch.cat([adaptive_norm(x[i : i + 1], gamma[i : i + 1], beta[i : i + 1], rho) for i in range(3)])
    torch.testing.assert_close(together, alone, rtol=0, atol=FLOAT64_TOLERANCE)


def test_half_precision_is_normalised_in_float32() -> None:
    x, gamma, beta, rho = (t.float() for t in random_inputs(5, 1, 3, 8))
    result = adaptive_norm(x.bfloat16(), gamma, beta, rho)
    assert result.dtype == torch.float32
    torch.testing.assert_close(result, adaptive_norm(x.bfloat16().float(), gamma, beta, rho))


def test_wrong_channels_are_refused() -> None:
    x, gamma, beta, rho = random_inputs(6, 1, 3, 4)
    with pytest.raises(ValueError, match="expected 3 channels"):
        adaptive_norm(x, gamma[:, :2], beta, rho)


def decoder_norm(kind: str, **changes: object) -> DecoderNorm:
    options = {"own_affine": True, "rho_init": 0.9, "rho_smoothing": 0.0, "unbiased": False, "groups": None}
    return DecoderNorm(kind, 4, **{**options, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "reference"),
    [
        ("in", lambda x: F.instance_norm(x)),
        ("ln", lambda x: F.layer_norm(x, x.shape[1:])),
        ("gn", lambda x: F.group_norm(x, 2)),
    ],
)
def test_ablations_are_the_known_normalisations_without_rho(kind, reference) -> None:  # noqa: ANN001
    norm = decoder_norm(kind, groups=2 if kind == "gn" else None)
    assert {name for name, _ in norm.named_parameters()} == {"gamma", "beta"}
    x = random_inputs(7, 2, 4, 6)[0].float()
    torch.testing.assert_close(norm(x), reference(x), rtol=1e-4, atol=1e-5)


def test_affine_from_outside_leaves_only_rho() -> None:
    norm = decoder_norm("adalin", own_affine=False)
    assert {name for name, _ in norm.named_parameters()} == {"rho"}


def test_smoothing_lowers_the_used_rho_and_stops_its_gradient_near_zero() -> None:
    x = random_inputs(8, 1, 4, 6)[0].float()
    smoothed, plain = (
        decoder_norm("adalin", rho_init=1.0, rho_smoothing=0.1),
        decoder_norm("adalin", rho_init=0.9),
    )
    torch.testing.assert_close(smoothed(x), plain(x))
    low = decoder_norm("adalin", rho_init=0.05, rho_smoothing=0.1)
    (low(x) ** 3).sum().backward()
    assert low.rho.grad is not None
    assert not low.rho.grad.any()


def test_clip_rho_reaches_nested_layers_and_only_them() -> None:
    network = torch.nn.Sequential(decoder_norm("adalin"), torch.nn.Sequential(decoder_norm("adalin")))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(1.7)
    clip_rho(network)
    values = {name.split(".")[-1]: float(p.detach().max()) for name, p in network.named_parameters()}
    assert values == {"gamma": pytest.approx(1.7), "beta": pytest.approx(1.7), "rho": 1.0}
