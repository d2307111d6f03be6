"""What is done again when something changes, on a finished demo."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.workflow.planning import Plan, copy_workflow, plan, snakemake

DEMO = ("--profile", "profiles/demo")
OVERLAY = Path("profiles/demo/params.yaml")

OF_ONE_RUN = {"resolve_run": 1, "train": 1, "translate": 2, "extract_features": 2, "evaluate": 1}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository in which the demo was made: every output is there and on record."""
    folder = copy_workflow(tmp_path_factory.mktemp("finished"))
    planned = plan(folder, *DEMO)
    for output in (output for job in planned.jobs for output in job.outputs):
        (folder / output).parent.mkdir(parents=True, exist_ok=True)
        (folder / output).write_text(output)
    touched = snakemake(folder, *DEMO, "--touch", "--forceall")
    assert touched.code == 0, touched.text
    return folder


def plan_with(finished: Path, changes: dict[str, object]) -> Plan:
    """Plan the finished demo with other parameters."""
    from ugatit.params import merge

    overlay = merge(yaml.safe_load((finished / OVERLAY).read_text()), changes)
    changed = finished / "changed.yaml"
    changed.write_text(yaml.safe_dump(overlay))
    planned = plan(finished, *DEMO, "--configfile", "changed.yaml")
    assert planned.code == 0, planned.text
    return planned


def test_same_parameters_do_nothing(finished: Path) -> None:
    planned = plan(finished, *DEMO)
    assert planned.jobs == ()
    assert "Nothing to be done" in planned.text


def test_learning_rate_of_one_model_redoes_its_run_alone(finished: Path) -> None:
    model = {"ugatit-light-in": {"parameters": {"optimizer": {"lr": 0.0002}}}}
    planned = plan_with(finished, {"models": model})
    last = {"collect_metrics": 1, "make_table": 1, "draw_sheet": 2, "all": 1}
    assert planned.counts() == OF_ONE_RUN | last
    assert planned.of("train") == {"dataset=demo, model=ugatit-light-in, seed=0"}
    assert planned.of("make_table") == {"table=ablation"}


def test_caption_redoes_its_table_alone(finished: Path) -> None:
    planned = plan_with(finished, {"tables": {"kid": {"caption": "Another one."}}})
    assert planned.counts() == {"make_table": 1, "all": 1}
    assert planned.of("make_table") == {"table=kid"}


def test_label_redoes_what_prints_it(finished: Path) -> None:
    planned = plan_with(finished, {"models": {"ugatit-light-in": {"label": "Another one"}}})
    assert planned.counts() == {"make_table": 1, "draw_sheet": 2, "all": 1}
    assert planned.of("make_table") == {"table=ablation"}


def test_seed_adds_its_runs(finished: Path) -> None:
    planned = plan_with(finished, {"seeds": [0, 1]})
    last = {"collect_metrics": 2, "make_table": 2, "all": 1}
    assert planned.counts() == {rule: 3 * n for rule, n in OF_ONE_RUN.items()} | last
    assert all(run.endswith("seed=1") for run in planned.of("train"))


def test_metric_redoes_the_evaluations(finished: Path) -> None:
    planned = plan_with(finished, {"evaluation": {"kid_seed": 1}})
    evaluations = {"evaluate": 3, "evaluate_source": 1, "evaluate_real": 1}
    assert planned.counts() == evaluations | {"collect_metrics": 2, "make_table": 2, "all": 1}


def test_what_changes_no_result_redoes_nothing(finished: Path) -> None:
    planned = plan_with(finished, {"evaluation": {"batch_size": 7}, "sheet": {"models": ["ugatit-light"]}})
    assert planned.counts() == {"draw_sheet": 2, "all": 1}
    resources = plan(finished, *DEMO, "--set-threads", "train=2", "--set-resources", "train:gpu=1")
    assert resources.jobs == ()


def test_code_of_the_trainer_redoes_nothing_and_of_a_metric_the_evaluations(finished: Path) -> None:
    """The trainer's arithmetic is known by `numerics` in run.json, so that a refactoring costs no weeks."""
    for module in ("training/loop.py", "methods/ugatit.py", "nn/generators.py"):
        with (finished / "ugatit" / module).open("a") as handle:
            handle.write("\n")
    assert plan(finished, *DEMO).jobs == ()
    metric = finished / "ugatit/evaluation/kid.py"
    original = metric.read_text()
    metric.write_text(original + "\n")
    assert plan(finished, *DEMO).counts()["evaluate"] == 3
    metric.write_text(original)
    assert plan(finished, *DEMO).jobs == ()


def test_picture_added_to_the_raw_folder_rebuilds_the_dataset(finished: Path) -> None:
    for split in ("trainA", "trainB", "testA", "testB"):
        (finished / "raw/mine" / split).mkdir(parents=True)
        (finished / "raw/mine" / split / "1.png").touch()
    dataset = {"domains": ["a", "b"], "source": {"kind": "folder", "path": "raw/mine"}}
    (finished / "mine.yaml").write_text(yaml.safe_dump({"datasets": {"mine": dataset}}))
    arguments = ("data/mine/manifest.csv", "--configfile", "mine.yaml")
    (finished / "data/mine").mkdir()
    (finished / "data/mine/manifest.csv").touch()
    assert snakemake(finished, *arguments, "--cores", "1", "--touch", "--forceall").code == 0
    assert plan(finished, *arguments).jobs == ()
    (finished / "raw/mine/trainA/2.png").touch()
    assert plan(finished, *arguments).counts() == {"build_dataset": 1}
