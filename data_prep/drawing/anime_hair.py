"""Hair of drawn anime characters: what lies behind head and shoulders, and what is seen before them."""

from __future__ import annotations

import numpy as np

from data_prep.drawing.anime_locks import locks
from data_prep.drawing.anime_look import LINE, Look
from data_prep.drawing.strokes import Canvas, Points, bezier, ellipse, mirrored, path, smooth, symmetric

CAP = symmetric(path("0,-.84 .3,-.79 .53,-.56 .6,-.22 .57,0 .5,-.06 .47,-.26 .3,-.4 0,-.45"))
"""Hair on the skull, down to the hairline and the temples."""

CROWN = smooth(
    path("-.57,-.02 -.6,-.22 -.53,-.56 -.3,-.79 0,-.84 .3,-.79 .53,-.56 .6,-.22 .57,-.02"), closed=False
)
"""Outer border of `CAP`."""

BACK_OF_HEAD = symmetric(path("0,-.8 .5,-.62 .6,-.1 .5,.4 0,.6"))
"""The head as seen from behind."""

SKULL = symmetric(path("0,-.82 .42,-.7 .62,-.3 .6,.15 .4,.45 0,.5"))
"""Hair behind the head that reaches no lower than the neck."""

LONG = symmetric(path("0,-.82 .45,-.7 .64,-.25 .7,.3 .76,1 .5,.95 .4,1.04 .2,.97 0,1"))
"""Hair behind head and shoulders; lengths below 0 are to be multiplied with the hair's."""

TAIL = smooth(path(".45,-.52 .78,-.6 1.02,-.2 1.08,.3 .98,.8 .8,1 .78,.3 .66,-.1"))
"""One of two tails, as `LONG`."""

PONY = smooth(path(".2,-.8 .6,-.95 .98,-.6 1.05,.06 .9,.7 .78,.18 .66,-.3"))
"""A tail at the side, as `LONG`."""

BOB = symmetric(path("0,-.82 .46,-.7 .66,-.25 .73,.25 .66,.6 .48,.68 .3,.58 0,.6"))
"""Hair that curls in at the chin."""


def draw_hair_behind(canvas: Canvas, look: Look) -> None:
    """Draw the hair that head, neck and shoulders cover."""
    for shape in _shapes_behind(look):
        canvas.outlined(shape, look.hair_shade, look.hair_line, LINE)
    if look.back in ("long", "waves"):
        for x in (-0.5, -0.36, 0.36, 0.5):
            strand = bezier((x * 0.7, -0.5), (x * 1.25, 0.3), (x * 1.3, look.length - 0.12))
            canvas.stroke(strand, 0.022, look.hair_line)


def _shapes_behind(look: Look) -> list[Points]:
    """Outlines of the hair behind, by style."""
    if look.back == "long":
        return [_hung(LONG, look.length)]
    if look.back == "waves":
        return [_wavy(look)]
    if look.back == "bob":
        return [BOB]
    if look.back == "tails":
        tail = _hung(TAIL, look.length)
        return [tail, mirrored(tail), SKULL]
    if look.back == "pony":
        tail = _hung(PONY, look.length)
        return [tail if look.parting > 0 else mirrored(tail), SKULL]
    if look.back == "buns":
        bun = ellipse(0.5, -0.72, 0.25, 0.24)
        return [bun, mirrored(bun), SKULL]
    return [_spiky(look)]


def _hung(shape: Points, length: float) -> Points:
    """A shape whose part below the face's centre is made as long as the hair."""
    return np.where(shape[:, 1:] > 0, shape * (1, length), shape)


def _wavy(look: Look) -> Points:
    """Long hair whose sides run in waves."""
    y = np.linspace(-0.1, look.length, 14)
    x = 0.68 + 0.07 * np.sin(9 * y + look.phase) + 0.12 * y / look.length
    top, bottom = path("0,-.82 .45,-.7 .64,-.3"), path(".5,.12 .25,0 0,.06") + (0, look.length)
    return symmetric(np.concatenate([top, np.stack([x, y], axis=1), bottom]))


def _spiky(look: Look) -> Points:
    """Short hair whose ends stand off."""
    angle = np.linspace(-0.25 * np.pi, 1.25 * np.pi, 27)
    radius = 0.66 + 0.07 * (np.arange(27) % 2) + 0.025 * np.sin(5 * angle + look.phase)
    return np.stack([radius * np.cos(angle), -0.14 - radius * np.sin(angle)], axis=1)


def draw_bangs(canvas: Canvas, look: Look) -> None:
    """Draw the hair on the skull and the locks that fall over the forehead and beside the face."""
    canvas.fill(CAP, look.hair)
    if look.back != "short":
        for side, end in zip((1, -1), look.sides, strict=True):
            outer = bezier((0.5, -0.4), (0.66, -0.1), (0.56, end))
            inner = bezier((0.56, end), (0.47, 0.2), (0.43, -0.3))
            lock = np.concatenate([outer, inner]) * (side, 1)
            canvas.outlined(lock, look.hair, look.hair_line, LINE, closed=False)
    for lock in locks(look):
        canvas.outlined(lock, look.hair, look.hair_line, LINE * 0.8, closed=False)
    if look.lit:
        edge = bezier((-0.05, -0.9), (-0.4, -0.5), (-0.3, -0.1))
        dark = np.concatenate([edge, [(-0.8, -0.1), (-0.8, -0.9)]]) * (look.lit, 1)
        canvas.fill(dark, look.hair_shade, within=CAP, opacity=0.7)
    canvas.stroke(CROWN, LINE * 1.1, look.hair_line, taper=0.3)
    _draw_shine(canvas, look)
    for x in (-0.34, -0.17, 0.02, 0.2, 0.36):
        strand = bezier((look.parting * 0.6, -0.78), (x * 0.9, -0.72), (x * 1.15, -0.38))
        canvas.stroke(strand, 0.014, look.hair_line)


def _draw_shine(canvas: Canvas, look: Look) -> None:
    """A jagged band of light around the head."""
    x = np.linspace(-0.44, 0.44, 15)
    arc = 0.28 * (x / 0.5) ** 2 - 0.6
    teeth = 0.035 * (-1.0) ** np.arange(15)
    upper = np.stack([x, arc - 0.035 + teeth * 0.4], axis=1)
    lower = np.stack([x, arc + 0.045 + teeth], axis=1)
    canvas.fill(np.concatenate([upper, lower[::-1]]), look.hair_light, within=CAP)
