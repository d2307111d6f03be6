"""Which datasets the tables ask for: those are built and reported, no others."""

from __future__ import annotations

from typing import Any

import pytest

from ugatit.params import Params, merge, parse
from ugatit.plan import planned_datasets

TABLE = {"caption": "x", "datasets": ["cat2dog"], "models": ["ugatit"], "metrics": ["kid"]}


def change(params: Params, changes: dict[str, Any]) -> Params:
    return parse(merge(params.model_dump(exclude_unset=True), changes))


def test_every_dataset_of_a_table_is_planned_once_in_order_of_the_tables(params: Params) -> None:
    assert planned_datasets(params) == [
        "selfie2anime", "horse2zebra", "cat2dog", "photo2portrait", "photo2vangogh"
    ]  # fmt: skip


def test_a_dataset_of_no_table_is_not_planned(params: Params) -> None:
    assert "selfie2anime-rebuilt" not in planned_datasets(params)
    asked = change(params, {"tables": {"mine": {**TABLE, "datasets": ["selfie2anime-rebuilt"]}}})
    assert planned_datasets(asked)[-1] == "selfie2anime-rebuilt"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"only_dataset": "cat2dog"}, ["cat2dog"]),
        ({"only_dataset": "photo2vangogh, cat2dog"}, ["cat2dog", "photo2vangogh"]),
        ({"only_dataset": "selfie2anime-rebuilt"}, []),
        ({"only_model": "ugatit-gn"}, ["selfie2anime"]),
        ({"only_model": "ugatit-tf"}, []),
        ({"only_model": "ugatit-gn", "only_dataset": "cat2dog"}, []),
    ],
)
def test_a_restriction_leaves_what_some_table_still_plans(
    params: Params, changes: dict[str, Any], expected: list[str]
) -> None:
    assert planned_datasets(change(params, changes)) == expected


def test_translations_made_elsewhere_plan_the_datasets_they_have(params: Params) -> None:
    folders = {"horse2zebra": {"a2b": {"path": "theirs"}}}
    changes = {
        "models": {"theirs": {"label": "x", "external": {"folders": folders, "match": "name"}}},
        "tables": {"mine": {**TABLE, "datasets": ["cat2dog", "horse2zebra"], "models": ["theirs"]}},
        "only_model": "theirs",
    }
    assert planned_datasets(change(params, changes)) == ["horse2zebra"]
