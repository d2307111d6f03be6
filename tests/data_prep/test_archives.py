from __future__ import annotations

import gzip
import io
import os
import struct
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from data_prep.archives import Limits, unpack
from data_prep.file_kinds import recognise
from data_prep.parquet import unpack_parquet
from data_prep.splits import find_splits, splits_folder
from ugatit.errors import UserError
from ugatit.images import EXTENSIONS
from ugatit.manifest import SPLITS

Members = list[tuple[str, bytes]]
Pack = Callable[[Path, Members], Path]

FLAT: Members = [(f"{split}/0.png", split.encode()) for split in SPLITS]


def pack_zip(path: Path, members: Members) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as container, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of members with the same name
        for name, data in members:
            info = zipfile.ZipInfo("x")
            info.filename, info.compress_type = name, zipfile.ZIP_DEFLATED
            container.writestr(info, data)
    return path


def _pack_tar(path: Path, members: Members, mode: str) -> Path:
    with tarfile.open(path, mode) as container:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            container.addfile(info, io.BytesIO(data))
    return path


def pack_tar(path: Path, members: Members) -> Path:
    return _pack_tar(path, members, "w")


def pack_tgz(path: Path, members: Members) -> Path:
    return _pack_tar(path, members, "w:gz")


PACKERS = pytest.mark.parametrize("pack", [pack_zip, pack_tar, pack_tgz])


def content(folder: Path) -> dict[str, bytes]:
    return {f.relative_to(folder).as_posix(): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


def refused(archive: Path, limits: Limits = Limits()) -> str:  # noqa: B008
    """The message of a refusal, which leaves nothing behind."""
    folder = archive.parent / "out"
    with pytest.raises(UserError) as error:
        unpack(archive, folder, limits)
    assert {file.name for file in archive.parent.iterdir()} <= {archive.name}
    assert str(archive) in str(error.value)
    return str(error.value)


@PACKERS
def test_an_archive_is_known_by_its_content_not_by_its_name(tmp_path: Path, pack: Pack) -> None:
    unpack(pack(tmp_path / "set.data", FLAT), tmp_path / "out")
    assert content(tmp_path / "out") == dict(FLAT)
    assert find_splits(tmp_path / "out") == tmp_path / "out"


@PACKERS
def test_a_nested_archive_keeps_its_folders(tmp_path: Path, pack: Pack) -> None:
    unpack(pack(tmp_path / "a", [(f"cat2dog/cat2dog/{n}", d) for n, d in FLAT]), tmp_path / "out")
    assert find_splits(tmp_path / "out") == tmp_path / "out" / "cat2dog" / "cat2dog"


@PACKERS
def test_only_visible_pictures_and_tables_are_taken(tmp_path: Path, pack: Pack) -> None:
    kept: Members = [("a/b.JPG", b"1"), ("selfie_dataset.txt", b"2"), ("m.csv", b"3"), ("m.json", b"4")]
    others = ["__MACOSX/a/._b.jpg", "a/._b.jpg", ".DS_Store", ".git/c.png", "a/run.py", "Thumbs.db", "jpg"]
    members = [*kept, *((name, b"x") for name in others)]
    unpack(pack(tmp_path / "a", members), tmp_path / "out")
    assert content(tmp_path / "out") == dict(kept)


@PACKERS
@pytest.mark.parametrize(
    "name",
    [
        "../out.png",
        "a/../../out.png",
        "a/..",
        "..\\out.png",
        "a\\..\\..\\out.png",
        "/etc/out.png",
        "\\out.png",
        "//host/out.png",
        "C:\\out.png",
        "c:out.png",
        "../hidden.py",
    ],
)
def test_a_member_that_would_land_elsewhere_refuses_the_archive(
    tmp_path: Path, pack: Pack, name: str
) -> None:
    message = refused(pack(tmp_path / "a", [*FLAT, (name, b"x")]))
    assert repr(name) in message


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]
)
def test_links_and_devices_in_a_tar_refuse_the_archive(tmp_path: Path, kind: bytes) -> None:
    with tarfile.open(tmp_path / "a.tgz", "w:gz") as container:
        first = tarfile.TarInfo("trainA/0.png")
        container.addfile(first)
        info = tarfile.TarInfo("trainA/link.png")
        info.type, info.linkname = kind, "/etc/passwd"
        container.addfile(info)
    assert "trainA/link.png" in refused(tmp_path / "a.tgz")


def test_links_to_folders_refuse_the_archive_before_anything_is_written_through_them(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as container:
        info = tarfile.TarInfo("trainA")
        info.type, info.linkname = tarfile.SYMTYPE, ".."
        container.addfile(info)
        info = tarfile.TarInfo("trainA/x.png")
        container.addfile(info)
    assert "'trainA' is a link" in refused(tmp_path / "a.tar")


@pytest.mark.parametrize("mode", [0o120777, 0o060666, 0o010666])
def test_links_and_devices_in_a_zip_refuse_the_archive(tmp_path: Path, mode: int) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as container:
        info = zipfile.ZipInfo("trainA/link.png")
        info.external_attr = mode << 16
        container.writestr(info, "/etc/passwd")
    assert "'trainA/link.png' is a link" in refused(tmp_path / "a.zip")


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [(6, 99, "zip file version 9.9"), (8, 1 << 5, "compressed patched data")],
)
def test_a_zip_that_the_reader_does_not_know_is_named(
    tmp_path: Path, place: int, value: int, words: str
) -> None:
    data = bytearray(pack_zip(tmp_path / "a.zip", [("a.png", PNG)]).read_bytes())
    data[data.index(b"PK\x01\x02") + place] = value
    (tmp_path / "a.zip").write_bytes(data)
    assert words in refused(tmp_path / "a.zip")


def test_an_encrypted_zip_is_named(tmp_path: Path) -> None:
    data = bytearray(pack_zip(tmp_path / "a.zip", FLAT).read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    (tmp_path / "a.zip").write_bytes(data)
    assert "encrypted" in refused(tmp_path / "a.zip")


def test_rare_compression_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_LZMA) as container:
        container.writestr("a.png", b"x")
    assert "compressed by method 14" in refused(tmp_path / "a.zip")


@PACKERS
@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(total_bytes=200_000), "unpacks to more than 200,000 bytes"),
        (Limits(file_bytes=99_999), "has more than 99,999 bytes"),
        (Limits(files=2), "more than 2 files"),
    ],
)
def test_limits_hold(tmp_path: Path, pack: Pack, limits: Limits, words: str) -> None:
    members = [(f"{number}.png", os.urandom(100_000)) for number in range(3)]
    assert words in refused(pack(tmp_path / "a", members), limits)


@PACKERS
def test_limits_allow_what_is_just_within(tmp_path: Path, pack: Pack) -> None:
    members = [(f"{number}.png", bytes(50_000)) for number in range(3)]
    # A tar is counted with its headers and its padding to 10,240 bytes.
    unpack(pack(tmp_path / "a", members), tmp_path / "out", Limits(165_000, 50_000, 3))
    assert content(tmp_path / "out") == dict(members)


@pytest.mark.parametrize("pack", [pack_zip, pack_tgz])
def test_a_bomb_is_stopped_by_its_ratio(tmp_path: Path, pack: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data_prep.archives.RATIO_FLOOR_BYTES", 1_000_000)
    bomb = pack(tmp_path / "a", [("a.png", bytes(8_000_000))])
    assert bomb.stat().st_size < 20_000
    assert "unpacks to more than" in refused(bomb)


def test_a_bomb_in_a_member_that_is_left_out_is_stopped_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data_prep.archives.RATIO_FLOOR_BYTES", 1_000_000)
    assert "unpacks to more than" in refused(pack_tgz(tmp_path / "a", [("a.exe", bytes(8_000_000))]))


def test_a_size_that_a_zip_states_is_not_believed(tmp_path: Path) -> None:
    data = bytearray(pack_zip(tmp_path / "a.zip", [("a.png", bytes(300_000))]).read_bytes())
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", data, data.index(mark) + offset, 100)
    (tmp_path / "a.zip").write_bytes(data)
    assert "damaged" in refused(tmp_path / "a.zip", Limits(file_bytes=1000))


def test_a_tar_cannot_fill_the_memory_with_a_header(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tgz", "w:gz") as container:
        info = tarfile.TarInfo("a.png")
        info.pax_headers = {"comment": "x" * 3_000_000}
        container.addfile(info)
    assert "header of more than" in refused(tmp_path / "a.tgz")


@PACKERS
@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 0.9])
def test_a_cut_off_archive_is_named(tmp_path: Path, pack: Pack, share: float) -> None:
    whole = pack(tmp_path / "a", [(f"{number}.png", os.urandom(20_000)) for number in range(5)])
    data = whole.read_bytes()
    whole.write_bytes(data[: int(len(data) * share)])
    assert "cut off or damaged" in refused(whole)


@PACKERS
def test_a_damaged_archive_is_named(tmp_path: Path, pack: Pack) -> None:
    whole = pack(tmp_path / "a", [(f"{number}.png", os.urandom(2000)) for number in range(5)])
    data = bytearray(whole.read_bytes())
    # A tar protects its headers only; the third one begins after two members of 512 + 2048 bytes.
    where = slice(5120, 5130) if pack is pack_tar else slice(3000, 3010)
    data[where] = b"\xff" * 10
    whole.write_bytes(data)
    assert "cut off or damaged" in refused(whole)


def test_a_tar_that_is_cut_off_between_two_members_is_named(tmp_path: Path) -> None:
    whole = pack_tar(tmp_path / "a", [("0.png", b"0"), ("1.png", b"1")])
    whole.write_bytes(whole.read_bytes()[:1024])
    assert "no end mark" in refused(whole)


def test_a_damaged_end_of_a_tgz_is_noticed(tmp_path: Path) -> None:
    whole = pack_tgz(tmp_path / "a", FLAT)
    data = bytearray(whole.read_bytes())
    data[-6] ^= 1  # in the checksum of the whole
    whole.write_bytes(data)
    assert "cut off or damaged" in refused(whole)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<!DOCTYPE html><title>Quota</title>", "an HTML page"),
        (b"", "is no archive"),
        (b"plain text", "is no archive"),
        (b"\xff\xd8\xff\xe0", "a JPEG file"),
        (b"PAR1", "a parquet file"),
        (gzip.compress(b"plain text" * 100, mtime=0), "damaged"),
        (b"PK\x05\x06" + bytes(18), "holds no picture"),
    ],
)
def test_what_is_no_archive_is_named(tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "a.zip").write_bytes(data)
    assert words in refused(tmp_path / "a.zip")


def test_an_archive_that_is_missing_or_holds_nothing_of_use_is_named(tmp_path: Path) -> None:
    assert "no such file" in refused(tmp_path / "none.zip")
    assert "1 other members" in refused(pack_zip(tmp_path / "a.zip", [("run.exe", b"x")]))


@PACKERS
def test_members_of_the_same_name_are_all_kept(tmp_path: Path, pack: Pack) -> None:
    members = [
        ("a/x.png", b"1"),
        ("a/X.PNG", b"2"),
        ("A/x.png", b"3"),
        ("a/x.png", b"4"),
        ("a/x_2.png", b"5"),
    ]
    unpack(pack(tmp_path / "a", members), tmp_path / "out")
    found = content(tmp_path / "out")
    assert sorted(found.values()) == [data for _, data in members]
    assert len({name.casefold() for name in found}) == len(members)
    assert found["a/x.png"] == b"1"


@PACKERS
def test_a_name_cannot_be_both_file_and_folder(tmp_path: Path, pack: Pack) -> None:
    assert "both a file and a folder" in refused(
        pack(tmp_path / "a", [("a.png", b"1"), ("a.png/b.png", b"2")])
    )
    unpack(pack(tmp_path / "a", [("a.png/b.png", b"2"), ("A.png", b"1")]), tmp_path / "out")
    assert content(tmp_path / "out") == {"a.png/b.png": b"2", "A_2.png": b"1"}


@PACKERS
def test_long_and_odd_names_become_usable(tmp_path: Path, pack: Pack) -> None:
    long = "語" * 100
    members = [
        (f"d/{long}1.png", b"1"),
        (f"d/{long}2.png", b"2"),
        ("d/new\nline.png", b"3"),
        ("d\\b.png", b"4"),
    ]
    unpack(pack(tmp_path / "a", members), tmp_path / "out")
    found = content(tmp_path / "out")
    assert sorted(found.values()) == [b"1", b"2", b"3", b"4"]
    assert found["d/new_line.png"] == b"3"
    assert found["d/b.png"] == b"4"
    assert "too long a path" in refused_in(tmp_path / "deep", pack, [("a" * 150 + "/") * 8 + "b.png"])


def refused_in(folder: Path, pack: Pack, names: list[str]) -> str:
    folder.mkdir()
    return refused(pack(folder / "a", [(name, b"x") for name in names]))


def test_names_that_cannot_be_decoded_become_usable(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.GNU_FORMAT) as container:
        for name in (b"\xff.png", b"\xfe.png"):
            info = tarfile.TarInfo(os.fsdecode(name))
            container.addfile(info)
    unpack(tmp_path / "a.tar", tmp_path / "out")
    assert sorted(content(tmp_path / "out")) == ["\ufffd.png", "\ufffd_2.png"]


def test_only_an_empty_folder_is_unpacked_into(tmp_path: Path) -> None:
    archive = pack_zip(tmp_path / "a.zip", FLAT)
    (tmp_path / "out").mkdir()
    unpack(archive, tmp_path / "out")
    with pytest.raises(UserError, match="not an empty folder"):
        unpack(archive, tmp_path / "out")
    assert content(tmp_path / "out") == dict(FLAT)


def test_what_a_killed_unpacking_left_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "out.part").mkdir()
    (tmp_path / "out.part" / "half.png").write_bytes(b"x")
    unpack(pack_zip(tmp_path / "a.zip", FLAT), tmp_path / "out")
    assert content(tmp_path / "out") == dict(FLAT)
    assert not (tmp_path / "out.part").exists()


@pytest.mark.parametrize("name", sorted(EXTENSIONS))
def test_pictures_are_recognised(name: str) -> None:
    memory = io.BytesIO()
    Image.new("RGB", (3, 2)).save(memory, name)
    assert recognise(memory.getvalue()) == name


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"", "other"),
        (b'<?xml version="1.0"?><opencv_storage>', "other"),
        (b"<headline>", "other"),
        (b"<!-- a --> <!-- b -->\n<html>", "html"),
        (b"<!---->" * 500 + b"<x>", "other"),
        (b"<!-- " + b"-" * 4000, "other"),
        (b"BMW is a brand of cars", "other"),
        (b" \r\n<!doctype HTML>", "html"),
        (b"\x80\x02\x8a\nl\xfc", "other"),
    ],
)
def test_other_files_are_recognised(head: bytes, kind: str) -> None:
    assert recognise(head) == kind


def folders(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).mkdir(parents=True)
    return root


def test_splits_are_found_at_any_depth_nearest_first(tmp_path: Path) -> None:
    folders(tmp_path, *(f"a/deep/{split}" for split in SPLITS), *(f"b/{split}" for split in SPLITS))
    folders(tmp_path, *(f".hidden/{split}" for split in SPLITS))
    assert find_splits(tmp_path) == tmp_path / "b"
    assert find_splits(tmp_path / "a") == tmp_path / "a" / "deep"


def test_links_to_folders_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    folders(tmp_path / "elsewhere", *SPLITS)
    folders(tmp_path, "root/a")
    (tmp_path / "root" / "a" / "up").symlink_to(tmp_path / "root")
    with pytest.raises(UserError):
        find_splits(tmp_path / "root")
    (tmp_path / "root" / "link").symlink_to(tmp_path / "elsewhere")
    assert find_splits(tmp_path / "root") == tmp_path / "root" / "link"


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ((), "folders found: none"),
        (("one", "one/two"), "folders found: one, one/two; expected one with trainA"),
        (tuple(f"f{number:02}" for number in range(20)), "f11 and 8 more"),
        (("x/trainA", "x/trainB", "x/testB"), "x lacks testA"),
        (("afhq/train/cat", "afhq/train/dog", "afhq/train/wild", "afhq/val/cat"), "AFHQ"),
    ],
)
def test_what_is_there_instead_of_the_splits_is_named(
    tmp_path: Path, names: tuple[str, ...], words: str
) -> None:
    with pytest.raises(UserError, match=words):
        find_splits(folders(tmp_path, *names))
    assert splits_folder(tmp_path) is None


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such folder"):
        find_splits(tmp_path / "none")


def _picture(name: str, level: int) -> bytes:
    memory = io.BytesIO()
    Image.new("RGB", (3, 2), (level, level, level)).save(memory, name)
    return memory.getvalue()


JPEG, PNG = _picture("JPEG", 1), _picture("PNG", 2)


def write_parquet(path: Path, **columns: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path, row_group_size=2)
    return path


def test_rows_of_parquet_become_folders_of_pictures(tmp_path: Path) -> None:
    a = [
        {"bytes": JPEG, "path": "x/one.png"},
        {"bytes": PNG, "path": None},
        {"bytes": b"junk", "path": "b.webp"},
    ]
    b = [{"bytes": PNG, "path": "..\\one.jpg"}, None, {"bytes": None, "path": "gone.jpg"}]
    first = write_parquet(tmp_path / "data" / "train-00000-of-00002.parquet", imageA=a, imageB=b)
    second = write_parquet(tmp_path / "data" / "train-00001-of-00002.parquet", imageA=a[:1], imageB=b[:1])
    test = write_parquet(tmp_path / "test" / "0000.parquet", imageA=[JPEG], imageB=[PNG], n=[1])
    unpack_parquet([first, second, test], tmp_path / "out")
    assert content(tmp_path / "out") == {
        "trainA/one.jpg": JPEG,
        "trainA/00001.png": PNG,
        "trainA/b.webp": b"junk",
        "trainA/one_2.jpg": JPEG,
        "trainB/one.png": PNG,
        "trainB/one_2.png": PNG,
        "testA/00000.jpg": JPEG,
        "testB/00000.png": PNG,
    }
    assert find_splits(tmp_path / "out") == tmp_path / "out"


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(total_bytes=350_000), "unpacks to more than 350,000 bytes"),
        (Limits(file_bytes=99_999), "holds a picture of more than 99,999 bytes"),
        (Limits(files=3), "holds more than 3 files"),
    ],
)
def test_limits_hold_for_all_parquet_files_together(tmp_path: Path, limits: Limits, words: str) -> None:
    pictures = {"imageA": [bytes(100_000)], "imageB": [bytes(100_000)]}
    files = [write_parquet(tmp_path / f"{split}.parquet", **pictures) for split in ("train", "test")]
    with pytest.raises(UserError, match=words):
        unpack_parquet(files, tmp_path / "out", limits)
    assert not (tmp_path / "out").exists()
    unpack_parquet(files, tmp_path / "out", Limits(400_000, 100_000, 4))


def test_parquet_of_another_shape_is_named(tmp_path: Path) -> None:
    cases = [
        (
            write_parquet(tmp_path / "train.parquet", image=[PNG], label=[1]),
            r"image \(binary\), label \(int64\)",
        ),
        (write_parquet(tmp_path / "train2.parquet", imageA=[PNG], imageB=["x"]), r"imageB \(string\)"),
        (write_parquet(tmp_path / "val.parquet", imageA=[PNG], imageB=[PNG]), "train or test"),
    ]
    (tmp_path / "test.parquet").write_bytes(b"PAR1 and no more")
    cases.append((tmp_path / "test.parquet", "cannot be read as parquet"))
    nothing = {"imageA": pa.array([], pa.binary()), "imageB": pa.array([], pa.binary())}
    cases.append((write_parquet(tmp_path / "train3.parquet", **nothing), "no pictures"))
    for file, words in cases:
        with pytest.raises(UserError, match=words):
            unpack_parquet([file], tmp_path / "out")
        assert not (tmp_path / "out").exists()
        assert not (tmp_path / "out.part").exists()
