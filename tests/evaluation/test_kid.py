"""KID against torch-fidelity, against plain loops, and on sets whose distance is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, KEY_METRIC_KID_STD, kid_features_to_metric

from ugatit.evaluation import kid as module
from ugatit.evaluation.kid import kid, kid_blocks, kid_full, kid_paper, kid_paper_alpha98, squared_mmd

SAME_SUM = 1e-10
"""Relative; the same float64 terms are added in another order."""

NOISE_OF_ZERO = 1e-12
"""Absolute, for spreads that are zero but for rounding; the values compared are around 1."""


def samples(n: int, dim: int = 6, seed: int = 0, shift: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(shift, 1.0, (n, dim))


def mmd_by_loops(x: np.ndarray, y: np.ndarray) -> float:
    def kernel(a: np.ndarray, b: np.ndarray) -> float:
        return (sum(p * q for p, q in zip(a, b, strict=True)) / len(a) + 1) ** 3

    n, m = len(x), len(y)
    xx = sum(kernel(x[i], x[j]) for i in range(n) for j in range(n) if i != j)
    yy = sum(kernel(y[i], y[j]) for i in range(m) for j in range(m) if i != j)
    xy = sum(kernel(x[i], y[j]) for i in range(n) for j in range(m))
    return xx / (n * (n - 1)) + yy / (m * (m - 1)) - 2 * xy / (n * m)


@pytest.mark.parametrize("seed", [2020, 7])
def test_kid_equals_torch_fidelity(seed: int) -> None:
    fake, real = samples(40, seed=1, shift=0.5), samples(31, seed=2)
    theirs = kid_features_to_metric(
        torch.from_numpy(fake),
        torch.from_numpy(real),
        kid_subsets=20,
        kid_subset_size=15,
        rng_seed=seed,
        verbose=False,
    )
    ours = kid(fake, real, subsets=20, subset_size=15, seed=seed)
    assert ours.value == pytest.approx(theirs[KEY_METRIC_KID_MEAN], rel=SAME_SUM)
    assert ours.plus_minus == pytest.approx(theirs[KEY_METRIC_KID_STD], rel=SAME_SUM)


def test_kid_depends_on_the_seed() -> None:
    fake, real = samples(40, seed=1, shift=0.5), samples(31, seed=2)
    assert kid(fake, real, 5, 15, seed=0).value != kid(fake, real, 5, 15, seed=1).value


def test_single_precision_features_are_computed_in_double_precision() -> None:
    fake, real = samples(12, seed=1).astype(np.float32), samples(12, seed=2).astype(np.float32)
    assert kid_full(fake, real).value == kid_full(fake.astype(np.float64), real.astype(np.float64)).value


def test_unequal_sets_equal_plain_loops() -> None:
    x, y = samples(9, seed=1, shift=0.3), samples(5, seed=2)
    assert squared_mmd(x, y) == pytest.approx(mmd_by_loops(x, y), rel=SAME_SUM)


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = samples(9, seed=1, shift=0.3), samples(5, seed=2)
    whole = squared_mmd(x, y)
    monkeypatch.setattr(module, "CHUNK_ROWS", 4)
    assert squared_mmd(x, y) == pytest.approx(whole, rel=SAME_SUM)


def test_identical_sets_score_below_zero() -> None:
    x = samples(30)
    assert kid_full(x, x).value < 0
    assert kid_blocks(x, x, 10).value < 0
    assert kid_full(x, x).plus_minus is None


def test_subset_of_everything_has_no_spread() -> None:
    fake, real = samples(12, seed=1), samples(12, seed=2)
    value, spread = kid(fake, real, subsets=4, subset_size=12, seed=0)
    assert value == pytest.approx(kid_full(fake, real).value, rel=SAME_SUM)
    assert spread == pytest.approx(0.0, abs=NOISE_OF_ZERO)


def test_blocks_equal_a_plain_loop() -> None:
    fake, real = samples(23, seed=1, shift=0.4), samples(17, seed=2)
    fake_edges, real_edges = [0, 4, 8, 13, 18, 23], [0, 3, 6, 9, 13, 17]
    estimates = [
        mmd_by_loops(fake[fake_edges[k] : fake_edges[k + 1]], real[real_edges[k] : real_edges[k + 1]])
        for k in range(5)
    ]
    mean = sum(estimates) / 5
    error = math.sqrt(sum((e - mean) ** 2 for e in estimates) / 4 / 5)
    value, plus_minus = kid_blocks(fake, real, block_size=5)
    assert value == pytest.approx(mean, rel=SAME_SUM)
    assert plus_minus == pytest.approx(error, rel=SAME_SUM)


def test_one_block_is_the_full_estimate_without_spread() -> None:
    fake, real = samples(8, seed=1), samples(6, seed=2)
    assert kid_blocks(fake, real, block_size=10) == kid_full(fake, real)
    assert kid_paper(fake, real, real, block_size=10).plus_minus is None


def test_paper_protocols_weigh_target_and_source() -> None:
    fake, target, source = samples(30, seed=1), samples(30, seed=2, shift=1.0), samples(28, seed=3, shift=0.2)
    to_target, to_source = kid_blocks(fake, target, 10), kid_blocks(fake, source, 10)
    assert to_target.plus_minus is not None and to_source.plus_minus is not None
    paper = kid_paper(fake, target, source, 10)
    assert paper.value == pytest.approx((to_target.value + to_source.value) / 2, rel=SAME_SUM)
    assert paper.plus_minus == pytest.approx((to_target.plus_minus + to_source.plus_minus) / 2, rel=SAME_SUM)
    later = kid_paper_alpha98(fake, target, source, 10)
    assert later.value == pytest.approx(0.01 * to_target.value + 0.49 * to_source.value, rel=SAME_SUM)
    assert later.plus_minus == pytest.approx(
        0.01 * to_target.plus_minus + 0.49 * to_source.plus_minus, rel=SAME_SUM
    )


def test_copying_the_source_scores_half_the_gap() -> None:
    source, target = samples(400, seed=1), samples(400, seed=2, shift=1.0)
    copies = source[np.random.default_rng(3).permutation(len(source))]
    gap = kid_full(source, target).value
    spread_of_blocks = 0.1
    assert kid_paper(copies, target, source, 10).value == pytest.approx(gap / 2, rel=spread_of_blocks)


def test_blocks_follow_the_given_order() -> None:
    two_kinds = np.concatenate([samples(40, seed=1, shift=1.0), samples(40, seed=2, shift=-1.0)])
    mixed = np.random.default_rng(3).permutation(two_kinds)
    shuffled, spread = kid_blocks(np.random.default_rng(4).permutation(two_kinds), mixed, 10)
    assert spread is not None
    assert kid_blocks(two_kinds, mixed, 10).value > shuffled + 4 * spread


def test_too_few_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="subset of 6 from 5"):
        kid(samples(5), samples(9), subsets=2, subset_size=6, seed=0)
    with pytest.raises(ValueError, match="at least 2"):
        squared_mmd(samples(1), samples(9))
    with pytest.raises(ValueError, match="at least 2"):
        kid_blocks(samples(30), samples(4), block_size=10)
