"""Faces as text, for the column `found` of a manifest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from data_prep.faces.detection import Face


def write_faces(faces: Iterable[Face]) -> str:
    """Faces as text: 4 numbers each, or 5 with a score, or 9 with eyes; see `Item.found`."""
    return ";".join(",".join(str(float(number)) for number in _numbers(face)) for face in faces)


def read_faces(found: str) -> Iterator[Face]:
    """The faces of a text."""
    for written in found.split(";") if found else ():
        left, top, width, height, *rest = map(float, written.split(","))
        score = rest[0] if rest else None
        eyes = ((rest[1], rest[2]), (rest[3], rest[4])) if len(rest) > 1 else None
        yield Face(left, top, width, height, score, eyes)


def _numbers(face: Face) -> Iterator[float]:
    yield from (face.left, face.top, face.width, face.height)
    if face.score is not None:
        yield face.score
        yield from (number for eye in face.eyes or () for number in eye)
