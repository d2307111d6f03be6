"""Collecting metrics.json files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ugatit.errors import UserError
from ugatit.reporting.collect import collect_metrics, read_metrics_csv

Metrics = Callable[..., Path]


def test_round_trip_keeps_every_digit(metrics_json: Metrics, tmp_path: Path) -> None:
    value = 0.1 + 0.2
    collect_metrics([metrics_json("ugatit", (value, -value), counts=(98, 100, 99))], tmp_path / "m.csv")
    rows = read_metrics_csv(tmp_path / "m.csv")
    assert [(r.direction, r.metric) for r in rows] == [
        ("a2b", "fid"),
        ("a2b", "kid_paper"),
        ("b2a", "fid"),
        ("b2a", "kid_paper"),
    ]
    kid = rows[1]
    assert (kid.value, kid.plus_minus, kid.plus_minus_is, kid.scale) == (value, 0.5, "standard error", 100)
    assert (kid.n_fake, kid.n_target, kid.n_source, kid.image_px) == (98, 100, 99, 256)
    assert (kid.extractor, kid.extractor_sha256, kid.protocol) == (
        "inception-v3-compat",
        "ab" * 32,
        "blocks of 10",
    )
    assert rows[3].value == -value
    assert (rows[0].plus_minus, rows[0].plus_minus_is) == (None, "")


def test_order_of_files_does_not_matter(metrics_json: Metrics, tmp_path: Path) -> None:
    files = [metrics_json("ugatit", seed=seed) for seed in (10, 2)] + [metrics_json("real", seed=None)]
    collect_metrics(files, tmp_path / "one.csv")
    collect_metrics(reversed(files), tmp_path / "two.csv")
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    seeds = [row.seed for row in read_metrics_csv(tmp_path / "one.csv") if row.model == "ugatit"]
    assert seeds == [2] * 4 + [10] * 4


def test_a_set_compared_with_itself_is_told(metrics_json: Metrics, tmp_path: Path) -> None:
    """A file that does not tell is of an evaluation that did not look."""
    files = [metrics_json("real", seed=None, of_itself=True), metrics_json("ugatit")]
    collect_metrics(files, tmp_path / "m.csv")
    found = {(row.model, row.direction) for row in read_metrics_csv(tmp_path / "m.csv") if row.fake_is_target}
    assert found == {("real", "a2b")}


def test_no_files_give_an_empty_table(tmp_path: Path) -> None:
    collect_metrics([], tmp_path / "m.csv")
    assert read_metrics_csv(tmp_path / "m.csv") == []


def test_a_run_given_twice_is_refused(metrics_json: Metrics, tmp_path: Path) -> None:
    first = metrics_json("ugatit")
    second = tmp_path / "copy.json"
    second.write_bytes(first.read_bytes())
    with pytest.raises(
        UserError, match=r"copy\.json: cat2dog/ugatit, seed 0, a2b is also in .*cat2dog-ugatit-0\.json"
    ):
        collect_metrics([first, second], tmp_path / "m.csv")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("schema", 2, "schema"),
        ("model", None, "model"),
        ("image_px", "256", "image_px"),
        ("extractor", {"name": "x"}, r"extractor\.weights_sha256: missing"),
        ("directions", {"a2c": {}}, "a2c"),
    ],
)
def test_another_form_is_refused(
    metrics_json: Metrics, tmp_path: Path, key: str, value: Any, message: str
) -> None:
    path = metrics_json("ugatit")
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(UserError, match=message):
        collect_metrics([path], tmp_path / "m.csv")
    assert not (tmp_path / "m.csv").exists()


def test_not_a_number_is_refused(metrics_json: Metrics, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="finite"):
        collect_metrics([metrics_json("ugatit", (float("nan"), 1.0))], tmp_path / "m.csv")


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no\.json: no such file.*ugatit evaluate"):
        collect_metrics([tmp_path / "no.json"], tmp_path / "m.csv")
    with pytest.raises(UserError, match=r"m\.csv: no such file.*ugatit collect"):
        read_metrics_csv(tmp_path / "m.csv")


@pytest.mark.parametrize("change", [("dataset,", ""), (",0,", ",zero,")])
def test_another_csv_is_refused(metrics_json: Metrics, tmp_path: Path, change: tuple[str, str]) -> None:
    path = tmp_path / "m.csv"
    collect_metrics([metrics_json("ugatit")], path)
    path.write_text(path.read_text().replace(*change, 1))
    with pytest.raises(UserError, match=r"m\.csv"):
        read_metrics_csv(path)
