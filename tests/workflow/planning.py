"""Dry runs of the workflow in a copy of it, and what they would do."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

PARTS = ("Snakefile", "params.yaml", "workflow", "profiles", "slurm", "ugatit", "data_prep")
"""What planning needs; a copy can be edited, and leaves no traces in the repository."""

JOB = re.compile(r"^(?:local)?rule (\w+):\n((?:    .+\n)+)", re.MULTILINE)


@dataclass(frozen=True)
class Job:
    """One planned job."""

    rule: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    wildcards: str
    priority: float


@dataclass(frozen=True)
class Plan:
    """What Snakemake said and would do."""

    code: int
    text: str
    jobs: tuple[Job, ...]

    def counts(self) -> dict[str, int]:
        """Number of jobs by rule."""
        return dict(Counter(job.rule for job in self.jobs))

    def of(self, rule: str) -> set[str]:
        """Wildcards of a rule's jobs, such as `dataset=demo, model=ugatit-light, seed=0`."""
        return {job.wildcards for job in self.jobs if job.rule == rule}


def copy_workflow(folder: Path) -> Path:
    """Copy what planning needs into an empty folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        source = ROOT / part
        if source.is_symlink():
            shutil.copy(source, folder / part, follow_symlinks=False)
        elif source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / part)
    return folder


def snakemake(folder: Path, *arguments: str) -> Plan:
    """Run Snakemake in a folder."""
    command = [sys.executable, "-m", "snakemake", "--nocolor", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    text = done.stdout + done.stderr
    jobs = tuple(
        Job(
            match[1],
            _field(match[2], "input"),
            _field(match[2], "output"),
            ", ".join(_field(match[2], "wildcards")),
            float("".join(_field(match[2], "priority")) or 0),
        )
        for match in JOB.finditer(text)
    )
    return Plan(done.returncode, text, jobs)


def plan(folder: Path, *arguments: str) -> Plan:
    """Plan without running."""
    return snakemake(folder, *arguments, "--dry-run", "--cores", "1")


def _field(job: str, name: str) -> tuple[str, ...]:
    """The values of one line of a job's description."""
    found = re.search(rf"^    {name}: (.+)$", job, re.MULTILINE)
    return tuple(found[1].split(", ")) if found else ()
