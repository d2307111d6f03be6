"""Frechet distance of two sets of features (FID), exact for fewer samples than dimensions."""

from __future__ import annotations

import numpy as np


def fid(fake: np.ndarray, real: np.ndarray) -> float:
    """Frechet distance of the Gaussians with the two sets' means and (n - 1) covariances, in float64.

    With F the centred samples over sqrt(n - 1), the covariance is F'F, and the trace of the root of a product
    of two covariances is the sum of the singular values of F1 F2'. No matrix root is needed, so covariances
    of deficient rank are no special case. Few samples bias the value upwards: compare equal counts only.

    Shape: fake (N, D), real (M, D), N and M at least 2.
    Raises: ValueError if a set has fewer samples.
    """
    if min(len(fake), len(real)) < 2:
        raise ValueError(f"sets of {len(fake)} and {len(real)} samples; each needs at least 2")
    mean_fake, root_fake = _mean_and_root(fake)
    mean_real, root_real = _mean_and_root(real)
    between_means = float(np.square(mean_fake - mean_real).sum())
    traces = float(np.square(root_fake).sum() + np.square(root_real).sum())
    cross = float(np.linalg.svd(root_fake @ root_real.T, compute_uv=False).sum())
    return between_means + traces - 2.0 * cross


def _mean_and_root(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean (D), and R (min(N, D), D) with R'R the covariance."""
    x = x.astype(np.float64)
    mean = x.mean(axis=0)
    root: np.ndarray = np.linalg.qr((x - mean) / np.sqrt(len(x) - 1), mode="r")  # type: ignore[assignment]
    return mean, root
