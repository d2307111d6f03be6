"""How a drawn person looks: skin, hair, features and clothes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data_prep.drawing.strokes import Color, hsv

SKINS = ((248, 208, 182), (238, 190, 158), (216, 164, 130), (176, 122, 90), (132, 88, 66))
"""Five tones in even light."""

HAIR = {"black": (38, 31, 31), "brown": (92, 60, 42), "blond": (206, 170, 118), "red": (156, 76, 42)}
"""Colours by the word in the attribute file."""

EYES = {
    "brown": (84, 50, 30),
    "hazel": (112, 88, 48),
    "green": (86, 112, 76),
    "blue": (84, 118, 152),
    "grey": (112, 120, 126),
}

WOMEN = ("middle", "side", "fringe", "tied")
MEN = ("crop", "quiff")


@dataclass(frozen=True)
class Look:
    """One person; lengths in face widths, strengths in [0, 1]."""

    man: bool
    hair_name: str
    eye_name: str
    skin: Color
    hair: Color
    eyes: Color
    lips: Color
    cloth: Color
    style: str  # of the hair
    length: float  # of the hair, below the eyes
    wave: float  # of the hair
    parting: float
    falls: tuple[float, float]  # how far the hair before the right and the left shoulder reaches
    tilt: float  # radians
    turn: float  # shift of the features to the side
    jaw: float
    smile: float
    beard: float
    light: tuple[float, float]  # right and down, towards the light


def choose_look(rng: np.random.Generator, man: bool) -> Look:
    """Choose a person; the sexes share skins and colours of hair and differ in features and style."""
    tone = int(rng.integers(len(SKINS)))
    hair_name = str(rng.choice(list(HAIR), p=(0.28, 0.34, 0.24, 0.14) if tone < 3 else (0.65, 0.35, 0, 0)))
    eye_name = str(rng.choice(list(EYES))) if tone < 3 else "brown"
    skin = np.array(SKINS[tone]) * rng.uniform(0.96, 1.03)
    red = np.array((196, 62, 76)) if rng.uniform() < 0.4 else np.array((206, 104, 104))
    paint = 0.22 if man else rng.uniform(0.45, 0.85)
    length = float(rng.uniform(0.75, 2.0))
    falls = (
        (1.0, 1.0)
        if rng.uniform() < 0.4
        else [(1.0, 0.0), (0.0, 1.0), (0.0, 0.0), (1.0, 0.5)][rng.integers(4)]
    )
    return Look(
        man=man,
        hair_name=hair_name,
        eye_name=eye_name,
        skin=_color(skin),
        hair=_color(np.array(HAIR[hair_name]) * rng.uniform(0.85, 1.2)),
        eyes=_color(np.array(EYES[eye_name]) * rng.uniform(0.9, 1.1)),
        lips=_color((skin * (1 - paint) + red * paint) * (0.55 + 0.45 * skin[0] / 240)),
        cloth=hsv(rng.uniform(), rng.uniform(0.05, 0.7), rng.uniform(0.2, 0.95)),
        style=str(rng.choice(MEN if man else WOMEN)),
        length=length,
        wave=float(rng.uniform(0, 0.06)) if rng.uniform() < 0.5 else 0.0,
        parting=float(rng.choice((-1, 1)) * rng.uniform(0.1, 0.24)),
        falls=(length * falls[0], length * falls[1]),
        tilt=float(rng.uniform(-0.21, 0.21)),
        turn=float(rng.uniform(-0.035, 0.035)),
        jaw=float(rng.uniform(1.08, 1.2) if man else rng.uniform(0.9, 1.02)),
        smile=float(rng.uniform(0, 1)),
        beard=float(rng.choice((0.25, 0.5, 0.9))) if man else 0.0,
        light=(float(rng.choice((-1, 1)) * rng.uniform(0.1, 0.7)), float(-rng.uniform(0.15, 0.5))),
    )


def _color(values: np.ndarray) -> Color:
    """Levels as a colour, clipped to what can be shown."""
    r, g, b = (float(v) for v in values.clip(0, 255))
    return r, g, b
