"""What is recorded of code, machine and versions, and where it stands."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import torch

from tests.conftest import MakeRun
from ugatit import environment
from ugatit.evaluation.translate import translate
from ugatit.files import read_json, read_json_lines
from ugatit.manifest import Manifest
from ugatit.training.loop import Options, train


def git(folder: Path, *arguments: str) -> str:
    names = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    done = subprocess.run(["git", *names, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit, as the place of the code."""
    (tmp_path / "ugatit").mkdir()
    (tmp_path / "ugatit/environment.py").write_text("x = 1\n")
    (tmp_path / "params.yaml").write_text("a: 1\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "One")
    monkeypatch.setattr(environment, "__file__", str(tmp_path / "ugatit/environment.py"))
    return tmp_path


def test_commit_and_whether_code_differs_from_it(repository: Path) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    assert environment.code_version() == {"commit": commit, "dirty": False}
    (repository / "params.yaml").write_text("a: 2\n")
    assert environment.code_version()["dirty"] is False, "parameters are no code"
    (repository / "ugatit/new.py").write_text("y = 1\n")
    assert environment.code_version()["dirty"] is True


def test_code_without_a_repository_of_its_own_has_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "site-packages/ugatit").mkdir(parents=True)
    monkeypatch.setattr(environment, "__file__", str(tmp_path / "site-packages/ugatit/environment.py"))
    assert environment.code_version() == {"commit": None, "dirty": None}


def test_training_and_translation_record_where_and_with_what(dataset: Manifest, make_run: MakeRun) -> None:
    path, _ = make_run(steps=1, decay_start=1)
    weights = train(path, dataset.path, Options(device="cpu", samples=0))
    (start, *_, end) = read_json_lines(weights.with_name("train.jsonl"))
    (manifest,) = translate(weights, dataset.path, "testA", "a2b", path.parent / "a2b", "cpu")
    made = read_json(manifest.with_name("translation.json"), "", "")
    for record in (start, made):
        assert record["versions"]["torch"] == torch.__version__
        assert record["code"].keys() == {"commit", "dirty"}
        assert record["machine"]["host"]
        assert record["device"] == "cpu"
        assert record["time"].endswith("+00:00")
    assert (end["event"], end["time"] >= start["time"]) == ("finished", True)
    assert made["weights_sha256"] == read_json(weights, "", "")["weights_sha256"]
