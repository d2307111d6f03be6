"""The digest of tables that DVC shows and plots."""

from __future__ import annotations

from pathlib import Path

import pytest

from ugatit.errors import UserError
from ugatit.files import read_json
from ugatit.reporting.summary import summarize

HEADER = "table,model,label,dataset,direction,metric,ours\n"


def test_values_of_all_tables_stand_once(tmp_path: Path) -> None:
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text(
        HEADER + "a,m,M,cat2dog,a2b,kid,1.5\na,m,M,cat2dog,b2a,kid,\na,source,S,cat2dog,a2b,kid,9\n"
    )
    second.write_text(HEADER + "b,source,S,cat2dog,a2b,kid,9\nb,m,M,cat2dog,a2b,fid,30\n")
    summarize([first, second], tmp_path / "summary.json", tmp_path / "points.json")
    assert read_json(tmp_path / "summary.json", "", "") == {
        "kid": {"cat2dog": {"m": {"a2b": 1.5}, "source": {"a2b": 9.0}}}
    }
    points = read_json(tmp_path / "points.json", "", "")
    assert [
        {key: point[key] for key in point if key not in ("dataset", "direction", "model")} for point in points
    ] == [
        {"row": "cat2dog a2b: M", "kid": 1.5, "fid": 30.0},
        {"row": "cat2dog a2b: S", "kid": 9.0},
    ]


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n")
    with pytest.raises(UserError, match=r"a\.csv: no column dataset, direction"):
        summarize([tmp_path / "a.csv"], tmp_path / "s.json", tmp_path / "p.json")
    with pytest.raises(UserError, match=r"b\.csv: No such file"):
        summarize([tmp_path / "b.csv"], tmp_path / "s.json", tmp_path / "p.json")
