"""Find pictures of faces in which the edge cuts the face off, for the check of a dataset.

Detectors look for whole faces. So each picture is searched with a margin of repeated edge pixels, into which
the box of a face that is cut off reaches.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import numpy as np

from data_prep.faces.detection import Face, open_detector, open_in_worker
from data_prep.faces.written import read_faces, write_faces
from data_prep.findings import NOTE, WARNING, Finding, Pictures, per_split
from data_prep.items import ID_DIGITS, REVIEW, Item
from data_prep.measuring import Columns, Measure, Stage, measure_all
from data_prep.raw_pictures import decode_item
from ugatit.construction import AnimeFace, Cascade, DetectorSettings, Mtcnn
from ugatit.images import PictureError
from ugatit.manifest import DROPPED, ERROR, KEPT

DETECTORS: dict[str, DetectorSettings] = {
    "mtcnn": Mtcnn(name="mtcnn", max_side_px=512, min_face_px=24),
    "lbpcascade": Cascade(
        name="lbpcascade",
        cascade="assets/lbpcascade_animeface.xml",
        max_side_px=512,
        min_face_px=24,
        scale_factor=1.1,
        min_neighbors=5,
    ),
    "animeface": AnimeFace(name="animeface", max_side_px=512, min_face_px=24),
}
"""What each detector is asked for: the dataset's pictures are small, and their faces large."""

MIN_SCORE = 0.9
"""Faces of which a detector is less sure do not count."""

MARGIN = 0.25
"""Of the picture's longer side."""

CUT_SHARE = 0.12
"""A face is cut off if more of its box lies beyond an edge. Of 120 published selfies six are, and look so;
of 60 published anime faces none."""


@dataclass(frozen=True)
class FaceSearch(Stage):
    """Searches every picture for its largest face."""

    detector: DetectorSettings
    pictures: Path

    name: ClassVar[str] = "faces"
    reads: ClassVar[tuple[str, ...]] = ("sha256", "file")

    def recipe(self) -> dict[str, Any]:
        """What boxes depend on; loads the detector for its self-test."""
        version = open_detector(self.detector).version
        return {"settings": self.detector.model_dump(), "detector": version}

    def open(self) -> Measure:
        """Load the detector."""
        detector = open_in_worker(self.detector)

        def measure(item: Item, key: str) -> Columns:
            try:
                rgb = decode_item(self.pictures, item)
            except PictureError as error:
                return {"status": ERROR, "stage": self.name, "reason": str(error)}
            margin = round(MARGIN * max(rgb.shape[:2]))
            padded = np.pad(rgb, ((margin, margin), (margin, margin), (0, 0)), mode="edge")
            faces = (
                replace(face, left=face.left - margin, top=face.top - margin, eyes=None)
                for face in detector(padded)
                if face.score is None or face.score >= MIN_SCORE
            )
            return {"found": write_faces(faces)}

        return measure

    def decide(self, item: Item) -> Item:
        """Drop a picture without a face, and doubt one whose largest face is cut off."""
        face = next(read_faces(item.found), None)
        if item.status == ERROR:
            return item
        if face is None:
            return item.out(DROPPED, self.name, "no face")
        share = beyond(face, item.width or 0, item.height or 0)
        if share > CUT_SHARE:
            return item.out(REVIEW, self.name, f"{share:.0%} of the face's box lie beyond an edge")
        return item


def beyond(face: Face, width: int, height: int) -> float:
    """How much of a face's box lies beyond an edge of a picture, as a share of the box; 0 if it is inside."""
    across = max(-face.left, face.left + face.width - width) / face.width
    down = max(-face.top, face.top + face.height - height) / face.height
    return min(1.0, max(0.0, across, down))


def cut_faces(
    usable: Pictures, root: Path, detectors: Mapping[str, DetectorSettings], processes: int
) -> Iterable[Finding]:
    """Search the pictures of the sides for which a detector is given (by `A` or `B`).

    Raises: UserError if a detector cannot be loaded or does not find a drawn face.
    """
    for side, detector in detectors.items():
        splits = [split for split in usable if split.endswith(side)]
        items = [
            Item(p.content[:ID_DIGITS], p.name, p.content, 0, KEPT, width=p.width, height=p.height)
            for split in splits
            for p in usable[split]
        ]
        with TemporaryDirectory() as journals:
            searched = measure_all(FaceSearch(detector, root), items, Path(journals), processes)
        yield from _findings(
            searched, REVIEW, WARNING, "cut-face", "pictures with a face that the edge cuts off",
            "Crop them wider, or delete them: networks learn to draw half faces.",
        )  # fmt: skip
        yield from _findings(
            searched, DROPPED, NOTE, "no-face", f"pictures in which {detector.name} finds no face",
            "Look at them: detectors miss tilted and covered faces, but some pictures may have none.",
        )  # fmt: skip
        yield from _findings(
            searched, ERROR, WARNING, "not-searched", "pictures that could not be searched for faces",
            "Rename those whose names are not UTF-8, and check again.",
        )  # fmt: skip


def _findings(
    items: Iterable[Item], status: str, severity: str, kind: str, what: str, remedy: str
) -> Iterable[Finding]:
    """The pictures of one status."""
    if found := [item for item in items if item.status == status]:
        counts = Counter(item.file.partition("/")[0] for item in found)
        where = tuple(i.file if status == DROPPED else f"{i.file}: {i.reason}" for i in found)
        yield Finding(severity, kind, f"{what}: {per_split(counts)}", remedy, where)
