"""Pictures that a dataset holds more than once: within a split, in train and test, on both sides."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from data_prep.examine import Examined
from data_prep.findings import NOTE, PROBLEM, WARNING, Finding, Pictures, per_split
from data_prep.likeness import ALIKE, SAME, count_with_neighbour, nearest
from ugatit.manifest import SPLITS


def repeated(usable: Pictures) -> Iterable[Finding]:
    """The same picture more than once in one split: exact copies by name, others counted."""
    copies: list[tuple[Examined, Examined]] = []
    alike: dict[str, int] = {}
    for split in SPLITS:
        groups = _by_pixels(usable[split]).values()
        copies += [(group[0], other) for group in groups for other in group[1:]]
        alike[split] = count_with_neighbour([g[0].look for g in groups if g[0].look is not None], SAME)
    if copies:
        what = f"exact copies within a split: {per_split(Counter(copy.split for _, copy in copies))}"
        where = tuple(_equal(first, copy) for first, copy in copies)
        remedy = "Keep one of each: the copies give their picture more weight."
        yield Finding(WARNING, "repeated", what, remedy, where)
    if found := {split: count for split, count in alike.items() if count}:
        what = (
            f"pictures that look like another of their split (pHash distance 0 to {SAME}): {per_split(found)}"
        )
        yield Finding(NOTE, "alike", what, "Nothing, unless you want every picture once.")


@dataclass(frozen=True)
class _Meeting:
    """Two sets of splits that must not share a picture."""

    kind: str
    these: tuple[str, ...]
    those: tuple[str, ...]
    what: str
    remedy: str


MEETINGS = (
    _Meeting("leak", ("testA",), ("trainA",), "in testA and in trainA",
             "Take them out of one: a test picture that was trained on flatters the result."),
    _Meeting("leak", ("testB",), ("trainB",), "in testB and in trainB",
             "Take them out of one: a test picture that was trained on flatters the result."),
    _Meeting("both-sides", ("trainA", "testA"), ("trainB", "testB"), "on both sides",
             "Take them out of the side where they do not belong: for them there is nothing to translate."),
)  # fmt: skip


def shared(usable: Pictures) -> Iterable[Finding]:
    """Pictures that are in two sets of splits, exactly or to the eye."""
    for meeting in MEETINGS:
        these = [picture for split in meeting.these for picture in usable[split]]
        those = [picture for split in meeting.those for picture in usable[split]]
        known = _by_pixels(those)
        if equal := [picture for picture in these if picture.pixels in known]:
            where = tuple(_equal(picture, known[picture.pixels][0]) for picture in equal)
            what = f"the same picture {meeting.what}: {len(equal)}"
            yield Finding(PROBLEM, meeting.kind, what, meeting.remedy, where)
        rest = [picture for picture in these if picture.pixels not in known]
        yield from _alike(meeting, rest, those)


def _alike(meeting: _Meeting, these: Sequence[Examined], those: Sequence[Examined]) -> Iterable[Finding]:
    """Each picture's nearest in the other set, if it is near enough."""
    mine = [(picture, picture.look) for picture in these if picture.look is not None]
    theirs = [(picture, picture.look) for picture in those if picture.look is not None]
    if not theirs:
        return
    pairs = nearest([look for _, look in mine], [look for _, look in theirs])
    found = [
        (distance, picture.name, theirs[index][0].name)
        for (picture, _), (index, distance) in zip(mine, pairs, strict=True)
    ]
    for severity, kind, low, high, likely, remedy in (
        (WARNING, "near", 0, SAME, "most likely the same picture", meeting.remedy),
        (NOTE, "look-at", SAME + 1, ALIKE, "perhaps the same picture", "Look at these pairs."),
    ):
        if near := sorted(pair for pair in found if low <= pair[0] <= high):
            what = f"{likely} {meeting.what} (pHash distance {low} to {high}): {len(near)}"
            where = tuple(f"{name} ~ {other} (distance {distance})" for distance, name, other in near)
            yield Finding(severity, f"{kind}-{meeting.kind}", what, remedy, where)


def _by_pixels(pictures: Iterable[Examined]) -> dict[str, list[Examined]]:
    """The pictures in groups of equal size and pixels."""
    groups: dict[str, list[Examined]] = defaultdict(list)
    for picture in pictures:
        groups[picture.pixels].append(picture)
    return groups


def _equal(picture: Examined, other: Examined) -> str:
    """Name a pair of equal pictures and say how equal."""
    of = "bytes" if picture.content == other.content else "pixels"
    return f"{picture.name} = {other.name} (same {of})"
