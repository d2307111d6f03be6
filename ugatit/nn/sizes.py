"""Picture sizes that networks allow."""

from __future__ import annotations

from ugatit.errors import UserError

SMALLEST_PX = 8
"""A quarter of it, where residual blocks work, can still be mirrored by one pixel."""


def require_sides(image_px: int, crop_px: int | None, smallest: int = SMALLEST_PX, remedy: str = "") -> None:
    """Refuse sides of `training` that cannot be halved and doubled twice, or are too small for the networks.

    `smallest` is that of the pictures that training sees: of its crops, if there are any.

    Raises: UserError naming the smallest that works.
    """
    if crop_px is not None:
        _require("crop_px", crop_px, smallest, remedy)
        smallest = SMALLEST_PX
    _require("image_px", image_px, smallest, remedy)


def _require(key: str, px: int, smallest: int, remedy: str) -> None:
    """Refuse one side."""
    if px % 4 or px < smallest:
        raise UserError(
            f"training.{key}: found {px}, expected a multiple of 4 from {smallest} on. "
            f"Use {smallest} or more{remedy}."
        )
