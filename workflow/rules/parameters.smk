# What the rules know: the checked parameters, and functions of them. No rules.
# A value of `params:` that is computed from `input` or `output` triggers no rerun; one of the parameters does.

import json
import os
import sys
from pathlib import Path

from data_prep.sources import fingerprint
from ugatit import plan
from ugatit.errors import USER_ERROR_EXIT, UserError
from ugatit.params import DIRECTIONS
from ugatit.params import parse as parse_params  # `parse` is a name of Snakemake's
from ugatit.reporting.tables import table_settings
from ugatit.run import resolve


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


def external_folder(wildcards):
    """The folder of translations that a user named, and what it lacks."""
    return PARAMS.models[wildcards.external].external.folders[wildcards.dataset][wildcards.direction]


def external_features(wildcards, direction):
    """The features of a direction of translations made elsewhere, if there are any."""
    given = direction in plan.directions(PARAMS, wildcards.dataset, wildcards.external)
    return [f"<results>/{wildcards.dataset}/{wildcards.external}/features/{direction}.json"] if given else []


def sheet_labels(wildcards):
    """Labels of a sheet's columns."""
    return [label for label, _ in plan.sheet_columns(PARAMS, wildcards.dataset, wildcards.direction)]


def sheet_options(wildcards, input):
    """Label and manifest of each column of a sheet."""
    pairs = zip(sheet_labels(wildcards), input.translations, strict=True)
    return [option for label, path in pairs for option in ("--translations", f"{label}={path}")]


ORIGIN = ["params.yaml", *map(os.path.relpath, workflow.overwrite_configfiles)]
if workflow.config_settings.config:
    ORIGIN.append("--config")
PARAMS = checked(parse_params, config, " + ".join(ORIGIN))

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

# The commands of the interpreter that runs Snakemake, also where its environment is not activated.
os.environ.update(PATH=os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()]))
