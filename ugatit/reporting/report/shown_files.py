"""Tables, figures and the like, taken into the report's folder under their own names; their provenance."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from urllib.parse import quote

from PIL import Image

from ugatit.files import write_text
from ugatit.reporting.provenance.steps import Step
from ugatit.reporting.provenance.text import as_text
from ugatit.reporting.provenance.trace import trace
from ugatit.reporting.report.html_text import Html, element

FOLDERS = ("tables", "figures", "datasets", "provenance")
"""Folders of the report that are made anew each time."""


class ShownFiles:
    """Copies of files beside the page; `data` is the folder of the datasets."""

    def __init__(self, folder: Path, data: Path) -> None:
        self._folder, self._data = folder, data
        self._known: dict[Path, Step] = {}
        for name in FOLDERS:
            shutil.rmtree(folder / name, ignore_errors=True)

    def add(self, file: Path, place: str) -> str:
        """Take a file over, below one of FOLDERS. Returns: its address."""
        target = self._folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(file.resolve(), target)
        except OSError:
            shutil.copyfile(file, target)
        return quote(place)

    def provenance(self, file: Path, place: str, label: str) -> Html:
        """A link to what stands behind a result, as a text: what `ugatit provenance --quick` prints."""
        found = trace(file, self._data, verify=False, known=self._known)
        address = f"provenance/{place}.txt"
        write_text(self._folder / address, as_text(found, looked_at=False) + "\n")
        problems = found.problems()
        text = [label, f" (does not match: {len(problems)})"] if problems else [label]
        return element("a", *text, href=quote(address))

    def figure(self, file: Path, place: str, caption: str, *links: str) -> Html:
        """A picture with its caption, its PDF if there is one, and links; loaded when it comes into view."""
        address = self.add(file, place)
        with Image.open(file) as image:
            width, height = image.size
        picture = element(
            "img", src=address, alt=caption, width=str(width), height=str(height), loading="lazy"
        )
        text: list[str] = [caption]
        pdf = file.with_suffix(".pdf")
        if pdf.is_file():
            link = element("a", "PDF", href=self.add(pdf, str(Path(place).with_suffix(".pdf"))))
            text += [" ", link]
        for other in links:
            text += [" ", other]
        return element("figure", element("a", picture, href=address), element("figcaption", *text))
