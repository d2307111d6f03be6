"""The face of a drawn anime character: ears, skin and its shadows, eyes, nose, mouth, brows."""

from __future__ import annotations

import numpy as np

from data_prep.drawing.anime_look import LINE, Look
from data_prep.drawing.strokes import (
    WHITE,
    Canvas,
    Points,
    bezier,
    ellipse,
    mirrored,
    mix,
    path,
    smooth,
    symmetric,
)

FOREHEAD_SHADOW = smooth(path("-.7,-.6 .7,-.6 .62,-.02 .3,-.1 0,-.17 -.3,-.1 -.62,-.02"))
"""What the hair darkens."""

EYEBALL = path("-.98,-.1 -.6,-.8 .1,-1 .75,-.7 1,0 .7,.75 0,1 -.7,.75")
"""The visible part, its outer corner at the right; half widths and heights of the eye."""

LID_SHADOW = path("-1.2,-1.2 1.2,-1.2 1.1,-.5 0,-.62 -1.1,-.4")

LASH_TOP = path("-1.1,.02 -.7,-.86 .1,-1.18 .85,-.88")
LASH_BOTTOM = smooth(path("1.02,.1 .75,-.58 .1,-.9 -.6,-.66"), closed=False)
"""Borders of the upper lid's lashes, which are drawn out at the outer corner."""


def draw_face(canvas: Canvas, look: Look) -> None:
    """Draw ears, skin and features; the brows come after the hair."""
    for side in (1, -1):
        _draw_ear(canvas, look, side)
    outline = _face_outline(look)
    canvas.outlined(outline, look.skin, look.skin_line, LINE)
    shade = mix(look.skin, look.skin_shade, 0.75)
    canvas.fill(FOREHEAD_SHADOW, shade, within=outline)
    if look.lit:
        edge = bezier((-0.2, -0.7), (-0.42, 0.05), (-0.1, 0.6))
        dark = np.concatenate([edge, [(-0.8, 0.7), (-0.8, -0.7)]]) * (look.lit, 1)
        canvas.fill(dark, shade, within=outline)
    _draw_features(canvas, look, outline)


def _face_outline(look: Look) -> Points:
    """From the skull to a pointed chin; the chin follows the turn of the head."""
    jaw = [(0.34 * look.jaw, 0.38), (0.12 * look.jaw, look.chin - 0.045), (0.0, look.chin)]
    points = symmetric(np.concatenate([path("0,-.7 .36,-.6 .5,-.3 .5,0 .47,.18"), jaw]))
    points[:, 0] += look.turn * 0.7 * points[:, 1].clip(0)
    return points


def _draw_ear(canvas: Canvas, look: Look, side: int) -> None:
    """An ear; the hair often covers it."""
    ear = smooth([(0.45, -0.06), (0.56, -0.1), (0.6, 0.02), (0.55, 0.18), (0.46, 0.2)]) * (side, 1)
    canvas.outlined(ear, look.skin, look.skin_line, LINE)
    canvas.stroke(bezier((0.5, 0.0), (0.56, -0.04), (0.53, 0.12)) * (side, 1), 0.016, look.skin_line)


def _draw_features(canvas: Canvas, look: Look, outline: Points) -> None:
    """Cheeks, eyes, nose and mouth."""
    for side in (1, -1):
        if not look.man:
            blush = ellipse(0.31 * side + look.turn, 0.29, 0.1, 0.05)
            canvas.fill(blush, (240, 120, 120), outline, opacity=0.35)
        _draw_eye(canvas, look, side)
    hand = 1 if look.turn > 0 else -1
    nose = bezier((0, 0.24), (0.02 * hand, 0.285), (-0.015, 0.3)) + (1.4 * look.turn, 0)
    canvas.stroke(nose, 0.02, look.skin_line)
    _draw_mouth(canvas, look, np.array([1.2 * look.turn, 0.405]))


def _draw_eye(canvas: Canvas, look: Look, side: int) -> None:
    """A big eye: white, iris in two tones, pupil, two lights, lashes and the fold above."""
    narrow = 1 - 1.2 * abs(look.turn) * (side * look.turn > 0)
    w, h = 0.138 * narrow, 0.172 * look.eye_size * (0.8 if look.man else 1)
    x, y = 0.24 * side + look.turn, 0.09
    scale, middle = (w * side, h), (x, y)
    white = smooth(EYEBALL * scale + middle)
    canvas.fill(white, WHITE)
    canvas.fill(smooth(LID_SHADOW * scale + middle), (208, 212, 232), within=white)
    rx, ry, x = 0.66 * w / narrow, 0.98 * h, x + 0.012 * np.sign(look.turn)
    inner = ellipse(x, y, rx * 0.86, ry * 0.9)
    night = (16.0, 8.0, 40.0)
    canvas.fill(ellipse(x, y, rx, ry), mix(look.eyes, night, 0.72), within=white)
    canvas.fill(inner, look.eyes, within=white)
    canvas.fill(ellipse(x, y - ry * 0.75, rx * 1.2, ry * 0.85), mix(look.eyes, night, 0.5), within=inner)
    canvas.fill(ellipse(x, y + ry * 0.62, rx * 0.55, ry * 0.28), mix(look.eyes, WHITE, 0.5), within=inner)
    canvas.fill(ellipse(x, y - 0.04 * h, rx * 0.42, ry * 0.45), mix(look.eyes, night, 0.85), within=white)
    canvas.fill(ellipse(x - 0.35 * rx, y - 0.42 * h, rx * 0.34, ry * 0.26), WHITE)
    canvas.fill(ellipse(x + 0.38 * rx, y + 0.42 * h, rx * 0.18, ry * 0.13), WHITE)
    dark = mix(look.hair_line, (25, 12, 25), 0.6)
    wing = (1.12, -0.3) if look.man else (1.28, -0.42)
    upper = smooth(np.concatenate([LASH_TOP, [wing]]), closed=False)
    canvas.fill(np.concatenate([upper, LASH_BOTTOM]) * scale + middle, dark)
    canvas.stroke(bezier((0.75, 0.72), (0.3, 1.08), (-0.5, 0.98)) * scale + middle, 0.02, dark)
    canvas.stroke(bezier((-0.85, -0.95), (0.1, -1.6), (0.95, -0.95)) * scale + middle, 0.016, look.skin_line)


def _draw_mouth(canvas: Canvas, look: Look, middle: np.ndarray) -> None:
    """A mouth of the look's style."""
    dark = mix(look.skin_line, (90, 20, 30), 0.5)
    if look.mouth == "open":
        shape = smooth(path("-.1,-.03 0,-.015 .1,-.03 .06,.06 0,.085 -.06,.06") + middle)
        canvas.outlined(shape, (168, 52, 62), dark, LINE)
        canvas.fill(ellipse(0, 0.075, 0.05, 0.035) + middle, (236, 128, 128), within=shape)
    elif look.mouth == "small":
        canvas.outlined(ellipse(0, 0, 0.035, 0.028) + middle, (190, 80, 86), dark, LINE * 0.8)
    elif look.mouth == "cat":
        half = bezier((0, 0), (0.05, 0.055), (0.1, -0.015))
        canvas.stroke(np.concatenate([mirrored(half)[::-1], half]) + middle, 0.022, dark)
    else:
        dip = 0.06 if look.mouth == "smile" else 0.012
        canvas.stroke(bezier((-0.11, -dip / 3), (0, dip), (0.11, -dip / 3)) + middle, 0.03, dark)


def draw_brows(canvas: Canvas, look: Look) -> None:
    """Draw the brows, seen through the hair as usual in this style."""
    width = 0.04 if look.man else 0.024
    for side in (1, -1):
        x = 0.24 * side + look.turn
        drop = 0.05 if look.man else 0.0
        curve = bezier((x - 0.13 * side, -0.12 + drop), (x + 0.02 * side, -0.19), (x + 0.14 * side, -0.12))
        canvas.stroke(curve, width, look.hair_line)
