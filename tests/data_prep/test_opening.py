"""From the parameters of a constructed dataset to what there is to review."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from data_prep.items import REVIEW, Item, write_items
from data_prep.obtain import obtain
from data_prep.review.opening import open_review
from data_prep.stages.review import doubt
from tests.conftest import ROOT
from tests.data_prep.small_side import item, plain
from ugatit.construction import Side
from ugatit.errors import UserError
from ugatit.manifest import DROPPED, ERROR
from ugatit.params import Params, load

DATASET = "mine"
CROP_PX = {"a": 100, "b": 300}
"""Sides of the crops: the first is near the limit of what is doubtful."""


def items(side: str) -> list[Item]:
    """One kept, one doubtful, one dropped with a crop, one without."""
    crops = [{"crop": f"crops/{k}.png", "crop_px": CROP_PX[side], "sharpness": 500.0} for k in range(3)]
    return [
        item(1, **crops[0]),
        item(2, status=REVIEW, stage="quality", reason="soft?: 25", **crops[1]),
        item(3, status=DROPPED, stage="dedupe", reason="duplicate: 1", **crops[2]),
        item(4, status=ERROR, stage="decode", reason="truncated"),
    ]


def parameter_file(tmp_path: Path) -> Path:
    """An overlay with a constructed dataset whose raw pictures are all in one folder of the user's."""
    sides = {
        side: {"source": "faces", "pictures": side, "metadata": f"{side}.csv", "format": "table"}
        for side in "ab"
    }
    file = tmp_path / "mine.yaml"
    values = {
        "paths": {"raw": str(tmp_path / "raw"), "data": str(tmp_path / "data")},
        "sources": {"faces": {"path": str(tmp_path / "faces")}},
        "datasets": {
            DATASET: {
                "domains": ["selfie", "anime"],
                "source": {
                    "kind": "constructed", **sides, "auto": False, "decisions": str(tmp_path / "decisions.csv"),
                    "stages": {"a": {"quality": {"review_side_px": 90}}},
                },
                "pictures": {"trainA": 2, "trainB": 2, "testA": 1, "testB": 1},
            }
        },
    }  # fmt: skip
    file.write_text(yaml.safe_dump(values))
    return file


def come_so_far(tmp_path: Path, sides: Sequence[str] = "ab") -> None:
    """Raw pictures with their record, and the manifests of the stage before the review."""
    for side in "ab":
        (tmp_path / "faces" / side).mkdir(parents=True, exist_ok=True)
        (tmp_path / "faces" / side / "1.png").write_bytes(plain(1))
    mine = load(ROOT / "params.yaml", [parameter_file(tmp_path)])
    obtain("faces", mine.sources["faces"], tmp_path / "raw")
    for side in sides:
        write_items(tmp_path / "data" / DATASET / "stages" / side / "dedupe.csv", items(side))


@pytest.fixture
def mine(tmp_path: Path) -> Params:
    return load(ROOT / "params.yaml", [parameter_file(tmp_path)])


def test_both_sides_are_opened_with_their_names_and_places(mine: Params, tmp_path: Path) -> None:
    come_so_far(tmp_path)
    opened = open_review(mine, DATASET, "ada")
    assert (opened.dataset, opened.reviewer) == (DATASET, "ada")
    assert opened.decisions == tmp_path / "decisions.csv"
    assert {side: part.name for side, part in opened.sides.items()} == {"a": "selfie", "b": "anime"}
    for side, part in opened.sides.items():
        assert part.folder == tmp_path / "data" / DATASET / "stages" / side
        assert part.pictures == tmp_path / "faces" / side
        assert [made.file for made in part.items] == [made.file for made in items(side)]


def test_pictures_have_their_doubt_by_the_dataset_s_own_limits(mine: Params, tmp_path: Path) -> None:
    come_so_far(tmp_path)
    opened = open_review(mine, DATASET)
    side: Side = "a"
    limits = mine.construction_of(DATASET).a
    assert limits.quality.review_side_px != mine.construction.a.quality.review_side_px
    found = [made.doubt for made in opened.sides[side].items]
    assert found == [doubt(made, limits) for made in items(side)]
    assert found != [doubt(made, mine.construction.a) for made in items(side)]
    assert found[1] == 1.0 and found[3] is None


def test_a_side_that_has_come_so_far_can_be_reviewed_alone(mine: Params, tmp_path: Path) -> None:
    come_so_far(tmp_path, "b")
    assert list(open_review(mine, DATASET).sides) == ["b"]


def test_before_any_side_has_come_so_far_the_command_is_told(mine: Params, tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        open_review(mine, DATASET)
    folder = tmp_path / "data" / DATASET / "stages"
    assert str(error.value) == (
        f"{DATASET}: nothing to review yet. "
        f"Run `snakemake --cores all {folder}/a/dedupe.csv {folder}/b/dedupe.csv` first."
    )


def test_without_a_name_the_user_is_the_reviewer(
    mine: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "grace")
    come_so_far(tmp_path)
    assert open_review(mine, DATASET).reviewer == "grace"


def test_a_dataset_of_finished_pictures_has_nothing_to_review(mine: Params) -> None:
    with pytest.raises(UserError, match=r"datasets\.cat2dog: is not constructed .*nothing to review"):
        open_review(mine, "cat2dog")


def test_an_unknown_dataset_is_told_with_the_nearest_name(mine: Params) -> None:
    with pytest.raises(UserError, match="unknown dataset 'selfie2anime-rebuild'; did you mean "
                       "'selfie2anime-rebuilt'"):  # fmt: skip
        open_review(mine, "selfie2anime-rebuild")


def test_a_missing_record_of_the_raw_pictures_is_named(mine: Params, tmp_path: Path) -> None:
    come_so_far(tmp_path)
    (tmp_path / "raw/faces.json").unlink()
    with pytest.raises(UserError, match=r"raw/faces\.json: no such file.*`data-prep fetch`"):
        open_review(mine, DATASET)


def test_a_damaged_manifest_is_named(mine: Params, tmp_path: Path) -> None:
    come_so_far(tmp_path)
    (tmp_path / "data" / DATASET / "stages/b/dedupe.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match=r"stages/b/dedupe\.csv: not the columns"):
        open_review(mine, DATASET)
