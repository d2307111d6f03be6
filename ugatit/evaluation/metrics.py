"""All metrics of translated pictures against real ones, with what is needed to read them: metrics.json."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ugatit.datasets import DIRECTIONS, Direction
from ugatit.errors import UserError
from ugatit.evaluation.feature_file import Features, are_same_pictures, require_comparable
from ugatit.evaluation.fid import fid
from ugatit.evaluation.kid import Estimate, block_count, kid, kid_full, kid_paper, kid_paper_alpha98

METRICS_SCHEMA = 1

KID_SCALE = 100
"""KIDs are printed times 100, as in the paper."""

MIN_PER_BLOCK = 2
"""An unbiased estimate needs two samples of each set."""


@dataclass(frozen=True)
class Protocols:
    """The choices that the protocols leave open (`evaluation` in params.yaml)."""

    kid_subsets: int
    kid_subset_size: int
    kid_seed: int
    paper_block_size: int


def evaluate(
    real_a: Features,
    real_b: Features,
    fakes: Mapping[Direction, Features],
    protocols: Protocols,
    *,
    dataset: str | None = None,
    model: str | None = None,
    seed: int | None = None,
) -> dict[str, Any]:
    """Compare translations with the real pictures of the target and of the source domain.

    `fakes` holds the translations of one or both directions; those of a2b have target real_b, source real_a.

    Raises: UserError if nothing was translated, the features are of different extractors, or there are too
        few pictures for a protocol.
    """
    if not fakes:
        raise UserError("no translations to evaluate; give those of a2b, of b2a or of both.")
    require_comparable({"real-a": real_a, "real-b": real_b, **{str(d): fake for d, fake in fakes.items()}})
    directions = {}
    for direction in DIRECTIONS:
        if direction in fakes:
            target, source = (real_b, real_a) if direction == "a2b" else (real_a, real_b)
            directions[direction] = _compare(direction, fakes[direction], target, source, protocols)
    return {
        "schema": METRICS_SCHEMA,
        "dataset": dataset,
        "model": model,
        "seed": seed,
        "extractor": real_a.identity.extractor.model_dump(),
        "image_px": real_a.identity.image_px,
        "directions": directions,
    }


def _compare(
    direction: Direction, fake: Features, target: Features, source: Features, protocols: Protocols
) -> dict[str, Any]:
    """Counts, inputs and metrics of one direction."""
    sets = {"fake": fake, "target": target, "source": source}
    counts = {name: len(features.values) for name, features in sets.items()}
    _require_enough(direction, counts, protocols)
    return {
        "counts": counts,
        "inputs": {f"{name}_sha256": features.sha256 for name, features in sets.items()},
        "fake_is_target": are_same_pictures(fake, target),
        "metrics": _metrics(fake, target, source, protocols),
    }


def _metrics(fake: Features, target: Features, source: Features, protocols: Protocols) -> dict[str, Any]:
    """Every metric under its name, with its protocol in words."""
    f, t = fake.values, target.values
    scattered = _scatter(fake, "fake"), _scatter(target, "target"), _scatter(source, "source")
    size, block = protocols.kid_subset_size, protocols.paper_block_size
    subsets = kid(f, t, protocols.kid_subsets, size, protocols.kid_seed)
    if size == len(f) == len(t):
        # Every subset is the whole set, so their spread says nothing about the uncertainty.
        subsets = Estimate(subsets.value, None)
    cut = f"blocks of at most {block} in order of the names' hashes"
    errors = "standard error over blocks"
    return {
        "kid": _kid_entry(
            subsets,
            "standard deviation over subsets",
            f"torch-fidelity kid, fake against target: {protocols.kid_subsets} subsets of {size}, "
            f"seed {protocols.kid_seed}",
        ),
        "kid_full": _kid_entry(kid_full(f, t), None, "unbiased, fake against target: all pictures at once"),
        "kid_paper": _kid_entry(
            kid_paper(*scattered, block),
            f"{errors}, mean of target and source",
            f"mean of fake against target and fake against source: {cut}",
        ),
        "kid_paper_alpha98": _kid_entry(
            kid_paper_alpha98(*scattered, block),
            f"{errors}, weighted like the value",
            f"(0.02 fake against target + 0.98 fake against source) / 2: {cut}",
        ),
        "fid": _entry(fid(f, t), None, None, 1, "fake against target: all pictures"),
    }


def _scatter(features: Features, role: str) -> np.ndarray:
    """The values in a fixed order that follows neither the pictures' names nor the order of another role.

    The authors' code cuts its blocks in the file system's order. In order of the names, neighbours may show
    the same animal, and copies would stand in the blocks of their originals; both move the value by points.
    """
    ranks = [hashlib.sha256(f"{role}/{name}".encode()).digest() for name in features.names]
    return features.values[sorted(range(len(ranks)), key=ranks.__getitem__)]


def _kid_entry(estimate: Estimate, spread: str | None, protocol: str) -> dict[str, Any]:
    """A KID times 100."""
    value, plus_minus = estimate
    scaled = None if plus_minus is None else plus_minus * KID_SCALE
    return _entry(value * KID_SCALE, scaled, spread, KID_SCALE, protocol)


def _entry(
    value: float, plus_minus: float | None, spread: str | None, scale: int, protocol: str
) -> dict[str, Any]:
    """The same keys for every metric; `value` and `plus_minus` are already multiplied by `scale`."""
    return {
        "value": value,
        "plus_minus": plus_minus,
        "plus_minus_is": None if plus_minus is None else spread,
        "scale": scale,
        "protocol": protocol,
    }


def _require_enough(direction: Direction, counts: Mapping[str, int], protocols: Protocols) -> None:
    """Refuse sets that are too small for a subset or a block, naming the parameter that fits them."""
    found = ", ".join(f"{n} {name}" for name, n in counts.items())
    smallest = min(counts["fake"], counts["target"])
    if smallest < protocols.kid_subset_size:
        raise UserError(
            f"{direction}: {found} pictures, but a KID subset needs {protocols.kid_subset_size}. "
            f"Add pictures, or set evaluation.kid_subset_size (--kid-subset-size) to at most {smallest}."
        )
    for real in ("target", "source"):
        blocks = block_count(counts["fake"], counts[real], protocols.paper_block_size)
        if min(counts["fake"], counts[real]) // blocks < MIN_PER_BLOCK:
            raise UserError(
                f"{direction}: {found} pictures in {blocks} blocks, which need {MIN_PER_BLOCK} of each set. "
                "Use sets of similar size, or set evaluation.paper_block_size (--paper-block-size) higher."
            )
