# What the rules know: the checked parameters, and functions of them. No rules.
# A value of `params:` that is computed from `input` or `output` triggers no rerun; one of the parameters does.

import json
import math
import os
import re
import sys
from functools import cache
from glob import glob
from pathlib import Path

from data_prep.obtain import folder_state
from data_prep.side_tables import table_state
from data_prep.sources import fingerprint
from data_prep.stages.order import STAGE_VERSIONS
from ugatit import plan
from ugatit.construction import Cascade
from ugatit.datasets import DIRECTIONS
from ugatit.errors import USER_ERROR_EXIT, UserError
from ugatit.files import sha256_file
from ugatit.params import parse as parse_params  # `parse` is a name of Snakemake's
from ugatit.reporting.figure import figure_found, figure_inputs, figure_settings, planned_figures
from ugatit.reporting.report.settings import report_settings
from ugatit.reporting.tables import table_settings
from ugatit.run import resolve
from ugatit.sources import ConstructedSource, FolderSource


def checked(function, *args):
    """Call a function; a user's mistake becomes one line and exit code 2, as in the commands."""
    try:
        return function(*args)
    except UserError as error:
        sys.stderr.write(f"error: {' '.join(str(error).split())}\n")
        raise SystemExit(USER_ERROR_EXIT) from None


def one_of(names):
    """A wildcard constraint; without names nothing matches."""
    return "|".join(names) or "(?!)"


def source_split(direction):
    """The test pictures that a direction starts from."""
    return {"a2b": "testA", "b2a": "testB"}[direction]


def dataset_state(dataset):
    """What lies in the folder of a dataset that is one; others are known by their inputs."""
    source = PARAMS.datasets[dataset].source
    record = Path(PARAMS.paths.data, dataset, "source.json")
    return checked(fingerprint, source, record) if isinstance(source, FolderSource) else ""


def raw_side(wildcards):
    """Where the raw pictures of a side of a constructed dataset are."""
    return getattr(PARAMS.datasets[wildcards.dataset].source, wildcards.side)


def raw_sides(wildcards):
    """Both sides' raw pictures."""
    source = PARAMS.datasets[wildcards.dataset].source
    return [source.a, source.b]


def stages_of(wildcards):
    """The settings of a side's stages."""
    return getattr(checked(PARAMS.construction_of, wildcards.dataset), wildcards.side)


def settings_of(stage):
    """A rule's parameter: the settings of one stage, as JSON."""
    return lambda w: getattr(stages_of(w), stage).model_dump_json()


def wanted(wildcards, part):
    """How many pictures of a side a split shall have."""
    return PARAMS.datasets[wildcards.dataset].pictures[part + wildcards.side.upper()]


def table_read_by(stage):
    """A rule's parameter: the hash of the table that a stage reads beside raw pictures."""
    raw, data = Path(PARAMS.paths.raw), Path(PARAMS.paths.data)
    return lambda w: checked(table_state, stage, raw_side(w), raw, data / w.dataset / "stages" / w.side)


def decisions_state(wildcards):
    """The hash of the review's decisions: a changed file is noticed, a missing one is allowed."""
    file = Path(PARAMS.datasets[wildcards.dataset].source.decisions)
    return sha256_file(file) if file.exists() else "none"


def auto_option(wildcards):
    """The option that leaves out what nobody decided."""
    return ["--auto"] if PARAMS.datasets[wildcards.dataset].source.auto else []


def insisted_counts(wildcards):
    """The counts that a constructed dataset must have; none where fewer are allowed."""
    stages = checked(PARAMS.construction_of, wildcards.dataset)
    fewer = stages.a.split.allow_fewer or stages.b.split.allow_fewer
    return json.dumps({} if fewer else PARAMS.datasets[wildcards.dataset].pictures, sort_keys=True)


def cascade_of(wildcards):
    """The file that the detector of a side needs, if it needs one."""
    detector = stages_of(wildcards).detect.detector
    return [detector.cascade] if isinstance(detector, Cascade) else []


@cache
def resolved_run(dataset, model, seed):
    """The run of a dataset, a model and a seed."""
    return checked(resolve, PARAMS, dataset, model, int(seed))


def train_priority(wildcards):
    """Longer trainings first, lest the last one run alone; below 1, the priority of what follows a training."""
    run = resolved_run(wildcards.dataset, wildcards.model, wildcards.seed)
    return round(math.log10(run.training.steps) / 10, 6)


def external_folder(wildcards):
    """The folder of translations that a user named, and what it lacks."""
    return PARAMS.models[wildcards.external].external.folders[wildcards.dataset][wildcards.direction]


def own_features(wildcards, direction):
    """The features of a direction of a trained model, if it translates that way."""
    offered = direction in checked(plan.directions, PARAMS, wildcards.dataset, wildcards.model)
    run = f"<results>/{wildcards.dataset}/{wildcards.model}/seed{wildcards.seed}"
    return [f"{run}/features/{direction}.json"] if offered else []


def external_features(wildcards, direction):
    """The features of a direction of translations made elsewhere, if there are any."""
    given = direction in plan.directions(PARAMS, wildcards.dataset, wildcards.external)
    return [f"<results>/{wildcards.dataset}/{wildcards.external}/features/{direction}.json"] if given else []


def target_features(wildcards):
    """The features of a direction's real test pictures, which translations shall resemble."""
    split = {"a2b": "testB", "b2a": "testA"}[wildcards.direction]
    return f"<results>/{wildcards.dataset}/real/features/{split}.json"


def table_metrics(wildcards):
    """The collected metrics, for a table that shows metrics."""
    return [f"<results>/metrics/{wildcards.table}.csv"] if wildcards.table in PARAMS.metrics_tables() else []


def sheet_labels(wildcards):
    """Labels of a sheet's columns."""
    return [label for label, _ in plan.sheet_columns(PARAMS, wildcards.dataset, wildcards.direction)]


def sheet_options(wildcards, input):
    """Label and manifest of each column of a sheet."""
    pairs = zip(sheet_labels(wildcards), input.translations, strict=True)
    return [option for label, path in pairs for option in ("--translations", f"{label}={path}")]


OVERLAYS = [os.path.relpath(path) for path in workflow.overwrite_configfiles]
ORIGIN = ["params.yaml", *OVERLAYS]
if workflow.config_settings.config:
    ORIGIN.append("--config")
PARAMS = checked(parse_params, config, " + ".join(ORIGIN))

CONSTRUCTED = [name for name, d in PARAMS.datasets.items() if isinstance(d.source, ConstructedSource)]
ASSETS = {asset.file: name for name, asset in PARAMS.assets.items()}

EXTRACTOR_OPTIONS = [
    option
    for name, value in PARAMS.evaluation.extractor
    if value is not None
    for option in ({"name": "--extractor"}.get(name, f"--{name}"), value)
]
PROTOCOL_OPTIONS = [
    f"--{name.replace('_', '-')}={getattr(PARAMS.evaluation, name)}"
    for name in ("kid_subsets", "kid_subset_size", "kid_seed", "paper_block_size")
]
FAITHFULNESS_OPTIONS = [f"--{name.replace('_', '-')}={value}" for name, value in PARAMS.attention]
PAPER_VALUES_CODE = ["ugatit/reporting/paper_values.py", *sorted(glob("ugatit/reporting/paper/*.csv"))]
FIGURE_CODE = [
    *(
        f"ugatit/reporting/{name}.py"
        for name in (
            "figure",
            "canvas",
            "lettering",
            "picture_grid",
            "choice",
            "sheet",
            "tiles",
            "cells",
            "collect",
        )
    ),
    *PAPER_VALUES_CODE,
    "ugatit/evaluation/attention.py",
    "ugatit/evaluation/heat_map.py",
    "ugatit/images.py",
]

# The commands of the interpreter that runs Snakemake, also where its environment is not activated.
os.environ.update(PATH=os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()]))
