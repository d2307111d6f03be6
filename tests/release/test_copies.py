"""Copies of results below release/: what belongs to a part, what is copied again, what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import ROOT
from ugatit.errors import UserError
from ugatit.files import read_json, sha256_file, write_json
from ugatit.params import Params, load, merge, parse
from ugatit.release.copies import MANIFEST, read_part, release, require_whole
from ugatit.release.parts import PARTS, part_files

RUN = Path("results/cat2dog/ugatit-light/seed0")

PLANNED = (
    "raw/cat2dog.json",
    "data/cat2dog/manifest.csv",
    "data/cat2dog/testA/0.png",
    *(
        f"{RUN}/{name}"
        for name in ("run.json", "weights.json", "weights.safetensors", "train.jsonl", "metrics.json")
    ),
    f"{RUN}/translations/a2b/manifest.csv",
    f"{RUN}/translations/a2b/0.png",
    f"{RUN}/translations/b2a/manifest.csv",
    f"{RUN}/features/a2b.json",
    f"{RUN}/features/a2b.npz",
    f"{RUN}/scores/a2b.csv",
    "results/cat2dog/source/metrics.json",
    "results/cat2dog/real/metrics.json",
    "results/benchmarks/train/cat2dog/ugatit-light/seed0.tsv",
    "results/metrics/kid.csv",
    "results/sheets/cat2dog_a2b.png",
    "results/sheets/cat2dog_b2a.png",
    "results/figures/figure4.pdf",
    "results/report/index.html",
    "results/tables/kid.csv",
    "results/tables/summary.json",
)
NEVER = (
    f"{RUN}/training/0123/checkpoints/step_0000001.pt",
    f"{RUN}/translations/a2b/1.png.part",
    "results/logs/train.log",
    "results/cat2dog/ugatit/seed0/weights.json",
)
"""Resume state, what is not whole, logs, and runs that are not planned."""


@pytest.fixture(scope="module")
def planned() -> Params:
    """One run in one table."""
    config = load(ROOT / "params.yaml").model_dump(exclude_unset=True)
    config |= {"tables": {"kid": config["tables"]["kid"]}, "figures": {}}
    return parse(merge(config, {"only_dataset": "cat2dog", "only_model": "ugatit-light"}))


@pytest.fixture(autouse=True)
def finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with all results, as the current one."""
    monkeypatch.chdir(tmp_path)
    for name in (*PLANNED, *NEVER):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(name)


def test_every_planned_file_is_in_exactly_one_part(planned: Params) -> None:
    found = [file.as_posix() for part in PARTS for file in part_files(planned, part)]
    assert sorted(found) == sorted(PLANNED)


@pytest.mark.parametrize("part", PARTS)
def test_release_is_a_copy_with_hashes(planned: Params, part: str) -> None:
    outcome = release(planned, part, Path("release"))
    listed = read_part(Path("release", part))
    assert outcome.copied == len(listed.files) > 0
    for copy in listed.files:
        file = Path("release", part, copy.copy_at)
        assert not file.is_symlink()
        assert file.stat().st_ino != Path(copy.path).stat().st_ino
        assert sha256_file(file) == copy.sha256 == sha256_file(Path(copy.path))
    require_whole(Path("release", part), listed)


def test_what_is_there_is_not_copied_again(planned: Params) -> None:
    release(planned, "tables", Path("release"))
    Path("results/tables/kid.csv").write_text("other")
    outcome = release(planned, "tables", Path("release"))
    assert (outcome.copied, outcome.unchanged) == (1, 2)
    assert Path("release/tables/kid.csv").read_text() == "other"


def test_nothing_is_removed_unless_asked_for(planned: Params) -> None:
    release(planned, "figures", Path("release"))
    Path("results/figures/figure4.pdf").unlink()
    Path("release/figures/mine.txt").touch()
    kept = release(planned, "figures", Path("release"))
    assert kept.earlier == ("figure4.pdf", "mine.txt")
    assert Path("release/figures/figure4.pdf").exists()


def test_prune_removes_only_what_a_release_had_put_there(planned: Params) -> None:
    release(planned, "figures", Path("release"))
    Path("results/figures/figure4.pdf").unlink()
    Path("release/figures/mine.txt").touch()
    pruned = release(planned, "figures", Path("release"), prune=True)
    assert pruned.earlier == ("mine.txt",)
    assert not Path("release/figures/figure4.pdf").exists()
    assert Path("release/figures/mine.txt").exists()
    assert Path("release/figures/sheets/cat2dog_a2b.png").exists()


@pytest.mark.parametrize(
    ("part", "lacking", "rule"),
    [
        ("datasets", "data/cat2dog/manifest.csv", "datasets"),
        ("models", f"{RUN}/weights.safetensors", "models"),
        ("translations", f"{RUN}/translations/b2a/manifest.csv", "evaluations"),
        ("metrics", "results/cat2dog/real/metrics.json", "evaluations"),
        ("metrics", "results/metrics/kid.csv", "tables"),
        ("figures", "results/sheets/cat2dog_b2a.png", "sheets"),
        ("tables", "results/tables/kid.csv", "tables"),
        ("tables", "results/tables/summary.json", "summarize_tables"),
    ],
)
def test_what_is_planned_and_missing_is_refused(planned: Params, part: str, lacking: str, rule: str) -> None:
    Path(lacking).unlink()
    with pytest.raises(UserError, match=f"{lacking}: not there.*snakemake --cores all {rule}`"):
        release(planned, part, Path("release"))


@pytest.mark.parametrize("place", ["../outside", "/etc/passwd", "results/../../outside"])
def test_release_cannot_name_a_place_outside(planned: Params, place: str) -> None:
    release(planned, "tables", Path("release"))
    file = Path("release/tables", MANIFEST)
    value = read_json(file, "", "")
    value["files"][0]["path"] = place
    write_json(file, value)
    with pytest.raises(UserError, match="outside the repository"):
        read_part(Path("release/tables"))


def test_damaged_copy_is_named(planned: Params) -> None:
    release(planned, "tables", Path("release"))
    Path("release/tables/kid.csv").write_text("damaged")
    with pytest.raises(UserError, match="kid.csv: is not the file"):
        require_whole(Path("release/tables"), read_part(Path("release/tables")))
    Path("release/tables/kid.csv").unlink()
    with pytest.raises(UserError, match="kid.csv: no such file"):
        require_whole(Path("release/tables"), read_part(Path("release/tables")))
