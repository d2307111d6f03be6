"""The Markdown of our own tables and funnels as HTML: headings, paragraphs, pipe tables, bold, code."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ugatit.reporting.report.html_text import Html, element, join, table

HEADING = re.compile(r"(#{1,6}) +(.*)")
RULE = re.compile(r":?-+:?")
CELL_END = re.compile(r"(?<!\\)\|")
INLINE = re.compile(r"\\([\\`*|<_])|\*\*(.+?)\*\*|`([^`]+)`")
"""An escaped character, bold text, or code."""


def markdown_html(text: str, level: int = 1) -> Html:
    """Convert Markdown; the first-level heading becomes `h<level>`. All else is text."""
    parts: list[Html] = []
    title = ""
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = block.strip().splitlines()
        while lines and (match := HEADING.fullmatch(lines[0])):
            title = match[2]
            parts.append(element(f"h{min(6, len(match[1]) + level - 1)}", inline_html(title)))
            lines = lines[1:]
        if len(lines) > 1 and lines[0].startswith("|") and all(map(RULE.fullmatch, _cells(lines[1]))):
            parts.append(_table(lines, title))
        elif lines:
            parts.append(element("p", inline_html(" ".join(lines))))
    return join(parts, "\n")


def _table(lines: Sequence[str], title: str) -> Html:
    """A pipe table, with the alignment of its second line."""
    header, rule, *rows = (_cells(line) for line in lines)
    numeric = [place for place, dashes in enumerate(rule) if dashes.endswith(":")]
    return table(
        [inline_html(cell) for cell in header],
        [[inline_html(cell) for cell in row] for row in rows],
        _plain(title) or "table",
        numeric,
    )


def _cells(line: str) -> list[str]:
    """The cells of a table's line, without the outer bars."""
    return [cell.strip() for cell in CELL_END.split(line.strip())[1:-1]]


def inline_html(text: str) -> Html:
    """Text of one line with bold parts and code."""
    parts: list[str] = []
    end = 0
    for match in INLINE.finditer(text):
        escaped, bold, code = match.groups()
        parts.append(text[end : match.start()])
        if bold is not None:
            parts.append(element("strong", inline_html(bold)))
        elif code is not None:
            parts.append(element("code", code))
        else:
            parts.append(escaped)
        end = match.end()
    return join([*parts, text[end:]])


def _plain(text: str) -> str:
    """A heading's text without marks."""
    return INLINE.sub(lambda match: next(filter(None, match.groups())), text)
