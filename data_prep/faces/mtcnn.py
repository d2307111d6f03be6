"""Faces in photographs: MTCNN, with the weights that ship in facenet-pytorch."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata

import facenet_pytorch
import numpy as np
import torch

from data_prep.faces.detection import Face, search_reduced
from ugatit.construction import Mtcnn

THRESHOLDS = (0.6, 0.7, 0.7)
"""Probabilities that the three networks ask for in turn; the authors of MTCNN give these."""

FACTOR = 0.709
"""Step between the sizes that are tried: about 1 / sqrt(2)."""


class MtcnnDetector:
    """Finds upright faces, with a probability and both eyes. `min_face_px` counts in the reduced picture."""

    name = "mtcnn"

    def __init__(self, settings: Mtcnn):
        self.version = f"facenet-pytorch {metadata.version('facenet-pytorch')} torch {torch.__version__}"
        self._settings = settings
        self._networks = facenet_pytorch.MTCNN(
            keep_all=True,
            min_face_size=settings.min_face_px,
            thresholds=list(THRESHOLDS),
            factor=FACTOR,
            post_process=False,
            device=torch.device("cpu"),
        )

    def __call__(self, rgb: np.ndarray) -> list[Face]:
        """Find the faces of a picture (H, W, 3), uint8; the largest comes first."""
        return search_reduced(self._search, rgb, self._settings.max_side_px)

    def _search(self, rgb: np.ndarray) -> Iterator[Face]:
        """Faces in any order."""
        if min(rgb.shape[:2]) < self._settings.min_face_px:
            return  # The library fails on a picture in which no size can be tried.
        boxes, scores, landmarks = self._networks.detect(rgb, landmarks=True)
        if boxes is None:
            return
        for (left, top, right, bottom), score, points in zip(boxes, scores, landmarks, strict=True):
            eyes = sorted((float(x), float(y)) for x, y in points[:2])
            box = (float(left), float(top), float(right - left), float(bottom - top))
            yield Face(*box, score=float(score), eyes=(eyes[0], eyes[1]))
