"""Cutting a square around a face: where it lies, how it is brought into the picture, and its pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from data_prep.faces.detection import Face


@dataclass(frozen=True)
class Square:
    """The square that the framing asks for, in pixels; it may reach over the picture's edges."""

    left: float
    top: float
    side: float


@dataclass(frozen=True)
class Fitted:
    """A square of whole pixels that can be cut out of a picture."""

    left: int
    top: int
    side: int
    shift_px: int
    """How far it was moved along the axis on which it was moved more."""
    pad_px: int
    """How far it reaches over the edge at which it reaches furthest; 0 if it lies inside."""


def face_square(
    face: Face, scale: float, reference: Literal["height", "side"], center: tuple[float, float]
) -> Square:
    """The square whose side is `scale` times the face's box, with the box's centre at `center` of it.

    Range: `reference` is the box's height or its larger side; `center` is (x, y) in shares of the side,
    (0.5, 0.5) being the middle.
    """
    side = scale * (face.height if reference == "height" else max(face.width, face.height))
    left = face.left + face.width / 2 - center[0] * side
    top = face.top + face.height / 2 - center[1] * side
    return Square(left, top, side)


def fit(square: Square, width: int, height: int, max_pad: float, max_shift: float) -> Fitted | None:
    """Bring a square into a picture: shift it inside; what then still hangs over is padded; else give up.

    On each axis the square moves by the least that brings as much of it inside as can be, but by no more
    than `max_shift`: further, and the face would leave the place at which the others have theirs. A square
    that is larger than the picture is moved on, within the same bound, if one edge alone would need more
    than `max_pad`.

    Range: `max_pad` and `max_shift` are shares of the side, taken to the nearest pixel.
    Returns: None if an edge would be padded by more than `max_pad`.
    """
    side = max(1, round(square.side))
    pad, shift = round(max_pad * side), round(max_shift * side)
    left = _place(round(square.left), side, width, pad, shift)
    top = _place(round(square.top), side, height, pad, shift)
    if left is None or top is None:
        return None
    moved = max(abs(left - round(square.left)), abs(top - round(square.top)))
    over = max(0, -left, -top, left + side - width, top + side - height)
    return Fitted(left, top, side, moved, over)


def cut(rgb: np.ndarray, fitted: Fitted) -> np.ndarray:
    """Cut a square out of a picture; outside, the picture's edge pixels are repeated.

    Shape: rgb (H, W, 3) -> (side, side, 3), uint8.
    """
    height, width = rgb.shape[:2]
    right, bottom = fitted.left + fitted.side, fitted.top + fitted.side
    inside = rgb[max(0, fitted.top) : min(height, bottom), max(0, fitted.left) : min(width, right)]
    rows = (max(0, -fitted.top), max(0, bottom - height))
    columns = (max(0, -fitted.left), max(0, right - width))
    return np.pad(inside, (rows, columns, (0, 0)), mode="edge")


def _place(start: int, side: int, length: int, pad: int, shift: int) -> int | None:
    """Where on one axis a square that starts at `start` comes to begin; None if it cannot be had."""
    spare = length - side
    inside = min(max(start, min(0, spare)), max(0, spare))
    first, last = -pad, spare + pad
    balanced = min(max(inside, first), last)
    placed = min(max(balanced, start - shift), start + shift)
    return placed if first <= placed <= last else None
