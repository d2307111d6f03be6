"""The state of all runs of a results directory, read from their logs: the same on a laptop and a cluster."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Column, Table

from ugatit.errors import UserError
from ugatit.files import read_json, read_json_lines

QUIET_AFTER_S = 300.0
"""A run whose log has not grown for so long is shown as stopped."""

REFRESH_S = 2.0


@dataclass(frozen=True)
class RunStatus:
    """One training, as its log tells it."""

    name: str
    state: str  # running, stopped, finished, or the event that ended it
    step: int
    steps: int
    steps_per_s: float
    losses: dict[str, float]

    @property
    def hours_left(self) -> float | None:
        """Hours to the last step at the present speed; None if nothing runs."""
        if self.state != "running" or not self.steps_per_s:
            return None
        return (self.steps - self.step) / self.steps_per_s / 3600


def read_status(results: Path) -> list[RunStatus]:
    """The runs below a results directory that have begun, in order of their names.

    Raises: UserError if the directory is missing.
    """
    if not results.is_dir():
        raise UserError(f"{results}: no such folder; expected a results directory.")
    logs = sorted(results.glob("**/training/*/train.jsonl"))
    return [read_log(path, results) for path in logs]


def show_status(results: Path, *, watch: bool) -> None:
    """Print a table of the runs; with `watch`, again and again until Ctrl-C."""
    console = Console()
    if not watch:
        console.print(_table(read_status(results)))
        return
    with Live(_table(read_status(results)), console=console, auto_refresh=False) as live:
        try:
            while True:
                time.sleep(REFRESH_S)
                live.update(_table(read_status(results)), refresh=True)
        except KeyboardInterrupt:
            return


def read_log(path: Path, results: Path) -> RunStatus:
    """Read one train.jsonl of a training's folder and the run.json beside it.

    Raises: UserError if there is no run.json.
    """
    run = read_json(path.with_name("run.json"), "the run of a training", "Start the training again.")
    records = read_json_lines(path)
    steps = [record for record in records if "losses" in record]
    last: dict[str, Any] = steps[-1] if steps else {"step": 0, "steps_per_s": 0.0, "losses": {}}
    state = records[-1].get("event", "running") if records else "running"
    if state in ("start", "running"):
        state = "stopped" if time.time() - path.stat().st_mtime > QUIET_AFTER_S else "running"
    elif state == "stop":
        state = "stopped"
    name = str(path.parent.relative_to(results).parent.parent)
    return RunStatus(name, state, last["step"], run["training"]["steps"], last["steps_per_s"], last["losses"])


def _table(runs: list[RunStatus]) -> Table:
    """The runs as a table for the terminal."""
    table = Table(Column("run", overflow="fold"), "state", "step", "of", "it/s", "h left", "D loss", "G loss")
    for run in runs:
        left = run.hours_left
        table.add_row(
            run.name,
            run.state,
            f"{run.step:,}",
            f"{run.steps:,}",
            f"{run.steps_per_s:.2f}",
            "" if left is None else f"{left:.1f}",
            *(
                f"{run.losses[name]:.3f}" if name in run.losses else ""
                for name in ("discriminator", "generator")
            ),
        )
    return table
