"""A signal to a training inside of the workflow: it saves, is tried again, and continues."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import yaml

from tests.conftest import TINY
from tests.workflow.planning import copy_workflow
from ugatit.files import read_json, read_json_lines
from ugatit.manifest import Manifest
from ugatit.params import merge

PATIENCE_S = 300

STEPS = 100
"""Seconds of training, in which the signal comes."""

RUN = Path("results/noise/ugatit/seed0")


def test_a_signal_reaches_the_training_which_saves_and_continues_in_the_next_attempt(
    tmp_path: Path, dataset: Manifest
) -> None:
    folder = copy_workflow(tmp_path / "repository")
    source = {"kind": "folder", "path": str(dataset.path.parent)}
    noise = {"datasets": {"noise": {"domains": ["one", "other"], "source": source}}, "only_dataset": "noise"}
    length = {"training": {"steps": STEPS, "decay_start": STEPS}}
    (folder / "tiny.yaml").write_text(yaml.safe_dump(merge(merge(TINY, length), noise)))
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--retries", "1", "--nocolor"]
    target = ["--configfile", "tiny.yaml", "--", str(RUN / "weights.json")]
    workflow = subprocess.Popen(
        [*command, *target], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        trainer = trainer_at_step(folder / RUN, 3, workflow)
        parent = int(Path(f"/proc/{trainer}/stat").read_text().rpartition(")")[2].split()[1])
        assert parent == workflow.pid, "a shell stands between Snakemake and the training"
        os.kill(trainer, signal.SIGTERM)
        text, _ = workflow.communicate(timeout=PATIENCE_S)
    finally:
        if workflow.poll() is None:
            os.killpg(workflow.pid, signal.SIGKILL)
    assert workflow.returncode == 0, text
    assert "results/logs/train/noise/ugatit/seed0.log (check log file(s) for error details)" in text

    records = read_json_lines(folder / RUN / "train.jsonl")
    starts = [r["step"] for r in records if r.get("event") == "start"]
    stops = [(r["step"], r["reason"]) for r in records if r.get("event") == "stop"]
    assert stops == [(starts[1], "SIGTERM")]
    assert starts[0] == 0
    assert 3 <= starts[1] < STEPS
    assert [r["step"] for r in records if "losses" in r] == list(range(1, STEPS + 1))


def trainer_at_step(run: Path, step: int, workflow: subprocess.Popen[str]) -> int:
    """Wait until a training has come to a step; returns its process, which its lock names."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        assert workflow.poll() is None, workflow.communicate()[0]
        for log in run.glob("training/*/train.jsonl"):
            if any(record["step"] >= step for record in read_json_lines(log)):
                return int(read_json(run / "training/lock.json", "a lock", "")["pid"])
        time.sleep(0.02)
    raise TimeoutError(f"no step {step} in time")
