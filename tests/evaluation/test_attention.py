"""Attention maps of any pictures, their file, and what masking says of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.conftest import MakeRun
from ugatit.errors import UserError
from ugatit.evaluation.attend import attend
from ugatit.evaluation.attention import ARRAYS, effect, read_attention
from ugatit.evaluation.heat_map import blend, color_range, enlarge, heat
from ugatit.evaluation.masking import hottest_region, mask, moved_at_random
from ugatit.files import read_json, write_json
from ugatit.images import read_rgb, resize, to_tensor
from ugatit.manifest import Manifest
from ugatit.methods import ugatit
from ugatit.params import Masking
from ugatit.weights import read_weights, save_weights

MASKING = Masking(masked_share=0.25, draws=3, seed=0)

ROUNDING = 1e-5
"""float32 logits of a picture alone and in a batch."""


@pytest.fixture
def weights(make_run: MakeRun, request: pytest.FixtureRequest) -> Path:
    """Untrained weights of a tiny model."""
    path, run = make_run(model=getattr(request, "param", "ugatit"))
    parameters = ugatit.Parameters.model_validate(run.parameters)
    networks = ugatit.build(parameters, run.training.image_px, seed=0)
    save_weights(path.with_name("weights.json"), run, networks, step=6, data_sha256="d")
    return path.with_name("weights.json")


def test_arrays_are_the_maps_of_the_method(weights: Path, dataset: Manifest, tmp_path: Path) -> None:
    path = attend(weights, dataset.path, "testA", "a2b", tmp_path / "a2b", MASKING)
    found = read_attention(path)
    run, networks, described = read_weights(weights)
    picture = dataset.kept("testA")[1]
    real = to_tensor(resize(dataset.read(picture).rgb, run.training.image_px))[None]
    expected = ugatit.attend(networks, real, "a2b")
    assert set(found.arrays) == set(expected) == {"generator", "local", "global"}
    for name, attention in expected.items():
        array = found.of(name, picture.stem)
        assert array is not None and array.dtype == np.float32
        assert np.array_equal(array, attention[0, 0].numpy())
    record = found.record
    assert record.names == [p.stem for p in dataset.kept("testA")]
    assert record.maps["generator"].shape == [3, 4, 4]
    assert record.maps["local"].max == found.arrays["local"].max()
    assert (record.dataset, record.model, record.direction) == ("cat2dog", "ugatit", "a2b")
    assert record.weights_sha256 == described["weights_sha256"]
    assert found.of("generator", "nobody") is None
    assert found.of("nothing", picture.stem) is None


def test_folder_and_overlays_on_one_colour_scale(weights: Path, dataset: Manifest, tmp_path: Path) -> None:
    folder = dataset.path.parent / "testB"
    path = attend(weights, folder, "testB", "b2a", tmp_path / "b2a", MASKING, overlay_opacity=1.0)
    found = read_attention(path)
    for name, array in found.arrays.items():
        ends = color_range(array)
        for stem, attention in zip(found.record.names, array, strict=True):
            drawn = read_rgb(path.parent / "overlays" / name / f"{stem}.png")
            assert np.array_equal(drawn, heat(attention, 16, ends))


@pytest.mark.parametrize("weights", ["ugatit-no-g-cam"], indirect=True)
def test_a_model_has_the_maps_of_its_networks_only(weights: Path, dataset: Manifest, tmp_path: Path) -> None:
    found = read_attention(attend(weights, dataset.path, "testA", "a2b", tmp_path, MASKING))
    assert set(found.arrays) == set(found.record.faithfulness.maps) == {"local", "global"}


@pytest.mark.parametrize("weights", ["ugatit-no-cam"], indirect=True)
def test_a_model_without_maps_is_refused(weights: Path, dataset: Manifest, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="ugatit-no-cam has no attention maps"):
        attend(weights, dataset.path, "testA", "a2b", tmp_path, MASKING)


def test_faithfulness_is_that_of_masking_by_hand(weights: Path, dataset: Manifest, tmp_path: Path) -> None:
    found = read_attention(attend(weights, dataset.path, "testA", "a2b", tmp_path, MASKING))
    run, networks, _ = read_weights(weights)
    falls = []
    for picture in dataset.kept("testA"):
        real = to_tensor(resize(dataset.read(picture).rgb, run.training.image_px))
        region = hottest_region(found.of("generator", picture.stem), 16, 0.25)
        masked = torch.from_numpy(mask(real.numpy(), region[None]))
        output = networks["gen_ab"](torch.stack([real, masked[0]]))
        whole, without = output.cam_logits.detach().mean(dim=1)
        falls.append(float(whole - without))
    measured = found.record.faithfulness.maps["generator"]
    assert measured.hottest == pytest.approx(np.mean(falls), abs=ROUNDING)
    assert measured.pictures == 3
    assert found.record.faithfulness.draws == 3


def test_discriminators_are_masked_where_they_look(weights: Path, dataset: Manifest, tmp_path: Path) -> None:
    found = read_attention(attend(weights, dataset.path, "testA", "a2b", tmp_path, MASKING))
    run, networks, _ = read_weights(weights)
    logits = []
    for picture in dataset.kept("testA"):
        real = to_tensor(resize(dataset.read(picture).rgb, run.training.image_px))[None]
        fake = ugatit.translate(networks, real, "a2b")
        logits.append(float(networks["disc_b_local"](fake).cam_logits.detach().mean()))
    assert found.record.faithfulness.maps["local"].logit == pytest.approx(np.mean(logits), rel=ROUNDING)


def test_effect_of_known_logits() -> None:
    measured = effect([np.array([3.0, 1.0, 2.5, 3.5]), np.array([2.0, 2.0, 2.0, 1.0])])
    assert (measured.logit, measured.hottest, measured.random) == (2.5, 1.0, 0.25)
    assert measured.difference == 0.75
    assert measured.standard_error == pytest.approx(np.std([2.0, -0.5], ddof=1) / np.sqrt(2))
    assert (measured.change_hottest, measured.change_random) == (1.0, 0.5)
    assert effect([np.array([1.0, 0.0, 0.0])]).standard_error is None


def test_a_map_that_shows_the_evidence_is_faithful() -> None:
    """A stand-in network whose logit is the brightness of one corner, and two maps: of it and beside it."""
    rng = np.random.default_rng(0)
    right, wrong = np.zeros((4, 4)), np.zeros((4, 4))
    right[0, 0], wrong[3, 3] = 1.0, 1.0
    logits: dict[str, list[np.ndarray]] = {"right": [], "wrong": []}
    for k in range(20):
        picture = rng.uniform(-1, -0.5, (3, 16, 16)).astype(np.float32)
        picture[:, :4, :4] = 1.0
        for name, attention in (("right", right), ("wrong", wrong)):
            region = hottest_region(attention, 16, 1 / 16)
            regions = np.stack([region, *moved_at_random(region, 10, f"{k} {name}")])
            pictures = np.concatenate([picture[None], mask(picture, regions)])
            logits[name].append(pictures[:, :, :4, :4].mean(axis=(1, 2, 3)))
    faithful, unfaithful = effect(logits["right"]), effect(logits["wrong"])
    assert faithful.standard_error is not None
    assert faithful.difference > 10 * faithful.standard_error
    assert unfaithful.difference < 0


def test_hottest_region_has_the_share_and_the_hottest_pixels() -> None:
    attention = np.arange(16, dtype=np.float32).reshape(4, 4)
    region = hottest_region(attention, 20, 0.2)
    assert region.sum() == 80
    level = enlarge(attention, 20)
    assert level[region].min() >= level[~region].max()
    assert hottest_region(np.zeros((2, 2)), 8, 0.25).sum() == 16


def test_random_regions_keep_size_and_shape_and_depend_on_the_key_alone() -> None:
    region = np.zeros((12, 12), dtype=bool)
    region[2:5, 3:8] = True
    region[5, 3] = True
    moved = moved_at_random(region, 6, "a")
    assert np.array_equal(moved, moved_at_random(region, 6, "a"))
    assert not np.array_equal(moved, moved_at_random(region, 6, "b"))
    assert moved.sum(axis=(1, 2)).tolist() == [16] * 6
    shapes = [region, region[:, ::-1]]
    for one in moved:
        assert any(
            np.array_equal(one, np.roll(shape, (y, x), axis=(0, 1)))
            for shape in shapes for y in range(12) for x in range(12)
        )  # fmt: skip


def test_masked_regions_have_the_mean_colour_and_the_rest_stays() -> None:
    picture = np.random.default_rng(0).uniform(-1, 1, (3, 6, 6)).astype(np.float32)
    regions = np.zeros((2, 6, 6), dtype=bool)
    regions[0, :2], regions[1, :, 5] = True, True
    for masked, region in zip(mask(picture, regions), regions, strict=True):
        assert np.allclose(masked[:, region], picture.mean(axis=(1, 2))[:, None])
        assert np.array_equal(masked[:, ~region], picture[:, ~region])


def test_colours_are_one_scale_and_even_a_flat_map_has_one() -> None:
    maps = np.stack([np.full((2, 2), 0.0), np.full((2, 2), 1.0)])
    cold, hot = (heat(attention, 4, color_range(maps)) for attention in maps)
    assert cold.shape == (4, 4, 3) and cold.dtype == np.uint8
    assert (cold == cold[0, 0]).all() and (hot == hot[0, 0]).all()
    assert hot.astype(int).sum() > cold.astype(int).sum() + 1000
    assert np.array_equal(heat(maps[0], 4, (0.0, 0.0)), cold)
    rgb = np.full((4, 4, 3), 100, dtype=np.uint8)
    assert np.array_equal(blend(rgb, hot, 0.0), rgb)
    assert np.array_equal(blend(rgb, hot, 1.0), hot)


@pytest.mark.parametrize("damage", ["missing", "changed", "no record"])
def test_damaged_files_are_refused(weights: Path, dataset: Manifest, tmp_path: Path, damage: str) -> None:
    path = attend(weights, dataset.path, "testA", "a2b", tmp_path / "out", MASKING)
    if damage == "missing":
        path.with_name(ARRAYS).unlink()
    elif damage == "changed":
        path.with_name(ARRAYS).write_bytes(b"no zip")
    else:
        write_json(path, {**read_json(path, "", ""), "maps": 3})
    with pytest.raises(UserError, match="attention"):
        read_attention(path)
