"""Tables, figures and the like, taken into the report's folder under their own names."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from urllib.parse import quote

from PIL import Image

from ugatit.reporting.report.html_text import Html, element

FOLDERS = ("tables", "figures", "datasets")
"""Folders of the report that are made anew each time."""


class ShownFiles:
    """Copies of files beside the page."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
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

    def figure(self, file: Path, place: str, caption: str) -> Html:
        """A picture with its caption and, where there is one, its PDF; loaded when it comes into view."""
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
        return element("figure", element("a", picture, href=address), element("figcaption", *text))
