"""Stage 7, dedupe: crops that show the same picture, by their perceptual hashes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

from data_prep.items import REVIEW, Item
from data_prep.likeness import perceptual_hash, within
from data_prep.measuring import Columns, Measure, Stage
from data_prep.raw_pictures import read_made
from data_prep.stages.order import STAGE_VERSIONS
from ugatit.construction import Dedupe
from ugatit.manifest import DROPPED, KEPT

NAME = "dedupe"


@dataclass(frozen=True)
class HashStage(Stage):
    """Hashes every crop, also those that are out: a reviewer may take them in again."""

    folder: Path

    name: ClassVar[str] = NAME
    reads: ClassVar[tuple[str, ...]] = ("crop",)

    def concerns(self, item: Item) -> bool:
        """Whether there is a crop."""
        return bool(item.crop)

    def recipe(self) -> dict[str, Any]:
        """Versions: there are no settings."""
        return {"code": STAGE_VERSIONS[NAME], "imagehash": version("imagehash")}

    def open(self) -> Measure:
        """Nothing to load."""
        return self._measure

    def _measure(self, item: Item, key: str) -> Columns:
        look = perceptual_hash(read_made(self.folder, item.crop, "crop"))
        return {"phash": "" if look is None else f"{look:016x}"}


def dedupe(items: Sequence[Item], settings: Dedupe) -> list[Item]:
    """Give every hashed item its cluster, and take out what repeats a better one.

    Of two that are alike the one that is in comes before one in doubt or out, the larger crop before the
    smaller, and then the one with the smaller item number: the order of the files does not matter.
    """
    hashed = sorted((i for i, item in enumerate(items) if item.phash), key=lambda i: _rank(items[i]))
    looks = [int(items[i].phash, 16) for i in hashed]
    result = list(items)
    leader = list(range(len(looks)))
    for place, neighbours in enumerate(within(looks, settings.review_distance)):
        earlier = [(distance, other) for other, distance in neighbours if other < place]
        own = result[hashed[place]]
        if not earlier:
            continue
        for _, other in earlier:
            ends = sorted((_find(leader, place), _find(leader, other)))
            leader[ends[1]] = ends[0]
        standing = [(distance, other) for distance, other in earlier if result[hashed[other]].alive]
        distance, other = min(standing or earlier)
        first = result[hashed[other]]
        own = replace(own, duplicate_of=first.item_id, distance=distance)
        result[hashed[place]] = _decided(own, first, settings.drop_distance)
    for place, i in enumerate(hashed):
        result[i] = replace(result[i], cluster=items[hashed[_find(leader, place)]].item_id)
    return result


def _find(leader: Sequence[int], place: int) -> int:
    """The first of those that a hash is joined with."""
    while leader[place] != place:
        place = leader[place]
    return place


def _rank(item: Item) -> tuple[int, int, str, str]:
    """Which of two alike items is the better one."""
    return (
        0 if item.status == KEPT else 1 if item.alive else 2,
        -(item.crop_px or 0),
        item.item_id,
        item.file,
    )


def _decided(item: Item, first: Item, drop_distance: int) -> Item:
    """What becomes of an item that looks like a better one; nothing if that one is out itself."""
    if not item.alive or not first.alive:
        return item
    if (item.distance or 0) <= drop_distance:
        return item.out(DROPPED, NAME, f"duplicate: {first.file}, {item.distance} bits apart")
    return item.out(REVIEW, NAME, f"duplicate?: {first.file}, {item.distance} bits apart")
