from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data_prep.build import build_dataset
from data_prep.synthetic import DOMAINS, PARTS, choose_scene, draw
from ugatit.manifest import SPLITS
from ugatit.params import DrawnSource

PX = 32

SCENES = 300
"""Enough to meet nearly the bounds of every uniform choice."""


def fruit_color(picture: np.ndarray) -> np.ndarray:
    """Mean colour of the most colourful quarter of a picture, which is the fruit."""
    pixels = picture.reshape(-1, 3).astype(float)
    colorful = np.ptp(pixels, axis=1)
    return pixels[colorful >= np.quantile(colorful, 0.75)].mean(axis=0)


def test_a_picture_is_a_function_of_its_arguments() -> None:
    first = draw("apple", "train", 3, seed=5, picture_px=PX)
    assert first.shape == (PX, PX, 3)
    assert first.dtype == np.uint8
    draw("melon", "test", 4, seed=6, picture_px=PX)
    assert np.array_equal(first, draw("apple", "train", 3, seed=5, picture_px=PX))


def test_every_argument_changes_the_picture() -> None:
    pictures = {
        draw(domain, part, index, seed, PX).tobytes()
        for domain in DOMAINS
        for part in PARTS
        for index in (0, 1)
        for seed in (0, 1)
    }
    assert len(pictures) == 16


def test_the_same_scene_is_drawn_at_every_size() -> None:
    small = draw("melon", "train", 0, 0, 16).astype(float)
    large = draw("melon", "train", 0, 0, 64).astype(float)
    assert np.abs(large.reshape(16, 4, 16, 4, 3).mean(axis=(1, 3)) - small).mean() < 4


def test_unknown_domains_are_refused() -> None:
    with pytest.raises(ValueError, match="not in"):
        draw("orange", "train", 0, 0, PX)


def test_the_domains_differ_in_the_fruit_and_not_in_the_picture_as_a_whole() -> None:
    apples, melons = ([draw(domain, "train", k, 0, PX) for k in range(20)] for domain in DOMAINS)
    assert all(red > 1.2 * green for red, green, _ in map(fruit_color, apples))
    assert all(green > red for red, green, _ in map(fruit_color, melons))
    corners = [np.mean([p[:4, :4] for p in pictures], axis=(0, 1, 2)) for pictures in (apples, melons)]
    spread = np.std([p[:4, :4].mean(axis=(0, 1)) for p in apples + melons], axis=0)
    assert (np.abs(corners[0] - corners[1]) < spread).all()


def test_the_fruit_lies_within_the_picture_and_covers_a_good_part_of_it() -> None:
    scenes = [choose_scene(np.random.default_rng(k)) for k in range(SCENES)]
    for scene in scenes:
        assert 0.38 <= 2 * scene.radius <= 0.7
        assert scene.radius < scene.x < 1 - scene.radius
        assert scene.radius < scene.y < 1 - scene.radius
        assert np.linalg.norm(scene.light) == pytest.approx(1)
    assert np.ptp([scene.x for scene in scenes]) > 0.3
    assert np.ptp([scene.y for scene in scenes]) > 0.3


def test_a_drawn_dataset_has_its_counts_and_its_pictures(tmp_path: Path) -> None:
    source = DrawnSource(kind="drawn", train=3, test=2, picture_px=PX, seed=9)
    manifest = build_dataset(source, tmp_path / "one", {"trainA": 3, "testB": 2}, threads=2)
    assert [row.split for row in manifest.rows] == [
        s for s in SPLITS for _ in range(3 if "train" in s else 2)
    ]
    row = manifest.kept("testB")[1]
    assert (row.name, row.source, row.format, row.width) == ("0001.png", "drawn:9/melon/test/1", "PNG", PX)
    assert np.array_equal(manifest.read(row).rgb, draw("melon", "test", 1, 9, PX))
    build_dataset(source, tmp_path / "two", {}, threads=1)
    assert (tmp_path / "one/manifest.csv").read_bytes() == (tmp_path / "two/manifest.csv").read_bytes()


def test_more_pictures_leave_the_first_ones_as_they_are(tmp_path: Path) -> None:
    few, more = (DrawnSource(kind="drawn", train=n, test=1, picture_px=PX, seed=0) for n in (1, 2))
    first = build_dataset(few, tmp_path / "data", {}, threads=1).kept("trainA")
    assert build_dataset(more, tmp_path / "data", {}, threads=1).kept("trainA")[:1] == first
