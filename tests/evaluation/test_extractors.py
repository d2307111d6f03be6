"""Extractors: local weights only, hash before contents, and features that depend on the pictures alone."""

from __future__ import annotations

import hashlib
import pathlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch_fidelity import feature_extractor_inceptionv3 as inception

from ugatit.errors import UserError
from ugatit.evaluation.extractors import EFFICIENTNET, INCEPTION, Extractor, load_extractor

CPU = torch.device("cpu")
EFFICIENTNET_SHA256 = "57934424"
INCEPTION_SHA256 = "6726825d"

FLOAT_NOISE = 1e-4
"""Relative to the largest feature; float32 sums of other order in batches of other size."""


@pytest.fixture(scope="module")
def efficientnet() -> Extractor:
    return load_extractor(EFFICIENTNET, None, EFFICIENTNET_SHA256, CPU)


def pictures(n: int, height: int = 40, width: int = 32) -> torch.Tensor:
    levels = np.random.default_rng(0).integers(0, 256, (n, 3, height, width), dtype=np.uint8)
    return torch.from_numpy(levels)


class Malicious:
    """Unpickling it creates a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return pathlib.Path.touch, (self.marker,)


def test_installed_weights_give_pooled_features(efficientnet: Extractor) -> None:
    features = efficientnet(pictures(2))
    assert features.shape == (2, efficientnet.feature_dim) == (2, 1280)
    assert features.dtype == torch.float32
    assert efficientnet.weights_sha256.startswith(EFFICIENTNET_SHA256)
    assert not torch.equal(features[0], features[1])


def test_batch_size_changes_no_value(efficientnet: Extractor) -> None:
    batch = pictures(3)
    together, alone = efficientnet(batch), torch.cat([efficientnet(one[None]) for one in batch])
    assert torch.allclose(together, alone, rtol=0, atol=FLOAT_NOISE * float(together.max()))


def test_level_127_is_the_networks_zero(efficientnet: Extractor) -> None:
    grey = torch.full((1, 3, 50, 50), 127, dtype=torch.uint8)
    maps = efficientnet.network.network.extract_features(torch.zeros(1, 3, 224, 224))
    assert torch.allclose(efficientnet(grey), maps.mean(dim=(2, 3)), atol=FLOAT_NOISE * float(maps.max()))


def test_network_is_frozen_and_in_evaluation_mode(efficientnet: Extractor) -> None:
    assert not any(p.requires_grad for p in efficientnet.network.parameters())
    assert not any(module.training for module in efficientnet.network.modules())


def test_random_inception_weights_are_accepted_under_their_own_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(inception, "load_state_dict_from_url", lambda *args, **kwargs: {})
        patch.setattr(inception.FeatureExtractorInceptionV3, "load_state_dict", lambda *args: None)
        network = inception.FeatureExtractorInceptionV3(INCEPTION, ["2048"])
    weights = tmp_path / "weights.pth"
    torch.save(network.state_dict(), weights)
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    extractor = load_extractor(INCEPTION, weights, digest[:8].upper(), CPU)
    assert (extractor.name, extractor.weights_sha256) == (INCEPTION, digest)
    features = extractor(pictures(1))
    assert features.shape == (1, extractor.feature_dim) == (1, 2048)
    assert torch.equal(features, network(pictures(1))[0])


def test_missing_inception_weights_name_the_file_to_put_there(tmp_path: Path) -> None:
    path = tmp_path / "assets" / "inception.pth"
    with pytest.raises(UserError) as caught:
        load_extractor(INCEPTION, path, INCEPTION_SHA256, CPU)
    message = str(caught.value)
    assert str(path) in message and "No such file" in message
    assert "weights-inception-2015-12-05-6726825d.pth" in message
    assert f"begins with {INCEPTION_SHA256};" in message


def test_inception_without_a_file_is_refused() -> None:
    with pytest.raises(UserError, match="no weights file given"):
        load_extractor(INCEPTION, None, INCEPTION_SHA256, CPU)


@pytest.mark.parametrize("name", [INCEPTION, EFFICIENTNET])
def test_malicious_weights_never_run(tmp_path: Path, name: str) -> None:
    marker, weights = tmp_path / "marker", tmp_path / "weights.pth"
    torch.save({"fc.weight": Malicious(marker)}, weights)
    with pytest.raises(UserError, match="the file was not opened"):
        load_extractor(name, weights, INCEPTION_SHA256, CPU)
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    with pytest.raises(UserError, match=f"not the weights of {name}"):
        load_extractor(name, weights, digest, CPU)
    assert not marker.exists()
    torch.load(weights, weights_only=False)
    assert marker.exists()


def test_a_wrong_hash_is_not_even_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = tmp_path / "weights.pth"
    weights.write_bytes(b"anything")
    monkeypatch.setattr(torch, "load", lambda *args, **kwargs: pytest.fail("opened"))
    with pytest.raises(UserError, match=f"expected it to begin with {INCEPTION_SHA256}"):
        load_extractor(INCEPTION, weights, INCEPTION_SHA256, CPU)


@pytest.mark.parametrize("content", [b"", b"no weights at all", b"PK\x03\x04 half a zip"])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    weights = tmp_path / "weights.pth"
    weights.write_bytes(content)
    with pytest.raises(UserError, match="not the weights of"):
        load_extractor(EFFICIENTNET, weights, hashlib.sha256(content).hexdigest(), CPU)


@pytest.mark.parametrize("value", [{"_fc.weight": torch.zeros(2)}, [1, 2], torch.zeros(3)])
def test_weights_of_another_network_are_refused(tmp_path: Path, value: object) -> None:
    weights = tmp_path / "weights.pth"
    torch.save(value, weights)
    with pytest.raises(UserError, match="not the weights of"):
        load_extractor(EFFICIENTNET, weights, hashlib.sha256(weights.read_bytes()).hexdigest(), CPU)


@pytest.mark.parametrize("sha256", ["6726825", "6726825x", ""])
def test_short_or_odd_hashes_are_refused(sha256: str) -> None:
    with pytest.raises(UserError, match="8 to 64 hexadecimal digits"):
        load_extractor(EFFICIENTNET, None, sha256, CPU)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(UserError, match="'vgg16' is unknown"):
        load_extractor("vgg16", None, INCEPTION_SHA256, CPU)
