"""Tiny data for the tests, and parameters that make every network small."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.random_vgg import with_random_vgg19
from ugatit.manifest import Manifest, describe_picture, read_manifest, write_manifest
from ugatit.params import Params, load, merge, parse
from ugatit.run import Run, resolve, write_run

ROOT = Path(__file__).parents[1]
COUNTS = {"trainA": 5, "trainB": 4, "testA": 3, "testB": 2}

TINY_TRAINING = {"load_px": 18, "steps": 6, "decay_start": 3}
SMALL_AUTOENCODER = {
    "base_channels": 4,
    "residual_blocks": 1,
    "discriminator_layers": 2,
    "discriminator_scales": 2,
}

TINY = {
    "training": {"image_px": 16, **TINY_TRAINING},
    "methods": {
        "ugatit": {
            "network": {
                "base_channels": 4, "residual_blocks": 1, "global_layers": 4, "local_layers": 3
            }
        },
        "cyclegan": {
            "network": {
                "base_channels": 4, "residual_blocks": 1, "discriminator_channels": 4, "discriminator_layers": 4
            },
            "pool_size": 1,
        },
        "aggan": {
            "network": {
                "base_channels": 4, "residual_blocks": 1, "discriminator_channels": 4, "discriminator_layers": 3
            },
            "attention_share": 0.5,
            "pool_size": 1,
        },
        "cartoongan": {
            "network": {"base_channels": 4, "residual_blocks": 1, "discriminator_channels": 4},
            "content": {"vgg": {"px": 8}},
            "initial": {"share": 0.5},
            "pool_size": 1,
        },
        "unit": {"network": SMALL_AUTOENCODER},
        "munit": {"network": SMALL_AUTOENCODER},
        "drit": {"network": {**SMALL_AUTOENCODER, "content_layers": 0}},
    },
    "models": {
        "cartoongan-team": {"training": {"decay_start": 6}},
        **dict.fromkeys(("unit", "munit"), {"training": {**TINY_TRAINING, "decay_every": 1}}),
        **dict.fromkeys(("drit", "drit-ms"), {"epochs": None, "training": {**TINY_TRAINING, "crop_px": 16}}),
    },
}  # fmt: skip
"""An overlay of params.yaml with which a step takes milliseconds."""


@pytest.fixture(scope="session")
def params() -> Params:
    """params.yaml as it stands."""
    return load(ROOT / "params.yaml")


@pytest.fixture(scope="session")
def tiny_params(params: Params) -> Params:
    """params.yaml, made tiny, with random weights where a method wants a file."""
    return parse(merge(merge(params.model_dump(exclude_unset=True), TINY), with_random_vgg19()))


@pytest.fixture
def dataset(tmp_path: Path) -> Manifest:
    """A dataset of noise, with its manifest."""
    folder = tmp_path / "data"
    rng = np.random.default_rng(0)
    rows = []
    for split, count in COUNTS.items():
        (folder / split).mkdir(parents=True)
        for k in range(count):
            file = folder / split / f"{split}_{k}.png"
            Image.fromarray(rng.integers(0, 256, (20, 24, 3), dtype=np.uint8)).save(file)
            rows.append(describe_picture(file, split, f"{split}/{file.name}", file.name))
    write_manifest(folder / "manifest.csv", rows)
    return read_manifest(folder / "manifest.csv")


MakeRun = Callable[..., tuple[Path, Run]]


@pytest.fixture
def make_run(tmp_path: Path, tiny_params: Params) -> MakeRun:
    """Write the run.json of a tiny run into a folder of the given name; changes overlay its training."""

    def make(name: str = "run", model: str = "ugatit", seed: int = 0, **training: object) -> tuple[Path, Run]:
        run = resolve(tiny_params, "cat2dog", model, seed)
        changed = run.training.model_copy(update=training)
        run = run.model_copy(update={"training": changed})
        path = tmp_path / name / "run.json"
        write_run(path, run, replace=True)
        return path, run

    return make
