"""What goes wrong with raw pictures, one test per kind, and what becomes of it.

Kinds that are tested elsewhere:

- a page or nothing under an archive's name: test_fetch.py (a page instead of the archive, a saved error page that
  is there), test_archives.py (what is no archive);
- dead links, refusals, silence, cut-off answers: test_fetch.py (retries, pauses, mirrors, continuing) and
  test_url_list.py (every failure is counted, recorded and shown; a cut-off picture never has its name);
- a wrong checksum: test_fetch.py (a wrong file stops everything and is kept aside, it can be accepted);
- a kill in the middle: test_measuring.py (a killed stage), test_fetch.py (a killed download), test_archives.py
  (a killed unpacking), test_folder.py (a killed build);
- every detector that finds nothing: test_faces.py.
"""

from __future__ import annotations

import errno
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import animeface
import numpy as np
import pytest
from PIL import Image

from data_prep.drawing import spoiling
from data_prep.drawing.anime import draw_anime
from data_prep.items import REVIEW, Item
from data_prep.stages.export import export
from data_prep.stages.verify import verify
from tests.data_prep.small_side import SmallSide, encoded, small_stages
from ugatit.construction import Construction
from ugatit.errors import UserError
from ugatit.images import decode, read_rgb
from ugatit.manifest import DROPPED, ERROR, KEPT, SPLITS, Picture, describe_picture
from ugatit.params import Params

PX = 144

LOSS = 6.0
"""Mean grey levels by which saving as JPEG, CMYK or with few colours changes a drawing."""

LEVEL = 1
"""Grey levels by which two ways of rounding to 8 bits differ."""


def face(number: int, **options: Any) -> np.ndarray:
    """One drawn face, larger than the pictures' usual so that its square reaches into the corners."""
    return draw_anime(3, number, **{"picture_px": 120, "face": 0.44, "center": (0.5, 0.48), **options}).rgb


FACES = {
    name: face(number)
    for number, name in enumerate(("png", "gif", "cmyk", "grey", "sixteen", "alpha", "palette"))
}

UPRIGHT = face(20, picture_px=(120, 150), center=(0.5, 0.4))

PLANTED = {
    "good.png": encoded(face(30)),
    "better.jpg": encoded(face(31), "JPEG", quality=95),
    "truncated.jpg": spoiling.save_truncated(face(32)),
    "page.jpg": spoiling.HTML,
    "empty.jpg": b"",
    "misnamed.jpg": encoded(FACES["png"]),
    "animated.gif": spoiling.save_animation(FACES["gif"]),
    "alpha.png": spoiling.save_transparent(FACES["alpha"]),
    "palette.png": spoiling.save_palette(FACES["palette"]),
    "cmyk.jpg": spoiling.save_cmyk(FACES["cmyk"]),
    "sixteen.png": spoiling.save_sixteen_bit(FACES["sixteen"]),
    "grey.jpg": spoiling.save_grey_jpeg(FACES["grey"]),
    "rotated.jpg": spoiling.save_rotated(UPRIGHT),
    "bomb.png": encoded(Image.new("1", (8000, 8000))),
    "tiny.png": encoded(face(33, picture_px=200, face=0.18)),
    "border.png": encoded(face(34, picture_px=PX, face=0.36, center=(0.2, 0.5))),
    "two.png": encoded(face(35, picture_px=(300, 200), face=0.2, people=2)),
    "landscape.png": encoded(face(36, people=0)),
}


@pytest.fixture(scope="module")
def side(params: Params, tmp_path_factory: pytest.TempPathFactory) -> SmallSide:
    """A side with one picture of each kind, through all of its stages."""
    root = tmp_path_factory.mktemp("trouble")
    stages = small_stages(
        params,
        quality={"monochrome": None, "min_sharpness": 0.0, "min_side_px": 70, "review_side_px": 70},
        crop={"max_shift": 0.1, "max_pad": 0.0},
        dedupe={"drop_distance": 0, "review_distance": 0},
    )
    made = SmallSide(root, root / "dataset" / "stages" / "a", stages)
    for name, data in PLANTED.items():
        made.add(name, data)
    return made


@pytest.fixture(scope="module")
def items(side: SmallSide) -> dict[str, Item]:
    return side.run_to("split", train=6, test=2)


def crop_and_original(side: SmallSide, item: Item, original: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """An item's crop, and the same square of another picture."""
    assert (item.status, item.reason) == (KEPT, "")
    left, top, px = item.crop_left, item.crop_top, item.crop_px
    assert left is not None and top is not None and px is not None
    return read_rgb(side.folder / item.crop), original[top : top + px, left : left + px]


def mean_difference(some: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(some.astype(int) - other).mean())


def test_nothing_stops_the_good_pictures(items: dict[str, Item]) -> None:
    assert set(items) == set(PLANTED)
    assert items["good.png"].split and items["better.jpg"].split
    assert Counter(item.split for item in items.values()) >= Counter(train=6, test=2)


def test_truncated_jpeg(side: SmallSide, items: dict[str, Item], tmp_path: Path) -> None:
    item = items["truncated.jpg"]
    assert (item.status, item.stage, item.reason) == (ERROR, "decode", "truncated")
    none = side.stages.model_copy(
        update={"decode": side.stages.decode.model_copy(update={"max_error_share": 0.2})}
    )
    strict = replace(side, folder=tmp_path, stages=none)
    strict.run("index")
    with pytest.raises(UserError, match=r"4 of 18 pictures cannot be read, such as .*; at most 20% may"):
        strict.run("decode")
    assert not (tmp_path / "decode.csv").exists()


@pytest.mark.parametrize(
    ("name", "reason"), [("page.jpg", "not a picture: HTML page"), ("empty.jpg", "empty file")]
)
def test_html_or_0_byte_file(items: dict[str, Item], name: str, reason: str) -> None:
    assert (items[name].status, items[name].stage, items[name].reason) == (ERROR, "decode", reason)


def test_wrong_extension(side: SmallSide, items: dict[str, Item]) -> None:
    item = items["misnamed.jpg"]
    assert (item.format, item.traits) == ("PNG", "misnamed")
    crop, original = crop_and_original(side, item, FACES["png"])
    assert np.array_equal(crop, original)
    stages = Construction(a=side.stages, b=side.stages)
    rows = export(
        {"a": list(items.values()), "b": []}, stages, side.folder.parents[1], reviewed=False, threads=1
    )
    assert len(rows) == 8
    assert {(Path(row.path).suffix, row.format) for row in rows} == {(".png", "PNG")}


def test_animated_gif(side: SmallSide, items: dict[str, Item]) -> None:
    assert items["animated.gif"].traits == "animated"
    crop, original = crop_and_original(side, items["animated.gif"], FACES["gif"])
    brighter = 255 - (255 - original) // 2
    assert mean_difference(crop, original) < LOSS < mean_difference(crop, brighter)


@pytest.mark.parametrize("name", ["alpha", "palette"])
def test_alpha_and_p_with_trns(side: SmallSide, items: dict[str, Item], name: str) -> None:
    item = items[f"{name}.png"]
    assert (item.traits, item.mode) == ("alpha", "P" if name == "palette" else "RGBA")
    crop, original = crop_and_original(side, item, FACES[name])
    corners = (np.array([0, 0, -1, -1]), np.array([0, -1, 0, -1]))
    hidden = (crop[corners] != original[corners]).any(axis=1)
    assert hidden.any()
    assert (crop[corners][hidden] == 255).all()
    px = len(crop) // 4
    inner = slice(px, -px)
    assert mean_difference(crop[inner, inner], original[inner, inner]) < LOSS


def test_cmyk_jpeg(side: SmallSide, items: dict[str, Item]) -> None:
    assert (items["cmyk.jpg"].mode, items["cmyk.jpg"].traits) == ("CMYK", "cmyk")
    assert mean_difference(*crop_and_original(side, items["cmyk.jpg"], FACES["cmyk"])) < LOSS


def test_16_bit_grey_png(side: SmallSide, items: dict[str, Item]) -> None:
    assert items["sixteen.png"].traits == "grey"
    crop, original = crop_and_original(side, items["sixteen.png"], spoiling.grey(FACES["sixteen"]))
    assert np.abs(crop.astype(int) - original).max() <= LEVEL


def test_grey_jpeg(side: SmallSide, items: dict[str, Item]) -> None:
    assert (items["grey.jpg"].mode, items["grey.jpg"].traits) == ("L", "grey")
    crop, original = crop_and_original(side, items["grey.jpg"], spoiling.grey(FACES["grey"]))
    assert crop.shape[2] == 3
    assert np.ptp(crop, axis=2).max() == 0
    assert mean_difference(crop, original) < LOSS


def test_exif_rotation(side: SmallSide, items: dict[str, Item]) -> None:
    item = items["rotated.jpg"]
    assert (item.traits, item.width, item.height) == ("rotated", 120, 150)
    crop, original = crop_and_original(side, item, UPRIGHT)
    assert mean_difference(crop, original) < LOSS < mean_difference(crop, np.rot90(original))


def test_decompression_bomb(items: dict[str, Item]) -> None:
    item = items["bomb.png"]
    assert (item.status, item.stage) == (ERROR, "decode")
    assert item.reason == "too large: 8000x8000, at most 50000000 pixels"


def test_tiny_face(items: dict[str, Item]) -> None:
    item = items["tiny.png"]
    assert (item.status, item.stage, item.faces) == (DROPPED, "quality", 1)
    assert item.reason == f"small face: {item.crop_px} px, at least 70"


def test_face_at_the_border(items: dict[str, Item]) -> None:
    item = items["border.png"]
    assert (item.status, item.stage, item.reason, item.faces) == (DROPPED, "crop", "out of frame", 1)


def test_two_faces(side: SmallSide, items: dict[str, Item]) -> None:
    found = {}
    for several in ("drop", "review", "largest"):
        detect = side.stages.detect.model_copy(update={"several": several})
        other = replace(side, stages=side.stages.model_copy(update={"detect": detect}))
        (item,) = (item for item in other.run("detect") if item.file == "two.png")
        found[several] = (item.status, item.reason, item.faces)
        assert item.face_left is not None
    reason = "several faces: 2"
    assert found == {"drop": (DROPPED, reason, 2), "review": (REVIEW, reason, 2), "largest": (KEPT, "", 2)}


def test_no_face(items: dict[str, Item]) -> None:
    item = items["landscape.png"]
    assert (item.status, item.stage, item.reason, item.faces) == (DROPPED, "detect", "no face", 0)


def small_side(params: Params, root: Path, count: int) -> SmallSide:
    """A side of good faces only, its stages not yet run."""
    made = SmallSide(root, root / "stages", small_stages(params, quality={"review_side_px": 64}))
    for number in range(count):
        made.add(f"{number}.png", encoded(face(number)))
    return made


def test_disk_full(params: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    side = small_side(params, tmp_path, 4)
    side.run_to("detect")
    save, written = Image.Image.save, []

    def full(image: Image.Image, part: Path, **options: Any) -> None:
        save(image, part, **options)
        written.append(part)
        if len(written) == 3:
            part.write_bytes(part.read_bytes()[:100])
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Image.Image, "save", full)
        with pytest.raises(OSError, match="No space left"):
            side.run("crop")
    assert not (side.folder / "crop.csv").exists()
    crops = [file for file in (side.folder / "crops").rglob("*") if file.is_file()]
    assert len(crops) == 2
    assert {decode(file.read_bytes()).format for file in crops} == {"PNG"}
    assert [item.status for item in side.run("crop")] == [KEPT] * 4
    again = replace(side, folder=tmp_path / "again")
    again.run_to("crop")
    assert again.files() == side.files()


def test_fewer_than_wanted(params: Params, tmp_path: Path) -> None:
    side = small_side(params, tmp_path, 4)
    side.add("bad.jpg", b"")
    side.add("man.png", encoded(face(9)), "Male")
    side.run_to("upscale")
    with pytest.raises(
        UserError, match=r"4 of 6 pictures are left, 30 \+ 10 are wanted \(lost: decode 1, select 1\)"
    ):
        side.run("split", train=30, test=10)
    assert not (side.folder / "split.csv").exists()
    split = side.stages.split.model_copy(update={"allow_fewer": True})
    side = replace(side, stages=side.stages.model_copy(update={"split": split}))
    assert Counter(item.split for item in side.run("split", train=30, test=10)) == Counter(
        {"train": 3, "test": 1, "": 2}
    )


def test_detector_silently_dead(params: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    side = small_side(params, tmp_path, 1)
    side.run_to("select")
    monkeypatch.setattr(animeface, "detect", lambda image: [])
    with pytest.raises(
        UserError, match="face detector animeface: its self-test found 0 faces in a drawing of one"
    ):
        side.run("detect")
    assert not (side.folder / "detect.csv").exists()


def listed(folder: Path, pictures: dict[str, bytes]) -> list[Picture]:
    """Write a dataset of these pictures; its list."""
    for split in SPLITS:
        (folder / split).mkdir(parents=True)
    for path, data in pictures.items():
        (folder / path).write_bytes(data)
    return [describe_picture(folder / path, path.split("/")[0], path, path) for path in pictures]


@pytest.mark.parametrize(
    ("test_picture", "words"),
    [
        (
            encoded(face(1)),
            "no bytes twice: trainA/a.png (from trainA/a.png) and testA/a.png (from testA/a.png)",
        ),
        (
            encoded(face(1), "BMP"),
            "no picture of testA has the perceptual hash of one of trainA: testA/a.png",
        ),
        (encoded(face(2)), ""),
    ],
    ids=["same bytes", "saved again", "another"],
)
def test_same_picture_in_train_and_test(tmp_path: Path, test_picture: bytes, words: str) -> None:
    pictures = {
        "trainA/a.png": encoded(face(1)),
        "testA/a.png": test_picture,
        "trainB/b.png": encoded(face(3)),
    }
    rows = listed(tmp_path, pictures)
    if not words:
        assert len(verify(rows, tmp_path, 120, {"trainA": 1, "testA": 1, "trainB": 1}, 1)) == 6
        return
    with pytest.raises(UserError) as refused:
        verify(rows, tmp_path, 120, None, 1)
    assert words in str(refused.value)
