"""Checkpoints of the authors' PyTorch code: read into weights of ours and written from them, without loss."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ugatit.authors_layout import (
    FIXED,
    GLOBAL_LAYERS,
    LOCAL_LAYERS,
    NETWORKS,
    SPECTRAL,
    Entry,
    State,
    infer_image_px,
    infer_network,
    layout,
)
from ugatit.errors import UserError
from ugatit.files import atomic_path
from ugatit.methods import Networks, ugatit
from ugatit.models import Training
from ugatit.params import Params, merge
from ugatit.run import Run, differences, resolve
from ugatit.strict import check
from ugatit.tensor_files import UnreadableTensorsError, load_tensors
from ugatit.weights import read_weights, save_weights

LIGHT_PX = 256
"""The authors' default picture size; the file of a light model does not tell its own."""

LOAD_MARGIN_PX = 30
"""By how much the authors' program enlarges training pictures before the crop."""

EXPECTED = "expected a checkpoint of the authors' PyTorch code"

log = logging.getLogger(__name__)


def import_checkpoint(
    file: Path,
    params: Params,
    dataset: str,
    output: Path,
    model: str | None = None,  # supplies all values but those of the networks; None: ugatit or ugatit-light
    image_px: int | None = None,  # of a light model, which does not tell its own; None: 256
) -> Path:
    """Write weights.json and weights.safetensors from a checkpoint of the authors' PyTorch code.

    The parameters of the networks are inferred from the tensors.

    Returns: the path of weights.json.
    Raises: UserError if the file is missing, holds more than tensors, or does not fit the authors' layout; if
        a name is unknown or the size impossible; if `output` has weights already.
    """
    path = output / "weights.json"
    if path.exists():
        raise UserError(f"{path}: there are weights already. Choose another folder, or delete it.")
    states = _read(file)
    network = infer_network(file, states)
    if network["light"]:
        px = LIGHT_PX if image_px is None else image_px
    else:
        px = infer_image_px(file, states)
        if image_px not in (None, px):
            raise UserError(f"--image-px {image_px}: {file} is a full model of {px} pixels. Leave it out.")
    model = model or ("ugatit-light" if network["light"] else "ugatit")
    run = _run(file, params, dataset, model, network, px)
    save_weights(path, run, _fill(file, states, run), step=None, data_sha256=None)
    log.info("%s: %s at %d pixels", path, model, px)
    return path


def export_checkpoint(weights_json: Path, file: Path) -> Path:
    """Write a checkpoint that the authors' PyTorch code loads, strictly, from weights of ours.

    Returns: the path of the checkpoint.
    Raises: UserError naming the settings of a run whose networks the authors' code cannot express.
    """
    run, networks, _ = read_weights(weights_json)
    if run.method != "ugatit":
        raise UserError(f"{weights_json}: method {run.method}; the authors' code has only ugatit.")
    settings = check(ugatit.Parameters, run.parameters, str(weights_json)).network
    found = {key: value for key, value in settings.model_dump().items() if key in FIXED}
    if changes := differences(found, FIXED, "network."):
        raise UserError(
            f"{weights_json}: the authors' PyTorch code cannot express the networks of {run.model} "
            f"(found -> expected): {'; '.join(changes)}."
        )
    depths = (settings.global_layers, settings.local_layers)
    if depths != (GLOBAL_LAYERS, LOCAL_LAYERS):
        log.warning(
            "%s: discriminators of %d and %d layers; the authors' program builds %d and %d",
            *(file, *depths, GLOBAL_LAYERS, LOCAL_LAYERS),
        )
    with atomic_path(file) as part, part.open("wb") as handle:
        torch.save(state_dicts(networks, settings), handle)
    return file


def state_dicts(
    networks: Networks, settings: ugatit.NetworkParameters
) -> dict[str, OrderedDict[str, Tensor]]:
    """The networks' tensors as the authors' code saves them: its names, order and shapes."""
    return {
        theirs: _state_dict(networks[ours], layout(ours, networks[ours], settings))
        for theirs, ours in NETWORKS.items()
    }


def _read(file: Path) -> dict[str, State]:
    """The six state dicts of a file; pickled code is refused, not run."""
    try:
        content = load_tensors(file)
    except FileNotFoundError:
        raise UserError(f"{file}: no such file; {EXPECTED}.") from None
    except OSError as error:
        raise UserError(f"{file}: {error.strerror}; {EXPECTED}.") from None
    except UnreadableTensorsError as error:
        if error.foreign:
            raise UserError(
                f"{file}: holds {error.foreign}; {EXPECTED}, which is tensors only. Pickled code is never "
                "run: save the state dicts alone."
            ) from None
        raise UserError(f"{file}: damaged or of another kind ({error}); {EXPECTED}.") from None
    if not isinstance(content, dict):
        raise UserError(f"{file}: holds a {type(content).__name__}; {EXPECTED}.")
    if missing := [key for key in NETWORKS if key not in content]:
        found = ", ".join(map(str, content))[:100] or "nothing"
        raise UserError(f"{file}: found {found}; missing: {', '.join(missing)}; {EXPECTED}.")
    if ignored := [str(key) for key in content if key not in NETWORKS]:
        log.warning("%s: left out: %s", file, ", ".join(ignored))
    for key in NETWORKS:
        state = content[key]
        if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
            raise UserError(f"{file}: {key}: no state dict of tensors; {EXPECTED}.")
    return {key: content[key] for key in NETWORKS}


def _run(file: Path, params: Params, dataset: str, model: str, network: Mapping[str, Any], px: int) -> Run:
    """The run of a model of the parameter file, with the networks and the size that were found."""
    run = resolve(params, dataset, model, 0)
    if run.method != "ugatit":
        raise UserError(f"model {model!r}: method {run.method}, expected ugatit. Give another with --model.")
    parameters = check(ugatit.Parameters, merge(run.parameters, {"network": network}), str(file))
    ugatit.check_size(parameters, px)
    training = merge(run.training.model_dump(), {"image_px": px, "load_px": px + LOAD_MARGIN_PX})
    changes = {"training": check(Training, training, str(file)), "parameters": parameters.model_dump()}
    return run.model_copy(update=changes)


def _fill(file: Path, states: Mapping[str, State], run: Run) -> dict[str, nn.Module]:
    """Build the networks of a run around the tensors of a file."""
    parameters = check(ugatit.Parameters, run.parameters, str(file))
    with torch.device("meta"):
        networks = ugatit.build(parameters, run.training.image_px, None)
    for theirs, ours in NETWORKS.items():
        network, state = networks[ours], states[theirs]
        entries = layout(ours, network, parameters.network)
        _require_fit(f"{file}: {theirs}", state, entries)
        empty = network.state_dict()
        own = {entry.name: state[key].reshape(empty[entry.name].shape) for key, entry in entries.items()}
        network.load_state_dict(own, assign=True)
    return networks


def _require_fit(where: str, state: State, entries: Mapping[str, Entry]) -> None:
    """Check every tensor's name, shape and type."""
    for key, entry in entries.items():
        if key not in state:
            old = key.endswith(".weight_v") and key.removesuffix("_v") in state
            reason = (
                " The file is of a PyTorch before 1.0: load and save it once with a later one." if old else ""
            )
            raise UserError(f"{where}: no tensor {key}; expected shape {tuple(entry.shape)}.{reason}")
        shape, dtype = state[key].shape, state[key].dtype
        if shape != entry.shape:
            raise UserError(f"{where}: {key}: found shape {tuple(shape)}, expected {tuple(entry.shape)}.")
        if dtype != torch.float32:
            raise UserError(f"{where}: {key}: found {dtype}, expected torch.float32.")
    if unknown := [str(key) for key in state if key not in entries]:
        raise UserError(f"{where}: {unknown[0]}: unexpected tensor ({len(unknown)} such); {EXPECTED}.")


def _state_dict(network: nn.Module, entries: Mapping[str, Entry]) -> OrderedDict[str, Tensor]:
    """One network's tensors, with the versions that the authors' loader looks for."""
    own = network.state_dict()
    state = OrderedDict((key, own[entry.name].reshape(entry.shape)) for key, entry in entries.items())
    versions: OrderedDict[str, dict[str, Any]] = OrderedDict()
    for key in entries:
        module, tensor = key.rsplit(".", 1)
        version = versions.setdefault(module, {"version": 1})
        if tensor in SPECTRAL:
            version["spectral_norm"] = {"weight.version": 1}
    state._metadata = versions  # type: ignore[attr-defined]
    return state
