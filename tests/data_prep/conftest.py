"""A small raw dataset to build from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ugatit.manifest import SPLITS


def picture(level: int) -> Image.Image:
    return Image.fromarray(np.full((6, 8, 3), level, dtype=np.uint8))


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """A raw folder with two PNG pictures per split, all different."""
    root = tmp_path / "raw"
    for number, split in enumerate(SPLITS):
        (root / split).mkdir(parents=True)
        for index, name in enumerate(("one.png", "two.png")):
            picture(20 * number + index).save(root / split / name)
    return root
