"""What stands behind drawn anime characters, and pictures without anyone."""

from __future__ import annotations

import numpy as np

from data_prep.drawing.anime_look import Look
from data_prep.drawing.strokes import SUPERSAMPLING, WHITE, Canvas, Frame, ellipse, hsv, mix, smooth


def draw_backdrop(canvas: Canvas, look: Look, rng: np.random.Generator) -> None:
    """Fill the picture with a flat scene; one unit of its frame is the picture's width."""
    height, width = (side / SUPERSAMPLING for side in canvas.pixels.shape[:2])
    canvas.frame = Frame(0.0, 0.0, width)
    bottom = height / width
    base, pale = look.backdrop, mix(look.backdrop, WHITE, rng.uniform(0.4, 0.75))
    if rng.integers(2):
        base, pale = pale, mix(look.backdrop, (30, 24, 60), 0.35)
    canvas.pixels[:] = base
    if look.scenery in ("stripes", "halves"):
        angle, step = rng.uniform(0, np.pi), rng.uniform(0.16, 0.5)
        along = np.array([np.cos(angle), np.sin(angle)])
        across = np.array([-along[1], along[0]])
        ends = np.array([-2 * along, 2 * along])
        for k in range(-12, 13) if look.scenery == "stripes" else (0,):
            near = (0.5, 0.5 * bottom) + k * step * across
            wide = (0.5 if look.scenery == "stripes" else 9) * step * across
            canvas.fill(np.concatenate([near + ends, near + wide + ends[::-1]]), pale)
    elif look.scenery == "dots":
        for x, y in rng.uniform(0, 1, (16, 2)):
            canvas.fill(ellipse(x, y * bottom, *(rng.uniform(0.03, 0.15),) * 2), pale)
    elif look.scenery == "rays":
        for k in range(12):
            a, b = 2 * np.pi * k / 12, 2 * np.pi * (k + 0.5) / 12
            tip = np.array([(0.5, 0.45 * bottom)])
            canvas.fill(
                np.concatenate([tip, tip + 3 * np.array([(np.cos(a), np.sin(a)), (np.cos(b), np.sin(b))])]),
                pale,
            )
    elif look.scenery == "sky":
        draw_landscape(canvas, rng)
    elif look.scenery == "window":
        left, top = rng.uniform(-0.35, 0.25), rng.uniform(-0.3, 0.2)
        for x in (left, left + 0.48, left + 0.96):
            for y in (top, top + 0.45):
                corners = np.array([(x, y), (x + 0.4, y), (x + 0.4, y + 0.38), (x, y + 0.38)]) * (1, bottom)
                canvas.fill(corners, mix((178, 216, 250), WHITE, rng.uniform(0, 0.5)))
    elif look.scenery == "petals":
        for x, y in rng.uniform(0, 1, (26, 2)):
            canvas.fill(
                smooth(
                    [
                        (x, y * bottom),
                        (x + 0.035, y * bottom - 0.022),
                        (x + 0.06, y * bottom + 0.012),
                        (x + 0.02, y * bottom + 0.02),
                    ]
                ),
                pale,
            )


def draw_landscape(canvas: Canvas, rng: np.random.Generator) -> None:
    """Sky, clouds, and hills one before the other; in the backdrop's frame."""
    height, width = canvas.pixels.shape[:2]
    bottom = height / width
    canvas.pixels[:] = hsv(rng.uniform(0.5, 0.62), rng.uniform(0.25, 0.5), 0.96)
    for x, y in rng.uniform((0, 0), (1, 0.45), (4, 2)):
        for dx, radius in ((-0.07, 0.05), (0, 0.07), (0.08, 0.055)):
            canvas.fill(ellipse(x + dx, y * bottom, radius * 1.3, radius * 0.7), (250, 252, 255))
    for k, y in enumerate((0.6, 0.74, 0.88)):
        x = np.linspace(-0.1, 1.1, 9)
        ridge = np.stack([x, (y + rng.uniform(-0.07, 0.07, 9)) * bottom], axis=1)
        hill = np.concatenate([smooth(ridge, closed=False), [(1.2, bottom + 0.2), (-0.2, bottom + 0.2)]])
        canvas.fill(hill, hsv(rng.uniform(0.22, 0.4), 0.4 + 0.1 * k, 0.78 - 0.13 * k))
