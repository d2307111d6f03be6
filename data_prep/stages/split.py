"""Stage 10, split: which pictures are for training and which for the test, by a hash of each."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from data_prep.items import Item
from ugatit.construction import Split
from ugatit.errors import UserError
from ugatit.manifest import KEPT

LOG = logging.getLogger(__name__)

NAME = "split"

TRAIN, TEST, SPARE = "train", "test", "spare"
"""Spare pictures are good ones that the dataset does not need."""


def split(items: Sequence[Item], settings: Split, train: int, test: int) -> list[Item]:
    """Rank the pictures that are in; the first make the test set, the next the training set.

    Pictures of one character and pictures that look alike form a group, which lies in one split and ranks
    as the first of its members. Ranks do not change when other pictures come or go.

    Raises: UserError with the counts of every stage if there are too few and `allow_fewer` is not set.
    """
    groups = _groups([item for item in items if item.status == KEPT], settings.seed)
    found = sum(map(len, groups))
    if found < train + test:
        train, test = _fewer(items, found, train, test, settings.allow_fewer)
    chosen = _assign(groups, train, test)
    if (made := list(chosen.values()).count(TEST)) < test:
        raise UserError(
            f"split: {made} of {test} test pictures found: groups of one character or look are not divided, "
            "and those left are larger than what is missing. Bring more raw pictures, or ask for fewer."
        )
    return [
        replace(item, split=chosen[item.item_id], rank=_rank(settings.seed, item.item_id))
        if item.item_id in chosen and item.status == KEPT
        else item
        for item in items
    ]


def _groups(items: Sequence[Item], seed: int) -> list[list[Item]]:
    """Items that belong together, in order of their ranks."""
    leader = {item.item_id: item.item_id for item in items}

    def find(name: str) -> str:
        while leader[name] != name:
            name = leader[name]
        return name

    for shared in (_character, lambda item: item.cluster):
        first: dict[str, str] = {}
        for item in items:
            if value := shared(item):
                leader[find(item.item_id)] = find(first.setdefault(value, item.item_id))
    groups: dict[str, list[Item]] = {}
    for item in sorted(items, key=lambda item: _rank(seed, item.item_id)):
        groups.setdefault(find(item.item_id), []).append(item)
    return list(groups.values())


def _character(item: Item) -> str:
    """Who is shown, if the metadata say so by a `slug`."""
    slugs = (label for label in item.labels.split(";") if label.startswith("slug="))
    return next((slug for slug in slugs if slug != "slug="), "")


def _rank(seed: int, item_id: str) -> str:
    return hashlib.sha256(f"{seed}:{item_id}".encode()).hexdigest()[:16]


def _assign(groups: Sequence[Sequence[Item]], train: int, test: int) -> dict[str, str]:
    """Fill the test set with whole groups, then the training set; a group's rest is spare."""
    chosen: dict[str, str] = {}
    room = Counter({TEST: test, TRAIN: train})
    for group in groups:
        place = TEST if len(group) <= room[TEST] else TRAIN
        for item in group:
            chosen[item.item_id] = place if room[place] > 0 else SPARE
            room[place] -= 1
    return chosen


def _fewer(items: Sequence[Item], found: int, train: int, test: int, allowed: bool) -> tuple[int, int]:
    """Smaller splits in the same ratio, each that is asked for of at least one picture."""
    stages = Counter(item.stage for item in items if item.status != KEPT)
    lost = ", ".join(f"{stage} {count}" for stage, count in stages.items())
    message = f"split: {found} of {len(items)} pictures are left, {train} + {test} are wanted (lost: {lost})"
    if not allowed or found < (train > 0) + (test > 0):
        raise UserError(
            f"{message}. Bring more raw pictures, lower the dataset's `pictures`, or set split.allow_fewer."
        )
    fewer_test = round(found * test / (train + test))
    if train and test:
        fewer_test = min(found - 1, max(1, fewer_test))
    LOG.warning("%s; made %d + %d", message, found - fewer_test, fewer_test)
    return found - fewer_test, fewer_test
