"""How alike pictures look: perceptual hashes and the distances between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import imagehash
import numpy as np
from PIL import Image

BITS = 64

SAME = 4
"""Hashes up to this distance are most likely the same picture (saved again, resized, brightened)."""

ALIKE = 10
"""Up to this distance they may be: different faces of one cropping begin here."""

FLAT_STD = 1.0
"""Grey levels; below this spread a hash describes noise, and all pictures of one colour share it."""

BLOCK_PAIRS = 1 << 20
"""Pairs compared at a time: bounds the memory to some 10 MB."""


def perceptual_hash(rgb: np.ndarray) -> int | None:
    """The picture's pHash; None for a picture of one colour, which has none worth comparing.

    Shape: rgb (H, W, 3), uint8.
    """
    image = Image.fromarray(rgb).convert("L")
    if np.asarray(image.resize((32, 32)), dtype=np.float64).std() < FLAT_STD:
        return None
    bits = imagehash.phash(image, hash_size=8).hash
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def nearest(some: Sequence[int], others: Sequence[int]) -> list[tuple[int, int]]:
    """For each of `some`, the index of the nearest of `others` and its distance in bits, 0 to 64."""
    found: list[tuple[int, int]] = []
    for _, distances in _blocks(some, others):
        found += zip(distances.argmin(axis=1).tolist(), distances.min(axis=1).tolist(), strict=True)
    return found


def count_with_neighbour(hashes: Sequence[int], distance: int) -> int:
    """How many of the hashes have another one within the distance."""
    count = 0
    for start, distances in _blocks(hashes, hashes):
        own = np.arange(len(distances))
        distances[own, start + own] = BITS + 1
        count += int((distances.min(axis=1) <= distance).sum())
    return count


def count_with_mirrored(hashes: Sequence[int], mirrored: Sequence[int], distance: int) -> int:
    """How many of the hashes have another one's mirror image within the distance, but not that one itself.

    `mirrored` are the hashes of the same pictures, flipped left to right, in the same order.
    """
    count = 0
    blocks = zip(_blocks(hashes, hashes), _blocks(mirrored, hashes), strict=True)
    for (start, as_they_are), (_, flipped) in blocks:
        own = np.arange(len(flipped))
        flipped[own, start + own] = BITS + 1
        flipped[as_they_are <= distance] = BITS + 1
        count += int((flipped.min(axis=1) <= distance).sum())
    return count


def within(hashes: Sequence[int], distance: int) -> Iterator[list[tuple[int, int]]]:
    """For each hash in turn, the indices of the others within the distance, and how far they are."""
    for start, distances in _blocks(hashes, hashes):
        for row, bits in enumerate(distances):
            found = np.flatnonzero(bits <= distance)
            yield [(int(other), int(bits[other])) for other in found if other != start + row]


def _blocks(some: Sequence[int], others: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
    """Distances of all pairs, some rows at a time, with the first row's index; nothing without `others`."""
    rows, columns = np.array(some, dtype=np.uint64), np.array(others, dtype=np.uint64)
    if not len(columns):
        return
    step = max(1, BLOCK_PAIRS // len(columns))
    for start in range(0, len(rows), step):
        yield start, np.bitwise_count(rows[start : start + step, None] ^ columns[None, :])
