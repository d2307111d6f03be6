"""VGG19 up to conv4_4, by whose features a picture's content is compared."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ugatit.errors import UserError
from ugatit.files import sha256_file
from ugatit.nn.precision import at_least_float32, full_precision
from ugatit.tensor_files import UnreadableTensorsError, first_line, load_tensors

Levels = Literal["imagenet", "caffe255", "unit01"]

WIDTHS = (64, 64, 0, 128, 128, 0, 256, 256, 256, 256, 0, 512, 512, 512, 512)
"""Channels of the convolutions up to conv4_4; 0 is a maximum over 2 x 2."""

PREFIX = "features."
"""How the names of the convolutions begin in torchvision's files of weights; the classifier is not needed."""

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Means and standard deviations of RGB in [0, 1], for torchvision's weights."""

CAFFE_BGR = (103.939, 116.779, 123.68)
"""Means of BGR in [0, 255], for the weights of VGG's authors."""


class VGG19(nn.Module):
    """Features of conv4_4 before its ReLU, by given weights that never change.

    Source: Simonyan and Zisserman 2015; layer: Chen et al. 2018 (CartoonGAN), section 3.2.2; decision D57.
    """

    def __init__(self, levels: Levels, features_px: int | None) -> None:
        super().__init__()
        self.levels, self.features_px = levels, features_px
        layers: list[nn.Module] = []
        channels = 3
        for width in WIDTHS:
            if width:
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
                channels = width
            else:
                layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers[:-1])
        self.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        """Shape: (N, 3, H, W) -> (N, 512, H/8, W/8) of the size at which features are compared."""
        with full_precision(x):
            seen = scale_levels(resample(at_least_float32(x), self.features_px), self.levels)
        return self.features(seen)


def scale_levels(x: Tensor, levels: Levels) -> Tensor:
    """Scale pictures to what the weights were trained on.

    Shape: (N, 3, H, W) -> the same; caffe255 has BGR. Range: RGB in [-1, 1] -> that of the weights.
    """
    unit = (x + 1) / 2
    if levels == "unit01":
        return unit
    if levels == "imagenet":
        mean, deviation = (x.new_tensor(values)[:, None, None] for values in IMAGENET)
        return (unit - mean) / deviation
    return unit.flip(1) * 255 - x.new_tensor(CAFFE_BGR)[:, None, None]


def resample(x: Tensor, px: int | None) -> Tensor:
    """Resize bilinearly, as two products with a matrix, whose gradient adds in a fixed order on every device.

    Shape: (N, C, H, W) -> (N, C, px, px), or unchanged without a size.
    """
    if px is None:
        return x
    for _ in range(2):
        eye = torch.eye(x.shape[-1], dtype=x.dtype, device=x.device)
        weights = F.interpolate(eye[None], size=px, mode="linear")[0]  # (W, px)
        x = (x @ weights).transpose(-1, -2)
    return x


def load_vgg19(path: Path, sha256: str, levels: Levels, features_px: int | None) -> VGG19:
    """Build VGG19 with the weights of a file in torchvision's layout; nothing is ever downloaded.

    The file's hash, of which `sha256` has at least the first digits, is compared before it is opened.

    Raises: UserError if the file is missing, of another hash, or does not hold these weights.
    """
    remedy = (
        f"Expected VGG19's weights in torchvision's layout, SHA-256 beginning with {sha256}: "
        "`data-prep fetch vgg19` has them."
    )
    if not path.is_file():
        raise UserError(f"{path}: no such file. {remedy}")
    digest = sha256_file(path)
    if not digest.startswith(sha256.lower()):
        raise UserError(f"{path}: SHA-256 is {digest}; the file was not opened. {remedy}")
    with torch.device("meta"):
        network = VGG19(levels, features_px)
    try:
        state = load_tensors(path)
        chosen = {key: state[PREFIX + key] for key in network.features.state_dict()}
        network.features.load_state_dict(chosen, assign=True)
    except (UnreadableTensorsError, RuntimeError, KeyError, TypeError) as error:
        raise UserError(f"{path}: not the weights of VGG19 ({first_line(error)}). {remedy}") from None
    return network.requires_grad_(False).eval()
