"""What the tables and sheets of the parameters need: which rows, runs and folders. Plain values, no files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ugatit.datasets import DIRECTIONS, Direction
from ugatit.errors import UserError
from ugatit.modules import method_module
from ugatit.params import REFERENCES, Params, merge
from ugatit.run import method_parameters

if TYPE_CHECKING:
    from ugatit.methods import Traits


def trained_models(params: Params) -> list[str]:
    """Models that are trained here."""
    return [name for name, model in params.models.items() if model.method is not None]


def external_models(params: Params) -> list[str]:
    """Models whose translations were made elsewhere."""
    return [name for name, model in params.models.items() if model.external is not None]


def planned_tables(params: Params) -> list[str]:
    """Tables of which `only_dataset` and `only_model` leave something."""
    return [table for table in params.tables if _cells(params, table)]


def planned_metrics_tables(params: Params) -> list[str]:
    """Those of them that are made from metrics of runs."""
    return [table for table in planned_tables(params) if table in params.metrics_tables()]


def planned_datasets(params: Params) -> list[str]:
    """Datasets of which some table of metrics plans a run."""
    return list(dict.fromkeys(dataset for dataset, _ in planned_runs(params)))


def planned_runs(params: Params) -> list[tuple[str, str]]:
    """Dataset and model of every row of the tables of metrics, each once, in their order."""
    return list(dict.fromkeys(cell for table in params.metrics_tables() for cell in _cells(params, table)))


def planned_models(params: Params, dataset: str) -> list[str]:
    """Models of which some table plans a run on a dataset, in the order of the tables."""
    return [model for planned, model in planned_runs(params) if planned == dataset]


def planned_weights(params: Params) -> list[str]:
    """Folders below the results of all trainings that the tables plan."""
    return [
        folder
        for dataset, model in planned_runs(params)
        if not params.models[model].external
        for folder in run_folders(params, dataset, model)
    ]


def planned_translations(params: Params) -> list[str]:
    """Folders below the results of all translations that the tables plan, one per direction."""
    return [
        f"{folder}/translations/{direction}"
        for dataset, model in planned_runs(params)
        for folder in run_folders(params, dataset, model)
        for direction in directions(params, dataset, model)
    ]


def planned_metrics(params: Params) -> list[str]:
    """Folders below the results of everything that the tables plan to evaluate."""
    tables = planned_metrics_tables(params)
    return list(dict.fromkeys(folder for table in tables for folder in table_folders(params, table)))


def table_folders(params: Params, table: str) -> list[str]:
    """Folders below the results whose metrics a table needs: its runs and, per dataset, the reference rows.

    Raises: UserError if the table needs no metrics, or `only_dataset` and `only_model` leave nothing of it.
    """
    if table not in params.metrics_tables():
        raise UserError(f"table {table!r} is of kind {params.tables[table].kind} and needs no metrics.")
    cells = _cells(params, table)
    if not cells:
        raise UserError(
            f"table {table!r}: only_dataset and only_model leave nothing of datasets "
            f"{params.tables[table].datasets} and models {params.tables[table].models}. Drop one of them."
        )
    runs = [folder for dataset, model in cells for folder in run_folders(params, dataset, model)]
    datasets = dict.fromkeys(dataset for dataset, _ in cells)
    return runs + [f"{dataset}/{reference}" for dataset in datasets for reference in REFERENCES]


def run_folders(params: Params, dataset: str, model: str) -> list[str]:
    """Folders of a model's runs, one per seed; translations made elsewhere have one, without a seed."""
    if params.models[model].external:
        return [f"{dataset}/{model}"]
    return [f"{dataset}/{model}/seed{seed}" for seed in params.seeds]


def directions(params: Params, dataset: str, model: str) -> list[Direction]:
    """Directions in which a model translates: what its method offers, or what was made elsewhere."""
    external = params.models[model].external
    if external is not None:
        return [d for d in DIRECTIONS if d in external.folders.get(dataset, {})]
    return list(traits(params, dataset, model).directions)


def traits(params: Params, dataset: str, model: str) -> Traits:
    """What a trained model asks for and offers.

    Raises: UserError naming the value that does not pass the method's checks.
    """
    module = method_module(params.models[model].method or "")
    found: Traits = module.traits(method_parameters(params, dataset, model))
    return found


def planned_sheets(params: Params) -> list[tuple[str, Direction]]:
    """Sheets for which the tables plan at least one model."""
    return [
        (dataset, direction)
        for dataset in params.datasets
        for direction in DIRECTIONS
        if sheet_columns(params, dataset, direction)
    ]


def sheet_columns(params: Params, dataset: str, direction: Direction) -> list[tuple[str, str]]:
    """Label and run folder of each column; a sheet shows the first seed and asks for no run of its own."""
    planned = planned_runs(params)
    return [
        (params.models[model].label, run_folders(params, dataset, model)[0])
        for model in params.sheet.models
        if (dataset, model) in planned and direction in directions(params, dataset, model)
    ]


def image_px(params: Params, dataset: str) -> int:
    """Size at which all pictures of a dataset are compared, real and translated ones, pixels."""
    return int(merge(params.training.model_dump(), params.datasets[dataset].training)["image_px"])


def _cells(params: Params, table: str) -> list[tuple[str, str]]:
    """Dataset and model of each cell of a table that is selected and can be made."""
    entry, datasets, models = params.tables[table], params.selected_datasets(), params.selected_models()
    return [
        (dataset, model)
        for dataset in entry.datasets
        for model in entry.models
        if dataset in datasets and model in models and params.has_run(dataset, model)
    ]
