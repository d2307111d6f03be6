"""How long work shows: a bar with counts on a terminal, a line a minute in a job's log."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

LOG = logging.getLogger(__name__)

Advance = Callable[[int, Mapping[str, int]], None]
"""To be called with how many items are done since the last call, and the counts of all so far."""

LINE_EVERY_S = 60.0


@contextmanager
def progress_bar(label: str, total: int) -> Iterator[Advance]:
    """Show how many of `total` items are done, with counts by status."""
    if sys.stderr.isatty():
        with _bar() as bar:
            task = bar.add_task(label, total=total, counts="")
            yield lambda done, counts: bar.update(task, advance=done, counts=_text(counts))
        return
    yield _Lines(label, total)


class _Lines:
    """Logs progress at most once a minute, and at the end."""

    def __init__(self, label: str, total: int) -> None:
        self._label, self._total = label, total
        self._done, self._began = 0, time.monotonic()
        self._logged = self._began

    def __call__(self, done: int, counts: Mapping[str, int]) -> None:
        self._done += done
        now = time.monotonic()
        if now - self._logged < LINE_EVERY_S and self._done < self._total:
            return
        self._logged = now
        rate = self._done / max(now - self._began, 1e-9)
        LOG.info("%s: %d of %d, %.1f/s; %s", self._label, self._done, self._total, rate, _text(counts))


def _bar() -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[counts]}"),
    )
    return Progress(*columns, console=Console(stderr=True), transient=True)


def _text(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {counts[name]}" for name in sorted(counts))
