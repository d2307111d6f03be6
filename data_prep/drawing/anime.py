"""Drawn anime portraits: flat colours, dark outlines, big eyes and locks of hair, layer upon layer."""

from __future__ import annotations

import numpy as np

from data_prep.drawing import Drawn
from data_prep.drawing.anime_body import draw_body
from data_prep.drawing.anime_extra import draw_extra
from data_prep.drawing.anime_face import draw_brows, draw_face
from data_prep.drawing.anime_hair import BACK_OF_HEAD, draw_bangs, draw_hair_behind
from data_prep.drawing.anime_look import LINE, Look, choose_look
from data_prep.drawing.anime_scene import draw_backdrop, draw_landscape
from data_prep.drawing.strokes import SUPERSAMPLING, Canvas, Frame

STREAM = 2
"""Keeps these random numbers apart from those of the selfies."""

SOFTNESS = 0.004
"""Blur in face widths: detectors shrink large faces without averaging, which breaks hard lines."""

HAIRLINE, CHIN = -0.42, 0.56
"""Ends of the drawn face, in face widths below its centre."""


def draw_anime(
    seed: int,
    index: int,
    picture_px: int | tuple[int, int],
    face: float = 0.36,
    center: tuple[float, float] = (0.5, 0.45),
    people: int = 1,
    man: bool = False,
) -> Drawn:
    """Draw an anime picture, a pure function of its arguments.

    Args:
        seed: of all pictures of one set.
        index: of this picture.
        picture_px: side of a square picture, or width and height.
        face: width of a face in picture widths.
        center: middle of the (first) face in picture widths and heights.
        people: 1; or 2, side by side about the middle; or 0: a view from behind, a body without its head, or
            a landscape.
        man: whether to draw a man (the first person's sex if there are two).

    Shape: rgb (H, W, 3), uint8.
    Raises: ValueError if `people` is not 0, 1 or 2.
    """
    if people not in (0, 1, 2):
        raise ValueError(f"people is {people}, expected 0, 1 or 2")
    rng = np.random.default_rng([seed, STREAM, index])
    width, height = (picture_px, picture_px) if isinstance(picture_px, int) else picture_px
    canvas = Canvas(width, height)
    look = choose_look(rng, man)
    draw_backdrop(canvas, look, rng)
    unit = face * width
    if people == 0:
        _draw_without_face(canvas, look, rng, unit)
        return Drawn(canvas.reduced(), (), look.hair_name, look.eye_name)
    frames = [Frame(center[0] * width, center[1] * height, unit, look.tilt)]
    looks = [look]
    if people == 2:
        gap = max(0.5, 1.9 * face) / 2
        frames = [Frame((0.5 + side * gap) * width, center[1] * height, unit, look.tilt) for side in (-1, 1)]
        looks.append(choose_look(rng, bool(rng.integers(2))))
    for frame, person in zip(frames, looks, strict=True):
        canvas.frame = frame
        draw_person(canvas, person)
    boxes = tuple(frame.box(0.5, HAIRLINE, CHIN) for frame in frames)
    return Drawn(canvas.reduced(SOFTNESS * unit), boxes, look.hair_name, look.eye_name)


def specimen() -> np.ndarray:
    """One fixed face that a working detector finds.

    Shape: (256, 256, 3), uint8.
    """
    return draw_anime(seed=0, index=0, picture_px=256, face=0.4, center=(0.5, 0.47)).rgb


def draw_person(canvas: Canvas, look: Look) -> None:
    """Draw head and shoulders about the origin of the canvas's frame."""
    draw_hair_behind(canvas, look)
    draw_body(canvas, look)
    draw_face(canvas, look)
    draw_bangs(canvas, look)
    draw_extra(canvas, look)
    draw_brows(canvas, look)


def _draw_person_from_behind(canvas: Canvas, look: Look) -> None:
    """Draw head and shoulders with the hair over all of the head."""
    draw_body(canvas, look)
    canvas.outlined(BACK_OF_HEAD, look.hair, look.hair_line, LINE)
    draw_hair_behind(canvas, look)


def _draw_without_face(canvas: Canvas, look: Look, rng: np.random.Generator, unit: float) -> None:
    """A view from behind, a body without its head, or a landscape."""
    height, width = (side / SUPERSAMPLING for side in canvas.pixels.shape[:2])
    kind = rng.integers(3)
    if kind == 0:
        draw_landscape(canvas, rng)
    elif kind == 1:
        canvas.frame = Frame(width / 2, height * 0.45, unit, look.tilt)
        _draw_person_from_behind(canvas, look)
    else:
        canvas.frame = Frame(width / 2, -0.75 * 1.6 * unit, 1.6 * unit, look.tilt)
        draw_body(canvas, look)
