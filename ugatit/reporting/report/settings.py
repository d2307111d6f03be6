"""What a report shows, taken from the parameters: plain JSON, so that a rule can depend on its value."""

from __future__ import annotations

from typing import Any

from ugatit import plan
from ugatit.datasets import Direction
from ugatit.params import Params
from ugatit.reporting.figure import planned_figures
from ugatit.sources import ConstructedSource
from ugatit.strict import Strict


class DatasetEntry(Strict):
    """A dataset that some table plans a run of."""

    name: str
    domains: list[str]
    image_px: int
    """Side at which its pictures are compared."""
    constructed: bool
    """Whether it is made from raw pictures, with a funnel."""


class RunEntry(Strict):
    """A run that some table plans; translations made elsewhere have no seed."""

    dataset: str
    model: str
    label: str
    seed: int | None
    folder: str
    """Below the results."""
    directions: list[Direction]
    attends: bool
    """Whether it has attention maps."""


class FigureEntry(Strict):
    """A picture file below the results, and what stands below it."""

    file: str
    caption: str


class ReportSettings(Strict):
    """All that decides a report beside the files it shows."""

    results: str
    data: str
    datasets: list[DatasetEntry]
    runs: list[RunEntry]
    tables: list[str]
    figures: list[FigureEntry]


def report_settings(params: Params) -> dict[str, Any]:
    """Take from the parameters what their report shows: what the tables plan, whether it is there or not.

    Returns: plain JSON, the first argument of `make_report`.
    """
    datasets = plan.planned_datasets(params)
    return ReportSettings(
        results=params.paths.results,
        data=params.paths.data,
        datasets=[_dataset(params, name) for name in datasets],
        runs=[run for name in datasets for run in _runs(params, name)],
        tables=plan.planned_tables(params),
        figures=[
            *(_figure(params, name) for name in planned_figures(params)),
            *(_sheet(params, *sheet) for sheet in plan.planned_sheets(params)),
        ],
    ).model_dump()


def _dataset(params: Params, name: str) -> DatasetEntry:
    dataset = params.datasets[name]
    return DatasetEntry(
        name=name,
        domains=dataset.domains,
        image_px=plan.image_px(params, name),
        constructed=isinstance(dataset.source, ConstructedSource),
    )


def _runs(params: Params, dataset: str) -> list[RunEntry]:
    """The runs of a dataset, in the order of the tables; several seeds are told apart by their labels."""
    entries = []
    for model in plan.planned_models(params, dataset):
        external = params.models[model].external is not None
        seeds: list[int | None] = [None] if external else list(params.seeds)
        label = params.models[model].label
        entries += [
            RunEntry(
                dataset=dataset,
                model=model,
                label=label if len(seeds) == 1 else f"{label}, seed {seed}",
                seed=seed,
                folder=folder,
                directions=plan.directions(params, dataset, model),
                attends=not external and bool(plan.traits(params, dataset, model).attention),
            )
            for seed, folder in zip(seeds, plan.run_folders(params, dataset, model), strict=True)
        ]
    return entries


def _figure(params: Params, name: str) -> FigureEntry:
    return FigureEntry(file=f"figures/{name}.png", caption=params.figures[name]["caption"])


def _sheet(params: Params, dataset: str, direction: Direction) -> FigureEntry:
    """A sheet of translations, with the rule by which its pictures were chosen."""
    source, target = params.datasets[dataset].domains[:: 1 if direction == "a2b" else -1]
    return FigureEntry(
        file=f"sheets/{dataset}_{direction}.png",
        caption=f"Translations from {source} to {target} ({dataset}): up to {params.sheet.pictures} test "
        f"pictures, chosen at random with seed {params.sheet.seed}.",
    )
