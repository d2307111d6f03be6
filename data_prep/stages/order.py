"""The order of a construction's stages."""

from __future__ import annotations

SIDE_STAGES = (
    "index",
    "decode",
    "select",
    "detect",
    "crop",
    "quality",
    "dedupe",
    "review",
    "upscale",
    "split",
)
"""Stages 1 to 10, which each side goes through alone; 0 is fetching, 11 to 13 are export, verify, report."""
