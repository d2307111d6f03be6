"""The photograph under the brush: soft masks, fields of light, the room behind, and the camera's traces."""

from __future__ import annotations

import cv2
import numpy as np

from data_prep.drawing.strokes import (
    SUBPIXEL_BITS,
    SUPERSAMPLING,
    UNSEEN_PX,
    Color,
    Frame,
    Points,
    corners,
    hsv,
)

Field = np.ndarray  # one value per pixel, (H, W), float32

ROOM_PX = 96
"""Side of the room's picture before it is enlarged: it is out of focus."""

GRAIN_STD = 2.0
"""Noise of the camera in levels."""


class Photo:
    """A picture (H, W, 3), float32, with the pixels' places in the head's units."""

    def __init__(self, rgb: np.ndarray, rng: np.random.Generator) -> None:
        self.rgb = rgb
        self.strands = _strands(rng)
        self.look_at(Frame(0.0, 0.0, 1.0))

    def look_at(self, frame: Frame) -> None:
        """Exchange the frame: where the next head lies."""
        self.frame = frame
        height, width = self.rgb.shape[:2]
        x = np.arange(width, dtype=np.float32)[None, :] + np.float32(0.5 - frame.x)
        y = np.arange(height, dtype=np.float32)[:, None] + np.float32(0.5 - frame.y)
        c, s = np.float32(np.cos(frame.tilt) / frame.unit), np.float32(np.sin(frame.tilt) / frame.unit)
        self.u: Field = c * x + s * y
        self.v: Field = c * y - s * x

    def mask(self, shape: Points, softness: float = 0.0) -> Field:
        """A polygon in [0, 1], its edge blurred by `softness` face widths (standard deviation)."""
        height, width = self.rgb.shape[:2]
        canvas = np.zeros((height * SUPERSAMPLING, width * SUPERSAMPLING), np.uint8)
        cv2.fillPoly(canvas, [corners(self.frame, shape)], 255, shift=SUBPIXEL_BITS)
        reduced = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
        mask = reduced.astype(np.float32) / 255
        std_px = softness * self.frame.unit
        return _blur(mask, std_px) if std_px > UNSEEN_PX else mask

    def bump(self, u: float, v: float, su: float, sv: float) -> Field:
        """A Gaussian field about a point of the head, 1 at its top."""
        return np.exp(-0.5 * (((self.u - u) / su) ** 2 + ((self.v - v) / sv) ** 2))

    def lay(self, color: Color | np.ndarray, opacity: Field) -> None:
        """Lay a colour, (3,) or one per pixel, over the picture."""
        self.rgb += (np.asarray(color, dtype=np.float32) - self.rgb) * opacity[..., None]

    def darken(self, amount: Field) -> None:
        """Take light away, warmly as skin does: red is taken least."""
        self.rgb *= 1 - amount[..., None] * np.array((0.8, 1.0, 1.05), np.float32)

    def strand_shine(self, across: Field, along: Field) -> Field:
        """Light and dark of strands of hair, about 1; coordinates across them and along them."""
        rows, columns = self.strands.shape
        down = (along * 0.5 * rows).clip(0, rows - 1)
        thick, thin = (
            cv2.remap(self.strands, across * f * columns % (columns - 1), down, cv2.INTER_LINEAR)
            for f in (0.11, 0.32)
        )
        return 1 + 0.14 * thick + 0.11 * thin


def draw_room(width: int, height: int, rng: np.random.Generator) -> np.ndarray:
    """An unsharp room: walls, furniture and lights, far behind.

    Shape: (height, width, 3), float32, levels.
    """
    wall = np.array(hsv(rng.uniform(), rng.uniform(0.04, 0.35), rng.uniform(0.2, 0.95)), np.float32)
    room = np.ones((ROOM_PX, ROOM_PX, 3), np.float32) * wall
    for _ in range(rng.integers(4, 9)):
        x, y = rng.integers(-24, 80, 2)
        w, h = rng.integers(14, 64, 2)
        color = hsv(rng.uniform(), rng.uniform(0.05, 0.5), rng.uniform(0.08, 1.0))
        cv2.rectangle(room, (int(x), int(y)), (int(x + w), int(y + h)), color, -1)
    room = _blur(room, rng.uniform(2, 5))
    lamp = np.array((255, 236, 200), np.float32)
    for _ in range(rng.integers(0, 6)):
        spot = np.zeros((ROOM_PX, ROOM_PX), np.float32)
        x, y = rng.integers(0, ROOM_PX, 2)
        cv2.circle(spot, (int(x), int(y)), int(rng.integers(3, 10)), 1.0, -1)
        opacity = _blur(spot, 1.2) * np.float32(rng.uniform(0.3, 0.7))
        room += (lamp - room) * opacity[..., None]
    enlarged = cv2.resize(room, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(enlarged.clip(0, 255), dtype=np.float32)


def finish(rgb: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add what a phone's camera does: tint, contrast, uneven light, grain.

    Shape: (H, W, 3), float32 -> uint8.
    """
    height, width = rgb.shape[:2]
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    angle, fall = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.35)
    light = 1 + fall * (np.cos(angle) * x + np.sin(angle) * y) - rng.uniform(0.02, 0.14) * (x * x + y * y)
    warmth, green = rng.uniform(-0.045, 0.06), rng.uniform(-0.015, 0.015)
    tint = np.array((1 + warmth, 1 + green, 1 - warmth))
    contrast = rng.uniform(0.95, 1.1)
    toned = (rgb * tint - 128) * contrast + 128
    grain = rng.standard_normal((height, width, 1), dtype=np.float32) * GRAIN_STD
    return np.asarray((toned * light[..., None] + grain).round().clip(0, 255), dtype=np.uint8)


def _strands(rng: np.random.Generator) -> Field:
    """Noise that is fine across, along the rows, and long in the other direction; std 1."""
    noise = rng.standard_normal((256, 256), dtype=np.float32)
    noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), sigmaX=1.0, sigmaY=40), dtype=np.float32)
    return noise / noise.std()


def _blur(values: np.ndarray, std_px: float) -> np.ndarray:
    """A Gaussian blur, float32."""
    return np.asarray(cv2.GaussianBlur(values, (0, 0), std_px), dtype=np.float32)
