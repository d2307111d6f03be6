"""Invented parameters and metrics for the tests of tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from ugatit.params import Params, merge, parse

PARAMS = Path(__file__).parents[2] / "params.yaml"

TINY: dict[str, Any] = {
    "seeds": [0],
    "datasets": {
        "cat2dog": {"domains": ["cat", "dog"], "source": {"kind": "folder", "path": "raw/cat2dog"}},
        "horse2zebra": {
            "domains": ["horse", "zebra"],
            "source": {"kind": "folder", "path": "raw/horse2zebra"},
        },
    },
    "models": {
        "ugatit": {"label": "U-GAT-IT", "method": "ugatit"},
        "ugatit-light": {"label": "light | 50%", "method": "ugatit"},
        "elsewhere": {
            "label": "made elsewhere",
            "external": {"folders": {"cat2dog": {"a2b": {"path": "somewhere"}}}, "match": "name"},
        },
    },
    "tables": {
        "kid": {
            "caption": "KID of two datasets.",
            "paper": "table3",
            "datasets": ["cat2dog", "horse2zebra"],
            "models": ["ugatit", "ugatit-light", "elsewhere"],
            "metrics": ["kid_paper", "fid"],
        }
    },
    "figures": {},
    "sheet": {"pictures": 2, "seed": 0, "models": ["ugatit"]},
}

Metrics = Callable[..., Path]


@pytest.fixture
def tiny_params() -> Callable[..., Params]:
    """Parse the tiny configuration with something laid over it."""

    def build(over: Mapping[str, Any] | None = None) -> Params:
        config = yaml.safe_load(PARAMS.read_text(encoding="utf-8"))
        return parse(merge({**config, **TINY}, over or {}))

    return build


@pytest.fixture
def metrics_json(tmp_path: Path) -> Metrics:
    """Write an invented metrics.json; `values` are those of kid_paper for a2b and b2a."""

    def write(
        model: str,
        values: tuple[float, ...] = (5.0, 6.0),
        seed: int | None = 0,
        dataset: str = "cat2dog",
        extractor: str = "inception-v3-compat",
        image_px: int = 256,
        block: int = 10,
        counts: tuple[int, int, int] = (100, 100, 100),
        of_itself: bool | None = None,
    ) -> Path:
        path = tmp_path / "runs" / f"{dataset}-{model}-{seed}.json"
        path.parent.mkdir(exist_ok=True)
        directions = {
            direction: {
                "counts": dict(zip(("fake", "target", "source"), counts, strict=True)),
                "inputs": {},
                "metrics": {
                    "kid_paper": _entry(value, 0.5, "standard error", 100, f"blocks of {block}"),
                    "fid": _entry(value * 10, None, None, 1, "all pictures"),
                },
            }
            for direction, value in zip(("a2b", "b2a"), values, strict=False)
        }
        metrics = {
            "schema": 1,
            "dataset": dataset,
            "model": model,
            "seed": seed,
            "extractor": {"name": extractor, "weights_sha256": "ab" * 32, "feature_dim": 4},
            "image_px": image_px,
            "directions": directions,
        }
        if of_itself is not None:
            directions["a2b"]["fake_is_target"] = of_itself
        path.write_text(json.dumps(metrics), encoding="utf-8")
        return path

    return write


def _entry(
    value: float, spread: float | None, spread_is: str | None, scale: int, protocol: str
) -> dict[str, Any]:
    return {
        "value": value,
        "plus_minus": spread,
        "plus_minus_is": spread_is,
        "scale": scale,
        "protocol": protocol,
    }
