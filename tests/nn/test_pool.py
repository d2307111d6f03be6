"""The pool: fills first, then exchanges every second item, and survives a checkpoint."""

from __future__ import annotations

from collections import Counter

import torch

from ugatit.nn.pool import ImagePool

ITEMS = 4000


def items(count: int) -> torch.Tensor:
    """Items that can be told apart by their number."""
    return torch.arange(count, dtype=torch.float32).view(-1, 1, 1).expand(-1, 2, 3)


def numbers(pool: ImagePool, given: torch.Tensor) -> list[int]:
    return [int(n) for n in pool(given)[:, 0, 0]]


def test_while_there_is_room_new_items_come_back() -> None:
    pool = ImagePool(5)
    assert numbers(pool, items(5)) == [0, 1, 2, 3, 4]
    assert pool.stored[:, 0, 0].tolist() == [0, 1, 2, 3, 4]


def test_afterwards_every_second_item_is_an_old_one() -> None:
    torch.manual_seed(0)
    size = 10
    pool = ImagePool(size)
    back = numbers(pool, items(ITEMS))
    old = [number < k for k, number in enumerate(back)]
    assert not any(old[:size])
    four_sigma = 4 * (ITEMS * 0.25) ** 0.5
    assert abs(sum(old) - (ITEMS - size) / 2) < four_sigma
    kept = [int(n) for n in pool.stored[:, 0, 0]]
    # An item that was given as an old one is no longer there, and none is given as an old one twice.
    given_old = Counter(number for number, is_old in zip(back, old, strict=True) if is_old)
    assert max(given_old.values()) == 1
    assert not given_old.keys() & set(kept)


def test_items_wait_as_long_as_the_size_says() -> None:
    torch.manual_seed(0)
    size = 10
    pool = ImagePool(size)
    back = numbers(pool, items(ITEMS))
    waits = [k - number for k, number in enumerate(back) if number < k]
    # Each step replaces a given item with probability 1 / (2 size): geometric, mean 2 size, deviation about the same.
    mean = sum(waits) / len(waits)
    four_sigma = 4 * 2 * size / len(waits) ** 0.5
    assert abs(mean - 2 * size) < four_sigma


def test_size_0_keeps_nothing() -> None:
    pool = ImagePool(0)
    given = items(3).clone().requires_grad_()
    back = pool(given)
    assert torch.equal(back, given)
    assert not back.requires_grad
    assert not len(pool.stored)


def test_items_are_copies_without_gradient() -> None:
    pool = ImagePool(1)
    weight = torch.ones(1, 2, requires_grad=True)
    first = pool(weight * 3)
    assert not first.requires_grad
    with torch.no_grad():
        first.zero_()
    assert torch.equal(pool.stored, torch.full((1, 2), 3.0))


def test_a_checkpoint_holds_it_and_it_goes_on_the_same() -> None:
    one, other = ImagePool(4), ImagePool(4)
    one(items(3))
    other.load_state_dict(one.state_dict())
    torch.manual_seed(1)
    expected = one(items(50))
    torch.manual_seed(1)
    assert torch.equal(other(items(50)), expected)
    assert torch.equal(other.stored, one.stored)
    assert not list(one.parameters())
