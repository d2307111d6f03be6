from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from data_prep.faces.detection import Face
from data_prep.items import REVIEW, Item
from data_prep.measuring import measure_all
from data_prep.stages import detect
from data_prep.stages.crop import CropStage
from data_prep.stages.detect import DetectStage
from tests.data_prep.small_side import DETECTOR, encoded, item
from ugatit.construction import Crop, Detect
from ugatit.files import sha256_file
from ugatit.images import read_rgb
from ugatit.manifest import DROPPED, ERROR, KEPT

WIDTH, HEIGHT = 100, 80

RGB = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)

SETTINGS = Detect(detector=DETECTOR, min_score=0.5, min_height=0.25, several="drop")

EYES = ((40.0, 30.0), (55.0, 30.0))

FACE = Face(30, 20, 40, 30, 0.9, EYES)

CROP = Crop(reference="side", scale=1.0, center_x=0.5, center_y=0.5, max_shift=0.2, max_pad=0.1)


class Pretended:
    """A detector that finds what it is told to."""

    name, version = "pretended", "1"

    def __init__(self, faces: Sequence[Face]):
        self.faces = list(faces)
        self.calls = 0

    def __call__(self, rgb: np.ndarray) -> list[Face]:
        self.calls += 1
        return self.faces


def raw_item(folder: Path, **columns: object) -> Item:
    (folder / "a.png").write_bytes(encoded(RGB))
    size = {"width": WIDTH, "height": HEIGHT}
    return item(file="a.png", sha256=sha256_file(folder / "a.png"), **{**size, **columns})


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Pretended:
    """A detector in place of the real ones; set its `faces`."""
    pretended = Pretended([FACE])
    for name in ("open_detector", "open_in_worker"):
        monkeypatch.setattr(detect, name, lambda settings: pretended)
    return pretended


def detected(
    folder: Path,
    several: Literal["drop", "review", "largest"] = "drop",
    settings: Detect = SETTINGS,
    **columns: object,
) -> Item:
    stage = DetectStage(settings.model_copy(update={"several": several}), folder)
    (after,) = measure_all(stage, [raw_item(folder, **columns)], folder / "measured", 1)
    return after


def test_the_largest_face_is_written_down(tmp_path: Path, found: Pretended) -> None:
    found.faces = [FACE, Face(1, 2, 20, 21, 0.8)]
    after = detected(tmp_path, "largest")
    assert (after.faces, after.face_left, after.face_top, after.face_width, after.face_height) == (
        2,
        30,
        20,
        40,
        30,
    )
    assert after.face_score == 0.9
    assert after.found == "30.0,20.0,40.0,30.0,0.9,40.0,30.0,55.0,30.0;1.0,2.0,20.0,21.0,0.8"


@pytest.mark.parametrize(
    ("faces", "status", "reason"),
    [
        ([FACE], KEPT, ""),
        ([], DROPPED, "no face"),
        ([Face(30, 20, 40, 30)], KEPT, ""),
        ([Face(30, 20, 40, 30, 0.5)], KEPT, ""),
        ([Face(30, 20, 40, 30, 0.4999)], DROPPED, "no face"),
        ([Face(30, 20, 20, 20, 0.9)], KEPT, ""),
        ([Face(30, 20, 40, 19.99, 0.9)], DROPPED, "no face"),
        ([Face(60, 20, 40, 30, 0.9, ((70, 30), (100, 30)))], DROPPED, "no face"),
        ([Face(-5, 20, 40, 30, 0.9, ((-0.1, 30), (20, 30)))], DROPPED, "no face"),
        ([Face(30, 60, 40, 30, 0.9, ((40, 80), (50, 70)))], DROPPED, "no face"),
        ([FACE, Face(60, 20, 30, 30, 0.1)], KEPT, ""),
    ],
)
def test_only_sure_large_faces_with_both_eyes_count(
    tmp_path: Path, found: Pretended, faces: list[Face], status: str, reason: str
) -> None:
    found.faces = faces
    after = detected(tmp_path)
    assert (after.status, after.reason) == (status, reason)
    assert after.faces == (1 if status == KEPT else 0)


@pytest.mark.parametrize(("several", "status"), [("drop", DROPPED), ("review", REVIEW), ("largest", KEPT)])
def test_what_becomes_of_two_faces_is_a_setting(
    tmp_path: Path, found: Pretended, several: Literal["drop", "review", "largest"], status: str
) -> None:
    found.faces = [FACE, Face(1, 2, 20, 21, 0.8)]
    after = detected(tmp_path, several)
    assert (after.status, after.reason) == (status, "" if status == KEPT else "several faces: 2")
    assert after.face_left == 30


def test_a_changed_threshold_searches_nothing_again(tmp_path: Path, found: Pretended) -> None:
    found.faces = [FACE, Face(50, 9, 30, 25, 0.8)]
    surer = SETTINGS.model_copy(update={"min_score": 0.95})
    larger = SETTINGS.model_copy(update={"min_height": 0.35})
    assert [detected(tmp_path, several).status for several in ("drop", "review", "largest")] == [
        DROPPED,
        REVIEW,
        KEPT,
    ]
    assert (detected(tmp_path, settings=surer).reason, detected(tmp_path, settings=larger).faces) == (
        "no face",
        1,
    )
    assert found.calls == 1


def test_another_version_of_the_detector_searches_again(tmp_path: Path, found: Pretended) -> None:
    detected(tmp_path)
    found.version, found.faces = "2", []  # type: ignore[misc]
    assert detected(tmp_path).faces == 0
    assert found.calls == 2


@pytest.mark.parametrize(("status", "calls"), [(REVIEW, 1), (DROPPED, 0), (ERROR, 0)])
def test_only_what_is_in_is_searched_and_a_doubt_stays(
    tmp_path: Path, found: Pretended, status: str, calls: int
) -> None:
    after = detected(tmp_path, status=status, stage="select", reason="gender unknown")
    assert (after.status, after.reason, found.calls) == (status, "gender unknown", calls)


def cropped(folder: Path, face: Face, settings: Crop = CROP, **columns: object) -> tuple[Item, Path]:
    before = raw_item(
        folder,
        face_left=face.left,
        face_top=face.top,
        face_width=face.width,
        face_height=face.height,
        **columns,
    )
    (after,) = measure_all(CropStage(settings, folder, folder / "out"), [before], folder / "measured", 1)
    return after, folder / "out" / after.crop


@pytest.mark.parametrize(
    ("face", "left", "top", "shift", "pad"),
    [
        (Face(30, 20, 40, 40), 30, 20, 0, 0),
        (Face(-5, 20, 40, 40), 0, 20, 5, 0),
        (Face(66, 46, 40, 40), 60, 40, 6, 0),
        (Face(-11, 20, 40, 40), -3, 20, 8, 3),
    ],
)
def test_the_square_is_written_with_where_it_was(
    tmp_path: Path, face: Face, left: int, top: int, shift: int, pad: int
) -> None:
    after, file = cropped(tmp_path, face)
    assert after.status == KEPT
    assert (after.crop_left, after.crop_top, after.crop_px) == (left, top, 40)
    assert (after.shift_px, after.pad_px) == (shift, pad)
    rgb = read_rgb(file)
    assert rgb.shape == (40, 40, 3)
    assert np.array_equal(rgb[:, pad:], RGB[top : top + 40, left + pad : left + 40])
    assert (rgb[:, :pad] == rgb[:, pad : pad + 1]).all()


def test_a_face_that_the_picture_cuts_off_is_dropped_without_a_crop(tmp_path: Path) -> None:
    after, _ = cropped(tmp_path, Face(-20, 20, 40, 40))
    assert (after.status, after.stage, after.reason, after.crop) == (DROPPED, "crop", "out of frame", "")
    assert not (tmp_path / "out").exists()


def test_reference_and_centre_frame_the_face(tmp_path: Path) -> None:
    framing = {"reference": "height", "scale": 1.5, "center_y": 0.4, "max_shift": 0.0, "max_pad": 0.0}
    after, _ = cropped(tmp_path, Face(40, 30, 10, 20), CROP.model_copy(update=framing))
    assert (after.crop_left, after.crop_top, after.crop_px) == (30, 28, 30)


def test_other_settings_make_another_file_and_leave_the_old_one(tmp_path: Path) -> None:
    _, first = cropped(tmp_path, FACE)
    _, second = cropped(tmp_path, FACE, CROP.model_copy(update={"scale": 1.1}))
    assert first != second
    assert first.exists() and second.exists()


def test_a_crop_that_was_removed_is_made_again(tmp_path: Path) -> None:
    after, file = cropped(tmp_path, FACE)
    data = file.read_bytes()
    file.unlink()
    assert cropped(tmp_path, FACE) == (after, file)
    assert file.read_bytes() == data


@pytest.mark.parametrize(("status", "made"), [(REVIEW, True), (DROPPED, False), (ERROR, False)])
def test_what_is_out_is_not_cropped(tmp_path: Path, status: str, made: bool) -> None:
    after, _ = cropped(tmp_path, FACE, status=status, stage="select", reason="x")
    assert (bool(after.crop), after.status, after.reason) == (made, status, "x")


@pytest.mark.parametrize("stage", ["detect", "crop"])
def test_a_picture_that_changed_is_an_error(tmp_path: Path, found: Pretended, stage: str) -> None:
    stages = {"detect": DetectStage(SETTINGS, tmp_path), "crop": CropStage(CROP, tmp_path, tmp_path / "out")}
    columns = {"face_left": 1.0, "face_top": 1.0, "face_width": 20.0, "face_height": 20.0}
    before = raw_item(tmp_path, **columns)
    (tmp_path / "a.png").write_bytes(encoded(RGB[::-1]))
    (after,) = measure_all(stages[stage], [before], tmp_path / "measured", 1)  # type: ignore[arg-type]
    assert (after.status, after.stage, after.reason) == (ERROR, stage, "changed since it was indexed")
