"""Starting and ending the other processes of a training that has several."""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from ugatit.errors import UserError
from ugatit.methods import Traits
from ugatit.nn.losses import NonFiniteLoss
from ugatit.processes import member
from ugatit.run import Run
from ugatit.training.stop import Stopped

PATIENCE_S = 30.0
"""How long the others may take to end after this one has."""

LOOPBACK = {"linux": "lo", "darwin": "lo0"}
"""The network interface over which the processes talk: all are of one machine."""


def check_team(devices: int, device: torch.device, run: Run, traits: Traits) -> None:
    """Refuse a number of processes that a training cannot be shared by.

    Raises: UserError naming what stands against it.
    """
    where = f"--devices {devices} (resource `gpu` of rule train)"
    if not traits.shared:
        raise UserError(
            f"{where}: the method {run.method} draws random numbers or keeps pictures, so several processes "
            "would not train what one does. Use 1."
        )
    if run.training.batch_size % devices:
        raise UserError(
            f"{where}: training.batch_size {run.training.batch_size} cannot be shared equally. Use a "
            f"batch_size that is a multiple of {devices}, or fewer devices."
        )
    if device.type == "mps":
        raise UserError(f"{where}: found device mps, expected cuda or cpu. Use 1.")
    if device.type == "cuda" and torch.cuda.device_count() < devices:
        raise UserError(f"{where}: found {torch.cuda.device_count()} GPUs that this process may use.")


@contextmanager
def team(
    devices: int, device: torch.device, share: Callable[..., Any], arguments: tuple[Any, ...]
) -> Iterator[None]:
    """Let `devices - 1` other processes do their share while this one does its own inside.

    All end together: when one dies, the others notice at their next message.
    """
    if devices == 1:
        yield
        return
    if sys.platform in LOOPBACK:
        os.environ.setdefault("GLOO_SOCKET_IFNAME", LOOPBACK[sys.platform])
    with tempfile.TemporaryDirectory(prefix="ugatit-") as folder:
        meeting = Path(folder, "meeting")
        others = [
            multiprocessing.get_context("spawn").Process(
                target=_follow, args=(number, devices, meeting, device.type, share, arguments), daemon=True
            )
            for number in range(1, devices)
        ]
        for other in others:
            other.start()
        try:
            with member(0, devices, meeting, device.type):
                yield
        finally:
            for other in others:
                other.join(PATIENCE_S)
                other.kill()
                other.join()


def _follow(
    number: int,
    of: int,
    meeting: Path,
    device_type: str,
    share: Callable[..., Any],
    arguments: tuple[Any, ...],
) -> None:
    """Do one process's share; what ends the training is said by the leader."""
    with member(number, of, meeting, device_type):
        try:
            share(*arguments)
        except (Stopped, NonFiniteLoss):
            sys.exit(1)
