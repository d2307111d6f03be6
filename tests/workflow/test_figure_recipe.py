"""The recipe for a figure in docs/extending.md: one module and one entry, and no other file."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT
from tests.workflow.planning import copy_workflow, plan
from ugatit.images import read_rgb


def block(language: str) -> str:
    """The last block of the recipe in one language; its entry is `yml`, since its kind is not in params.yaml."""
    text = (ROOT / "docs/extending.md").read_text().split("## A figure\n")[1]
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)[-1]


def test_the_recipe_gives_a_target_and_a_picture(tmp_path: Path) -> None:
    folder = copy_workflow(tmp_path)
    (folder / "ugatit/reporting/figures/hours.py").write_text(block("python"))
    (folder / "mine.yaml").write_text(block("yml"))
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--dry-run", "results/figures/hours.pdf"]
    planned = subprocess.run(
        [*command, "--configfile", "mine.yaml"], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert planned.returncode == 0, planned.stdout + planned.stderr
    jobs = re.findall(r"^(?:local)?rule (\w+):", planned.stdout + planned.stderr, re.MULTILINE)
    assert sorted(jobs) == [
        "build_dataset", "draw_figure", "fetch_source", "resolve_run", "resolve_run", "train", "train"
    ]  # fmt: skip
    run = folder / "results/cat2dog/ugatit/seed0"
    run.mkdir(parents=True)
    (run / "train.jsonl").write_text(json.dumps({"step": 1, "elapsed_s": 7200.0, "losses": {}}) + "\n")
    draw = [
        sys.executable,
        "-m",
        "ugatit",
        "figure",
        "hours",
        "--overlay",
        "mine.yaml",
        "--output-stem",
        "hours",
    ]
    drawn = subprocess.run(draw, cwd=folder, env=environment, capture_output=True, text=True)
    assert drawn.returncode == 0, drawn.stderr
    assert read_rgb(folder / "hours.png").std() > 1
    assert (folder / "hours.pdf").read_bytes().startswith(b"%PDF")


def test_without_the_module_the_entry_is_refused(tmp_path: Path) -> None:
    folder = copy_workflow(tmp_path)
    (folder / "mine.yaml").write_text(block("yml"))
    planned = plan(folder, "all", "--configfile", "mine.yaml")
    assert planned.code == 2
    assert "error: figures: kind 'hours': no file ugatit/reporting/figures/hours.py" in planned.text
