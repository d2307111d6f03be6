"""dvc.yaml agrees with the workflow: DVC asks Snakemake whenever something may have to be done, and only owns copies."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.workflow.planning import ROOT, copy_workflow, snakemake
from ugatit.params import Params
from ugatit.release.parts import PARTS
from ugatit.sources import ConstructedSource

STAGES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]

NOT_FOR_DATASETS = {"seeds", "training", "methods", "presets", "evaluation", "sheet"}
NOT_FOR_MODELS = {"sources", "assets", "construction", "evaluation", "sheet"}
"""Parameters that change no dataset, and none but through a dataset a model; all others must be listed."""

LATER = {"attention", "figures"}
"""Groups of parameters of what is drawn from finished runs."""


def outs(stage: str) -> dict[str, dict[str, bool]]:
    """Outputs of a stage with their settings."""
    return {path: settings for out in STAGES[stage]["outs"] for path, settings in out.items()}


def test_dvc_owns_only_copies_and_never_removes_them() -> None:
    owned = {path: settings for stage in STAGES for path, settings in outs(stage).items()}
    assert set(owned) == {f"release/{part}" for part in PARTS}
    assert all(settings["persist"] for settings in owned.values())
    assert owned["release/tables"] == {"persist": True, "cache": False}, "small text lives in git"


def test_copies_are_ignored_by_git_unless_they_live_there() -> None:
    cached = {
        path for stage in STAGES for path, settings in outs(stage).items() if settings.get("cache", True)
    }
    ignored = {f"release{line}" for line in (ROOT / "release/.gitignore").read_text().split()}
    assert cached == ignored


def test_every_stage_depends_on_all_of_the_code_and_on_the_stages_before() -> None:
    before = {"decisions"}
    for stage, entry in STAGES.items():
        deps = set(entry["deps"])
        assert {"Snakefile", "workflow", "ugatit", "data_prep"} <= deps
        assert deps - {"Snakefile", "workflow", "ugatit", "data_prep"} == before
        assert all((ROOT / dep).exists() for dep in deps - before)
        before = (before - {"decisions"}) | {path for path in outs(stage) if stage != "tables"}


def test_decisions_are_a_dependency_that_every_clone_has(params: Params) -> None:
    """DVC refuses a dependency that is not there, and git keeps no empty folder."""
    assert "decisions" in STAGES["datasets"]["deps"]
    assert (ROOT / "decisions/README.md").exists()
    sources = [dataset.source for dataset in params.datasets.values()]
    reviewed = [source.decisions for source in sources if isinstance(source, ConstructedSource)]
    assert reviewed and {Path(file).parent.name for file in reviewed} == {"decisions"}


@pytest.mark.parametrize(("stage", "excluded"), [("datasets", NOT_FOR_DATASETS), ("models", NOT_FOR_MODELS)])
def test_stages_know_their_parameters(stage: str, excluded: set[str]) -> None:
    listed = set(STAGES[stage]["params"])
    assert listed == set(Params.model_fields) - excluded - LATER


def test_parameters_of_stages_stand_in_the_file() -> None:
    """DVC refuses to look for a parameter that is only a default."""
    written = set(yaml.safe_load((ROOT / "params.yaml").read_text()))
    assert {*STAGES["datasets"]["params"], *STAGES["models"]["params"]} <= written


def test_last_stage_knows_all_parameters() -> None:
    assert STAGES["tables"]["params"] == [{"params.yaml": None}]


def test_stages_ask_for_rules_that_exist_and_release_what_they_own(tmp_path: Path) -> None:
    rules = set(snakemake(copy_workflow(tmp_path), "--list-rules").text.split())
    for stage, entry in STAGES.items():
        make, copy = map(shlex.split, entry["cmd"])
        assert make[:3] == ["snakemake", "--cores", "all"]
        assert set(make[3:]) <= rules
        assert copy[:2] == ["ugatit", "release"]
        assert {f"release/{part}" for part in copy[2:]} == set(outs(stage))


def test_dvc_reports_to_nobody() -> None:
    config = (ROOT / ".dvc/config").read_text()
    assert "analytics = false" in config
    assert "check_update = false" in config
    assert 'type = "reflink,copy"' in config, "links would make files that Snakemake watches read-only"
