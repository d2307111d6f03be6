"""Dry runs list exactly the expected jobs."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.workflow.planning import ROOT, copy_workflow, plan, snakemake
from ugatit.params import load
from ugatit.run import resolve

DATASETS = ["selfie2anime", "horse2zebra", "cat2dog", "photo2portrait", "photo2vangogh"]

WITHOUT_RUNS = [
    "preference",
    "architecture-generator",
    "architecture-local-discriminator",
    "architecture-global-discriminator",
]
"""Tables that need nothing but parameters."""

SMALL_NETWORK = {"label": "Small", "method": "ugatit", "parameters": {"network": {"light": True}}}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_workflow(tmp_path_factory.mktemp("repository"))


def of_runs(runs: int, datasets: int) -> dict[str, int]:
    """Jobs that so many runs of so many datasets need, up to their metrics."""
    per_run = {"resolve_run": 1, "train": 1, "translate": 2, "extract_features": 2, "evaluate": 1}
    per_dataset = {
        "fetch_source": 1,
        "build_dataset": 1,
        "extract_real_features": 4,
        "evaluate_source": 1,
        "evaluate_real": 1,
    }
    return {rule: n * runs for rule, n in per_run.items()} | {
        rule: n * datasets for rule, n in per_dataset.items()
    }


CONSTRUCTION = {
    **dict.fromkeys(
        ("index", "decode", "select", "detect", "crop", "quality", "dedupe", "review", "upscale", "split"), 2
    ),
    "export": 1,
    "verify": 1,
}
"""Jobs of a dataset that is made from raw pictures, beside fetching them: both sides, then one dataset."""


def test_table_of_the_paper_plans_every_dataset_and_model(repository: Path) -> None:
    planned = plan(repository, "results/tables/kid.csv")
    assert planned.code == 0, planned.text
    models = load(ROOT / "params.yaml").tables["kid"].models
    runs = {
        f"dataset={dataset}, model={model}, seed=0"
        for dataset in DATASETS
        for model in models
        if model != "cartoongan" or dataset == "selfie2anime"
    }
    assert planned.of("train") == runs
    expected = of_runs(len(runs), datasets=5)
    for rule in ("translate", "extract_features"):
        expected[rule] -= 1  # CartoonGAN has one direction
    extractor_and_vgg = 2
    assert planned.counts() == expected | {
        "fetch_asset": extractor_and_vgg, "collect_metrics": 1, "make_table": 1
    }  # fmt: skip


def test_longer_trainings_come_first_and_what_follows_one_before_the_next(repository: Path) -> None:
    planned = plan(repository, "results/tables/kid.csv", "--config", "only_dataset=cat2dog")
    trainings = [job for job in planned.jobs if job.rule == "train"]
    params = load(ROOT / "params.yaml")
    steps = {m: resolve(params, "cat2dog", m, 0).training.steps for m in params.tables["kid"].models}
    by_priority = sorted(trainings, key=lambda job: -job.priority)
    lengths = [steps[job.wildcards.split(", ")[1].removeprefix("model=")] for job in by_priority]
    assert lengths == sorted(lengths, reverse=True)
    assert len(set(lengths)) > 1
    others = {
        job.priority for job in planned.jobs if job.rule in ("translate", "extract_features", "evaluate")
    }
    assert max(job.priority for job in trainings) < min(others)
    assert {job.priority for job in planned.jobs if job.rule == "extract_real_features"} == others


@pytest.mark.parametrize("table", WITHOUT_RUNS)
def test_tables_of_layers_and_votes_need_nothing(repository: Path, table: str) -> None:
    planned = plan(repository, f"results/tables/{table}.tex")
    assert planned.counts() == {"make_table": 1}, planned.text


def test_restricted_to_one_run(repository: Path) -> None:
    planned = plan(repository, "--config", "only_dataset=cat2dog", "only_model=ugatit-light")
    last = {"fetch_asset": 1, "collect_metrics": 2, "make_table": 2, "draw_sheet": 2, "score": 2, "all": 1}
    last |= {"draw_figure": 3, "attend": 2, "make_report": 1}
    assert planned.counts() == of_runs(runs=1, datasets=1) | last
    assert planned.of("draw_figure") == {"figure=curves", "figure=kid", "figure=kid-equal"}
    assert planned.of("train") == {"dataset=cat2dog, model=ugatit-light, seed=0"}
    assert planned.of("make_table") == {"table=kid", "table=kid-equal"}


def test_one_direction_and_a_file_of_weights(repository: Path) -> None:
    planned = plan(repository, "results/selfie2anime/cartoongan/seed0/metrics.json", "--printshellcmds")
    assert planned.code == 0, planned.text
    assert planned.of("translate") == {"dataset=selfie2anime, model=cartoongan, seed=0, direction=a2b"}
    assert "assets/vgg19-dcbb9e9d.pth" in {output for job in planned.jobs for output in job.outputs}
    (evaluation,) = [line for line in planned.text.splitlines() if "ugatit evaluate" in line]
    assert "--a2b results/selfie2anime/cartoongan/seed0/features/a2b.json" in evaluation
    assert "--b2a" not in evaluation


def test_a_figure_needs_only_what_it_shows_and_the_tables_plan(repository: Path) -> None:
    planned = plan(repository, "results/figures/figure2.pdf")
    per_run = {"resolve_run": 1, "train": 1, "translate": 1}
    expected = {rule: 2 * n for rule, n in per_run.items()} | {"fetch_source": 1, "build_dataset": 1}
    assert planned.counts() == expected | {"attend": 1, "draw_figure": 1}
    unplanned = plan(repository, "results/figures/figure2.pdf", "--config", "only_dataset=cat2dog")
    assert unplanned.counts() == {"draw_figure": 1}


def test_every_figure_of_the_paper_is_planned(repository: Path) -> None:
    planned = plan(repository, "figures")
    directions = ("selfie2anime", "anime2selfie", "horse2zebra", "zebra2horse", "cat2dog", "dog2cat")
    appendix = [f"appendix-{name}" for name in (*directions, "photo2vangogh", "photo2portrait")]
    names = ["figure2", "figure3", "figure4", *appendix, "rho", "curves", "kid", "kid-equal", "ablation"]
    assert planned.of("draw_figure") == {f"figure={name}" for name in names}


def test_metrics_of_one_run_need_only_the_test_pictures(repository: Path) -> None:
    planned = plan(repository, "results/cat2dog/ugatit-gn/seed7/metrics.json")
    expected = of_runs(runs=1, datasets=1) | {"extract_real_features": 2, "fetch_asset": 1}
    del expected["evaluate_source"], expected["evaluate_real"]
    assert planned.counts() == expected
    assert planned.of("extract_real_features") == {
        "dataset=cat2dog, split=testA",
        "dataset=cat2dog, split=testB",
    }


def test_scores_of_one_run_need_one_direction_and_its_target(repository: Path) -> None:
    planned = plan(repository, "results/cat2dog/ugatit-gn/seed7/scores/b2a.csv")
    assert planned.code == 0, planned.text
    per_run = {"resolve_run": 1, "train": 1, "translate": 1, "extract_features": 1, "score": 1}
    per_dataset = {"fetch_source": 1, "fetch_asset": 1, "build_dataset": 1, "extract_real_features": 1}
    assert planned.counts() == per_run | per_dataset
    assert planned.of("extract_real_features") == {"dataset=cat2dog, split=testA"}


def test_selfie2anime_from_raw_pictures(repository: Path) -> None:
    planned = plan(repository, "data/selfie2anime-rebuilt/manifest.csv")
    assert planned.code == 0, planned.text
    assert planned.counts() == CONSTRUCTION | {"fetch_source": 2, "fetch_asset": 1}
    assert planned.of("fetch_source") == {"source=anime-planet", "source=ucf-selfie"}


@pytest.mark.parametrize(
    "file", ["stages/a/index.csv", "stages/b/split.csv", "stages/export.csv", "report/funnel.md"]
)
def test_a_dataset_that_is_not_constructed_has_no_stages(repository: Path, file: str) -> None:
    planned = plan(repository, f"data/cat2dog/{file}")
    assert planned.code == 1
    assert "MissingRuleException" in planned.text
    assert "AttributeError" not in planned.text


def test_demo(repository: Path) -> None:
    planned = plan(repository, "--profile", "profiles/demo")
    tables = 2 + len(set(WITHOUT_RUNS) - {"preference"})  # the votes are of the paper's datasets
    last = {"report_construction": 1, "collect_metrics": 2, "make_table": tables, "draw_sheet": 2}
    last |= {"attend": 4, "draw_figure": 10, "make_report": 1, "all": 1}
    # One of the five models translates one way only.
    last |= dict.fromkeys(("translate", "extract_features", "score"), 9)
    expected = of_runs(runs=5, datasets=1) | CONSTRUCTION | last
    del expected["build_dataset"]
    assert planned.counts() == expected
    outputs = {output for job in planned.jobs for output in job.outputs}
    assert {
        "results/demo/tables/kid.csv",
        "results/demo/tables/kid.md",
        "results/demo/tables/ablation.csv",
    } <= outputs
    assert all(
        output.startswith(("results/demo/", "data/demo/", "raw/drawn-portraits")) for output in outputs
    )


def test_five_datasets_fifteen_models_three_seeds(repository: Path) -> None:
    models = {f"small-{i}": SMALL_NETWORK for i in range(15)}
    names = set(load(ROOT / "params.yaml").tables).difference(WITHOUT_RUNS)
    tables = {name: {"datasets": DATASETS, "models": list(models)} for name in names}
    overlay = {"seeds": [0, 1, 2], "models": models, "tables": tables, "sheet": {"models": list(models)}}
    (repository / "large.yaml").write_text(yaml.safe_dump(overlay))
    planned = plan(repository, "tables", "--configfile", "large.yaml")
    every = len(names) + len(WITHOUT_RUNS)
    last = {"fetch_asset": 1, "collect_metrics": len(names), "make_table": every, "tables": 1}
    assert planned.counts() == of_runs(runs=225, datasets=5) | last


def test_translations_made_elsewhere_are_not_trained(repository: Path) -> None:
    pictures = repository / "their pictures"
    pictures.mkdir()
    (pictures / "1.png").touch()
    published = {
        "label": "Published",
        "external": {
            "folders": {"cat2dog": {"a2b": {"path": "their pictures", "absent": ["a cat.jpg"]}}},
            "match": "number",
        },
    }
    overlay = {"models": {"published": published}, "tables": {"kid": {"models": ["published"]}}}
    (repository / "published.yaml").write_text(yaml.safe_dump(overlay))
    planned = plan(repository, "results/tables/kid.csv", "--printshellcmds", "--configfile", "published.yaml")
    assert planned.code == 0, planned.text
    assert planned.counts() == {
        "fetch_source": 1,
        "fetch_asset": 1,
        "build_dataset": 1,
        "extract_real_features": 4,
        "evaluate_source": 1,
        "evaluate_real": 1,
        "import_translations": 1,
        "extract_external_features": 1,
        "evaluate_external": 1,
        "collect_metrics": 1,
        "make_table": 1,
    }
    (evaluation,) = [
        line for line in planned.text.splitlines() if "ugatit evaluate" in line and "published" in line
    ]
    assert "--a2b results/cat2dog/published/features/a2b.json" in evaluation
    assert "--b2a" not in evaluation
    assert "--seed" not in evaluation
    assert "ugatit import-translations 'their pictures'" in planned.text
    assert "--absent 'a cat.jpg'" in planned.text
    scored = plan(repository, "results/cat2dog/published/scores/a2b.csv", "--configfile", "published.yaml")
    assert scored.of("score_external") == {"dataset=cat2dog, external=published, direction=a2b"}
    assert scored.of("extract_real_features") == {"dataset=cat2dog, split=testB"}


@pytest.mark.parametrize(
    ("overlay", "message"),
    [
        ({"trainng": {}}, "error: params.yaml + mine.yaml: trainng: unknown key; did you mean 'training'?"),
        ({"training": {"image_px": 32}}, "error: training.image_px: found 32, expected a multiple of 4"),
    ],
    ids=["while-parsing", "while-planning"],
)
def test_mistake_is_one_line_and_exit_code_2(
    repository: Path, overlay: dict[str, object], message: str
) -> None:
    (repository / "mine.yaml").write_text(yaml.safe_dump(overlay))
    planned = plan(repository, "--configfile", "mine.yaml")
    assert planned.code == 2
    assert [line.startswith(message) for line in planned.text.splitlines() if "rror" in line] == [True]
    assert "Traceback" not in planned.text


def test_restriction_that_leaves_nothing_is_said(repository: Path) -> None:
    planned = plan(repository, "results/tables/ablation.csv", "--config", "only_dataset=cat2dog")
    assert planned.code == 2
    assert "error: table 'ablation': only_dataset and only_model leave nothing" in planned.text


def test_lint_finds_only_that_no_rule_has_an_environment_of_its_own(repository: Path) -> None:
    """One environment serves all rules; `make` and the lock files set it up."""
    found = snakemake(repository, "--lint")
    titles = {line.strip() for line in found.text.splitlines() if line.startswith("    * ")}
    assert titles == {"* Specify a conda environment or container for each rule.:"}
