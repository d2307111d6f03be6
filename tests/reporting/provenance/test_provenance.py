"""What stands behind a result, on a chain of tiny files: everything is found, and every mismatch is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from rocrate.rocrate import ROCrate

from tests.reporting.provenance.chain import DATA, FIGURE, REAL, RUN, TABLE, make_chain
from ugatit.errors import UserError
from ugatit.files import read_json, sha256_file, write_json
from ugatit.reporting.provenance.crate import export_crate
from ugatit.reporting.provenance.text import as_text
from ugatit.reporting.provenance.trace import Provenance, trace

CELL = "cat2dog/small/a2b"


@pytest.fixture(autouse=True)
def chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with the chain in it, as the current one."""
    monkeypatch.chdir(tmp_path)
    make_chain()


def look(target: Path = TABLE, cell: str | None = None, verify: bool = True) -> Provenance:
    return trace(target, Path("data"), cell, verify)


def test_a_cell_is_followed_to_the_raw_pictures() -> None:
    found = look(cell=CELL)
    assert found.problems() == []
    assert found.absent() == []
    assert {step.path: step.kind for step in found.steps} == {
        TABLE: "table",
        Path("results/metrics/kid.csv"): "collected metrics",
        RUN / "metrics.json": "metrics",
        RUN / "features/a2b.json": "features",
        REAL / "testA.json": "features",
        REAL / "testB.json": "features",
        RUN / "translations/a2b/manifest.csv": "translations",
        RUN / "weights.json": "weights",
        RUN / "run.json": "parameters",
        RUN / "train.jsonl": "training",
        DATA: "dataset",
        Path("raw/cat2dog.json"): "raw pictures",
    }
    (table,) = found.of_kind("table")
    assert table.says["values"] == {"kid": 5.0}


def test_a_table_has_both_directions() -> None:
    paths = {step.path for step in look().steps}
    assert {RUN / "features/a2b.json", RUN / "features/b2a.json"} <= paths


def test_a_figure_is_followed_by_the_record_of_its_making() -> None:
    found = look(FIGURE)
    kinds = [step.kind for step in found.steps]
    assert kinds[:2] == ["figure", "translations"]
    assert {"weights", "training", "dataset", "raw pictures"} <= set(kinds)
    assert "file" not in kinds, "code is no input of a chain"


def test_a_table_of_no_runs_has_no_chain() -> None:
    table = TABLE.with_name("network.csv")
    table.write_text("part,layer\nencoder,conv\n")
    found = look(table)
    assert [step.kind for step in found.steps] == ["table"]
    assert found.problems() == []


def test_text_tells_code_versions_machine_time_and_parameters() -> None:
    text = as_text(look(cell=CELL))
    for part in (
        "values.kid: 5.0",
        "from step 0: 2020-01-02T03:04:05+00:00, node7 (a processor), cpu, 1 threads, code 0123456789ab",
        "from step 2: 2020-01-03T00:00:00+00:00",
        "python 3.11.1, torch 2.11.0",
        'training: {"steps": 3}',
        "rule build_dataset, ended 2020-01-02T03:04:06+00:00",
        "12 files were read; all that could be compared matches",
    ):
        assert part in text


def test_json_holds_the_same() -> None:
    found = json.loads(json.dumps(look(cell=CELL).as_json()))
    assert found["cell"] == CELL
    assert [step["kind"] for step in found["steps"]][0] == "table"
    assert found["here"]["versions"]["torch"]


def test_a_record_that_was_touched_dates_nothing() -> None:
    for file in Path(".snakemake/metadata").iterdir():
        rewrite(file, lambda v: v.update(starttime=v["endtime"]))
    text = as_text(look(cell=CELL))
    assert "rule build_dataset\n" in text
    assert "ended" not in text


def rewrite(path: Path, change: Callable[[dict], object]) -> None:
    """Change a JSON file in place."""
    value = read_json(path, "", "")
    change(value)
    write_json(path, value)


def other_metrics() -> None:
    rewrite(RUN / "metrics.json", lambda v: v["directions"]["a2b"]["metrics"]["kid"].update(value=4.0))


def other_features() -> None:
    rewrite(RUN / "features/a2b.json", lambda v: v.update(features_sha256="0" * 64))


def other_run() -> None:
    rewrite(RUN / "run.json", lambda v: v["training"].update(steps=4))


def other_made() -> None:
    rewrite(RUN / "translations/a2b/translation.json", lambda v: v.update(weights_sha256="0" * 64))


def unfinished() -> None:
    log = RUN / "train.jsonl"
    log.write_text("".join(line for line in log.read_text().splitlines(True) if "finished" not in line))


def swapped_split() -> None:
    DATA.write_text(DATA.read_text().replace("testA,0.png", "trainA,9.png"))


CHANGES = {
    "table": (lambda: TABLE.write_text(TABLE.read_text().replace("5.0000", "4.0000")), "kid.csv has 5.0"),
    "metrics": (other_metrics, f"other values than {RUN}/metrics.json"),
    "features": (other_features, "holds other features than were compared"),
    "values": (lambda: (RUN / "features/a2b.npz").write_text("x"), "a2b.npz is not the file that it names"),
    "translation": (lambda: (RUN / "translations/a2b/0.png").write_bytes(b"x"), "0.png changed since it was listed"),
    "maker": (other_made, "does not hold the weights that made it"),
    "weights": (lambda: (RUN / "weights.safetensors").write_bytes(b"x"), "weights.safetensors is not the file"),
    "parameters": (other_run, "has other parameters than it was trained with"),
    "log": (unfinished, "does not say that the training was finished"),
    "dataset": (swapped_split, "lists other pictures than it was trained on"),
    "source": (swapped_split, "1 of 2 are of no test picture"),
    "picture": (lambda: (DATA.parent / "testA/1.png").write_bytes(b"x"), "1.png changed since it was listed"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_anywhere_is_named(name: str) -> None:
    change, words = CHANGES[name]
    change()
    found = look(cell=CELL)
    assert any(words in problem for problem in found.problems()), found.problems()
    assert "DOES NOT MATCH" in as_text(found)


def test_quick_looks_at_text_alone() -> None:
    (RUN / "weights.safetensors").write_bytes(b"x")
    assert look(verify=False).problems() == []
    other_run()
    assert look(verify=False).problems()


def test_what_is_not_here_is_told_and_no_mismatch() -> None:
    (RUN / "weights.safetensors").unlink()
    (RUN / "run.json").unlink()
    found = look(cell=CELL)
    assert found.problems() == []
    assert set(found.absent()) == {str(RUN / "weights.safetensors"), str(RUN / "run.json")}
    assert "not here, so not compared" in as_text(found)


@pytest.mark.parametrize(
    ("target", "cell", "words"),
    [
        (Path("results/tables/none.csv"), None, "no such file"),
        (TABLE, "cat2dog/small", "expected DATASET/MODEL/DIRECTION"),
        (TABLE, "cat2dog/other/a2b", "no value for cat2dog/other/a2b"),
        (FIGURE, CELL, "is no table"),
    ],
)
def test_what_cannot_be_asked_is_refused(target: Path, cell: str | None, words: str) -> None:
    with pytest.raises(UserError, match=words):
        look(target, cell)


def test_crate_is_read_by_the_library() -> None:
    export_crate(look(cell=CELL), Path("crate"))
    crate = ROCrate("crate")
    assert crate.mainEntity.id == str(TABLE)
    files = {entity.id for entity in crate.data_entities}
    assert {str(TABLE), str(RUN / "run.json"), str(DATA)} <= files
    for entity in crate.data_entities:
        file = Path("crate") / entity.id
        assert sha256_file(file) == entity["sha256"] == sha256_file(Path(entity.id))
    actions = {e.id: e for e in crate.contextual_entities if e.type == "CreateAction"}
    training = actions[f"#making-{RUN}/weights.json"]
    assert training["startTime"] == "2020-01-02T03:04:05+00:00"
    assert training["endTime"] == "2020-01-03T01:00:00+00:00"
    assert "commit 0123456789abcdef on node7 with python 3.11.1" in training["description"]
    assert {entity.id for entity in training["object"]} == {
        str(RUN / "run.json"),
        str(RUN / "train.jsonl"),
        str(DATA),
    }
    software = training["instrument"]
    assert software.type == "SoftwareApplication"
    assert software.get("version") is None, "made with 3.11.1, read with another"
    assert f"#making-{RUN}/metrics.json" in actions
    assert {entity.type for entity in crate.contextual_entities} == {
        "CreateAction",
        "SoftwareApplication",
        "CreativeWork",
    }


def test_crate_gives_no_licence_for_pictures_of_others() -> None:
    export_crate(look(cell=CELL), Path("table"))
    assert ROCrate("table").license == "https://spdx.org/licenses/MIT"
    export_crate(look(FIGURE), Path("figure"))
    assert "Pictures have the terms of the datasets" in ROCrate("figure").license


def test_text_of_attention_names_no_single_picture() -> None:
    path = RUN / "attention/a2b/attention.json"
    maps = {"names": ["0"], "sources": ["ab" * 32], "maps": {}, "dataset": "cat2dog", "step": 3}
    write_json(path, maps)
    text = as_text(look(path))
    assert "step: 3" in text
    assert "sources" not in text and "names" not in text


def test_every_reference_in_a_crate_is_to_something_in_it() -> None:
    graph = read_json(export_crate(look(), Path("crate")), "", "")["@graph"]
    known = {entity["@id"] for entity in graph} | {"http://schema.org/CompletedActionStatus"}
    for entity in graph:
        for key, value in entity.items():
            for reference in value if isinstance(value, list) else [value]:
                if (
                    isinstance(reference, dict)
                    and key not in ("license",)
                    and entity["@id"] != "ro-crate-metadata.json"
                ):
                    assert reference["@id"] in known, (entity["@id"], key)


def test_no_crate_of_what_does_not_match_or_over_something() -> None:
    Path("full").mkdir()
    Path("full/thing").touch()
    with pytest.raises(UserError, match="new or empty folder"):
        export_crate(look(), Path("full"))
    other_run()
    with pytest.raises(UserError, match="only made of what matches"):
        export_crate(look(), Path("crate"))
    assert not Path("crate").exists()
