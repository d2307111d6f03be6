"""Stage 4, detect: the faces of a picture, and whether there is one to cut out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from data_prep.faces.detection import Face, open_detector, open_in_worker
from data_prep.faces.written import read_faces, write_faces
from data_prep.items import REVIEW, Item, changed
from data_prep.measuring import Columns, Measure, Stage
from data_prep.raw_pictures import decode_item
from data_prep.stages.order import STAGE_VERSIONS
from ugatit.construction import Detect
from ugatit.images import PictureError
from ugatit.manifest import DROPPED, ERROR


@dataclass(frozen=True)
class DetectStage(Stage):
    """Searches every picture that is still in for faces; which of them count is decided afterwards."""

    settings: Detect
    pictures: Path

    name: ClassVar[str] = "detect"
    reads: ClassVar[tuple[str, ...]] = ("sha256", "file")

    def recipe(self) -> dict[str, Any]:
        """Everything that boxes depend on; loads the detector for its self-test."""
        version = open_detector(self.settings.detector).version
        return {
            "code": STAGE_VERSIONS[self.name],
            "settings": self.settings.detector.model_dump(),
            "detector": version,
        }

    def open(self) -> Measure:
        """Load the detector."""
        detector = open_in_worker(self.settings.detector)

        def measure(item: Item, key: str) -> Columns:
            try:
                rgb = decode_item(self.pictures, item)
            except PictureError as error:
                return {"status": ERROR, "stage": self.name, "reason": str(error)}
            return {"found": write_faces(detector(rgb))}

        return measure

    def decide(self, item: Item) -> Item:
        """Of the faces that count one is kept, none dropped; of several the setting tells."""
        if not item.alive:
            return item
        faces = [face for face in read_faces(item.found) if self._counts(face, item)]
        item = changed(item, {"faces": len(faces)} | (_columns(faces[0]) if faces else {}))
        if not faces:
            return item.out(DROPPED, self.name, "no face")
        if len(faces) > 1 and self.settings.several != "largest":
            status = REVIEW if self.settings.several == "review" else DROPPED
            return item.out(status, self.name, f"several faces: {len(faces)}")
        return item

    def _counts(self, face: Face, item: Item) -> bool:
        """Whether a finding is sure and large enough, with its eyes in the picture."""
        width, height = item.width or 0, item.height or 0
        inside = all(0 <= x < width and 0 <= y < height for x, y in face.eyes or ())
        sure = face.score is None or face.score >= self.settings.min_score
        return inside and sure and face.height >= self.settings.min_height * height


def _columns(face: Face) -> Columns:
    return {
        "face_left": face.left,
        "face_top": face.top,
        "face_width": face.width,
        "face_height": face.height,
        "face_score": face.score,
    }
