"""Entries of `datasets`: pairs of unpaired domains, and where their pictures come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from ugatit.sources import ConstructedSource, FolderSource
from ugatit.strict import Strict

Direction = Literal["a2b", "b2a"]
DIRECTIONS: tuple[Direction, Direction] = ("a2b", "b2a")


def _kind_of_source(value: Any) -> str:
    """How a dataset's source is told: by a name, or by the `kind` of a mapping."""
    if isinstance(value, str):
        return "name"
    return str(value.get("kind", "no kind") if isinstance(value, Mapping) else getattr(value, "kind", value))


DatasetSource = Annotated[
    Annotated[str, Tag("name")]
    | Annotated[FolderSource, Tag("folder")]
    | Annotated[ConstructedSource, Tag("constructed")],
    Discriminator(
        _kind_of_source,
        custom_error_type="kind_of_source",
        custom_error_message="expected a key of `sources`, or a mapping of `kind: folder` or `constructed`",
    ),
]


class Dataset(Strict):
    """One pair of unpaired domains."""

    domains: list[str] = Field(min_length=2, max_length=2, description="Names of domain A and domain B.")
    source: DatasetSource = Field(
        description="A key of `sources` with trainA, trainB, testA and testB; a folder; or a construction."
    )
    pictures: dict[Literal["trainA", "trainB", "testA", "testB"], int] = Field(
        default_factory=dict, description="Expected counts; a different count is a warning with the table."
    )
    training: dict[str, Any] = Field(
        default_factory=dict, description="Overrides `training` for this dataset."
    )

    @model_validator(mode="after")
    def _check(self) -> Dataset:
        if isinstance(self.source, ConstructedSource) and len(self.pictures) < 4:
            raise ValueError("a constructed dataset needs `pictures` for all of trainA, trainB, testA, testB")
        return self

    def raw_sources(self) -> list[str]:
        """The keys of `sources` that the dataset is made from."""
        if isinstance(self.source, str):
            return [self.source]
        if isinstance(self.source, ConstructedSource):
            return list(dict.fromkeys([self.source.a.source, self.source.b.source]))
        return []

    def direction_name(self, direction: Direction) -> str:
        """The paper's name of a direction, such as `selfie2anime` for a2b."""
        a, b = self.domains
        return f"{a}2{b}" if direction == "a2b" else f"{b}2{a}"
