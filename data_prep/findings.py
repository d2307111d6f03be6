"""What a check of a dataset can say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from data_prep.examine import Examined

PROBLEM, WARNING, NOTE = "problem", "warning", "note"
"""To be put right; to be looked at; for information, as the pipeline handles it."""

Pictures = Mapping[str, Sequence[Examined]]
"""The pictures of each split."""


@dataclass(frozen=True)
class Finding:
    """One thing that was found: `kind` is its name for scripts, `where` names every place."""

    severity: str
    kind: str
    what: str
    remedy: str
    where: tuple[str, ...] = ()


def per_split(counts: Mapping[str, int]) -> str:
    """Such as `trainA 3, testB 1`."""
    return ", ".join(f"{split} {count}" for split, count in counts.items())
