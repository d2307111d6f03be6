"""What else stands behind a number: the version of the code and of the libraries, the machine, the time."""

from __future__ import annotations

import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

CODE = ("ugatit", "data_prep", "workflow", "Snakefile")
"""What is code in the repository; parameters are not, they stand in run.json."""

LIBRARIES = ("torchvision", "torch-fidelity", "numpy", "scipy", "pillow", "snakemake")
"""Packages that compute, or decide what is computed, beside torch."""

CPU_NAMES = Path("/proc/cpuinfo")


def code_version() -> dict[str, Any]:
    """The commit of this code, and whether files of it differ from the commit.

    Returns: `commit` and `dirty`, both None if the code does not lie in a git repository of its own.
    """
    root = Path(__file__).parents[1]
    if not (root / ".git").exists() or (commit := _git(root, "rev-parse", "HEAD")) is None:
        return {"commit": None, "dirty": None}
    changed = _git(root, "status", "--porcelain", "--", *CODE)
    return {"commit": commit, "dirty": None if changed is None else bool(changed)}


def versions() -> dict[str, str]:
    """Versions of Python, of this package and of the libraries that are installed."""
    found = {"python": platform.python_version()}
    found["torch"] = str(torch.__version__)  # tells the build too
    for package in ("ugatit", *LIBRARIES):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def machine(device: torch.device | None = None) -> dict[str, Any]:
    """The machine that computes: host, system, processor, and the GPU if `device` is one."""
    found = {"host": platform.node(), "system": platform.platform(), "processor": _processor()}
    if device is not None and device.type == "cuda":
        found["gpu"] = torch.cuda.get_device_name(device)
        found["cuda"] = str(torch.version.cuda)
    return found


def now() -> str:
    """The time in UTC, to the second (ISO 8601)."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def snapshot(device: torch.device | None = None) -> dict[str, Any]:
    """All of the above, as it stands in logs and records; nothing of it enters a hash."""
    return {
        "time": now(),
        "code": code_version(),
        "versions": versions(),
        "machine": machine(device),
    }


def _processor() -> str:
    """The processor's name where the system tells it, else its architecture."""
    try:
        lines = CPU_NAMES.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _git(root: Path, *arguments: str) -> str | None:
    """The output of a git command; None if git is missing or refuses."""
    try:
        done = subprocess.run(
            ["git", "--no-optional-locks", "-C", str(root), *arguments],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
