"""The face of a drawn selfie: relief and its shading, eyes, brows, nose, mouth, beard."""

from __future__ import annotations

import cv2
import numpy as np

from data_prep.drawing.selfie_look import Look
from data_prep.drawing.selfie_photo import Field, Photo
from data_prep.drawing.strokes import bezier, ellipse, mix, ribbon, smooth, symmetric

EYE = 0.205
"""Distance of the eyes from the middle, in face widths."""


def paint_face(photo: Photo, look: Look) -> None:
    """Paint ears, skin and features."""
    for side in (1, -1):
        ear = smooth([(0.46, -0.08), (0.54, -0.1), (0.565, 0.04), (0.53, 0.22), (0.46, 0.24)]) * (side, 1)
        photo.lay(mix(look.skin, (120, 40, 30), 0.22), photo.mask(ear, 0.008))
    outline = _outline(look)
    mask = photo.mask(outline, 0.006)
    photo.lay(_shaded_skin(photo, look), mask)
    photo.darken(0.3 * mask * (1 - photo.mask(outline * 0.97, 0.05)))
    if look.beard:
        _paint_beard(photo, look, mask)
    _paint_nose(photo, look)
    for side in (1, -1):
        _paint_eye(photo, look, side)
        _paint_brow(photo, look, side)
    _paint_mouth(photo, look)


def _outline(look: Look) -> np.ndarray:
    """The face without hair: skull, cheeks, jaw and chin."""
    j = look.jaw
    return symmetric(
        [
            (0, -0.68),
            (0.34, -0.58),
            (0.49, -0.28),
            (0.5, 0.05),
            (0.46, 0.26),
            (0.36 * j, 0.48),
            (0.18 * j, 0.66),
            (0, 0.71),
        ]
    )


def _relief(photo: Photo, look: Look) -> Field:
    """Height of the face towards the viewer, in face widths."""
    t = look.turn
    ball = 1 - (photo.u / 0.62) ** 2 - ((photo.v - 0.06) / 0.95) ** 2
    relief = 0.42 * np.sqrt(ball.clip(0.02))
    relief += 0.045 * photo.bump(1.2 * t, 0.1, 0.05, 0.13) + 0.075 * photo.bump(1.6 * t, 0.24, 0.075, 0.06)
    relief += 0.03 * photo.bump(t, 0.44, 0.13, 0.06) + 0.04 * photo.bump(0.6 * t, 0.62, 0.11, 0.07)
    for side in (1, -1):
        relief -= 0.05 * photo.bump(side * EYE + t, 0.0, 0.11, 0.065)
        relief += 0.045 * photo.bump(side * 0.27 + t, 0.2, 0.12, 0.1) + 0.02 * photo.bump(
            side * 0.2 + t, -0.13, 0.13, 0.04
        )
        relief -= 0.015 * photo.bump(side * 0.16 + t, 0.34, 0.03, 0.09)
    return relief


def _shaded_skin(photo: Photo, look: Look) -> np.ndarray:
    """Colour of the skin in soft light, (H, W, 3)."""
    relief = _relief(photo, look) * np.float32(photo.frame.unit)
    slope_x, slope_y = (
        cv2.Sobel(relief, cv2.CV_32F, 1, 0, scale=1 / 8),
        cv2.Sobel(relief, cv2.CV_32F, 0, 1, scale=1 / 8),
    )
    right, down = look.light
    depth = np.sqrt(max(0.1, 1 - right**2 - down**2))
    length = np.sqrt(slope_x**2 + slope_y**2 + 1)
    lit = (depth - right * slope_x - down * slope_y) / length
    light = (0.52 + 0.54 * lit.clip(-0.1)).astype(np.float32)
    skin = np.array(look.skin, np.float32)
    color = skin * light[..., None] ** np.array((0.8, 1.02, 1.1), np.float32)
    shine = 0.1 * lit.clip(0) ** 24 + 0.1 * photo.bump(1.5 * look.turn, 0.25, 0.025, 0.03)
    blush = photo.bump(0.29 + look.turn, 0.22, 0.1, 0.08) + photo.bump(look.turn - 0.29, 0.22, 0.1, 0.08)
    color += (np.array((222, 96, 92), np.float32) * skin[0] / 240 - color) * (0.2 * blush * (not look.man))[
        ..., None
    ]
    return color + (np.array((255, 244, 232), np.float32) - color) * shine[..., None]


def _paint_nose(photo: Photo, look: Look) -> None:
    """Shadow beside and under the nose, nostrils."""
    t = 1.5 * look.turn
    away = -np.sign(look.light[0])
    photo.darken(
        0.1 * photo.bump(t + away * 0.075, 0.14, 0.025, 0.1) + 0.2 * photo.bump(t, 0.305, 0.075, 0.02)
    )
    for side in (1, -1):
        photo.darken(0.55 * photo.bump(t + side * 0.042, 0.288, 0.017, 0.01))
        photo.darken(0.2 * photo.bump(t + side * 0.088, 0.26, 0.012, 0.03))


def _paint_eye(photo: Photo, look: Look, side: int) -> None:
    """Socket, eyeball, iris, lids and lashes."""
    x, y = EYE * side + look.turn, 0.0
    w, h = (0.092, 0.034) if look.man else (0.104, 0.047)
    dark = mix(look.skin, (24, 12, 10), 0.86)
    photo.darken(0.16 * photo.bump(x, -0.06, 0.1, 0.03) + 0.12 * photo.bump(x, 0.06, 0.09, 0.02))
    lid = [(-0.9, 0.25), (-0.45, -0.75), (0.1, -1.0), (0.65, -0.6), (1.0, 0.0)]
    low = [(0.55, 0.62), (0.0, 0.85), (-0.55, 0.6)]
    almond = smooth(np.array(lid + low) * (w * side, h) + (x, y))
    opening = photo.mask(almond)
    white = (
        np.array((236, 230, 226), np.float32) * (0.84 + 0.16 * photo.bump(x, y + 0.02, 0.07, 0.03))[..., None]
    )
    photo.lay(white, opening)
    radius = 0.043 if look.man else 0.05
    gaze = x + 0.4 * look.turn
    photo.lay(mix(look.eyes, (10, 8, 8), 0.6), opening * photo.mask(ellipse(gaze, y - 0.004, radius, radius)))
    photo.lay(look.eyes, opening * photo.mask(ellipse(gaze, y - 0.002, radius * 0.78, radius * 0.78)))
    photo.lay((14, 10, 10), opening * photo.mask(ellipse(gaze, y - 0.004, radius * 0.42, radius * 0.42)))
    photo.darken(0.5 * opening * photo.bump(x, y - h, 0.2, 0.014))
    photo.lay(
        (255, 255, 255), 0.9 * photo.bump(gaze + 0.016 * np.sign(look.light[0]), y - 0.016, 0.008, 0.008)
    )
    lashes = smooth(np.array([(-0.95, 0.25), *lid[1:4], (1.08, -0.1)]) * (w * side, h) + (x, y), closed=False)
    photo.lay(dark, 0.92 * photo.mask(ribbon(lashes, 0.016 if look.man else 0.024, 0.8)))
    under = smooth(np.array([(1.0, 0.05), *low]) * (w * side, h) + (x, y), closed=False)
    photo.lay(dark, 0.45 * photo.mask(ribbon(under, 0.01, 0.9)))
    fold = smooth(np.array([(-0.8, -0.9), (0.0, -1.75), (0.95, -1.0)]) * (w * side, h) + (x, y), closed=False)
    photo.lay(dark, 0.4 * photo.mask(ribbon(fold, 0.014, 0.9), 0.004))


def _paint_brow(photo: Photo, look: Look, side: int) -> None:
    """A brow of short hairs."""
    x = EYE * side + look.turn
    lift = 0.015 if look.man else 0.035
    curve = bezier((x - 0.115 * side, -0.115), (x + 0.01 * side, -0.15 - lift), (x + 0.135 * side, -0.105))
    color = mix(look.hair, (44, 30, 24), 0.5)
    width = 0.05 if look.man else 0.034
    texture = photo.strand_shine(photo.u * 2.5 + photo.v * side, photo.v)
    photo.lay(
        color,
        ((0.8 if look.man else 0.66) * photo.mask(ribbon(curve, width, 0.8), 0.009) * texture).clip(0, 1),
    )


def _paint_mouth(photo: Photo, look: Look) -> None:
    """Lips, the line between them, teeth when smiling broadly, and shadows about them."""
    x, y = 1.1 * look.turn, 0.445
    w, lift = 0.13 + 0.04 * look.smile, 0.028 * look.smile
    full = 0.75 if look.man else 1.1
    corner = (w, -lift)
    upper = [
        (-w, -lift),
        (-0.07, -0.036 * full),
        (-0.025, -0.046 * full),
        (0, -0.038 * full),
        (0.025, -0.046 * full),
        (0.07, -0.036 * full),
        corner,
    ]
    lower = [(0.085, 0.042 * full), (0, 0.06 * full), (-0.085, 0.042 * full)]
    lips = photo.mask(smooth(np.array(upper + lower) + (x, y)), 0.006)
    shade = 0.82 + 0.3 * photo.bump(x, y + 0.026, 0.09, 0.018) - 0.08 * photo.bump(x, y - 0.03, 0.2, 0.02)
    photo.lay(np.array(look.lips, np.float32) * shade[..., None], 0.85 * lips)
    gap = 0.03 * max(0.0, look.smile - 0.55) / 0.45
    line = np.array([(-w, -lift), (-0.05, 0.004), (0, 0.0), (0.05, 0.004), corner]) + (x, y)
    if gap > 0.004:
        low = [(0.06, 0.004 + gap), (0, 0.006 + 1.2 * gap), (-0.06, 0.004 + gap)]
        teeth = photo.mask(smooth(np.concatenate([line * (1, 1), np.array(low) + (x, y)])))
        photo.lay((232, 226, 218), teeth * 0.95)
    photo.lay(
        mix(look.lips, (40, 8, 10), 0.7),
        0.75 * photo.mask(ribbon(smooth(line, closed=False), 0.014, 0.6), 0.003),
    )
    photo.darken(0.2 * photo.bump(x, y + 0.085, 0.07, 0.018))
    for side in (1, -1):
        photo.darken(0.22 * photo.bump(x + side * (w + 0.012), y - lift, 0.018, 0.018))
        fold = bezier((x + side * 0.11, 0.26), (x + side * 0.17, 0.33), (x + side * (w + 0.045), 0.43))
        photo.darken((0.06 + 0.12 * look.smile) * photo.mask(ribbon(fold, 0.03, 0.9), 0.012))


def _paint_beard(photo: Photo, look: Look, face: Field) -> None:
    """Stubble or a beard on jaw, chin and upper lip."""
    jaw = ((photo.v - 0.27 - 0.9 * (0.42 - np.abs(photo.u)).clip(0)) / 0.12).clip(0, 1)
    jaw = np.maximum(jaw, ((photo.v - 0.53) / 0.06).clip(0, 1))
    lip = photo.bump(look.turn, 0.375, 0.12, 0.02)
    hairs = (
        np.maximum(jaw, 0.9 * lip) * face * (0.35 + 0.65 * photo.strand_shine(photo.u * 6, photo.v))
    ).clip(0, 1)
    photo.lay(mix(look.hair, (40, 30, 26), 0.4), 0.85 * look.beard * hairs)
