"""A git and DVC repository with small numbers and drawn pictures: every command takes seconds."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import yaml
from PIL import Image, ImageDraw

from tests.conftest import TINY
from ugatit.manifest import SPLITS
from ugatit.params import load, merge

ROOT = Path(__file__).parents[2]

PARTS = (
    "Snakefile", "dvc.yaml", ".dvc/config", ".dvc/.gitignore", ".dvcignore", ".gitignore", "release/.gitignore",
    "decisions", "workflow", "profiles", "ugatit", "data_prep",
)  # fmt: skip

SMALL = {
    "training": {"image_px": 16, "load_px": 18, "steps": 4, "decay_start": 2},
    "evaluation": {
        "extractor": {"name": "efficientnet-lite0", "weights": None, "sha256": "57934424"},
        "kid_subsets": 5,
        "kid_subset_size": 4,
        "paper_block_size": 4,
    },
    "sources": {"cat2dog": {"path": "raw/drawn", "file": None, "mirrors": []}},
    "datasets": {"cat2dog": {"domains": ["disc", "box"], "pictures": {}}},
    "sheet": {"pictures": 2, "models": ["ugatit-light"]},
}
"""Beside the tiny networks: few steps and pictures, and an extractor that needs no download."""

COUNTS = {"trainA": 6, "trainB": 6, "testA": 5, "testB": 5}


def small_repository(folder: Path) -> Path:
    """Make a repository with the code, small parameters, drawn raw pictures and one commit."""
    for part in PARTS:
        source = ROOT / part
        (folder / part).parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / part)
    config = merge(merge(load(ROOT / "params.yaml").model_dump(exclude_unset=True), TINY), SMALL)
    config["datasets"] = {"cat2dog": config["datasets"]["cat2dog"]}
    config["sources"] = {"cat2dog": config["sources"]["cat2dog"]}
    config["models"] = {name: config["models"][name] for name in ("ugatit-light", "ugatit-no-cam")}
    config["tables"] = {"kid": config["tables"]["kid"] | {"paper": None, "datasets": ["cat2dog"]}}
    config["tables"]["kid"]["models"] = ["ugatit-light"]
    config["figures"] = {"kid": config["figures"]["kid"]}
    (folder / "params.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    draw_pictures(folder / "raw/drawn")
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "config", "user.name", "test")
    git(folder, "config", "user.email", "test@example.org")
    commit(folder, "Begin")
    return folder


def draw_pictures(folder: Path) -> None:
    """Discs for side A, boxes for side B, each of its own colour and size."""
    random = np.random.default_rng(0)
    for split in SPLITS:
        (folder / split).mkdir(parents=True)
        for k in range(COUNTS[split]):
            picture = Image.new("RGB", (24, 24), tuple(random.integers(0, 256, 3).tolist()))
            draw = ImageDraw.Draw(picture)
            shape = draw.ellipse if split.endswith("A") else draw.rectangle
            edge = int(random.integers(2, 8))
            shape((edge, edge, 23 - edge, 23 - edge), fill=tuple(random.integers(0, 256, 3).tolist()))
            picture.save(folder / split / f"{k:02d}.png")


def run(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    """Run a command line in the repository, with the programs of this environment."""
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONPATH": str(folder),
        "OMP_NUM_THREADS": "1",
        "COLUMNS": "100",
        "NO_COLOR": "1",
    }
    return subprocess.run(
        ["bash", "-eu", "-c", command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def git(folder: Path, *arguments: str) -> str:
    """Run git in the repository."""
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def commit(folder: Path, message: str) -> None:
    """Commit everything that git does not ignore."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)
