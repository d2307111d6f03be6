"""Markdown and LaTeX of any text: aligned, escaped, with the same number of cells in every row."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ugatit.params import Params
from ugatit.reporting.collect import COLUMNS
from ugatit.reporting.markup import Document, Entry, Grid, Section, latex, markdown
from ugatit.reporting.tables import make_table, table_settings

HOSTILE = r"A & B 50% of $x_1$ #2 {y} ~ ^ \ < > | [z] * ` ± × ² − – — …"

GRID = Grid(
    ("model", "a_b", "c"),
    (
        ("[first] | row", (Entry("1.00 ± 2", bold=True, paper="3 ± 4"), Entry("– (a)"))),
        ("*second & row", (Entry("−5"), Entry("6", paper="7"))),
        ("only the paper's", (Entry("", paper="8"), Entry("", paper="9"))),
    ),
)
DOCUMENT = Document(
    HOSTILE, ("Note: 100%.",), (Section("t_1", (GRID, GRID), ("(a) r & d.",)),), ("Seeds: 0.",)
)


def cells(row: str) -> int:
    """Number of cells of a LaTeX row: separators that are not escaped, and one."""
    return len(re.findall(r"(?<!\\)&", row)) + 1


def tabulars(text: str) -> list[list[str]]:
    """The rows of every tabular, without rules."""
    bodies = re.findall(r"\\begin\{tabular\}\{[^\n]*\n(.*?)\\end\{tabular\}", text, re.DOTALL)
    return [[line.strip() for line in body.splitlines() if "&" in line] for body in bodies]


def test_latex_rows_have_as_many_cells_as_the_header() -> None:
    found = tabulars(latex(DOCUMENT))
    assert len(found) == 2
    for rows in found:
        assert [cells(row) for row in rows] == [3] * 6
        assert all(row.endswith(r"\\") for row in rows)


def test_latex_puts_the_papers_value_below_ours() -> None:
    rows = tabulars(latex(DOCUMENT))[0]
    assert rows[1] == r"\raggedright {[}first{]} \textbar{} row & \textbf{1.00 $\pm$ 2} & -- (a) \\"
    assert rows[2] == r"& {[}3 $\pm$ 4{]} &  \\"
    assert rows[5] == r"\raggedright only the paper's & {[}8{]} & {[}9{]} \\"


def test_latex_escapes_what_it_would_interpret() -> None:
    caption = next(line for line in latex(DOCUMENT).splitlines() if r"\caption" in line)
    assert caption == (
        r"  \caption{A \& B 50\% of \$x\_1\$ \#2 \{y\} \textasciitilde{} \textasciicircum{} \textbackslash{} "
        r"\textless{} \textgreater{} \textbar{} {[}z{]} {*} ` $\pm$ $\times$ $^2$ $-$ -- --- \ldots{} t\_1.}\par\medskip"
    )


def test_latex_is_balanced_ascii() -> None:
    text = latex(DOCUMENT)
    assert text.isascii()
    bare = text.replace(r"\{", "").replace(r"\}", "")
    assert bare.count("{") == bare.count("}")
    assert re.findall(r"\\begin\{(\w+)\}", text) == ["table", "tabular", "tabular"]
    assert re.findall(r"\\end\{(\w+)\}", text) == ["tabular", "tabular", "table"]
    assert bare.replace(r"\$", "").count("$") % 2 == 0


def test_latex_compiles(tmp_path: Path) -> None:
    compile_latex(latex(DOCUMENT), tmp_path)


@pytest.mark.parametrize("name", ["kid", "ablation", "preference", "architecture-generator"])
def test_tables_of_the_paper_compile_and_fit_the_page(name: str, params: Params, tmp_path: Path) -> None:
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed")
    (tmp_path / "none.csv").write_text(",".join(COLUMNS) + "\n")
    make_table(table_settings(params, name), tmp_path / "none.csv", tmp_path / name)
    log = compile_latex((tmp_path / f"{name}.tex").read_text(), tmp_path)
    assert "Overfull" not in log


def compile_latex(tables: str, folder: Path) -> str:
    """Compile tables in an article with the margins of a conference; the log."""
    program = shutil.which("pdflatex")
    if program is None:
        pytest.skip("pdflatex is not installed")
    text = rf"\documentclass{{article}}\textwidth 5.5in\begin{{document}}{tables}\end{{document}}"
    (folder / "t.tex").write_text(text)
    command = [program, "-halt-on-error", "-interaction=nonstopmode", "t.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_markdown_grid_is_aligned_and_whole() -> None:
    lines = [line for line in markdown(DOCUMENT).splitlines() if line.startswith("|")]
    assert len(lines) == 2 * (1 + 1 + 3)
    assert len({len(line) for line in lines}) == 1
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {4}


def test_markdown_keeps_bold_and_brackets() -> None:
    lines = markdown(DOCUMENT).splitlines()
    row = next(line for line in lines if "first" in line)
    assert [part.strip() for part in re.split(r"(?<!\\)\|", row)[1:-1]] == [
        r"[first] \| row",
        "**1.00 ± 2** [3 ± 4]",
        "– (a)",
    ]
    assert lines[0] == r"# A & B 50% of $x_1$ #2 {y} ~ ^ \\ \< > \| [z] \* \` ± × ² − – — …"


WORDS = Grid(
    ("layer", "kind", "n"), (("a", (Entry("conv"), Entry("1", paper="2", paper_bold=True))),), words=1
)


def test_columns_of_words_stand_to_the_left() -> None:
    document = Document("c", (), (Section("s", (WORDS,), ()),), ())
    lines = [line for line in markdown(document).splitlines() if line.startswith("|")]
    assert lines[1:] == ["| ----- | ---- | --------: |", "| a     | conv | 1 [**2**] |"]
    assert r"\begin{tabular}{llr}" in latex(document)
    assert tabulars(latex(document))[0][2] == r"&  & {[}\textbf{2}{]} \\"


def test_text_of_several_lines_becomes_one() -> None:
    document = Document("one\n  two", (), (), ())
    assert markdown(document) == "# one two\n"
