"""How long Snakemake takes to plan a large study: `python -m benchmarks.planning`.

Five datasets, fifteen models and five seeds, all to be done and then all done but for their tables: a dry run
each, in a copy of the workflow, with the profile that is asked for.
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
    profile: Annotated[str, typer.Option(help="Profile to plan with.")] = "slurm",
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
        command = [sys.executable, "-m", "snakemake", "--nocolor", "--cores", "all", "--profile", profile]
        command += ["--dry-run", "--quiet", "rules", "--configfile", "large.yaml", "--", "all"]
        began = time.perf_counter()
        done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
        elapsed_s = time.perf_counter() - began
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        total = re.search(r"^total +(\d+)", done.stdout + done.stderr, re.MULTILINE)
        if done.returncode or not total:
            raise SystemExit(done.stdout + done.stderr)
    runs, used_s = len(DATASETS) * models * seeds, used.ru_utime + used.ru_stime
    typer.echo(f"{len(DATASETS)} datasets x {models} models x {seeds} seeds: {runs} runs, {total[1]} jobs")
    typer.echo(f"planned in {elapsed_s:.1f} s ({used_s:.1f} s of a processor, {used.ru_maxrss // 1024} MB)")


if __name__ == "__main__":
    typer.run(main)
