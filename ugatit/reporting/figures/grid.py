"""Test pictures in rows; sources, attention maps, translations in columns: the paper's figures 2 to 4."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from ugatit import plan
from ugatit.datasets import DIRECTIONS, Direction
from ugatit.params import Figure, Params
from ugatit.reporting.choice import ByScore, Choice, Fixed
from ugatit.reporting.figure import Command, Need
from ugatit.strict import Strict

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

MAP_LABELS = {
    "generator": "generator attention",
    "local": "local discriminator attention",
    "global": "global discriminator attention",
}


class Maps(Strict):
    """Columns of attention maps."""

    model: str = Field(description="A key of `models`: whose maps.")
    maps: list[str] = Field(min_length=1, description="generator, local, global: as its method names them.")
    opacity: float = Field(ge=0, le=1, description="Of the map over its picture; 1: the map alone.")


class Entry(Figure):
    """Rows: the chosen test pictures of each dataset. Columns: source, `attention`, `models`."""

    datasets: list[str] = Field(min_length=1)
    direction: Direction
    attention: Maps | None
    models: list[str] = Field(min_length=1)
    choice: Choice

    def names(self) -> dict[str, list[str]]:
        """Those of the maps and of the choice too."""
        names = super().names()
        models = [self.attention.model] if self.attention else []
        models += [self.choice.model] if isinstance(self.choice, ByScore) else []
        ids = list(self.choice.ids) if isinstance(self.choice, Fixed) else []
        return names | {"models": names["models"] + models, "datasets": names["datasets"] + ids}


class Column(Strict):
    """One column of one dataset's rows."""

    kind: Literal["source", "map", "translation"]
    label: str
    model: str | None = Field(default=None, description="Whose; None for the source.")
    path: str = Field(description="The manifest of the pictures, or attention.json.")
    below: str | None = Field(default=None, description="For a map: the manifest of the pictures it is of.")
    name: str | None = Field(default=None, description="For a map: its name.")
    lacks: str | None = Field(default=None, description="Why there will never be a picture.")
    target: str = Field(description="What to make if there is no picture yet.")


class Part(Strict):
    """The rows of one dataset."""

    dataset: str
    title: str = Field(description="The paper's name of the direction.")
    direction: Direction
    split: str
    scores: str | None
    columns: list[Column]


class Settings(Strict):
    """All that decides the picture beside the files."""

    caption: str
    choice: Choice
    score_label: str
    opacity: float | None
    parts: list[Part]


def needs(params: Params, entry: Entry) -> list[Need]:
    """Manifests of pictures and translations, attention and scores."""
    found: list[Need] = []
    for part in _parts(params, entry):
        own = [
            Need(path, not column.lacks and _offered(params, part.dataset, column.model, part.direction))
            for column in part.columns
            for path in (column.path, column.below)
            if path and column.model
        ]
        planned = any(need.planned for need in own)
        found.append(Need(part.columns[0].path, planned))
        found += own
        if part.scores and isinstance(entry.choice, ByScore):
            scored = _offered(params, part.dataset, entry.choice.model, entry.direction)
            found.append(Need(part.scores, planned and scored))
    return found


def settings(params: Params, entry: Entry) -> Settings:
    """Labels, files and reasons."""
    model = entry.choice.model if isinstance(entry.choice, ByScore) else None
    return Settings(
        caption=entry.caption,
        choice=entry.choice,
        score_label=params.models[model].label if model else "",
        opacity=entry.attention.opacity if entry.attention else None,
        parts=list(_parts(params, entry)),
    )


def draw(settings: Settings, command: Command) -> Drawing:
    """Draw the grid."""
    # Only drawing needs matplotlib; planning reads this module too.
    from ugatit.reporting.picture_grid import draw_grid

    return draw_grid(settings, command)


def _parts(params: Params, entry: Entry) -> Iterable[Part]:
    for dataset in entry.datasets:
        direction = entry.direction
        source = Column(
            kind="source",
            label="source",
            path=f"{params.paths.data}/{dataset}/manifest.csv",
            target=f"{params.paths.data}/{dataset}/manifest.csv",
        )
        columns = [source, *_maps(params, entry, dataset, source)]
        columns += [_translation(params, entry, dataset, model) for model in entry.models]
        scores = None
        if isinstance(entry.choice, ByScore):
            scores = f"{_folder(params, dataset, entry.choice.model)}/scores/{direction}.csv"
        yield Part(
            dataset=dataset,
            title=params.datasets[dataset].direction_name(direction),
            direction=direction,
            split=("testA", "testB")[DIRECTIONS.index(direction)],
            scores=scores,
            columns=columns,
        )


def _maps(params: Params, entry: Entry, dataset: str, source: Column) -> list[Column]:
    """The columns of attention; the generator's maps are of the source, the others of its translation."""
    if not entry.attention:
        return []
    model = entry.attention.model
    path = f"{_folder(params, dataset, model)}/attention/{entry.direction}/attention.json"
    translation = _translation(params, entry, dataset, model)
    planned = (dataset, model) in plan.planned_runs(params)
    offered = plan.traits(params, dataset, model).attention if planned else entry.attention.maps
    return [
        Column(
            kind="map",
            label=MAP_LABELS.get(name, f"{name} attention"),
            model=model,
            path=path,
            below=source.path if name == "generator" else translation.path,
            name=name,
            lacks=None if name in offered else "the model has no such map",
            target=path,
        )
        for name in entry.attention.maps
    ]


def _translation(params: Params, entry: Entry, dataset: str, model: str) -> Column:
    """The column of a model's translations."""
    folder = _folder(params, dataset, model)
    lacks = None
    if not params.has_run(dataset, model):
        lacks = "no folder given" if params.models[model].external else "not for this dataset"
    elif (dataset, model) in plan.planned_runs(params) and not _offered(
        params, dataset, model, entry.direction
    ):
        lacks = "translates the other way only"
    return Column(
        kind="translation",
        label=params.models[model].label,
        model=model,
        path=f"{folder}/translations/{entry.direction}/manifest.csv",
        lacks=lacks,
        target=f"{folder}/metrics.json",
    )


def _offered(params: Params, dataset: str, model: str | None, direction: Direction) -> bool:
    """Whether the tables plan a model's run that translates in a direction."""
    if model is None or (dataset, model) not in plan.planned_runs(params):
        return False
    return direction in plan.directions(params, dataset, model)


def _folder(params: Params, dataset: str, model: str) -> str:
    """A model's run; a figure shows the first seed."""
    return f"{params.paths.results}/{plan.run_folders(params, dataset, model)[0]}"
