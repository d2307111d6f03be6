"""Two drawn domains, apples and melons: the same scenes around another fruit.

A translation has to recolour the fruit and to add or remove its stripes where it lies, while wall, table and
light of every hue stay as they are; so neither a copy nor a global change of colour is an answer.
"""

from __future__ import annotations

import colorsys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

DOMAINS = ("apple", "melon")
"""Domain A: plain and red, with a leaf. Domain B: striped and green, with a tendril."""

PARTS = ("train", "test")

SUPERSAMPLING = 3
"""Pictures are drawn this many times larger and averaged down."""

Rng = np.random.Generator
Field = np.ndarray  # one value per drawn pixel, (S, S); float64, so that machines agree in the rounded levels
Color = np.ndarray  # RGB in [0, 1], (3,) or (S, S, 3)


@dataclass(frozen=True)
class Scene:
    """What both domains share; lengths in picture widths, angles in radians, y downwards."""

    x: float
    y: float
    radius: float
    tilt: float  # of the fruit's axis, clockwise from upright
    lean: float  # of the axis towards the viewer
    light: np.ndarray  # unit vector to the light: right, down, towards the viewer
    horizon: float
    wall: Color
    table: Color
    blurs: np.ndarray  # discs on the wall, one row each: x, y, radius, opacity, red, green, blue

    @property
    def axis(self) -> np.ndarray:
        """Unit vector from the fruit's centre to its stem."""
        flat = np.cos(self.lean)
        return np.array([np.sin(self.tilt) * flat, -np.cos(self.tilt) * flat, np.sin(self.lean)])


@dataclass(frozen=True)
class Ball:
    """The fruit's surface, seen from the front; the values have a meaning where `inside` is 1.

    Unit normals (S, S, 3), position along the axis from -1 to 1 at the stem, angle about the axis.
    """

    inside: Field
    normal: np.ndarray
    height: Field
    longitude: Field


def draw(domain: str, part: str, index: int, seed: int, picture_px: int) -> np.ndarray:
    """Draw one picture, a pure function of its arguments.

    Shape: returns (picture_px, picture_px, 3), uint8.
    Raises: ValueError if `domain` is not in `DOMAINS` or `part` not in `PARTS`.
    """
    rng = np.random.default_rng([seed, DOMAINS.index(domain), PARTS.index(part), index])
    side = picture_px * SUPERSAMPLING
    scene = choose_scene(rng)
    y, x = (np.mgrid[:side, :side] + 0.5) / side
    canvas = _draw_background(scene, x, y)
    paint, gloss, top = FRUITS[domain]
    box = _box(scene, side)
    ball = _shape_ball(scene, x[box], y[box], taper=0.12 if domain == "apple" else 0.0)
    canvas[box] = _blend(canvas[box], _shade(scene, ball, paint(ball, rng), gloss), ball.inside)
    picture = Image.fromarray((canvas.clip(0, 1) * 255).round().astype(np.uint8))
    top(ImageDraw.Draw(picture), scene, side, rng)
    return np.array(picture.reduce(SUPERSAMPLING), dtype=np.uint8)


def choose_scene(rng: Rng) -> Scene:
    """Choose place, pose, light and surroundings, from one distribution for both domains."""
    radius = rng.uniform(0.2, 0.33)
    light = np.array([rng.choice([-1, 1]) * rng.uniform(0.25, 0.65), -rng.uniform(0.45, 0.75), 0.75])
    y = rng.uniform(radius + 0.18, 0.94 - radius)
    return Scene(
        x=rng.uniform(radius + 0.04, 0.96 - radius),
        y=y,
        radius=radius,
        tilt=rng.uniform(-0.45, 0.45),
        lean=rng.uniform(0.35, 0.75),
        light=light / np.linalg.norm(light),
        horizon=y + radius * rng.uniform(0.1, 0.6),
        wall=_hue(rng, rng.uniform(0.03, 0.22), rng.uniform(0.78, 0.95)),
        table=_hue(rng, rng.uniform(0.05, 0.28), rng.uniform(0.55, 0.9)),
        blurs=np.array([_choose_blur(rng) for _ in range(rng.integers(2, 6))]),
    )


def _box(scene: Scene, side: int) -> tuple[slice, slice]:
    """Rows and columns that hold the fruit, whose outline is at most 1.15 radii from its centre."""
    spans = [(centre - 1.15 * scene.radius, centre + 1.15 * scene.radius) for centre in (scene.y, scene.x)]
    rows, columns = (slice(max(0, int(low * side)), int(high * side) + 1) for low, high in spans)
    return rows, columns


def _choose_blur(rng: Rng) -> list[float]:
    """One row of `Scene.blurs`."""
    place = [rng.uniform(0, 1), rng.uniform(0, 0.6), rng.uniform(0.04, 0.14), rng.uniform(0.2, 0.5)]
    return [*place, *_hue(rng, 0.35, 1.0)]


def _hue(rng: Rng, saturation: float, value: float) -> Color:
    """A colour of any hue."""
    return np.array(colorsys.hsv_to_rgb(rng.uniform(), saturation, value))


def _step(low: float, high: float, value: Field) -> Field:
    """Rise smoothly from 0 at `low` to 1 at `high`."""
    t = ((value - low) / (high - low)).clip(0, 1)
    return t * t * (3 - 2 * t)


def _blend(below: Color, above: Color, opacity: Field) -> Color:
    """Lay one colour over another."""
    return below + (above - below) * opacity[..., None]


def _draw_background(scene: Scene, x: Field, y: Field) -> Color:
    """Wall with blurred lights, table, and the fruit's shadow on it."""
    glow = np.exp(-((x - 0.5 - 0.5 * scene.light[0]) ** 2 + (y - 0.1) ** 2) / 0.5)
    canvas = scene.wall * (0.72 + 0.38 * glow)[..., None]
    for bx, by, radius, opacity, *color in scene.blurs:
        distance = np.hypot(x - bx, y - by)
        canvas = _blend(canvas, np.array(color), opacity * _step(radius, radius * 0.8, distance))
    table = scene.table * (0.78 + 0.5 * (y - scene.horizon))[..., None]
    canvas = _blend(canvas, table, _step(scene.horizon - 0.008, scene.horizon + 0.008, y))
    across = (x - scene.x + 0.45 * scene.radius * scene.light[0]) / (1.15 * scene.radius)
    down = (y - scene.y - 0.93 * scene.radius) / (0.3 * scene.radius)
    on_table = _step(scene.horizon - 0.01, scene.horizon + 0.03, y)
    shadow = 0.62 * np.exp(-1.6 * (across**2 + down**2)) * on_table
    return canvas * (1 - shadow)[..., None]


def _shape_ball(scene: Scene, x: Field, y: Field, taper: float) -> Ball:
    """A ball about the scene's axis, narrower away from the stem by `taper`."""
    right, down = (x - scene.x) / scene.radius, (y - scene.y) / scene.radius
    cos, sin = np.cos(scene.tilt), np.sin(scene.tilt)
    along, across = cos * down - sin * right, cos * right + sin * down
    across = across * (1 + taper * along)
    right, down = cos * across - sin * along, cos * along + sin * across
    squared = right**2 + down**2
    edge = np.maximum(np.sqrt(squared), 1.0)
    normal = np.stack([right / edge, down / edge, np.sqrt((1 - squared).clip(0))], axis=-1)
    east = np.array([cos, sin, 0.0])
    height = normal @ scene.axis
    longitude = np.arctan2(normal @ np.cross(scene.axis, east), normal @ east)
    return Ball((squared < 1).astype(float), normal, height, longitude)


def _shade(scene: Scene, ball: Ball, color: Color, gloss: float) -> Color:
    """Light the surface: soft light, darker rim, light from the table below, highlight."""
    diffuse = (ball.normal @ scene.light).clip(0)
    halfway = scene.light + [0, 0, 1]
    highlight = (ball.normal @ (halfway / np.linalg.norm(halfway))).clip(0)
    rim = 0.72 + 0.28 * ball.normal[..., 2]
    bounce = 0.25 * ball.normal[..., 1].clip(0)
    lit = color * ((0.36 + 0.82 * diffuse) * rim)[..., None] + (color * scene.table) * bounce[..., None]
    return lit + (gloss * (0.75 * highlight**70 + 0.18 * highlight**14))[..., None]


def _paint_apple(ball: Ball, rng: Rng) -> Color:
    """Red, with a yellow blush about the stem and faint streaks along the meridians."""
    red = np.array([rng.uniform(0.72, 0.9), rng.uniform(0.06, 0.16), rng.uniform(0.08, 0.16)])
    yellow = np.array([0.95, rng.uniform(0.66, 0.8), 0.3])
    phases = rng.uniform(0, 2 * np.pi, 4)
    streaks = sum(np.sin(n * ball.longitude + p) for n, p in zip((5, 9, 17, 26), phases, strict=True)) / 4
    patch = 0.5 + 0.5 * np.sin(ball.longitude + phases[0])
    blush = _step(0.45, 1.05, ball.height + 0.25 * streaks + 0.35 * patch) * rng.uniform(0.5, 0.95)
    color = _blend(red * (1 + 0.12 * streaks)[..., None], yellow, blush)
    return color * (1 - 0.55 * _step(0.955, 0.995, ball.height))[..., None]


def _paint_melon(ball: Ball, rng: Rng) -> Color:
    """Light green, with dark, jagged stripes along the meridians."""
    light = np.array([rng.uniform(0.52, 0.68), rng.uniform(0.76, 0.86), rng.uniform(0.3, 0.42)])
    dark = np.array([rng.uniform(0.04, 0.1), rng.uniform(0.3, 0.38), rng.uniform(0.1, 0.18)])
    stripes = int(rng.integers(8, 12))
    phases = rng.uniform(0, 2 * np.pi, 4)
    jag = 0.3 * np.sin(9 * ball.height + phases[0]) + 0.22 * np.sin(23 * ball.height + phases[1])
    wave = np.sin(stripes * ball.longitude + phases[2] + jag) + 0.2 * np.sin(31 * ball.height + phases[3])
    ring = 1 - _step(0.93, 0.99, ball.height)
    return _blend(light, dark, _step(-0.15, 0.25, wave) * ring)


def _curve(start: np.ndarray, bend: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Points of a quadratic Bézier curve, (12, 2)."""
    t = np.linspace(0, 1, 12)[:, None]
    return (1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t**2 * end


def _place_stem(scene: Scene, side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """In drawn pixels: the stem's foot, unit vectors along it and to its right, and the fruit's radius."""
    foot = (np.array([scene.x, scene.y]) + 0.97 * scene.radius * scene.axis[:2]) * side
    along = np.array([np.sin(scene.tilt), -np.cos(scene.tilt)])
    return foot, along, np.array([-along[1], along[0]]), scene.radius * side


def _stroke(pen: ImageDraw.ImageDraw, points: np.ndarray, width: float, color: tuple[int, int, int]) -> None:
    """Draw a curve with round ends."""
    pen.line([tuple(p) for p in points], fill=color, width=max(1, round(width)), joint="curve")
    for px, py in (points[0], points[-1]):
        pen.ellipse([px - width / 2, py - width / 2, px + width / 2, py + width / 2], fill=color)


def _top_apple(pen: ImageDraw.ImageDraw, scene: Scene, side: int, rng: Rng) -> None:
    """A bent stem and a leaf."""
    foot, along, across, unit = _place_stem(scene, side)
    hand = rng.choice([-1.0, 1.0])
    tip = foot + unit * (0.42 * along + 0.1 * hand * across)
    stem = _curve(foot, foot + 0.25 * unit * along, tip)
    _stroke(pen, stem, 0.085 * unit, (84, 56, 32))
    reach, rise = hand * rng.uniform(0.5, 0.65), rng.uniform(0.1, 0.3)
    base, end = stem[5], stem[5] + unit * (rise * along - reach * across)
    swell, middle = 0.24 * unit * along, (base + end) / 2
    upper, lower = _curve(base, middle + swell, end), _curve(base, middle - swell, end)
    pen.polygon([tuple(p) for p in (*upper, *lower[::-1])], fill=(70, 140, 48))
    pen.polygon([tuple(p) for p in (*lower, base)], fill=(48, 108, 40))


def _top_melon(pen: ImageDraw.ImageDraw, scene: Scene, side: int, rng: Rng) -> None:
    """A short stem that ends in a curl."""
    foot, along, across, unit = _place_stem(scene, side)
    hand = rng.choice([-1.0, 1.0])
    turn = np.linspace(0, 1.6 * np.pi, 24)[:, None]
    shrink = np.linspace(1, 0.45, 24)[:, None]
    centre = foot + unit * (0.14 * along + 0.15 * hand * across)
    curl = centre - 0.15 * unit * shrink * (hand * np.cos(turn) * across - np.sin(turn) * along)
    _stroke(pen, np.concatenate([foot[None], curl]), 0.07 * unit, (104, 116, 46))


Fruit = tuple[Callable[[Ball, Rng], Color], float, Callable[[ImageDraw.ImageDraw, Scene, int, Rng], None]]

FRUITS: dict[str, Fruit] = {
    "apple": (_paint_apple, 1.0, _top_apple),
    "melon": (_paint_melon, 0.55, _top_melon),
}
"""Per domain: colours of the surface, strength of its highlight, what grows at its top."""
