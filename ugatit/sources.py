"""Parameters of where pictures come from: what is fetched, and what a dataset is made of."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from ugatit.strict import Strict


class Mirror(Strict):
    """One place from which a file can be had."""

    url: str = Field(pattern=r"^https?://")
    sha256: str | None = Field(
        default=None, min_length=8, description="Hash of the file, or its first digits (at least 8)."
    )
    bytes: int | None = Field(default=None, gt=0, description="Size of the file.")
    swapped: bool = Field(
        default=False, description="This copy has the sides the other way around than the others."
    )


class Drawing(Strict):
    """Raw pictures that are drawn by code, with planted trouble."""

    faces: int = Field(gt=0, description="Good faces per side; faulty pictures come on top.")
    seed: int = Field(ge=0)


class RawSource(Strict):
    """Where raw pictures come from: a place of one's own, the first mirror that answers, or code."""

    path: str | None = Field(
        default=None, description="An archive or folder that you have; used instead of the download."
    )
    swap: bool = Field(default=False, description="Its A is our domain B, and its B our A.")
    file: str | None = Field(
        default=None, pattern=r"^[^/\\]+$", description="Name under which the download is kept."
    )
    mirrors: list[Mirror] = Field(default_factory=list)
    drawn: Drawing | None = None

    @model_validator(mode="after")
    def _check(self) -> RawSource:
        if bool(self.mirrors) != (self.file is not None):
            raise ValueError("`file` and `mirrors` belong together")
        if self.drawn and (self.mirrors or self.path):
            raise ValueError("`drawn` goes without `mirrors` and `path`")
        return self


class Asset(Strict):
    """A file that a step needs and that is not a picture: weights, a cascade."""

    file: str = Field(description="Where it is kept.")
    mirrors: list[Mirror] = Field(min_length=1)


class RawSide(Strict):
    """Raw pictures of one domain; paths are relative to the source's folder."""

    source: str = Field(description="A key of `sources`.")
    pictures: str = Field(description="Folder of the pictures.")
    metadata: str | None = Field(description="What is known of each picture; null: nothing is.")
    format: Literal["ucf", "table"] = Field(
        default="table",
        description="ucf: the attribute file of the UCF Selfie set; table: CSV with `file` and `gender`.",
    )
    scores: str | None = Field(
        default=None, description="A tagger's CSV with `file` and `female` (0 to 1), for the unknown."
    )


class ConstructedSource(Strict):
    """A dataset that is made from raw pictures, stage by stage."""

    kind: Literal["constructed"]
    a: RawSide
    b: RawSide
    decisions: str = Field(description="The text file of the manual review.")
    auto: bool = Field(description="Drop what is undecided instead of waiting for the review.")
    stages: dict[str, Any] = Field(default_factory=dict, description="Overrides `construction`.")


class FolderSource(Strict):
    """A folder with trainA, trainB, testA and testB."""

    kind: Literal["folder"]
    path: str
    swap: bool = Field(default=False, description="Take the folder's A as domain B and its B as domain A.")
