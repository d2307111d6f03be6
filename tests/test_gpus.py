"""Which GPUs a process takes, shown on lists of GPUs that this machine does not have."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ugatit import gpus
from ugatit.gpus import VISIBLE, give_back, take_gpus, visible_gpus

UUIDS = ["GPU-0a", "GPU-1b", "GPU-2c"]

TAKE = """
import os, sys
from pathlib import Path
from ugatit.gpus import take_gpus
take_gpus(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
print(os.environ.get("CUDA_VISIBLE_DEVICES", "not set"), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def driver(tmp_path: Path) -> Path:
    """A driver that lists three GPUs."""
    for number, uuid in enumerate(UUIDS):
        folder = tmp_path / "gpus" / f"0000:0{number}:00.0"
        folder.mkdir(parents=True)
        (folder / "information").write_text(
            f"Model: \t\t Some GPU\nIRQ: 1\nGPU UUID: \t {uuid}\nBus Type: PCIe\n"
        )
    return tmp_path / "gpus"


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(VISIBLE, "")
    monkeypatch.delenv(VISIBLE)
    yield
    give_back()


def another(
    count: int, driver: Path, locks: Path, environment: dict[str, str] | None = None
) -> subprocess.Popen[str]:
    """Another process that takes GPUs and keeps them until it is told to end."""
    return subprocess.Popen(
        [sys.executable, "-c", TAKE, str(count), str(driver), str(locks)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})},
    )  # fmt: skip


def answer(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_processes_side_by_side_take_one_gpu_each_and_the_fourth_shares(driver: Path, tmp_path: Path) -> None:
    started = [another(1, driver, tmp_path / "locks") for _ in range(3)]
    assert sorted(map(answer, started)) == UUIDS
    fourth = another(1, driver, tmp_path / "locks")
    assert answer(fourth) == "not set"
    started[1].kill()
    started[1].wait()
    take_gpus(1, driver, tmp_path / "locks")
    assert os.environ[VISIBLE] in UUIDS
    for process in [*started, fourth]:
        process.communicate()


def test_several_gpus_for_one_training(driver: Path, tmp_path: Path) -> None:
    first, second = (another(n, driver, tmp_path / "locks") for n in (2, 1))
    taken = [answer(first).split(","), answer(second).split(",")]
    assert [len(gpus) for gpus in taken] == [2, 1]
    assert sorted([*taken[0], *taken[1]]) == UUIDS
    for process in (first, second):
        process.communicate()


def test_too_few_free_gpus_are_shared_with_a_warning(
    driver: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = another(2, driver, tmp_path / "locks")
    assert answer(other) == "GPU-0a,GPU-1b"
    take_gpus(2, driver, tmp_path / "locks")
    assert VISIBLE not in os.environ
    assert "1 of 3 GPUs are free, 2 asked for: sharing" in caplog.text
    third = another(1, driver, tmp_path / "locks")
    assert answer(third) == "GPU-2c"
    for process in (other, third):
        process.communicate()


@pytest.mark.parametrize(("value", "gpus"), [("2", ["2"]), ("0,GPU-1b", ["0", "GPU-1b"]), ("", [])])
def test_what_a_cluster_or_user_made_visible_is_all_there_is(
    monkeypatch: pytest.MonkeyPatch, driver: Path, tmp_path: Path, value: str, gpus: list[str]
) -> None:
    monkeypatch.setenv(VISIBLE, value)
    assert visible_gpus(driver) == gpus
    take_gpus(1, driver, tmp_path / "locks")
    assert os.environ[VISIBLE] == (gpus[0] if gpus else "")


def test_one_gpu_or_no_list_of_them_changes_nothing(tmp_path: Path) -> None:
    take_gpus(1, tmp_path / "no driver", tmp_path / "locks")
    assert VISIBLE not in os.environ
    assert not (tmp_path / "locks").exists()


def test_a_process_keeps_what_it_has(driver: Path, tmp_path: Path) -> None:
    for _ in range(2):
        take_gpus(1, driver, tmp_path / "locks")
        assert os.environ[VISIBLE] == "GPU-0a"
    assert len(gpus._taken) == 1
