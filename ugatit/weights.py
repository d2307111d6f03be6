"""Trained weights: a safetensors file, known by the small weights.json beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ugatit.errors import UserError
from ugatit.files import atomic_path, read_json, sha256_file, sha256_json, write_json
from ugatit.methods import JUDGES, Networks
from ugatit.modules import method_module
from ugatit.run import Run
from ugatit.strict import check

TENSORS = "weights.safetensors"
REMEDY = "Train the run, or import a checkpoint with `ugatit import-checkpoint`."


def save_weights(path: Path, run: Run, networks: Networks, step: int | None, data_sha256: str | None) -> None:
    """Write weights.safetensors and then the weights.json that vouches for it.

    `data_sha256` is the digest of the training data's manifest; it and `step` are None for imported weights.
    State of the training alone, in modules without parameters, is left out.
    """
    networks = _with_parameters(networks)
    tensors = {
        f"{name}.{key}": value.detach().cpu().contiguous()
        for name, network in networks.items()
        for key, value in network.state_dict().items()
    }
    with atomic_path(path.with_name(TENSORS)) as part:
        save_file(tensors, part)
    write_json(
        path,
        {
            "run": run.model_dump(),
            "run_sha256": sha256_json(run.model_dump()),
            "data_sha256": data_sha256,
            "step": step,
            "weights_sha256": sha256_file(path.with_name(TENSORS)),
            "parameters": {name: sum(p.numel() for p in net.parameters()) for name, net in networks.items()},
        },
    )


def read_weights(path: Path, judges: bool = True) -> tuple[Run, dict[str, nn.Module], dict[str, Any]]:
    """Rebuild trained networks, in evaluation mode on the CPU, with or without the discriminators.

    Returns: the run, the networks by name, and all of weights.json.
    Raises: UserError if a file is missing, changed, or does not fit the networks of its run.
    """
    path = Path(path)
    described = read_json(path, "a weights.json", REMEDY)
    if not isinstance(described, dict) or not {"run", "weights_sha256"} <= described.keys():
        raise UserError(f"{path}: no weights.json (keys run and weights_sha256 expected). {REMEDY}")
    run = check(Run, described["run"], str(path))
    file = path.with_name(TENSORS)
    if not file.is_file():
        raise UserError(f"{file}: no such file, though {path} names it. {REMEDY}")
    if sha256_file(file) != described["weights_sha256"]:
        raise UserError(f"{file}: is not the file that {path} names (its SHA-256 differs). {REMEDY}")
    try:
        tensors = load_file(file)
    except SafetensorError as error:
        raise UserError(f"{file}: not a safetensors file ({error}). {REMEDY}") from None
    method = method_module(run.method)
    with torch.device("meta"):
        networks = method.build(
            check(method.Parameters, run.parameters, str(path)), run.training.image_px, None
        )
    chosen = {
        name: network
        for name, network in _with_parameters(networks).items()
        if judges or not name.startswith(JUDGES)
    }
    for name, network in chosen.items():
        _assign(file, name, network, tensors)
    return run, chosen, described


def _with_parameters(networks: Networks) -> dict[str, nn.Module]:
    """The networks that have something to learn."""
    return {name: net for name, net in networks.items() if next(net.parameters(), None) is not None}


def _assign(file: Path, name: str, network: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Give a network built without memory its tensors."""
    prefix = f"{name}."
    state = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
    try:
        network.load_state_dict(state, assign=True)
    except RuntimeError as error:
        detail = " ".join(str(error).split())[:200]
        raise UserError(f"{file}: does not fit {name}: {detail}") from None
    network.eval()
