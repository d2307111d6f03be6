"""Drawn selfies: a face shaded by soft light, strands of hair, an unsharp room behind."""

from __future__ import annotations

import numpy as np

from data_prep.drawing import Drawn
from data_prep.drawing.selfie_face import paint_face
from data_prep.drawing.selfie_look import Look, choose_look
from data_prep.drawing.selfie_photo import Photo, draw_room, finish
from data_prep.drawing.selfie_rest import (
    paint_body,
    paint_hair_before,
    paint_hair_behind,
    paint_head_from_behind,
)
from data_prep.drawing.strokes import Frame

STREAM = 1
"""Keeps these random numbers apart from those of the anime pictures."""

HAIRLINE, CHIN = -0.5, 0.71
"""Ends of the drawn face, in face widths below the line of the eyes."""

FACE_MIDDLE = 0.1
"""Of the face, in face widths below the line of the eyes."""


def draw_selfie(
    seed: int,
    index: int,
    picture_px: int | tuple[int, int],
    face: float = 0.4,
    center: tuple[float, float] = (0.5, 0.47),
    people: int = 1,
    man: bool = False,
) -> Drawn:
    """Draw a selfie, a pure function of its arguments.

    Args:
        seed: of all pictures of one set.
        index: of this picture.
        picture_px: side of a square picture, or width and height.
        face: width of a face in picture widths.
        center: middle of the (first) face in picture widths and heights.
        people: 1; or 2, side by side about the middle; or 0: a room, or someone seen from behind.
        man: whether to draw a man (the first person's sex if there are two).

    Shape: rgb (H, W, 3), uint8.
    Raises: ValueError if `people` is not 0, 1 or 2.
    """
    if people not in (0, 1, 2):
        raise ValueError(f"people is {people}, expected 0, 1 or 2")
    rng = np.random.default_rng([seed, STREAM, index])
    width, height = (picture_px, picture_px) if isinstance(picture_px, int) else picture_px
    look = choose_look(rng, man)
    photo = Photo(draw_room(width, height, rng), rng)
    unit = face * width
    places = [center]
    looks = [look]
    if people == 2:
        gap = max(0.46, 1.4 * face) / 2
        places = [(0.5 + side * gap, center[1]) for side in (-1, 1)]
        looks.append(choose_look(rng, bool(rng.integers(2))))
    frames = [
        Frame(x * width, y * height - FACE_MIDDLE * unit, unit, person.tilt)
        for (x, y), person in zip(places, looks, strict=True)
    ]
    for frame, person in zip(frames, looks, strict=True):
        if people:
            photo.look_at(frame)
            _paint_person(photo, person)
    if people == 0 and rng.integers(2):
        photo.look_at(frames[0])
        _paint_from_behind(photo, look)
    boxes = tuple(frame.box(0.5, HAIRLINE, CHIN) for frame in frames) if people else ()
    return Drawn(finish(photo.rgb, rng), boxes, look.hair_name, look.eye_name)


def specimen() -> np.ndarray:
    """One fixed face that a working detector finds.

    Shape: (256, 256, 3), uint8.
    """
    return draw_selfie(seed=0, index=16, picture_px=256, face=0.45).rgb


def _paint_person(photo: Photo, look: Look) -> None:
    """Paint head and shoulders in the photo's frame."""
    paint_hair_behind(photo, look)
    paint_body(photo, look)
    paint_face(photo, look)
    paint_hair_before(photo, look)


def _paint_from_behind(photo: Photo, look: Look) -> None:
    """Paint head and shoulders with the hair over all of the head."""
    paint_body(photo, look)
    paint_head_from_behind(photo, look)
