"""The container recipes name files that exist and install the lock files; building them needs an image registry."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.conftest import ROOT

DOCKERFILE = (ROOT / "containers/Dockerfile").read_text()
DEFINITION = (ROOT / "containers/ugatit.def").read_text()

INSTALLED = re.compile(r"--require-hashes -r (requirements/\w+\.txt)")


def test_both_recipes_install_the_same_locked_packages_on_the_same_python() -> None:
    assert INSTALLED.findall(DOCKERFILE) == ["requirements/bootstrap.txt", "requirements/main.txt"]
    assert INSTALLED.findall(DEFINITION) == INSTALLED.findall(DOCKERFILE)
    assert re.findall(r"(?:FROM|From:) (\S+)", DOCKERFILE + DEFINITION) == ["python:3.11-slim"] * 2


def test_what_is_copied_is_there() -> None:
    sources = [
        line.split()[0] for line in re.findall(r"^    (\w\S+ /opt/ugatit/\S+)$", DEFINITION, re.MULTILINE)
    ]
    copied = [
        source for line in re.findall(r"^COPY (.+) \S+$", DOCKERFILE, re.MULTILINE) for source in line.split()
    ]
    assert "ugatit" in sources and "." in copied
    assert [source for source in [*sources, *copied] if not (ROOT / source).exists()] == []


def test_builds_copy_no_pictures_results_or_environment() -> None:
    ignored = (ROOT / "containers/Dockerfile.dockerignore").read_text().split()
    files = ("git", "ls-files", ".gitignore", "*/.gitignore")
    committed = subprocess.run(files, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    generated = {
        (Path(file).parent / line.strip("/")).as_posix()
        for file in committed
        for line in (ROOT / file).read_text().split()
        if line.startswith("/") and "*" not in line
    }
    assert {"results", ".dvc/cache", "release/models"} <= generated
    assert generated <= set(ignored)
