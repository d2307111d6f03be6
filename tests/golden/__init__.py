"""Numbers that must not move unless the arithmetic is meant to change."""
