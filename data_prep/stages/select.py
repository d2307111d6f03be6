"""Stage 3, select: who is shown, by the metadata; a tagger may answer where they are silent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from data_prep.items import REVIEW, Item
from data_prep.metadata import FEMALE, OTHER, UNKNOWN, gender_of, key_of
from ugatit.construction import Select
from ugatit.manifest import DROPPED

NAME = "select"


def select(items: Sequence[Item], settings: Select, scores: Mapping[str, float]) -> list[Item]:
    """Tell the gender of every picture that is still in, and drop who is not wanted.

    Who stays unknown is for review. `scores` are a tagger's, by file: how surely a picture shows a woman.
    """
    return [_select(item, settings, scores) if item.alive else item for item in items]


def _select(item: Item, settings: Select, scores: Mapping[str, float]) -> Item:
    labels = tuple(item.labels.split(";")) if item.labels else ()
    gender, origin = gender_of(labels), "metadata"
    score = scores.get(key_of(item.file, scores))
    if gender == UNKNOWN and score is not None:
        origin = f"tagger: {score:.3f}"
        gender = (
            FEMALE if score >= settings.female_score else OTHER if score < settings.other_score else UNKNOWN
        )
    item = replace(item, gender=gender, gender_source=origin)
    for label in settings.exclude:
        if label in labels:
            return item.out(DROPPED, NAME, f"excluded: {label}")
    if settings.gender == "any" or gender == FEMALE:
        return item
    if gender == UNKNOWN:
        return item.out(REVIEW, NAME, "gender unknown")
    return item.out(DROPPED, NAME, f"not female: {gender}")
