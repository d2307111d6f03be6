"""Datasets that are built from the name of a source: obtained first, searched for the four folders, compared."""

from __future__ import annotations

import io
import json
import logging
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from data_prep.build import build_dataset, unpacked_folder
from data_prep.obtain import Obtained, obtain
from tests.data_prep.small_side import plain
from tests.data_prep.test_build_command import PARAMS, run
from ugatit.errors import UserError
from ugatit.manifest import SPLITS, Manifest, read_manifest
from ugatit.params import load
from ugatit.sources import RawSource

COUNTS = {"trainA": 3, "trainB": 2, "testA": 1, "testB": 2}
SWAPPED = {"trainA": 2, "trainB": 3, "testA": 2, "testB": 1}


def pictures(counts: Mapping[str, int] = COUNTS, top: str = "") -> dict[str, bytes]:
    """Pictures of the four splits, all different, below a folder."""
    return {
        f"{top}{split}/{number}.png": plain(50 * k + number, 8, 6)
        for k, (split, count) in enumerate(counts.items())
        for number in range(count)
    }


def archive(path: Path, files: Mapping[str, bytes]) -> Path:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as container:
        for name, data in files.items():
            container.writestr(name, data)
    path.write_bytes(memory.getvalue())
    return path


def obtained(tmp_path: Path, files: Mapping[str, bytes], swap: bool = False) -> Obtained:
    """An archive with these files, unpacked."""
    given = archive(tmp_path / "mine.zip", files)
    return obtain("mine", RawSource(path=str(given), swap=swap), tmp_path / "raw")


def build(
    tmp_path: Path, made: Obtained, expected: Mapping[str, int] = COUNTS, strict: bool = False
) -> Manifest:
    return build_dataset(unpacked_folder(made), tmp_path / "data", expected, 1, strict)


@pytest.mark.parametrize("top", ["", "cat2dog/", "some/where/deep/"])
def test_the_four_folders_are_found_wherever_they_are(tmp_path: Path, top: str) -> None:
    manifest = build(tmp_path, obtained(tmp_path, pictures(top=top)))
    assert {split: len(manifest.kept(split)) for split in SPLITS} == COUNTS
    first = manifest.kept("trainA")[0]
    assert (first.path, first.source) == ("trainA/0.png", "trainA/0.png")
    assert (tmp_path / "data" / first.path).read_bytes() == pictures()["trainA/0.png"]


def test_folders_of_the_system_that_packed_it_do_no_harm(tmp_path: Path) -> None:
    files = {"__MACOSX/set/trainA/._0.png": b"x", "set/.DS_Store": b"x", **pictures(top="set/")}
    assert len(build(tmp_path, obtained(tmp_path, files)).rows) == sum(COUNTS.values())


def test_a_swapped_source_gives_its_sides_the_other_way_around(tmp_path: Path) -> None:
    manifest = build(tmp_path, obtained(tmp_path, pictures(), swap=True), SWAPPED)
    assert {split: len(manifest.kept(split)) for split in SPLITS} == SWAPPED
    assert manifest.kept("trainA")[0].source == "trainB/0.png"
    assert (tmp_path / "data/testB/0.png").read_bytes() == pictures()["testA/0.png"]


def test_exchanged_sides_are_refused_and_the_old_dataset_stays(tmp_path: Path) -> None:
    old = build(tmp_path, obtained(tmp_path, pictures()))
    before = {file.name: file.read_bytes() for file in (tmp_path / "data").rglob("*") if file.is_file()}
    with pytest.raises(UserError, match="expected counts with A and B exchanged.*Change `swap`"):
        build(tmp_path, obtained(tmp_path, pictures(), swap=True))
    after = {file.name: file.read_bytes() for file in (tmp_path / "data").rglob("*") if file.is_file()}
    assert after == before
    assert read_manifest(old.path).rows == old.rows


def test_counts_of_one_side_do_not_tell_that_sides_are_exchanged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    build(tmp_path, obtained(tmp_path, pictures()), {"trainA": 2, "testA": 2})
    assert "other counts of pictures than expected" in caplog.text


def test_sides_of_equal_counts_cannot_be_told_apart(tmp_path: Path) -> None:
    even = dict.fromkeys(SPLITS, 2)
    manifest = build(tmp_path, obtained(tmp_path, pictures(even), swap=True), even)
    assert manifest.kept("trainA")[0].source.startswith("trainB/")


def test_other_counts_are_a_table(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    files = pictures() | {"trainA/bad.png": b"no picture"}
    build(tmp_path, obtained(tmp_path, files), {**COUNTS, "testA": 5})
    (table,) = [record.message for record in caplog.records if "other counts" in record.message]
    rows = [line.split() for line in table.splitlines()[2:]]
    assert rows == [
        ["trainA", "3", "3", "1"], ["trainB", "2", "2", "0"], ["testA", "5", "1", "0"], ["testB", "2", "2", "0"]
    ]  # fmt: skip
    assert (tmp_path / "data/manifest.csv").exists()


def test_strict_makes_other_counts_a_failure_that_builds_nothing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="trainA 3 of 3, .*testA 1 of 5, .*--strict is set"):
        build(tmp_path, obtained(tmp_path, pictures()), {**COUNTS, "testA": 5}, strict=True)
    assert not (tmp_path / "data/manifest.csv").exists()
    assert not list((tmp_path / "data").glob("t*"))


@pytest.mark.parametrize("expected", [COUNTS, {"trainA": 3}, {}])
def test_strict_allows_what_was_expected(
    tmp_path: Path, expected: dict[str, int], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        build(tmp_path, obtained(tmp_path, pictures()), expected, strict=True)
    assert not caplog.records


def test_strict_counts_usable_pictures(tmp_path: Path) -> None:
    files = pictures() | {"trainA/0.png": b"no picture"}
    with pytest.raises(UserError, match="trainA 2 of 3"):
        build(tmp_path, obtained(tmp_path, files), strict=True)


def test_afhq_in_place_of_cat2dog_is_recognised(tmp_path: Path) -> None:
    files = {
        f"afhq/{part}/{animal}/0.jpg": plain(1)
        for part in ("train", "val")
        for animal in ("cat", "dog", "wild")
    }
    with pytest.raises(UserError, match="looks like AFHQ .*another dataset than cat2dog.*Get DRIT's cat2dog"):
        build(tmp_path, obtained(tmp_path, files))


def test_an_incomplete_archive_is_named(tmp_path: Path) -> None:
    files = pictures({"trainA": 1, "trainB": 1, "testA": 1}, "set/")
    with pytest.raises(UserError, match=r"raw/mine/set lacks testB\. Complete it"):
        build(tmp_path, obtained(tmp_path, files))


def test_a_folder_of_ones_own_is_not_built_into(tmp_path: Path) -> None:
    made = obtained(tmp_path, pictures())
    with pytest.raises(UserError, match="would be built into its own raw folder"):
        build_dataset(unpacked_folder(made), Path(made.folder), COUNTS, 1)


def overlay(tmp_path: Path, **dataset: object) -> Path:
    """A parameter file of one's own with a dataset from a source that is an archive."""
    given = archive(tmp_path / "mine.zip", pictures(top="top/"))
    entry = {"domains": ["one", "two"], "source": "my-source", "pictures": COUNTS, **dataset}
    text = {
        "paths": {"data": str(tmp_path / "data"), "raw": str(tmp_path / "raw")},
        "sources": {"my-source": {"path": str(given)}},
        "datasets": {"mine": entry},
    }
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(text))
    return path


def test_the_command_obtains_and_builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "build", "mine", "--params", PARAMS, "--overlay", overlay(tmp_path)) == 0
    assert len(read_manifest(tmp_path / "data/mine/manifest.csv").rows) == sum(COUNTS.values())
    assert (tmp_path / "raw/my-source.json").exists()


def test_the_command_builds_from_a_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So does the workflow's rule."""
    mine = load(PARAMS, [overlay(tmp_path)])
    obtain("my-source", mine.sources["my-source"], tmp_path / "raw")
    options = ["--obtained", tmp_path / "raw/my-source.json", "--pictures", json.dumps(COUNTS)]
    arguments = ["build", "--source", '"my-source"', *options, "--output", tmp_path / "out"]
    assert run(monkeypatch, *arguments, "--strict", "--threads", 1) == 0
    assert len(read_manifest(tmp_path / "out/manifest.csv").rows) == sum(COUNTS.values())


def test_an_output_that_is_a_file_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").write_bytes(b"mine")
    arguments = ["build", "mine", "--params", PARAMS, "--overlay", overlay(tmp_path)]
    assert run(monkeypatch, *arguments, "--output", tmp_path / "out") == 2
    assert f"error: {tmp_path / 'out'}: cannot be written" in capfd.readouterr().err


def test_the_command_is_strict_if_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    mine = overlay(tmp_path, pictures={"trainA": 4})
    arguments = ["build", "mine", "--params", PARAMS, "--overlay", mine]
    assert run(monkeypatch, *arguments, "--strict") == 2
    assert "error: " in (shown := capfd.readouterr().err) and "trainA 3 of 4, trainB 2 of any" in shown
    assert run(monkeypatch, *arguments) == 0
