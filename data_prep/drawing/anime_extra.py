"""What drawn anime characters wear on their hair."""

from __future__ import annotations

import numpy as np

from data_prep.drawing.anime_look import LINE, Look
from data_prep.drawing.strokes import (
    WHITE,
    Canvas,
    Color,
    bezier,
    ellipse,
    mirrored,
    mix,
    path,
    ribbon,
    smooth,
)


def draw_extra(canvas: Canvas, look: Look) -> None:
    """Draw what the look wears on its hair, if anything."""
    if look.extra:
        hand = 1 if look.parting < 0 else -1
        EXTRAS[look.extra](canvas, look, mix(look.accent, (30, 15, 40), 0.65), hand)


def _ribbon(canvas: Canvas, look: Look, line: Color, hand: int) -> None:
    """A bow on one side."""
    loop, place = smooth(path("0,0 .2,-.15 .27,.02 .2,.13")), (0.36 * hand, -0.68)
    for side in (1, -1):
        canvas.outlined(loop * (side, 1) + place, look.accent, line, LINE)
    canvas.outlined(ellipse(*place, 0.045, 0.055), look.accent, line, LINE)


def _clip(canvas: Canvas, look: Look, line: Color, hand: int) -> None:
    """Two crossed pins."""
    pin = path("-.1,.025 .08,-.07 .1,-.025 -.08,.07") + (0.4 * hand, -0.36)
    canvas.outlined(pin, look.accent, line, LINE)
    canvas.outlined(pin * (1, -1) - (0, 0.72), look.accent, line, LINE)


def _band(canvas: Canvas, look: Look, line: Color, hand: int) -> None:
    """A hair band."""
    half = bezier((0, -0.74), (0.5, -0.78), (0.58, -0.3))
    band = ribbon(np.concatenate([mirrored(half)[::-1], half[1:]]), 0.09, taper=0.2)
    canvas.outlined(band, look.accent, line, LINE)


def _phones(canvas: Canvas, look: Look, line: Color, hand: int) -> None:
    """Headphones."""
    arc = bezier((-0.62, -0.05), (-0.72, -1.05), (0.72, -1.05), (0.62, -0.05))
    canvas.stroke(arc, 0.09, look.accent, taper=0.1)
    for side in (1, -1):
        canvas.outlined(ellipse(0.62 * side, 0.0, 0.12, 0.19), look.accent, line, LINE)
        canvas.outlined(ellipse(0.6 * side, 0.0, 0.06, 0.11), mix(look.accent, WHITE, 0.5), line, LINE)


def _beret(canvas: Canvas, look: Look, line: Color, hand: int) -> None:
    """A beret that hangs to one side."""
    wool = smooth(path("-.62,-.5 -.7,-.78 -.3,-1.02 .3,-1 .66,-.8 .58,-.5 0,-.6")) * (hand, 1)
    canvas.outlined(wool, look.accent, line, LINE)
    canvas.stroke(bezier((0, -1.0), (0.02, -1.07), (0.06, -1.1)), 0.05, line, taper=0.3)


def _hat(canvas: Canvas, look: Look, line: Color, hand: int) -> None:
    """A straw hat with a ribbon."""
    straw = mix(look.accent, (255, 246, 220), 0.6)
    crown = smooth(path("-.56,-.5 -.5,-.88 0,-1.04 .5,-.88 .56,-.5 0,-.58"))
    brim = smooth(path("-.92,-.4 -.5,-.56 0,-.6 .5,-.56 .92,-.4 .5,-.44 0,-.47 -.5,-.44"))
    canvas.outlined(crown, straw, line, LINE)
    canvas.outlined(brim, straw, line, LINE)
    canvas.stroke(bezier((-0.56, -0.57), (0, -0.72), (0.56, -0.57)), 0.09, look.accent, taper=0.1)


def _ears(canvas: Canvas, look: Look, line: Color, hand: int) -> None:
    """A cat's ears."""
    ear, inner = smooth(path(".16,-.78 .34,-1.02 .52,-1.1 .55,-.9 .52,-.6")), path(".3,-.82 .47,-1 .47,-.7")
    for side in (1, -1):
        canvas.outlined(ear * (side, 1), look.hair, look.hair_line, LINE, closed=False)
        canvas.fill(inner * (side, 1), mix(look.accent, (255, 200, 200), 0.5))


EXTRAS = {
    "ribbon": _ribbon,
    "clip": _clip,
    "band": _band,
    "phones": _phones,
    "beret": _beret,
    "hat": _hat,
    "ears": _ears,
}
"""By name; the side, 1 or -1, is given for what is worn on one."""
