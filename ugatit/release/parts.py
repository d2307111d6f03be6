"""The parts of a release, and which files belong to each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ugatit import plan
from ugatit.errors import UserError
from ugatit.params import Params

WEIGHTS_FILES = ("run.json", "weights.json", "weights.safetensors", "train.jsonl")
"""What a finished training leaves in the folder of its run."""

RESUME_STATE = "training"
"""Folder of a run with checkpoints and samples: never released."""

TRANSLATIONS = "translations"


def part_files(params: Params, part: str) -> list[Path]:
    """The files of a part of what the parameters plan, relative to the repository, in order of their names.

    Raises: UserError naming the first planned file that is missing.
    """
    return sorted(PARTS[part](params))


def _datasets(params: Params) -> Iterator[Path]:
    for dataset in plan.planned_datasets(params):
        folder = Path(params.paths.data, dataset)
        _require(folder / "manifest.csv", "datasets")
        yield from _all_files(folder)


def _models(params: Params) -> Iterator[Path]:
    results = Path(params.paths.results)
    for run in plan.planned_weights(params):
        yield from (_require(results / run / name, "models") for name in WEIGHTS_FILES)
        cost = results / "benchmarks/train" / f"{run}.tsv"
        if cost.is_file():
            yield cost


def _translations(params: Params) -> Iterator[Path]:
    for folder in plan.planned_translations(params):
        path = Path(params.paths.results, folder)
        _require(path / "manifest.csv", "evaluations")
        yield from _all_files(path)


def _metrics(params: Params) -> Iterator[Path]:
    """Features, metrics and whatever else was computed of a run's translations."""
    results = Path(params.paths.results)
    for folder in plan.planned_metrics(params):
        _require(results / folder / "metrics.json", "evaluations")
        for file in _all_files(results / folder):
            first = file.relative_to(results / folder).parts[0]
            if first not in (*WEIGHTS_FILES, RESUME_STATE, TRANSLATIONS):
                yield file
    for table in plan.planned_metrics_tables(params):
        yield _require(results / "metrics" / f"{table}.csv", "tables")


def _figures(params: Params) -> Iterator[Path]:
    results = Path(params.paths.results)
    for dataset, direction in plan.planned_sheets(params):
        _require(results / "sheets" / f"{dataset}_{direction}.png", "sheets")
    for folder in ("figures", "sheets", "report"):
        yield from _all_files(results / folder)


def _tables(params: Params) -> Iterator[Path]:
    """Tables, and the records of where the raw pictures behind them came from."""
    results = Path(params.paths.results)
    for table in plan.planned_tables(params):
        _require(results / "tables" / f"{table}.csv", "tables")
    _require(results / "tables/summary.json", "summarize_tables")
    yield from _all_files(results / "tables")
    sources = (
        key for dataset in plan.planned_datasets(params) for key in params.datasets[dataset].raw_sources()
    )
    for record in (Path(params.paths.raw, f"{source}.json") for source in dict.fromkeys(sources)):
        if record.is_file():
            yield record


PARTS: dict[str, Callable[[Params], Iterable[Path]]] = {
    "datasets": _datasets,
    "models": _models,
    "translations": _translations,
    "metrics": _metrics,
    "figures": _figures,
    "tables": _tables,
}
"""Part -> its files. Each part is a folder below release/ and can be pulled without the others."""


def _require(file: Path, rule: str) -> Path:
    """A file that a part cannot do without."""
    if not file.is_file():
        raise UserError(
            f"{file}: not there, so it cannot be released. Make it with `snakemake --cores all {rule}`."
        )
    return file


def _all_files(folder: Path) -> Iterator[Path]:
    """Whole files of a folder, at any depth."""
    return (file for file in folder.rglob("*") if file.is_file() and file.suffix != ".part")
