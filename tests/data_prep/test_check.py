from __future__ import annotations

import inspect
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import imagehash
import numpy as np
import pytest
from PIL import Image, ImageFilter, ImageOps

from data_prep import likeness
from data_prep.check import Report, check_folder
from data_prep.cli import main
from data_prep.cli.checking import check_pictures
from data_prep.datasets.folder import collect
from data_prep.examine import FORMAT_OF_SUFFIX, examine
from data_prep.likeness import count_with_mirrored, count_with_neighbour, nearest, perceptual_hash
from ugatit.errors import UserError
from ugatit.images import PICTURE_SUFFIXES
from ugatit.manifest import SPLITS
from ugatit.params import Params
from ugatit.sources import FolderSource

PX = 72
"""Above the size that is called small."""


def scene(seed: int, width: int = PX, height: int = PX) -> Image.Image:
    """Coloured clouds: smooth as photographs are, and no two seeds alike."""
    pixels = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two sound pictures per split, all different."""
    for number, split in enumerate(SPLITS):
        (tmp_path / "set" / split).mkdir(parents=True)
        for k in range(2):
            scene(10 * number + k).save(tmp_path / "set" / split / f"{k}.png")
    return tmp_path / "set"


def check(folder: Path, kid_subset_size: int = 2) -> Report:
    return check_folder(folder, kid_subset_size, threads=2)


def kinds(report: Report) -> dict[str, str]:
    return {finding.kind: finding.severity for finding in report.findings}


def places(report: Report, kind: str) -> tuple[str, ...]:
    """Where a kind was found; fails if it was not, or more than once."""
    (finding,) = [finding for finding in report.findings if finding.kind == kind]
    return finding.where


def test_a_sound_dataset_has_no_findings(folder: Path) -> None:
    report = check(folder)
    assert report.findings == ()
    assert [(split.name, split.usable, split.most_common) for split in report.splits] == [
        (split, 2, (PX, PX)) for split in SPLITS
    ]


def test_missing_and_empty_splits_are_problems(folder: Path) -> None:
    shutil.rmtree(folder / "testB")
    shutil.rmtree(folder / "testA")
    (folder / "testA").mkdir()
    (folder / "testA" / "notes.txt").write_text("none")
    report = check(folder)
    assert kinds(report) == {"missing-split": "problem", "empty-split": "problem", "other-files": "note"}
    assert places(report, "missing-split") == ("testB",)
    assert places(report, "empty-split") == ("testA",)
    assert places(report, "other-files") == ("testA/notes.txt",)


def test_a_dataset_one_level_deeper_is_pointed_out(folder: Path) -> None:
    (finding,) = check(folder.parent).findings
    assert finding.kind == "missing-split"
    assert str(folder) in finding.remedy


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such folder"):
        check(tmp_path / "none")


def test_unreadable_pictures_are_named_with_the_reason(folder: Path) -> None:
    picture = (folder / "trainA/0.png").read_bytes()
    (folder / "trainA/half.png").write_bytes(picture[: len(picture) // 2])
    (folder / "trainB/page.jpg").write_text("<!DOCTYPE html>")
    (folder / "trainB/gone.jpg").symlink_to(folder / "nowhere.jpg")
    report = check(folder)
    assert kinds(report) == {"unreadable": "problem"}
    assert places(report, "unreadable") == (
        "trainA/half.png: truncated",
        "trainB/gone.jpg: cannot be opened (No such file or directory)",
        "trainB/page.jpg: not a picture (HTML page)",
    )
    assert [split.unreadable for split in report.splits] == [1, 2, 0, 0]


def rotated(path: Path) -> None:
    image = scene(99, 80, 70)
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(path, exif=exif)


@pytest.mark.parametrize(
    ("kind", "name", "write"),
    [
        ("misnamed", "x.jpg", lambda p: scene(99).save(p, format="PNG")),
        ("grey", "x.png", lambda p: scene(99).convert("L").save(p)),
        ("grey", "x.jpg", lambda p: scene(99).convert("L").convert("RGB").save(p)),
        ("cmyk", "x.jpg", lambda p: scene(99).convert("CMYK").save(p)),
        ("transparent", "x.png", lambda p: scene(99).convert("RGBA").save(p)),
        ("rotated", "x.jpg", rotated),
        ("animated", "x.webp", lambda p: scene(99).save(p, save_all=True, append_images=[scene(98)])),
    ],
)
def test_what_the_pipeline_handles_is_a_note(
    folder: Path, kind: str, name: str, write: Callable[[Path], None]
) -> None:
    write(folder / "trainA" / name)
    report = check(folder)
    assert kinds(report) == {kind: "note"}
    assert places(report, kind)[0].startswith(f"trainA/{name}")


def test_a_damaged_second_frame_leaves_the_first_usable(tmp_path: Path) -> None:
    path, marker = tmp_path / "x.gif", b"!\xf9\x04"
    scene(1).quantize(8).save(path, save_all=True, append_images=[scene(2).quantize(8)])
    assert examine(path, tmp_path, "trainA").animated
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.rindex(marker) + len(marker)])
    picture = examine(path, tmp_path, "trainA")
    assert picture.usable and not picture.animated


def test_sizes_are_of_the_picture_as_seen_and_odd_ones_are_warned_of(folder: Path) -> None:
    scene(97, 63, 63).save(folder / "trainA/small.png")
    scene(98, 200, 100).save(folder / "trainA/wide.png")
    rotated(folder / "trainA/turned.jpg")
    report = check(folder)
    assert kinds(report) == {"small": "warning", "oblong": "warning", "rotated": "note"}
    assert places(report, "small") == ("trainA/small.png: 63x63",)
    assert places(report, "oblong") == ("trainA/wide.png: 200x100",)
    split = report.splits[0]
    assert (split.smallest, split.largest, split.most_common) == ((63, 63), (200, 100), (PX, PX))
    assert examine(folder / "trainA/turned.jpg", folder, "trainA").height == 80


def test_copies_within_a_split_are_a_warning(folder: Path) -> None:
    (folder / "trainA/deeper").mkdir()
    shutil.copy(folder / "trainA/0.png", folder / "trainA/deeper/copy.png")
    scene(1).save(folder / "trainA/z.bmp")
    report = check(folder)
    assert kinds(report) == {"repeated": "warning"}
    assert places(report, "repeated") == (
        "trainA/0.png = trainA/deeper/copy.png (same bytes)",
        "trainA/1.png = trainA/z.bmp (same pixels)",
    )


@pytest.mark.parametrize(
    ("kind", "copied", "to"),
    [("leak", "trainA", "testA"), ("leak", "trainB", "testB"), ("both-sides", "trainA", "testB")],
)
def test_a_picture_in_two_places_that_exclude_each_other_is_a_problem(
    folder: Path, kind: str, copied: str, to: str
) -> None:
    scene({"trainA": 0, "trainB": 10}[copied]).save(folder / to / "again.bmp")
    report = check(folder)
    assert kinds(report) == {kind: "problem"}
    pair = {f"{copied}/0.png", f"{to}/again.bmp"}
    assert set(places(report, kind)[0].removesuffix(" (same pixels)").split(" = ")) == pair


def test_a_picture_saved_again_is_found_by_its_look(folder: Path) -> None:
    scene(10).resize((100, 100)).save(folder / "testB/again.jpg", quality=70)
    scene(0).filter(ImageFilter.GaussianBlur(1)).save(folder / "trainA/soft.png")
    scene(1).filter(ImageFilter.GaussianBlur(1)).save(folder / "testB/cat.png")
    report = check(folder)
    assert kinds(report) == {"near-leak": "warning", "near-both-sides": "warning", "alike": "note"}
    assert places(report, "near-leak")[0].startswith("testB/again.jpg ~ trainB/0.png (distance ")
    assert places(report, "near-both-sides")[0].startswith("trainA/1.png ~ testB/cat.png (distance ")
    (alike,) = [finding.what for finding in report.findings if finding.kind == "alike"]
    assert alike.endswith(": trainA 2")


@pytest.mark.parametrize(
    ("distance", "kind"), [(4, "near-leak"), (5, "look-at-leak"), (10, "look-at-leak"), (11, None)]
)
def test_distance_decides_whether_a_pair_is_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch, distance: int, kind: str | None
) -> None:
    looks = {scene(0).tobytes(): 0, scene(20).tobytes(): (1 << distance) - 1}
    monkeypatch.setattr("data_prep.examine.perceptual_hash", lambda rgb: looks.get(rgb.tobytes()))
    report = check(folder)
    assert list(kinds(report)) == ([kind] if kind else [])
    if kind:
        assert places(report, kind) == (f"testA/0.png ~ trainA/0.png (distance {distance})",)


def test_a_mirrored_copy_in_train_and_test_is_a_warning(folder: Path) -> None:
    ImageOps.mirror(scene(0)).save(folder / "testA/mirrored.jpg", quality=80)
    report = check(folder)
    assert kinds(report) == {"mirrored-leak": "warning"}
    (place,) = places(report, "mirrored-leak")
    assert place.startswith("testA/mirrored.jpg ~ trainA/0.png (distance ")


def test_a_mirrored_copy_within_a_split_is_a_note_and_a_symmetric_picture_none(folder: Path) -> None:
    half = np.asarray(scene(50, PX // 2))
    symmetric = Image.fromarray(np.concatenate([half, half[:, ::-1]], axis=1))
    symmetric.save(folder / "trainB/symmetric.png")
    ImageOps.mirror(scene(0)).save(folder / "trainA/mirrored.png")
    (finding,) = check(folder).findings
    assert (finding.severity, finding.kind) == ("note", "mirrored")
    assert finding.what.endswith("in a mirror (pHash distance 0 to 4): trainA 2")


def test_pictures_of_one_colour_are_not_alike_each_other(folder: Path) -> None:
    for split, level in zip(SPLITS, (10, 90, 170, 250), strict=True):
        Image.new("RGB", (PX, PX), (level, 0, 0)).save(folder / split / "flat.png")
    assert check(folder).findings == ()


def test_too_few_test_pictures_for_kid_are_a_warning(folder: Path) -> None:
    scene(96).save(folder / "testA/third.png")
    report = check(folder, kid_subset_size=3)
    assert kinds(report) == {"few-test-pictures": "warning"}
    assert places(report, "few-test-pictures") == ("testB",)


def test_the_hash_is_that_of_imagehash(folder: Path) -> None:
    image = scene(3)
    look = perceptual_hash(np.asarray(image))
    assert look is not None and f"{look:016x}" == str(imagehash.phash(image))


def test_distances_are_those_of_a_plain_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(likeness, "BLOCK_PAIRS", 30)
    rng = np.random.default_rng(0)
    some, others = (rng.integers(0, 1 << 64, n, dtype=np.uint64).tolist() for n in (17, 9))
    plain = [[(a ^ b).bit_count() for b in others] for a in some]
    assert nearest(some, others) == [(row.index(min(row)), min(row)) for row in plain]
    assert nearest(some, []) == []
    assert nearest([], others) == []
    assert count_with_neighbour([*some, some[16] ^ 0b111], 3) == 2
    assert count_with_neighbour([*some, some[16] ^ 0b1111], 3) == 0
    assert count_with_mirrored(some, some, 3) == 0  # symmetric: each is only its own mirror image
    assert count_with_mirrored(some, [some[1] ^ 1, some[0] ^ 1, *some[2:]], 3) == 2
    assert count_with_mirrored([*some, some[0] ^ 1], [*some, some[0] ^ 1], 3) == 0


def test_every_ending_has_a_format() -> None:
    assert FORMAT_OF_SUFFIX.keys() == PICTURE_SUFFIXES


def test_the_check_takes_as_usable_what_the_builder_takes(folder: Path, tmp_path: Path) -> None:
    (folder / "trainA/bad.png").write_text("no")
    (folder / "trainA/.hidden.png").write_text("no")
    staging = tmp_path / "staging"
    staging.mkdir()
    rows = collect(FolderSource(kind="folder", path=str(folder)), staging, 1)
    counted = [(split.files, split.unreadable) for split in check(folder).splits]
    assert counted == [
        (sum(r.split == s for r in rows), sum(r.split == s and r.status == "error" for r in rows))
        for s in SPLITS
    ]


def test_the_command_asks_for_as_many_test_pictures_as_the_parameters(params: Params) -> None:
    default = inspect.signature(check_pictures).parameters["kid_subset_size"].default
    assert default == params.evaluation.kid_subset_size


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> object:
    """Run the command as a shell would; returns its exit code."""
    monkeypatch.setattr(sys, "argv", ["data-prep", "check", *map(str, arguments)])
    with pytest.raises(SystemExit) as exit_info:
        main()
    return exit_info.value.code


def test_command_shows_five_names_and_writes_all(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for k in range(7):
        (folder / f"trainA/[b]bad{k}.png").write_text("no picture")
    assert run(monkeypatch, folder, "--kid-subset-size", 2, "--json", tmp_path / "report.json") == 1
    out = capfd.readouterr().out
    assert "1. problem: pictures that cannot be read: trainA 7" in out
    assert "trainA/[b]bad4.png: not a picture (text)" in out
    assert "bad5" not in out and "and 2 more" in out
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["problems"] == 1
    assert report["splits"][0]["unreadable"] == 7
    assert len(report["findings"][0]["where"]) == 7


def test_command_succeeds_if_there_are_only_warnings(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, folder) == 0
    assert "problems: 0, warnings: 2, notes: 0" in capfd.readouterr().out


def test_command_refuses_what_it_cannot_use(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, tmp_path / "none") == 2
    assert capfd.readouterr().err.startswith("error: ")
    (tmp_path / "file").write_text("")
    assert run(monkeypatch, folder, "--json", tmp_path / "file/report.json") == 2
    assert "cannot be written" in capfd.readouterr().err


@pytest.fixture(scope="module")
def real() -> Path:
    """The real pictures; skips without them."""
    if "UGATIT_REAL_DATA" not in os.environ:
        pytest.skip("needs real pictures")
    return Path(os.environ["UGATIT_REAL_DATA"])


def test_real_horses_and_zebras(real: Path) -> None:
    """A horse of testA is also in trainA, byte for byte, and some zebras are grey."""
    report = check_folder(real / "horse2zebra", 50, threads=2)
    assert [finding.kind for finding in report.findings if finding.severity == "problem"] == ["leak"]
    assert places(report, "leak") == (
        "testA/n02381460_1160.jpg = trainA/n02381460_3811.jpg (same bytes)",
    )  # fmt: skip
    assert {split.name: split.grey for split in report.splits} == {
        "trainA": 3,
        "trainB": 7,
        "testA": 0,
        "testB": 5,
    }


def test_real_cats_and_dogs(real: Path) -> None:
    """Test pictures that are training pictures saved again, so that no byte is the same."""
    report = check_folder(real / "cat2dog", 50, threads=2)
    (cats, dogs) = (finding.where for finding in report.findings if finding.kind == "near-leak")
    assert [place.partition(" (")[0] for place in cats] == ["testA/61.jpg ~ trainA/452.jpg"]
    assert [place.partition(" (")[0] for place in dogs] == [
        "testB/1663.jpg ~ trainB/1403.jpg",
        "testB/1450.jpg ~ trainB/1610.jpg",
        "testB/1616.jpg ~ trainB/1238.jpg",
    ]
    assert [place.partition(" (")[0] for place in places(report, "mirrored-leak")] == [
        "testB/1680.jpg ~ trainB/1078.jpg",
        "testB/1709.jpg ~ trainB/1454.jpg",
    ]


def test_real_selfies_and_anime_faces(real: Path) -> None:
    """Side B are PNG bytes under names that end in .jpg."""
    report = check_folder(real / "selfie2anime", 50, threads=2)
    assert report.problems == 0
    assert len(places(report, "misnamed")) == 500
    assert {place.partition("/")[0] for place in places(report, "misnamed")} == {"trainB", "testB"}
    assert {place.partition(": ")[2] for place in places(report, "misnamed")} == {"PNG"}
