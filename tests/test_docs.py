"""The commands of README.md and docs run as they stand, on tiny pictures with tiny networks."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from tests.conftest import ROOT, TINY
from tests.workflow.planning import copy_workflow, snakemake
from ugatit.manifest import SPLITS
from ugatit.params import Params, load, merge, parse

DOCUMENTS = ["README.md", *(f"docs/{file.name}" for file in sorted((ROOT / "docs").glob("*.md")))]
RUNS = [f"docs/runs/{file.name}" for file in sorted((ROOT / "docs/runs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#]+?)(?:#[^)]*)?\)")

SMALL = {
    "training": {"load_px": 46, "steps": 2, "decay_start": 1},
    "evaluation": {
        "extractor": {"name": "efficientnet-lite0", "weights": None, "sha256": "57934424"},
        "kid_subset_size": 3,
        "paper_block_size": 3,
    },
}
"""Beside the tiny networks: a size that fits them, an extractor that needs no download."""

PICTURES = 50
"""Pictures per split: what a KID subset takes by default."""


def blocks(document: str, language: str) -> list[str]:
    """The fenced blocks of a document in one language."""
    return [text for name, text in BLOCK.findall((ROOT / document).read_text()) if name == language]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory, params: Params) -> Path:
    """A copy of the repository with small numbers and a folder of noise as cat2dog."""
    folder = tmp_path_factory.mktemp("repository")
    for part in ("Snakefile", "workflow", "profiles", "slurm", "ugatit", "data_prep"):
        source = ROOT / part
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, folder / part, ignore=ignore) if source.is_dir() else shutil.copy(
            source, folder
        )
    config = merge(merge(params.model_dump(exclude_unset=True), TINY), SMALL)
    models = ["ugatit", "ugatit-light"]
    config["models"] = {name: config["models"][name] for name in models}
    config["tables"] = {"kid": {**config["tables"]["kid"], "models": models}}
    config["figures"] = {"figure4": {**config["figures"]["figure4"], "models": models}}
    config["sheet"]["models"] = models
    config["training"]["image_px"] = 16
    (folder / "params.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    rng = np.random.default_rng(0)
    for split in SPLITS:
        (folder / "raw/cat2dog" / split).mkdir(parents=True)
        for k in range(PICTURES):
            pixels = rng.integers(0, 256, (20, 20, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "raw/cat2dog" / split / f"{k:02d}.png")
    return folder


@pytest.mark.parametrize("document", DOCUMENTS)
def test_commands_run(repository: Path, document: str) -> None:
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "OMP_NUM_THREADS": "1",
    }
    for text in blocks(document, "bash"):
        for command in text.splitlines():
            if command.startswith(". "):
                continue
            done = subprocess.run(
                ["bash", "-euc", command],
                cwd=repository,
                env=environment,
                capture_output=True,
                text=True,
                timeout=300,
            )
            assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("document", RUNS)
def test_commands_of_documented_runs_are_planned(tmp_path: Path, document: str) -> None:
    folder = copy_workflow(tmp_path)
    shutil.copytree(ROOT / "docs/runs", folder / "docs/runs")
    commands = [line for text in blocks(document, "bash") for line in text.splitlines()]
    assert commands
    for command in commands:
        program, *arguments = shlex.split(command)
        assert program == "snakemake"
        assert snakemake(folder, "--dry-run", *arguments).code == 0, command


@pytest.mark.parametrize("document", DOCUMENTS)
def test_parameter_examples_are_accepted(params: Params, document: str) -> None:
    config = load(ROOT / "params.yaml").model_dump(exclude_unset=True)
    for text in blocks(document, "yaml"):
        config = merge(config, yaml.safe_load(text))
        parse(config, document)


@pytest.mark.parametrize("document", [*DOCUMENTS, *RUNS])
def test_links_lead_somewhere(document: str) -> None:
    file = ROOT / document
    for target in LINK.findall(file.read_text()):
        assert target.startswith("https://") or (file.parent / target).exists(), target
