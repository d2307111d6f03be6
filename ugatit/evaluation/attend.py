"""Where trained networks look: the maps of any pictures, how faithful they are, and pictures of them."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import numpy as np
import torch
from rich.progress import track
from torch import Tensor

from ugatit.datasets import Direction
from ugatit.devices import choose_device, compute_deterministically, keep_freed_memory, use_threads
from ugatit.errors import UserError
from ugatit.evaluation.attention import Effect, effect, write_attention
from ugatit.evaluation.heat_map import blend, color_range, heat
from ugatit.evaluation.masking import hottest_region, mask, moved_at_random
from ugatit.evaluation.translate import code_generator, open_pictures, require_different_stems
from ugatit.images import resize, to_tensor, to_uint8, write_png
from ugatit.methods import SOURCE_MAP
from ugatit.modules import method_module
from ugatit.params import Masking
from ugatit.strict import check
from ugatit.weights import read_weights

log = logging.getLogger(__name__)


def attend(
    weights_path: Path,
    pictures: Path,
    split: str,
    direction: Direction,
    output: Path,
    masking: Masking,
    overlay_opacity: float | None = None,
    device_name: str = "auto",
    threads: int | None = None,
) -> Path:
    """Write the attention maps of a manifest's split, or of a folder: attention.json and attention.npz.

    For maps whose network has a classifier the hottest region is masked, in the picture that the network
    sees, and regions of its shape at random places (`masking`). With `overlay_opacity` each map is also laid
    over that picture, in overlays/<map>/<stem>.png, all of a map on one colour scale.

    Returns: the path of attention.json.
    Raises: UserError for missing or unfitting weights, a model without maps, and if there is no picture.
    """
    manifest = open_pictures(pictures, split)
    chosen = manifest.kept(split)
    require_different_stems(chosen)
    device = choose_device(device_name)
    use_threads(threads)
    keep_freed_memory()
    compute_deterministically(device)
    run, networks, described = read_weights(weights_path)
    method = method_module(run.method)
    traits = method.traits(check(method.Parameters, run.parameters, str(weights_path)))
    if not traits.attention or direction not in traits.directions:
        raise UserError(f"{weights_path}: {run.model} has no attention maps of direction {direction}.")
    for network in networks.values():
        network.to(device)
    maps: dict[str, list[np.ndarray]] = {name: [] for name in traits.attention}
    logits: dict[str, list[np.ndarray]] = {name: [] for name in traits.classified}
    shown: dict[str, list[np.ndarray]] = {"source": [], "translation": []}
    for picture in track(chosen, description=direction, disable=not sys.stderr.isatty()):
        real = to_tensor(resize(manifest.read(picture).rgb, run.training.image_px))[None].to(device)
        fake = method.translate(networks, real, direction, code_generator(picture.sha256, 0))
        for name, attention in method.attend(networks, real, direction).items():
            maps[name].append(attention[0, 0].float().cpu().numpy())
        for name in logits:
            seen = (real if name == SOURCE_MAP else fake)[0]
            variants = _variants(seen, maps[name][-1], masking, f"{name} {picture.sha256}").to(device)
            logits[name].append(method.classify(networks, variants, name, direction).cpu().numpy())
        if overlay_opacity is not None:
            shown["source"].append(to_uint8(real[0]))
            shown["translation"].append(to_uint8(fake[0]))
    arrays = {name: np.stack(found).astype(np.float32) for name, found in maps.items()}
    effects = {name: effect(found) for name, found in logits.items()}
    record = {
        "dataset": run.dataset,
        "model": run.model,
        "seed": run.seed,
        "direction": direction,
        "step": described["step"],
        "weights_sha256": described["weights_sha256"],
        "names": [picture.stem for picture in chosen],
        "sources": [picture.sha256 for picture in chosen],
        "faithfulness": {**masking.model_dump(), "maps": {k: e.model_dump() for k, e in effects.items()}},
    }
    path = output / "attention.json"
    write_attention(path, record, arrays)
    log.info("%d pictures attended to, in %s", len(chosen), output)
    for name, found in effects.items():
        log.info("%s", _sentence(name, found))
    if overlay_opacity is not None:
        for name, array in arrays.items():
            below = shown["source" if name == SOURCE_MAP else "translation"]
            _overlay(array, below, [p.stem for p in chosen], overlay_opacity, output / "overlays" / name)
    return path


def _variants(seen: Tensor, attention: np.ndarray, masking: Masking, key: str) -> Tensor:
    """A picture whole, with its hottest region masked, and with such regions at random places masked.

    Shape: seen (3, H, W), attention (h, w) -> (2 + draws, 3, H, W).
    """
    picture = seen.cpu().numpy()
    region = hottest_region(attention, picture.shape[-1], masking.masked_share)
    moved = moved_at_random(region, masking.draws, f"{masking.seed} {key}")
    return torch.from_numpy(np.concatenate([picture[None], mask(picture, np.stack([region, *moved]))]))


def _sentence(name: str, found: Effect) -> str:
    """One line on the faithfulness of a map."""
    error = "" if found.standard_error is None else f" ± {found.standard_error:.3f}"
    return (
        f"{name}: masking the hottest region takes {found.hottest:.3f} from the logit {found.logit:.3f}, "
        f"a random one {found.random:.3f}; difference {found.difference:.3f}{error} (standard error, "
        f"{found.pictures} pictures)"
    )


def _overlay(
    maps: np.ndarray, pictures: list[np.ndarray], stems: list[str], opacity: float, folder: Path
) -> None:
    """Lay each map over its picture, all on one colour scale."""
    ends = color_range(maps)
    for attention, rgb, stem in zip(maps, pictures, stems, strict=True):
        write_png(folder / f"{stem}.png", blend(rgb, heat(attention, len(rgb), ends), opacity))
