"""A small raw dataset to build from, and a server to fetch from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.data_prep.http_server import Server
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


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A real HTTP server on the loopback address."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Server() as server:
        yield server
        server.shutdown()
