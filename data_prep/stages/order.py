"""The order of a construction's stages, and the versions of what they write."""

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

STAGE_VERSIONS = {
    "index": 1,
    "decode": 1,
    "select": 1,
    "detect": 2,
    "crop": 1,
    "quality": 1,
    "dedupe": 1,
    "review": 1,
    "upscale": 1,
    "split": 1,
    "export": 1,
    "verify": 1,
    "build_dataset": 1,
}
"""Of what each stage writes, and `build_dataset` from a folder: to be raised when the code measures or
decides otherwise. The rule of that name then runs anew, and what follows; what was measured is measured anew.
"""
