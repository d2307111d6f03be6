"""How a drawn anime character looks: colours with their names, styles and proportions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data_prep.drawing.strokes import Color, hsv, mix

LINE = 0.018
"""Width of outlines in face widths."""

HAIR = {
    "Black": (0.66, 0.28, 0.26),
    "Blonde": (0.125, 0.48, 0.97),
    "Blue": (0.59, 0.58, 0.83),
    "Brown": (0.06, 0.55, 0.52),
    "Green": (0.42, 0.45, 0.68),
    "Grey": (0.6, 0.1, 0.76),
    "Orange": (0.07, 0.66, 0.93),
    "Pink": (0.94, 0.38, 0.96),
    "Purple": (0.75, 0.45, 0.72),
    "Red": (0.0, 0.68, 0.78),
    "Teal": (0.5, 0.52, 0.76),
    "White": (0.62, 0.1, 0.9),
}
"""Hue, saturation and value by the name in the metadata."""

EYES = {
    "Blue": (0.58, 0.75, 0.9),
    "Brown": (0.06, 0.72, 0.58),
    "Green": (0.38, 0.68, 0.72),
    "Orange": (0.08, 0.82, 0.95),
    "Purple": (0.76, 0.6, 0.78),
    "Red": (0.98, 0.76, 0.82),
    "Teal": (0.49, 0.7, 0.78),
    "Yellow": (0.13, 0.74, 0.93),
}
"""As `HAIR`."""

SKINS = ((255, 231, 214), (253, 221, 198), (246, 206, 176), (236, 190, 156), (216, 164, 128))

BACKS = ("long", "long", "waves", "bob", "tails", "pony", "buns")

BANGS = ("straight", "blunt", "parted", "swept", "wild")

BACKDROPS = ("plain", "halves", "stripes", "dots", "rays", "sky", "window", "petals")

CLOTHES = ("sailor", "shirt", "hoodie", "dress")

MOUTHS = ("smile", "open", "small", "cat")

EXTRAS = ("", "", "ribbon", "clip", "band", "ears", "hat", "beret", "phones")


@dataclass(frozen=True)
class Look:
    """One character; lengths in face widths."""

    man: bool
    hair_name: str
    eye_name: str
    hair: Color
    eyes: Color
    skin: Color
    cloth: Color
    accent: Color
    backdrop: Color
    back: str
    bangs: str
    scenery: str
    clothes: str
    mouth: str
    extra: str
    tilt: float
    turn: float  # shift of the features to the side
    jaw: float
    chin: float
    eye_size: float
    length: float  # of the hair, below the face's centre
    parting: float
    phase: float
    fringe: float  # how much longer the bangs are than usual
    sides: tuple[float, float]  # ends of the locks beside the right and the left cheek
    lit: int  # side from which the light comes: 1 right, -1 left, 0 the front

    @property
    def hair_shade(self) -> Color:
        """Of hair in shadow."""
        return mix(self.hair, (52, 30, 74), 0.3)

    @property
    def hair_light(self) -> Color:
        """Of the shine on hair."""
        return mix(self.hair, (255, 255, 255), 0.45)

    @property
    def hair_line(self) -> Color:
        """Of outlines within and about hair."""
        return mix(self.hair, (38, 20, 42), 0.72)

    @property
    def skin_shade(self) -> Color:
        """Of skin in shadow."""
        return mix(self.skin, (204, 96, 96), 0.3)

    @property
    def skin_line(self) -> Color:
        """Of outlines about skin."""
        return mix(self.skin, (86, 32, 36), 0.75)


def choose_look(rng: np.random.Generator, man: bool) -> Look:
    """Choose a character; the two sexes share colours and differ in proportions and hair."""
    hair_name, eye_name = str(rng.choice(list(HAIR))), str(rng.choice(list(EYES)))
    hue = rng.uniform()
    return Look(
        man=man,
        hair_name=hair_name,
        eye_name=eye_name,
        hair=_vary(rng, HAIR[hair_name]),
        eyes=_vary(rng, EYES[eye_name]),
        skin=SKINS[rng.choice(len(SKINS), p=(0.32, 0.3, 0.2, 0.1, 0.08))],
        cloth=hsv(hue, rng.uniform(0.15, 0.75), rng.uniform(0.3, 0.95)),
        accent=hsv(hue + rng.uniform(0.3, 0.7), rng.uniform(0.55, 0.85), rng.uniform(0.7, 0.95)),
        backdrop=hsv(rng.uniform(), rng.uniform(0.15, 0.6), rng.uniform(0.3, 1.0)),
        back="short" if man else str(rng.choice(BACKS)),
        bangs=str(rng.choice(("swept", "wild") if man else BANGS)),
        scenery=str(rng.choice(BACKDROPS)),
        clothes=str(rng.choice(("shirt", "hoodie") if man else CLOTHES)),
        mouth=str(rng.choice(("line", "small", "smile") if man else MOUTHS)),
        extra="" if man else str(rng.choice(EXTRAS)),
        tilt=float(rng.uniform(-0.21, 0.21)),
        turn=float(rng.uniform(-0.05, 0.05)),
        jaw=float(rng.uniform(1.16, 1.3) if man else rng.uniform(0.92, 1.08)),
        chin=float(rng.uniform(0.58, 0.62) if man else rng.uniform(0.53, 0.57)),
        eye_size=float(rng.uniform(0.68, 0.76) if man else rng.uniform(0.96, 1.08)),
        length=float(rng.uniform(1.1, 2.2)),
        parting=float(rng.choice((-1, 1)) * rng.uniform(0.08, 0.26)),
        phase=float(rng.uniform(0, 2 * np.pi)),
        fringe=float(rng.uniform(-0.18, 0.02)),
        sides=(float(rng.uniform(0.1, 0.85)), float(rng.uniform(0.1, 0.85))),
        lit=int(rng.integers(-1, 2)),
    )


def _vary(rng: np.random.Generator, color: tuple[float, float, float]) -> Color:
    """A colour near one given by hue, saturation and value."""
    hue, saturation, value = color
    saturation = min(1.0, saturation * rng.uniform(0.8, 1.2))
    return hsv(hue + rng.uniform(-0.02, 0.02), saturation, min(1.0, value * rng.uniform(0.7, 1.1)))
