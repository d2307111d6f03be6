"""Samples during training. Looking changes nothing: no gradients, no updates, no random numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ugatit.datasets import DIRECTIONS
from ugatit.files import read_json, write_json
from ugatit.images import resize, to_tensor, to_uint8, write_png
from ugatit.manifest import Manifest
from ugatit.methods import Direction, Networks
from ugatit.modules import method_module
from ugatit.run import Run
from ugatit.strict import check

PICTURES = 4
GAP_PX = 4

INDEX = "samples.json"


class Samples:
    """The first test pictures of both domains and, at any step, their translations."""

    def __init__(self, manifest: Manifest, run: Run, folder: Path) -> None:
        self._run, self._folder = run, folder
        self._method = method_module(run.method)
        parameters = check(self._method.Parameters, run.parameters, "run.json")
        self._directions: tuple[Direction, ...] = self._method.traits(parameters).directions
        splits = [manifest.kept(split) for split in ("testA", "testB")]
        count = min(PICTURES, *map(len, splits))
        self._chosen = {way: kept[:count] for way, kept in zip(DIRECTIONS, splits, strict=True)}
        self._pictures: dict[Direction, Tensor] = {}
        for direction, chosen in self._chosen.items():
            loaded = [resize(manifest.read(picture).rgb, run.training.image_px) for picture in chosen]
            self._pictures[direction] = to_tensor(np.stack(loaded))

    def draw(self, networks: Networks, step: int, device: torch.device) -> Path:
        """Write the samples of one step.

        A sheet has per direction the rows source, translation and, where the method translates both ways,
        translation back. Each translation is also a file of its own, <direction>/<picture>/step_<step>.png,
        and samples.json lists pictures and steps.
        """
        for network in networks.values():
            network.eval()
        rows = []
        for direction in self._directions:
            real = self._pictures[direction].to(device)
            fakes = self._translate(networks, real, direction)
            rows += [real, fakes]
            (back,) = set(DIRECTIONS) - {direction}
            if back in self._directions:
                rows.append(self._translate(networks, fakes, back))
            self._write_pictures(direction, step, to_uint8(fakes))
        for network in networks.values():
            network.train()
        path = self._folder / f"step_{step:07d}.png"
        write_png(path, np.concatenate([_row(to_uint8(row)) for row in rows]))
        self._write_index(step)
        return path

    def _translate(self, networks: Networks, pictures: Tensor, direction: Direction) -> Tensor:
        """Translate pictures one by one, as after the training."""
        translate = self._method.translate
        return torch.cat([translate(networks, one, direction, _codes()) for one in pictures.split(1)])

    def _write_pictures(self, direction: Direction, step: int, fakes: np.ndarray) -> None:
        """Write the translations of one direction."""
        for picture, fake in zip(self._chosen[direction], fakes, strict=True):
            write_png(self._folder / direction / picture.stem / f"step_{step:07d}.png", fake)

    def _write_index(self, step: int) -> None:
        """List pictures and steps; those of an interrupted attempt stay, since it took the same steps."""
        path = self._folder / INDEX
        known = read_json(path, "a list of samples", "Delete it.")["steps"] if path.is_file() else []
        pictures = {
            direction: [{"name": p.stem, "sha256": p.sha256} for p in self._chosen[direction]]
            for direction in self._directions
        }
        write_json(path, {"pictures": pictures, "steps": sorted({*known, step})})


def _codes() -> torch.Generator:
    """The same random code for every picture and sheet, from a generator of their own."""
    return torch.Generator().manual_seed(0)


def _row(pictures: np.ndarray) -> np.ndarray:
    """Pictures (N, H, W, 3) beside each other, with white gaps to the right and below."""
    padding = ((0, 0), (0, GAP_PX), (0, GAP_PX), (0, 0))
    return np.concatenate(list(np.pad(pictures, padding, constant_values=255)), axis=1)
