"""Stage 8, review: a person's decisions, and what is done about pictures on which there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from data_prep.items import REVIEW, Item
from data_prep.review.decisions import DROP, KEEP, Decision
from ugatit.construction import Detect, Quality, SideStages
from ugatit.errors import UserError
from ugatit.manifest import DROPPED, KEPT

NAME = "review"


def review(
    items: Sequence[Item], decisions: Mapping[str, Decision], auto: bool, stages: SideStages, remedy: str
) -> list[Item]:
    """Apply the decisions, which are by item number; without one, what is doubtful is dropped with `auto`.

    A decision can also drop what is kept, and keep what has a crop but was dropped.

    Raises: UserError if pictures wait for a decision and `auto` is not set; `remedy` says how to decide.
    """
    decided = [
        _decide(replace(item, doubt=doubt(item, stages)), decisions.get(item.item_id)) for item in items
    ]
    waiting = [item for item in decided if item.status == REVIEW]
    if waiting and not auto:
        raise UserError(
            f"review: {len(waiting)} pictures wait for a decision, such as {waiting[0].file} "
            f"({waiting[0].reason}). {remedy}"
        )
    return [
        replace(item, status=DROPPED, stage=NAME, reason=f"undecided: {item.reason}")
        if item.status == REVIEW
        else item
        for item in decided
    ]


def doubt(item: Item, stages: SideStages) -> float | None:
    """How near an item with a crop came to being out, 0 (far) to 1; what waits for a decision is 1.

    The largest of: how small, soft and colourless the crop is, how sure the detector was, and how much it
    looks like another one, each between its limit (1) and twice as far from it (0).
    """
    if not item.crop:
        return None
    if item.status == REVIEW:
        return 1.0
    parts = [*_quality_doubts(item, stages.quality), *_face_doubts(item, stages.detect)]
    if item.distance is not None and item.duplicate_of:
        parts.append(_nearness(item.distance, stages.dedupe.review_distance))
    return round(max(parts), 4)


def _quality_doubts(item: Item, limits: Quality) -> list[float]:
    doubts = [_nearness(item.crop_px or 0, limits.review_side_px)]
    if item.sharpness is not None:
        doubts.append(_nearness(item.sharpness, limits.min_sharpness))
    if limits.monochrome and item.c95 is not None and item.r90 is not None:
        doubts.append(_nearness(item.c95, limits.monochrome.review_c95))
        doubts.append(_nearness(item.r90, limits.monochrome.review_r90))
    return doubts


def _face_doubts(item: Item, limits: Detect) -> list[float]:
    if item.face_score is None or limits.min_score >= 1:
        return [0.0]
    return [min(1.0, max(0.0, (1 - item.face_score) / (1 - limits.min_score)))]


def _nearness(value: float, limit: float) -> float:
    """1 at or below the limit, 0 from twice the limit on."""
    return min(1.0, max(0.0, 2 - value / limit)) if limit > 0 else 0.0


def _decide(item: Item, decision: Decision | None) -> Item:
    if decision is None or not item.crop:
        return item
    item = replace(item, decision=decision.verdict)
    if decision.verdict == DROP and item.alive:
        return item.out(DROPPED, NAME, f"by hand: {decision.note}" if decision.note else "by hand")
    if decision.verdict == KEEP:
        return replace(item, status=KEPT, stage="", reason="")
    return item
