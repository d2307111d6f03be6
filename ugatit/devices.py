"""Which device and how many threads a command computes with."""

from __future__ import annotations

import ctypes
import os
import sys

import torch

from ugatit.errors import UserError
from ugatit.gpus import take_gpus

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
NEVER_TRIM = 2**31 - 1


def choose_device(name: str, gpus: int = 1) -> torch.device:
    """Find a device by name; `auto` takes cuda, then mps, then cpu, and of several GPUs so many free ones.

    Raises: UserError if the device is unknown or not there.
    """
    if name == "auto":
        take_gpus(gpus)  # before the next line, in which CUDA settles what it sees
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        name = next(kind for kind, present in there.items() if present)
    kind = name.split(":")[0]
    if kind not in there:
        raise UserError(f"device {name!r}: unknown; expected auto, cuda, cuda:N, mps or cpu.")
    if not there[kind]:
        raise UserError(f"device {name!r}: not available on this machine. Use --device auto or cpu.")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UserError(
            f"device {name!r}: not a device's name; expected for example {kind} or cuda:0."
        ) from None
    if kind == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UserError(f"device {name!r}: this machine has {torch.cuda.device_count()}, from cuda:0 on.")
    return device


def use_threads(threads: int | None) -> int:
    """Set the number of CPU threads; without a number, the cores this process may run on.

    Returns: the number set.
    """
    count = threads or available_cores()
    torch.set_num_threads(count)
    return count


def available_cores() -> int:
    """The CPU cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def keep_freed_memory() -> None:
    """Let glibc keep large freed blocks for the next tensors instead of giving their pages back (CPU only).

    Halves the time of a step on small machines; changes no value. Elsewhere than on glibc it does nothing.
    """
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(M_MMAP_MAX, 0)
        libc.mallopt(M_TRIM_THRESHOLD, NEVER_TRIM)


def compute_deterministically(device: torch.device) -> None:
    """Choose deterministic algorithms, so that the same run gives the same bits on the same machine.

    On the CPU the operations used here are deterministic as they are.
    """
    if device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.backends.cudnn.benchmark = False
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
