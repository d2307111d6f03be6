from __future__ import annotations

import logging
import random
from collections import Counter
from dataclasses import replace

import pytest

from data_prep.items import REVIEW, Item
from data_prep.stages.split import SPARE, TEST, TRAIN, split
from tests.data_prep.small_side import item
from ugatit.construction import Split
from ugatit.errors import UserError
from ugatit.manifest import DROPPED, ERROR

SETTINGS = Split(seed=0, allow_fewer=False)
FEWER = SETTINGS.model_copy(update={"allow_fewer": True})


def alone(count: int, first: int = 0) -> list[Item]:
    return [item(number, cluster=f"{number:016x}") for number in range(first, first + count)]


def together(*sizes: int, by: str = "slug", first: int = 1000) -> list[Item]:
    """Groups of these sizes, by character or by likeness."""
    items = []
    for group, size in enumerate(sizes):
        columns = {"labels": f"gender=F;slug=s{group};hat"} if by == "slug" else {"cluster": f"c{group}"}
        items += [item(first + len(items) + n, **columns) for n in range(size)]
    return items


def names(items: list[Item], part: str) -> set[str]:
    return {made.file for made in items if made.split == part}


def counts(items: list[Item]) -> dict[str, int]:
    return dict(Counter(made.split for made in items if made.split))


@pytest.mark.parametrize(
    ("found", "train", "test"), [(10, 7, 3), (30, 7, 3), (10, 10, 0), (10, 0, 4), (3, 0, 0)]
)
def test_counts_are_exact_and_the_first_ranks_are_the_test(found: int, train: int, test: int) -> None:
    after = split(alone(found), SETTINGS, train, test)
    expected = {TRAIN: train, TEST: test, SPARE: found - train - test}
    assert counts(after) == {part: count for part, count in expected.items() if count}
    ranked = [made.split for made in sorted(after, key=lambda made: made.rank)]
    assert ranked == test * [TEST] + train * [TRAIN] + (found - train - test) * [SPARE]
    assert len({made.rank for made in after}) == found
    assert [replace(made, split="", rank="") for made in after] == alone(found)


def test_the_order_of_the_files_does_not_matter() -> None:
    items = alone(20) + together(3, 2, 4, by="cluster")
    expected = {made.file: made for made in split(items, SETTINGS, 15, 6)}
    random.Random(0).shuffle(items)
    assert {made.file: made for made in split(items, SETTINGS, 15, 6)} == expected


def test_the_seed_changes_the_choice() -> None:
    chosen = [names(split(alone(40), Split(seed=seed, allow_fewer=False), 30, 10), TEST) for seed in range(3)]
    assert len(set(map(frozenset, chosen))) == 3


def test_more_pictures_displace_only_by_a_better_rank() -> None:
    before = split(alone(40), SETTINGS, 30, 10)
    after = split(alone(40) + alone(25, first=500), SETTINGS, 30, 10)
    ranks = {made.file: made.rank for made in after}
    assert all(ranks[made.file] == made.rank for made in before)
    left = names(before, TEST) - names(after, TEST)
    came = names(after, TEST) - names(before, TEST)
    assert 0 < len(left) == len(came)
    assert came <= {made.file for made in alone(25, first=500)}
    assert max(ranks[name] for name in came) < min(ranks[name] for name in left)
    assert not names(after, TEST) & names(before, TRAIN)


def test_pictures_that_go_move_nobody_out_of_the_test() -> None:
    before = split(alone(40), SETTINGS, 25, 10)
    gone = [
        replace(made, status=DROPPED) if number % 4 == 0 else made for number, made in enumerate(alone(40))
    ]
    after = split(gone, SETTINGS, 20, 10)
    assert names(before, TEST) - {f"{number}.png" for number in range(0, 40, 4)} <= names(after, TEST)


@pytest.mark.parametrize("by", ["slug", "cluster"])
def test_groups_lie_in_one_split(by: str) -> None:
    items = alone(30) + together(*[2] * 6, *[3] * 6, 7, by=by)
    for seed in range(8):
        after = split(items, Split(seed=seed, allow_fewer=False), 40, 12)
        assert {part: counts(after)[part] for part in (TRAIN, TEST)} == {TRAIN: 40, TEST: 12}
        parts: dict[str, set[str]] = {}
        for made in after[30:]:
            parts.setdefault(made.labels or made.cluster, set()).add(made.split)
        assert not [where for where in parts.values() if {TEST, TRAIN} <= where]
        assert not [where for where in parts.values() if {TEST, SPARE} <= where]


def test_groups_that_share_a_member_are_one() -> None:
    chain = [
        item(1, labels="slug=a"),
        item(2, labels="slug=a", cluster="x"),
        item(3, labels="slug=b", cluster="x"),
    ]
    chain.append(item(4, labels="slug=b"))
    for seed in range(6):
        after = split(chain + alone(6, first=50), Split(seed=seed, allow_fewer=False), 6, 4)
        assert len({made.split for made in after[:4]} & {TRAIN, TEST}) == 1


def test_a_member_that_is_out_joins_nobody() -> None:
    chain = [
        item(1, labels="slug=a"),
        item(2, labels="slug=a", cluster="x", status=DROPPED),
        item(3, cluster="x"),
    ]
    apart = [split(chain, Split(seed=seed, allow_fewer=False), 1, 1) for seed in range(4)]
    assert all({made.split for made in after} == {TRAIN, TEST, ""} for after in apart)


def test_pictures_of_unknown_characters_are_no_group() -> None:
    unknown = [item(number, labels="gender=F;slug=") for number in range(8)]
    assert counts(split(unknown, SETTINGS, 5, 3)) == {TRAIN: 5, TEST: 3}


def test_only_what_is_kept_is_chosen() -> None:
    out = [item(90 + n, status=status) for n, status in enumerate((DROPPED, ERROR, REVIEW))]
    after = split(alone(4) + out, SETTINGS, 3, 1)
    assert after[4:] == out


def test_too_few_pictures_are_refused_with_what_each_stage_took() -> None:
    lost = [item(90, status=DROPPED, stage="detect"), item(91, status=DROPPED, stage="detect")]
    lost.append(item(92, status=ERROR, stage="decode"))
    with pytest.raises(UserError) as refused:
        split(alone(9) + lost, SETTINGS, 8, 2)
    assert "9 of 12 pictures are left, 8 + 2 are wanted (lost: detect 2, decode 1)" in str(refused.value)
    assert "allow_fewer" in str(refused.value)


@pytest.mark.parametrize(
    ("found", "wanted", "made"),
    [
        (10, (18, 2), (9, 1)),
        (5, (180, 20), (4, 1)),
        (8, (10, 10), (4, 4)),
        (2, (10, 90), (1, 1)),
        (9, (80, 20), (7, 2)),
        (5, (80, 0), (5, 0)),
        (1, (80, 0), (1, 0)),
        (5, (0, 20), (0, 5)),
    ],
)
def test_with_fewer_the_ratio_is_kept(
    found: int, wanted: tuple[int, int], made: tuple[int, int], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    after = counts(split(alone(found), FEWER, *wanted))
    assert (after.get(TRAIN, 0), after.get(TEST, 0), after.get(SPARE, 0)) == (*made, 0)
    assert f"{found} of {found} pictures are left" in caplog.text
    assert f"made {made[0]} + {made[1]}" in caplog.text


@pytest.mark.parametrize("found", [0, 1])
def test_a_single_picture_makes_no_two_splits(found: int) -> None:
    with pytest.raises(UserError, match=f"{found} of {found} pictures are left"):
        split(alone(found), FEWER, 8, 2)


def test_enough_pictures_are_never_fewer(caplog: pytest.LogCaptureFixture) -> None:
    assert counts(split(alone(10), FEWER, 8, 2)) == {TRAIN: 8, TEST: 2}
    assert not caplog.records


def test_groups_that_do_not_fit_make_no_small_split_in_silence() -> None:
    pairs = together(*[2] * 10)
    try:
        after = split(pairs, SETTINGS, 10, 3)
    except UserError as refused:
        assert "3" in str(refused)
    else:
        assert (counts(after)[TRAIN], counts(after)[TEST]) == (10, 3)
