"""Faces in drawings: a cascade of local binary patterns, run by OpenCV."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from data_prep.faces.detection import Face, search_reduced
from ugatit.construction import Cascade
from ugatit.errors import UserError
from ugatit.files import sha256_file

ANIME_FACE_SHA256 = "9376d30ac38db6bda2a68b88b3b76bbd7e6aa33af47f7f5c76bc88ca75f1ce30"
"""nagadomi's lbpcascade_animeface.xml."""

ASSET = "lbpcascade-animeface"
"""Its name among the files that `data-prep fetch` knows."""


class CascadeDetector:
    """Finds faces without scores or eyes; `min_face_px` counts in the reduced picture.

    Raises: UserError if OpenCV has no cascades, or the cascade's file is missing or is none.
    """

    name = "lbpcascade"

    def __init__(self, settings: Cascade):
        if not hasattr(cv2, "CascadeClassifier"):
            raise UserError(
                f"face detector lbpcascade: opencv {cv2.__version__} has no CascadeClassifier; expected "
                "opencv-python-headless 4.8 or later, below 5; install requirements/main.txt"
            )
        digest = _check_file(Path(settings.cascade))
        self._cascade = _load(Path(settings.cascade), digest)
        self.version = f"opencv {cv2.__version__} lbpcascade {digest[:8]}"
        self._settings = settings

    def __call__(self, rgb: np.ndarray) -> list[Face]:
        """Find the faces of a picture (H, W, 3), uint8; the largest comes first."""
        return search_reduced(self._search, rgb, self._settings.max_side_px)

    def _search(self, rgb: np.ndarray) -> Iterator[Face]:
        """Faces in any order."""
        boxes = self._cascade.detectMultiScale(
            cv2.equalizeHist(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)),
            scaleFactor=self._settings.scale_factor,
            minNeighbors=self._settings.min_neighbors,
            minSize=(self._settings.min_face_px, self._settings.min_face_px),
        )
        for left, top, width, height in boxes:
            yield Face(float(left), float(top), float(width), float(height))


def _check_file(path: Path) -> str:
    """The hash of the cascade's file."""
    if not path.is_file():
        raise UserError(
            f"{path}: no such cascade file; run `data-prep fetch {ASSET}`, or put lbpcascade_animeface.xml "
            "there yourself"
        )
    return sha256_file(path)


def _load(path: Path, digest: str) -> cv2.CascadeClassifier:
    """Read a cascade; OpenCV throws at some files that are none, and is silent about others."""
    cascade = cv2.CascadeClassifier()
    try:
        loaded = cascade.load(str(path))
    except cv2.error:
        loaded = False
    if not loaded or cascade.empty():
        raise UserError(
            f"{path}: not a cascade that OpenCV can load; found sha256 {digest}, expected "
            f"{ANIME_FACE_SHA256} for lbpcascade_animeface.xml; delete it and run `data-prep fetch {ASSET}`"
        )
    return cascade
