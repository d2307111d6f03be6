"""FID against a closed form and against torch-fidelity, with covariances of full and of deficient rank."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_features_to_statistics, fid_statistics_to_metric

from ugatit.evaluation.fid import fid

EXACT = 1e-12
"""Relative; one decomposition in float64."""

ROOT_OF_ROUNDING = 1e-5
"""Relative; the library takes square roots of eigenvalues that are zero but for rounding of about 1e-16."""


def axis_samples(widths: list[float], mean: float) -> np.ndarray:
    """Samples whose mean is exact and whose covariance is diagonal with the squares of the widths."""
    dim = len(widths)
    scale = np.sqrt((2 * dim - 1) / 2)
    return np.concatenate([np.diag(widths), -np.diag(widths)]) * scale + mean


def test_diagonal_gaussians_have_the_closed_form() -> None:
    a, b = [1.0, 2.0, 0.5], [3.0, 1.0, 0.25]
    expected = 3 * 0.7**2 + sum((p - q) ** 2 for p, q in zip(a, b, strict=True))
    assert fid(axis_samples(a, 0.7), axis_samples(b, 0.0)) == pytest.approx(expected, rel=EXACT)


def test_singular_diagonal_gaussians_have_the_closed_form() -> None:
    a, b = [1.0, 0.0, 0.5], [0.0, 2.0, 0.0]
    expected = sum((p - q) ** 2 for p, q in zip(a, b, strict=True))
    assert fid(axis_samples(a, 0.0), axis_samples(b, 0.0)) == pytest.approx(expected, rel=EXACT)


@pytest.mark.parametrize(("n", "m", "dim"), [(60, 50, 8), (9, 7, 20)], ids=["full rank", "deficient rank"])
def test_equals_torch_fidelity(n: int, m: int, dim: int) -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(0.5, 2.0, (n, dim)), random.normal(0.0, 1.0, (m, dim))
    stats = [fid_features_to_statistics(torch.from_numpy(z)) for z in (x, y)]
    theirs = fid_statistics_to_metric(*stats, verbose=False)[KEY_METRIC_FID]
    assert fid(x, y) == pytest.approx(theirs, rel=ROOT_OF_ROUNDING)


def test_identical_sets_have_no_distance() -> None:
    x = np.random.default_rng(0).normal(size=(12, 30))
    assert fid(x, x) == pytest.approx(0.0, abs=1e-9 * np.square(x).sum())


def test_one_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        fid(np.zeros((1, 3)), np.zeros((5, 3)))
