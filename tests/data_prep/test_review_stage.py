from __future__ import annotations

from dataclasses import replace

import pytest

from data_prep.items import REVIEW, Item
from data_prep.review.decisions import DROP, KEEP, Decision
from data_prep.stages.review import doubt, review
from ugatit.construction import Monochrome, SideStages
from ugatit.errors import UserError
from ugatit.manifest import DROPPED, ERROR, KEPT
from ugatit.params import Params

SMALLEST, SOFTEST, SCORE, C95, R90, DISTANCE = 100, 20.0, 0.9, 10.0, 8.0, 10
"""The limits of the stages in these tests."""

REMEDY = "Run the page."


@pytest.fixture
def stages(params: Params) -> SideStages:
    made = params.construction.b
    colours = Monochrome(mono_c95=5.0, mono_r90=3.0, review_c95=C95, review_r90=R90)
    quality = {"review_side_px": SMALLEST, "min_sharpness": SOFTEST, "monochrome": colours}
    return made.model_copy(
        update={
            "quality": made.quality.model_copy(update=quality),
            "detect": made.detect.model_copy(update={"min_score": SCORE}),
            "dedupe": made.dedupe.model_copy(update={"review_distance": DISTANCE}),
        }
    )


def item(number: int = 0, status: str = KEPT, **columns: object) -> Item:
    """An item far from every limit."""
    made = Item(
        f"{number:016x}", f"{number}.png", "", 1, status, crop=f"crops/{number}.png", crop_px=10 * SMALLEST,
        sharpness=10 * SOFTEST, c95=10 * C95, r90=10 * R90, face_score=1.0,
    )  # fmt: skip
    if status != KEPT:
        made = replace(made, stage="quality", reason="monochrome?: C95 7")
    return replace(made, **columns)  # type: ignore[arg-type]


def decided(verdict: str, *numbers: int, note: str = "") -> dict[str, Decision]:
    ids = [f"{number:016x}" for number in numbers]
    return {i: Decision(i, verdict, "ada", "2026-01-31T12:00:00Z", note) for i in ids}


def outcome(made: Item) -> tuple[str, str, str, str]:
    return made.status, made.stage, made.reason, made.decision


@pytest.mark.parametrize("status", [KEPT, REVIEW, DROPPED, ERROR])
def test_keep_overrides_what_the_stages_found(stages: SideStages, status: str) -> None:
    (made,) = review([item(1, status)], decided(KEEP, 1), False, stages, REMEDY)
    assert outcome(made) == (KEPT, "", "", KEEP)


@pytest.mark.parametrize(("note", "reason"), [("", "by hand"), ("a sketch", "by hand: a sketch")])
@pytest.mark.parametrize("status", [KEPT, REVIEW])
def test_drop_overrides_what_the_stages_found(
    stages: SideStages, status: str, note: str, reason: str
) -> None:
    (made,) = review([item(1, status)], decided(DROP, 1, note=note), False, stages, REMEDY)
    assert outcome(made) == (DROPPED, "review", reason, DROP)


@pytest.mark.parametrize("status", [DROPPED, ERROR])
def test_a_picture_dropped_before_keeps_its_reason(stages: SideStages, status: str) -> None:
    before = item(1, status)
    (made,) = review([before], decided(DROP, 1, note="yes"), False, stages, REMEDY)
    assert outcome(made) == (status, before.stage, before.reason, DROP)


def test_a_picture_without_a_crop_cannot_be_taken_in(stages: SideStages) -> None:
    before = item(1, DROPPED, crop="")
    assert review([before], decided(KEEP, 1), False, stages, REMEDY) == [before]


def test_a_decision_is_about_one_picture_only(stages: SideStages) -> None:
    before = [item(1), item(2), item(3, DROPPED)]
    after = review(before, decided(DROP, 2), False, stages, REMEDY)
    assert [made.status for made in after] == [KEPT, DROPPED, DROPPED]
    assert [made.item_id for made in after] == [made.item_id for made in before]


def test_undecided_pictures_stop_it_with_their_number_and_the_remedy(stages: SideStages) -> None:
    items = [item(1, REVIEW), item(2, REVIEW), item(3, REVIEW), item(4)]
    with pytest.raises(UserError, match=rf"2 pictures wait for a decision, such as 2\.png .*{REMEDY}"):
        review(items, decided(KEEP, 1), False, stages, REMEDY)


def test_auto_drops_what_is_undecided_and_says_why(stages: SideStages) -> None:
    items = [item(1, REVIEW), item(2, REVIEW), item(3), item(4, DROPPED)]
    after = review(items, decided(KEEP, 1), True, stages, REMEDY)
    assert [made.status for made in after] == [KEPT, DROPPED, KEPT, DROPPED]
    assert outcome(after[1]) == (DROPPED, "review", "undecided: monochrome?: C95 7", "")
    assert outcome(after[3]) == (DROPPED, "quality", "monochrome?: C95 7", "")


def test_the_doubt_is_that_from_before_the_decision(stages: SideStages) -> None:
    after = review([item(1), item(2, REVIEW), item(3, crop="")], decided(KEEP, 2), False, stages, REMEDY)
    assert [made.doubt for made in after] == [0.0, 1.0, None]


FROM_BAD_TO_GOOD: dict[str, list[float]] = {
    "crop_px": [0, SMALLEST // 2, SMALLEST, SMALLEST + 1, int(1.5 * SMALLEST), 2 * SMALLEST, 5 * SMALLEST],
    "sharpness": [0, SOFTEST, 1.25 * SOFTEST, 2 * SOFTEST, 9 * SOFTEST],
    "c95": [0, C95, 1.5 * C95, 2 * C95, 9 * C95],
    "r90": [0, R90, 1.5 * R90, 2 * R90, 9 * R90],
    "face_score": [0, SCORE, (1 + SCORE) / 2, 1],
}


@pytest.mark.parametrize("column", FROM_BAD_TO_GOOD)
def test_doubt_falls_from_one_to_zero_as_a_value_gets_better(stages: SideStages, column: str) -> None:
    doubts = [doubt(item(**{column: value}), stages) for value in FROM_BAD_TO_GOOD[column]]
    assert (doubts[0], doubts[1], doubts[-1]) == (1, 1, 0)
    assert doubts == sorted(doubts, reverse=True)  # type: ignore[type-var]
    assert any(0 < value < 1 for value in doubts if value is not None)


def test_the_nearest_limit_makes_the_doubt(stages: SideStages) -> None:
    assert doubt(item(crop_px=SMALLEST * 3 // 2, sharpness=1.25 * SOFTEST), stages) == 0.75


def test_what_looks_like_another_one_is_doubtful(stages: SideStages) -> None:
    assert doubt(item(duplicate_of="0" * 16, distance=DISTANCE), stages) == 1
    assert doubt(item(duplicate_of="0" * 16, distance=2 * DISTANCE), stages) == 0
    assert doubt(item(distance=None), stages) == 0


def test_what_was_not_measured_makes_no_doubt(stages: SideStages) -> None:
    made = item(sharpness=None, c95=None, r90=None, face_score=None)
    assert doubt(made, stages) == 0
    colourless = stages.model_copy(update={"quality": stages.quality.model_copy(update={"monochrome": None})})
    assert doubt(item(c95=0.0, r90=0.0), colourless) == 0
