"""Putting a release back: what is refused, what is copied, what stands in. DVC and Snakemake answer as they are told;
the real ones are tried by `make test-dvc`."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.conftest import ROOT
from ugatit.errors import UserError
from ugatit.files import sha256_file, write_json
from ugatit.params import Params, load
from ugatit.release import restore as module
from ugatit.release.copies import Copy, Part
from ugatit.release.restore import restore

TABLE, WEIGHTS = "results/tables/kid.csv", "results/cat2dog/ugatit-light/seed0/weights.json"
RAW, ASSET = "raw/cat2dog.json", "assets/inception.pth"
DECLARED = (RAW, ASSET, WEIGHTS, TABLE)


class Programs:
    """Answers of DVC and Snakemake, and what was there when Snakemake touched."""

    def __init__(self) -> None:
        self.status: dict[str, object] = {}
        self.dvc_error = ""
        self.touched: dict[str, str] = {}

    def run(self, command: Sequence[str]) -> CompletedProcess[str]:
        if "dvc" in command:
            return CompletedProcess(
                command, int(bool(self.dvc_error)), json.dumps(self.status), self.dvc_error
            )
        if "--summary" in command:
            lines = ["some greeting", "output_file\tdate\tstatus", *(f"{name}\t-\tok" for name in DECLARED)]
            return CompletedProcess(command, 0, "\n".join(lines), "")
        if "--touch" in command:
            self.touched = {name: Path(name).read_text() for name in DECLARED if Path(name).exists()}
        return CompletedProcess(command, 0, "Nothing to be done", "")


@pytest.fixture(autouse=True)
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """A pulled release in the current folder, and the programs."""
    monkeypatch.chdir(tmp_path)
    put("models", WEIGHTS, "weights")
    put("tables", TABLE, "a table", RAW, "raw record")
    answers = Programs()
    monkeypatch.setattr(module, "_run", answers.run)
    return answers


@pytest.fixture(scope="module")
def plain() -> Params:
    return load(ROOT / "params.yaml")


def put(part: str, *names_and_texts: str) -> None:
    """Write a part of a release with these files."""
    copies = []
    for name, text in zip(names_and_texts[::2], names_and_texts[1::2], strict=True):
        file = Path("release", part, Path(name).name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        copies.append(Copy(path=name, copy_at=file.name, sha256=sha256_file(file), bytes=file.stat().st_size))
    write_json(Path("release", part, "release.json"), Part(part=part, files=copies).model_dump())


def test_files_are_put_back_and_touched_as_they_are(programs: Programs, plain: Params) -> None:
    outcome = restore(plain, Path("release"))
    assert (outcome.parts, outcome.copied, outcome.present, outcome.targets) == (
        ("models", "tables"),
        2,
        0,
        2,
    )
    assert programs.touched == {WEIGHTS: "weights", TABLE: "a table", RAW: "raw record", ASSET: ""}


def test_what_stood_in_is_gone_again(plain: Params) -> None:
    restore(plain, Path("release"))
    assert not Path(RAW).parent.exists()
    assert not Path(ASSET).parent.exists()
    assert Path(TABLE).exists()


def test_what_stood_in_is_gone_even_if_snakemake_fails(
    plain: Params, programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(command: Sequence[str]) -> CompletedProcess[str]:
        done = programs.run(command)
        return CompletedProcess(command, 1, "", "it broke") if "--touch" in command else done

    monkeypatch.setattr(module, "_run", fail)
    with pytest.raises(UserError, match="snakemake --touch failed: it broke"):
        restore(plain, Path("release"))
    assert not Path(RAW).exists()
    assert not Path(ASSET).exists()


def test_my_own_raw_record_and_asset_stay(plain: Params, programs: Programs) -> None:
    for name in (RAW, ASSET):
        Path(name).parent.mkdir()
        Path(name).write_text("mine")
    restore(plain, Path("release"))
    assert programs.touched[RAW] == programs.touched[ASSET] == "mine"
    assert Path(RAW).read_text() == Path(ASSET).read_text() == "mine"


def test_a_second_time_nothing_is_copied(plain: Params) -> None:
    restore(plain, Path("release"))
    again = restore(plain, Path("release"))
    assert (again.copied, again.present) == (0, 2)


def test_parts_that_were_not_pulled_are_no_obstacle(plain: Params, programs: Programs) -> None:
    programs.status = {"tables": [{"changed outs": {"release/figures": "deleted"}}]}
    assert restore(plain, Path("release")).copied == 2


def nothing_pulled(programs: Programs) -> None:
    for part in ("models", "tables"):
        Path("release", part, "release.json").unlink()


def without_dvc(programs: Programs) -> None:
    programs.dvc_error = "python: No module named dvc"


def broken_dvc(programs: Programs) -> None:
    programs.dvc_error = "ERROR: you are not inside of a DVC repository"


def other_parameters(programs: Programs) -> None:
    programs.status = {"tables": [{"changed deps": {"params.yaml": {"training.steps": "modified"}}}]}


def other_code(programs: Programs) -> None:
    programs.status = {"models": [{"changed deps": {"ugatit": "modified"}}, "always changed"]}


def damaged(programs: Programs) -> None:
    Path("release/models/weights.json").write_text("damaged")


def in_the_way(programs: Programs) -> None:
    Path(TABLE).parent.mkdir(parents=True)
    Path(TABLE).write_text("mine")


def stranger(programs: Programs) -> None:
    Path("release/models/release.json").unlink()
    Path(WEIGHTS).parent.mkdir(parents=True)
    Path(WEIGHTS).write_text("of another training")


def elsewhere(programs: Programs) -> None:
    put("figures", "ugatit/run.py", "code")


REFUSALS: dict[str, tuple[Callable[[Programs], None], str]] = {
    "nothing pulled": (nothing_pulled, "no part of a release. Get it with `dvc pull`"),
    "no dvc": (without_dvc, "DVC is not installed.*make dvc"),
    "broken dvc": (broken_dvc, "`dvc status` failed: ERROR: you are not inside"),
    "parameters": (other_parameters, "not clean: tables: params.yaml .changed."),
    "code": (other_code, "not clean: models: ugatit .modified.; models: always changed"),
    "damaged": (damaged, "weights.json: is not the file that"),
    "in the way": (in_the_way, "kid.csv: is in the way"),
    "stranger": (stranger, "weights.json: there, but not in what was pulled"),
    "elsewhere": (elsewhere, "run.py: a release is for results and data"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refused_before_anything_is_written(programs: Programs, plain: Params, name: str) -> None:
    change, words = REFUSALS[name]
    change(programs)
    before = {file: file.read_bytes() for file in Path().rglob("*") if file.is_file()}
    with pytest.raises(UserError, match=words):
        restore(plain, Path("release"))
    assert {file: file.read_bytes() for file in Path().rglob("*") if file.is_file()} == before
    assert programs.touched == {}


def test_plan_that_is_left_is_told(
    plain: Params, programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def plan_something(command: Sequence[str]) -> CompletedProcess[str]:
        done = programs.run(command)
        return CompletedProcess(command, 0, "rule train", "") if "--dry-run" in command else done

    monkeypatch.setattr(module, "_run", plan_something)
    with pytest.raises(UserError, match="still plans something"):
        restore(plain, Path("release"))
