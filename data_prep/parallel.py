"""Work on many pictures in threads, with a progress bar on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from rich.console import Console
from rich.progress import track

T = TypeVar("T")
R = TypeVar("R")


def in_parallel(work: Callable[[T], R], items: Sequence[T], threads: int, label: str) -> list[R]:
    """Apply `work` to every item; the results keep the items' order.

    An exception stops what has not begun. Pillow and numpy release the interpreter while they compute.
    """
    console = Console(stderr=True)
    quiet = not sys.stderr.isatty()
    with ThreadPoolExecutor(threads) as pool:
        try:
            results = pool.map(work, items)
            return list(track(results, label, len(items), console=console, transient=True, disable=quiet))
        finally:
            pool.shutdown(cancel_futures=True)
