"""Neck, shoulders and clothes of a drawn anime character."""

from __future__ import annotations

from data_prep.drawing.anime_look import LINE, Look
from data_prep.drawing.strokes import WHITE, Canvas, Color, bezier, mix, path, smooth, symmetric

NIGHT = (30.0, 20.0, 40.0)
"""Mixed into colours of clothes for their outlines."""

NECK = symmetric(path("0,.3 .15,.32 .145,.62 .2,.8 .3,.9 0,1.12"))
CHIN_SHADOW = smooth(path("-.25,.3 .25,.3 .17,.68 0,.76 -.17,.66"))
TRUNK = path("0,.86 .2,.82 .62,.94 .88,1.14 .96,1.7 .95,2.6 .93,4 .9,6 0,6")
"""Right half of shoulders and body of ordinary breadth."""


def draw_body(canvas: Canvas, look: Look) -> None:
    """Draw neck, shoulders and clothes, down to wherever the picture ends."""
    line = mix(look.cloth, NIGHT, 0.65)
    breadth = (1.12 if look.man else 0.92, 1)
    canvas.outlined(symmetric(TRUNK * breadth), look.cloth, line, LINE)
    for side in (1, -1):
        arm = bezier((0.7 * side, 1.35), (0.66 * side, 2.0), (0.7 * side, 5.0)) * breadth
        canvas.stroke(arm, 0.025, line)
    canvas.outlined(NECK, look.skin, look.skin_line, LINE)
    canvas.fill(CHIN_SHADOW, look.skin_shade, within=NECK)
    COLLARS[look.clothes](canvas, look, line)


def _sailor(canvas: Canvas, look: Look, line: Color) -> None:
    """A wide collar with a white seam, and a bow."""
    flap, seam = path(".17,.8 .52,.93 .56,1.3 0,1.5 .06,1.2"), path(".47,.97 .5,1.24 .06,1.4")
    for side in (1, -1):
        canvas.outlined(flap * (side, 1), look.accent, mix(look.accent, NIGHT, 0.6), LINE)
        canvas.stroke(seam * (side, 1), 0.028, WHITE, taper=0)
    canvas.outlined(smooth(path("-.12,1.4 .12,1.4 .2,1.75 0,1.62 -.2,1.75")), look.cloth, line, LINE)


def _shirt(canvas: Canvas, look: Look, line: Color) -> None:
    """A collar and a tie."""
    collar = path(".15,.74 .32,.88 .22,1.16 0,1.06")
    for side in (1, -1):
        canvas.outlined(collar * (side, 1), mix(look.cloth, WHITE, 0.6), line, LINE)
    canvas.outlined(path("-.06,1.06 .06,1.06 .1,2 0,2.15 -.1,2"), look.accent, line, LINE)


def _hoodie(canvas: Canvas, look: Look, line: Color) -> None:
    """A hood that lies on the shoulders, with its strings."""
    hood = smooth(path(".14,.7 .42,.78 .5,.98 .3,1.18 0,1.24 .1,1.02"))
    for side in (1, -1):
        canvas.outlined(hood * (side, 1), mix(look.cloth, NIGHT, 0.15), line, LINE)
        string = bezier((0.12 * side, 1.16), (0.15 * side, 1.4), (0.13 * side, 1.6))
        canvas.stroke(string, 0.035, look.accent, taper=0)


def _dress(canvas: Canvas, look: Look, line: Color) -> None:
    """A band about a wide neckline."""
    band = smooth(path("-.42,.9 -.2,1.14 .2,1.14 .42,.9 .5,.96 .25,1.26 -.25,1.26 -.5,.96"))
    canvas.outlined(band, look.accent, line, LINE)


COLLARS = {"sailor": _sailor, "shirt": _shirt, "hoodie": _hoodie, "dress": _dress}
"""What the clothes look like below the neck, by their name."""
