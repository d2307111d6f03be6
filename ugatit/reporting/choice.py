"""Which test pictures a figure shows: by a rule that is told with it, never by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ugatit.errors import UserError
from ugatit.evaluation.scores import read_scores
from ugatit.manifest import Picture
from ugatit.reporting.sheet import choose_pictures
from ugatit.strict import Strict, nearest

Place = Literal["best", "median", "worst"]


class Fixed(Strict):
    """The same pictures always."""

    by: Literal["id"]
    ids: dict[str, list[str]] = Field(description="By dataset: names of test pictures without extension.")


class AtRandom(Strict):
    """By lot; a picture's lot depends on seed and name alone."""

    by: Literal["random"]
    rows: int = Field(gt=0, description="Pictures per dataset.")
    seed: int = Field(ge=0)


class ByScore(Strict):
    """By the per-picture score of one model."""

    by: Literal["score"]
    model: str = Field(description="A key of `models`: whose scores.")
    rows: int = Field(gt=0, description="Pictures per dataset, divided evenly among `places`.")
    places: list[Place] = Field(min_length=1, description="best, median, worst: one or several.")

    @model_validator(mode="after")
    def _check(self) -> ByScore:
        if self.rows % len(self.places):
            raise ValueError(f"rows {self.rows} cannot be divided evenly among {len(self.places)} places")
        return self


Choice = Annotated[Fixed | AtRandom | ByScore, Field(discriminator="by")]


def choose(
    pictures: Sequence[Picture], choice: Fixed | AtRandom | ByScore, dataset: str, scores: Path | None
) -> list[Picture]:
    """Choose test pictures of a dataset; `scores` is the file of the model that `choice` names.

    Raises: UserError if an id is no test picture, or the scores are missing or of other pictures.
    """
    match choice:
        case Fixed():
            return _named(pictures, choice.ids.get(dataset, []), dataset)
        case AtRandom():
            return choose_pictures(pictures, choice.rows, choice.seed)
        case ByScore():
            return _scored(pictures, choice, read_scores(scores) if scores else {}, scores)


def row_count(choice: Fixed | AtRandom | ByScore, dataset: str) -> int:
    """How many pictures of a dataset are asked for."""
    return len(choice.ids.get(dataset, [])) if isinstance(choice, Fixed) else choice.rows


def rule(choice: Fixed | AtRandom | ByScore, label: str) -> str:
    """The rule in words, for the caption; `label` names the model whose scores count."""
    match choice:
        case Fixed():
            return "Test pictures by fixed names, stated in the parameters."
        case AtRandom():
            return f"Test pictures chosen at random with seed {choice.seed}, {choice.rows} per dataset."
        case ByScore():
            each = choice.rows // len(choice.places)
            places = ", ".join(f"{each} {place}" for place in choice.places)
            return f"Test pictures chosen by score (share of kid_full) of {label}: {places} per dataset."


def _named(pictures: Sequence[Picture], ids: Sequence[str], dataset: str) -> list[Picture]:
    """The pictures with these stems, in the order of the ids."""
    known = {picture.stem: picture for picture in pictures}
    for name in ids:
        if name not in known:
            raise UserError(f"ids: {name!r} is no test picture of {dataset}{nearest(name, known)}.")
    return [known[name] for name in ids]


def _scored(
    pictures: Sequence[Picture], choice: ByScore, scores: dict[str, float], path: Path | None
) -> list[Picture]:
    """The best, median or worst pictures, place after place; within a place the better first."""
    ranked = sorted((p for p in pictures if p.stem in scores), key=lambda p: (scores[p.stem], p.stem))
    each = choice.rows // len(choice.places)
    if len(ranked) < choice.rows:
        raise UserError(f"{path}: scores of {len(ranked)} test pictures, expected {choice.rows} or more.")
    starts = {"best": 0, "median": (len(ranked) - each) // 2, "worst": len(ranked) - each}
    return [picture for place in choice.places for picture in ranked[starts[place] : starts[place] + each]]
