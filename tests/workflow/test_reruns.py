"""What is done again when something changes, on a finished demo."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest
import yaml

from data_prep.obtain import FIRST, Obtained
from data_prep.stages.order import SIDE_STAGES, STAGE_VERSIONS
from tests.workflow.planning import ROOT, Plan, copy_workflow, plan, snakemake
from ugatit.files import write_json

DEMO = ("--profile", "profiles/demo")
OVERLAY = Path("profiles/demo/params.yaml")

RAW = Path("raw/drawn-portraits")

OF_ONE_RUN = {"resolve_run": 1, "train": 1, "translate": 2, "extract_features": 2, "evaluate": 1, "score": 2}

OF_ALL_RUNS = {"resolve_run": 5, "train": 5, "evaluate": 5}
OF_ALL_RUNS |= dict.fromkeys(("translate", "extract_features", "score"), 9)
"""One of the five models translates one way only."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository in which the demo was made: every output is there and on record."""
    folder = copy_workflow(tmp_path_factory.mktemp("finished"))
    planned = plan(folder, *DEMO)
    for output in (output for job in planned.jobs for output in job.outputs):
        (folder / output).parent.mkdir(parents=True, exist_ok=True)
        (folder / output).write_text(output)
    record = Obtained(
        folder=str(RAW), swap=False, made=True, origin={}, archive=None, fingerprint="as drawn", state=FIRST
    )
    write_json(folder / f"{RAW}.json", record.model_dump())
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
    model = {"ugatit-light-no-cam": {"parameters": {"optimizer": {"lr": 0.0002}}}}
    planned = plan_with(finished, {"models": model})
    last = {
        "collect_metrics": 1,
        "make_table": 1,
        "draw_sheet": 2,
        "draw_figure": 7,
        "make_report": 1,
        "all": 1,
    }
    assert planned.counts() == OF_ONE_RUN | last
    assert planned.of("draw_figure") == {
        f"figure={name}"
        for name in ("figure2", "figure4", "appendix-selfie2anime", "appendix-anime2selfie")
        + ("rho", "curves", "ablation")
    }
    assert planned.of("train") == {"dataset=demo, model=ugatit-light-no-cam, seed=0"}
    assert planned.of("make_table") == {"table=ablation"}


def test_caption_redoes_its_table_alone(finished: Path) -> None:
    planned = plan_with(finished, {"tables": {"kid": {"caption": "Another one."}}})
    assert planned.counts() == {"make_table": 1, "make_report": 1, "all": 1}
    assert planned.of("make_table") == {"table=kid"}


def test_caption_of_a_figure_redraws_it_alone(finished: Path) -> None:
    planned = plan_with(finished, {"figures": {"figure4": {"caption": "Another one."}}})
    assert planned.counts() == {"draw_figure": 1, "make_report": 1, "all": 1}
    assert planned.of("draw_figure") == {"figure=figure4"}


def test_choice_of_a_figure_redraws_it_alone(finished: Path) -> None:
    planned = plan_with(finished, {"figures": {"figure2": {"choice": {"rows": 2}}}})
    assert planned.counts() == {"draw_figure": 1, "make_report": 1, "all": 1}


def test_code_of_a_kind_redraws_its_figures_alone(finished: Path) -> None:
    module = finished / "ugatit/reporting/figures/curves.py"
    original = module.read_text()
    module.write_text(original + "\n")
    planned = plan(finished, *DEMO)
    module.write_text(original)
    assert planned.of("draw_figure") == {"figure=curves"}
    assert planned.counts() == {"draw_figure": 1, "make_report": 1, "all": 1}


def test_a_run_that_no_table_plans_redraws_what_shows_it_and_is_never_made_anew(finished: Path) -> None:
    manifest = finished / "results/demo/demo/ugatit-in/seed0/translations/a2b/manifest.csv"
    manifest.parent.mkdir(parents=True)
    manifest.write_text("made by hand")
    planned = plan(finished, *DEMO)
    manifest.unlink()
    assert planned.counts() == {"draw_figure": 1, "make_report": 1, "all": 1}
    assert planned.of("draw_figure") == {"figure=figure3"}


def test_masked_share_attends_anew(finished: Path) -> None:
    planned = plan_with(finished, {"attention": {"masked_share": 0.1}})
    figures = {"figure2", "appendix-selfie2anime", "appendix-anime2selfie"}
    assert planned.counts() == {"attend": 4, "draw_figure": 3, "make_report": 1, "all": 1}
    assert planned.of("draw_figure") == {f"figure={name}" for name in figures}


def test_label_redoes_what_prints_it(finished: Path) -> None:
    planned = plan_with(finished, {"models": {"ugatit-light-no-cam": {"label": "Another one"}}})
    last = {"make_report": 1, "all": 1}
    assert planned.counts() == {"make_table": 1, "draw_sheet": 2, "draw_figure": 7} | last
    assert planned.of("make_table") == {"table=ablation"}


def test_seed_adds_its_runs(finished: Path) -> None:
    planned = plan_with(finished, {"seeds": [0, 1]})
    # The KID figures and the curves show all seeds, and the report the attention of all.
    last = {"collect_metrics": 2, "make_table": 2, "draw_figure": 3, "attend": 4, "make_report": 1, "all": 1}
    assert planned.counts() == OF_ALL_RUNS | last
    assert all(run.endswith("seed=1") for run in planned.of("train"))


def test_metric_redoes_the_evaluations(finished: Path) -> None:
    planned = plan_with(finished, {"evaluation": {"kid_seed": 1}})
    evaluations = {"evaluate": 5, "evaluate_source": 1, "evaluate_real": 1}
    last = {"collect_metrics": 2, "make_table": 2, "draw_figure": 2, "make_report": 1, "all": 1}
    assert planned.counts() == evaluations | last


def test_what_changes_no_result_redoes_nothing(finished: Path) -> None:
    planned = plan_with(finished, {"evaluation": {"batch_size": 7}, "sheet": {"pictures": 4}})
    assert planned.counts() == {"draw_sheet": 2, "make_report": 1, "all": 1}
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
    assert plan(finished, *DEMO).counts()["evaluate"] == 5
    metric.write_text(original)
    assert plan(finished, *DEMO).jobs == ()


def test_page_of_the_report_is_redone_alone(finished: Path) -> None:
    page = finished / "ugatit/reporting/report/page.css"
    original = page.read_text()
    page.write_text(original + "\n")
    planned = plan(finished, *DEMO)
    page.write_text(original)
    assert planned.counts() == {"make_report": 1, "all": 1}


def test_report_of_snakemake_works_from_the_disk_with_captions_and_categories(finished: Path) -> None:
    made = snakemake(finished, *DEMO, "--report", "report.zip")
    assert made.code == 0, made.text
    with zipfile.ZipFile(finished / "report.zip") as archive:
        names = {Path(name).name for name in archive.namelist()}
        page = archive.read("report/report.html").decode()
    assert {"figure2.png", "kid.csv", "demo_a2b.png", "funnel.png"} <= names
    for text in (
        "Normalisation in the decoder",
        "chosen at random with seed 0",
        "counts, seeds and protocol",
    ):
        assert text in page
    for category in ("figures", "tables", "sheets"):
        assert f'"{category}"' in page
    assert not re.findall(r'<(?:script|img)[^>]*src="http|<link[^>]*href="http', page)


LATER = {
    "select": ("detect", "crop", "quality", "dedupe", "review", "upscale", "split"),
    "quality": ("dedupe", "review", "upscale", "split"),
    "split": (),
}
"""Stages after one."""


@pytest.mark.parametrize(
    ("stage", "values"),
    [("select", {"exclude": ["baby"]}), ("quality", {"min_sharpness": 6.0}), ("split", {"seed": 1})],
)
def test_threshold_of_a_stage_redoes_what_comes_after_it_on_its_side(
    finished: Path, stage: str, values: dict[str, object]
) -> None:
    source = {"stages": {"a": {stage: values}}}
    planned = plan_with(finished, {"datasets": {"demo": {"source": source}}})
    redone = {name: planned.counts().get(name, 0) for name in ("index", "decode", *LATER, *LATER["select"])}
    # The review looks at the limits of all stages of its side.
    expected = {stage, *LATER[stage], "review", "upscale", "split"}
    assert redone == {name: int(name in expected) for name in redone}
    assert planned.counts()["export"] == 1


def test_version_of_a_stage_redoes_it_and_what_follows(finished: Path) -> None:
    target = ("data/demo/manifest.csv", *DEMO)
    after = dict.fromkeys(SIDE_STAGES[SIDE_STAGES.index("detect") :], 2)
    assert raise_version(finished, "detect", *target).counts() == {**after, "export": 1, "verify": 1}


def test_every_stage_has_the_version_of_its_name() -> None:
    rules = "".join((ROOT / f"workflow/rules/{name}.smk").read_text() for name in ("construct", "data"))
    blocks = re.split(r"^(?:use )?rule (?:\w+ as )?(\w+)", rules, flags=re.MULTILINE)[1:]
    given = {
        rule: re.findall(r'version=STAGE_VERSIONS\["(\w+)"\]', block)
        for rule, block in zip(blocks[::2], blocks[1::2], strict=True)
    }
    assert {rule: names for rule, names in given.items() if names} == {
        name: [name] for name in STAGE_VERSIONS
    }


def raise_version(finished: Path, stage: str, *arguments: str) -> Plan:
    """Plan with a higher version of what a stage writes."""
    module = finished / "data_prep/stages/order.py"
    original = module.read_text()
    module.write_text(f"{original}STAGE_VERSIONS[{stage!r}] += 1\n")
    planned = plan(finished, *arguments)
    module.write_text(original)
    assert planned.code == 0, planned.text
    return planned


def test_name_of_a_domain_redoes_the_report_of_its_construction(finished: Path) -> None:
    planned = plan_with(finished, {"datasets": {"demo": {"domains": ["selfie", "drawing"]}}})
    assert planned.counts()["report_construction"] == 1
    assert not planned.counts().keys() & {"index", "export", "train"}


def test_decision_of_the_review_redoes_the_review_and_what_follows(finished: Path) -> None:
    decisions = finished / "decisions/demo.csv"
    decisions.parent.mkdir()
    decisions.write_text("item_id,decision,reviewer,decided_at,note\n")
    planned = plan(finished, *DEMO, "data/demo/manifest.csv")
    decisions.unlink()
    assert planned.counts() == {"review": 2, "upscale": 2, "split": 2, "export": 1, "verify": 1}


def test_raw_folder_of_a_source_is_fetched_anew_only_if_its_files_changed(finished: Path) -> None:
    """Its making and its removal change nothing; a record that the change brings about is the last."""
    target = (*DEMO, f"{RAW}.json")
    (finished / RAW).mkdir()
    (finished / RAW / "another.png").touch()
    assert plan(finished, *target).counts() == {"fetch_source": 1}
    (finished / RAW / "another.png").unlink()
    (finished / RAW).rmdir()
    assert plan(finished, *target).jobs == ()


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
    assert raise_version(finished, "build_dataset", *arguments).counts() == {"build_dataset": 1}
    (finished / "raw/mine/trainA/2.png").touch()
    assert plan(finished, *arguments).counts() == {"build_dataset": 1}
