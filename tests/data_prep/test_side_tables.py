"""How the workflow notices that a table beside raw pictures was corrected."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from data_prep.side_tables import NONE, table_state
from tests.data_prep.small_side import SIDE, SmallSide, plain, small_stages
from ugatit.files import write_json
from ugatit.params import Params

SCORED = SIDE.model_copy(update={"scores": "scores.csv"})


@pytest.fixture
def side(params: Params, tmp_path: Path) -> SmallSide:
    made = SmallSide(tmp_path / "raw", tmp_path / "stages", small_stages(params))
    made.add("0.png", plain(1, 80, 80), "Male")
    return made


@pytest.fixture
def records(side: SmallSide, tmp_path: Path) -> Path:
    """The folder of the source's record."""
    write_json(tmp_path / f"{SIDE.source}.json", side.work("index").obtained.model_dump())
    return tmp_path


def test_a_corrected_table_of_equal_length_changes_the_state(side: SmallSide, records: Path) -> None:
    table = side.root / str(SIDE.metadata)
    before = table_state("index", SIDE, records, side.folder)
    assert before == hashlib.sha256(table.read_bytes()).hexdigest()
    side.run("index")
    assert table_state("index", SIDE, records, side.folder) == before
    table.write_text(table.read_text().replace("Male", "Girl"))
    assert table_state("index", SIDE, records, side.folder) not in (before, NONE)


def test_the_state_outlives_the_raw_pictures(side: SmallSide, records: Path) -> None:
    side.run("index")
    before = table_state("index", SIDE, records, side.folder)
    shutil.rmtree(side.root)
    assert table_state("index", SIDE, records, side.folder) == before


def test_each_stage_knows_its_own_table(side: SmallSide, records: Path) -> None:
    assert table_state("select", SIDE, records, side.folder) == NONE
    (side.root / "scores.csv").write_text("file,female\n")
    scored = table_state("select", SCORED, records, side.folder)
    assert scored not in (NONE, table_state("index", SCORED, records, side.folder))
    assert table_state("decode", SCORED, records, side.folder) == NONE


def test_a_table_may_be_yet_to_be_fetched(side: SmallSide, tmp_path: Path) -> None:
    assert table_state("index", SIDE, tmp_path / "empty", side.folder) == NONE
