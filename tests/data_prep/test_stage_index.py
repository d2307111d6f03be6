from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from data_prep.items import Item
from data_prep.stages.index import index
from tests.data_prep.small_side import SIDE, plain
from ugatit.errors import UserError
from ugatit.files import sha256_file
from ugatit.manifest import DROPPED, ERROR, KEPT

UCF = SIDE.model_copy(update={"format": "ucf"})


def raw(root: Path, table: str = "file,gender\n", **pictures: bytes) -> Path:
    """A source's folder; in the names of pictures `__` stands for a slash and `_` for a dot."""
    for name, data in pictures.items():
        file = root / "pictures" / name.replace("__", "/").replace("_", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    (root / "table.csv").write_text(table)
    return root


def labels(items: list[Item]) -> dict[str, str]:
    return {item.file: item.labels for item in items}


def test_one_row_per_picture_in_order_of_the_names(tmp_path: Path) -> None:
    root = raw(
        tmp_path, b_JPG=plain(1), a__c_png=plain(2), a_webp=b"", notes_txt=b"x", a__x_html=b"x", _png=plain(3)
    )
    items = index(root, SIDE, 2)
    assert [item.file for item in items] == ["a.webp", "a/c.png", "b.JPG"]
    for item in items:
        file = root / "pictures" / item.file
        assert (item.sha256, item.bytes, item.status) == (sha256_file(file), file.stat().st_size, KEPT)
        assert item.item_id == item.sha256[:16]


def test_metadata_name_a_picture_with_its_folders_or_without_or_without_its_ending(tmp_path: Path) -> None:
    table = "file,gender,tags\nx/a.png,F,folders\nb.png,F,name\nc,F,stem\nd.jpg,F,other ending\na.png,F,other folder\n"
    items = index(
        raw(tmp_path, table, x__a_png=plain(1), x__b_png=plain(2), c_png=plain(3), d_png=plain(4)), SIDE, 1
    )
    assert labels(items) == {
        "x/a.png": "gender=F;folders",
        "x/b.png": "gender=F;name",
        "c.png": "gender=F;stem",
        "d.png": "",
    }


def test_the_attribute_file_of_the_selfies_is_read(tmp_path: Path) -> None:
    line = "a1_6 4.5 -1 1 -1 1" + " -1" * 32
    root = raw(tmp_path, line, x_jpg=plain(1))
    (root / "pictures" / "a1_6.jpg").write_bytes(plain(2))
    found = labels(index(root, UCF, 1))
    assert {"is_female", "child"} <= set(found["a1_6.jpg"].split(";"))
    assert found["x.jpg"] == ""


def test_a_row_without_a_file_belongs_to_no_picture(tmp_path: Path) -> None:
    items = index(
        raw(tmp_path, "file,gender\na.png,Male\n,Female\n", a_png=plain(1), b_png=plain(2)), SIDE, 1
    )
    assert labels(items) == {"a.png": "gender=Male", "b.png": ""}


def test_of_equal_bytes_the_first_name_stays(tmp_path: Path) -> None:
    items = index(raw(tmp_path, c_png=plain(1), a__z_png=plain(1), b_png=plain(2), d_jpg=plain(1)), SIDE, 2)
    assert [(item.file, item.status, item.stage, item.reason) for item in items] == [
        ("a/z.png", KEPT, "", ""),
        ("b.png", KEPT, "", ""),
        ("c.png", DROPPED, "index", "same bytes: a/z.png"),
        ("d.jpg", DROPPED, "index", "same bytes: a/z.png"),
    ]


def test_empty_files_are_no_copies_of_each_other(tmp_path: Path) -> None:
    items = index(raw(tmp_path, a_png=b"", b_png=b""), SIDE, 1)
    assert [item.status for item in items] == [KEPT, KEPT]


def test_a_file_that_cannot_be_opened_is_an_error_and_stops_nothing(tmp_path: Path) -> None:
    root = raw(tmp_path, a_png=plain(1))
    for name in ("b.png", "c.png"):
        (root / "pictures" / name).symlink_to("nowhere")
    items = index(root, SIDE, 2)
    assert [(item.status, item.reason) for item in items] == [(KEPT, "")] + 2 * [(ERROR, "cannot be opened")]


def test_how_files_and_metadata_fit_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    root = raw(tmp_path, "file,gender\na.png,F\nx.png,F\ny.png,M\n", a_png=plain(1), b_png=plain(2))
    index(root, SIDE, 1)
    assert "2 pictures; 1 without metadata; 2 metadata rows without a picture" in caplog.text
    assert "WARNING" not in caplog.text


def test_metadata_of_another_set_are_noticed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    index(raw(tmp_path, "file,gender\nimages/a.png,F\n", a_png=plain(1)), SIDE, 1)
    assert "no picture has metadata: the names differ, as a.png and images/a.png" in caplog.text


def test_a_name_that_is_no_utf8_stops_nothing(tmp_path: Path) -> None:
    root = raw(tmp_path, a_png=plain(1))
    with open(os.fsencode(root / "pictures") + b"/caf\xe9.png", "wb") as handle:
        handle.write(plain(2))
    assert [item.file for item in index(root, SIDE, 1)] == ["a.png", "caf\ufffd.png"]


def test_without_pictures_there_is_nothing_to_index(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"pictures: no such folder; .* source 'mine'"):
        index(tmp_path, SIDE, 1)
    with pytest.raises(UserError, match=r"pictures: no pictures; expected files ending in .*\.jpg"):
        index(raw(tmp_path, notes_txt=b"x"), SIDE, 1)


def test_without_metadata_nothing_is_indexed(tmp_path: Path) -> None:
    root = raw(tmp_path, a_png=plain(1))
    (root / "table.csv").unlink()
    with pytest.raises(UserError, match=r"table\.csv: No such file"):
        index(root, SIDE, 1)
