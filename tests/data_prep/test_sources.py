from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from data_prep.build import build_dataset
from data_prep.sources import ABSENT, fingerprint, list_files
from ugatit.errors import UserError
from ugatit.sources import FolderSource

ROOT = Path(__file__).resolve().parents[2]


def folder(raw: Path) -> FolderSource:
    return FolderSource(kind="folder", path=str(raw))


def test_planning_does_not_import_torch() -> None:
    script = "import sys, data_prep.sources, data_prep.cli; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0


def test_the_fingerprint_sees_names_and_sizes_but_no_times(raw: Path) -> None:
    first = fingerprint(folder(raw))
    (raw / "trainA" / "one.png").touch()
    (raw / "trainA" / ".hidden").write_text("x")
    (raw / "notes.txt").write_text("x")
    assert fingerprint(folder(raw)) == first
    seen = {first}
    (raw / "trainA" / "deeper").mkdir()
    (raw / "trainA" / "deeper" / "three.png").write_text("x")
    seen.add(fingerprint(folder(raw)))
    (raw / "trainA" / "deeper" / "three.png").write_text("xy")
    seen.add(fingerprint(folder(raw)))
    (raw / "trainA" / "deeper" / "three.png").rename(raw / "trainA" / "deeper" / "four.png")
    seen.add(fingerprint(folder(raw)))
    (raw / "testB" / "two.png").unlink()
    seen.add(fingerprint(folder(raw)))
    assert len(seen) == 5


def test_the_fingerprint_does_not_depend_on_where_the_folder_is(raw: Path) -> None:
    first = fingerprint(folder(raw))
    assert fingerprint(folder(raw.rename(raw.with_name("moved")))) == first


def test_a_deleted_raw_folder_keeps_the_fingerprint_of_its_build(raw: Path, tmp_path: Path) -> None:
    recorded = tmp_path / "data" / "source.json"
    assert fingerprint(folder(tmp_path / "none"), recorded) == ABSENT
    assert fingerprint(folder(tmp_path / "none")) == ABSENT
    before = fingerprint(folder(raw), recorded)
    build_dataset(folder(raw), tmp_path / "data", {}, 1)
    assert fingerprint(folder(raw), recorded) == before
    raw.rename(tmp_path / "away")
    assert fingerprint(folder(raw), recorded) == before
    raw.mkdir()
    assert fingerprint(folder(raw), recorded) == before


@pytest.mark.parametrize("content", ["{", "[]", '{"fingerprint": 3}'])
def test_a_damaged_record_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "source.json").write_text(content)
    with pytest.raises(UserError, match=r"source\.json"):
        fingerprint(folder(tmp_path / "none"), tmp_path / "source.json")


def test_files_are_listed_in_order_without_what_is_hidden(tmp_path: Path) -> None:
    names = ["b.png", "a/z.png", "a.png", ".a/b.png", "a/.c.png"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [f.relative_to(tmp_path).as_posix() for f in list_files(tmp_path)] == ["a.png", "a/z.png", "b.png"]
