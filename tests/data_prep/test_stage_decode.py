from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data_prep.drawing import spoiling
from data_prep.items import REVIEW, Item
from data_prep.measuring import measure_all
from data_prep.stages.decode import DecodeStage, require_few_errors
from tests.data_prep.small_side import encoded, item
from ugatit.construction import Decode
from ugatit.errors import UserError
from ugatit.files import sha256_file
from ugatit.manifest import DROPPED, ERROR, KEPT

LEAST = 24

RGB = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
"""30 rows, 40 columns."""


def decoded(folder: Path, name: str, data: bytes, least: int = LEAST) -> Item:
    """What the stage says of a file."""
    (folder / name).write_bytes(data)
    before = item(file=name, sha256=sha256_file(folder / name))
    stage = DecodeStage(Decode(min_side_px=least, max_error_share=1.0), folder)
    (after,) = measure_all(stage, [before], folder / "measured", 1)
    return after


@pytest.mark.parametrize(
    ("name", "data", "format_name", "mode", "traits"),
    [
        ("a.png", encoded(RGB), "PNG", "RGB", ""),
        ("a.JPEG", encoded(RGB, "JPEG"), "JPEG", "RGB", ""),
        ("a.webp", encoded(RGB, "WEBP"), "WEBP", "RGB", ""),
        ("a.jpg", encoded(RGB), "PNG", "RGB", "misnamed"),
        ("a.jpg", encoded(RGB, "WEBP"), "WEBP", "RGB", "misnamed"),
        ("a.gif", spoiling.save_animation(RGB), "GIF", "P", "animated"),
        ("a.png", spoiling.save_transparent(RGB), "PNG", "RGBA", "alpha"),
        ("a.png", spoiling.save_palette(RGB), "PNG", "P", "alpha"),
        ("a.jpg", spoiling.save_cmyk(RGB), "JPEG", "CMYK", "cmyk"),
        ("a.jpg", spoiling.save_grey_jpeg(RGB), "JPEG", "L", "grey"),
        ("a.png", spoiling.save_sixteen_bit(RGB), "PNG", "I;16", "grey"),
        ("a.png", encoded(Image.fromarray(RGB).convert("LA")), "PNG", "LA", "alpha;grey"),
        ("a.png", encoded(Image.fromarray(RGB).convert("1")), "PNG", "1", "grey"),
        ("a.jpg", spoiling.save_rotated(RGB), "JPEG", "RGB", "rotated"),
    ],
)
def test_usable_files_are_kept_with_what_is_peculiar(
    tmp_path: Path, name: str, data: bytes, format_name: str, mode: str, traits: str
) -> None:
    after = decoded(tmp_path, name, data)
    assert (after.status, after.reason) == (KEPT, "")
    assert (after.format, after.mode, after.traits) == (format_name, mode, traits)
    assert (after.width, after.height) == (40, 30)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (spoiling.HTML, "not a picture: HTML page"),
        (b"plain text", "not a picture: text"),
        (spoiling.save_truncated(RGB), "truncated"),
        (encoded(Image.new("1", (8000, 8000))), "too large: 8000x8000, at most 50000000 pixels"),
    ],
    ids=["empty", "html", "text", "truncated", "large"],
)
def test_unusable_files_are_errors_with_a_reason(tmp_path: Path, data: bytes, reason: str) -> None:
    after = decoded(tmp_path, "a.jpg", data)
    assert (after.status, after.stage, after.reason) == (ERROR, "decode", reason)
    assert (after.format, after.width, after.traits) == ("", None, "")


@pytest.mark.parametrize(("least", "status"), [(30, KEPT), (31, DROPPED)])
def test_the_shorter_side_decides(tmp_path: Path, least: int, status: str) -> None:
    after = decoded(tmp_path, "a.png", encoded(RGB), least)
    assert after.status == status
    assert after.reason == ("" if status == KEPT else "small picture: 40x30, at least 31")
    assert after.width == 40


def test_a_picture_that_changed_since_it_was_indexed_is_an_error_until_it_is_itself_again(
    tmp_path: Path,
) -> None:
    stage = DecodeStage(Decode(min_side_px=1, max_error_share=1.0), tmp_path)
    file = tmp_path / "a.png"
    file.write_bytes(encoded(RGB))
    before = [item(file="a.png", sha256=sha256_file(file))]

    def outcome() -> tuple[str, str]:
        (after,) = measure_all(stage, before, tmp_path / "measured", 1)
        return after.status, after.reason

    file.write_bytes(encoded(RGB[::-1]))
    assert outcome() == (ERROR, "changed since it was indexed")
    file.unlink()
    assert outcome()[0] == ERROR
    file.write_bytes(encoded(RGB))
    assert outcome() == (KEPT, "")


def test_what_is_out_is_not_read(tmp_path: Path) -> None:
    before = [item(1, status=DROPPED, file="none.png"), item(2, status=ERROR, file="none.png")]
    stage = DecodeStage(Decode(min_side_px=1, max_error_share=1.0), tmp_path)
    assert measure_all(stage, before, tmp_path / "measured", 1) == before


@pytest.mark.parametrize(
    ("errors", "total", "limit", "refused"),
    [
        (0, 4, 0.0, False),
        (1, 4, 0.0, True),
        (2, 4, 0.5, False),
        (3, 4, 0.5, True),
        (4, 4, 1.0, False),
        (0, 0, 0.5, False),
    ],
)
def test_too_many_errors_stop_the_run(errors: int, total: int, limit: float, refused: bool) -> None:
    bad = item(file="bad.jpg", status=ERROR, stage="decode", reason="truncated")
    good = [item(status=DROPPED), item(status=REVIEW), item(), item()]
    items = errors * [bad] + good[: total - errors]
    if not refused:
        require_few_errors(items, limit)
        return
    with pytest.raises(
        UserError, match=rf"{errors} of {total} pictures cannot be read, such as bad\.jpg \(truncated\)"
    ):
        require_few_errors(items, limit)
