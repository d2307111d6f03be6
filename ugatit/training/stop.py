"""Requests to stop: signals and a time limit, answered at the next step."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOPPED_EXIT = 75
"""Exit code of a training that saved a checkpoint and wants to be run again (EX_TEMPFAIL)."""

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stopped(Exception):  # noqa: N818
    """Training ended before its last step, with a checkpoint."""


class StopRequest:
    """Says whether to stop, and why."""

    def __init__(self, max_hours: float | None) -> None:
        self.reason: str | None = None
        self._deadline = time.monotonic() + 3600 * max_hours if max_hours is not None else None

    def check(self) -> str | None:
        """The reason to stop now, or None."""
        if self.reason is None and self._deadline is not None and time.monotonic() >= self._deadline:
            self.reason = "time limit (--max-hours)"
        return self.reason

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """Remember a signal."""
        self.reason = signal.Signals(number).name


@contextmanager
def listening(request: StopRequest) -> Iterator[None]:
    """Turn SIGTERM and Ctrl-C into a stop request while inside."""
    before = {number: signal.signal(number, request.on_signal) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
