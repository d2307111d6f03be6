"""Sample sheets during training. Looking changes nothing: no gradients, no updates, no random numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ugatit.images import resize, to_tensor, to_uint8, write_png
from ugatit.manifest import Manifest
from ugatit.methods import Direction, Networks
from ugatit.params import DIRECTIONS, method_module
from ugatit.run import Run
from ugatit.strict import check

PICTURES = 4
GAP_PX = 4


class Samples:
    """The first test pictures of both domains, and sheets of their translations."""

    def __init__(self, manifest: Manifest, run: Run, folder: Path) -> None:
        self._folder, self._method = folder, method_module(run.method)
        parameters = check(self._method.Parameters, run.parameters, "run.json")
        self._directions: tuple[Direction, ...] = self._method.traits(parameters).directions
        self._pictures: dict[Direction, Tensor] = {}
        splits = [manifest.kept(split) for split in ("testA", "testB")]
        count = min(PICTURES, *map(len, splits))
        for direction, pictures in zip(DIRECTIONS, splits, strict=True):
            loaded = [resize(manifest.read(p).rgb, run.training.image_px) for p in pictures[:count]]
            self._pictures[direction] = to_tensor(np.stack(loaded))

    def draw(self, networks: Networks, step: int, device: torch.device) -> Path:
        """Write one sheet: per direction source, translation, and translation back where there is one."""
        translate = self._method.translate
        for network in networks.values():
            network.eval()
        rows = []
        for direction, back in zip(DIRECTIONS, reversed(DIRECTIONS), strict=True):
            if direction not in self._directions:
                continue
            real = self._pictures[direction].to(device)
            fakes = [translate(networks, picture, direction, _codes()) for picture in real.split(1)]
            rows += [real, torch.cat(fakes)]
            if back in self._directions:
                rows.append(torch.cat([translate(networks, fake, back, _codes()) for fake in fakes]))
        for network in networks.values():
            network.train()
        path = self._folder / f"step_{step:07d}.png"
        write_png(path, np.concatenate([_row(to_uint8(row)) for row in rows]))
        return path


def _codes() -> torch.Generator:
    """The same random code for every picture and sheet, from a generator of their own."""
    return torch.Generator().manual_seed(0)


def _row(pictures: np.ndarray) -> np.ndarray:
    """Pictures (N, H, W, 3) beside each other, with white gaps to the right and below."""
    padding = ((0, 0), (0, GAP_PX), (0, GAP_PX), (0, 0))
    return np.concatenate(list(np.pad(pictures, padding, constant_values=255)), axis=1)
