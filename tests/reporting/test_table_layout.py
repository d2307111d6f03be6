"""The table as people read it: what is bold, where the columns stand, what the remarks say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ugatit.params import Params
from ugatit.reporting.cells import Settings, fill_cells
from ugatit.reporting.collect import collect_metrics, read_metrics_csv
from ugatit.reporting.markup import Document, Entry
from ugatit.reporting.table_layout import arrange
from ugatit.reporting.tables import table_settings
from ugatit.strict import check

Metrics = Callable[..., Path]
Lay = Callable[..., Document]


@pytest.fixture
def lay(tiny_params: Callable[..., Params], tmp_path: Path) -> Lay:
    """Lay out the tiny table of some metrics files."""

    def build(files: Sequence[Path] = (), over: dict[str, Any] | None = None) -> Document:
        collect_metrics(files, tmp_path / "m.csv")
        settings = check(Settings, table_settings(tiny_params(over), "kid"), "test")
        return arrange(settings, fill_cells(settings, read_metrics_csv(tmp_path / "m.csv")))

    return build


def column(document: Document, title: str, section: int = 0) -> dict[str, Entry]:
    """The entries of a column by row label."""
    for grid in document.sections[section].grids:
        if title in grid.header:
            index = grid.header.index(title) - 1
            return {label: entries[index] for label, entries in grid.rows}
    raise AssertionError(f"no column {title}")


def bold(document: Document, title: str) -> set[str]:
    """Labels of the bold entries of a column."""
    return {label for label, entry in column(document, title).items() if entry.bold}


def test_the_best_of_our_models_is_bold(lay: Lay, metrics_json: Metrics) -> None:
    files = [metrics_json("ugatit", (5.0, 6.0)), metrics_json("ugatit-light", (4.0, 7.0))]
    files += [metrics_json(reference, (0.1, 0.1), seed=None) for reference in ("source", "real")]
    document = lay(files)
    assert bold(document, "cat2dog") == {"light | 50%"}
    assert bold(document, "dog2cat") == {"U-GAT-IT"}


def test_equal_as_printed_is_equally_good(lay: Lay, metrics_json: Metrics) -> None:
    document = lay([metrics_json("ugatit", (5.001, 6.0)), metrics_json("ugatit-light", (5.004, 6.01))])
    assert bold(document, "cat2dog") == {"U-GAT-IT", "light | 50%"}
    assert bold(document, "dog2cat") == {"U-GAT-IT"}


def test_one_model_alone_is_not_the_best(lay: Lay, metrics_json: Metrics) -> None:
    document = lay([metrics_json("ugatit"), metrics_json("real", (0.0, 0.0), seed=None)])
    assert bold(document, "cat2dog") == set()


def test_ours_stands_before_the_papers_value(lay: Lay, metrics_json: Metrics) -> None:
    entries = column(lay([metrics_json("ugatit", (7.064, 6.0))]), "cat2dog")
    assert entries["U-GAT-IT"] == Entry("7.06 ± 0.50", paper="7.07 ± 0.65", paper_bold=True)
    assert entries["light | 50%"] == Entry("– (a)")
    assert entries["CycleGAN (d)"] == Entry("", paper="8.92 ± 0.69")


def test_the_best_of_the_papers_values_is_bold(lay: Lay) -> None:
    document = lay()
    best = {label for label, entry in column(document, "horse2zebra").items() if entry.paper_bold}
    assert best == {"U-GAT-IT"}
    entries = column(lay(over={"tables": {"kid": {"datasets": ["cat2dog"]}}}), "dog2cat")
    assert {label for label, entry in entries.items() if entry.paper_bold} == {"U-GAT-IT"}
    assert not any(entry.paper_bold for entry in column(document, "horse2zebra", section=1).values())


def test_negative_values_have_a_minus_and_zero_has_none(lay: Lay, metrics_json: Metrics) -> None:
    document = lay([metrics_json("ugatit", (-0.126, -0.001))])
    assert column(document, "cat2dog")["U-GAT-IT"].text == "−0.13 ± 0.50"
    assert column(document, "dog2cat")["U-GAT-IT"].text == "0.00 ± 0.50"


def test_two_datasets_are_two_grids_as_in_table_3(lay: Lay) -> None:
    headers = [grid.header for grid in lay().sections[0].grids]
    assert headers == [("model", "cat2dog", "horse2zebra"), ("model", "dog2cat", "zebra2horse")]


def test_one_dataset_is_one_grid_as_in_table_1(lay: Lay) -> None:
    document = lay(over={"tables": {"kid": {"datasets": ["cat2dog"]}}})
    assert [grid.header for grid in document.sections[0].grids] == [("model", "cat2dog", "dog2cat")]


def test_rows_are_models_references_and_then_the_papers(lay: Lay) -> None:
    labels = [label for label, _ in lay().sections[0].grids[0].rows]
    assert labels == [
        "U-GAT-IT",
        "light | 50%",
        "made elsewhere",
        "untranslated source",
        "real against real: train of the target",
        *(f"{name} (d)" for name in ("CycleGAN", "UNIT", "MUNIT", "DRIT", "AGGAN")),
    ]


def test_the_papers_rows_stand_only_beside_its_own_metric(lay: Lay) -> None:
    assert not any(label.startswith("CycleGAN") for label, _ in lay().sections[1].grids[0].rows)


def test_every_letter_is_explained(lay: Lay) -> None:
    legend = lay().sections[0].remarks[-1]
    assert legend == (
        "(a) no run yet; (b) made elsewhere, no folder of translations is given; (c) not evaluated yet; "
        "(d) not built here."
    )


def test_what_is_not_selected_is_named_once(lay: Lay, metrics_json: Metrics) -> None:
    over = {"only_dataset": "cat2dog", "only_model": "ugatit"}
    document = lay([metrics_json("ugatit")], over)
    assert [grid.header for grid in document.sections[0].grids] == [("model", "cat2dog", "dog2cat")]
    assert "light | 50%" not in column(document, "cat2dog")
    assert document.remarks[0] == (
        "Left out: horse2zebra, zebra2horse (not selected (only_dataset)), "
        "light | 50%, made elsewhere (not selected (only_model))."
    )


def test_counts_name_the_rows_that_deviate(lay: Lay, metrics_json: Metrics) -> None:
    files = [
        metrics_json("ugatit"),
        metrics_json("real", seed=None),
        metrics_json("ugatit-light", counts=(98, 100, 99)),
    ]
    assert lay(files).remarks == (
        "Pictures (translated / target / source): 100 / 100 / 100 at 256 px (cat2dog, dog2cat), "
        "98 / 100 / 99 at 256 px (light | 50% in cat2dog, light | 50% in dog2cat).",
        "Extractor: inception-v3-compat, weights abababab.",
        "Seeds: 0.",
    )


def test_plus_minus_is_explained_for_each_row(lay: Lay, metrics_json: Metrics) -> None:
    files = [metrics_json("ugatit", seed=0), metrics_json("ugatit", seed=1), metrics_json("real", seed=None)]
    sections = lay(files, {"seeds": [0, 1]}).sections
    assert sections[0].remarks[0] == (
        "Protocol: blocks of 10. ± is: standard deviation over 2 seeds (U-GAT-IT); "
        "standard error (real against real: train of the target)."
    )
    assert sections[1].remarks[0] == "Protocol: all pictures. ± is: standard deviation over 2 seeds."


def test_a_table_without_runs_still_has_the_papers_values(lay: Lay) -> None:
    document = lay(over={"only_dataset": "horse2zebra", "tables": {"kid": {"datasets": ["cat2dog"]}}})
    assert column(document, "cat2dog")["U-GAT-IT"] == Entry("– (a)", paper="7.07 ± 0.65", paper_bold=True)
    assert document.sections[0].remarks[0] == "Protocol: no value of ours yet."
