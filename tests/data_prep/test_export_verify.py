"""The last stages of a construction: writing the dataset, and finding what is wrong with what was written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, JpegImagePlugin

from data_prep.items import REVIEW, Item
from data_prep.sources import read_record
from data_prep.stages.export import LISTED_IN, export
from data_prep.stages.verify import verify
from tests.data_prep.small_side import item
from ugatit.construction import SIDES, Side
from ugatit.errors import UserError
from ugatit.images import read_rgb
from ugatit.manifest import DROPPED, ERROR, KEPT, SPLITS, Picture, describe_picture, read_manifest
from ugatit.params import Params

PX = 32
COUNTS = {"trainA": 3, "trainB": 2, "testA": 2, "testB": 1}

JPEG_QUALITY = 95
"""What `export.format: jpeg` promises."""

JPEG_LOSS = 3.0
"""Mean grey levels by which quality 95 changes these soft pictures; measured: 1.5 to 1.7."""

FULL_COLOUR = 0
"""Pillow's number for JPEG of which the colours have as many pixels as the brightness."""


def picture(number: int) -> np.ndarray:
    """A picture of soft colours that looks like no other number's."""
    spots = np.random.default_rng(number).integers(0, 256, (7, 7, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(spots).resize((PX, PX), Image.Resampling.BICUBIC))


def upscaled(output: Path, side: Side, number: int, split: str, rank: str) -> Item:
    """An item as the stages before leave it, with its picture."""
    made = item(number, file=f"{number}.png", split=split, rank=rank, upscaled=f"upscaled/{number}.png")
    file = output / "stages" / side / made.upscaled
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture(number)).save(file)
    return made


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "data" / "mine"


@pytest.fixture
def sides(output: Path) -> dict[Side, list[Item]]:
    """Both sides' items; ranks are in another order than the numbers."""
    made: dict[Side, list[Item]] = {"a": [], "b": []}
    number = 0
    for side in SIDES:
        for split in ("train", "test"):
            count = COUNTS[split + side.upper()]
            for k in range(count):
                made[side].append(upscaled(output, side, number, split, f"{count - k:064x}"))
                number += 1
    return made


Run = Callable[..., list[Picture]]


@pytest.fixture
def run(params: Params, output: Path, sides: dict[Side, list[Item]]) -> Run:
    """Export the items of the fixture."""

    def export_them(reviewed: bool = True) -> list[Picture]:
        return export(sides, params.construction, output, reviewed, 1)

    return export_them


def files(folder: Path) -> dict[str, bytes]:
    """Every file of a dataset, but for the stages' own."""
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and "stages" not in file.parts
    }


def test_every_split_has_its_pictures_in_order_of_the_ranks(run: Run, output: Path) -> None:
    rows = run()
    assert {split: sum(row.split == split for row in rows) for split in SPLITS} == COUNTS
    # The numbers of side A are 0 to 4, and the ranks go down as they go up.
    assert [row.source for row in rows if row.split == "trainA"] == ["a/2.png", "a/1.png", "a/0.png"]
    assert [row.source for row in rows if row.split == "testA"] == ["a/4.png", "a/3.png"]
    assert [row.source for row in rows if row.split == "trainB"] == ["b/6.png", "b/5.png"]
    assert {row.path for row in rows} == {path for path in files(output) if path.split("/")[0] in SPLITS}


def test_pictures_are_called_by_their_items(run: Run) -> None:
    rows = {row.source: row for row in run()}
    assert rows["a/1.png"].path == f"trainA/female_{1:016x}.jpg"
    assert rows["b/5.png"].path == f"trainB/{5:016x}.png"
    assert all(
        row.status == KEPT and (row.width, row.height, row.mode) == (PX, PX, "RGB") for row in rows.values()
    )


def test_side_a_is_jpeg_as_asked(run: Run, output: Path, tmp_path: Path) -> None:
    row = next(row for row in run() if row.source == "a/1.png")
    Image.fromarray(picture(1)).save(tmp_path / "known.jpg", quality=JPEG_QUALITY)
    with Image.open(output / row.path) as written, Image.open(tmp_path / "known.jpg") as known:
        assert (row.format, written.format) == ("JPEG", "JPEG")
        assert written.quantization == known.quantization
        assert JpegImagePlugin.get_sampling(written) == FULL_COLOUR != JpegImagePlugin.get_sampling(known)
    difference = read_rgb(output / row.path).astype(int) - picture(1)
    assert 0 < np.abs(difference).mean() < JPEG_LOSS


def test_side_b_is_png_and_loses_nothing(run: Run, output: Path) -> None:
    row = next(row for row in run() if row.source == "b/5.png")
    assert row.format == "PNG"
    assert np.array_equal(read_rgb(output / row.path), picture(5))


def test_the_list_is_not_yet_the_manifest(run: Run, output: Path) -> None:
    rows = run()
    assert read_manifest(output / LISTED_IN).rows == tuple(rows)
    assert not (output / "manifest.csv").exists()


@pytest.mark.parametrize("reviewed", [True, False])
def test_the_record_says_whether_it_was_reviewed(
    run: Run, output: Path, params: Params, reviewed: bool
) -> None:
    rows = run(reviewed)
    record = read_record(output / "source.json")
    assert record is not None
    assert record.source == {
        "kind": "constructed", "stages": json.loads(params.construction.model_dump_json()), "reviewed": reviewed
    }  # fmt: skip
    assert sorted(name for names in record.files.values() for name in names) == sorted(r.name for r in rows)


@pytest.mark.parametrize("status", [DROPPED, REVIEW, ERROR])
def test_only_kept_items_of_a_split_are_exported(
    run: Run, sides: dict[Side, list[Item]], status: str
) -> None:
    sides["a"][0] = replace(sides["a"][0], status=status)
    sides["b"][0] = replace(sides["b"][0], split="")
    assert {"a/0.png", "b/5.png"}.isdisjoint(row.source for row in run())


def test_exporting_twice_gives_the_same_bytes(run: Run, output: Path) -> None:
    run()
    first = files(output)
    run()
    assert files(output) == first


def test_the_number_of_threads_changes_nothing(
    run: Run, params: Params, output: Path, sides: dict[Side, list[Item]]
) -> None:
    rows, first = run(), files(output)
    assert export(sides, params.construction, output, True, 3) == rows
    assert files(output) == first


def test_what_an_earlier_export_put_there_goes_with_its_manifest(
    run: Run, output: Path, sides: dict[Side, list[Item]]
) -> None:
    run()
    (output / "manifest.csv").write_text("of the earlier dataset")
    del sides["b"][0]
    run()
    assert not (output / "manifest.csv").exists()
    assert not (output / f"trainB/{5:016x}.png").exists()
    assert (output / f"trainB/{6:016x}.png").exists()


def test_pictures_that_no_build_put_there_are_never_replaced(run: Run, output: Path) -> None:
    (output / "trainA").mkdir(parents=True)
    (output / "trainA/mine.png").write_bytes(b"x")
    with pytest.raises(UserError, match=r"trainA: holds 1 files that no build put there, such as mine\.png"):
        run()
    assert (output / "trainA/mine.png").exists()


def test_a_place_that_is_a_file_is_named(run: Run, output: Path, sides: dict[Side, list[Item]]) -> None:
    shutil.rmtree(output)
    output.write_bytes(b"mine")
    with pytest.raises(UserError, match=r"data/mine: cannot be written \(Not a directory\)\. Choose another"):
        run()
    assert output.read_bytes() == b"mine"


@pytest.mark.parametrize("name", [".mine", ".mine.png"])
def test_hidden_files_of_the_user_s_are_not_deleted_either(run: Run, output: Path, name: str) -> None:
    run()
    (output / "trainA" / name).write_bytes(b"x")
    with pytest.raises(UserError, match=f"trainA: holds 1 files that no build put there, such as {name}"):
        run()
    assert (output / "trainA" / name).exists()


@pytest.mark.parametrize("name", [".DS_Store", "._0.png", "Thumbs.db", ".nfs000000000a"])
def test_files_of_the_system_do_not_hinder_a_build(run: Run, output: Path, name: str) -> None:
    run()
    (output / "trainA" / name).write_bytes(b"x")
    run()
    assert not (output / "trainA" / name).exists()


def check(rows: list[Picture], output: Path, expected: dict[str, int] | None = COUNTS) -> list[str]:
    return verify(rows, output, PX, expected, 1)


def failure(rows: list[Picture], output: Path, expected: dict[str, int] | None = COUNTS) -> str:
    """The one line that is said."""
    with pytest.raises(UserError) as error:
        check(rows, output, expected)
    message = str(error.value)
    assert message.startswith("verify: not true that ") and "\n" not in message
    return message


def test_a_good_dataset_passes_every_check(run: Run, output: Path) -> None:
    passed = check(run(), output)
    assert passed == [
        "8 files, as listed",
        "all whole, RGB and 32 x 32",
        "no bytes twice",
        "no picture of testA has the perceptual hash of one of trainA",
        "no picture of testB has the perceptual hash of one of trainB",
        "counts as asked",
    ]


def test_without_expected_counts_none_are_claimed(run: Run, output: Path) -> None:
    assert "counts as asked" not in check(run(), output, None)


@pytest.mark.parametrize("change", ["missing", "extra"])
def test_a_missing_and_an_extra_file_are_named(run: Run, output: Path, change: str) -> None:
    rows = run()
    file = output / rows[0].path
    if change == "extra":
        file = file.with_name("another.jpg")
        file.write_bytes(b"x")
    else:
        file.unlink()
    assert failure(rows, output) == (
        f"verify: not true that files and list agree: trainA/{file.name}. Build the dataset again."
    )


def test_a_missing_folder_is_named(run: Run, output: Path) -> None:
    rows = run()
    (output / rows[-1].path).unlink()
    (output / "testB").rmdir()
    assert rows[-1].path in failure(rows, output)


def test_a_hidden_file_of_the_system_is_no_picture(run: Run, output: Path) -> None:
    rows = run()
    (output / "trainA/.DS_Store").write_bytes(b"x")
    assert check(rows, output)


def test_how_many_more_failed_is_said(run: Run, output: Path) -> None:
    rows = run()
    for row in rows[:3]:
        (output / row.path).unlink()
    assert " and 2 more. Build" in failure(rows, output)


def test_changed_bytes_are_noticed(run: Run, output: Path) -> None:
    rows = run()
    file = output / rows[1].path
    file.write_bytes(file.read_bytes() + b"\0")
    assert failure(rows, output).endswith(f": {rows[1].path} has changed. Build the dataset again.")


def exchange(rows: list[Picture], index: int, output: Path, image: Image.Image) -> list[Picture]:
    """The rows after another picture took the place of one, with its true description."""
    file = output / rows[index].path
    image.save(file, "PNG")
    made = describe_picture(file, rows[index].split, rows[index].path, rows[index].source)
    return [made if k == index else row for k, row in enumerate(rows)]


def alike(file: Path) -> Image.Image:
    """A picture of other bytes that looks the same: one pixel differs by one level."""
    rgb = read_rgb(file).copy()
    rgb[0, 0, 0] ^= 1
    return Image.fromarray(rgb)


@pytest.mark.parametrize(
    ("size", "mode", "words"),
    [((PX, PX // 2), "RGB", "32x16 RGB"), ((2 * PX, 2 * PX), "RGB", "64x64 RGB"), ((PX, PX), "L", "32x32 L")],
)
def test_another_size_and_another_mode_are_named(
    run: Run, output: Path, size: tuple[int, int], mode: str, words: str
) -> None:
    rows = run()
    changed = exchange(rows, -1 + len(rows), output, Image.new(mode, size))
    message = failure(changed, output)
    assert "every picture is whole, RGB and 32 x 32" in message
    assert f"{rows[-1].path}: {words}" in message


def test_a_cut_off_picture_is_named(run: Run, output: Path) -> None:
    rows = run()
    file = output / rows[-1].path
    file.write_bytes(file.read_bytes()[:-40])
    digest = describe_picture(file, "testB", "", "").sha256
    changed = [*rows[:-1], replace(rows[-1], sha256=digest)]
    assert f"{rows[-1].path}: truncated" in failure(changed, output)


@pytest.mark.parametrize("other", ["trainB", "testB"])
def test_the_same_bytes_twice_are_noticed(run: Run, output: Path, other: str) -> None:
    rows = run()
    index = [row.split for row in rows].index(other)
    twin = next(row for row in rows if row.split == "trainB" and row is not rows[index])
    (output / rows[index].path).write_bytes((output / twin.path).read_bytes())
    changed = [*rows]
    changed[index] = replace(rows[index], sha256=twin.sha256)
    message = failure(changed, output)
    assert "no bytes twice" in message
    assert rows[index].path in message and twin.path in message
    assert rows[index].source in message and twin.source in message
    assert "with D on the page of `data-prep review mine`" in message


@pytest.mark.parametrize("side", ["A", "B"])
def test_a_test_picture_that_looks_like_a_training_picture_is_named(
    run: Run, output: Path, side: str
) -> None:
    rows = run()
    splits = [row.split for row in rows]
    train, test = splits.index(f"train{side}"), splits.index(f"test{side}")
    changed = exchange(rows, test, output, alike(output / rows[train].path))
    assert failure(changed, output) == (
        f"verify: not true that no picture of test{side} has the perceptual hash of one of train{side}: "
        f"{rows[test].path}. Build the dataset again."
    )


def test_two_training_pictures_may_look_alike(run: Run, output: Path) -> None:
    rows = run()
    assert check(exchange(rows, 1, output, alike(output / rows[0].path)), output)


def test_pictures_of_one_colour_are_not_called_alike(run: Run, output: Path) -> None:
    rows = run()
    splits = [row.split for row in rows]
    for index, level in ((splits.index("trainB"), 10), (splits.index("testB"), 200)):
        rows = exchange(rows, index, output, Image.new("RGB", (PX, PX), (level, level, level)))
    assert check(rows, output)


def test_other_counts_than_asked_are_told(run: Run, output: Path) -> None:
    message = failure(run(), output, {**COUNTS, "trainA": 4, "testB": 2})
    assert message.endswith("counts as asked: trainA 3 of 4 and 1 more. Build the dataset again.")


def test_a_split_that_is_not_there_at_all_is_told(
    run: Run, output: Path, sides: dict[Side, list[Item]]
) -> None:
    sides["b"] = [replace(made, split="train") for made in sides["b"]]
    assert "testB 0 of 1" in failure(run(), output, {"testB": 1})
