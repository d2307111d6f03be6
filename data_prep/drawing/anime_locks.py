"""Locks of hair over the forehead of drawn anime characters, by style."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data_prep.drawing.anime_look import Look
from data_prep.drawing.strokes import Points, bezier

Knot = tuple[float, float]


@dataclass(frozen=True)
class Comb:
    """Locks side by side: n + 1 places where roots begin and end; of n tips, where and how low they are."""

    edges: np.ndarray
    tips: np.ndarray
    ends: np.ndarray
    bends: np.ndarray  # of the locks to the side
    blunt: float = 0.0  # half width of the tips


def locks(look: Look) -> list[Points]:
    """Outlines of the locks, the outer ones first; each begins and ends at its roots.

    Shape: (n, 2) each, in head units.
    """
    comb = COMBS[look.bangs](look)
    roots = -0.5 + 0.4 * comb.edges**2
    made = [
        _lock(
            (comb.edges[k], roots[k]),
            (comb.edges[k + 1], roots[k + 1]),
            (comb.tips[k], comb.ends[k] + look.fringe),
            comb.bends[k],
            comb.blunt,
        )
        for k in range(len(comb.tips))
    ]
    return sorted(made, key=lambda lock: -abs(float(lock[:, 0].mean())))


def _lock(left: Knot, right: Knot, tip: Knot, bend: float, blunt: float) -> Points:
    """A lock from its left root to its tip and back to its right root, bent to the side."""
    low = 0.55
    a = (left[0] + (tip[0] - left[0]) * low + bend - 0.03, left[1] + (tip[1] - left[1]) * low)
    b = (right[0] + (tip[0] - right[0]) * low + bend + 0.03, right[1] + (tip[1] - right[1]) * low)
    ends = (tip[0] - blunt, tip[1]), (tip[0] + blunt, tip[1])
    return np.concatenate([bezier(left, a, ends[0]), bezier(ends[1], b, right)])


def _straight(look: Look) -> Comb:
    """Seven thin locks straight down."""
    tips = np.linspace(-0.47, 0.47, 7)
    ends = -0.03 + 0.05 * np.cos(np.arange(7) * 2.4 + look.phase) + 0.1 * (np.abs(tips) > 0.4)
    return Comb(np.linspace(-0.52, 0.52, 8), tips, ends, np.zeros(7))


def _blunt(look: Look) -> Comb:
    """Five locks cut off in a line."""
    edges = np.linspace(-0.52, 0.52, 6)
    ends = np.array([0.0, -0.08, -0.08, -0.08, 0.0])
    return Comb(edges, (edges[1:] + edges[:-1]) / 2, ends, np.zeros(5), blunt=0.085)


def _parted(look: Look) -> Comb:
    """Locks that fall to both sides of the parting."""
    edges = np.sort([-0.54, -0.38, -0.18, look.parting, 0.18, 0.38, 0.54])
    sides = np.sign((edges[1:] + edges[:-1]) / 2 - look.parting)
    tips = sides * np.array([0.54, 0.5, 0.36, 0.36, 0.5, 0.54])
    ends = np.array([0.3, 0.12, -0.04, -0.04, 0.12, 0.3])
    return Comb(edges, tips, ends, sides * 0.06)


def _swept(look: Look) -> Comb:
    """Locks that all fall to one side."""
    hand = float(np.sign(look.parting))
    edges = np.linspace(-0.53, 0.53, 7)
    wave = 0.04 * np.cos(np.arange(6) * 2 + look.phase)
    ends = -0.02 + 0.1 * np.linspace(-1, 1, 6) * hand + wave
    return Comb(edges, edges[:-1] + 0.09 + hand * 0.17, ends, np.full(6, hand * -0.05))


def _wild(look: Look) -> Comb:
    """Locks of every direction."""
    edges, k = np.linspace(-0.55, 0.55, 7), np.arange(6)
    tips = edges[:-1] + 0.09 + 0.1 * np.sin(k * 2.2 + look.phase)
    ends = 0.02 + 0.1 * np.cos(k * 2.9 + look.phase)
    return Comb(edges, tips, ends, 0.06 * np.cos(k * 3 + look.phase))


COMBS = {"straight": _straight, "blunt": _blunt, "parted": _parted, "swept": _swept, "wild": _wild}
"""The styles by name."""
