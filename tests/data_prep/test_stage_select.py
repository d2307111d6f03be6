from __future__ import annotations

from dataclasses import replace

import pytest

from data_prep.items import REVIEW, Item
from data_prep.stages.select import select
from tests.data_prep.small_side import item
from ugatit.construction import Select
from ugatit.manifest import DROPPED, ERROR, KEPT

WANTED = Select(gender="female", exclude=["baby", "child"], female_score=0.9, other_score=0.1)
ANYBODY = WANTED.model_copy(update={"gender": "any"})


def selected(labels: str, settings: Select = WANTED, score: float | None = None, **columns: object) -> Item:
    before = item(labels=labels, **columns)
    (after,) = select([before], settings, {} if score is None else {before.file: score})
    return after


@pytest.mark.parametrize(
    ("labels", "gender", "status", "reason"),
    [
        ("gender=Female;youth", "female", KEPT, ""),
        ("youth;gender=m", "male", DROPPED, "not female: male"),
        ("gender=Male;is_female", "male", DROPPED, "not female: male"),
        ("gender=Robot", "other", DROPPED, "not female: other"),
        ("gender=;youth", "unknown", REVIEW, "gender unknown"),
        ("gender=?", "unknown", REVIEW, "gender unknown"),
        ("", "unknown", REVIEW, "gender unknown"),
    ],
)
def test_the_metadata_tell_who_is_shown(labels: str, gender: str, status: str, reason: str) -> None:
    after = selected(labels)
    assert (after.gender, after.gender_source) == (gender, "metadata")
    assert (after.status, after.reason) == (status, reason)
    assert after.stage == ("" if status == KEPT else "select")


@pytest.mark.parametrize(
    ("labels", "status"),
    [
        ("gender=F;child", DROPPED),
        ("gender=M;baby", DROPPED),
        ("gender=?;baby", DROPPED),
        ("gender=F;?child", KEPT),
        ("gender=F;childlike", KEPT),
        ("gender=Female;hat;child", DROPPED),
    ],
)
@pytest.mark.parametrize("settings", [WANTED, ANYBODY])
def test_excluded_labels_take_a_picture_out(labels: str, status: str, settings: Select) -> None:
    after = selected(labels, settings)
    assert after.status == status
    if status == DROPPED:
        assert after.reason in ("excluded: child", "excluded: baby")


@pytest.mark.parametrize(
    ("score", "gender", "status"),
    [
        (1.0, "female", KEPT),
        (0.9, "female", KEPT),
        (0.8999, "unknown", REVIEW),
        (0.1, "unknown", REVIEW),
        (0.0999, "other", DROPPED),
        (0.0, "other", DROPPED),
    ],
)
def test_a_taggers_score_decides_where_the_metadata_are_silent(
    score: float, gender: str, status: str
) -> None:
    after = selected("gender=", score=score)
    assert (after.gender, after.status) == (gender, status)
    assert after.gender_source == f"tagger: {score:.3f}"


@pytest.mark.parametrize(("labels", "score", "status"), [("gender=F", 0.0, KEPT), ("gender=M", 1.0, DROPPED)])
def test_a_score_does_not_overrule_the_metadata(labels: str, score: float, status: str) -> None:
    after = selected(labels, score=score)
    assert (after.status, after.gender_source) == (status, "metadata")


@pytest.mark.parametrize("labels", ["gender=M", "gender=?", "", "gender=F", "gender=Robot;youth"])
def test_anybody_may_stay(labels: str) -> None:
    assert selected(labels, ANYBODY).status == KEPT
    assert selected(labels, ANYBODY).gender == selected(labels).gender


@pytest.mark.parametrize("status", [DROPPED, ERROR])
def test_what_is_out_stays_as_it_is(status: str) -> None:
    before = item(status=status, stage="decode", reason="truncated", labels="gender=F")
    assert select([before], WANTED, {}) == [before]


def test_order_and_all_else_are_kept() -> None:
    before = [
        item(n, labels=labels, width=n) for n, labels in enumerate(("gender=M", "gender=F", "gender=?"))
    ]
    after = select(before, WANTED, {})
    blank = {"status": KEPT, "stage": "", "reason": "", "gender": "", "gender_source": ""}
    assert [replace(some, **blank) for some in after] == before
