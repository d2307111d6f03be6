"""A refactoring leaves these numbers alone; a change of the arithmetic cannot pass unnoticed."""

from __future__ import annotations

import pytest

from tests.golden.steps import METHODS, compute, read_golden, tiny_models
from ugatit.modules import method_module

CASES = [(method, model) for method in METHODS for model in tiny_models(method)]

RELATIVE_TOLERANCE = 1e-9
"""Float64 sums of a few ten thousand products in another order, on another processor."""

ABSOLUTE_TOLERANCE = 1e-9
"""The same for sums that nearly cancel."""

ADVICE = "the arithmetic changed: if it was meant to, raise NUMERICS in the method and run python -m tests.golden.steps"


@pytest.mark.parametrize("method", METHODS)
def test_numbers_belong_to_this_version_of_the_arithmetic(method: str) -> None:
    golden = read_golden(method)
    assert golden["numerics"] == method_module(method).NUMERICS, "run python -m tests.golden.steps"
    assert list(golden["models"]) == tiny_models(method)


@pytest.mark.parametrize(("method", "model"), CASES)
def test_two_steps_give_the_recorded_numbers(method: str, model: str) -> None:
    expected, found = read_golden(method)["models"][model], compute(model)
    for step, (before, now) in enumerate(zip(expected["losses"], found["losses"], strict=True)):
        assert now == pytest.approx(before, rel=RELATIVE_TOLERANCE), f"losses of step {step + 1}: {ADVICE}"
    for name, numbers in expected["checksums"].items():
        now = found["checksums"][name]
        assert now == pytest.approx(numbers, rel=RELATIVE_TOLERANCE, abs=ABSOLUTE_TOLERANCE), (
            f"{name}: {ADVICE}"
        )
