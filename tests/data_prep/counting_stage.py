"""A stage that measures nothing worth knowing, and can be made to hang, fail or die; other processes import it."""

from __future__ import annotations

import os
import signal
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from data_prep.items import REVIEW, Item, write_items
from data_prep.measuring import Columns, Measure, measure_all
from ugatit.errors import UserError

WORDS = "é, \u2028 and \x85"
"""Text that some would take for the end of a line."""


@dataclass(frozen=True)
class CountingStage:
    """Writes a line into `folder`/calls for every measurement."""

    folder: Path
    setting: int = 1
    limit: int = 10**9
    trouble_at: int = -1
    """Bytes of the item at which it does what the file `folder`/trouble says."""
    makes_files: bool = False

    name: ClassVar[str] = "counting"
    reads: ClassVar[tuple[str, ...]] = ("sha256",)

    def concerns(self, item: Item) -> bool:
        return item.alive

    def recipe(self) -> dict[str, Any]:
        return {"setting": self.setting}

    def open(self) -> Measure:
        return self._measure

    def complete(self, columns: Columns) -> bool:
        return not self.makes_files or (self.folder / columns["crop"]).exists()

    def decide(self, item: Item) -> Item:
        return item.out(REVIEW, self.name, f"large: {item.width}") if (item.width or 0) > self.limit else item

    def _measure(self, item: Item, key: str) -> Columns:
        trouble = self.folder / "trouble"
        if item.bytes == self.trouble_at and trouble.exists():
            _make(trouble.read_text())
        with (self.folder / "calls").open("a") as handle:
            handle.write(f"{item.file}\n")
        columns: Columns = {"width": item.bytes * self.setting, "sharpness": item.bytes / 3, "mode": WORDS}
        if self.makes_files:
            (self.folder / f"{key}.txt").write_text(item.file)
            columns["crop"] = f"{key}.txt"
        return columns


def numbered(count: int) -> list[Item]:
    """Items whose sizes are 0, 1, 2 and so on."""
    return [Item(f"{n:016x}", f"{n}.png", f"{n:064x}", n, "kept") for n in range(count)]


def run(folder: Path, count: int, processes: int) -> None:
    """Measure so many items and write a manifest; the last of them may be trouble."""
    stage = CountingStage(folder, trouble_at=count - 1)
    write_items(folder / "counting.csv", measure_all(stage, numbered(count), folder / "measured", processes))


def _make(trouble: str) -> None:
    """Hang, fail or die."""
    match trouble:
        case "hang":
            sys.stdout.write("hanging\n")
            sys.stdout.flush()
            threading.Event().wait()
        case "fail":
            raise UserError("the user's mistake")
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
