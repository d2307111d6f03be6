"""Copies of results that are worth keeping, below release/: what DVC versions, pushes and pulls.

Snakemake watches results/ and data/; DVC never touches those. What passes between them are whole copies, each
known by its SHA-256.
"""
