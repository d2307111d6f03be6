from __future__ import annotations

import io
import logging
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import data_prep.build
import data_prep.placing
from data_prep.build import BAD_PICTURES_SHOWN, build_dataset
from data_prep.sources import fingerprint, read_record
from ugatit.errors import UserError
from ugatit.files import sha256_file
from ugatit.manifest import KEPT, SPLITS, Manifest, Picture, read_manifest
from ugatit.sources import FolderSource

ANIMATION, TRUNCATED, ZIP = "animation.gif", "cut.jpg", b"PK\x03\x04" + bytes(30)


def build(raw: Path, output: Path, threads: int = 2, **options: bool) -> Manifest:
    return build_dataset(FolderSource(kind="folder", path=str(raw), **options), output, {}, threads)


def by_source(manifest: Manifest) -> dict[str, Picture]:
    return {row.source: row for row in manifest.rows}


def save(image: Image.Image, path: Path, format_name: str, **options: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, format_name, **options)


def plain(level: int) -> Image.Image:
    return Image.fromarray(np.full((6, 8, 3), level, dtype=np.uint8))


def content(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, hidden ones too."""
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


def test_pictures_are_copied_unchanged_and_described(raw: Path, tmp_path: Path) -> None:
    output = tmp_path / "data"
    manifest = build(raw, output)
    assert manifest.rows == read_manifest(output / "manifest.csv").rows
    assert [(r.split, r.name) for r in manifest.rows] == [
        (s, n) for s in SPLITS for n in ("one.png", "two.png")
    ]
    for row in manifest.rows:
        assert (row.status, row.format, row.mode, row.width, row.height) == (KEPT, "PNG", "RGB", 8, 6)
        assert row.path == row.source == f"{row.split}/{row.name}"
        assert (output / row.path).read_bytes() == (raw / row.source).read_bytes()
        assert row.sha256 == sha256_file(raw / row.source)
        assert manifest.read(row).rgb.shape == (6, 8, 3)
    assert {f.name for f in output.iterdir()} == {*SPLITS, "manifest.csv", "source.json"}


def test_bad_pictures_become_rows_and_never_stop_a_dataset(raw: Path, tmp_path: Path) -> None:
    noise = Image.effect_noise((64, 64), 60).convert("RGB")
    buffer = io.BytesIO()
    noise.save(buffer, "JPEG")
    bad = {
        "cut.jpg": (buffer.getvalue()[: len(buffer.getvalue()) // 2], "truncated"),
        "empty.png": (b"", "empty file"),
        "page.jpg": (b"<html>no</html>", "not a picture (HTML page)"),
        "text.png": (b"not a picture", "not a picture (text)"),
        "zip.webp": (ZIP, "not a picture (zip archive)"),
    }
    for name, (data, _) in bad.items():
        (raw / "trainB" / name).write_bytes(data)
    (raw / "trainB" / "gone.png").symlink_to(raw / "nowhere.png")
    rows = by_source(build(raw, tmp_path / "data"))
    for name, (_, reason) in bad.items():
        row = rows[f"trainB/{name}"]
        assert (row.status, row.reason, row.path, row.name) == ("error", reason, "", name)
    assert rows["trainB/gone.png"].reason == "cannot be opened (No such file or directory)"
    assert Counter(row.status for row in rows.values()) == {KEPT: 8, "error": 6}
    assert {f.name for f in (tmp_path / "data" / "trainB").iterdir()} == {"one.png", "two.png"}


def test_unusual_pictures_are_taken_over(raw: Path, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    folder = raw / "trainA"
    save(plain(5).convert("L"), folder / "grey.jpg", "JPEG")
    save(plain(5).convert("CMYK"), folder / "print.jpg", "JPEG")
    save(plain(5).convert("RGBA"), folder / "alpha.png", "PNG")
    save(plain(5), folder / "turned.jpg", "JPEG", exif=exif)
    save(plain(5), folder / ANIMATION, "GIF", save_all=True, append_images=[plain(9)])
    rows = by_source(build(raw, tmp_path / "data"))
    assert {name: rows[f"trainA/{name}"].mode for name in ("grey.jpg", "print.jpg", "alpha.png")} == {
        "grey.jpg": "L",
        "print.jpg": "CMYK",
        "alpha.png": "RGBA",
    }
    assert (rows["trainA/turned.jpg"].width, rows["trainA/turned.jpg"].height) == (6, 8)
    assert rows[f"trainA/{ANIMATION}"].format == "GIF"
    assert all(row.status == KEPT for row in rows.values())


def test_a_file_gets_the_extension_of_its_real_format(raw: Path, tmp_path: Path) -> None:
    save(plain(1), raw / "testB" / "anime.jpg", "PNG")
    save(plain(2), raw / "testB" / "PHOTO.JPEG", "JPEG")
    rows = by_source(build(raw, tmp_path / "data"))
    assert rows["testB/anime.jpg"].name == "anime.png"
    assert rows["testB/PHOTO.JPEG"].name == "PHOTO.jpg"
    assert (tmp_path / "data" / "testB" / "anime.png").read_bytes() == (
        raw / "testB" / "anime.jpg"
    ).read_bytes()


def test_names_are_unique_by_stem_even_where_case_does_not_count(raw: Path, tmp_path: Path) -> None:
    folder = raw / "testA"
    save(plain(3), folder / "deeper" / "one.png", "PNG")
    save(plain(3), folder / "deeper" / "still" / "one.png", "PNG")
    save(plain(3), folder / "deeper" / "twice" / "one.png", "PNG")
    save(plain(4), folder / "One.jpg", "JPEG")
    save(plain(5), folder / "zoo" / "TWO.png", "PNG")
    manifest = build(raw, tmp_path / "data")
    rows = by_source(manifest)
    mark = rows["testA/deeper/one.png"].sha256[:8]
    assert rows["testA/One.jpg"].name == "One.jpg"
    assert rows["testA/deeper/one.png"].name == f"one_{mark}.png"
    assert rows["testA/deeper/still/one.png"].name == f"one_{mark}_2.png"
    assert rows["testA/deeper/twice/one.png"].name == f"one_{mark}_3.png"
    assert rows["testA/one.png"].name == f"one_{rows['testA/one.png'].sha256[:8]}.png"
    assert rows["testA/zoo/TWO.png"].name == f"TWO_{rows['testA/zoo/TWO.png'].sha256[:8]}.png"
    stems = [row.stem.casefold() for row in manifest.kept("testA")]
    assert len(stems) == len(set(stems)) == 7
    for row in manifest.kept("testA"):
        assert (tmp_path / "data" / row.path).read_bytes() == (raw / row.source).read_bytes()


def test_hidden_files_and_other_files_are_ignored(raw: Path, tmp_path: Path) -> None:
    for name in (".DS_Store", "._one.png", "Thumbs.db", "notes.txt", ".thumbnails/one.png"):
        (raw / "trainA" / name).parent.mkdir(exist_ok=True)
        (raw / "trainA" / name).write_bytes(b"x")
    os.mkfifo(raw / "trainA" / "pipe.png")
    assert len(build(raw, tmp_path / "data").rows) == 8


def test_a_name_that_is_no_utf8_is_taken_over(raw: Path, tmp_path: Path) -> None:
    strange = os.fsdecode(b"caf\xe9.png")
    try:
        save(plain(3), raw / "trainA" / strange, "PNG")
    except OSError:
        pytest.skip("this file system refuses such names")
    rows = by_source(build(raw, tmp_path / "data"))
    assert rows["trainA/caf\ufffd.png"].name == "caf\ufffd.png"
    assert fingerprint(FolderSource(kind="folder", path=str(raw)))


def test_swap_exchanges_the_sides(raw: Path, tmp_path: Path) -> None:
    rows = build(raw, tmp_path / "data", swap=True).rows
    assert {(row.split, row.source.split("/")[0]) for row in rows} == {
        ("trainA", "trainB"),
        ("trainB", "trainA"),
        ("testA", "testB"),
        ("testB", "testA"),
    }
    assert (tmp_path / "data/trainA/one.png").read_bytes() == (raw / "trainB/one.png").read_bytes()


def test_building_again_gives_the_same_bytes(raw: Path, tmp_path: Path) -> None:
    (raw / "trainA" / "bad.png").write_text("words")
    build(raw, tmp_path / "data", threads=1)
    first = content(tmp_path / "data")
    build(raw, tmp_path / "data", threads=4)
    build(raw, tmp_path / "elsewhere", threads=4)
    assert content(tmp_path / "data") == content(tmp_path / "elsewhere") == first


def test_a_picture_that_is_gone_disappears_from_the_dataset(raw: Path, tmp_path: Path) -> None:
    build(raw, tmp_path / "data")
    (raw / "trainA" / "one.png").unlink()
    save(plain(99), raw / "trainA" / "three.png", "PNG")
    manifest = build(raw, tmp_path / "data")
    assert [row.name for row in manifest.kept("trainA")] == ["three.png", "two.png"]
    assert {f.name for f in (tmp_path / "data" / "trainA").iterdir()} == {"three.png", "two.png"}


def test_files_that_no_build_put_there_are_never_deleted(raw: Path, tmp_path: Path) -> None:
    output = tmp_path / "data"
    build(raw, output)
    mine = output / "trainA" / "mine.png"
    plain(1).save(mine)
    before = content(output)
    with pytest.raises(UserError, match=r"trainA: holds 1 files that no build put there, such as mine\.png"):
        build(raw, output)
    assert content(output) == before


def test_a_folder_of_ones_own_pictures_is_not_built_over(raw: Path) -> None:
    before = content(raw)
    for output in (raw, raw / "trainA", raw.parent):
        with pytest.raises(UserError, match="into its own raw folder"):
            build(raw, output)
    other = raw.with_name("other")
    raw.rename(other)
    raw.mkdir()
    for split in SPLITS:
        (raw / split).symlink_to(other / split)
    with pytest.raises(UserError, match="is a link"):
        build(other, raw)
    assert content(other) == before


@pytest.mark.parametrize("moment", ["install", "write_manifest"])
def test_a_build_that_stops_half_way_leaves_the_old_dataset_or_no_manifest(
    raw: Path, tmp_path: Path, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "data"
    build(raw, output)
    before = content(output)
    (raw / "trainA" / "one.png").unlink()
    save(plain(99), raw / "trainA" / "three.png", "PNG")

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    module = data_prep.build if moment == "install" else data_prep.placing
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(module, moment, stop)
        build(raw, output)
    if moment == "install":
        assert content(output) == before
    else:
        assert not (output / "manifest.csv").exists()
    build(raw, output)
    build(raw, tmp_path / "fresh")
    assert content(output) == content(tmp_path / "fresh")


def test_a_build_killed_while_folders_are_exchanged_can_be_repeated(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "data"
    build(raw, output)
    save(plain(99), raw / "trainA" / "three.png", "PNG")
    (raw / "testA" / "one.png").unlink()
    rename = Path.rename

    def kill_at_second_split(self: Path, target: Path) -> Path:
        if self.name == "trainB":
            raise KeyboardInterrupt
        return rename(self, target)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "rename", kill_at_second_split)
        build(raw, output)
    assert not (output / "manifest.csv").exists()
    assert (output / "trainA" / "three.png").exists()
    assert (output / "testA" / "one.png").exists()
    build(raw, output)
    build(raw, tmp_path / "fresh")
    assert content(output) == content(tmp_path / "fresh")


def test_what_a_killed_build_had_collected_is_not_used(raw: Path, tmp_path: Path) -> None:
    stale = tmp_path / "data" / ".building" / "trainA"
    stale.mkdir(parents=True)
    (stale / "0").write_text("stale")
    build(raw, tmp_path / "data")
    assert not stale.parent.exists()


def test_a_missing_folder_is_named_with_what_is_there(raw: Path, tmp_path: Path) -> None:
    (raw / "testB").rename(raw / "TestB")
    with pytest.raises(
        UserError, match=r"raw: no testB \(folders found: TestB, testA, trainA, trainB\).*source\.path"
    ):
        build(raw, tmp_path / "data")
    with pytest.raises(
        UserError, match=r"nothing: no such folder; expected a folder with trainA.*source\.path"
    ):
        build(tmp_path / "nothing", tmp_path / "data")


def test_folders_one_level_deeper_are_pointed_out(raw: Path, tmp_path: Path) -> None:
    (tmp_path / "outer").mkdir()
    raw.rename(tmp_path / "outer" / "inner")
    with pytest.raises(UserError, match=r"All four are in .*outer/inner"):
        build(tmp_path / "outer", tmp_path / "data")


def test_an_archive_in_place_of_a_folder_is_recognised(tmp_path: Path) -> None:
    (tmp_path / "raw.zip").write_bytes(ZIP)
    with pytest.raises(UserError, match=r"raw\.zip: is a file; unpack it"):
        build(tmp_path / "raw.zip", tmp_path / "data")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, r"testA: no pictures \(empty\); expected files ending in"),
        ({"a.txt": b"x", "b.heic": b"y"}, r"testA: no pictures \(2 other files, such as a\.txt\)"),
        ({"a.png": b"x"}, r"testA: none of 1 pictures can be used \(a\.png: not a picture \(text\)\)"),
    ],
)
def test_a_split_without_a_usable_picture_is_refused_and_the_old_dataset_stays(
    raw: Path, tmp_path: Path, files: dict[str, bytes], message: str
) -> None:
    output = tmp_path / "data"
    build(raw, output)
    before = content(output)
    for file in (raw / "testA").iterdir():
        file.unlink()
    for name, data in files.items():
        (raw / "testA" / name).write_bytes(data)
    with pytest.raises(UserError, match=message):
        build(raw, output)
    assert content(output) == before


def test_other_counts_than_expected_are_a_table_in_the_log(
    raw: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = FolderSource(kind="folder", path=str(raw))
    (raw / "testA" / "bad.png").write_text("words")
    build_dataset(source, tmp_path / "data", {"trainA": 2, "testA": 2}, 1)
    assert "other counts" not in caplog.text
    build_dataset(source, tmp_path / "data", {"trainA": 2, "testA": 3}, 1)
    table = [line.split() for line in caplog.records[-1].getMessage().splitlines()]
    assert ["testA", "3", "2", "1"] in table
    assert ["trainA", "2", "2", "0"] in table
    assert ["testB", "-", "2", "0"] in table


def test_bad_pictures_are_warned_of_up_to_a_bound(
    raw: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(BAD_PICTURES_SHOWN + 3):
        (raw / "trainB" / f"bad{number:02}.png").write_text("words")
    with caplog.at_level(logging.WARNING):
        build(raw, tmp_path / "data")
    messages = [record.getMessage() for record in caplog.records]
    assert messages[0] == "left out trainB/bad00.png: not a picture (text)"
    assert len(messages) == BAD_PICTURES_SHOWN + 1
    assert messages[-1] == "left out 3 more; the manifest names them all"


def test_the_record_stands_for_the_raw_folder(raw: Path, tmp_path: Path) -> None:
    source = FolderSource(kind="folder", path=str(raw))
    mark = fingerprint(source)
    build(raw, tmp_path / "data")
    record = read_record(tmp_path / "data" / "source.json")
    assert record is not None
    assert record.fingerprint == mark
    assert record.source == source.model_dump()
    assert record.files == {split: ["one.png", "two.png"] for split in SPLITS}


needs_real_data = pytest.mark.skipif(
    "UGATIT_REAL_DATA" not in os.environ, reason="UGATIT_REAL_DATA is not set"
)


@needs_real_data
def test_cat2dog_has_the_counts_of_the_paper(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    raw = Path(os.environ["UGATIT_REAL_DATA"], "cat2dog")
    expected = {"trainA": 771, "trainB": 1264, "testA": 100, "testB": 100}
    manifest = build_dataset(FolderSource(kind="folder", path=str(raw)), tmp_path / "data", expected, 2)
    assert caplog.text == ""
    assert Counter(row.split for row in manifest.rows) == expected
    assert {(row.status, row.format, row.width, row.height) for row in manifest.rows} == {
        (KEPT, "JPEG", 178, 218)
    }


@needs_real_data
def test_real_png_bytes_named_jpg_are_recognised(raw: Path, tmp_path: Path) -> None:
    real = Path(os.environ["UGATIT_REAL_DATA"], "selfie2anime")
    for split in ("testA", "testB"):
        (raw / split).rename(tmp_path / split)
        (raw / split).symlink_to(real / split)
    manifest = build(raw, tmp_path / "data")
    selfies, anime = manifest.kept("testA"), manifest.kept("testB")
    assert len(selfies) == len(anime) == 100
    assert all(row.source.endswith(".jpg") for row in selfies + anime)
    assert all((row.format, row.name[-4:]) == ("JPEG", ".jpg") for row in selfies)
    assert all((row.format, row.name[-4:]) == ("PNG", ".png") for row in anime)
