"""Picture sizes that networks allow."""

from __future__ import annotations

from ugatit.errors import UserError


def require_size(key: str, px: int, smallest: int, remedy: str = "") -> None:
    """Refuse a picture side that is no multiple of 4 or too small for the networks.

    Raises: UserError naming the smallest that works.
    """
    if px % 4 or px < smallest:
        raise UserError(
            f"training.{key}: found {px}, expected a multiple of 4 from {smallest} on. "
            f"Use {smallest} or more{remedy}."
        )
