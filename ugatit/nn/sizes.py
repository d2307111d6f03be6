"""Picture sizes that networks allow."""

from __future__ import annotations

from ugatit.errors import UserError
from ugatit.params import Training


def require_size(key: str, px: int, smallest: int, remedy: str = "") -> None:
    """Refuse a picture side that is no multiple of 4 or too small for the networks.

    Raises: UserError naming the smallest that works.
    """
    if px % 4 or px < smallest:
        raise UserError(
            f"training.{key}: found {px}, expected a multiple of 4 from {smallest} on. "
            f"Use {smallest} or more{remedy}."
        )


def require_sides(training: Training, smallest: int, remedy: str = "") -> None:
    """Refuse a side that training sees and discriminators cannot judge, or one that cannot be translated.

    Raises: UserError naming the smallest that works.
    """
    require_size("image_px" if training.crop_px is None else "crop_px", training.seen_px, smallest, remedy)
    require_size("image_px", training.image_px, 4)
