"""The kinds of tables that the parameters can ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from ugatit.strict import Strict

PaperTable = Literal["table1", "table2", "table3"]
"""The paper's tables of values."""

PaperLayers = Literal["table4", "table5", "table6"]
"""The paper's tables of layers."""


class MetricsTable(Strict):
    """Metrics of models and of the reference rows, in both directions of each dataset."""

    kind: Literal["metrics"] = "metrics"
    caption: str
    paper: Literal["table1", "table3"] | None = Field(
        default=None, description="Published values to print beside ours."
    )
    datasets: list[str] = Field(min_length=1)
    models: list[str] = Field(min_length=1)
    metrics: list[Literal["kid", "kid_full", "kid_paper", "kid_paper_alpha98", "fid"]] = Field(min_length=1)


class PreferenceTable(Strict):
    """Which model people prefer, per dataset from A to B (the paper's Table 2)."""

    kind: Literal["preference"]
    caption: str
    datasets: list[str] = Field(min_length=1)
    models: list[str] = Field(min_length=1)


class ArchitectureTable(Strict):
    """The layers of one network of a model, as they are run."""

    kind: Literal["architecture"]
    caption: str
    model: str = Field(description="A model that is trained here.")
    network: str = Field(description="A name that the method's `build` gives, such as gen_ab.")
    dataset: str = Field(description="Gives the picture size, and the parameters where they depend on it.")
    paper: PaperLayers | None = Field(default=None, description="Published layers to compare with.")

    @property
    def datasets(self) -> list[str]:
        """As in other tables."""
        return [self.dataset]

    @property
    def models(self) -> list[str]:
        """As in other tables."""
        return [self.model]


def _kind_of_table(value: Any) -> str:
    """A table without `kind` is one of metrics."""
    if isinstance(value, Mapping):
        return str(value.get("kind", "metrics"))
    return str(getattr(value, "kind", "no mapping"))


Table = Annotated[
    Annotated[MetricsTable, Tag("metrics")]
    | Annotated[PreferenceTable, Tag("preference")]
    | Annotated[ArchitectureTable, Tag("architecture")],
    Discriminator(
        _kind_of_table,
        custom_error_type="kind_of_table",
        custom_error_message="expected a mapping of `kind: metrics` (or none), preference or architecture",
    ),
]
