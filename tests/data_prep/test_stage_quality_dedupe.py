from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data_prep.drawing import anime, spoiling
from data_prep.items import REVIEW, Item
from data_prep.likeness import perceptual_hash
from data_prep.measuring import measure_all
from data_prep.stages.dedupe import HashStage, dedupe
from data_prep.stages.quality import QualityStage
from tests.data_prep.small_side import item
from ugatit.construction import Dedupe, Monochrome, Quality
from ugatit.images import write_png
from ugatit.manifest import DROPPED, ERROR, KEPT

COLOURS = Monochrome(mono_c95=6.0, mono_r90=3.0, review_c95=10.0, review_r90=7.0)
LIMITS = Quality(min_side_px=64, review_side_px=96, min_sharpness=20.0, monochrome=COLOURS)

GOOD = {"crop": "a.png", "crop_px": 200, "sharpness": 300.0, "c95": 40.0, "r90": 15.0}

DISTANCES = Dedupe(drop_distance=4, review_distance=10)


def judged(limits: Quality = LIMITS, **columns: object) -> tuple[str, str]:
    after = QualityStage(limits, Path()).decide(item(**{**GOOD, **columns}))
    assert after.stage == ("" if after.status == KEPT else "quality")
    return after.status, after.reason


@pytest.mark.parametrize(
    ("columns", "status", "reason"),
    [
        ({}, KEPT, ""),
        ({"crop_px": 96}, KEPT, ""),
        ({"crop_px": 95}, REVIEW, "small face?: 95 px, better 96"),
        ({"crop_px": 64}, REVIEW, "small face?: 64 px, better 96"),
        ({"crop_px": 63}, DROPPED, "small face: 63 px, at least 64"),
        ({"sharpness": 20.0}, KEPT, ""),
        ({"sharpness": 19.9999}, DROPPED, "soft: 19.9999, at least 20.0"),
        ({"c95": 5.9}, DROPPED, "monochrome: C95 5.9, R90 15.0"),
        ({"r90": 2.9}, DROPPED, "monochrome: C95 40.0, R90 2.9"),
        ({"c95": 9.9}, REVIEW, "monochrome?: C95 9.9, R90 15.0"),
        ({"r90": 6.9}, REVIEW, "monochrome?: C95 40.0, R90 6.9"),
        ({"c95": 10.0, "r90": 7.0}, KEPT, ""),
        ({"crop_px": 63, "c95": 0.0}, DROPPED, "small face: 63 px, at least 64"),
    ],
)
def test_limits_decide(columns: dict[str, object], status: str, reason: str) -> None:
    assert judged(**columns) == (status, reason)


def test_without_a_limit_of_colour_grey_pictures_stay() -> None:
    assert judged(LIMITS.model_copy(update={"monochrome": None}), c95=0.0, r90=0.0) == (KEPT, "")


@pytest.mark.parametrize("status", [DROPPED, ERROR])
def test_what_is_out_keeps_its_reason(status: str) -> None:
    before = item(**{**GOOD, "crop_px": 1}, status=status, stage="detect", reason="several faces: 2")
    assert QualityStage(LIMITS, Path()).decide(before) == before


def test_crops_are_measured_even_if_they_are_out(tmp_path: Path) -> None:
    rgb = anime.specimen()
    pictures = {"a.png": rgb, "grey.png": spoiling.grey(rgb), "soft.png": spoiling.blur(rgb)}
    for name, picture in pictures.items():
        write_png(tmp_path / name, picture)
    before = [item(n, crop=name, crop_px=256) for n, name in enumerate(pictures)]
    before += [replace(before[0], status=DROPPED, stage="crop"), item(9, status=DROPPED)]
    after = measure_all(QualityStage(LIMITS, tmp_path), before, tmp_path / "measured", 1)
    assert [made.status for made in after] == [KEPT, DROPPED, DROPPED, DROPPED, DROPPED]
    assert [made.reason.partition(":")[0] for made in after[1:3]] == ["monochrome", "soft"]
    assert (after[3].sharpness, after[3].c95) == (after[0].sharpness, after[0].c95)
    assert after[4] == before[4]
    for changed in ({"min_sharpness": 1e9}, {"monochrome": None}, {"min_side_px": 1}):
        stage = QualityStage(LIMITS.model_copy(update=changed), tmp_path / "gone")
        again = measure_all(stage, before, tmp_path / "measured", 1)
        assert [made.sharpness for made in again] == [made.sharpness for made in after]


def test_every_crop_is_hashed(tmp_path: Path) -> None:
    rgb = anime.specimen()
    write_png(tmp_path / "a.png", rgb)
    write_png(tmp_path / "smaller.png", np.asarray(Image.fromarray(rgb).resize((128, 128))))
    write_png(tmp_path / "flat.png", np.full((64, 64, 3), 9, dtype=np.uint8))
    before = [
        item(1, crop="a.png", crop_px=256),
        item(2, crop="smaller.png", crop_px=128, status=DROPPED),
        item(3, crop="flat.png", crop_px=64),
        item(4, status=DROPPED),
    ]
    after = measure_all(HashStage(tmp_path), before, tmp_path / "measured", 1)
    look = perceptual_hash(rgb)
    assert look is not None
    assert after[0].phash == f"{look:016x}"
    assert (look ^ int(after[1].phash, 16)).bit_count() <= DISTANCES.drop_distance
    assert [made.phash for made in after[2:]] == ["", ""]
    assert [made.cluster for made in dedupe(after, DISTANCES)][2:] == ["", ""]


def looks(number: int, bits: int, crop_px: int = 100, **columns: object) -> Item:
    """An item whose hash has its lowest `bits` set."""
    return item(number, phash=f"{(1 << bits) - 1:016x}", crop_px=crop_px, **columns)


def outcome(items: list[Item]) -> dict[str, tuple[str, str, int | None]]:
    """By file: status, the number of the file that is repeated, and how far away that one is."""
    files = {made.item_id: made.file for made in items}
    return {made.file: (made.status, files.get(made.duplicate_of, ""), made.distance) for made in items}


@pytest.mark.parametrize(
    ("bits", "status", "kind"),
    [
        (0, DROPPED, "duplicate"),
        (4, DROPPED, "duplicate"),
        (5, REVIEW, "duplicate?"),
        (10, REVIEW, "duplicate?"),
        (11, KEPT, ""),
    ],
)
def test_the_distance_decides(bits: int, status: str, kind: str) -> None:
    first, second = dedupe([looks(1, 0), looks(2, bits)], DISTANCES)
    assert (first.status, first.cluster, first.duplicate_of) == (KEPT, first.item_id, "")
    assert second.status == status
    if kind:
        assert second.reason == f"{kind}: 1.png, {bits} bits apart"
        assert (second.stage, second.duplicate_of, second.distance) == ("dedupe", first.item_id, bits)
        assert second.cluster == first.item_id
    else:
        assert second.cluster == second.item_id


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (looks(2, 0, 101), looks(1, 1, 100)),
        (looks(1, 0, 100), looks(2, 1, 100)),
        (looks(2, 0, 50), looks(1, 1, 100, status=REVIEW, stage="quality")),
        (looks(2, 0, 100, status=REVIEW, stage="quality"), looks(1, 1, 99, status=REVIEW, stage="quality")),
    ],
    ids=["larger", "smaller number", "kept before doubtful", "larger of doubtful ones"],
)
def test_the_better_one_stays(better: Item, worse: Item) -> None:
    for order in ([better, worse], [worse, better]):
        found = {made.item_id: made for made in dedupe(order, DISTANCES)}
        assert found[better.item_id].status == better.status
        assert found[worse.item_id].status == DROPPED
        assert found[worse.item_id].duplicate_of == better.item_id


@pytest.mark.parametrize("status", [DROPPED, ERROR])
def test_what_is_out_suppresses_nothing_but_is_one_of_the_cluster(status: str) -> None:
    gone, stays = looks(1, 0, 500, status=status, stage="detect", reason="x"), looks(2, 1, 50)
    first, second = dedupe([gone, stays], DISTANCES)
    assert second.status == KEPT
    assert (first.status, first.reason) == (status, "x")
    assert first.cluster == second.cluster == stays.item_id


def test_what_this_stage_drops_suppresses_nothing_either() -> None:
    chain = [looks(1, 0, 300), looks(2, 4, 200), looks(3, 8, 100)]
    assert outcome(dedupe(chain, DISTANCES)) == {
        "1.png": (KEPT, "", None),
        "2.png": (DROPPED, "1.png", 4),
        "3.png": (REVIEW, "1.png", 8),
    }


def test_all_that_look_alike_are_one_cluster() -> None:
    ends = [looks(1, 0, 300), looks(2, 18, 200)]
    assert len({made.cluster for made in dedupe(ends, DISTANCES)}) == 2
    assert len({made.cluster for made in dedupe([*ends, looks(3, 9, 100)], DISTANCES)}) == 1


def test_the_order_of_the_files_does_not_matter() -> None:
    draw = random.Random(0)
    statuses = [KEPT, KEPT, REVIEW, DROPPED]
    items = [
        looks(n, draw.randrange(40), draw.randrange(90, 94), status=draw.choice(statuses), stage="x")
        for n in range(30)
    ]
    expected = {made.item_id: made for made in dedupe(items, DISTANCES)}
    for _ in range(5):
        draw.shuffle(items)
        found = dedupe(items, DISTANCES)
        assert [made.item_id for made in found] == [made.item_id for made in items]
        assert {made.item_id: made for made in found} == expected


def test_pictures_without_a_hash_are_alike_nothing() -> None:
    items = [item(1), item(2), item(3, status=DROPPED)]
    assert dedupe(items, DISTANCES) == items
    assert dedupe([], DISTANCES) == []
