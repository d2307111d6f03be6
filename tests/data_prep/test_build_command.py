from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import yaml

from data_prep.cli import main
from ugatit.manifest import read_manifest

PARAMS = Path(__file__).resolve().parents[2] / "params.yaml"


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """Run the command as a shell would; returns its exit code."""
    monkeypatch.setattr(sys, "argv", ["data-prep", *map(str, arguments)])
    with pytest.raises(SystemExit) as exit_info:
        main()
    assert isinstance(exit_info.value.code, int)
    return exit_info.value.code


def folder_source(raw: Path, **options: object) -> str:
    return json.dumps({"kind": "folder", "path": str(raw), **options})


def overlay(tmp_path: Path, raw: Path) -> Path:
    """A parameter file of one's own that adds a dataset."""
    entry = {
        "domains": ["one", "two"],
        "source": {"kind": "folder", "path": str(raw)},
        "pictures": {"testA": 5},
    }
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({"paths": {"data": str(tmp_path / "built")}, "datasets": {"mine": entry}}))
    return path


def test_a_dataset_of_the_parameter_file_is_built_where_it_belongs(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    mine = overlay(tmp_path, raw)
    assert run(monkeypatch, "build", "mine", "--params", PARAMS, "--overlay", mine) == 0
    assert len(read_manifest(tmp_path / "built" / "mine" / "manifest.csv").rows) == 8
    assert "trainA: kept 2" in capfd.readouterr().out


def test_a_dataset_can_be_built_elsewhere(raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, output = overlay(tmp_path, raw), tmp_path / "elsewhere"
    assert run(monkeypatch, "build", "mine", "--params", PARAMS, "--overlay", mine, "--output", output) == 0
    assert (output / "manifest.csv").exists()
    assert not (tmp_path / "built").exists()


def test_a_source_can_be_given_as_json(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    source, pictures = folder_source(raw, swap=True), json.dumps({"trainA": 3})
    arguments = [
        "build",
        "--source",
        source,
        "--pictures",
        pictures,
        "--output",
        tmp_path / "data",
        "--threads",
        1,
    ]
    assert run(monkeypatch, *arguments) == 0
    assert read_manifest(tmp_path / "data" / "manifest.csv").rows[0].source == "trainB/one.png"
    assert "other counts of pictures than expected" in caplog.text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["horse2zebr"], "error: unknown dataset 'horse2zebr'"),
        (["--source", "{", "--output", "x"], "error: --source: '{' is not valid JSON"),
        (["--source", '{"kind": "folder"}', "--output", "x"], "path: missing"),
        (["--source", '{"kind": "folder", "path": "a", "pth": 1}', "--output", "x"], "pth: unknown key"),
        (["--source", '{"kind": "web"}', "--output", "x"], "error: options: source: "),
        (
            ["--source", '{"kind": "folder", "path": "nowhere"}', "--output", "x"],
            "error: nowhere: no such folder",
        ),
        (["horse2zebra", "--params", "none.yaml"], "error: none.yaml: "),
    ],
)
def test_a_users_mistake_is_one_line(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_bytes(PARAMS.read_bytes())
    assert run(monkeypatch, "build", *arguments) == 2
    shown = capfd.readouterr().err
    assert message in shown
    assert shown.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([], "DATASET"),
        (["--nonsense"], "--nonsense"),
        (["cat2dog", "--source", "{}"], "--source"),
        (["cat2dog", "--pictures", "{}"], "--pictures"),
        (["--source", '{"kind": "folder", "path": "a"}'], "--output"),
        (["--threads", "0"], "--threads"),
    ],
)
def test_wrong_usage_is_shown_and_refused(
    arguments: list[str], word: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "build", *arguments) == 2
    assert word in capfd.readouterr().err


def test_help_names_every_option(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "build", "--help") == 0
    shown = capfd.readouterr().out
    for option in ("--params", "--overlay", "--source", "--pictures", "--output", "--threads"):
        assert option in shown
