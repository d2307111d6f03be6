"""Names and metadata of drawn pictures, in the shape of the two raw sources."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from data_prep.metadata import ATTRIBUTES

UNDECIDED = frozenset(
    ("white", "black", "asian", "oval_face", "round_face", "heart_face", "smiling", "mouth_open")
    + ("wearing_lipstick", "curly_hair", "straight_hair")
)
"""Attributes that nobody judged of drawn people."""

GENDERS = {"man": "Male", "unknown-gender": "?", "other-gender": "Other"}
"""The words of the anime metadata by kind of file; all others are Female."""

GIVEN = ("aoi", "emi", "hana", "kei", "mai", "nao", "rin", "sora", "yui", "akane", "chiyo", "fumi", "saki")
FAMILY = (
    "arai",
    "doi",
    "endo",
    "fuji",
    "hori",
    "ikeda",
    "kato",
    "mori",
    "noda",
    "oka",
    "sato",
    "toda",
    "ueda",
)
"""Parts of characters' names."""


def selfie_name(rng: np.random.Generator) -> str:
    """A file name without its ending, such as the source has."""
    return f"{rng.bytes(16).hex()}_6"


def selfie_row(name: str, what: str, hair: str, rng: np.random.Generator) -> str:
    """One line of the attribute file for a picture of the kind `what`."""
    values = {key: 0 if key in UNDECIDED else -1 for key in ATTRIBUTES}
    values["is_female"] = {"man": -1, "unknown-gender": 0}.get(what, 1)
    age = str(rng.choice(["child", "baby"])) if what == "minor" else "youth"
    values[age] = 1
    values[f"{hair}_hair"] = 1
    values["partial_faces"] = 1 if what == "border" else -1
    score = rng.uniform(2.5, 6.5)
    return " ".join([name, f"{score:.3f}", *map(str, values.values())])


def anime_name(rng: np.random.Generator, number: int) -> str:
    """A slug and a number, such as the source names its files."""
    return f"{rng.choice(GIVEN)}-{rng.choice(FAMILY)}-{1000 + number}"


def anime_row(file: str, what: str, hair: str, eyes: str) -> list[str]:
    """One row of the characters' table for a picture of the kind `what`."""
    slug = Path(file).stem.rsplit("-", 1)[0]
    name = slug.replace("-", " ").title()
    url = f"https://example.org/characters/{slug}"
    return [file, slug, name, GENDERS.get(what, "Female"), hair, eyes, "drawn", url]
