"""A document of captioned grids as Markdown and as LaTeX; knows no metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}",
    "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "[": "{[}", "]": "{]}", "*": "{*}", '"': "''", "±": r"$\pm$", "×": r"$\times$",
    "−": "$-$", "–": "--", "—": "---", "…": r"\ldots{}",
    "²": "$^2$",
}  # fmt: skip
"""Characters that LaTeX would read as commands, as an argument of `\\\\`, or would not find in its font."""

_MARKDOWN = {character: f"\\{character}" for character in "\\`*|<"}


@dataclass(frozen=True)
class Entry:
    """What stands in one cell: our text, and a published one in brackets after it; both can be bold."""

    text: str
    bold: bool = False
    paper: str = ""
    paper_bold: bool = False


@dataclass(frozen=True)
class Grid:
    """A header and labelled rows with one entry per further header cell."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Entry, ...]], ...]
    words: int = 0
    """So many columns after the label hold words, and stand to the left; values stand to the right."""


@dataclass(frozen=True)
class Section:
    """Grids of one kind of value and the remarks below them."""

    title: str
    grids: tuple[Grid, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class Document:
    """A caption, what to know before reading, sections, and what holds for all of them."""

    caption: str
    notices: tuple[str, ...]
    sections: tuple[Section, ...]
    remarks: tuple[str, ...]


def markdown(document: Document) -> str:
    """Write a document as Markdown whose grids are aligned in the raw text too."""
    parts = [f"# {_escape(document.caption, _MARKDOWN)}"]
    parts += [_escape(notice, _MARKDOWN) for notice in document.notices]
    for section in document.sections:
        parts.append(f"## {_escape(section.title, _MARKDOWN)}")
        parts += [_markdown_grid(grid) for grid in section.grids]
        parts += [_escape(remark, _MARKDOWN) for remark in section.remarks]
    parts += [_escape(remark, _MARKDOWN) for remark in document.remarks]
    return "\n\n".join(parts) + "\n"


def latex(document: Document) -> str:
    """Write a document as LaTeX for `input`: one float per section, nothing beyond the LaTeX kernel."""
    return "\n".join(_latex_float(document, section) for section in document.sections)


def _markdown_grid(grid: Grid) -> str:
    """One Markdown table, its columns padded to the same width."""
    lines = [[_escape(title, _MARKDOWN) for title in grid.header]]
    lines += [[_escape(label, _MARKDOWN), *map(_markdown_entry, entries)] for label, entries in grid.rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    left = 1 + grid.words
    rule = [*("-" * width for width in widths[:left]), *("-" * (width - 1) + ":" for width in widths[left:])]
    lines.insert(1, rule)
    return "\n".join(f"| {' | '.join(_pad(line, widths, left))} |" for line in lines)


def _pad(line: Sequence[str], widths: Sequence[int], left: int) -> list[str]:
    """Words to the left, values to the right."""
    cells = zip(line, widths, strict=True)
    return [text.ljust(width) if k < left else text.rjust(width) for k, (text, width) in enumerate(cells)]


def _markdown_entry(entry: Entry) -> str:
    """One cell of a Markdown table."""
    text = _escape(entry.text, _MARKDOWN)
    paper = _escape(entry.paper, _MARKDOWN)
    published = f"**{paper}**" if entry.paper_bold else paper
    parts = (f"**{text}**" if entry.bold else text, f"[{published}]" if paper else "")
    return " ".join(part for part in parts if part)


def _latex_float(document: Document, section: Section) -> str:
    """One table environment with the section's grids and all remarks that concern it."""
    remarks = [*document.notices, *section.remarks, *document.remarks]
    return "\n".join(
        [
            r"\begin{table}[htp]",
            r"  \centering\scriptsize\setlength{\tabcolsep}{3pt}\renewcommand{\arraystretch}{1.2}%",
            rf"  \caption{{{_escape(f'{document.caption} {section.title}.', _LATEX)}}}\par\medskip",
            "\n  \\par\\medskip\n".join(_latex_grid(grid) for grid in section.grids),
            r"  \par\medskip\raggedright",
            *(f"  {_escape(remark, _LATEX)}\\par" for remark in remarks),
            r"\end{table}",
            "",
        ]
    )


def _latex_grid(grid: Grid) -> str:
    """One tabular; published values stand in a second line below ours."""
    lines = [" & ".join(_escape(title, _LATEX) for title in grid.header)]
    for label, entries in grid.rows:
        first = [_latex_entry(entry) for entry in entries]
        second = [_latex_paper(entry) for entry in entries]
        name = _escape(label, _LATEX) if grid.words else rf"\raggedright {_escape(label, _LATEX)}"
        if not any(first):
            lines.append(" & ".join([name, *second]))
        else:
            lines.append(" & ".join([name, *first]))
            if any(second):
                lines.append(" & ".join(["", *second]))
    labels = "l" * (1 + grid.words) if grid.words else "p{0.165\\linewidth}"
    columns = labels + "r" * (len(grid.header) - 1 - grid.words)
    begin, end, rule = rf"  \begin{{tabular}}{{{columns}}}", r"  \end{tabular}", r"    \hline"
    head, *body = (f"    {line} \\\\" for line in lines)
    return "\n".join([begin, rule, head, rule, *body, rule, end])


def _latex_paper(entry: Entry) -> str:
    """The published part of a cell."""
    text = _escape(entry.paper, _LATEX)
    bold = rf"\textbf{{{text}}}" if entry.paper_bold else text
    return f"{{[}}{bold}{{]}}" if text else ""


def _latex_entry(entry: Entry) -> str:
    """Our part of a cell."""
    text = _escape(entry.text, _LATEX)
    return rf"\textbf{{{text}}}" if entry.bold else text


def _escape(text: str, special: dict[str, str]) -> str:
    """One line of text with the characters replaced that the format would interpret."""
    return "".join(special.get(character, character) for character in " ".join(text.split()))
