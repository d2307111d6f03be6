"""What a training says of itself: train.jsonl, a bar on a terminal, a line a minute elsewhere."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ugatit.files import read_json_lines, write_text

LOG_POINTS = 2000
"""Lines of train.jsonl over a whole run."""

LINE_EVERY_S = 60.0
RATE_WINDOW = 100
SHOWN = ("discriminator", "generator")

log = logging.getLogger(__name__)


class TrainingLog:
    """Writes train.jsonl (events and loss terms) and shows progress; without a path it does neither."""

    def __init__(self, path: Path | None, first_step: int, steps: int) -> None:
        self._path, self._steps = path, steps
        self.every = max(1, steps // LOG_POINTS)
        self._elapsed_before_s = 0.0
        self._losses = ""  # the last ones that were told
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._elapsed_before_s = drop_after(path, first_step - 1)
        self._start = self._last_line = time.monotonic()
        self._recent: deque[float] = deque(maxlen=RATE_WINDOW)
        self._bar = None
        if path and sys.stderr.isatty():
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"),
                TimeRemainingColumn(),
                TextColumn("{task.fields[losses]}"),
                transient=False,
            )
            self._task = self._bar.add_task(
                "steps", total=steps, completed=first_step - 1, rate="", losses=""
            )
            self._bar.start()

    def event(self, name: str, step: int, **details: Any) -> None:
        """Record something that is no loss: a start, a stop, an end."""
        self._write({"event": name, "step": step, "elapsed_s": self._elapsed_s(), **details})

    def due(self, step: int) -> bool:
        """Whether this step's losses are recorded."""
        return step % self.every == 0 or step == self._steps or step == 1

    def step(
        self,
        step: int,
        lr_factor: float,
        terms: Mapping[str, float] | None,
        watched: Mapping[str, float] | None = None,
    ) -> None:
        """Count a step; with its terms, record and show them; record what else was watched."""
        self._recent.append(time.monotonic())
        rate = self._steps_per_s()
        if terms is not None:
            self._write(
                {
                    "step": step,
                    "elapsed_s": self._elapsed_s(),
                    "steps_per_s": round(rate, 4),
                    "lr_factor": lr_factor,
                    "losses": _short(terms),
                    **({"watched": _short(watched)} if watched else {}),
                }
            )
            self._losses = "  ".join(f"{name} {terms[name]:.3f}" for name in SHOWN if name in terms)
        if self._bar:
            self._bar.update(self._task, completed=step, rate=f"{rate:.2f} it/s", losses=self._losses)
        elif step in (1, self._steps) or time.monotonic() - self._last_line >= LINE_EVERY_S:
            self._last_line = time.monotonic()
            remaining_min = (self._steps - step) / rate / 60 if rate else 0.0
            log.info(
                *("step %d/%d  %.2f it/s  %.0f min left  %s", step, self._steps),
                *(rate, remaining_min, self._losses),
            )

    def close(self) -> None:
        """End the bar."""
        if self._bar:
            self._bar.stop()

    def _steps_per_s(self) -> float:
        span = self._recent[-1] - self._recent[0]
        return (len(self._recent) - 1) / span if span else 0.0

    def _elapsed_s(self) -> float:
        return round(self._elapsed_before_s + time.monotonic() - self._start, 3)

    def _write(self, record: dict[str, Any]) -> None:
        if self._path is None:
            return
        with self._path.open("a", encoding="utf-8") as handle:
            handle.write(json.dumps(record) + "\n")


def _short(values: Mapping[str, float]) -> dict[str, float]:
    """Numbers with the digits that matter."""
    return {name: float(f"{value:.6g}") for name, value in values.items()}


def drop_after(path: Path, step: int) -> float:
    """Forget what an interrupted attempt wrote after the checkpoint from which training goes on.

    Returns: the seconds that training had taken until then.
    """
    if not path.is_file():
        return 0.0
    kept = [record for record in read_json_lines(path) if record["step"] <= step]
    write_text(path, "".join(json.dumps(record) + "\n" for record in kept))
    return float(kept[-1]["elapsed_s"]) if kept else 0.0
