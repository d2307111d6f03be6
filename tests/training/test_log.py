"""What a training says of itself."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from ugatit.files import read_json_lines
from ugatit.training import log as training_log
from ugatit.training.log import TrainingLog

STEPS = 1_000_000


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds


def test_in_a_job_a_line_a_minute_with_the_last_losses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    monkeypatch.setattr(training_log, "time", clock)
    told = TrainingLog(tmp_path / "train.jsonl", 1, STEPS)
    with caplog.at_level(logging.INFO):
        for step in range(1, 51):
            clock.seconds += 20
            told.step(step, 1.0, {"generator": 2.5} if told.due(step) else None)
    lines = [record.getMessage() for record in caplog.records]
    assert [line.split()[1] for line in lines] == [f"{step}/{STEPS}" for step in (1, *range(4, 51, 3))]
    assert all(line.endswith("generator 2.500") for line in lines)
    assert "0.05 it/s" in lines[-1]
    assert len(read_json_lines(tmp_path / "train.jsonl")) == 1


def test_going_on_forgets_what_came_after_the_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    first = TrainingLog(path, 1, 10)
    for step in range(1, 6):
        first.step(step, 1.0, {"generator": float(step)})
    TrainingLog(path, 4, 10).step(4, 1.0, {"generator": 40.0})
    assert [(r["step"], r["losses"]["generator"]) for r in read_json_lines(path)] == [
        (1, 1.0), (2, 2.0), (3, 3.0), (4, 40.0)
    ]  # fmt: skip
