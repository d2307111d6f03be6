"""Show what a check found, for people and for scripts."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from data_prep.check import Report, Split
from data_prep.findings import NOTE, PROBLEM, WARNING, Finding
from ugatit.errors import UserError
from ugatit.files import write_json

NAMES_SHOWN = 5

STYLES = {PROBLEM: "bold red", WARNING: "yellow", NOTE: "cyan"}


def show(report: Report) -> None:
    """Print the counts as a table, then the findings with numbers."""
    console = Console(highlight=False)
    console.print(_table(report))
    for number, finding in enumerate(report.findings, start=1):
        console.print(_text(number, finding), soft_wrap=True)
    counts = Counter(finding.severity for finding in report.findings)
    summary = ", ".join(f"{severity}s: {counts[severity]}" for severity in STYLES)
    console.print(Text(summary, STYLES[PROBLEM] if report.problems else ""))


def write_report(path: Path, report: Report) -> None:
    """Write everything as JSON.

    Raises: UserError if the file cannot be written.
    """
    try:
        write_json(path, report.as_json())
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror}). Give --json another file.") from None


def _table(report: Report) -> Table:
    table = Table(box=SIMPLE, title=Text(report.folder), title_justify="left")
    table.add_column("split")
    for name in ("files", "usable", "unreadable", "grey", "smallest", "largest", "most common"):
        table.add_column(name, justify="right")
    for split in report.splits:
        table.add_row(split.name, *_cells(split))
    return table


def _cells(split: Split) -> list[str]:
    """The cells of a row behind its name."""
    counts = (split.files, split.usable, split.unreadable, split.grey)
    sizes = (split.smallest, split.largest, split.most_common)
    return [*map(str, counts), *("-" if size is None else f"{size[0]}x{size[1]}" for size in sizes)]


def _text(number: int, finding: Finding) -> Text:
    """A finding: what, some of the places, what to do."""
    text = Text(f"{number}. ")
    text.append(finding.severity, STYLES[finding.severity])
    text.append(f": {finding.what}\n")
    for place in finding.where[:NAMES_SHOWN]:
        text.append(f"     {place}\n")
    if len(finding.where) > NAMES_SHOWN:
        text.append(f"     and {len(finding.where) - NAMES_SHOWN} more\n")
    text.append(f"   {finding.remedy}")
    return text
