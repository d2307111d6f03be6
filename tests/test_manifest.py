from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ugatit.errors import UserError
from ugatit.files import sha256_file
from ugatit.images import write_png
from ugatit.manifest import (
    COLUMNS,
    DROPPED,
    ERROR,
    KEPT,
    Manifest,
    Picture,
    describe_folder,
    describe_picture,
    read_manifest,
    write_manifest,
)


def row(name: str = "a.png", split: str = "testA", status: str = KEPT, sha256: str = "00" * 32) -> Picture:
    path = f"{split}/{name}" if status == KEPT else ""
    reason = "" if status == KEPT else "truncated"
    return Picture(split, name, path, sha256, "PNG", "RGB", 8, 6, status, reason, f"raw/{name}")


def picture(path: Path, level: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_png(path, np.full((6, 8, 3), level, dtype=np.uint8))
    return path


def dataset(tmp_path: Path) -> Manifest:
    """A manifest on disk with one real picture."""
    file = picture(tmp_path / "testA" / "a.png", 7)
    write_manifest(tmp_path / "manifest.csv", [row(sha256=sha256_file(file))])
    return read_manifest(tmp_path / "manifest.csv")


def test_rows_survive_writing_and_reading(tmp_path: Path) -> None:
    names = ["a.png", 'comma, "quote".png', "line\nbreak.png", "ünï😀.png", " blank .png"]
    rows = [row(name) for name in names] + [row("bad.jpg", "trainB", ERROR)]
    write_manifest(tmp_path / "manifest.csv", rows)
    manifest = read_manifest(tmp_path / "manifest.csv")
    assert list(manifest.rows) == rows
    assert manifest.path == tmp_path / "manifest.csv"


def test_a_manifest_is_plain_csv_with_unix_line_ends(tmp_path: Path) -> None:
    write_manifest(tmp_path / "manifest.csv", [row()])
    lines = (tmp_path / "manifest.csv").read_bytes().split(b"\n")
    assert lines[0].decode().split(",") == list(COLUMNS)
    assert lines[1] == b"testA,a.png,testA/a.png," + b"00" * 32 + b",PNG,RGB,8,6,kept,,raw/a.png,"
    assert lines[2:] == [b""]


def test_kept_gives_the_usable_rows_of_a_split_in_order(tmp_path: Path) -> None:
    rows = [
        row("b.png"),
        row("a.png"),
        row("c.png", status=ERROR),
        row("d.png", status=DROPPED),
        row("e.png", "testB"),
    ]
    manifest = Manifest(tmp_path / "manifest.csv", tuple(rows))
    assert [r.name for r in manifest.kept("testA")] == ["b.png", "a.png"]
    with pytest.raises(UserError, match=r"'trainA' \(splits with pictures: testA, testB\)"):
        manifest.kept("trainA")


def test_the_digest_follows_names_contents_and_splits_of_usable_rows() -> None:
    def digest(*rows: Picture, split: str | None = None) -> str:
        return Manifest(Path("manifest.csv"), rows).digest(split)

    base = digest(row(), row("b.png", "trainB"))
    assert base == digest(row(), row("c.png", status=ERROR), row("b.png", "trainB"))
    assert base == digest(replace(row(), source="elsewhere", width=9), row("b.png", "trainB"))
    assert len({
        base,
        digest(row("z.png"), row("b.png", "trainB")),
        digest(row(sha256="11" * 32), row("b.png", "trainB")),
        digest(row(split="trainA"), row("b.png", "trainB")),
        digest(row()),
    }) == 5  # fmt: skip
    assert digest(row(), row("b.png", "trainB"), split="testA") == digest(row())


def test_a_picture_is_read_and_checked_against_its_row(tmp_path: Path) -> None:
    manifest = dataset(tmp_path)
    decoded = manifest.read(manifest.rows[0])
    assert decoded.rgb.shape == (6, 8, 3)
    assert (decoded.rgb == 7).all()


def test_a_changed_picture_is_noticed(tmp_path: Path) -> None:
    manifest = dataset(tmp_path)
    picture(tmp_path / "testA" / "a.png", 8)
    with pytest.raises(UserError, match=r"a\.png: changed since .*manifest\.csv was written"):
        manifest.read(manifest.rows[0])


def test_a_deleted_picture_is_named(tmp_path: Path) -> None:
    manifest = dataset(tmp_path)
    (tmp_path / "testA" / "a.png").unlink()
    with pytest.raises(UserError, match=r"a\.png: No such file"):
        manifest.read(manifest.rows[0])


def test_a_row_that_calls_a_bad_file_usable_is_refused(tmp_path: Path) -> None:
    manifest = dataset(tmp_path)
    file = tmp_path / "testA" / "a.png"
    file.write_text("words")
    with pytest.raises(UserError, match=r"a\.png: not a picture \(text\)"):
        manifest.read(replace(manifest.rows[0], sha256=sha256_file(file)))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such manifest"),
        (b"", "expected a manifest"),
        (b"split,name\ntestA,a.png\n", "expected a manifest"),
        (b"\x89PNG\xff\xfe", "not a readable manifest"),
        (
            ",".join(COLUMNS).encode() + b"\ntestA,a.png,p,0,PNG,RGB,wide,6,kept,,\n",
            "not a readable manifest",
        ),
        (",".join(COLUMNS).encode() + b"\ntestA,a.png\n", "not a readable manifest"),
        (
            ",".join(COLUMNS).encode() + b"\ntestA,a.png,p,0,PNG,RGB,8,6,kept,,s,,more\n",
            "not a readable manifest",
        ),
    ],
)
def test_what_is_no_manifest_is_refused(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "manifest.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=message):
        read_manifest(path)


def test_a_folder_is_described_with_its_bad_pictures(tmp_path: Path) -> None:
    picture(tmp_path / "b.PNG", 1)
    picture(tmp_path / "below" / "c.png", 1)
    (tmp_path / "a.jpg").write_text("words")
    (tmp_path / "notes.txt").write_text("words")
    manifest = describe_folder(tmp_path, "testB")
    assert [(r.name, r.status, r.split) for r in manifest.rows] == [
        ("a.jpg", ERROR, "testB"),
        ("b.PNG", KEPT, "testB"),
    ]
    assert manifest.rows[0].reason == "not a picture (text)"
    assert manifest.read(manifest.kept("testB")[0]).rgb.shape == (6, 8, 3)


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none: no such folder"):
        describe_folder(tmp_path / "none", "testB")
    (tmp_path / "notes.txt").write_text("words")
    with pytest.raises(UserError, match="no pictures"):
        describe_folder(tmp_path, "testB")


def test_a_picture_is_described_as_it_is(tmp_path: Path) -> None:
    file = picture(tmp_path / "a.jpg", 3)
    described = describe_picture(file, "trainA", "trainA/a.jpg", "raw/a.jpg")
    expected = Picture(
        "trainA", "a.jpg", "trainA/a.jpg", sha256_file(file), "PNG", "RGB", 8, 6, KEPT, "", "raw/a.jpg"
    )
    assert described == expected
    assert described.stem == "a"
