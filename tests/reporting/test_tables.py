"""Tables: what is planned, what stands in the CSV, and what does not go together."""

from __future__ import annotations

import csv
import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ugatit import cli
from ugatit.errors import UserError
from ugatit.evaluation.feature_file import ExtractorRecord, Features, Identity, PicturesRecord, pack
from ugatit.evaluation.metrics import Protocols, evaluate
from ugatit.methods import Traits, ugatit
from ugatit.params import Params
from ugatit.reporting.collect import collect_metrics
from ugatit.reporting.tables import COLUMNS, make_table, table_settings

PRINTED = 1e-4
"""The CSV has four decimals."""

Metrics = Callable[..., Path]
Build = Callable[..., Params]
Line = dict[str, str]


def make(settings: object, files: Iterable[Path], stem: Path) -> list[Line]:
    """Make a table and read its CSV."""
    collected = stem.parent / "collected.csv"
    collect_metrics(files, collected)
    make_table(settings, collected, stem)
    with stem.with_suffix(".csv").open(newline="") as handle:
        return list(csv.DictReader(handle))


def pick(lines: Iterable[Line], model: str, name: str = "cat2dog", metric: str = "kid_paper") -> Line:
    """The one line of a cell."""
    (line,) = [x for x in lines if (x["model"], x["direction_name"], x["metric"]) == (model, name, metric)]
    return line


def test_needs_no_torch() -> None:
    code = "import sys, ugatit.reporting.tables, ugatit.reporting.collect; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_settings_are_json_and_name_rows_and_columns(tiny_params: Build) -> None:
    settings = table_settings(tiny_params(), "kid")
    assert json.loads(json.dumps(settings)) == settings
    rows = [(row["model"], row["kind"], row["seeds"]) for row in settings["rows"]]
    assert rows == [
        ("ugatit", "model", [0]),
        ("ugatit-light", "model", [0]),
        ("elsewhere", "model", []),
        ("source", "reference", []),
        ("real", "reference", []),
        *((baseline, "paper", []) for baseline in ("cyclegan", "unit", "munit", "drit", "aggan")),
    ]
    columns = [(column["dataset"], column["direction"], column["name"]) for column in settings["columns"]]
    assert columns == [
        ("cat2dog", "a2b", "cat2dog"),
        ("cat2dog", "b2a", "dog2cat"),
        ("horse2zebra", "a2b", "horse2zebra"),
        ("horse2zebra", "b2a", "zebra2horse"),
    ]


def test_settings_hold_nothing_of_the_training(tiny_params: Build) -> None:
    changed = tiny_params({"training": {"steps": 999_999}, "models": {"ugatit": {"training": {"flip": 0.0}}}})
    assert table_settings(changed, "kid") == table_settings(tiny_params(), "kid")


def test_a_table_without_published_values_has_no_rows_of_the_paper(tiny_params: Build) -> None:
    settings = table_settings(tiny_params({"tables": {"kid": {"paper": None}}}), "kid")
    assert {row["kind"] for row in settings["rows"]} == {"model", "reference"}


def test_same_direction_of_two_datasets_is_told_apart(tiny_params: Build) -> None:
    settings = table_settings(tiny_params({"datasets": {"horse2zebra": {"domains": ["cat", "dog"]}}}), "kid")
    titles = [column["title"] for column in settings["columns"]]
    assert titles[0] == "cat2dog (cat2dog)"
    assert len(set(titles)) == 4


def test_unknown_table(tiny_params: Build) -> None:
    with pytest.raises(UserError, match=r"'kit'; known: .*kid"):
        table_settings(tiny_params(), "kit")


@pytest.mark.parametrize("settings", [[], {"table": "kid"}, "kid"])
def test_other_settings_are_refused(settings: object, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="table settings"):
        make(settings, [], tmp_path / "t")


def test_ours_the_papers_and_the_difference(
    tiny_params: Build, metrics_json: Metrics, tmp_path: Path
) -> None:
    lines = make(table_settings(tiny_params(), "kid"), [metrics_json("ugatit", (7.5, 8.0))], tmp_path / "t")
    line = pick(lines, "ugatit")
    assert tuple(line) == COLUMNS
    assert line["table"] == "kid"
    assert (line["ours"], line["ours_plus_minus"], line["plus_minus_is"]) == (
        "7.5000",
        "0.5000",
        "standard error",
    )
    assert (line["paper"], line["paper_plus_minus"]) == ("7.07", "0.65")
    assert float(line["difference"]) == pytest.approx(7.5 - 7.07, abs=PRINTED)
    assert (line["n_fake"], line["seeds"], line["scale"], line["note"]) == ("100", "0", "100", "")
    assert float(pick(lines, "ugatit", "dog2cat")["difference"]) == pytest.approx(8.0 - 8.15, abs=PRINTED)


def test_only_the_papers_protocol_meets_the_paper(
    tiny_params: Build, metrics_json: Metrics, tmp_path: Path
) -> None:
    lines = make(table_settings(tiny_params(), "kid"), [metrics_json("ugatit")], tmp_path / "t")
    assert {x["metric"] for x in lines if x["paper"] or x["difference"]} == {"kid_paper"}


@pytest.mark.parametrize(
    ("change", "note"),
    [({"extractor": "efficientnet-lite0"}, "features of efficientnet-lite0"), ({"image_px": 128}, "128 px")],
)
def test_other_features_are_not_compared(
    tiny_params: Build, metrics_json: Metrics, tmp_path: Path, change: dict[str, Any], note: str
) -> None:
    lines = make(table_settings(tiny_params(), "kid"), [metrics_json("ugatit", **change)], tmp_path / "t")
    line = pick(lines, "ugatit")
    assert (line["paper"], line["difference"]) == ("7.07", "")
    assert note in line["note"]
    assert "not comparable with the paper" in line["note"]
    assert f"Note: {line['note']}" in (tmp_path / "t.md").read_text()


def test_several_seeds(tiny_params: Build, metrics_json: Metrics, tmp_path: Path) -> None:
    values = [4.0, 5.0, 9.0]
    files = [metrics_json("ugatit", (value, 1.0), seed=seed) for seed, value in enumerate(values)]
    files.append(metrics_json("ugatit", (100.0, 100.0), seed=7))
    line = pick(
        make(table_settings(tiny_params({"seeds": [0, 1, 2]}), "kid"), files, tmp_path / "t"), "ugatit"
    )
    assert float(line["ours"]) == pytest.approx(6.0, abs=PRINTED)
    assert float(line["ours_plus_minus"]) == pytest.approx(statistics.stdev(values), abs=PRINTED)
    assert (line["plus_minus_is"], line["seeds"]) == ("standard deviation over 3 seeds", "0 1 2")


def test_an_incomplete_cell_says_which_seed_lacks(
    tiny_params: Build, metrics_json: Metrics, tmp_path: Path
) -> None:
    settings = table_settings(tiny_params({"seeds": [0, 1]}), "kid")
    line = pick(make(settings, [metrics_json("ugatit", seed=1)], tmp_path / "t"), "ugatit")
    assert (line["ours"], line["plus_minus_is"]) == ("5.0000", "standard error")
    assert (line["seeds"], line["note"]) == ("1", "no run yet with seed 0")


@pytest.mark.parametrize(
    ("over", "model", "name", "note"),
    [
        ({}, "ugatit", "dog2cat", "no run yet"),
        ({}, "source", "cat2dog", "not evaluated yet"),
        ({}, "cyclegan", "cat2dog", "not built here"),
        ({}, "elsewhere", "cat2dog", "no run yet"),
        ({}, "elsewhere", "dog2cat", "made elsewhere, no folder of translations is given"),
        ({}, "elsewhere", "horse2zebra", "made elsewhere, no folder of translations is given"),
        (
            {"models": {"ugatit": {"datasets": ["horse2zebra"]}}},
            "ugatit",
            "cat2dog",
            "not planned for this dataset",
        ),
        ({"only_dataset": "horse2zebra"}, "ugatit", "cat2dog", "not selected (only_dataset)"),
        ({"only_dataset": "horse2zebra"}, "real", "cat2dog", "not selected (only_dataset)"),
        ({"only_model": "ugatit-light"}, "ugatit", "cat2dog", "not selected (only_model)"),
        ({"only_model": "ugatit-light"}, "source", "cat2dog", "not evaluated yet"),
        (
            {"tables": {"kid": {"models": ["ugatit-light"]}}},
            "ugatit",
            "cat2dog",
            "not in this table's models",
        ),
    ],
)
def test_a_missing_cell_says_why(
    tiny_params: Build, tmp_path: Path, over: dict[str, Any], model: str, name: str, note: str
) -> None:
    line = pick(make(table_settings(tiny_params(over), "kid"), [], tmp_path / "t"), model, name)
    assert (line["ours"], line["note"]) == ("", note)


def test_a_metric_that_was_not_computed_is_named(
    tiny_params: Build, metrics_json: Metrics, tmp_path: Path
) -> None:
    settings = table_settings(tiny_params({"tables": {"kid": {"metrics": ["kid_paper", "kid"]}}}), "kid")
    lines = make(settings, [metrics_json("ugatit")], tmp_path / "t")
    assert pick(lines, "ugatit", metric="kid")["note"] == "kid not computed"


def test_translations_made_elsewhere_need_no_seed(
    tiny_params: Build, metrics_json: Metrics, tmp_path: Path
) -> None:
    settings = table_settings(tiny_params({"seeds": [3, 4]}), "kid")
    lines = make(settings, [metrics_json("elsewhere", (2.0,), seed=None)], tmp_path / "t")
    line = pick(lines, "elsewhere")
    assert (line["ours"], line["ours_plus_minus"], line["note"]) == ("2.0000", "0.5000", "")


def test_a_set_compared_with_itself_has_no_value(
    tiny_params: Build, metrics_json: Metrics, tmp_path: Path
) -> None:
    files = [metrics_json("real", (0.0, 0.5), seed=None, of_itself=True)]
    lines = make(table_settings(tiny_params(), "kid"), files, tmp_path / "t")
    line = pick(lines, "real")
    assert (line["ours"], line["note"]) == ("", "these are the target's test pictures themselves")
    assert pick(lines, "real", "dog2cat")["ours"] == "0.5000"
    assert "these are the target's test pictures themselves" in (tmp_path / "t.md").read_text()


def test_empty_settings_are_no_reason_to_read_the_parameters(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for command in (
        ["table", "kid", "--output-stem", f"{tmp_path}/t"],
        ["report", "--output", f"{tmp_path}/r"],
    ):
        monkeypatch.setattr(sys, "argv", ["ugatit", *command, "--settings", "{}"])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code == 2
        errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
        assert len(errors) == 1 and "missing" in errors[0]
    assert not list(tmp_path.iterdir())


def test_two_extractors_are_refused(tiny_params: Build, metrics_json: Metrics, tmp_path: Path) -> None:
    files = [metrics_json("ugatit"), metrics_json("source", seed=None, extractor="efficientnet-lite0")]
    message = r"cat2dog/source has features of efficientnet-lite0.*cat2dog/ugatit/seed0 of inception"
    with pytest.raises(UserError, match=message):
        make(table_settings(tiny_params(), "kid"), files, tmp_path / "t")


def test_two_protocols_of_one_metric_are_refused(
    tiny_params: Build, metrics_json: Metrics, tmp_path: Path
) -> None:
    files = [metrics_json("ugatit"), metrics_json("source", seed=None, block=20)]
    with pytest.raises(UserError, match="kid_paper of cat2dog/source is 'blocks of 20'.*'blocks of 10'"):
        make(table_settings(tiny_params(), "kid"), files, tmp_path / "t")


def test_runs_outside_the_table_do_not_matter(
    tiny_params: Build, metrics_json: Metrics, tmp_path: Path
) -> None:
    files = [metrics_json("ugatit"), metrics_json("ugatit", seed=9, block=20)]
    assert (
        pick(make(table_settings(tiny_params(), "kid"), files, tmp_path / "t"), "ugatit")["ours"] == "5.0000"
    )


def test_a_caption_changes_no_number(tiny_params: Build, metrics_json: Metrics, tmp_path: Path) -> None:
    files = [metrics_json("ugatit")]
    make(table_settings(tiny_params(), "kid"), files, tmp_path / "one")
    other = tiny_params({"tables": {"kid": {"caption": "Another caption."}}})
    make(table_settings(other, "kid"), files, tmp_path / "two")
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    one, two = ((tmp_path / f"{name}.md").read_text() for name in ("one", "two"))
    assert two == one.replace("KID of two datasets.", "Another caption.")


def test_real_metrics_of_unequal_datasets_share_a_table(tiny_params: Build, tmp_path: Path) -> None:
    files = []
    for dataset, counts in {"cat2dog": (20, 20), "horse2zebra": (24, 28)}.items():
        a, b = (features(n, seed) for seed, n in enumerate(counts))
        found = evaluate(a, b, {"a2b": a, "b2a": b}, Protocols(3, 10, 0, 10), dataset=dataset, model="source")
        files.append(tmp_path / f"{dataset}.json")
        files[-1].write_text(json.dumps(found))
    lines = make(table_settings(tiny_params(), "kid"), files, tmp_path / "t")
    assert pick(lines, "source", "zebra2horse")["n_fake"] == "28"
    assert pick(lines, "source", "dog2cat", "fid")["ours"]


def test_a_model_of_one_direction_says_so(
    tiny_params: Build, metrics_json: Metrics, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ugatit, "traits", one_way_if_light)
    params = tiny_params({"models": {"ugatit-light": {"parameters": {"network": {"light": True}}}}})
    files = [metrics_json("ugatit", (5.0, 6.0)), metrics_json("ugatit-light", (4.0,))]
    lines = make(table_settings(params, "kid"), files, tmp_path / "t")
    assert pick(lines, "ugatit-light")["ours"] == "4.0000"
    for name in ("dog2cat", "zebra2horse"):
        line = pick(lines, "ugatit-light", name)
        assert (line["ours"], line["note"]) == ("", "the method translates the other way only")
    assert pick(lines, "ugatit", "dog2cat")["ours"] == "6.0000"
    text = (tmp_path / "t.md").read_text()
    assert "the method translates the other way only" in text
    assert "**4.00 ± 0.50**" in text
    assert "**6.00" not in text


def one_way_if_light(parameters: ugatit.Parameters) -> Traits:
    """Traits of a method that gives one direction with certain parameters."""
    return Traits(directions=("a2b",) if parameters.network.light else ("a2b", "b2a"))


PREFERENCE = {
    "tables": {
        "votes": {
            "kind": "preference",
            "caption": "Votes.",
            "datasets": ["cat2dog", "horse2zebra"],
            "models": ["ugatit", "ugatit-light"],
        }
    }
}


def test_preferences_are_the_papers_until_people_are_asked(tiny_params: Build, tmp_path: Path) -> None:
    settings = table_settings(tiny_params(PREFERENCE), "votes")
    make_table(settings, None, tmp_path / "t")
    with (tmp_path / "t.csv").open(newline="") as handle:
        lines = list(csv.DictReader(handle))
    assert {line["direction"] for line in lines} == {"a2b"}
    line = pick(lines, "ugatit", metric="preference")
    assert (line["ours"], line["paper"], line["difference"]) == ("", "58.22", "")
    assert line["note"] == "no votes of ours yet: people have not been asked"
    assert pick(lines, "drit", "horse2zebra", "preference")["paper"] == "1.48"
    text = (tmp_path / "t.md").read_text()
    assert "Higher is better." in text
    assert "| – (a) [**58.22**] | – (a) [**73.56**] |" in text
    assert text.count("| model") == 1


def test_preferences_do_not_depend_on_the_seeds(tiny_params: Build) -> None:
    more = tiny_params(PREFERENCE | {"seeds": [0, 1]})
    assert table_settings(more, "votes") == table_settings(tiny_params(PREFERENCE), "votes")


def test_a_table_of_metrics_needs_metrics(tiny_params: Build, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"table 'kid' needs --metrics"):
        make_table(table_settings(tiny_params(), "kid"), None, tmp_path / "t")


def features(count: int, seed: int) -> Features:
    """Invented features."""
    pictures = PicturesRecord(digest=f"{seed}", split="testA", n=count, limit=None)
    extractor = ExtractorRecord(name="stub", weights_sha256="ab" * 32, feature_dim=4)
    names = tuple(f"{i}.png" for i in range(count))
    values = np.random.default_rng(seed).normal(size=(count, 4)).astype(np.float32)
    return pack(values, names, Identity(extractor=extractor, image_px=8, pictures=pictures))
