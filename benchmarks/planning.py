"""How long Snakemake takes to plan a large study: `python -m benchmarks.planning`.

Five datasets, fifteen models and five seeds, nothing of it done: a dry run in a copy of the workflow.
"""

from __future__ import annotations

import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
import yaml

from tests.workflow.planning import copy_workflow

DATASETS = ["selfie2anime", "horse2zebra", "cat2dog", "photo2portrait", "photo2vangogh"]


def main(
    models: Annotated[int, typer.Option(help="Models, in every dataset.")] = 15,
    seeds: Annotated[int, typer.Option(help="Seeds of each.")] = 5,
    profile: Annotated[str, typer.Option(help="Profile to plan with; empty: none.")] = "slurm",
    target: Annotated[str, typer.Option(help="What to plan.")] = "results/tables/kid.csv",
) -> None:
    """Print the jobs of the plan, and its seconds by the clock and of the processor."""
    with tempfile.TemporaryDirectory() as name:
        copy = copy_workflow(Path(name))
        entries = {f"small-{i}": {"label": f"Small {i}", "method": "ugatit"} for i in range(models)}
        tables = {table: {"datasets": DATASETS, "models": list(entries)} for table in ("kid", "ablation")}
        overlay = {
            "seeds": list(range(seeds)),
            "models": entries,
            "tables": tables,
            "sheet": {"models": list(entries)},
        }
        (copy / "large.yaml").write_text(yaml.safe_dump(overlay))
        command = [sys.executable, "-m", "snakemake", "--nocolor", "--cores", "all"]
        command += ["--profile", profile] if profile else []
        command += ["--dry-run", "--quiet", "rules", "--configfile", "large.yaml", "--", target]
        began = time.perf_counter()
        done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
        elapsed_s = time.perf_counter() - began
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        total = re.search(r"^total +(\d+)", done.stdout + done.stderr, re.MULTILINE)
        runs = re.search(r"^train +(\d+)", done.stdout + done.stderr, re.MULTILINE)
        if done.returncode or not total or not runs:
            raise SystemExit(done.stdout + done.stderr)
    used_s, memory_mb = used.ru_utime + used.ru_stime, used.ru_maxrss // 1024
    typer.echo(
        f"{len(DATASETS)} datasets x {models} models x {seeds} seeds, {target}, profile {profile or 'none'}:"
    )
    typer.echo(f"{runs[1]} runs, {total[1]} jobs planned in {elapsed_s:.1f} s")
    typer.echo(f"({used_s:.1f} s of a processor, {memory_mb} MB)")


if __name__ == "__main__":
    typer.run(main)
