"""Results of no training, for the tests of the report: pictures of noise, and every file that a run may have."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from ugatit.datasets import DIRECTIONS, Direction
from ugatit.evaluation.attention import write_attention
from ugatit.files import sha256_json, write_json
from ugatit.manifest import KEPT, Picture, read_manifest, write_manifest
from ugatit.reporting.report.settings import DatasetEntry, FigureEntry, ReportSettings, RunEntry
from ugatit.run import training_key

SAMPLE_STEPS = (2, 4, 6)
STEPS = 6

SPLIT = {"a2b": "testA", "b2a": "testB"}

ODD_NAME = "1 <b>&\"'%23?#"
ODD_LABEL = "<img src=x onerror=alert(1)>"

TABLE = """# KID of invented pictures.

Lower is better. In brackets: the paper's value.

## KID × 100 (kid)

| model    |      a2b |
| -------- | -------: |
| U-GAT-IT | **5.00** |
| \\<b>NICE |   [7.06] |

## FID (fid)

| model    | a2b |
| -------- | --: |
| U-GAT-IT |  50 |
"""

_rng = np.random.default_rng(0)


def invent(
    folder: Path,
    *,
    models: Sequence[str] = ("one", "two"),
    pictures: int = 6,
    px: int = 16,
    directions: Sequence[Direction] = DIRECTIONS,
) -> ReportSettings:
    """Write a dataset and, for each model, a finished run without scores and attention."""
    results, data = folder / "results", folder / "data"
    names = [ODD_NAME, *(f"{k:04d}" for k in range(2, pictures + 1))]
    for split in ("testA", "testB"):
        _write_pictures(data / "set", split, names, (px, px + 2))
    rows = [row for split in ("testA", "testB") for row in read_manifest(data / "set" / f"{split}.csv").rows]
    write_manifest(data / "set/manifest.csv", rows)
    runs = [
        RunEntry(
            dataset="set",
            model=model,
            label=model if k else ODD_LABEL,
            seed=0,
            folder=f"set/{model}/seed0",
            directions=list(directions),
            attends=True,
        )
        for k, model in enumerate(models)
    ]
    for run in runs:
        _write_run(results / run.folder, names, rows, px, directions)
    (results / "tables").mkdir()
    (results / "tables/kid.md").write_text(TABLE)
    (results / "figures").mkdir()
    Image.new("RGB", (40, 30), "red").save(results / "figures/one.png")
    (results / "figures/one.pdf").write_bytes(b"%PDF-1.4")
    return ReportSettings(
        results=str(results),
        data=str(data),
        datasets=[DatasetEntry(name="set", domains=["cat", "dog"], image_px=px, constructed=False)],
        runs=runs,
        tables=["kid"],
        figures=[
            FigureEntry(file="figures/one.png", caption="The first <figure>."),
            FigureEntry(file="figures/two.png", caption="Not drawn."),
        ],
    )


def invent_scores(settings: ReportSettings, model: str, values: Sequence[float]) -> None:
    """Write scores of one run's translations from A to B, in the order of the pictures."""
    names = [row.stem for row in read_manifest(Path(settings.data, "set/manifest.csv")).kept("testA")]
    lines = [
        f'"{name.replace(chr(34), chr(34) * 2)}",{value}' for name, value in zip(names, values, strict=False)
    ]
    path = Path(settings.results, f"set/{model}/seed0/scores/a2b.csv")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["name,kid_x100", *lines]) + "\n")


def invent_attention(
    settings: ReportSettings, model: str, kinds: Sequence[str] = ("generator", "local")
) -> Path:
    """Write attention maps of one run from A to B."""
    inputs = read_manifest(Path(settings.data, "set/manifest.csv")).kept("testA")
    folder = Path(settings.results, f"set/{model}/seed0")
    maps = {kind: _rng.normal(size=(len(inputs), 4, 4)).astype(np.float32) for kind in kinds}
    path = folder / "attention/a2b/attention.json"
    record = {
        "dataset": "set",
        "model": model,
        "seed": 0,
        "direction": "a2b",
        "weights_sha256": json.loads((folder / "weights.json").read_text())["weights_sha256"],
        "step": STEPS,
        "names": [row.stem for row in inputs],
        "sources": [row.sha256 for row in inputs],
        "faithfulness": {"masked_share": 0.2, "draws": 1, "seed": 0, "maps": {}},
    }
    write_attention(path, record, maps)
    return path


def _write_run(
    folder: Path, names: Sequence[str], inputs: Sequence[Picture], px: int, directions: Sequence[Direction]
) -> None:
    """A finished run with its log, samples, translations and metrics."""
    run = {"training": {"steps": STEPS}, "name": str(folder)}
    digest = "ab" * 32
    weights = hashlib.sha256(str(folder).encode()).hexdigest()
    training = folder / "training" / training_key(run, digest)
    samples = {}
    for direction in directions:
        own = [row for row in inputs if row.split == SPLIT[direction]]
        made = _write_pictures(folder / "translations" / direction, "", names, (px, px))
        rows = [
            replace(row, split=direction, source=source.sha256) for row, source in zip(made, own, strict=True)
        ]
        write_manifest(folder / "translations" / direction / "manifest.csv", rows)
        for step in SAMPLE_STEPS:
            samples[direction] = [{"name": own[0].stem, "sha256": own[0].sha256}]
            _noise(training / "samples" / direction / names[0] / f"step_{step:07d}.png", (px, px))
    write_json(training / "samples/samples.json", {"pictures": samples, "steps": list(SAMPLE_STEPS)})
    write_json(
        folder / "weights.json",
        {
            "run": run,
            "run_sha256": sha256_json(run),
            "data_sha256": digest,
            "step": STEPS,
            "weights_sha256": weights,
            "parameters": {"gen_ab": 1000, "gen_ba": 234},
        },
    )
    log = [
        {"event": "start", "step": 0, "elapsed_s": 0.0, "device": "cpu", "threads": 1, "torch": "2.0"},
        {"event": "finished", "step": STEPS, "elapsed_s": 12.0},
    ]
    (folder / "train.jsonl").write_text("".join(json.dumps(record) + "\n" for record in log))
    metric = {
        "value": -1.5,
        "plus_minus": 0.25,
        "plus_minus_is": "deviation",
        "scale": 100,
        "protocol": "invented",
    }
    counts = {"fake": len(names), "target": len(names), "source": len(names)}
    write_json(
        folder / "metrics.json",
        {
            "schema": 1,
            "dataset": "set",
            "model": folder.parent.name,
            "seed": 0,
            "extractor": {"name": "invented", "weights_sha256": "cd" * 32, "feature_dim": 4},
            "image_px": px,
            "directions": {
                d: {"counts": counts, "inputs": {}, "metrics": {"kid": metric}} for d in DIRECTIONS
            },
        },
    )


def _write_pictures(folder: Path, split: str, names: Sequence[str], size: tuple[int, int]) -> list[Picture]:
    """Write pictures and, for a dataset's split, their rows."""
    rows = []
    for name in names:
        path = Path(split, f"{name}.png")
        data = _noise(folder / path, size)
        digest = hashlib.sha256(data).hexdigest()
        rows.append(
            Picture(split, path.name, str(path), digest, "PNG", "RGB", size[1], size[0], KEPT, "", path.name)
        )
    if split:
        write_manifest(folder / f"{split}.csv", rows)
    return rows


def _noise(path: Path, size: tuple[int, int]) -> bytes:
    """Write a picture (H, W) of noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = io.BytesIO()
    Image.fromarray(_rng.integers(0, 256, (*size, 3), dtype=np.uint8)).save(data, "PNG", compress_level=0)
    path.write_bytes(data.getvalue())
    return data.getvalue()
