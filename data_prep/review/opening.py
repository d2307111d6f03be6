"""From a dataset's parameters and what its stages have made so far to what there is to review."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from data_prep.items import read_items
from data_prep.obtain import read_obtained
from data_prep.review.page import Review, ReviewSide
from data_prep.stages.order import SIDE_STAGES
from data_prep.stages.review import NAME, doubt
from ugatit.construction import SIDES, Side
from ugatit.errors import UserError
from ugatit.params import Params
from ugatit.sources import ConstructedSource
from ugatit.strict import nearest

BEFORE_REVIEW = SIDE_STAGES[SIDE_STAGES.index(NAME) - 1]


def open_review(params: Params, dataset: str, reviewer: str | None = None) -> Review:
    """Read the pictures of the sides that have come as far as the review.

    Raises: UserError if the dataset is not constructed, or no side has come so far.
    """
    if dataset not in params.datasets:
        known = ", ".join(params.datasets)
        raise UserError(
            f"unknown dataset {dataset!r}{nearest(dataset, params.datasets)}; params.yaml has: {known}."
        )
    entry = params.datasets[dataset]
    source = entry.source
    if not isinstance(source, ConstructedSource):
        raise UserError(
            f"datasets.{dataset}: is not constructed from raw pictures; there is nothing to review."
        )
    stages = params.construction_of(dataset)
    sides: dict[Side, ReviewSide] = {}
    for side, name in zip(SIDES, entry.domains, strict=True):
        folder = Path(params.paths.data, dataset, "stages", side)
        manifest = folder / f"{BEFORE_REVIEW}.csv"
        if not manifest.exists():
            continue
        raw = source.a if side == "a" else source.b
        limits = stages.a if side == "a" else stages.b
        pictures = Path(read_obtained(Path(params.paths.raw, f"{raw.source}.json")).folder, raw.pictures)
        items = [replace(item, doubt=doubt(item, limits)) for item in read_items(manifest)]
        sides[side] = ReviewSide(name, items, folder, pictures)
    if not sides:
        targets = " ".join(
            f"{Path(params.paths.data, dataset)}/stages/{side}/{BEFORE_REVIEW}.csv" for side in SIDES
        )
        raise UserError(f"{dataset}: nothing to review yet. Run `snakemake --cores all {targets}` first.")
    review = Review(dataset, sides, Path(source.decisions))
    return replace(review, reviewer=reviewer) if reviewer else review
