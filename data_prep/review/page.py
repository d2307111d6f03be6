"""What the review page shows: which pictures in which order, how far the review is, and the pictures."""

from __future__ import annotations

import getpass
import html
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from PIL import Image

from data_prep.items import REVIEW, Item
from data_prep.raw_pictures import decode_item
from data_prep.review.decisions import DROP, KEEP, Decision
from ugatit.construction import Side
from ugatit.images import read_rgb
from ugatit.manifest import DROPPED, KEPT

ALL = "all"

SHOWS = (REVIEW, KEPT, DROPPED, ALL)
"""The lists of the page. What is in them follows from the stages, not from decisions, so that no list changes
while it is worked on."""

PER_PAGE = 48

THUMBNAIL_PX = 256
RAW_PX = 1024
"""Longest side of a crop and of a raw picture on the page."""

JPEG_QUALITY = 92


def user_name() -> str:
    """The name under which the user is logged in; empty if the system knows none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


@dataclass(frozen=True)
class ReviewSide:
    """One side's pictures."""

    name: str
    """What its pictures are, such as selfie."""
    items: Sequence[Item]
    """As the stage before the review left them, with their doubt."""
    folder: Path
    """To which the items' `crop` is relative."""
    pictures: Path
    """To which the items' `file` is relative."""

    @cached_property
    def shown(self) -> list[Item]:
        """All that have a crop, the most doubtful first."""
        return sorted((i for i in self.items if i.crop), key=lambda i: (-(i.doubt or 0.0), i.item_id))

    @cached_property
    def by_id(self) -> dict[str, Item]:
        """The shown ones by their number."""
        return {item.item_id: item for item in self.shown}

    def listed(self, show: str) -> list[Item]:
        """The items of one of the lists in SHOWS."""
        return [item for item in self.shown if show in (ALL, _list_of(item))]

    def crop(self, item: Item) -> bytes:
        """A shown item's crop, reduced, as JPEG.

        Raises: PictureError or OSError if it cannot be read.
        """
        return _jpeg(read_rgb(self.folder / item.crop), THUMBNAIL_PX)

    def raw(self, item: Item) -> bytes:
        """The picture that a crop was cut from, reduced, as JPEG.

        Raises: PictureError if it cannot be read, or is not the file that was indexed.
        """
        return _jpeg(decode_item(self.pictures, item), RAW_PX)


@dataclass(frozen=True)
class Review:
    """A dataset under review."""

    dataset: str
    sides: Mapping[Side, ReviewSide]
    decisions: Path
    reviewer: str = field(default_factory=user_name)


def counts(items: Iterable[Item], decisions: Mapping[str, Decision]) -> dict[str, int]:
    """How far the review of one side is, in pictures that have a crop.

    shown: all; review: those the stages could not decide; undecided: those of them on which there is no
    decision; kept and dropped: what becomes of the others.
    """
    found = dict.fromkeys(("shown", "review", "kept", "dropped", "undecided"), 0)
    for item in items:
        if not item.crop:
            continue
        decision = decisions.get(item.item_id)
        found["shown"] += 1
        found["review"] += item.status == REVIEW
        if decision is None and item.status == REVIEW:
            found["undecided"] += 1
        else:
            keeps = item.status == KEPT if decision is None else decision.verdict == KEEP
            found["kept" if keeps else "dropped"] += 1
    return found


def all_counts(review: Review, decisions: Mapping[str, Decision]) -> dict[Side, dict[str, int]]:
    """The counts of every side."""
    return {side: counts(part.shown, decisions) for side, part in review.sides.items()}


def page_html(review: Review, token: str) -> str:
    """The page; its token lets it decide."""
    values = {"dataset": review.dataset, "reviewer": review.reviewer or "nobody", "token": token}
    escaped = {name: html.escape(value) for name, value in values.items()}
    return Template(asset("page.html")).substitute(escaped)


def asset(name: str) -> str:
    """A file that belongs to the page."""
    return (files(__package__) / name).read_text(encoding="utf-8")


def page_json(
    review: Review, side: Side, show: str, page: int | None, decisions: Mapping[str, Decision]
) -> dict[str, Any]:
    """One page of a list, the last one if there are fewer; with None that of the first undecided picture."""
    part = review.sides[side]
    listed = part.listed(show)
    pages = max(1, math.ceil(len(listed) / PER_PAGE))
    if page is None:
        waiting = (k for k, i in enumerate(listed) if i.status == REVIEW and i.item_id not in decisions)
        page = next(waiting, 0) // PER_PAGE
    page = min(page, pages - 1)
    return {
        "side": side,
        "show": show,
        "page": page,
        "pages": pages,
        "names": {name: other.name for name, other in review.sides.items()},
        "counts": all_counts(review, decisions),
        "items": [
            _item_json(part, item, decisions.get(item.item_id))
            for item in listed[page * PER_PAGE : (page + 1) * PER_PAGE]
        ],
    }


def decision_json(decision: Decision | None) -> dict[str, str] | None:
    """What the page tells of a decision."""
    if decision is None:
        return None
    return {"verdict": decision.verdict, "reviewer": decision.reviewer, "note": decision.note}


def _item_json(part: ReviewSide, item: Item, decision: Decision | None) -> dict[str, Any]:
    twin = part.by_id.get(item.duplicate_of)
    return {
        "id": item.item_id,
        "file": item.file,
        "status": item.status,
        "reason": item.reason,
        "doubt": item.doubt,
        "proposal": KEEP if item.status == KEPT else DROP,
        "decision": decision_json(decision),
        "size": [item.width, item.height],
        "square": [item.crop_left, item.crop_top, item.crop_px],
        "twin": twin and {"id": twin.item_id, "distance": item.distance},
    }


def _list_of(item: Item) -> str:
    """The list, other than all, that an item is in."""
    return item.status if item.alive else DROPPED


def _jpeg(rgb: np.ndarray, longest_px: int) -> bytes:
    """A picture as JPEG that keeps its colours, for they are what is judged."""
    image = Image.fromarray(rgb)
    image.thumbnail((longest_px, longest_px))
    data = io.BytesIO()
    image.save(data, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return data.getvalue()
