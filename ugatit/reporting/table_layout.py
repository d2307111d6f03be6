"""A table of metrics as people read it: one grid per metric in the paper's layout, and their meaning."""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from ugatit.datasets import DIRECTIONS
from ugatit.reporting.cells import Cell, Column, Settings, why_not_comparable
from ugatit.reporting.markup import Document, Entry, Grid, Section

TITLES = {
    "kid_paper": "KID × 100, most probably the paper's protocol (kid_paper)",
    "kid": "KID × 100, torch-fidelity's protocol (kid)",
    "kid_full": "KID × 100 over all pictures (kid_full)",
    "kid_paper_alpha98": "KID × 100, the authors' later weighting (kid_paper_alpha98)",
    "fid": "FID (fid)",
    "preference": "Preference, % of the votes (preference)",
}
"""Titles of the grids."""

HIGHER_IS_BETTER = frozenset({"preference"})
"""Metrics of which the highest value is the best; of all others it is the lowest."""

DECIMALS = 2
"""Printed decimals, as in the paper."""

Letters = Mapping[str, str]
"""Remark -> letter that stands for it in a grid."""

Best = Mapping[str, float]
"""Column -> best value in it."""


def arrange(settings: Settings, cells: Sequence[Cell]) -> Document:
    """Lay out the cells: models as rows, directions as columns, one section per metric.

    With several datasets the two directions are two grids, as in the paper's Table 3. Columns and models that
    `only_dataset` and `only_model` leave out are named below the grids unless the paper has values for them.
    """
    planned = {cell.column.key for cell in cells if cell.planned}
    columns = [column for column in settings.columns if column.key in planned] or settings.columns
    shown = [cell for cell in cells if cell.column in columns]
    sections = tuple(_section(name, columns, shown) for name in settings.metrics)
    remarks = (_left_out(cells, columns), _counts(shown), _extractor(shown), _seeds(shown))
    return Document(settings.caption, _notices(settings, shown), sections, tuple(filter(None, remarks)))


def _section(metric: str, columns: Sequence[Column], cells: Iterable[Cell]) -> Section:
    """The grids of one metric, the meaning of the numbers and of the letters."""
    cells = [cell for cell in cells if cell.metric == metric]
    used = {cell.row.model for cell in cells if cell.planned or cell.paper}
    parts = [(part, _lines([c for c in cells if c.row.model in used], part)) for part in _parts(columns)]
    printed = [cell for _, lines in parts for line in lines for cell in line]
    names = (first + second for first in ("", *string.ascii_lowercase) for second in string.ascii_lowercase)
    letters = dict(zip(dict.fromkeys(cell.remark for cell in printed if cell.remark), names, strict=False))
    models = [cell for cell in cells if cell.row.kind == "model"]
    best = _best(metric, [(c.column.key, _round(c.value)) for c in models if c.value is not None])
    papers_best = _best(metric, [(c.column.key, c.paper.value) for c in cells if c.paper and c.paper.value])
    grids = tuple(
        Grid(
            ("model", *(column.title for column in part)),
            tuple(
                (_label(line, letters), tuple(_entry(cell, letters, best, papers_best) for cell in line))
                for line in lines
            ),
        )
        for part, lines in parts
    )
    legend = "; ".join(f"({letter}) {remark}" for remark, letter in letters.items())
    remarks = (f"Protocol: {_protocol(printed)}", f"{legend}." if legend else "")
    return Section(TITLES.get(metric, metric), grids, tuple(filter(None, remarks)))


def _lines(cells: Iterable[Cell], columns: Sequence[Column]) -> list[list[Cell]]:
    """The cells of some columns, row by row, without the paper's rows that are empty there."""
    lines: dict[str, list[Cell]] = {}
    for cell in cells:
        if cell.column in columns:
            lines.setdefault(cell.row.model, []).append(cell)
    return [
        line for line in lines.values() if line[0].row.kind != "paper" or any(cell.paper for cell in line)
    ]


def _parts(columns: Sequence[Column]) -> list[list[Column]]:
    """The columns of each grid: one direction each if there are several datasets."""
    if len({column.dataset for column in columns}) == 1:
        return [list(columns)]
    parts = [[column for column in columns if column.direction == direction] for direction in DIRECTIONS]
    return [part for part in parts if part]


def _label(line: Sequence[Cell], letters: Letters) -> str:
    """A row's name; for a row that only the paper has with the letter that says so."""
    row = line[0].row
    if row.kind != "paper":
        return row.label
    return f"{row.label} ({letters[next(cell.remark for cell in line if cell.paper)]})"


def _entry(cell: Cell, letters: Letters, best: Best, papers_best: Best) -> Entry:
    """What is printed in one cell."""
    key = cell.column.key
    paper = cell.paper.text if cell.paper else ""
    paper_bold = cell.paper is not None and cell.paper.value == papers_best.get(key)
    if cell.row.kind == "paper" and paper:
        return Entry("", paper=paper, paper_bold=paper_bold)
    text = "–" if cell.value is None else _number(cell.value)
    if cell.plus_minus is not None:
        text += f" ± {_number(cell.plus_minus)}"
    if cell.remark:
        text += f" ({letters[cell.remark]})"
    bold = cell.row.kind == "model" and cell.value is not None and _round(cell.value) == best.get(key)
    return Entry(text, bold, paper, paper_bold)


def _best(metric: str, values: Iterable[tuple[str, float]]) -> dict[str, float]:
    """The best value per column, where two or more compete."""
    columns: dict[str, list[float]] = {}
    for key, value in values:
        columns.setdefault(key, []).append(value)
    choose = max if metric in HIGHER_IS_BETTER else min
    return {key: choose(found) for key, found in columns.items() if len(found) > 1}


def _notices(settings: Settings, cells: Iterable[Cell]) -> tuple[str, ...]:
    """How to read the grids, and a warning if the features are not the paper's."""
    cells = list(cells)
    better = "Higher" if HIGHER_IS_BETTER.issuperset(settings.metrics) else "Lower"
    reading = f"{better} is better. Bold: the best of the models, where a column has two or more."
    if any(cell.paper for cell in cells):
        reading += " In brackets: the paper's value, its best in bold."
    warnings = _by_value(
        (why_not_comparable(run), cell.column.dataset) for cell in cells for run in cell.runs
    )
    notes = [f"Note: {why} ({', '.join(names)})." for why, names in warnings.items() if why]
    return (*notes, reading)


def _protocol(cells: Sequence[Cell]) -> str:
    """How the values of one metric were computed, and what their ± is."""
    protocols = dict.fromkeys(run.protocol for cell in cells for run in cell.runs)
    if not protocols:
        return "no value of ours yet."
    kinds = _by_value((cell.plus_minus_is, cell.row.label) for cell in cells if cell.plus_minus_is)
    if len(kinds) > 1:
        meaning = "; ".join(f"{kind} ({', '.join(labels)})" for kind, labels in kinds.items())
    else:
        meaning = "".join(kinds)
    return f"{'; '.join(protocols)}." + (f" ± is: {meaning}." if meaning else "")


def _left_out(cells: Iterable[Cell], columns: Sequence[Column]) -> str:
    """Columns and models that no grid shows, and why."""
    cells = list(cells)
    shown = {cell.row.model for cell in cells if cell.planned or cell.paper}
    names = [
        (c.remark, c.column.title) for c in cells if c.row.kind == "reference" and c.column not in columns
    ]
    names += [(c.remark, c.row.label) for c in cells if c.row.model not in shown and c.column in columns]
    parts = [f"{', '.join(titles)} ({why})" for why, titles in _by_value(names).items()]
    return f"Left out: {', '.join(parts)}." if parts else ""


def _counts(cells: Iterable[Cell]) -> str:
    """Numbers of pictures: what most rows of a column have, then the rows that deviate."""
    found: dict[str, list[tuple[str, str]]] = {}
    for cell in cells:
        for run in cell.runs:
            counts = f"{run.n_fake} / {run.n_target} / {run.n_source} at {run.image_px} px"
            found.setdefault(cell.column.title, []).append((counts, cell.row.label))
    usual = {
        title: Counter(counts for counts, _ in pairs).most_common(1)[0][0] for title, pairs in found.items()
    }
    names = [(counts, title) for title, counts in usual.items()]
    names += [
        (c, f"{label} in {title}")
        for title, pairs in found.items()
        for c, label in pairs
        if c != usual[title]
    ]
    parts = [f"{counts} ({', '.join(titles)})" for counts, titles in _by_value(names).items()]
    return f"Pictures (translated / target / source): {', '.join(parts)}." if parts else ""


def _extractor(cells: Iterable[Cell]) -> str:
    """The features' origin; all cells share it."""
    run = next((run for cell in cells for run in cell.runs), None)
    return f"Extractor: {run.extractor}, weights {run.extractor_sha256[:8]}." if run else ""


def _seeds(cells: Iterable[Cell]) -> str:
    """The seeds behind the values."""
    seeds = sorted({seed for cell in cells for seed in cell.seeds})
    return f"Seeds: {', '.join(map(str, seeds))}." if seeds else ""


def _by_value(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Group names by a text that they share, both in order of appearance and once."""
    groups: dict[str, dict[str, None]] = {}
    for text, name in pairs:
        groups.setdefault(text, {})[name] = None
    return {text: list(names) for text, names in groups.items()}


def _round(value: float) -> float:
    """The value as printed, without a negative zero."""
    return round(value, DECIMALS) + 0.0


def _number(value: float) -> str:
    """A value as printed, with a minus sign instead of a hyphen."""
    return f"{_round(value):.{DECIMALS}f}".replace("-", "−")
