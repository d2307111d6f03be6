"""A file of random weights in the layout of torchvision's VGG19: its real one is a download."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import torch

from ugatit.files import sha256_file
from ugatit.nn.vgg import PREFIX, VGG19


@cache
def random_vgg19() -> Path:
    """Write the file once; it is gone when the tests end."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    generator = torch.Generator().manual_seed(0)
    network = VGG19("imagenet", None)
    with torch.no_grad():
        for weight in network.parameters():
            if weight.ndim > 1:
                # As strong as what comes in, so that features keep their size through all layers.
                weight.normal_(0, (2 / weight[0].numel()) ** 0.5, generator=generator)
            else:
                weight.zero_()
    state = {PREFIX + key: value for key, value in network.features.state_dict().items()}
    torch.save(state | {"classifier.6.bias": torch.zeros(1000)}, folder / "vgg19.pth")
    return folder / "vgg19.pth"


def with_random_vgg19() -> dict[str, Any]:
    """An overlay of params.yaml with that file."""
    file = random_vgg19()
    vgg = {"weights": str(file), "sha256": sha256_file(file)}
    return {"methods": {"cartoongan": {"content": {"vgg": vgg}}}}
