"""Devices by name."""

from __future__ import annotations

import pytest
import torch

from ugatit.devices import choose_device
from ugatit.errors import UserError


def test_known_names() -> None:
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device("auto").type in ("cuda", "mps", "cpu")


@pytest.mark.parametrize(
    ("name", "message"),
    [("gpu", "unknown; expected auto"), ("cpu:x", "not a device's name"), ("", "unknown")],
)
def test_other_names_are_refused(name: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        choose_device(name)


def test_a_gpu_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert choose_device("cuda:0") == torch.device("cuda:0")
    with pytest.raises(UserError, match="this machine has 1, from cuda:0 on"):
        choose_device("cuda:1")
