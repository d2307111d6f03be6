"""The learning rate at the steps that the paper and the authors' codes fix."""

from __future__ import annotations

import pytest

from ugatit.models import Training
from ugatit.params import Params
from ugatit.training.schedule import lr_factor

LR = 1e-4


def training(params: Params, **changes: object) -> Training:
    return params.training.model_copy(update=changes)


@pytest.mark.parametrize(
    ("step", "lr"),
    [(1, 1e-4), (500_000, 1e-4), (500_001, 9.99998e-5), (750_000, 5e-5), (999_999, 2e-10), (1_000_000, 0.0)],
)
def test_per_step_as_in_the_paper(params: Params, step: int, lr: float) -> None:
    assert LR * lr_factor(step, training(params)) == pytest.approx(lr, rel=1e-6, abs=1e-18)


@pytest.mark.parametrize(
    ("step", "lr"),
    [(1, 1e-4), (500_001, 1e-4), (510_000, 1e-4), (510_001, 9.8e-5), (990_001, 2e-6), (1_000_000, 2e-6)],
)
def test_per_epoch_as_in_the_tensorflow_code(params: Params, step: int, lr: float) -> None:
    assert LR * lr_factor(step, training(params, decay_every=10_000)) == pytest.approx(lr, rel=1e-6)


def test_without_decay(params: Params) -> None:
    assert lr_factor(1_000_000, training(params, decay_start=1_000_000)) == 1.0


@pytest.mark.parametrize(
    ("step", "lr"),
    [
        (1, 1e-4),
        (100_000, 1e-4),
        (100_001, 5e-5),
        (200_000, 5e-5),
        (200_001, 2.5e-5),
        (1_000_000, 1e-4 / 2**9),
    ],
)
def test_halved_as_in_unit_and_munit(params: Params, step: int, lr: float) -> None:
    halving = training(params, decay="halve", decay_start=100_000, decay_every=100_000)
    assert LR * lr_factor(step, halving) == pytest.approx(lr, rel=1e-12)
