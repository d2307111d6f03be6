"""Unpaired training batches from a manifest: batch k is a pure function of (seed, k)."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from ugatit.edges import smooth_edges
from ugatit.images import resize, to_tensor
from ugatit.manifest import Manifest
from ugatit.methods import Batch, Stream
from ugatit.models import Training

CACHE_BYTES = 4 << 30
"""Decoded pictures of one domain are kept in memory as uint8 up to this size."""

STREAMS: tuple[Stream, ...] = ("a", "b", "edges_a", "edges_b")
"""All streams; the place of one is part of the key of its random numbers."""

SPLITS: dict[Stream, str] = {"a": "trainA", "b": "trainB", "edges_a": "trainA", "edges_b": "trainB"}
"""Where the pictures of each stream are."""

SMOOTHED: frozenset[Stream] = frozenset({"edges_a", "edges_b"})
"""Streams of pictures with smoothed edges, drawn independently of the pictures as they are."""

ORDER, AUGMENTATION, COIN = 0, 1, 2
"""Purposes of random numbers; each has its own stream."""


class Domain:
    """The training pictures of one stream, shuffled anew each epoch and augmented per draw."""

    def __init__(self, manifest: Manifest, stream: Stream, training: Training, seed: int) -> None:
        self._manifest, self._training = manifest, training
        self._pictures = manifest.kept(SPLITS[stream])
        self._smoothed = stream in SMOOTHED
        self._key = (seed, STREAMS.index(stream))
        augmented = training.augmentation == "always" or self._rng(COIN).random() > 0.5
        self.augmented = augmented
        self._load_px = training.load_px if augmented else training.seen_px
        self._cached = len(self._pictures) * 3 * self._load_px**2 <= CACHE_BYTES
        self._cache: dict[int, np.ndarray] = {}
        self._order: tuple[int, np.ndarray] = (-1, np.empty(0, np.int64))

    def picture(self, draw: int) -> np.ndarray:
        """The picture of a draw (0, 1, ...) as the network sees it.

        Shape: (crop_px, crop_px, 3), or image_px where there is none; uint8.
        Source: section 5; order and augmentation: decision D13.
        """
        rgb = self._load(self._index(draw))
        if not self.augmented:
            return rgb
        rng = self._rng(AUGMENTATION, draw)
        px = self._training.seen_px
        flip = rng.random() < self._training.flip
        top, left = rng.integers(0, self._load_px - px + 1, size=2)
        crop = rgb[top : top + px, left : left + px]
        return crop[:, ::-1] if flip else crop

    def _index(self, draw: int) -> int:
        """Which picture a draw takes: every epoch is a permutation of its own."""
        epoch, position = divmod(draw, len(self._pictures))
        if self._order[0] != epoch:
            self._order = (epoch, self._rng(ORDER, epoch).permutation(len(self._pictures)))
        return int(self._order[1][position])

    def _load(self, index: int) -> np.ndarray:
        """A picture at its loading size, its edges smoothed there, from memory if it fits."""
        if index in self._cache:
            return self._cache[index]
        rgb = resize(self._manifest.read(self._pictures[index]).rgb, self._load_px)
        if self._smoothed:
            rgb = smooth_edges(rgb)
        if self._cached:
            self._cache[index] = rgb
        return rgb

    def _rng(self, *purpose: int) -> np.random.Generator:
        return np.random.default_rng([*self._key, *purpose])


class UnpairedData:
    """Batches from the training splits of a dataset, or one process's equal share of each."""

    def __init__(
        self,
        manifest: Manifest,
        training: Training,
        seed: int,
        streams: Sequence[Stream] = ("a", "b"),
        share: tuple[int, int] = (0, 1),
    ) -> None:
        self._domains = [Domain(manifest, stream, training, seed) for stream in streams]
        self._batch_size = training.batch_size
        number, of = share
        size = training.batch_size // of
        self._share = slice(number * size, (number + 1) * size)

    def batch(self, k: int) -> Batch:
        """Batch k (0, 1, ...), or the share of it.

        Shape: one tensor for each stream, (N, 3, H, W), float32. Range: [-1, 1].
        """
        draws = range(k * self._batch_size, (k + 1) * self._batch_size)[self._share]
        return tuple(to_tensor(np.stack([domain.picture(d) for d in draws])) for domain in self._domains)

    def batches(self, start: int, device: torch.device) -> Generator[Batch, None, None]:
        """Batches from `start` on, on a device, each prepared while its forerunner is used."""
        with ThreadPoolExecutor(1) as pool:
            k = start
            upcoming = pool.submit(self.batch, k)
            while True:
                batch = upcoming.result()
                k += 1
                upcoming = pool.submit(self.batch, k)
                yield tuple(pictures.to(device, non_blocking=True) for pictures in batch)
