"""VGG19's features: layout, levels, resizing, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torchvision
from torch.nn import functional as F  # noqa: N812

from tests.random_vgg import random_vgg19
from ugatit.errors import UserError
from ugatit.files import sha256_file
from ugatit.nn.vgg import VGG19, load_vgg19, resample, scale_levels

DTYPE_TOLERANCE = 1e-5
"""Float32 sums in another order."""


def test_it_is_torchvision_s_up_to_conv4_4() -> None:
    with torch.device("meta"):
        theirs = torchvision.models.vgg19(weights=None).features[:26]
        ours = VGG19("imagenet", None)
        features = ours(torch.empty(1, 3, 256, 256))
    shapes = {name: weight.shape for name, weight in ours.features.state_dict().items()}
    assert shapes == {name: weight.shape for name, weight in theirs.state_dict().items()}
    assert sum(p.numel() for p in ours.parameters()) == 10_585_152
    assert features.shape == (1, 512, 32, 32)
    assert isinstance(theirs[25], torch.nn.Conv2d)
    assert isinstance(ours.features[-1], torch.nn.Conv2d)


def test_a_file_of_torchvision_gives_torchvision_s_features() -> None:
    state = torch.load(random_vgg19(), weights_only=True)
    with torch.device("meta"):
        theirs = torchvision.models.vgg19(weights=None).features[:26]
    theirs.load_state_dict(
        {k.removeprefix("features."): v for k, v in state.items() if k[0] == "f"}, assign=True
    )
    network = load_vgg19(random_vgg19(), sha256_file(random_vgg19())[:8], "imagenet", None)
    x = torch.rand(1, 3, 32, 32) * 2 - 1
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    plain = theirs(((x + 1) / 2 - mean[:, None, None]) / deviation[:, None, None])
    torch.testing.assert_close(network(x), plain, rtol=DTYPE_TOLERANCE, atol=DTYPE_TOLERANCE)
    assert plain.min() < 0, "before the ReLU"
    assert not any(weight.requires_grad for weight in network.parameters())


def test_gradients_reach_the_picture() -> None:
    network = load_vgg19(random_vgg19(), sha256_file(random_vgg19()), "imagenet", 8)
    x = torch.zeros(1, 3, 16, 16, requires_grad=True)
    network(x).sum().backward()
    assert x.grad is not None
    assert x.grad.abs().min() > 0


@pytest.mark.parametrize(
    ("levels", "black", "red"),
    [
        ("unit01", (0, 0, 0), (1, 0, 0)),
        ("caffe255", (-103.939, -116.779, -123.68), (-103.939, -116.779, 131.32)),
        ("imagenet", (-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225), (0.515 / 0.229, -0.456 / 0.224, -0.406 / 0.225)),
    ],
)  # fmt: skip
def test_levels(levels: str, black: tuple[float, ...], red: tuple[float, ...]) -> None:
    picture = torch.full((1, 3, 1, 2), -1.0)
    picture[0, 0, 0, 1] = 1
    scaled = scale_levels(picture, levels)  # type: ignore[arg-type]
    assert scaled[0, :, 0, 0].tolist() == pytest.approx(black, abs=1e-4)
    assert scaled[0, :, 0, 1].tolist() == pytest.approx(red, abs=1e-4)


@pytest.mark.parametrize("px", [8, 15, 28])
def test_resampling_is_bilinear(px: int) -> None:
    x = torch.rand(2, 3, 16, 16, dtype=torch.float64)
    plain = F.interpolate(x, (px, px), mode="bilinear")
    torch.testing.assert_close(resample(x, px), plain)
    assert resample(x, None) is x


REFUSED = {
    "missing": (None, "no such file. Expected VGG19's weights"),
    "another": (b"something else", "the file was not opened. Expected"),
    "no weights": ({"features.0.weight": torch.zeros(1)}, "not the weights of VGG19"),
    "no tensors": ({"features": Path("x")}, "not the weights of VGG19"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_name_the_file_the_checksum_and_the_command(tmp_path: Path, case: str) -> None:
    content, message = REFUSED[case]
    file, digits = tmp_path / "vgg19.pth", "dcbb9e9d"
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content is not None:
        torch.save(content, file)
        digits = sha256_file(file)[:8]
    with pytest.raises(UserError, match=message) as caught:
        load_vgg19(file, digits, "imagenet", None)
    text = str(caught.value)
    assert "\n" not in text
    assert str(file) in text
    assert f"beginning with {digits}" in text
    assert "`data-prep fetch vgg19`" in text
