"""Entries of `models`, and the numbers of every training that they may override."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from ugatit.datasets import Direction
from ugatit.strict import Strict


class Training(Strict):
    """What every method's training shares."""

    image_px: int = Field(gt=0, description="Side of the square network input, pixels.")
    load_px: int = Field(
        gt=0, description="Side to which training pictures are resized before the random crop."
    )
    flip: float = Field(ge=0, le=1, description="Probability of a horizontal flip.")
    crop_px: int | None = Field(
        gt=0, description="Side of the random crop that training sees; null: image_px."
    )
    augmentation: Literal["always", "coin"] = Field(
        description="always: flip and crop every picture; coin: decided once per run and domain (D13)."
    )
    batch_size: int = Field(gt=0, description="Pictures per domain and step.")
    steps: int = Field(gt=0, description="Discriminator and generator updates.")
    decay: Literal["linear", "halve"] = Field(
        description="After decay_start: linear to 0 at the last step, or halved at each change."
    )
    decay_start: int = Field(ge=0, description="Last step at full learning rate.")
    decay_every: int = Field(
        gt=0, description="Steps between two changes of the decaying learning rate (D12)."
    )
    precision: Literal["float32", "bfloat16"] = Field(description="bfloat16: autocast of the forward passes.")

    @model_validator(mode="after")
    def _check(self) -> Training:
        if self.load_px < self.seen_px:
            raise ValueError(
                f"load_px {self.load_px} is smaller than the crop of {self.seen_px}; crop impossible"
            )
        if self.decay_start > self.steps:
            raise ValueError(f"decay_start {self.decay_start} is after the last step {self.steps}")
        return self

    @property
    def seen_px(self) -> int:
        """Side of the pictures that training sees, pixels."""
        return self.image_px if self.crop_px is None else self.crop_px


class Epochs(Strict):
    """A training's length in passes over the larger of the two training sets."""

    length: int = Field(gt=0, description="Passes in all.")
    full_rate: int = Field(ge=0, description="Passes before the learning rate decays.")
    at_most: int | None = Field(default=None, gt=0, description="Steps at the most.")


class ExternalFolder(Strict):
    """A folder of translations, one picture per test picture."""

    path: str
    absent: list[str] = Field(
        default_factory=list, description="Test pictures the other program did not have."
    )


class External(Strict):
    """Translations made by another program, per dataset and direction."""

    folders: dict[str, dict[Direction, ExternalFolder]]
    match: Literal["name", "number"] = Field(
        description="name: called as the test picture; number: the authors' numbering, from 1 in order."
    )


OF_TRAINING = ("preset", "parameters", "per_dataset", "training", "epochs")
"""What an entry of `models` says of a training."""


class Model(Strict):
    """One row of a table: a method with parameter values, or translations made elsewhere."""

    label: str = Field(description="What tables and figures print.")
    method: str | None = Field(default=None, description="A file of ugatit/methods, without .py.")
    preset: str | None = Field(
        default=None, description="An entry of `presets`, applied before `parameters`."
    )
    parameters: dict[str, Any] = Field(default_factory=dict, description="Overrides `methods.<method>`.")
    per_dataset: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="Overrides `parameters` on the datasets named."
    )
    training: dict[str, Any] = Field(default_factory=dict, description="Overrides `training` for this model.")
    epochs: Epochs | None = Field(
        default=None, description="Length and decay by the datasets' `pictures`, instead of `training`'s."
    )
    datasets: list[str] | None = Field(
        default=None, description="Datasets for which tables plan it; null: all of a table."
    )
    external: External | None = None

    @model_validator(mode="after")
    def _check(self) -> Model:
        if (self.method is None) == (self.external is None):
            raise ValueError("needs either `method` or `external`, and not both")
        if self.external and (idle := [key for key in OF_TRAINING if getattr(self, key)]):
            raise ValueError(f"external translations are not trained; remove {', '.join(idle)}")
        if self.epochs and (idle := [key for key in ("steps", "decay_start") if key in self.training]):
            raise ValueError(
                f"`epochs` tells the length and decay, so training.{', '.join(idle)} would not matter; "
                "remove it, or set `epochs: null`"
            )
        return self
