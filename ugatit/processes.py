"""What the processes of one training say to each other; in a training of one process nothing.

Each process has a share of every batch. Losses are means over pictures and the shares are equal, so the mean
of the processes' gradients is the gradient of the whole batch, and all take the same step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import torch
from torch import Tensor, distributed

BUCKET_NUMBERS = 1 << 24
"""Smaller tensors travel together, up to so many numbers: 64 MB in float32."""

PATIENCE = timedelta(minutes=30)
"""How long a process waits for another, which may be saving a checkpoint."""


def rank() -> int:
    """Which of the processes this one is; 0 leads."""
    return distributed.get_rank() if _several() else 0


def count() -> int:
    """How many processes share this training."""
    return distributed.get_world_size() if _several() else 1


def average(tensors: Iterable[Tensor]) -> None:
    """Replace each tensor by its mean over all processes, which must call this with the same shapes."""
    if not _several():
        return
    for bucket in _buckets(tensors):
        flat = torch.cat([tensor.reshape(-1) for tensor in bucket])
        distributed.all_reduce(flat)
        flat /= count()
        for tensor, mean in zip(bucket, flat.split([t.numel() for t in bucket]), strict=True):
            tensor.copy_(mean.view_as(tensor))


def as_the_leader(*answers: bool) -> Sequence[bool]:
    """The leader's answers to questions that all processes must answer alike."""
    if not _several():
        return answers
    said = torch.tensor(answers, dtype=torch.uint8)
    distributed.broadcast(said, src=0)
    return [bool(answer) for answer in said]


@contextmanager
def member(number: int, of: int, meeting: Path, device_type: str) -> Iterator[None]:
    """Be one of several processes of this machine while inside; they meet at a file that is new."""
    backend = "cpu:gloo,cuda:nccl" if device_type == "cuda" else "gloo"
    distributed.init_process_group(
        backend, init_method=meeting.absolute().as_uri(), rank=number, world_size=of, timeout=PATIENCE
    )
    try:
        yield
    finally:
        distributed.destroy_process_group()


def _several() -> bool:
    return distributed.is_available() and distributed.is_initialized()


def _buckets(tensors: Iterable[Tensor]) -> Iterator[list[Tensor]]:
    """Tensors in their order, as many together as fit."""
    bucket: list[Tensor] = []
    for tensor in tensors:
        if bucket and sum(t.numel() for t in bucket) + tensor.numel() > BUCKET_NUMBERS:
            yield bucket
            bucket = []
        bucket.append(tensor)
    if bucket:
        yield bucket
