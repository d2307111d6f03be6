"""Measurements of speed and memory, to be run by hand; tests never depend on time."""
