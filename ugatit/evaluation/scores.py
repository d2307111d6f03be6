"""What each translation contributes to kid_full: one number per picture, to sort and to choose by."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import numpy as np

from ugatit.errors import UserError
from ugatit.evaluation.feature_file import Features, require_comparable
from ugatit.evaluation.kid import kernel_rows, self_kernel, within
from ugatit.evaluation.metrics import KID_SCALE
from ugatit.files import write_text

COLUMNS = ("name", "kid_x100")
"""Columns of the CSV: the picture's name without suffix, and its share of kid_full times 100."""


def kid_shares(fake: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Each translation's share of `kid_full`, in float64; their mean is `kid_full`.

    c_i = mean k(f_i, f_j) - 2 mean k(f_i, t_j) + mean k(t_j, t_l), without pairs of a picture with itself:
    low where a translation resembles the target's pictures more than the other translations.

    Shape: fake (N, D), target (M, D), N and M at least 2 -> (N,).
    Raises: ValueError if a set has fewer samples.
    Source: decision D70.
    """
    n, m = len(fake), len(target)
    if min(n, m) < 2:
        raise ValueError(f"sets of {n} and {m} samples; each needs at least 2")
    fake, target = fake.astype(np.float64), target.astype(np.float64)
    with_all = np.concatenate([rows.sum(axis=1) for rows in kernel_rows(fake, fake)])
    to_fakes = (with_all - self_kernel(fake)) / (n - 1)
    to_target = np.concatenate([rows.mean(axis=1) for rows in kernel_rows(fake, target)])
    shares: np.ndarray = to_fakes - 2.0 * to_target + within(target)
    return shares


def score_translations(fakes: Features, target: Features) -> dict[str, float]:
    """Score every translation against the target's real test pictures, by name without suffix.

    Range: shares of kid_full times 100; lower is better, below zero as well as above.
    Raises: UserError if the features cannot be compared, are too few, or two translations share a name.
    """
    require_comparable({"the translations": fakes, "the target": target})
    if min(len(fakes.values), len(target.values)) < 2:
        raise UserError(
            f"found {len(fakes.values)} translations and {len(target.values)} pictures of the target, "
            "expected 2 or more of each. Add pictures."
        )
    scores: dict[str, float] = {}
    for name, share in zip(fakes.names, kid_shares(fakes.values, target.values), strict=True):
        stem = PurePosixPath(name).stem
        if stem in scores:
            raise UserError(f"two translations are called {stem}; a score needs one name each. Rename one.")
        scores[stem] = float(share) * KID_SCALE
    return scores


def write_scores(path: Path, scores: Mapping[str, float]) -> None:
    """Write scores as CSV, in the order given; numbers keep all their digits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows((name, repr(score)) for name, score in scores.items())
    write_text(path, text.getvalue())


def read_scores(path: Path) -> dict[str, float]:
    """Read the scores of translations by name, in the file's order.

    Raises: UserError if the file is missing or no scores.
    """
    path = Path(path)
    remedy = "Write it with `ugatit score`."
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            reader = csv.reader(handle)
            if (header := tuple(next(reader, ()))) != COLUMNS:
                raise UserError(f"{path}: columns {list(header)}; expected {list(COLUMNS)}. {remedy}")
            lines = [(name, float(value)) for name, value in reader]
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; expected scores of translations. {remedy}") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: not readable as scores ({error}). {remedy}") from None
    scores = dict(lines)
    if len(scores) != len(lines) or not all(map(math.isfinite, scores.values())):
        raise UserError(f"{path}: a name stands twice, or a score is not finite. {remedy}")
    return scores
