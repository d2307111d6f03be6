"""Shapes of the drawings: smooth outlines, tapered strokes, and a canvas that averages its pixels down."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from math import cos, sin

import cv2
import numpy as np

from data_prep.drawing import Box

SUPERSAMPLING = 4
"""Shapes are drawn this many times larger and averaged down."""

SUBPIXEL_BITS = 4
"""OpenCV takes whole numbers; these bits of them are the fraction of a drawn pixel."""

UNSEEN_PX = 0.3
"""Blur of a smaller standard deviation changes nothing."""

FAR = 1 << 14
"""Points are kept within this many picture pixels, so that they fit into OpenCV's numbers."""

Points = np.ndarray  # (n, 2), x and y
Color = tuple[float, float, float]  # RGB in [0, 255]

WHITE = (255.0, 255.0, 255.0)


@dataclass(frozen=True)
class Frame:
    """Where a head lies: its own units (face width 1, y downwards) to pixels of the picture."""

    x: float
    y: float
    unit: float  # pixels per face width
    tilt: float = 0.0  # radians, clockwise

    def place(self, points: Points) -> Points:
        """Map points (n, 2) from head units to pixels."""
        c, s = cos(self.tilt), sin(self.tilt)
        turn = np.array([[c, s], [-s, c]])
        return np.asarray(points, dtype=float) @ turn * self.unit + (self.x, self.y)

    def box(self, half_width: float, top: float, bottom: float) -> Box:
        """The upright box in pixels about a part of the head that is symmetric to its axis."""
        ((x, y),) = self.place(np.array([(0.0, (top + bottom) / 2)]))
        width, height = 2 * half_width * self.unit, (bottom - top) * self.unit
        return round(x - width / 2), round(y - height / 2), round(width), round(height)


class Canvas:
    """A picture under the brush; shapes are given in units of `frame`, which may be exchanged."""

    def __init__(self, width: int, height: int) -> None:
        self.pixels = np.zeros((height * SUPERSAMPLING, width * SUPERSAMPLING, 3), np.uint8)
        self.frame = Frame(0.0, 0.0, 1.0)

    def fill(self, shape: Points, color: Color, within: Points | None = None, opacity: float = 1.0) -> None:
        """Fill a polygon, or the part of it that lies within another one."""
        filled = corners(self.frame, shape)
        if within is None and opacity == 1:
            cv2.fillPoly(self.pixels, [filled], color, shift=SUBPIXEL_BITS)
            return
        clip = filled if within is None else corners(self.frame, within)
        low = np.maximum((clip.min(axis=0) >> SUBPIXEL_BITS) - 1, 0)
        high = np.maximum((clip.max(axis=0) >> SUBPIXEL_BITS) + 2, low)
        region = self.pixels[low[1] : high[1], low[0] : high[0]]
        if not region.size:
            return
        inside = _mask(region, filled, low) & _mask(region, clip, low)
        region[inside] = region[inside] * (1 - opacity) + np.array(color) * opacity

    def stroke(self, curve: Points, width: float, color: Color, taper: float = 1.0) -> None:
        """Draw along a curve; the width falls to 0 at both ends as `taper` goes to 1."""
        self.fill(ribbon(curve, width, taper), color)

    def outlined(self, shape: Points, color: Color, line: Color, width: float, closed: bool = True) -> None:
        """Fill a polygon and draw its border; unless `closed`, without its last side."""
        self.fill(shape, color)
        pen = max(1, round(width * self.frame.unit * SUPERSAMPLING))
        cv2.polylines(self.pixels, [corners(self.frame, shape)], closed, line, pen, shift=SUBPIXEL_BITS)

    def reduced(self, soft_px: float = 0.0) -> np.ndarray:
        """The finished picture, uint8 (H, W, 3), its lines softened by `soft_px` (standard deviation)."""
        height, width = (side // SUPERSAMPLING for side in self.pixels.shape[:2])
        picture = cv2.resize(self.pixels, (width, height), interpolation=cv2.INTER_AREA)
        if soft_px > UNSEEN_PX:
            picture = cv2.GaussianBlur(picture, (0, 0), soft_px)
        return np.asarray(picture)


def corners(frame: Frame, shape: Points) -> np.ndarray:
    """A polygon's corners in drawn pixels as OpenCV wants them; its pixel centres lie at whole numbers.

    Shape: (n, 2) -> (n, 2), int32, with `SUBPIXEL_BITS` of fraction.
    """
    placed = frame.place(shape).clip(-FAR, FAR) * SUPERSAMPLING - 0.5
    return (placed * (1 << SUBPIXEL_BITS)).round().astype(np.int32)


def _mask(region: np.ndarray, polygon: np.ndarray, low: np.ndarray) -> np.ndarray:
    """Where a polygon lies in a region of the canvas that begins at `low` (x, y), bool."""
    mask = np.zeros(region.shape[:2], np.uint8)
    shifted = (polygon - (low << SUBPIXEL_BITS)).astype(np.int32)
    cv2.fillPoly(mask, [shifted], 1, shift=SUBPIXEL_BITS)
    return mask.astype(bool)


def path(text: str) -> Points:
    """Points written as in SVG: "x,y x,y"."""
    return np.array([pair.split(",") for pair in text.split()], dtype=float)


def smooth(knots: Points | list[tuple[float, float]], closed: bool = True, steps: int = 8) -> Points:
    """A smooth curve (Catmull-Rom) through the knots."""
    p = np.asarray(knots, dtype=float)
    around = np.concatenate([p[-1:], p, p[:2]]) if closed else np.concatenate([p[:1], p, p[-1:]])
    a, b, c, d = (around[k : len(around) - 3 + k, None] for k in range(4))
    t = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    curve = 2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
    points = curve.reshape(-1, 2) / 2
    return points if closed else np.concatenate([points, p[-1:]])


def symmetric(right: Points | list[tuple[float, float]]) -> Points:
    """A closed smooth outline from its right half, listed from the top down; x = 0 is not doubled."""
    half = np.asarray(right)
    left = half[half[:, 0] > 0][::-1] * (-1, 1)
    return smooth(np.concatenate([half, left]))


def bezier(*controls: tuple[float, float], steps: int = 14) -> Points:
    """A quadratic or cubic Bézier curve through its first and last control point."""
    points = np.array(controls, dtype=float)[:, None]
    t = np.linspace(0, 1, steps)[:, None]
    while len(points) > 1:
        points = (1 - t) * points[:-1] + t * points[1:]
    return points[0]


def ellipse(x: float, y: float, rx: float, ry: float, steps: int = 28) -> Points:
    """An upright ellipse."""
    angle = np.linspace(0, 2 * np.pi, steps, endpoint=False)
    return np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], axis=1)


def ribbon(curve: Points, width: float, taper: float = 1.0) -> Points:
    """The outline of a stroke along a curve, thinner at its ends by `taper`."""
    along = np.gradient(curve, axis=0)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    across /= np.maximum(np.hypot(across[:, 0], across[:, 1]), 1e-9)[:, None]
    belly = 1 - taper * np.abs(np.linspace(-1, 1, len(curve))) ** 2.5
    offset = across * (width / 2 * belly)[:, None]
    return np.concatenate([curve + offset, (curve - offset)[::-1]])


def mirrored(points: Points) -> Points:
    """The same shape on the other side of the head."""
    return np.asarray(points) * (-1, 1)


def mix(first: Color, second: Color, share: float) -> Color:
    """A colour between two, `share` of the way to the second."""
    r, g, b = (a + (c - a) * share for a, c in zip(first, second, strict=True))
    return r, g, b


def hsv(hue: float, saturation: float, value: float) -> Color:
    """A colour by hue, saturation and value, each in [0, 1]; the hue wraps around."""
    r, g, b = colorsys.hsv_to_rgb(hue % 1, saturation, value)
    return 255 * r, 255 * g, 255 * b
