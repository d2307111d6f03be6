from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ugatit.images import (
    EXTENSIONS,
    FORMATS,
    MAX_PIXELS,
    PICTURE_SUFFIXES,
    PictureError,
    decode,
    read_rgb,
    resize,
    to_tensor,
    to_uint8,
    write_png,
)

JPEG_TOLERANCE = 6
"""Levels by which a smooth JPEG of quality 95 may differ from what was saved."""

ORIENTATION, IMAGE_WIDTH = 0x0112, 0x0100


def gradient(height: int = 12, width: int = 20) -> np.ndarray:
    """A smooth picture without symmetry."""
    y, x = np.mgrid[:height, :width]
    return np.stack([40 + 6 * x, 30 + 9 * y, 120 + 3 * x - 2 * y], axis=-1).astype(np.uint8)


def encode(image: Image.Image, format_name: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_name, **options)
    return buffer.getvalue()


def png_claiming(width: int, height: int) -> bytes:
    """A PNG whose header promises more pixels than the file has."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(100))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("format_name", ["PNG", "BMP", "PPM", "TIFF"])
def test_formats_without_loss_decode_exactly(format_name: str) -> None:
    decoded = decode(encode(Image.fromarray(gradient()), format_name))
    assert np.array_equal(decoded.rgb, gradient())
    assert decoded.rgb.dtype == np.uint8
    assert (decoded.format, decoded.mode) == (format_name, "RGB")


@pytest.mark.parametrize("format_name", ["JPEG", "WEBP"])
def test_formats_with_loss_decode_closely(format_name: str) -> None:
    picture = Image.fromarray(gradient(48, 48))
    decoded = decode(encode(picture, format_name, quality=95))
    assert np.abs(decoded.rgb.astype(int) - np.asarray(picture)).mean() < JPEG_TOLERANCE
    assert decoded.format == format_name


def test_every_format_has_an_ending_by_which_it_is_found() -> None:
    assert set(EXTENSIONS) == set(FORMATS)
    assert set(EXTENSIONS.values()) <= PICTURE_SUFFIXES


def test_a_format_that_is_not_named_is_not_opened() -> None:
    with pytest.raises(PictureError, match="not a picture"):
        decode(encode(Image.fromarray(gradient()), "ICNS"))


def test_a_grey_jpeg_becomes_rgb() -> None:
    decoded = decode(encode(Image.fromarray(gradient()).convert("L"), "JPEG"))
    assert decoded.mode == "L"
    assert decoded.rgb.shape == (12, 20, 3)
    assert np.ptp(decoded.rgb, axis=-1).max() == 0


def test_a_cmyk_jpeg_becomes_rgb() -> None:
    picture = Image.new("RGB", (16, 16), (200, 60, 30))
    decoded = decode(encode(picture.convert("CMYK"), "JPEG", quality=95))
    assert decoded.mode == "CMYK"
    assert np.abs(decoded.rgb.astype(int) - [200, 60, 30]).max() <= JPEG_TOLERANCE


def test_a_jpeg_with_further_views_is_a_jpeg() -> None:
    first, second = Image.new("RGB", (8, 8), "white"), Image.new("RGB", (8, 8), "black")
    decoded = decode(encode(first, "MPO", save_all=True, append_images=[second]))
    assert decoded.format == "JPEG"
    assert decoded.rgb.min() == 255


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_lies_over_white(mode: str) -> None:
    black = Image.new("RGBA", (3, 1), (0, 0, 0, 255))
    black.putpixel((0, 0), (0, 0, 0, 0))
    black.putpixel((1, 0), (0, 0, 0, 51))
    decoded = decode(encode(black.convert(mode), "PNG"))
    assert decoded.rgb[0].tolist() == [[255] * 3, [204] * 3, [0] * 3]


@pytest.mark.parametrize("mode", ["P", "RGB", "L"])
def test_a_transparent_colour_lies_over_white(mode: str) -> None:
    picture = Image.new("RGB", (2, 1), (51, 51, 51))
    picture.putpixel((1, 0), (102, 102, 102))
    picture = picture.convert(mode)
    transparent = picture.getpixel((0, 0))
    decoded = decode(encode(picture, "PNG", transparency=transparent))
    assert decoded.rgb[0].tolist() == [[255] * 3, [102] * 3]


ROTATIONS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda stored: stored,
    2: np.fliplr,
    3: lambda stored: np.rot90(stored, 2),
    4: np.flipud,
    5: lambda stored: stored.swapaxes(0, 1),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: np.rot90(stored, 2).swapaxes(0, 1),
    8: lambda stored: np.rot90(stored, 1),
}
"""What a viewer shows for each value of EXIF's orientation, by the EXIF standard."""


@pytest.mark.parametrize("orientation", ROTATIONS)
def test_exif_rotation_is_applied(orientation: int) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    decoded = decode(encode(Image.fromarray(gradient()), "PNG", exif=exif))
    assert np.array_equal(decoded.rgb, ROTATIONS[orientation](gradient()))


def test_exif_that_cannot_be_understood_is_a_reason() -> None:
    entries = [
        struct.pack("<HHI4s", IMAGE_WIDTH, 2, 4, b"abc\0"),
        struct.pack("<HHIHH", ORIENTATION, 3, 1, 6, 0),
    ]
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2) + b"".join(entries) + bytes(4)
    with pytest.raises(PictureError, match="damaged"):
        decode(encode(Image.fromarray(gradient()), "JPEG", exif=exif))


def test_sixteen_bit_grey_is_scaled_not_clipped() -> None:
    levels = np.array([[0, 257 * 100, 257 * 200, 65535]], dtype=np.uint16)
    decoded = decode(encode(Image.fromarray(levels), "PNG"))
    assert decoded.mode.startswith("I")
    assert decoded.rgb[0].tolist() == [[0] * 3, [100] * 3, [200] * 3, [255] * 3]


def test_of_an_animation_the_first_frame_is_taken() -> None:
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
    decoded = decode(encode(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert decoded.format == "GIF"
    assert (decoded.rgb == [255, 0, 0]).all()


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP"])
def test_half_a_file_is_refused(format_name: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    data = encode(Image.fromarray(noise), format_name)
    with pytest.raises(PictureError):
        decode(data[: len(data) // 2])


@pytest.mark.parametrize("format_name", ["JPEG", "PNG"])
def test_a_truncated_file_is_called_so(format_name: str) -> None:
    data = encode(Image.effect_noise((64, 64), 50).convert("RGB"), format_name)
    with pytest.raises(PictureError, match="^truncated$"):
        decode(data[: len(data) * 9 // 10])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b"just some words", r"not a picture \(text\)"),
        (b"  <!DOCTYPE html><html><body>quota exceeded</body></html>", r"not a picture \(HTML page\)"),
        (b"PK\x03\x04" + bytes(40), r"not a picture \(zip archive\)"),
        (b"\xfe\xff\x00\x9c" * 10, r"not a picture \(unknown bytes\)"),
        (png_claiming(10_000, MAX_PIXELS // 10_000 + 1), "too large"),
        (png_claiming(60_000, 60_000), "bomb"),
    ],
)
def test_what_is_no_picture_has_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(PictureError, match=reason):
        decode(data)


def test_damage_of_any_kind_is_a_reason_and_nothing_else() -> None:
    draw = random.Random(0)
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    picture = Image.fromarray(gradient())
    whole = [
        encode(picture, name, **({"exif": exif} if name != "BMP" else {})) for name in ("JPEG", "PNG", "WEBP")
    ]
    whole += [encode(picture, name) for name in ("BMP", "PPM", "TIFF", "GIF")]
    refused = 0
    for _ in range(300):
        for data in whole:
            damaged = bytearray(data)
            for _ in range(draw.choice([1, 2, 8])):
                damaged[draw.randrange(len(damaged))] = draw.randrange(256)
            try:
                decode(bytes(damaged[: draw.choice([None, draw.randrange(len(damaged))])]))
            except PictureError:
                refused += 1
    assert refused > 0


def test_a_missing_file_is_no_bad_picture(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_rgb(tmp_path / "none.png")


def test_png_keeps_every_level(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", gradient())
    assert np.array_equal(read_rgb(tmp_path / "a.png"), gradient())
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]


def test_all_levels_survive_the_round_trip_through_the_network_range() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(8, 32)
    picture = np.stack([levels, levels[::-1], levels[:, ::-1]], axis=-1)
    tensor = to_tensor(picture)
    assert tensor.shape == (3, 8, 32)
    assert tensor.dtype == torch.float32
    assert (tensor.min().item(), tensor.max().item()) == (-1.0, 1.0)
    assert np.array_equal(to_uint8(tensor), picture)


def test_a_batch_keeps_its_first_dimension() -> None:
    batch = np.stack([gradient(), gradient()[::-1]])
    assert to_tensor(batch).shape == (2, 3, 12, 20)
    assert torch.equal(to_tensor(batch)[1], to_tensor(batch[1]))
    assert np.array_equal(to_uint8(to_tensor(batch)), batch)


def test_values_outside_the_range_are_clipped_and_others_rounded() -> None:
    values = torch.tensor([-3.0, -1.0, -1.0 + 0.6 / 127.5, -1.0 + 0.4 / 127.5, 1.0, 3.0])
    picture = values.view(1, 1, 6).expand(3, 1, 6).requires_grad_()
    assert to_uint8(picture)[0, :, 0].tolist() == [0, 0, 1, 0, 255, 255]


def test_resizing_to_the_same_size_returns_the_picture_itself() -> None:
    square = gradient(16, 16)
    assert resize(square, 16) is square


@pytest.mark.parametrize("image_px", [8, 40])
def test_resizing_makes_a_square_and_keeps_a_plain_colour(image_px: int) -> None:
    plain = np.full((12, 20, 3), (10, 20, 30), dtype=np.uint8)
    resized = resize(plain, image_px)
    assert resized.shape == (image_px, image_px, 3)
    assert (resized == [10, 20, 30]).all()


def test_reducing_averages_over_all_pixels() -> None:
    stripes = np.zeros((64, 64, 3), dtype=np.uint8)
    stripes[:, ::2] = 254
    inner = resize(stripes, 8)[:, 1:-1]
    assert np.abs(inner.astype(int) - 127).max() <= 8
