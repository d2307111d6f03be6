"""Rules that list their code list all that decides what they write: Snakemake sees no imported module."""

from __future__ import annotations

import ast
from collections import defaultdict

import pytest
import yaml

from tests.workflow.planning import ROOT, copy_workflow, plan

SIBLINGS = ("ugatit/reporting/", "ugatit/evaluation/", "ugatit/images.py", "data_prep/")
"""Where imports are followed. The arithmetic of networks is known by `numerics`, and the rest decides nothing."""

DECIDES_NOTHING = {
    "ugatit/evaluation/scores.py",  # reads back what `score` wrote, which lists it
    "ugatit/reporting/figure.py",  # settings of figures and
    "ugatit/reporting/tables.py",  # of tables are worked out while planning and stand in `params:`
    "ugatit/reporting/figures/grid.py",  # imported for its types alone
    "data_prep/parallel.py",
    "data_prep/stages/order.py",  # names of stages
    "data_prep/stages/split.py",  # names of splits
}

RULES = {
    "fetch_source", "report_construction", "translate", "attend", "import_translations", "extract_features",
    "extract_real_features", "extract_external_features", "evaluate", "evaluate_source", "evaluate_real",
    "evaluate_external", "score", "collect_metrics", "make_table", "summarize_tables", "draw_sheet",
    "draw_figure", "make_report",
}  # fmt: skip


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[frozenset[str]]]:
    """The files of code that the jobs of each rule have as inputs."""
    folder = copy_workflow(tmp_path_factory.mktemp("repository"))
    (folder / "theirs").mkdir()
    (folder / "theirs/1.png").touch()
    external = {"folders": {"cat2dog": {"a2b": {"path": "theirs"}}}, "match": "number"}
    overlay = {"models": {"published": {"label": "Published", "external": external}}}
    (folder / "published.yaml").write_text(yaml.safe_dump(overlay))
    metrics = "results/cat2dog/published/metrics.json"
    listed = defaultdict(set)
    for planned in (
        plan(folder, "--profile", "profiles/demo", "all", "summarize_tables"),
        plan(folder, metrics, "--configfile", "published.yaml"),
    ):
        assert planned.code == 0, planned.text
        for job in planned.jobs:
            if files := frozenset(file for file in job.inputs if file.startswith(("ugatit/", "data_prep/"))):
                listed[job.rule].add(files)
    return listed


def imported(file: str) -> set[str]:
    """The siblings that a file imports, those inside functions too."""
    found = set()
    for node in ast.walk(ast.parse((ROOT / file).read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            found |= {f"{name.replace('.', '/')}.py" for name in names}
    return {name for name in found if name.startswith(SIBLINGS) and (ROOT / name).exists()}


def test_what_decides_an_output_is_an_input(code: dict[str, set[frozenset[str]]]) -> None:
    assert set(code) == RULES
    missing, excused = defaultdict(set), set()
    for rule, lists in code.items():
        for files in lists:
            needed = {name for file in files if file.endswith(".py") for name in imported(file)} - files
            excused |= needed & DECIDES_NOTHING
            missing[rule] |= needed - DECIDES_NOTHING
    assert {rule: names for rule, names in missing.items() if names} == {}
    assert excused == DECIDES_NOTHING


def test_the_papers_values_are_inputs_of_what_prints_them(code: dict[str, set[frozenset[str]]]) -> None:
    values = {
        f"ugatit/reporting/paper/{file.name}" for file in (ROOT / "ugatit/reporting/paper").glob("*.csv")
    }
    assert values
    for files in (*code["make_table"], *code["draw_figure"]):
        assert values <= files
