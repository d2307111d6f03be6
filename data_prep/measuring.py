"""Measure items in processes, and never the same item twice: killed, a stage goes on where it was.

What a stage measures of an item goes line by line into a journal, which is named after everything else that
the measurement depends on. What follows from it, such as a threshold, is decided anew each time.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any, ClassVar, Protocol

from data_prep.items import Item, changed
from data_prep.progress import progress_bar
from ugatit.errors import UserError
from ugatit.files import read_json_lines, sha256_json, write_text
from ugatit.manifest import ERROR

LOG = logging.getLogger(__name__)

Columns = dict[str, Any]
Measure = Callable[[Item, str], Columns]
"""From an item and its key to the columns that the stage fills in."""

CHUNK = 8
"""Items handed to a process at a time."""

CHUNKS_AHEAD = 3
"""Chunks per process that wait or are worked on; bounds what is in flight."""

KEY_DIGITS = 24


class Stage(Protocol):
    """What a measuring stage is. It is sent to other processes, so it holds settings and paths only."""

    name: ClassVar[str]
    reads: ClassVar[tuple[str, ...]]
    """The columns of an item that its measurement depends on."""

    def concerns(self, item: Item) -> bool:
        """Whether the item is measured: if nothing said otherwise, those that are still in."""
        return item.alive

    def recipe(self) -> dict[str, Any]:
        """All else that the measurement depends on: version of the code, settings, libraries."""

    def open(self) -> Measure:
        """Load what is needed to measure, in the process that measures."""

    def complete(self, columns: Columns) -> bool:
        """Whether what was measured before is still there: the files it names, if there are any."""
        return True

    def decide(self, item: Item) -> Item:
        """What follows from the measured columns: if nothing said otherwise, nothing."""
        return item


def measure_all(stage: Stage, items: Sequence[Item], journals: Path, processes: int) -> list[Item]:
    """Measure the items that concern a stage and decide about them; all items come back, in order.

    Raises: UserError if the stage cannot work at all, or one of its processes died.
    """
    recipe = stage.recipe()
    journal = journals / f"{stage.name}-{sha256_json(recipe)[:12]}.jsonl"
    keys = [_key(stage, recipe, item) if stage.concerns(item) else "" for item in items]
    known = _read(stage, journal)
    todo = {key: item for key, item in zip(keys, items, strict=True) if key and key not in known}
    if reused := sum(map(bool, keys)) - len(todo):
        LOG.info("%s: %d of %d were measured before", stage.name, reused, reused + len(todo))
    if todo:
        known |= _measure(stage, todo, journal, processes)
    return [
        stage.decide(changed(item, known[key])) if key else item
        for key, item in zip(keys, items, strict=True)
    ]


def _key(stage: Stage, recipe: dict[str, Any], item: Item) -> str:
    """Identifies a measurement: what is read of the item, and the recipe."""
    read = [getattr(item, name) for name in stage.reads]
    return sha256_json([stage.name, recipe, read])[:KEY_DIGITS]


def _read(stage: Stage, journal: Path) -> dict[str, Columns]:
    """The measurements of a journal that are still complete."""
    if not journal.exists():
        return {}
    lines = {line["key"]: line["columns"] for line in read_json_lines(journal)}
    return {key: columns for key, columns in lines.items() if stage.complete(columns)}


def _measure(stage: Stage, todo: dict[str, Item], journal: Path, processes: int) -> dict[str, Columns]:
    """Measure what is not known and write it down as it comes."""
    journal.parent.mkdir(parents=True, exist_ok=True)
    _end_last_line(journal)
    found: dict[str, Columns] = {}
    counts: Counter[str] = Counter()
    with journal.open("a", encoding="utf-8") as handle, progress_bar(stage.name, len(todo)) as advance:
        for chunk in _results(stage, todo, processes):
            for key, columns in chunk:
                if columns.get("status") != ERROR:
                    handle.write(json.dumps({"key": key, "columns": columns}) + "\n")
                found[key] = columns
                counts[stage.decide(changed(todo[key], columns)).status] += 1
            handle.flush()
            advance(len(chunk), counts)
    return found


def _results(stage: Stage, todo: dict[str, Item], processes: int) -> Iterator[list[tuple[str, Columns]]]:
    """Measured chunks as they are done; few items are measured in this process."""
    chunks = _chunks(list(todo.items()))
    if processes == 1 or len(todo) <= CHUNK:
        for chunk in chunks:
            yield _measure_chunk(stage, chunk)
        return
    # Not forked: a copy of a process that has threads may hang.
    pool = ProcessPoolExecutor(processes, get_context("spawn"), _end_with_parent)
    waiting: set[Future[list[tuple[str, Columns]]]] = set()
    try:
        while True:
            room = processes * CHUNKS_AHEAD - len(waiting)
            waiting |= {pool.submit(_measure_chunk, stage, chunk) for chunk in islice(chunks, room)}
            if not waiting:
                return
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
    except BrokenProcessPool:
        raise UserError(
            f"{stage.name}: a process died while measuring, perhaps for want of memory. What was measured is "
            "kept: run the same again, with fewer --threads."
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """See to it that this process does not outlive the one that started it, even if that is killed."""
    parent = parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def _chunks(pairs: list[tuple[str, Item]]) -> Iterator[list[tuple[str, Item]]]:
    """The items to measure, some at a time."""
    return (pairs[start : start + CHUNK] for start in range(0, len(pairs), CHUNK))


_OPENED: dict[Stage, Measure] = {}
"""What this process has loaded."""


def _measure_chunk(stage: Stage, chunk: list[tuple[str, Item]]) -> list[tuple[str, Columns]]:
    """Measure some items; the first chunk of a process loads what is needed."""
    if stage not in _OPENED:
        _OPENED[stage] = stage.open()
    measure = _OPENED[stage]
    return [(key, measure(item, key)) for key, item in chunk]


def _end_last_line(journal: Path) -> None:
    """Cut off a line that a kill left unfinished, so that the next one begins on its own."""
    if not journal.exists():
        return
    whole = journal.read_bytes().rpartition(b"\n")
    if whole[2]:
        write_text(journal, (whole[0] + whole[1]).decode("utf-8"))
