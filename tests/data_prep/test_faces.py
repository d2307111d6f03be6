from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import animeface
import cv2
import facenet_pytorch
import numpy as np
import PIL
import pytest
import torch
from PIL import Image

from data_prep.drawing import anime, selfie
from data_prep.faces.anime_face import AnimeFaceDetector
from data_prep.faces.detection import Detector, Face, open_detector, open_in_worker, search_reduced
from data_prep.faces.lbpcascade import ANIME_FACE_SHA256, CascadeDetector
from data_prep.faces.mtcnn import MtcnnDetector
from ugatit.construction import AnimeFace, Cascade, DetectorSettings, Mtcnn
from ugatit.errors import UserError
from ugatit.files import sha256_file
from ugatit.images import read_rgb

MTCNN = Mtcnn(name="mtcnn", max_side_px=768, min_face_px=20)
ANIME_FACE = AnimeFace(name="animeface", max_side_px=768, min_face_px=24)

HAAR = Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_alt.xml"
"""A cascade that ships with OpenCV; it knows photographed faces only."""

CENTRE_TOLERANCE = 0.3
"""Share of the box: the detectors put theirs around different parts of the head."""


def cascade(path: Path) -> Cascade:
    return Cascade(
        name="lbpcascade",
        cascade=str(path),
        max_side_px=768,
        min_face_px=24,
        scale_factor=1.1,
        min_neighbors=5,
    )


def anime_cascade() -> Cascade:
    """The settings for lbpcascade_animeface; skips where the file is not at hand."""
    file = Path(os.environ.get("UGATIT_REAL_DATA", ""), "..", "assets", "lbpcascade_animeface.xml")
    if "UGATIT_REAL_DATA" not in os.environ or not file.is_file():
        pytest.skip("needs lbpcascade_animeface.xml beside the real pictures (UGATIT_REAL_DATA)")
    return cascade(file)


@pytest.fixture(scope="module", params=["mtcnn", "haar", "animeface", "lbpcascade"])
def detector(request: pytest.FixtureRequest) -> Detector:
    match request.param:
        case "mtcnn":
            return MtcnnDetector(MTCNN)
        case "haar":
            return CascadeDetector(cascade(HAAR))
        case "animeface":
            return AnimeFaceDetector(ANIME_FACE)
        case _:
            return CascadeDetector(anime_cascade())


def knows_photographs(detector: Detector) -> bool:
    return isinstance(detector, MtcnnDetector) or "6281df13" in detector.version


def specimen(detector: Detector) -> np.ndarray:
    return selfie.specimen() if knows_photographs(detector) else anime.specimen()


def middle(face: Face) -> tuple[float, float]:
    return face.left + face.width / 2, face.top + face.height / 2


def test_a_drawn_face_is_found_where_it_is(detector: Detector) -> None:
    draw = selfie.draw_selfie if knows_photographs(detector) else anime.draw_anime
    drawn = draw(seed=1, index=2, picture_px=256, face=0.4, center=(0.4, 0.55))
    (face,) = detector(drawn.rgb)
    ((left, top, width, height),) = drawn.boxes
    slack = CENTRE_TOLERANCE * face.width
    assert middle(face) == pytest.approx((left + width / 2, top + height / 2), abs=slack)
    assert 0.7 * width < face.width < 1.6 * width


def test_eyes_and_score_where_the_detector_says_them(detector: Detector) -> None:
    (face,) = detector(specimen(detector))
    if isinstance(detector, CascadeDetector):
        assert face.score is None and face.eyes is None
        return
    assert face.score is not None and 0.9 < face.score <= 1
    assert face.eyes is not None
    (left_x, left_y), (right_x, right_y) = face.eyes
    assert face.left < left_x < right_x < face.left + face.width
    assert face.top < left_y < face.top + 0.6 * face.height
    assert abs(left_y - right_y) < 0.4 * (right_x - left_x)


def test_no_face_no_box(detector: Detector) -> None:
    assert detector(np.full((200, 160, 3), 128, dtype=np.uint8)) == []
    assert detector(np.random.default_rng(0).integers(0, 256, (96, 128, 3), dtype=np.uint8)) == []


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (19, 40), (23, 20), (900, 5), (1600, 21)])
def test_tiny_and_narrow_pictures_have_none(detector: Detector, shape: tuple[int, int]) -> None:
    assert detector(np.full((*shape, 3), 200, dtype=np.uint8)) == []


def test_the_same_picture_gives_the_same_boxes(detector: Detector) -> None:
    picture = specimen(detector)
    found = detector(picture)
    detector(255 - picture)
    assert detector(np.asfortranarray(picture)) == found


def test_a_huge_picture_is_reduced_and_its_boxes_mapped_back(detector: Detector) -> None:
    """What is found is what the reduced picture shows, in pixels of the large one."""
    draw = selfie.draw_selfie if knows_photographs(detector) else anime.draw_anime
    drawn = Image.fromarray(draw(seed=1, index=2, picture_px=(512, 400), face=0.3, center=(0.4, 0.5)).rgb)
    huge = drawn.resize((1024, 800), Image.Resampling.BICUBIC)
    (expected,) = detector(np.asarray(huge.resize((768, 600), Image.Resampling.BILINEAR)))
    (face,) = detector(np.asarray(huge))
    for side in ("left", "top", "width", "height"):
        assert getattr(face, side) == pytest.approx(getattr(expected, side) * 1024 / 768, abs=0.02)


IN_ANOTHER_PROCESS = """
import numpy, sys
from data_prep.faces.anime_face import AnimeFaceDetector
from ugatit.construction import AnimeFace
detector = AnimeFaceDetector(AnimeFace(name="animeface", max_side_px=768, min_face_px=24))
print([detector(picture) for picture in numpy.load(sys.argv[1])])
"""


def test_animeface_depends_on_nothing_but_the_pixels(tmp_path: Path) -> None:
    """A library in C that looks at memory it has not written gives other boxes on other contents of memory."""
    pictures = [anime.draw_anime(seed=5, index=i, picture_px=(190, 231), face=0.35).rgb for i in range(4)]
    np.save(tmp_path / "pictures.npy", np.stack(pictures))
    here = str([AnimeFaceDetector(ANIME_FACE)(picture) for picture in pictures])
    assert here.count("Face(") == len(pictures)
    for poison in ("90", "165"):
        found = subprocess.run(
            [sys.executable, "-c", IN_ANOTHER_PROCESS, tmp_path / "pictures.npy"],
            env={**os.environ, "MALLOC_PERTURB_": poison},
            capture_output=True,
            text=True,
            check=True,
        )
        assert found.stdout.strip() == here


def test_two_people_are_two_boxes(detector: Detector) -> None:
    draw = selfie.draw_selfie if knows_photographs(detector) else anime.draw_anime
    assert len(detector(draw(seed=0, index=1, picture_px=384, face=0.25, people=2).rgb)) == 2


@pytest.mark.parametrize(
    ("open_with", "settings"),
    [(MtcnnDetector, MTCNN), (AnimeFaceDetector, ANIME_FACE), (CascadeDetector, cascade(HAAR))],
)
def test_much_smaller_faces_than_asked_for_are_not_found(
    open_with: Callable[[DetectorSettings], Detector], settings: DetectorSettings
) -> None:
    detector = open_with(settings)
    draw = selfie.draw_selfie if knows_photographs(detector) else anime.draw_anime
    drawn = draw(seed=0, index=0, picture_px=256, face=0.25)
    assert len(detector(drawn.rgb)) == 1
    assert open_with(settings.model_copy(update={"min_face_px": 200}))(drawn.rgb) == []


def test_versions_name_what_the_boxes_depend_on() -> None:
    assert CascadeDetector(cascade(HAAR)).version == f"opencv {cv2.__version__} lbpcascade 6281df13"
    assert MtcnnDetector(MTCNN).version == (
        f"facenet-pytorch {metadata.version('facenet-pytorch')} torch {torch.__version__}"
    )
    assert AnimeFaceDetector(ANIME_FACE).version == (
        f"animeface {metadata.version('animeface')} pillow {PIL.__version__}"
    )


def test_faces_come_largest_first_and_in_whole_hundredths() -> None:
    found = [Face(50, 9, 20, 20), Face(7, 3, 20, 20), Face(30, 3, 10, 40), Face(1.23456, 2, 30, 30, 0.123456)]
    faces = search_reduced(lambda rgb: found, np.zeros((60, 80, 3), dtype=np.uint8), 80)
    assert [face.left for face in faces] == [1.23, 7, 30, 50]
    assert faces[0].score == 0.1235


def test_boxes_and_eyes_are_mapped_to_the_picture_that_was_given() -> None:
    seen = []

    def search(rgb: np.ndarray) -> list[Face]:
        seen.append(rgb.shape)
        return [Face(10, 5, 20, 10, 0.9, ((12, 6), (16, 7)))]

    faces = search_reduced(search, np.zeros((101, 400, 3), dtype=np.uint8), 100)
    assert seen == [(25, 100, 3)]
    assert faces == [Face(40, 20.2, 80, 40.4, 0.9, ((48, 24.24), (64, 28.28)))]


@pytest.mark.parametrize("settings", [MTCNN, ANIME_FACE])
def test_a_working_detector_opens_whatever_faces_it_is_to_look_for(settings: DetectorSettings) -> None:
    strict = settings.model_copy(update={"min_face_px": 400, "max_side_px": 100})
    assert open_detector(strict).name == settings.name


def test_the_anime_cascade_opens() -> None:
    settings = anime_cascade()
    assert sha256_file(Path(settings.cascade)) == ANIME_FACE_SHA256
    assert open_detector(settings).version.endswith("lbpcascade 9376d30a")


def test_a_detector_that_finds_nothing_ever_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(animeface, "detect", lambda image: [])
    with pytest.raises(UserError, match=r"animeface: .* 0 faces .* found animeface .* pillow .*expected"):
        open_detector(ANIME_FACE)
    monkeypatch.setattr(facenet_pytorch.MTCNN, "detect", lambda self, rgb, landmarks: (None, [None], None))
    with pytest.raises(UserError, match=r"mtcnn: .* 0 faces .* found facenet-pytorch .* torch .*expected"):
        open_detector(MTCNN)


def test_a_detector_that_finds_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    detect = animeface.detect
    monkeypatch.setattr(animeface, "detect", lambda image: 2 * detect(image))
    with pytest.raises(UserError, match="2 faces in a drawing of one"):
        open_detector(ANIME_FACE)


def test_another_cascade_that_knows_no_drawings_is_refused() -> None:
    with pytest.raises(UserError, match=r"0 faces .* found opencv .* 6281df13, expected .*9376d30a"):
        open_detector(cascade(HAAR))


def test_an_opencv_without_cascades_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(cv2, "CascadeClassifier")
    monkeypatch.setattr(cv2, "__version__", "5.0.0")
    with pytest.raises(UserError, match=r"opencv 5\.0\.0 has no CascadeClassifier; expected .*below 5"):
        open_detector(cascade(HAAR))


def test_a_missing_cascade_tells_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"absent\.xml: no such .*`data-prep fetch lbpcascade-animeface`"):
        open_detector(cascade(tmp_path / "absent.xml"))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>quota exceeded</html>",
        b"<?xml version='1.0'?><opencv_storage><a/></opencv_storage>",
        None,
    ],
    ids=["empty", "html", "other-xml", "truncated"],
)
def test_a_file_that_is_no_cascade_is_refused_with_its_hash(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "cascade.xml"
    file.write_bytes(HAAR.read_bytes()[:9000] if content is None else content)
    with pytest.raises(UserError, match=rf"not a cascade.*{sha256_file(file)}, expected {ANIME_FACE_SHA256}"):
        open_detector(cascade(file))


def test_workers_keep_to_one_thread() -> None:
    threads = cv2.getNumThreads(), torch.get_num_threads()
    try:
        assert open_in_worker(MTCNN).name == "mtcnn"
        assert (cv2.getNumThreads(), torch.get_num_threads()) == (1, 1)
    finally:
        cv2.setNumThreads(threads[0])
        torch.set_num_threads(threads[1])


@pytest.mark.skipif("UGATIT_REAL_DATA" not in os.environ, reason="needs real pictures")
def test_real_anime_pictures() -> None:
    detector = open_detector(anime_cascade())
    files = sorted(Path(os.environ["UGATIT_REAL_DATA"], "raw", "anime").iterdir())
    found = [detector(read_rgb(file)) for file in files]
    assert len(files) == 60
    assert 40 <= sum(any(face.width >= 64 for face in faces) for faces in found) <= 46
    assert sum(map(len, found)) <= 50


@pytest.mark.skipif("UGATIT_REAL_DATA" not in os.environ, reason="needs real pictures")
def test_real_selfies() -> None:
    detector = open_detector(MTCNN)
    files = sorted(Path(os.environ["UGATIT_REAL_DATA"], "raw", "selfies").iterdir())
    sure = 0
    for file in files:
        rgb = read_rgb(file)
        faces = detector(rgb)
        sure += len(faces) == 1 and (faces[0].score or 0) >= 0.95 and faces[0].height >= 0.35 * len(rgb)
    assert len(files) == 93
    assert 56 <= sure <= 62
