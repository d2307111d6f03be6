"""Features: of the right pictures in the right order, extracted once, and never of unknown origin."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from ugatit.errors import UserError
from ugatit.evaluation.extractors import Extractor
from ugatit.evaluation.feature_file import Features, are_same_pictures, read_features, require_comparable
from ugatit.evaluation.features import extract_features, features_of
from ugatit.images import read_rgb, resize, write_png
from ugatit.manifest import Manifest, describe_folder, write_manifest

PX = 8

FLOAT_NOISE = 1e-3
"""Absolute, on means of levels up to 255 in float32."""


def channel_means(pictures: Tensor) -> tuple[Tensor]:
    return (pictures.float().mean(dim=(2, 3)),)


def never(pictures: Tensor) -> tuple[Tensor]:
    raise AssertionError("extracted again")


def extractor(network: Callable[[Tensor], tuple[Tensor]] = channel_means, weights: str = "a") -> Extractor:
    return Extractor("stub", weights * 64, 3, network, torch.device("cpu"))


def draw(folder: Path, names: list[str], height: int = 12, width: int = 10) -> None:
    for name in names:
        random = np.random.default_rng(sum(name.encode()))
        write_png(folder / name, random.integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    draw(tmp_path / "pictures", [f"{k}.png" for k in range(7)])
    return tmp_path / "pictures"


@pytest.fixture
def manifest(folder: Path) -> Manifest:
    return describe_folder(folder, "testA")


def test_features_are_of_the_resized_pictures_in_order(folder: Path, manifest: Manifest) -> None:
    draw(folder, ["wide.png"], height=5, width=30)
    manifest = describe_folder(folder, "testA")
    features = extract_features(manifest, "testA", extractor(), None, PX, batch_size=3)
    assert features.names == tuple(sorted(path.name for path in folder.iterdir()))
    assert features.values.dtype == np.float32
    expected = [resize(read_rgb(folder / name), PX).mean(axis=(0, 1)) for name in features.names]
    assert np.allclose(features.values, expected, rtol=0, atol=FLOAT_NOISE)


def test_written_features_are_read_again(tmp_path: Path, manifest: Manifest) -> None:
    output = tmp_path / "out" / "testA.json"
    written = extract_features(manifest, "testA", extractor(), output, PX, batch_size=4)
    read = read_features(output)
    assert np.array_equal(read.values, written.values)
    assert (read.names, read.identity, read.sha256) == (written.names, written.identity, written.sha256)
    record = json.loads(output.read_text())
    assert record["schema"] == 1
    assert record["extractor"] == {"name": "stub", "weights_sha256": "a" * 64, "feature_dim": 3}
    assert record["pictures"]["n"] == 7
    assert str(tmp_path) not in output.read_text()


def test_nothing_is_extracted_twice(tmp_path: Path, manifest: Manifest) -> None:
    output = tmp_path / "testA.json"
    first = extract_features(manifest, "testA", extractor(), output, PX, batch_size=4)
    again = extract_features(manifest, "testA", extractor(never), output, PX, batch_size=2)
    assert again.sha256 == first.sha256


def test_pictures_that_moved_are_the_same_pictures(tmp_path: Path, folder: Path, manifest: Manifest) -> None:
    output = tmp_path / "testA.json"
    extract_features(manifest, "testA", extractor(), output, PX, batch_size=4)
    moved = folder.rename(tmp_path / "elsewhere")
    extract_features(describe_folder(moved, "testA"), "testA", extractor(never), output, PX, batch_size=4)


def test_whatever_changes_the_features_extracts_anew(
    tmp_path: Path, folder: Path, manifest: Manifest
) -> None:
    output = tmp_path / "testA.json"

    def is_stored(manifest: Manifest, weights: str = "a", px: int = PX, limit: int | None = None) -> bool:
        extract_features(manifest, "testA", extractor(), output, PX, batch_size=4)
        try:
            extract_features(manifest, "testA", extractor(never, weights), output, px, 4, limit)
        except AssertionError:
            return False
        return True

    assert is_stored(manifest)
    assert not is_stored(manifest, weights="b")
    assert not is_stored(manifest, px=PX + 1)
    assert not is_stored(manifest, limit=3)
    draw(folder, ["0.png"], height=9)
    with pytest.raises(AssertionError, match="extracted again"):
        extract_features(describe_folder(folder, "testA"), "testA", extractor(never), output, PX, 4)


def test_damaged_values_are_refused_by_the_reader_and_replaced_by_the_extractor(
    tmp_path: Path, manifest: Manifest
) -> None:
    output = tmp_path / "testA.json"
    first = extract_features(manifest, "testA", extractor(), output, PX, batch_size=4)
    output.with_suffix(".npz").write_bytes(b"damaged")
    with pytest.raises(UserError, match=r"testA\.npz: SHA-256 is"):
        read_features(output)
    assert extract_features(manifest, "testA", extractor(), output, PX, 4).sha256 == first.sha256
    assert read_features(output).sha256 == first.sha256


def test_unusable_records_are_refused(tmp_path: Path, manifest: Manifest) -> None:
    output = tmp_path / "testA.json"
    with pytest.raises(UserError, match="no such file; expected features"):
        read_features(output)
    extract_features(manifest, "testA", extractor(), output, PX, batch_size=4)
    output.write_text(output.read_text().replace('"schema": 1', '"schema": 2'))
    with pytest.raises(UserError, match="schema: found int 2"):
        read_features(output)
    output.write_text("{}")
    with pytest.raises(UserError, match="missing"):
        read_features(output)


def test_values_without_their_file_are_refused(tmp_path: Path, manifest: Manifest) -> None:
    output = tmp_path / "testA.json"
    extract_features(manifest, "testA", extractor(), output, PX, batch_size=4)
    output.with_suffix(".npz").unlink()
    with pytest.raises(UserError, match=r"testA\.npz: No such file"):
        read_features(output)


def test_limit_takes_a_stable_choice(folder: Path, manifest: Manifest) -> None:
    def chosen(manifest: Manifest, limit: int) -> tuple[str, ...]:
        return extract_features(manifest, "testA", extractor(), None, PX, 4, limit).names

    first = chosen(manifest, 4)
    assert len(first) == 4 and list(first) == sorted(first)
    assert first != tuple(row.name for row in manifest.rows[:4])
    assert set(chosen(manifest, 3)) < set(first)
    reordered = Manifest(manifest.path, manifest.rows[::-1])
    assert set(chosen(reordered, 4)) == set(first)
    extra = [f"more-{k}.png" for k in range(5)]
    draw(folder, extra)
    assert set(chosen(describe_folder(folder, "testA"), 4)) <= set(first) | set(extra)
    assert len(chosen(manifest, 100)) == 7


def test_features_that_are_not_finite_are_refused(manifest: Manifest) -> None:
    def broken(pictures: Tensor) -> tuple[Tensor]:
        return (torch.full((len(pictures), 3), float("nan")),)

    with pytest.raises(UserError, match="not finite"):
        extract_features(manifest, "testA", extractor(broken), None, PX, batch_size=4)


def test_features_come_from_a_manifest_or_a_folder(tmp_path: Path, folder: Path, manifest: Manifest) -> None:
    output = tmp_path / "testA.json"
    stored = extract_features(manifest, "testA", extractor(), output, PX, batch_size=4)
    write_manifest(folder / "manifest.csv", manifest.rows)

    assert features_of(folder, "testA", extractor(), PX, 4).sha256 == stored.sha256
    assert features_of(folder / "manifest.csv", "testA", extractor(), PX, 4).sha256 == stored.sha256


def test_the_same_pictures_are_known_whatever_their_names(
    tmp_path: Path, folder: Path, manifest: Manifest
) -> None:
    def of(folder: Path) -> Features:
        return features_of(folder, "trainA", extractor(), PX, 4)

    tests = extract_features(manifest, "testA", extractor(), tmp_path / "testA.json", PX, batch_size=4)
    for path in sorted(folder.iterdir()):
        path.rename(path.with_name(f"{99 - int(path.stem)}.png"))
    assert are_same_pictures(of(folder), read_features(tmp_path / "testA.json"))
    (folder / "99.png").unlink()
    assert not are_same_pictures(of(folder), tests)


def test_a_record_without_contents_is_of_no_known_pictures(tmp_path: Path, manifest: Manifest) -> None:
    output = tmp_path / "testA.json"
    extract_features(manifest, "testA", extractor(), output, PX, batch_size=4)
    record = json.loads(output.read_text())
    del record["pictures"]["contents"]
    output.write_text(json.dumps(record))
    old = read_features(output)
    assert not are_same_pictures(old, old)


def test_unreadable_pictures_are_named_and_left_out(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (folder / "broken.png").write_text("no picture")
    with caplog.at_level(logging.WARNING):
        features = features_of(folder, "testA", extractor(), PX, 4)
    assert len(features.values) == 7
    assert "broken.png" in caplog.text


def test_inputs_without_pictures_are_refused(tmp_path: Path, folder: Path, manifest: Manifest) -> None:
    for path in folder.iterdir():
        path.write_text("no picture")
    with pytest.raises(UserError, match="no usable picture"):
        features_of(folder, "testA", extractor(), PX, 4)
    with pytest.raises(UserError, match="no such folder"):
        features_of(tmp_path / "nowhere", "testA", extractor(), PX, 4)
    with pytest.raises(UserError, match="no such manifest"):
        features_of(tmp_path / "manifest.csv", "testA", extractor(), PX, 4)
    with pytest.raises(UserError, match="no usable picture in split 'testB'"):
        extract_features(manifest, "testB", extractor(), None, PX, 4)


def test_other_extractors_weights_and_sizes_are_not_compared(manifest: Manifest) -> None:
    reference = extract_features(manifest, "testA", extractor(), None, PX, 4)
    require_comparable({"real-a": reference, "a2b": reference})
    other_name = extract_features(manifest, "testA", replace(extractor(), name="other"), None, PX, 4)
    with pytest.raises(UserError, match="extractor of real-a is stub, of a2b other"):
        require_comparable({"real-a": reference, "a2b": other_name})
    other_weights = extract_features(manifest, "testA", extractor(weights="b"), None, PX, 4)
    with pytest.raises(UserError, match="weights of real-a"):
        require_comparable({"real-a": reference, "real-b": reference, "b2a": other_weights})
    other_size = extract_features(manifest, "testA", extractor(), None, PX + 1, 4)
    with pytest.raises(UserError, match="image_px of real-a is 8, of a2b 9"):
        require_comparable({"real-a": reference, "a2b": other_size})
