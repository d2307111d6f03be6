"""Unpaired batches: pure functions of (seed, k), every picture once an epoch, augmented as the paper says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from ugatit.data import Domain, UnpairedData
from ugatit.edges import smooth_edges
from ugatit.errors import UserError
from ugatit.images import read_rgb, resize, to_tensor
from ugatit.manifest import Manifest
from ugatit.methods import Stream
from ugatit.models import Training

PLAIN = Training(
    image_px=16, load_px=16, flip=0.0, augmentation="always", batch_size=1, steps=10, decay_start=5,
    decay="linear", decay_every=1, crop_px=None, precision="float32",
)  # fmt: skip


def with_(**changes: object) -> Training:
    return PLAIN.model_copy(update=changes)


def test_batches_have_the_network_s_shape_and_range(dataset: Manifest) -> None:
    a, b = UnpairedData(dataset, with_(load_px=18, batch_size=3), 0).batch(4)
    assert a.shape == b.shape == (3, 3, 16, 16)
    assert a.dtype == torch.float32
    assert -1 <= a.min() < -0.5
    assert 0.5 < a.max() <= 1


def test_batch_k_does_not_depend_on_what_was_asked_before(dataset: Manifest) -> None:
    training = with_(load_px=18, flip=0.5)
    one, other = UnpairedData(dataset, training, 0), UnpairedData(dataset, training, 0)
    forwards = [one.batch(k) for k in range(8)]
    backwards = [other.batch(k) for k in reversed(range(8))][::-1]
    for (a, b), (c, d) in zip(forwards, backwards, strict=True):
        assert torch.equal(a, c)
        assert torch.equal(b, d)


def test_prefetching_starts_anywhere(dataset: Manifest) -> None:
    data = UnpairedData(dataset, with_(load_px=18), 0)
    stream = data.batches(5, torch.device("cpu"))
    for k in (5, 6, 7):
        for ours, direct in zip(next(stream), data.batch(k), strict=True):
            assert torch.equal(ours, direct)
    stream.close()


def test_every_epoch_is_another_permutation(dataset: Manifest) -> None:
    domain = Domain(dataset, "a", PLAIN, 0)
    pictures = {resize(dataset.read(p).rgb, 16).tobytes(): p.name for p in dataset.kept("trainA")}
    epochs = [[pictures[domain.picture(5 * epoch + k).tobytes()] for k in range(5)] for epoch in range(6)]
    assert all(sorted(epoch) == sorted(pictures.values()) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1


def test_domains_and_seeds_have_streams_of_their_own(dataset: Manifest) -> None:
    def orders(stream: Stream, seed: int) -> list[int]:
        domain = Domain(dataset, stream, PLAIN, seed)
        return [domain._index(k) for k in range(20)]

    assert orders("a", 0) != orders("a", 1)
    assert [k % 4 for k in orders("a", 0)] != orders("b", 0)


def test_without_crop_and_flip_pictures_are_only_resized(dataset: Manifest) -> None:
    a, _ = UnpairedData(dataset, PLAIN, 0).batch(0)
    plain = [to_tensor(resize(dataset.read(p).rgb, 16)) for p in dataset.kept("trainA")]
    assert any(torch.equal(a[0], picture) for picture in plain)


def test_flip_mirrors_half_of_the_draws(dataset: Manifest) -> None:
    plain, flipped = Domain(dataset, "b", PLAIN, 0), Domain(dataset, "b", with_(flip=0.5), 0)
    mirrored = 0
    draws = 200
    for k in range(draws):
        before, after = plain.picture(k), flipped.picture(k)
        assert np.array_equal(before, after) or np.array_equal(before[:, ::-1], after)
        mirrored += not np.array_equal(before, after)
    four_sigma = 4 * (draws * 0.25) ** 0.5
    assert abs(mirrored - draws / 2) < four_sigma


def test_crops_come_from_everywhere(dataset: Manifest) -> None:
    training = with_(load_px=18)
    domain = Domain(dataset, "a", training, 0)
    corners = set()
    for k in range(100):
        large = resize(dataset.read(dataset.kept("trainA")[domain._index(k)]).rgb, 18)
        crop = domain.picture(k)
        corners |= {
            (y, x) for y in range(3) for x in range(3) if np.array_equal(large[y : y + 16, x : x + 16], crop)
        }
    assert corners == {(y, x) for y in range(3) for x in range(3)}


def test_coin_switches_augmentation_for_a_whole_run_and_per_domain(dataset: Manifest) -> None:
    training = with_(load_px=18, augmentation="coin")
    coins = [
        (
            Domain(dataset, "a", training, seed).augmented,
            Domain(dataset, "b", training, seed).augmented,
        )
        for seed in range(40)
    ]
    assert set(coins) == {(False, False), (False, True), (True, False), (True, True)}
    seed = next(s for s, (a, _) in enumerate(coins) if not a)
    off, plain = Domain(dataset, "a", training, seed), Domain(dataset, "a", PLAIN, seed)
    assert all(np.array_equal(off.picture(k), plain.picture(k)) for k in range(6))


def test_streams_of_smoothed_pictures_have_an_order_of_their_own(dataset: Manifest) -> None:
    training = with_(load_px=18, flip=0.5)
    data = UnpairedData(dataset, training, 0, ("a", "b", "edges_b"))
    a, b, smoothed = data.batch(3)
    for ours, plain in zip((a, b), UnpairedData(dataset, training, 0).batch(3), strict=True):
        assert torch.equal(ours, plain), "asking for more changes nothing of the rest"
    assert smoothed.shape == b.shape
    orders = [[Domain(dataset, s, PLAIN, 0)._index(k) for k in range(20)] for s in ("b", "edges_b")]
    assert orders[0] != orders[1]
    pictures = {smooth_edges(resize(dataset.read(p).rgb, 16)).tobytes() for p in dataset.kept("trainB")}
    assert Domain(dataset, "edges_b", PLAIN, 0).picture(5).tobytes() in pictures


@pytest.mark.parametrize("stream", ["a", "edges_b"])
def test_decoding_again_gives_what_memory_gives(
    dataset: Manifest, monkeypatch: pytest.MonkeyPatch, stream: Stream
) -> None:
    cached = Domain(dataset, stream, with_(load_px=18), 0)
    monkeypatch.setattr("ugatit.data.CACHE_BYTES", 0)
    decoding = Domain(dataset, stream, with_(load_px=18), 0)
    for k in range(7):
        assert np.array_equal(cached.picture(k), decoding.picture(k))
    assert not decoding._cache


def test_a_picture_changed_after_the_build_is_refused(dataset: Manifest) -> None:
    picture = dataset.kept("trainA")[0]
    file = Path(dataset.path.parent / picture.path)
    assert read_rgb(file).shape == (20, 24, 3)
    file.write_bytes(file.read_bytes() + b"x")
    data = UnpairedData(dataset, PLAIN, 0)
    with pytest.raises(UserError, match="changed since"):
        for k in range(5):
            data.batch(k)


def test_crops_may_be_smaller_than_what_is_translated(dataset: Manifest) -> None:
    a, b = UnpairedData(dataset, with_(load_px=18, crop_px=12), 0).batch(0)
    assert a.shape == b.shape == (1, 3, 12, 12)
    with pytest.raises(ValueError, match="load_px 16 is smaller than the crop of 20"):
        Training(**{**PLAIN.model_dump(), "crop_px": 20})
