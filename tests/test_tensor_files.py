"""Files of torch.save: damage of any kind is one error, and code never runs."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
import torch

from ugatit.tensor_files import UnreadableTensorsError, load_tensors


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of two tensors."""
    path = tmp_path / "tensors.pt"
    torch.save({"a": torch.arange(5.0), "b": torch.ones(2, 3)}, path)
    return path


def test_tensors_come_back(file: Path) -> None:
    found = load_tensors(file)
    assert torch.equal(found["a"], torch.arange(5.0))
    assert torch.equal(found["b"], torch.ones(2, 3))


@pytest.mark.parametrize("kept", [slice(0), slice(1000), slice(10, None), slice(None, -10)])
def test_a_cut_file_is_one_kind_of_error(file: Path, kept: slice) -> None:
    file.write_bytes(file.read_bytes()[kept])
    with pytest.raises(UnreadableTensorsError) as caught:
        load_tensors(file)
    assert str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.foreign is None


def test_changed_bytes_raise_nothing_else(file: Path) -> None:
    whole, draw, refused = file.read_bytes(), random.Random(0), 0
    for _ in range(200):
        damaged = bytearray(whole)
        for _ in range(20):
            damaged[draw.randrange(len(damaged))] = draw.randrange(256)
        file.write_bytes(damaged)
        try:
            load_tensors(file)
        except UnreadableTensorsError:
            refused += 1
    assert refused > 100


class Malicious:
    """Writes a file when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.marker),)


def test_code_never_runs_and_is_named(tmp_path: Path) -> None:
    path, marker = tmp_path / "code.pt", tmp_path / "marker"
    torch.save({"a": Malicious(marker)}, path)
    with pytest.raises(UnreadableTensorsError) as caught:
        load_tensors(path)
    assert caught.value.foreign == f"{os.mkdir.__module__}.mkdir"
    assert not marker.exists()


def test_a_missing_file_is_no_damage(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_tensors(tmp_path / "nowhere.pt")
