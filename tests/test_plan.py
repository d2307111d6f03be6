"""What tables and sheets ask for."""

from __future__ import annotations

from typing import Any

import pytest

from ugatit import plan
from ugatit.errors import UserError
from ugatit.params import Params, merge, parse

PUBLISHED = {
    "label": "Published",
    "external": {"folders": {"cat2dog": {"a2b": {"path": "theirs"}}}, "match": "name"},
}
CHANGES = {
    "seeds": [0, 3],
    "models": {"published": PUBLISHED},
    "tables": {
        "kid": {"datasets": ["cat2dog", "horse2zebra"], "models": ["ugatit-light", "published"]},
        "kid-equal": {"datasets": ["cat2dog"], "models": ["ugatit-light"]},
    },
    "sheet": {"models": ["published", "ugatit-light", "ugatit-gn"]},
}


@pytest.fixture
def changed(params: Params) -> Params:
    return change(params, {})


def change(params: Params, more: dict[str, Any]) -> Params:
    return parse(merge(merge(params.model_dump(exclude_unset=True), CHANGES), more))


def test_table_needs_every_seed_and_the_reference_rows(changed: Params) -> None:
    assert plan.table_folders(changed, "kid") == [
        "cat2dog/ugatit-light/seed0",
        "cat2dog/ugatit-light/seed3",
        "cat2dog/published",
        "horse2zebra/ugatit-light/seed0",
        "horse2zebra/ugatit-light/seed3",
        "cat2dog/source",
        "cat2dog/real",
        "horse2zebra/source",
        "horse2zebra/real",
    ]


def test_restriction_drops_tables_of_which_nothing_is_left(params: Params) -> None:
    restricted = change(params, {"only_dataset": "cat2dog"})
    layers = [f"architecture-{part}" for part in ("generator", "local-discriminator", "global-discriminator")]
    assert plan.planned_tables(params) == ["kid", "kid-equal", "ablation", "preference", *layers]
    assert plan.planned_tables(restricted) == ["kid", "kid-equal", "preference"]
    assert plan.planned_tables(change(params, {"only_model": "ugatit-light"})) == ["kid", "kid-equal"]
    assert not [folder for folder in plan.table_folders(restricted, "kid") if "horse" in folder]
    with pytest.raises(UserError, match="'ablation': only_dataset and only_model leave nothing"):
        plan.table_folders(restricted, "ablation")


def test_tables_without_metrics_ask_for_no_run(params: Params) -> None:
    assert set(plan.planned_datasets(params)) == set(params.tables["kid"].datasets)
    none = {"kid": {"datasets": ["cat2dog"]}, "ablation": {"datasets": ["cat2dog"]}}
    assert plan.planned_datasets(change(params, {"tables": none})) == ["cat2dog"]
    with pytest.raises(UserError, match="'preference' is of kind preference and needs no metrics"):
        plan.table_folders(params, "preference")


def test_sheet_shows_what_the_tables_plan_and_exists_in_its_direction(changed: Params) -> None:
    light = ("U-GAT-IT light", "cat2dog/ugatit-light/seed0")
    assert plan.sheet_columns(changed, "cat2dog", "a2b") == [("Published", "cat2dog/published"), light]
    assert plan.sheet_columns(changed, "cat2dog", "b2a") == [light]
    assert ("photo2vangogh", "a2b") not in plan.planned_sheets(changed)


def test_kinds_of_models(changed: Params) -> None:
    assert plan.external_models(changed) == ["published"]
    assert "published" not in plan.trained_models(changed)
    assert plan.directions(changed, "cat2dog", "published") == ["a2b"]
    assert plan.directions(changed, "horse2zebra", "published") == []


def test_a_model_may_be_planned_for_some_datasets_only(params: Params) -> None:
    folders = plan.table_folders(params, "kid")
    assert [f for f in folders if "/cartoongan/" in f] == ["selfie2anime/cartoongan/seed0"]
    assert "cat2dog/aggan/seed0" in folders
    everywhere = change(
        params, {"models": {"cartoongan": {"datasets": None}}, "tables": {"kid": {"models": ["cartoongan"]}}}
    )
    assert "cat2dog/cartoongan/seed0" in plan.table_folders(everywhere, "kid")
    with pytest.raises(UserError, match="datasets: unknown name 'cat2dgo'; did you mean 'cat2dog'"):
        change(params, {"models": {"cartoongan": {"datasets": ["cat2dgo"]}}})


def test_pictures_are_compared_at_the_size_of_their_dataset(params: Params) -> None:
    smaller = change(params, {"datasets": {"cat2dog": {"training": {"image_px": 128}}}})
    assert plan.image_px(smaller, "cat2dog") == 128
    assert plan.image_px(smaller, "horse2zebra") == 256
