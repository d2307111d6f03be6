"""Parameters of a dataset's construction from raw pictures: one group per stage, one set per side.

Only what changes a result is here; where the raw pictures lie stands with the dataset.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from ugatit.strict import Strict

Side = Literal["a", "b"]
SIDES: tuple[Side, Side] = ("a", "b")

Share = float
"""A part of a whole, 0 to 1."""


class Decode(Strict):
    """Which files are pictures that can be used."""

    min_side_px: int = Field(ge=1, description="Pictures with a shorter side are dropped.")
    max_error_share: Share = Field(
        ge=0, le=1, description="With a larger share of unreadable files the stage stops."
    )


class Select(Strict):
    """Who is shown, by the source's metadata."""

    gender: Literal["female", "any"]
    exclude: list[str] = Field(description="Labels of the metadata that take a picture out, such as child.")
    female_score: Share = Field(ge=0, le=1, description="A tagger's score from which an unknown is female.")
    other_score: Share = Field(ge=0, le=1, description="A tagger's score below which an unknown is not.")

    @model_validator(mode="after")
    def _check(self) -> Select:
        if self.other_score > self.female_score:
            raise ValueError(f"other_score {self.other_score} is above female_score {self.female_score}")
        return self


class Mtcnn(Strict):
    """MTCNN of facenet-pytorch, for photographs."""

    name: Literal["mtcnn"]
    max_side_px: int = Field(gt=0, description="Larger pictures are reduced before detecting.")
    min_face_px: int = Field(ge=12, description="Smallest face that is looked for.")


class Cascade(Strict):
    """A cascade of local binary patterns through OpenCV, such as lbpcascade_animeface."""

    name: Literal["lbpcascade"]
    cascade: str = Field(description="File of the cascade.")
    max_side_px: int = Field(gt=0, description="Larger pictures are reduced before detecting.")
    min_face_px: int = Field(ge=1, description="Smallest box that is looked for.")
    scale_factor: float = Field(gt=1, description="Step between the sizes that are tried.")
    min_neighbors: int = Field(ge=0, description="Overlapping hits that a box needs.")


class AnimeFace(Strict):
    """The animeface package, whose model ships in its wheel."""

    name: Literal["animeface"]
    max_side_px: int = Field(gt=0, description="Larger pictures are reduced before detecting.")
    min_face_px: int = Field(ge=1, description="Smaller boxes are left out.")


DetectorSettings = Mtcnn | Cascade | AnimeFace


class Detect(Strict):
    """Finding the face, and which findings count."""

    detector: DetectorSettings = Field(discriminator="name")
    min_score: Share = Field(ge=0, le=1, description="Faces with a lower score do not count, if scored.")
    min_height: Share = Field(ge=0, le=1, description="Smallest box height, as a share of the picture's.")
    several: Literal["drop", "review", "largest"] = Field(description="What becomes of several faces.")


class Crop(Strict):
    """The square around a face."""

    reference: Literal["height", "side"] = Field(description="Measure of the box: height, or larger side.")
    scale: float = Field(gt=0, description="Side of the square, in that measure.")
    center_x: Share = Field(ge=0, le=1, description="Where the box's centre lies in the square.")
    center_y: Share = Field(ge=0, le=1, description="Where the box's centre lies in the square.")
    max_shift: Share = Field(ge=0, le=1, description="How far it may be moved to lie inside the picture.")
    max_pad: Share = Field(ge=0, le=1, description="How much of an edge may be made by repeating pixels.")


class Monochrome(Strict):
    """Limits of the two colour statistics (Lab units): below the first mono, below the second doubtful."""

    mono_c95: float = Field(ge=0)
    mono_r90: float = Field(ge=0)
    review_c95: float = Field(ge=0)
    review_r90: float = Field(ge=0)

    @model_validator(mode="after")
    def _check(self) -> Monochrome:
        for name, certain, doubtful in (
            ("c95", self.mono_c95, self.review_c95),
            ("r90", self.mono_r90, self.review_r90),
        ):
            if doubtful < certain:
                raise ValueError(f"review_{name} {doubtful} is below mono_{name} {certain}")
        return self


class Quality(Strict):
    """Which crops are large, sharp and colourful enough."""

    min_side_px: int = Field(ge=1, description="Smaller crops are dropped.")
    review_side_px: int = Field(ge=1, description="Smaller crops are for review.")
    min_sharpness: float = Field(ge=0, description="Laplacian variance; softer crops are dropped.")
    monochrome: Monochrome | None = Field(description="null: grey and sepia pictures stay.")

    @model_validator(mode="after")
    def _check(self) -> Quality:
        if self.review_side_px < self.min_side_px:
            raise ValueError(f"review_side_px {self.review_side_px} is below min_side_px {self.min_side_px}")
        return self


class Dedupe(Strict):
    """Which crops are the same picture: distances of 64-bit perceptual hashes."""

    drop_distance: int = Field(ge=0, le=64, description="Up to this the later one is dropped.")
    review_distance: int = Field(ge=0, le=64, description="Up to this it is for review.")

    @model_validator(mode="after")
    def _check(self) -> Dedupe:
        if self.drop_distance > self.review_distance:
            raise ValueError(
                f"drop_distance {self.drop_distance} is above review_distance {self.review_distance}"
            )
        return self


class Upscale(Strict):
    """To the size of the dataset."""

    size_px: int = Field(ge=16, description="Side of the dataset's pictures.")
    model: Literal["anime", "cunet"] | None = Field(
        description="waifu2x network that doubles smaller crops; null: Lanczos."
    )
    denoise: Literal[0, 1, 2, 3] | None = Field(description="waifu2x noise level; null: none.")

    @model_validator(mode="after")
    def _check(self) -> Upscale:
        if self.model is None and self.denoise is not None:
            raise ValueError(f"denoise {self.denoise} does nothing without a model; set denoise to null")
        return self


class Split(Strict):
    """Which pictures are for training and which for the test."""

    seed: int = Field(ge=0)
    allow_fewer: bool = Field(description="With too few pictures keep the ratio instead of stopping.")


class Export(Strict):
    """How pictures are written and called."""

    format: Literal["png", "jpeg"] = Field(description="jpeg: quality 95 without chroma subsampling.")
    prefix: str = Field(pattern=r"^[a-z0-9_]*$", description="Begins every name; the item's number follows.")


class SideStages(Strict):
    """The stages of one side, in order; index and review have no numbers."""

    decode: Decode
    select: Select
    detect: Detect
    crop: Crop
    quality: Quality
    dedupe: Dedupe
    upscale: Upscale
    split: Split
    export: Export


class Construction(Strict):
    """Both sides' stages."""

    a: SideStages
    b: SideStages

    @model_validator(mode="after")
    def _check(self) -> Construction:
        if self.a.upscale.size_px != self.b.upscale.size_px:
            raise ValueError("a.upscale.size_px and b.upscale.size_px differ; a dataset has one size")
        return self
