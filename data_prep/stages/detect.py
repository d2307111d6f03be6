"""Stage 4, detect: the faces of a picture, and whether there is one to cut out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from data_prep.faces.detection import Face, open_detector, open_in_worker
from data_prep.items import REVIEW, Item
from data_prep.measuring import Columns, Measure, Stage
from data_prep.raw_pictures import decode_item
from ugatit.construction import Detect
from ugatit.images import PictureError
from ugatit.manifest import DROPPED, ERROR

VERSION = 1


@dataclass(frozen=True)
class DetectStage(Stage):
    """Searches every picture that is still in for faces."""

    settings: Detect
    pictures: Path

    name: ClassVar[str] = "detect"
    reads: ClassVar[tuple[str, ...]] = ("sha256", "file")

    def recipe(self) -> dict[str, Any]:
        """Everything that boxes and their choice depend on; loads the detector for its self-test."""
        chosen = self.settings.model_dump(exclude={"several"})
        return {
            "code": VERSION,
            "settings": chosen,
            "detector": open_detector(self.settings.detector).version,
        }

    def open(self) -> Measure:
        """Load the detector."""
        detector = open_in_worker(self.settings.detector)

        def measure(item: Item, key: str) -> Columns:
            try:
                rgb = decode_item(self.pictures, item)
            except PictureError as error:
                return {"status": ERROR, "stage": self.name, "reason": str(error)}
            faces = [face for face in detector(rgb) if self._counts(face, *rgb.shape[:2])]
            return {"faces": len(faces)} | (_columns(faces[0]) if faces else {})

        return measure

    def decide(self, item: Item) -> Item:
        """One face is kept, none dropped; of several the setting tells."""
        if not item.alive:
            return item
        if not item.faces:
            return item.out(DROPPED, self.name, "no face")
        if item.faces > 1 and self.settings.several != "largest":
            status = REVIEW if self.settings.several == "review" else DROPPED
            return item.out(status, self.name, f"several faces: {item.faces}")
        return item

    def _counts(self, face: Face, height: int, width: int) -> bool:
        """Whether a finding is sure and large enough, with its eyes in the picture."""
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
        "eyes": " ".join(f"{x:.1f},{y:.1f}" for x, y in face.eyes or ()),
    }
