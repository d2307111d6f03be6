"""The funnel: every picture counted out once, where and why, beside the paper's numbers."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from data_prep.funnel import Step, funnel, summary, write_funnel
from data_prep.items import REVIEW, Item, write_items
from data_prep.review.decisions import DROP, KEEP, Decision
from data_prep.stages.order import SIDE_STAGES
from data_prep.stages.report import write_construction_report
from data_prep.stages.review import review
from tests.data_prep.small_side import item, plain
from ugatit.construction import Side
from ugatit.manifest import DROPPED, ERROR
from ugatit.params import Params

PICTURE = plain(90)
SHA256 = hashlib.sha256(PICTURE).hexdigest()
NAMES: dict[Side, str] = {"a": "selfie", "b": "anime"}


def out(number: int, stage: str, reason: str, status: str = DROPPED) -> Item:
    return item(number, status=status, stage=stage, reason=reason)


ITEMS = [
    out(1, "index", "same file: 7.png"),
    out(2, "decode", "truncated: 5 bytes", ERROR),
    out(3, "decode", "truncated: 9 bytes", ERROR),
    out(4, "decode", "small: 20 px"),
    out(5, "select", "not female: male"),
    out(6, "detect", "no face"),
    out(7, "detect", "several faces: 2"),
    out(8, "detect", "no face"),
    out(9, "review", "undecided: several faces?: 2"),
    out(10, "upscale", "changed since it was indexed", ERROR),
    item(11, split="train"),
    item(12, split="train"),
    item(13, split="test"),
    item(14, split="spare"),
    item(15),
]


def steps_of(items: Sequence[Item], side: Side = "b") -> dict[str, Step]:
    return {step.stage: step for step in funnel({side: items})}


def test_every_stage_has_a_step_and_the_numbers_add_up() -> None:
    steps = funnel({"a": ITEMS[:6], "b": ITEMS})
    for side, count in (("a", 6), ("b", len(ITEMS))):
        own = [step for step in steps if step.side == side]
        assert tuple(step.stage for step in own) == SIDE_STAGES
        assert own[0].taken == count
        for before, after in zip(own, own[1:], strict=False):
            assert before.left == after.taken
        for step in own:
            assert step.taken - step.left == sum(step.reasons.values())
    assert steps[-1].left == 3


def test_each_stage_is_charged_with_what_it_took_out() -> None:
    steps = steps_of(ITEMS)
    assert {stage: step.taken - step.left for stage, step in steps.items()} == {
        "index": 1, "decode": 3, "select": 1, "detect": 3, "crop": 0,
        "quality": 0, "dedupe": 0, "review": 1, "upscale": 1, "split": 2,
    }  # fmt: skip


def test_errors_are_named_and_the_most_frequent_reason_comes_first() -> None:
    steps = steps_of(ITEMS)
    assert list(steps["decode"].reasons.items()) == [("error: truncated", 2), ("small", 1)]
    assert list(steps["detect"].reasons.items()) == [("no face", 2), ("several faces", 1)]
    assert dict(steps["upscale"].reasons) == {"error: changed since it was indexed": 1}


def test_reasons_of_equal_counts_are_in_order_of_their_names() -> None:
    items = [out(number, "detect", reason) for number, reason in enumerate(("c", "a", "b"))]
    assert list(steps_of(items)["detect"].reasons) == ["a", "b", "c"]


def test_good_pictures_without_a_place_are_spare() -> None:
    assert steps_of(ITEMS)["split"].reasons == {"spare": 2}


def test_what_is_doubtful_is_left_until_the_review(params: Params) -> None:
    doubtful = [
        item(number, status=REVIEW, stage="quality", reason="soft?: 5", crop=f"crops/{number}.png")
        for number in range(3)
    ]
    ids = [made.item_id for made in doubtful]
    decisions = {
        ids[0]: Decision(ids[0], KEEP, "ada", "2026-01-31T12:00:00Z"),
        ids[1]: Decision(ids[1], DROP, "ada", "2026-01-31T12:00:00Z", "a sketch"),
    }
    after = review(doubtful, decisions, True, params.construction.b, "")
    steps = steps_of(after)
    assert steps["quality"].left == steps["dedupe"].left == 3
    assert (steps["review"].left, steps["review"].reasons) == (1, {"by hand": 1, "undecided": 1})


def test_a_picture_that_was_taken_in_by_hand_counts_as_never_out(params: Params) -> None:
    dropped = item(1, status=DROPPED, stage="quality", reason="soft: 5", crop="crops/1.png")
    decisions = {dropped.item_id: Decision(dropped.item_id, KEEP, "ada", "2026-01-31T12:00:00Z")}
    steps = steps_of(review([dropped], decisions, False, params.construction.b, ""))
    assert steps["quality"].left == steps["review"].left == 1


def test_the_paper_s_numbers_stand_at_their_stages() -> None:
    paper = {(s.side, s.stage): s.paper for s in funnel({"a": [], "b": []}) if s.paper is not None}
    assert paper == {
        ("a", "index"): 46_836, ("a", "split"): 3_500,
        ("b", "index"): 69_926, ("b", "detect"): 27_023, ("b", "split"): 3_500,
    }  # fmt: skip


def test_the_summary_has_a_line_per_side_with_the_stages_that_took_some() -> None:
    many = [item(number, split="train") for number in range(1_200)]
    assert summary(funnel({"a": many, "b": ITEMS})).splitlines() == [
        "a: 1,200",
        "b: 15 → 14 (index) → 11 (decode) → 10 (select) → 7 (detect) → 6 (review) → 5 (upscale) → 3 (split)",
    ]


def test_the_csv_says_it_for_programs(tmp_path: Path) -> None:
    write_funnel(funnel({"a": [], "b": ITEMS}), NAMES, True, tmp_path / "funnel")
    with (tmp_path / "funnel.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 2 * len(SIDE_STAGES)
    (decode,) = [row for row in rows if (row["side"], row["stage"]) == ("b", "decode")]
    assert decode == {
        "side": "b", "stage": "decode", "in": "14", "out": "3", "left": "11", "paper": "",
        "reasons": "error: truncated 2; small 1",
    }  # fmt: skip
    assert all(int(row["in"]) - int(row["out"]) == int(row["left"]) for row in rows)


def test_the_table_says_it_for_people(tmp_path: Path) -> None:
    write_funnel(funnel({"a": [], "b": ITEMS}), NAMES, True, tmp_path / "funnel")
    lines = (tmp_path / "funnel.md").read_text(encoding="utf-8").splitlines()
    assert "## a: selfie" in lines and "## b: anime" in lines
    assert "| decode | 11 | 3 | error: truncated 2, small 1 |  |" in lines
    assert "| detect | 7 | 3 | no face 2, several faces 1 | 27,023 |" in lines


@pytest.mark.parametrize(
    ("reviewed", "words"), [(True, "Reviewed by hand."), (False, "Not reviewed by hand")]
)
def test_the_table_says_whether_anybody_looked(tmp_path: Path, reviewed: bool, words: str) -> None:
    write_funnel(funnel({"a": [], "b": ITEMS}), NAMES, reviewed, tmp_path / "funnel")
    assert words in (tmp_path / "funnel.md").read_text(encoding="utf-8")


def test_the_figure_opens_and_differs_with_the_numbers(tmp_path: Path) -> None:
    for name, items in (("one", ITEMS), ("two", ITEMS[:8])):
        write_funnel(funnel({"a": [], "b": items}), NAMES, True, tmp_path / name)
        with Image.open(tmp_path / f"{name}.png") as figure:
            assert figure.format == "PNG"
            assert figure.width > figure.height > 300
    assert (tmp_path / "one.png").read_bytes() != (tmp_path / "two.png").read_bytes()


def test_written_twice_the_report_has_the_same_bytes(tmp_path: Path) -> None:
    """Whichever folders it is made from and in."""
    written = []
    for name in ("one", "two"):
        manifests: dict[Side, Path] = {}
        pictures: dict[Side, Path] = {}
        for side, items in (("a", ITEMS[:6]), ("b", ITEMS)):
            key: Side = "a" if side == "a" else "b"
            manifests[key] = tmp_path / name / side / "split.csv"
            pictures[key] = tmp_path / name / side / "pictures"
            pictures[key].mkdir(parents=True)
            for made in items:
                (pictures[key] / made.file).write_bytes(PICTURE)
            write_items(manifests[key], [replace(made, sha256=SHA256) for made in items])
        folder = tmp_path / name / "report"
        text = write_construction_report(manifests, pictures, NAMES, False, folder)
        assert [line[:2] for line in text.splitlines()] == ["a:", "b:"]
        written.append({file.name: file.read_bytes() for file in folder.iterdir()})
    assert written[0] == written[1]
    assert sorted(written[0]) == [
        "funnel.csv", "funnel.md", "funnel.png", "kept_a.png", "kept_b.png", "out_a.png", "out_b.png"
    ]  # fmt: skip
