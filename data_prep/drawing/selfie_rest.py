"""Hair, neck and shoulders of a drawn selfie."""

from __future__ import annotations

import numpy as np

from data_prep.drawing.selfie_look import Look
from data_prep.drawing.selfie_photo import Field, Photo
from data_prep.drawing.strokes import ellipse, smooth, symmetric


def paint_body(photo: Photo, look: Look) -> None:
    """Paint neck, shoulders and clothes."""
    broad = 1.2 if look.man else 1.0
    neck_width = 0.32 if look.man else 0.25
    neck = symmetric(
        [
            (0, 0.4),
            (neck_width, 0.42),
            (neck_width * 0.97, 0.8),
            (neck_width + 0.07, 0.98),
            (0.6, 1.12),
            (0.45, 1.45),
            (0, 1.6),
        ]
    )
    skin = np.array(look.skin, np.float32)
    side = 1 - 0.25 * (photo.u * -np.sign(look.light[0]) / 0.3).clip(-0.3, 1)
    photo.lay(skin * (0.86 * side)[..., None], photo.mask(neck, 0.008))
    photo.darken(0.5 * photo.mask(neck) * photo.bump(0.0, 0.7, 0.4, 0.13))
    shirt = symmetric(
        [
            (0, 1.3),
            (0.2, 1.22),
            (0.37, 0.98),
            (0.46, 0.98),
            (0.72 * broad, 1.1),
            (0.98 * broad, 1.27),
            (1.1 * broad, 1.7),
            (1.13 * broad, 2.4),
            (1.13 * broad, 4),
            (1.1 * broad, 6),
            (0, 6),
        ]
    )
    cloth = np.array(look.cloth, np.float32)
    folds = (
        1
        + 0.1 * np.sin(7 * photo.u + 3 * photo.v) * np.sin(3.1 * photo.u - 2.2 * photo.v)
        - 0.18 * (np.abs(photo.u) - 0.4).clip(0)
    )
    photo.lay(cloth * folds[..., None], photo.mask(shirt, 0.01))


def _hair_color(photo: Photo, look: Look) -> np.ndarray:
    """Strands that run from the parting over the skull and then down, (H, W, 3)."""
    v = photo.v + 0.92
    spread = 0.07 + 0.95 * np.tanh(1.3 * v.clip(0))
    wave = look.wave * np.sin(8 * photo.v + 2 * look.parting)
    across = (photo.u - look.parting * (1 - np.tanh(2 * v.clip(0))) + wave) / spread
    strands = photo.strand_shine(across + 4, 0.5 * v)
    shine = 1 + (strands - 1) * np.tanh(3 * v.clip(0))
    around = photo.v + 0.42 - 0.5 * photo.u**2 - 0.1 * look.light[0] * photo.u
    band = 0.55 * np.exp(-0.5 * (around / 0.12) ** 2) + 0.2 * np.exp(-0.5 * ((around - 0.9) / 0.3) ** 2)
    hair = np.array(look.hair, np.float32)
    light = (0.82 + 0.3 * band) * shine * (1 + 0.15 * look.light[0] * photo.u)
    color = hair * light[..., None]
    return (
        color + (np.array((255, 236, 214), np.float32) - color) * (0.16 * band * shine.clip(0, 2))[..., None]
    ).clip(0, 255)


def _lay_hair(photo: Photo, look: Look, mask: Field, shade: float = 0.0) -> None:
    """Lay hair over the picture, in shadow by `shade`."""
    photo.lay(_hair_color(photo, look) * (1 - shade), mask)


def paint_hair_behind(photo: Photo, look: Look) -> None:
    """Paint the hair that head and shoulders cover."""
    if look.man:
        shape = symmetric([(0, -0.86), (0.3, -0.82), (0.5, -0.6), (0.54, -0.2), (0.5, 0.05), (0, 0.1)])
    elif look.style == "tied":
        bun = (0.5 * look.parting, -0.86)
        shape = ellipse(*bun, 0.26, 0.22)
    else:
        y = np.linspace(-0.2, look.length, 9)
        x = 0.6 + 0.12 * (y / look.length).clip(0) + 1.3 * look.wave * np.sin(8 * y)
        side = [(float(a), float(b)) for a, b in zip(x, y, strict=True)]
        end = look.length
        shape = symmetric([(0, -0.88), (0.32, -0.83), (0.54, -0.58), *side, (0.3, end + 0.12), (0, end)])
    _lay_hair(photo, look, photo.mask(shape, 0.014), shade=0.35)


def paint_head_from_behind(photo: Photo, look: Look) -> None:
    """Paint hair over the whole head."""
    skull = symmetric([(0, -0.88), (0.38, -0.78), (0.56, -0.4), (0.55, 0.1), (0.36, 0.46), (0, 0.52)])
    paint_hair_behind(photo, look)
    _lay_hair(photo, look, photo.mask(skull, 0.01))


def paint_hair_before(photo: Photo, look: Look) -> None:
    """Paint the hair on the skull and what of it falls before the face and the shoulders."""
    shapes = _shapes_before(look)
    mask = np.maximum.reduce([photo.mask(shape, 0.009) for shape in shapes])
    shadow = np.maximum.reduce([photo.mask(shape + (0, 0.035), 0.035) for shape in shapes])
    photo.darken(0.3 * (shadow - mask).clip(0))
    _lay_hair(photo, look, mask)


def _shapes_before(look: Look) -> list[np.ndarray]:
    """Outlines of the hair before the head, by style."""
    p = look.parting
    top = [(-0.53, -0.1), (-0.56, -0.4), (-0.4, -0.76), (0, -0.88), (0.4, -0.76), (0.56, -0.4), (0.53, -0.1)]
    if look.style == "crop":
        return [
            smooth(
                [
                    (-0.5, 0.02),
                    *top[1:6],
                    (0.5, 0.02),
                    (0.46, -0.18),
                    (0.39, -0.38),
                    (0.15, -0.46),
                    (-0.15, -0.46),
                    (-0.39, -0.38),
                    (-0.46, -0.18),
                ]
            )
        ]
    if look.style == "quiff":
        lift = [(x * 0.97, y * (1.06 if y < -0.5 else 1)) for x, y in top]
        return [
            smooth(
                [
                    (-0.5, 0.02),
                    *lift[1:6],
                    (0.5, 0.02),
                    (0.46, -0.2),
                    (0.42, -0.38),
                    (0.1, -0.52),
                    (-0.2, -0.48),
                    (-0.42, -0.36),
                    (-0.46, -0.2),
                ]
            )
        ]
    if look.style == "tied":
        return [smooth([*top, (0.47, -0.2), (0.38, -0.37), (p * 0.6, -0.48), (-0.38, -0.37), (-0.47, -0.2)])]
    if look.style == "fringe":
        edge = [(0.42, -0.14), (0.25, -0.2), (0.08, -0.19), (-0.1, -0.2), (-0.26, -0.19), (-0.42, -0.14)]
        return [smooth([*top, *edge]), *_falls(look, 0.46)]
    start = float(0.04 * np.sign(p)) if look.style == "middle" else p
    edge = [
        (0.47, -0.12),
        (0.4, -0.32),
        (start + 0.13, -0.46),
        (start, -0.58),
        (start - 0.13, -0.46),
        (-0.4, -0.32),
        (-0.47, -0.12),
    ]
    return [smooth([*top, *edge]), *_falls(look, 0.43)]


def _falls(look: Look, inner: float) -> list[np.ndarray]:
    """Hair that falls beside the cheeks and before the shoulders, to its own length on each side."""
    shapes = []
    for side, end in zip((1, -1), look.falls, strict=True):
        y = np.linspace(-0.3, max(end, 0.1), 9)
        wave = look.wave * np.sin(8 * y)
        reach = (y / y[-1]).clip(0)
        outer = np.stack([0.57 + 0.1 * reach * (end > 0) + wave, y], axis=1)
        inside = np.stack([inner - 0.05 * np.sin(np.pi * reach) + 0.1 * reach**2 + wave, y], axis=1)
        shapes.append(smooth(np.concatenate([outer, inside[::-1]])) * (side, 1))
    return shapes
