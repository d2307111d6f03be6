"""What a face and a detector are, and opening a detector that is known to work here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from PIL import Image

from ugatit.construction import AnimeFace, Cascade, DetectorSettings, Mtcnn
from ugatit.errors import UserError

Point = tuple[float, float]

DECIMALS = 2
"""Boxes are rounded to hundredths of a pixel, so that a float's last bits reach no manifest."""

SCORE_DECIMALS = 4

TESTED_AT = {"max_side_px": 512, "min_face_px": 24}
"""Settings of the self-test, which is about the libraries, not about the faces that a user looks for."""

EXPECTED = {
    "mtcnn": "facenet-pytorch 2.5.3",
    "lbpcascade": "opencv 4.8 or later, below 5, and nagadomi's lbpcascade_animeface (9376d30a)",
    "animeface": "animeface 2.0.3 with pillow below 12",
}
"""Versions with which the detectors are known to work."""


@dataclass(frozen=True)
class Face:
    """A face in pixels of the picture that was searched; the box may reach over the picture's edge."""

    left: float
    top: float
    width: float
    height: float
    score: float | None = None
    """How sure the detector is, in [0, 1]; None if it does not say."""
    eyes: tuple[Point, Point] | None = None
    """(x, y) of the eye further left in the picture and of the other one; None if it does not say."""


class Detector(Protocol):
    """A callable that finds faces."""

    name: str
    version: str
    """Versions of everything that its boxes depend on."""

    def __call__(self, rgb: np.ndarray) -> list[Face]:
        """Find the faces of a picture (H, W, 3), uint8; the largest comes first."""


def open_detector(settings: DetectorSettings) -> Detector:
    """Load a detector and try it once on a drawn face.

    Raises: UserError if the detector cannot be loaded, or does not find exactly one face in the drawing:
    with some versions of their libraries detectors find nothing, ever, without an error.
    """
    from data_prep.drawing import anime, selfie

    specimen = selfie.specimen() if isinstance(settings, Mtcnn) else anime.specimen()
    tested = _load(settings.model_copy(update=TESTED_AT))
    found = len(tested(specimen))
    if found != 1:
        raise UserError(
            f"face detector {settings.name}: its self-test found {found} faces in a drawing of one; found "
            f"{tested.version}, expected {EXPECTED[settings.name]}; install requirements/main.txt"
        )
    return _load(settings)


def open_in_worker(settings: DetectorSettings) -> Detector:
    """Open a detector in a process that works beside others: each library keeps to one thread.

    Raises: UserError as `open_detector` does.
    """
    import cv2

    cv2.setNumThreads(1)
    if isinstance(settings, Mtcnn):
        import torch

        torch.set_num_threads(1)
    return open_detector(settings)


def search_reduced(
    search: Callable[[np.ndarray], Iterable[Face]], rgb: np.ndarray, max_side_px: int
) -> list[Face]:
    """Search a picture with its long side reduced to at most `max_side_px`, and map the boxes back.

    Shape: rgb (H, W, 3), uint8. Returns faces in its pixels, the largest first, ties from the top left.
    """
    height, width = rgb.shape[:2]
    shrink = min(1.0, max_side_px / max(height, width))
    size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    if size != (width, height):
        image = Image.fromarray(rgb).resize(size, Image.Resampling.BILINEAR)
        reduced = np.asarray(image, dtype=np.uint8)
    else:
        reduced = np.ascontiguousarray(rgb)
    faces = [_enlarged(face, width / size[0], height / size[1]) for face in search(reduced)]
    return sorted(faces, key=lambda face: (-face.width * face.height, face.top, face.left))


def _load(settings: DetectorSettings) -> Detector:
    """The detector of these settings; the modules are imported here because their libraries are slow."""
    match settings:
        case Mtcnn():
            from data_prep.faces.mtcnn import MtcnnDetector

            return MtcnnDetector(settings)
        case Cascade():
            from data_prep.faces.lbpcascade import CascadeDetector

            return CascadeDetector(settings)
        case AnimeFace():
            from data_prep.faces.anime_face import AnimeFaceDetector

            return AnimeFaceDetector(settings)


def _enlarged(face: Face, x_scale: float, y_scale: float) -> Face:
    """A face in pixels of the picture before it was reduced, rounded."""
    points = [(round(x * x_scale, DECIMALS), round(y * y_scale, DECIMALS)) for x, y in face.eyes or ()]
    return Face(
        left=round(face.left * x_scale, DECIMALS),
        top=round(face.top * y_scale, DECIMALS),
        width=round(face.width * x_scale, DECIMALS),
        height=round(face.height * y_scale, DECIMALS),
        score=None if face.score is None else round(face.score, SCORE_DECIMALS),
        eyes=(points[0], points[1]) if points else None,
    )
