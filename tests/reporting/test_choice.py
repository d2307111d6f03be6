"""The rules by which figures choose their pictures."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reporting.small_results import write_scores
from ugatit.errors import UserError
from ugatit.manifest import KEPT, Picture
from ugatit.reporting.choice import AtRandom, ByScore, Fixed, choose, row_count, rule
from ugatit.reporting.sheet import choose_pictures

PICTURES = [Picture("testA", f"p{k}.jpg", "", "", "", "", 1, 1, KEPT, "", "") for k in range(7)]
SCORES = {"p0": 3.0, "p1": 1.0, "p2": 7.0, "p3": 2.0, "p4": 5.0, "p5": 4.0, "p6": 6.0}


def stems(choice: Fixed | AtRandom | ByScore, scores: Path | None = None) -> list[str]:
    return [picture.stem for picture in choose(PICTURES, choice, "cats", scores)]


def test_fixed_names_keep_their_order() -> None:
    choice = Fixed(by="id", ids={"cats": ["p4", "p1"]})
    assert stems(choice) == ["p4", "p1"]
    assert row_count(choice, "cats") == 2
    assert "fixed names" in rule(choice, "")


def test_a_name_that_is_no_test_picture_is_refused() -> None:
    with pytest.raises(UserError, match="'p44' is no test picture of cats; did you mean 'p4'"):
        stems(Fixed(by="id", ids={"cats": ["p44"]}))


def test_random_pictures_are_those_of_the_sheets() -> None:
    choice = AtRandom(by="random", rows=3, seed=5)
    assert stems(choice) == [p.stem for p in choose_pictures(PICTURES, 3, 5)]
    assert rule(choice, "") == "Test pictures chosen at random with seed 5, 3 per dataset."


@pytest.mark.parametrize(
    ("places", "rows", "expected"),
    [
        (["best"], 2, ["p1", "p3"]),
        (["median"], 1, ["p5"]),
        (["median"], 3, ["p0", "p5", "p4"]),
        (["worst"], 2, ["p6", "p2"]),
        (["best", "median", "worst"], 3, ["p1", "p5", "p2"]),
    ],
)
def test_places_by_score(tmp_path: Path, places: list[str], rows: int, expected: list[str]) -> None:
    write_scores(tmp_path / "a2b.csv", SCORES)
    choice = ByScore.model_validate({"by": "score", "model": "ugatit", "rows": rows, "places": places})
    assert stems(choice, tmp_path / "a2b.csv") == expected
    assert f"of Ours: {rows // len(places)} {places[0]}" in rule(choice, "Ours")


def test_rows_that_cannot_be_divided_among_the_places_are_refused() -> None:
    with pytest.raises(ValueError, match="rows 4 cannot be divided evenly among 3 places"):
        ByScore.model_validate(
            {"by": "score", "model": "m", "rows": 4, "places": ["best", "median", "worst"]}
        )


def test_scores_of_too_few_pictures_and_other_files_are_refused(tmp_path: Path) -> None:
    choice = ByScore.model_validate({"by": "score", "model": "m", "rows": 2, "places": ["best"]})
    write_scores(tmp_path / "few.csv", {"p0": 1.0, "other": 0.0})
    with pytest.raises(UserError, match="scores of 1 test pictures, expected 2 or more"):
        stems(choice, tmp_path / "few.csv")
    (tmp_path / "wrong.csv").write_text("name,score\np0,1\n")
    with pytest.raises(UserError, match="columns"):
        stems(choice, tmp_path / "wrong.csv")
    (tmp_path / "text.csv").write_text("name,kid_x100\np0,high\n")
    with pytest.raises(UserError, match="not readable"):
        stems(choice, tmp_path / "text.csv")
