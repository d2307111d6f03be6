"""Scores of single translations, as the page sorts and filters by them."""

from __future__ import annotations

import csv
import math
from pathlib import Path

from ugatit.errors import UserError

COLUMNS = ["name", "kid_x100"]

MEANING = (
    "Score: the picture's share of kid_full × 100, so the mean over all pictures is kid_full. "
    "Lower is better: nearer to the target's pictures than to the other translations."
)

REMEDY = "Score the translations again."


def read_picture_scores(path: Path) -> dict[str, float]:
    """Scores by the picture's name without ending.

    Raises: UserError if the file holds anything else.
    """
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            reader = csv.reader(handle)
            if (header := next(reader, [])) != COLUMNS:
                raise UserError(f"{path}: columns {header}; expected {COLUMNS}. {REMEDY}")
            scores = {name: float(value) for name, value in reader}
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: not readable as scores ({error}). {REMEDY}") from None
    if wrong := [name for name, score in scores.items() if not math.isfinite(score)]:
        raise UserError(f"{path}: the score of {wrong[0]} is not a finite number. {REMEDY}")
    return scores
