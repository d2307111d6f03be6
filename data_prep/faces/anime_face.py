"""Faces in drawings: the animeface package, whose model is part of its library."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata

import animeface
import numpy as np
import PIL
from PIL import Image

from data_prep.faces.detection import Face, Point, search_reduced
from ugatit.construction import AnimeFace


class AnimeFaceDetector:
    """Finds upright faces, with a likelihood and both eyes. `min_face_px` counts in the reduced picture.

    Its boxes are smaller than those of lbpcascade_animeface, by a factor of about 1.28. Equal pixels give
    equal boxes, but a face of more than about 300 pixels in the reduced picture is found or missed by chance:
    one grey level of noise decides.
    """

    name = "animeface"

    def __init__(self, settings: AnimeFace):
        self.version = f"animeface {metadata.version('animeface')} pillow {PIL.__version__}"
        self._settings = settings

    def __call__(self, rgb: np.ndarray) -> list[Face]:
        """Find the faces of a picture (H, W, 3), uint8; the largest comes first."""
        return search_reduced(self._search, rgb, self._settings.max_side_px)

    def _search(self, rgb: np.ndarray) -> Iterator[Face]:
        """Faces in any order."""
        for found in animeface.detect(Image.fromarray(rgb)):
            box = found.face.pos
            if min(box.width, box.height) >= self._settings.min_face_px:
                eyes = sorted(_middle(eye.pos) for eye in (found.left_eye, found.right_eye))
                yield Face(box.x, box.y, box.width, box.height, found.likelihood, (eyes[0], eyes[1]))


def _middle(box: animeface.Box) -> Point:
    """The middle of a box of the package."""
    return box.x + box.width / 2, box.y + box.height / 2
