from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from data_prep.construct import run_stage
from data_prep.drawing.anime import draw_anime
from data_prep.drawing.spoiling import save_truncated
from data_prep.items import read_items
from tests.data_prep.small_side import SmallSide, encoded, small_stages
from ugatit.errors import UserError
from ugatit.manifest import KEPT
from ugatit.params import Params

FACES = 10


@pytest.fixture
def side(params: Params, tmp_path: Path) -> SmallSide:
    """Some faces, and enough trouble that every stage has something to say."""
    stages = small_stages(
        params, quality={"review_side_px": 64}, dedupe={"drop_distance": 4, "review_distance": 4}
    )
    made = SmallSide(tmp_path / "raw", tmp_path / "first", stages)
    for number in range(FACES):
        made.add(f"{number}.png", encoded(draw_anime(3, number, 120, face=0.44).rgb))
    made.add("again.jpg", encoded(draw_anime(3, 0, 120, face=0.44).rgb, "JPEG", quality=95))
    made.add("cut.jpg", save_truncated(draw_anime(3, 1, 120).rgb))
    made.add("man.png", encoded(draw_anime(3, 98, 120, man=True).rgb), "Male")
    made.add("nobody.png", encoded(draw_anime(3, 99, 120, people=0).rgb))
    return made


def test_building_twice_from_scratch_gives_the_same_bytes(side: SmallSide, tmp_path: Path) -> None:
    chosen = side.run_to("split", train=5, test=2)
    assert [item.split for item in chosen.values()].count("test") == 2
    root = shutil.copytree(side.root, tmp_path / "elsewhere")
    second = SmallSide(root, tmp_path / "second", side.stages)
    second.run_to("split", train=5, test=2)
    first = side.files()
    assert second.files() == first
    assert sum(name.startswith("crops/") for name in first) >= FACES
    assert sum(name.startswith("upscaled/") for name in first) == sum(
        i.status == KEPT for i in chosen.values()
    )
    kinds = {(item.stage, item.reason.partition(":")[0]) for item in chosen.values() if item.status != KEPT}
    assert kinds == {
        ("decode", "truncated"),
        ("select", "not female"),
        ("detect", "no face"),
        ("dedupe", "duplicate"),
    }


def test_two_processes_find_the_same_faces(side: SmallSide, tmp_path: Path) -> None:
    side.run_to("select")
    two = replace(side, folder=shutil.copytree(side.folder, tmp_path / "second"), threads=2)
    assert two.run("detect") == side.run("detect")
    assert two.files() == side.files()


def test_a_rerun_changes_nothing_and_keeps_every_row(side: SmallSide) -> None:
    side.run_to("quality")
    first = side.files()
    side.run_to("quality")
    assert side.files() == first
    for stage in ("index", "decode", "select", "detect", "crop", "quality"):
        assert len(read_items(side.folder / f"{stage}.csv")) == FACES + 4


@pytest.mark.parametrize(
    ("settings", "words"),
    [({}, "min_side_px"), ({"min_side_px": "1", "max_error_share": 0.5}, "min_side_px"),
     ({"min_side_px": 1, "max_error_share": 0.5, "more": 1}, "more")],
)  # fmt: skip
def test_other_settings_than_the_stages_are_refused(
    side: SmallSide, settings: dict[str, object], words: str
) -> None:
    side.run("index")
    with pytest.raises(UserError, match=f"settings of decode.*{words}"):
        run_stage("decode", settings, side.work("decode"))
    assert not (side.folder / "decode.csv").exists()


def test_a_missing_manifest_of_the_stage_before_is_named(side: SmallSide) -> None:
    with pytest.raises(UserError, match=r"index\.csv: no such file"):
        side.run("decode")
