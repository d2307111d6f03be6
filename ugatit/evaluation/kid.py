"""Kernel Inception distance (KID): each published protocol is a named function, and none clips at zero.

All are unbiased estimates of the squared maximum mean discrepancy under the kernel (x.y / d + 1)^3, so two
sets from one distribution score around zero, below as well as above. Values are not scaled by 100 here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

CHUNK_ROWS = 1024
"""Rows of the kernel matrix that are held at a time; changes no value."""

ALPHA_TARGET, ALPHA_SOURCE = 0.02, 0.98
"""Weights that the authors' metric code has had since 2019-08-15; their sum is halved like the plain mean."""


class Estimate(NamedTuple):
    """A value and its spread; what the spread means depends on the protocol, None if there is none."""

    value: float
    plus_minus: float | None


def kid(fake: np.ndarray, real: np.ndarray, subsets: int, subset_size: int, seed: int) -> Estimate:
    """Mean and standard deviation over random subsets: torch-fidelity's protocol, in float64.

    Shape: fake (N, D), real (M, D).
    Raises: ValueError if a set is smaller than a subset.
    """
    smallest = min(len(fake), len(real))
    if smallest < subset_size:
        raise ValueError(f"subset of {subset_size} from {smallest} samples")
    random = np.random.RandomState(seed)
    values = np.empty(subsets)
    for k in range(subsets):
        some_fake = random.choice(len(fake), subset_size, replace=False)
        some_real = random.choice(len(real), subset_size, replace=False)
        values[k] = squared_mmd(fake[some_fake], real[some_real])
    return Estimate(float(values.mean()), float(values.std()))


def kid_full(fake: np.ndarray, real: np.ndarray) -> Estimate:
    """One estimate from all samples, which needs no seed and has no spread.

    Shape: fake (N, D), real (M, D); N and M may differ.
    """
    return Estimate(squared_mmd(fake, real), None)


def kid_blocks(fake: np.ndarray, real: np.ndarray, block_size: int) -> Estimate:
    """Mean over disjoint blocks in the given order, and its standard error.

    Both sets are cut into as many nearly equal blocks as the larger one needs at `block_size`; the spread is
    None if that is one block. The order must be unrelated to the contents: where neighbours resemble each
    other, the blocks are no fair samples of their set and the value is too high.

    Shape: fake (N, D), real (M, D).
    Raises: ValueError if a block of either set has fewer than two samples.
    Source: decision D30.
    """
    blocks = block_count(len(fake), len(real), block_size)
    pairs = zip(_cut(fake, blocks), _cut(real, blocks), strict=True)
    values = np.array([squared_mmd(some_fake, some_real) for some_fake, some_real in pairs])
    if blocks == 1:
        return Estimate(float(values[0]), None)
    return Estimate(float(values.mean()), float(values.std(ddof=1) / math.sqrt(blocks)))


def kid_paper(fake: np.ndarray, target: np.ndarray, source: np.ndarray, block_size: int) -> Estimate:
    """Mean of the distances to the target and to the source domain, and of their standard errors.

    Most probably what the paper's tables print. A perfect translator and a copy machine both score about half
    the distance between the domains, so the value ranks methods weakly.

    Source: Tables 1 and 3; decision D30.
    """
    return _halved(1.0, kid_blocks(fake, target, block_size), 1.0, kid_blocks(fake, source, block_size))


def kid_paper_alpha98(fake: np.ndarray, target: np.ndarray, source: np.ndarray, block_size: int) -> Estimate:
    """The authors' later weighting, which counts the distance to the *source* 49 times as much.

    For comparison with reproductions that used that code; decision D30.
    """
    to_target, to_source = kid_blocks(fake, target, block_size), kid_blocks(fake, source, block_size)
    return _halved(ALPHA_TARGET, to_target, ALPHA_SOURCE, to_source)


def block_count(n: int, m: int, block_size: int) -> int:
    """Blocks into which `kid_blocks` cuts sets of n and m samples."""
    return math.ceil(max(n, m) / block_size)


def squared_mmd(x: np.ndarray, y: np.ndarray) -> float:
    """Unbiased squared maximum mean discrepancy under the cubic kernel; may be negative.

    Shape: x (N, D), y (M, D), with N and M at least 2.
    Raises: ValueError if a set has fewer samples.
    """
    n, m = len(x), len(y)
    if min(n, m) < 2:
        raise ValueError(f"sets of {n} and {m} samples; each needs at least 2")
    x, y = x.astype(np.float64), y.astype(np.float64)
    return within(x) + within(y) - 2.0 * _kernel_sum(x, y) / (n * m)


def kernel_rows(x: np.ndarray, y: np.ndarray) -> Iterator[np.ndarray]:
    """The kernel of every sample of x with every one of y, some rows at a time.

    Shape: x (N, D), y (M, D), float64 -> pieces (at most CHUNK_ROWS, M) of the N rows.
    """
    for k in range(0, len(x), CHUNK_ROWS):
        yield (x[k : k + CHUNK_ROWS] @ y.T / x.shape[1] + 1.0) ** 3


def self_kernel(x: np.ndarray) -> np.ndarray:
    """The kernel of every sample with itself.

    Shape: (N, D), float64 -> (N,).
    """
    kernel: np.ndarray = (np.einsum("nd,nd->n", x, x) / x.shape[1] + 1.0) ** 3
    return kernel


def within(x: np.ndarray) -> float:
    """Mean of the kernel over all pairs of different samples.

    Shape: (N, D), float64, with N at least 2.
    """
    return (_kernel_sum(x, x) - float(self_kernel(x).sum())) / (len(x) * (len(x) - 1))


def _kernel_sum(x: np.ndarray, y: np.ndarray) -> float:
    """Sum of the kernel over all pairs, without holding the whole matrix."""
    return float(sum(rows.sum() for rows in kernel_rows(x, y)))


def _cut(x: np.ndarray, blocks: int) -> list[np.ndarray]:
    """Cut into consecutive blocks whose sizes differ by at most one, the smaller ones first."""
    size, larger = divmod(len(x), blocks)
    sizes = [size] * (blocks - larger) + [size + 1] * larger
    return np.split(x, np.cumsum(sizes)[:-1])


def _halved(target_weight: float, to_target: Estimate, source_weight: float, to_source: Estimate) -> Estimate:
    """Half the weighted sum of the values, and of the spreads if both have one."""
    value = (target_weight * to_target.value + source_weight * to_source.value) / 2.0
    if to_target.plus_minus is None or to_source.plus_minus is None:
        return Estimate(value, None)
    plus_minus = (target_weight * to_target.plus_minus + source_weight * to_source.plus_minus) / 2.0
    return Estimate(value, plus_minus)
