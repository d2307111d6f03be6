"""The published numbers as data, against values typed from the paper's tables."""

from __future__ import annotations

import pytest

from ugatit.reporting.paper_values import PaperTable, published, published_value

ROUNDING = 0.02
"""Five percentages with two decimals sum to 100 within their rounding."""


@pytest.mark.parametrize(
    ("table", "model", "direction", "text"),
    [
        ("table1", "ugatit", "selfie2anime", "11.61 ± 0.57"),
        ("table1", "ugatit-in", "anime2selfie", "13.58 ± 0.8"),
        ("table1", "ugatit-ln", "selfie2anime", "12.39 ± 0.61"),
        ("table1", "ugatit-adain", "anime2selfie", "11.81 ± 0.77"),
        ("table1", "ugatit-gn", "anime2selfie", "12.30 ± 0.77"),
        ("table1", "ugatit-no-cam", "anime2selfie", "14.06 ± 0.75"),
        ("table1", "ugatit-no-g-cam", "selfie2anime", "12.33 ± 0.68"),
        ("table1", "ugatit-no-d-cam", "anime2selfie", "13.33 ± 0.89"),
        ("table2", "ugatit", "horse2zebra", "73.56"),
        ("table2", "unit", "photo2portrait", "32.11"),
        ("table2", "drit", "photo2vangogh", "9.70"),
        ("table3", "ugatit", "horse2zebra", "7.06 ± 0.8"),
        ("table3", "ugatit", "vangogh2photo", "5.61 ± 0.32"),
        ("table3", "cyclegan", "zebra2horse", "8.0 ± 0.66"),
        ("table3", "unit", "anime2selfie", "26.32 ± 0.92"),
        ("table3", "munit", "zebra2horse", "16.47 ± 1.04"),
        ("table3", "drit", "portrait2photo", "4.76 ± 0.72"),
        ("table3", "aggan", "dog2cat", "9.45 ± 0.64"),
        ("table3", "cartoongan", "selfie2anime", "15.85 ± 0.69"),
    ],
)
def test_value_as_printed(table: PaperTable, model: str, direction: str, text: str) -> None:
    value = published_value(table, model, direction)
    assert value is not None
    assert value.text == text


@pytest.mark.parametrize(
    ("table", "cells"), [("table1", 8 * 2), ("table2", 5 * 5), ("table3", 7 * 5 + 6 * 5)]
)
def test_every_cell_once(table: PaperTable, cells: int) -> None:
    keys = {(value.model, value.direction) for value in published(table)}
    assert len(keys) == len(published(table)) == cells


def test_numbers_of_a_cell() -> None:
    value = published_value("table3", "ugatit", "cat2dog")
    assert value is not None
    assert (value.label, value.value, value.plus_minus) == ("U-GAT-IT", 7.07, 0.65)


def test_preferences_have_no_uncertainty() -> None:
    assert all(value.plus_minus is None for value in published("table2"))


@pytest.mark.parametrize("direction", ["horse2zebra", "anime2selfie"])
def test_a_dash_is_no_value(direction: str) -> None:
    assert published_value("table3", "cartoongan", direction) is None


def test_preferences_sum_to_a_hundred() -> None:
    sums: dict[str, float] = {}
    for value in published("table2"):
        sums[value.direction] = sums.get(value.direction, 0.0) + (value.value or 0.0)
    assert len(sums) == 5
    assert all(abs(total - 100) <= ROUNDING for total in sums.values()), sums


@pytest.mark.parametrize("direction", ["selfie2anime", "anime2selfie"])
def test_tables_1_and_3_agree_on_the_full_model(direction: str) -> None:
    assert published_value("table1", "ugatit", direction) == published_value("table3", "ugatit", direction)
