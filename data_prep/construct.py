"""Run one stage of a construction on one side: from the manifest before it to its own."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_prep.items import Item, read_items, write_items
from data_prep.measuring import Stage, measure_all
from data_prep.metadata import read_scores
from data_prep.obtain import Obtained
from data_prep.review.decisions import read_decisions, unknown
from data_prep.side_tables import note_table
from data_prep.stages.crop import CropStage
from data_prep.stages.decode import DecodeStage, require_few_errors
from data_prep.stages.dedupe import HashStage, dedupe
from data_prep.stages.detect import DetectStage
from data_prep.stages.index import index
from data_prep.stages.quality import QualityStage
from data_prep.stages.review import review
from data_prep.stages.select import select
from data_prep.stages.split import split
from data_prep.stages.upscale import UpscaleStage
from ugatit import construction
from ugatit.sources import RawSide
from ugatit.strict import Strict, check

LOG = logging.getLogger(__name__)

SETTINGS: dict[str, type[Strict]] = {
    "decode": construction.Decode,
    "select": construction.Select,
    "detect": construction.Detect,
    "crop": construction.Crop,
    "quality": construction.Quality,
    "dedupe": construction.Dedupe,
    "review": construction.SideStages,
    "upscale": construction.Upscale,
    "split": construction.Split,
}
"""What each stage's settings are; the index has none, and the review looks at the limits of all."""


@dataclass(frozen=True)
class Work:
    """What a stage is given beside its settings."""

    obtained: Obtained
    side: RawSide
    before: Path | None
    """Manifest of the stage before; the index has none."""
    output: Path
    threads: int
    decisions: Path | None = None
    auto: bool = False
    train: int = 0
    test: int = 0
    dataset: str = ""

    @property
    def root(self) -> Path:
        """The source's folder."""
        return Path(self.obtained.folder)

    @property
    def pictures(self) -> Path:
        """The folder of the side's raw pictures."""
        return self.root / self.side.pictures

    @property
    def folder(self) -> Path:
        """Where manifests, crops and journals are."""
        return self.output.parent


def run_stage(stage: str, settings: dict[str, Any], work: Work) -> list[Item]:
    """Run a stage and write its manifest.

    Raises: UserError as the stage does.
    """
    before = read_items(work.before) if work.before else []
    values: Any = check(SETTINGS[stage], settings, f"settings of {stage}") if stage in SETTINGS else None
    match stage:
        case "index":
            items = index(work.root, work.side, work.threads)
        case "decode":
            items = _measured(DecodeStage(values, work.pictures), before, work)
            require_few_errors(items, values.max_error_share)
        case "select":
            scores = read_scores(work.root / work.side.scores) if work.side.scores else {}
            items = select(before, values, scores)
        case "detect":
            items = _measured(DetectStage(values, work.pictures), before, work)
        case "crop":
            items = _measured(CropStage(values, work.pictures, work.folder), before, work)
        case "quality":
            items = _measured(QualityStage(values, work.folder), before, work)
        case "dedupe":
            items = dedupe(_measured(HashStage(work.folder), before, work), values)
        case "review":
            items = _review(before, values, work)
        case "upscale":
            items = _measured(UpscaleStage(values, work.folder), before, work)
        case "split":
            items = split(before, values, work.train, work.test)
        case _:
            raise ValueError(f"no stage is called {stage!r}")
    note_table(stage, work.side, work.root, work.folder)
    write_items(work.output, items)
    counts = Counter(item.status for item in items)
    LOG.info("%s: %s", work.output, ", ".join(f"{status} {counts[status]:,}" for status in sorted(counts)))
    return items


def _measured(stage: Stage, before: list[Item], work: Work) -> list[Item]:
    return measure_all(stage, before, work.folder / "measured", work.threads)


def _review(before: list[Item], stages: construction.SideStages, work: Work) -> list[Item]:
    """Apply the decisions, naming those that are about no picture of this side."""
    decisions = read_decisions(work.decisions) if work.decisions else {}
    if strangers := unknown(decisions, before):
        LOG.info("review: %d decisions are about pictures of the other side, or gone", len(strangers))
    remedy = f"Decide with `data-prep review {work.dataset}`, or set its source's `auto` to leave them out."
    return review(before, decisions, work.auto, stages, remedy)
