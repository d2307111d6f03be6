"""Resume state: whole or absent, the last two kept."""

from __future__ import annotations

import logging
import pickle
from pathlib import Path
from typing import Any

import torch

from ugatit.errors import UserError
from ugatit.files import atomic_path
from ugatit.methods import Networks, Optimizers

KEPT = 2
"""Checkpoints kept: the newest, and one to fall back on."""

log = logging.getLogger(__name__)


def save_checkpoint(folder: Path, step: int, networks: Networks, optimizers: Optimizers, key: str) -> None:
    """Save everything that the next step depends on, and remove all but the newest checkpoints."""
    with atomic_path(folder / f"step_{step:07d}.pt") as part:
        torch.save(
            {
                "step": step,
                "key": key,
                "networks": {name: network.state_dict() for name, network in networks.items()},
                "optimizers": {name: optimizer.state_dict() for name, optimizer in optimizers.items()},
            },
            part,
        )
    for old in _checkpoints(folder)[:-KEPT]:
        old.unlink()


def load_checkpoint(folder: Path, networks: Networks, optimizers: Optimizers, key: str) -> int:
    """Load the newest whole checkpoint into networks and optimisers.

    Returns: the step it was saved after; 0 if there is none.
    Raises: UserError if it belongs to another configuration or other data.
    """
    for half_written in folder.glob("*.part"):
        half_written.unlink()
    for path in reversed(_checkpoints(folder)):
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
        except (RuntimeError, EOFError, OSError, pickle.UnpicklingError) as error:
            log.warning("%s is damaged (%s); trying the one before", path, str(error).splitlines()[0])
            continue
        if state["key"] != key:
            raise UserError(
                f"{path}: belongs to configuration {state['key']}, expected {key}. Move the folder away to "
                "start anew."
            )
        _load_state(path, state["networks"], networks)
        _load_state(path, state["optimizers"], optimizers)
        return int(state["step"])
    return 0


def _checkpoints(folder: Path) -> list[Path]:
    """The checkpoints of a folder, oldest first."""
    return sorted(folder.glob("step_*.pt"))


def _load_state(path: Path, state: dict[str, Any], targets: Networks | Optimizers) -> None:
    """Load state dicts by name; shapes and names must agree."""
    for name, target in targets.items():
        try:
            target.load_state_dict(state[name])
        except (KeyError, RuntimeError, ValueError) as error:
            raise UserError(f"{path}: does not fit {name} ({str(error).splitlines()[0]}).") from None
