"""One computation per GPU: a process sees only GPUs that no other process of this program has taken.

Who has taken a GPU is told by a lock on a file, one per GPU, in the machine's folder for temporary files; it
ends with the process, however that ends. Clusters that set CUDA_VISIBLE_DEVICES to one GPU are left alone.
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

VISIBLE = "CUDA_VISIBLE_DEVICES"

DRIVER = Path("/proc/driver/nvidia/gpus")
"""Where NVIDIA's driver lists the GPUs of this machine, one folder each."""

LOCKS = Path(tempfile.gettempdir()) / "ugatit-gpus"

log = logging.getLogger(__name__)

_taken: list[int] = []
"""Descriptors of the lock files; closed when the process ends."""


def take_gpus(count: int, driver: Path = DRIVER, locks: Path = LOCKS) -> None:
    """Choose so many free GPUs and set CUDA_VISIBLE_DEVICES to them, before CUDA is first used.

    Where no more are visible than asked for, or the driver's list is missing, nothing is changed. If too few
    are free, all that are visible stay so, with a warning: several computations then share them.
    """
    visible = visible_gpus(driver)
    if _taken or len(visible) <= count:
        return
    free: list[str] = []
    for gpu in visible:
        if len(free) < count and (descriptor := _lock(locks, gpu)) is not None:
            free.append(gpu)
            _taken.append(descriptor)
    if len(free) < count:
        log.warning(
            "%d of %d GPUs are free, %d asked for: sharing. Start fewer at a time (`--resources gpu=%d`).",
            len(free), len(visible), count, len(visible),
        )  # fmt: skip
        give_back()
        return
    os.environ[VISIBLE] = ",".join(free)
    log.info("computing on GPU %s", os.environ[VISIBLE])


def give_back() -> None:
    """Let other processes take the GPUs of this one."""
    while _taken:
        os.close(_taken.pop())


def visible_gpus(driver: Path = DRIVER) -> Sequence[str]:
    """GPUs that this process may use: those of CUDA_VISIBLE_DEVICES, else the driver's list, by UUID."""
    if VISIBLE in os.environ:
        return [gpu.strip() for gpu in os.environ[VISIBLE].split(",") if gpu.strip()]
    found = []
    for information in sorted(driver.glob("*/information")):  # in the order of the bus, as with PCI_BUS_ID
        uuid = re.search(r"^GPU UUID:\s*(GPU-[0-9a-f-]+)", information.read_text(), re.MULTILINE)
        found += [uuid[1]] if uuid else []
    return found


def _lock(locks: Path, gpu: str) -> int | None:
    """Lock a GPU's file; None if another process has."""
    if not locks.is_dir():
        locks.mkdir(exist_ok=True)
        locks.chmod(0o1777)  # for all users of the machine
    file = locks / f"{gpu}.lock"
    try:
        descriptor = os.open(file, os.O_RDONLY)  # another user's file may be opened, but not created again
    except FileNotFoundError:
        descriptor = os.open(file, os.O_RDONLY | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
