from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data_prep import cut_faces
from data_prep.check import Report, check_folder
from data_prep.cli import main
from data_prep.cli.checking import FaceDetector
from data_prep.cut_faces import DETECTORS, beyond
from data_prep.drawing.anime import draw_anime
from data_prep.faces.detection import Face
from data_prep.faces.written import read_faces, write_faces
from ugatit.manifest import SPLITS

PX = 160


def portrait(number: int, missing_px: int = 0) -> Image.Image:
    """A drawn anime face in the middle of its square; its left part may be missing."""
    rgb = draw_anime(7, number, picture_px=PX, face=0.5, center=(0.5, 0.5)).rgb
    return Image.fromarray(np.ascontiguousarray(rgb[:, missing_px:]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Whole faces, but for one that is cut on the left and a picture without one."""
    root = tmp_path_factory.mktemp("faces")
    for number, split in enumerate(SPLITS):
        (root / split).mkdir()
        for k in range(2):
            portrait(2 * number + k).save(root / split / f"{k}.png")
    portrait(20, missing_px=PX * 2 // 5).save(root / "trainB" / "cut.png")
    Image.fromarray(draw_anime(7, 30, picture_px=PX, people=0).rgb).save(root / "testB" / "none.png")
    return root


def check(folder: Path, **detectors: str) -> Report:
    return check_folder(folder, 2, 1, {side: DETECTORS[name] for side, name in detectors.items()})


def faces_of(report: Report) -> dict[str, tuple[str, ...]]:
    return {f.kind: f.where for f in report.findings if f.kind in ("cut-face", "no-face")}


def test_a_face_that_the_edge_cuts_off_and_a_picture_without_one_are_named(folder: Path) -> None:
    report = check(folder, A="animeface", B="animeface")
    found = faces_of(report)
    assert found["no-face"] == ("testB/none.png",)
    (cut,) = found["cut-face"]
    assert cut.startswith("trainB/cut.png: ") and cut.endswith("% of the face's box lie beyond an edge")
    assert {f.kind: f.severity for f in report.findings if f.kind in found} == {
        "cut-face": "warning", "no-face": "note",
    }  # fmt: skip


def test_only_the_side_that_is_asked_for_is_searched(folder: Path) -> None:
    assert faces_of(check(folder)) == {}
    assert faces_of(check(folder, A="animeface")) == {}


def test_a_picture_whose_name_is_not_utf8_is_named(tmp_path: Path) -> None:
    (tmp_path / "trainB").mkdir()
    strange = tmp_path / "trainB" / os.fsdecode(b"caf\xe9.png")
    try:
        portrait(1).save(strange, "PNG")
    except OSError:
        pytest.skip("this file system refuses such names")
    (left,) = [f for f in check(tmp_path, B="animeface").findings if f.kind == "not-searched"]
    assert left.where == ("trainB/caf\ufffd.png: cannot be opened (No such file or directory)",)


@pytest.mark.parametrize(
    ("face", "share"),
    [
        (Face(0, 0, 100, 50), 0.0),
        (Face(-10, 0, 40, 50), 0.25),
        (Face(70, 0, 40, 50), 0.25),
        (Face(0, -10, 40, 50), 0.2),
        (Face(0, 10, 40, 50), 0.2),
        (Face(-4, 10, 40, 50), 0.2),
        (Face(200, 0, 40, 50), 1.0),
    ],
)
def test_share_of_a_box_beyond_an_edge(face: Face, share: float) -> None:
    assert beyond(face, 100, 50) == pytest.approx(share)


def test_faces_survive_the_text() -> None:
    faces = [Face(1.25, -2, 3, 4), Face(1, 2, 3, 4, 0.9876), Face(1, 2, 3, 4, 0.5, ((1.5, 2), (3, 4.25)))]
    assert list(read_faces(write_faces(faces))) == faces
    assert list(read_faces(write_faces([]))) == []


def test_every_detector_can_be_asked_for() -> None:
    assert {str(name) for name in FaceDetector} == DETECTORS.keys()
    assert {name: settings.name for name, settings in DETECTORS.items()} == {name: name for name in DETECTORS}


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> object:
    """Run the command as a shell would; returns its exit code."""
    monkeypatch.setattr(sys, "argv", ["data-prep", "check", *map(str, arguments)])
    with pytest.raises(SystemExit) as exit_info:
        main()
    return exit_info.value.code


def test_command_searches_when_asked(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.json"
    assert run(monkeypatch, folder, "--faces-b", "animeface", "--json", report, "--threads", 1) == 0
    assert "pictures with a face that the edge cuts off: trainB 1" in capfd.readouterr().out
    assert "cut-face" in {finding["kind"] for finding in json.loads(report.read_text())["findings"]}


def test_command_says_what_a_detector_lacks(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    absent = DETECTORS["lbpcascade"].model_copy(update={"cascade": str(tmp_path / "absent.xml")})
    monkeypatch.setitem(cut_faces.DETECTORS, "lbpcascade", absent)
    assert run(monkeypatch, folder, "--faces-b", "lbpcascade") == 2
    assert (
        "absent.xml: no such cascade file; run `data-prep fetch lbpcascade-animeface`"
        in capfd.readouterr().err
    )


@pytest.mark.skipif("UGATIT_REAL_DATA" not in os.environ, reason="needs real pictures")
def test_published_anime_faces_are_whole_and_shifted_ones_cut(tmp_path: Path) -> None:
    files = sorted(Path(os.environ["UGATIT_REAL_DATA"], "selfie2anime", "testB").iterdir())[:20]
    for split in SPLITS:
        (tmp_path / split).mkdir()
    for number, file in enumerate(files):
        with Image.open(file) as image:
            image.save(tmp_path / "testB" / f"{number}.png")
            image.crop((90, 0, 256, 256)).save(tmp_path / "trainB" / f"{number}.png")
    found = faces_of(check(tmp_path, B="animeface"))
    assert len([place for place in found["cut-face"] if place.startswith("trainB/")]) >= 10
    assert not any(place.startswith("testB/") for place in found["cut-face"])
