"""Pictures that a dataset holds more than once: within a split, in train and test, on both sides."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from data_prep.examine import Examined
from data_prep.findings import NOTE, PROBLEM, WARNING, Finding, Pictures, per_split
from data_prep.likeness import ALIKE, SAME, count_with_mirrored, count_with_neighbour, nearest
from ugatit.manifest import SPLITS


def repeated(usable: Pictures) -> Iterable[Finding]:
    """The same picture more than once in one split: exact copies by name, others counted."""
    copies: list[tuple[Examined, Examined]] = []
    alike: dict[str, int] = {}
    mirrored: dict[str, int] = {}
    for split in SPLITS:
        groups = _by_pixels(usable[split]).values()
        copies += [(group[0], other) for group in groups for other in group[1:]]
        looks = [(g[0].look, g[0].mirrored) for g in groups]
        alike[split] = count_with_neighbour([look for look, _ in looks if look is not None], SAME)
        both = [(look, flipped) for look, flipped in looks if look is not None and flipped is not None]
        mirrored[split] = count_with_mirrored(
            [look for look, _ in both], [flipped for _, flipped in both], SAME
        )
    if copies:
        what = f"exact copies within a split: {per_split(Counter(copy.split for _, copy in copies))}"
        where = tuple(_equal(first, copy) for first, copy in copies)
        remedy = "Keep one of each: the copies give their picture more weight."
        yield Finding(WARNING, "repeated", what, remedy, where)
    for kind, counts, likeness in (
        ("alike", alike, "look like another of their split"),
        ("mirrored", mirrored, "look like another of their split in a mirror"),
    ):
        if found := {split: count for split, count in counts.items() if count}:
            what = f"pictures that {likeness} (pHash distance 0 to {SAME}): {per_split(found)}"
            yield Finding(NOTE, kind, what, "Nothing, unless you want every picture once.")


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
    """Each picture's nearest in the other set, as it is or in a mirror, if it is near enough."""
    found = _pairs(these, those, lambda picture: picture.look)
    same = {name for distance, name, _ in found if distance <= SAME}
    flipped = _pairs(these, those, lambda picture: picture.mirrored)
    in_mirror = [pair for pair in flipped if pair[1] not in same]
    for severity, kind, pairs, low, high, likely, remedy in (
        (WARNING, "near", found, 0, SAME, "most likely the same picture", meeting.remedy),
        (WARNING, "mirrored", in_mirror, 0, SAME, "most likely the same picture, mirrored,", meeting.remedy),
        (NOTE, "look-at", found, SAME + 1, ALIKE, "perhaps the same picture", "Look at these pairs."),
    ):
        if near := sorted(pair for pair in pairs if low <= pair[0] <= high):
            what = f"{likely} {meeting.what} (pHash distance {low} to {high}): {len(near)}"
            where = tuple(f"{name} ~ {other} (distance {distance})" for distance, name, other in near)
            yield Finding(severity, f"{kind}-{meeting.kind}", what, remedy, where)


def _pairs(
    these: Iterable[Examined], those: Iterable[Examined], hash_of: Callable[[Examined], int | None]
) -> list[tuple[int, str, str]]:
    """Distance and names of each picture that has a hash and of the one that looks most like it."""
    mine = [(picture, look) for picture in these if (look := hash_of(picture)) is not None]
    theirs = [(picture, picture.look) for picture in those if picture.look is not None]
    if not theirs:
        return []
    matches = nearest([look for _, look in mine], [look for _, look in theirs])
    return [
        (distance, picture.name, theirs[index][0].name)
        for (picture, _), (index, distance) in zip(mine, matches, strict=True)
    ]


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
