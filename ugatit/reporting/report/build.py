"""Make the report: one folder with a page, its pictures and its data, complete without a network."""

from __future__ import annotations

import html
import json
import logging
import os
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from ugatit.errors import UserError
from ugatit.files import write_text
from ugatit.reporting.report import sections
from ugatit.reporting.report.attention_maps import gradient_css
from ugatit.reporting.report.comparison import SCORE_MEANING, comparisons
from ugatit.reporting.report.picture_store import PictureStore
from ugatit.reporting.report.run_facts import read_facts
from ugatit.reporting.report.settings import ReportSettings
from ugatit.reporting.report.shown_files import ShownFiles

PAGE_FILES = ("page.css", "page.js", "choice.js", "grid.js", "viewer.js", "keys.js")
"""Files of the page that are the same for every report; scripts in the order in which they are loaded."""

MARK = ".report"
"""An empty file by which a report's folder is known; what is old in it is removed."""

log = logging.getLogger(__name__)


def make_report(settings: ReportSettings, output: Path, threads: int | None = None) -> Path:
    """Show all that there is of what the settings plan: tables, figures, runs, datasets, translations.

    The folder can be moved and opened from disk. Made again, only pictures that changed are written.

    Returns: the path of index.html, which is written last.
    Raises: UserError if the results are missing, a file of them is damaged, or the folder holds other files.
    """
    results = Path(settings.results)
    if not results.is_dir():
        raise UserError(f"{results}: no such folder; expected results to report. Make some first.")
    _claim(output)
    runs = [read_facts(entry, results) for entry in settings.runs]
    store, shown = PictureStore(output), ShownFiles(output, Path(settings.data))
    data = {"comparisons": comparisons(settings, runs, store), "scoreMeaning": SCORE_MEANING}
    page = {
        "title": html.escape(settings.results),
        "overview": sections.overview(settings, runs, shown),
        "figures": sections.figures(settings, shown),
        "runs": sections.runs_table(settings, runs, shown),
        "datasets": sections.datasets_section(settings, shown),
    }
    store.write(threads or os.cpu_count() or 1)
    for name in PAGE_FILES:
        write_text(output / name, _asset(name))
    write_text(output / "data.js", _script(data))
    write_text(output / "scale.css", f":root {{ --scale: {gradient_css()}; }}\n")
    index = output / "index.html"
    write_text(index, Template(_asset("page.html")).substitute(page))
    log.info("%s: %d runs, %d comparisons", index, len(runs), len(data["comparisons"]))
    return index


def _claim(folder: Path) -> None:
    """Mark a folder as a report's; refuse one in which something else could be removed."""
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARK).is_file():
        raise UserError(
            f"{folder}: holds files that are no report; expected a new or empty folder. Name another."
        )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).touch()


def _script(data: dict[str, Any]) -> str:
    """The data as a script, since a page opened from disk may not read other files. ASCII only."""
    return f'"use strict";\nconst REPORT = {json.dumps(data, separators=(",", ":"))};\n'


def _asset(name: str) -> str:
    """A file that belongs to the page."""
    return (files(__package__) / name).read_text(encoding="utf-8")
