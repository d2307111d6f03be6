"""Resume state: whole or absent, the last two kept."""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from ugatit.errors import UserError
from ugatit.files import atomic_path
from ugatit.methods import Networks, Optimizers
from ugatit.tensor_files import UnreadableTensorsError, first_line, load_tensors

KEPT = 2
"""Checkpoints kept: the newest, and one to fall back on."""

KEYS = {"step", "key", "networks", "optimizers"}
"""What a checkpoint holds."""

DAMAGED = ".damaged"
"""Added to the name of a checkpoint that cannot be read."""

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
        half_written.unlink(missing_ok=True)
    for path in reversed(_checkpoints(folder)):
        try:
            state = load_tensors(path)
            if not isinstance(state, dict) or not state.keys() >= KEYS:
                raise UnreadableTensorsError("no checkpoint", None)
        except FileNotFoundError:  # another process of this training has put it aside
            continue
        except OSError as error:
            raise UserError(
                f"{path}: {error.strerror}. Run the same command again, or move the file away to go on from "
                "the checkpoint before."
            ) from None
        except UnreadableTensorsError as error:
            # Else it would count as one of the newest, and the next one be removed in its place.
            with suppress(FileNotFoundError):
                path.rename(path.with_name(path.name + DAMAGED))
            log.warning("%s is damaged (%s); kept as *%s, trying the one before", path, error, DAMAGED)
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
            raise UserError(f"{path}: does not fit {name} ({first_line(error)}).") from None
