"""A whole chain of results, from raw record to table, made of invented numbers and one-pixel pictures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from ugatit.datasets import DIRECTIONS
from ugatit.files import sha256_file, sha256_json, write_json
from ugatit.manifest import describe_picture, read_manifest, write_manifest
from ugatit.reporting.collect import collect_metrics
from ugatit.reporting.provenance.workflow_record import record_name

RUN = Path("results/cat2dog/small/seed0")
REAL = Path("results/cat2dog/real/features")
DATA = Path("data/cat2dog/manifest.csv")
TABLE = Path("results/tables/kid.csv")
FIGURE = Path("results/figures/figure4.pdf")

CIRCUMSTANCES = {
    "time": "2020-01-02T03:04:05+00:00",
    "code": {"commit": "0123456789abcdef", "dirty": False},
    "versions": {"python": "3.11.1", "torch": "2.11.0"},
    "machine": {"host": "node7", "system": "Linux", "processor": "a processor"},
    "device": "cpu",
}

SOURCE = {"a2b": "testA", "b2a": "testB"}
VALUES = {"a2b": 5.0, "b2a": 6.0}


def make_chain() -> None:
    """Write the chain below the current folder."""
    random = np.random.default_rng(0)
    write_json(Path("raw/cat2dog.json"), {"folder": "raw/cat2dog", "fingerprint": "ab" * 32, "swap": False})
    rows = []
    for split in ("trainA", "trainB", "testA", "testB"):
        for k in range(2):
            file = DATA.parent / split / f"{k}.png"
            draw(file, random)
            rows.append(describe_picture(file, split, f"{split}/{file.name}", file.name))
    write_manifest(DATA, rows)
    run = {"dataset": "cat2dog", "model": "small", "seed": 0, "training": {"steps": 3}}
    write_json(RUN / "run.json", run)
    (RUN / "weights.safetensors").write_bytes(b"weights")
    weights_sha256 = sha256_file(RUN / "weights.safetensors")
    write_json(
        RUN / "weights.json",
        {
            "run": run,
            "run_sha256": sha256_json(run),
            "data_sha256": read_manifest(DATA).digest(),
            "step": 3,
            "weights_sha256": weights_sha256,
        },
    )
    log = [
        {"event": "start", "step": 0, "elapsed_s": 0.0, "threads": 1, **CIRCUMSTANCES},
        {
            "event": "start",
            "step": 2,
            "elapsed_s": 4.0,
            "threads": 1,
            **CIRCUMSTANCES,
            "time": "2020-01-03T00:00:00+00:00",
        },
        {"event": "finished", "step": 3, "elapsed_s": 6.0, "time": "2020-01-03T01:00:00+00:00"},
    ]
    (RUN / "train.jsonl").write_text("".join(json.dumps(line) + "\n" for line in log))
    for split in SOURCE.values():
        features(REAL / f"{split}.json", split, DATA)
    for direction in DIRECTIONS:
        folder = RUN / "translations" / direction
        tests = read_manifest(DATA).kept(SOURCE[direction])
        translated = []
        for picture in tests:
            draw(folder / picture.name, random)
            translated.append(
                describe_picture(folder / picture.name, direction, picture.name, picture.sha256)
            )
        write_json(folder / "translation.json", {"weights_sha256": weights_sha256, **CIRCUMSTANCES})
        write_manifest(folder / "manifest.csv", translated)
        features(RUN / f"features/{direction}.json", direction, folder / "manifest.csv")
    metrics()
    Path("results/metrics").mkdir(parents=True, exist_ok=True)
    collect_metrics([RUN / "metrics.json"], Path("results/metrics/kid.csv"))
    table()
    FIGURE.parent.mkdir(parents=True)
    FIGURE.write_text("a figure")
    record(
        FIGURE,
        "draw_figure",
        [
            RUN / "translations/a2b/manifest.csv",
            Path("ugatit/images.py"),
            Path("ugatit/reporting/report/page.css"),
        ],
    )
    record(DATA, "build_dataset", [Path("raw/cat2dog.json")])


def draw(file: Path, random: np.random.Generator) -> None:
    """One pixel."""
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(random.integers(0, 256, (1, 1, 3), dtype=np.uint8)).save(file)


def features(path: Path, split: str, manifest: Path) -> None:
    """A features.json and the file that it vouches for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".npz").write_text(str(path))
    pictures = read_manifest(manifest).kept(split)
    write_json(
        path,
        {
            "extractor": {"name": "inception-v3-compat", "weights_sha256": "ef" * 32},
            "image_px": 1,
            "pictures": {
                "digest": sha256_json([[p.name, p.sha256] for p in pictures]),
                "split": split,
                "n": len(pictures),
                "limit": None,
            },
            "features_sha256": sha256_file(path.with_suffix(".npz")),
        },
    )


def metrics() -> None:
    """The metrics.json of the run."""
    directions = {}
    for direction, value in VALUES.items():
        source = SOURCE[direction]
        target = "testB" if source == "testA" else "testA"
        files = {
            "fake": RUN / f"features/{direction}.npz",
            "target": REAL / f"{target}.npz",
            "source": REAL / f"{source}.npz",
        }
        directions[direction] = {
            "counts": {"fake": 2, "target": 2, "source": 2},
            "inputs": {f"{role}_sha256": sha256_file(file) for role, file in files.items()},
            "metrics": {
                "kid": {"value": value, "plus_minus": 0.5, "plus_minus_is": "", "scale": 100, "protocol": "p"}
            },
        }
    write_json(
        RUN / "metrics.json",
        {
            "schema": 1,
            "dataset": "cat2dog",
            "model": "small",
            "seed": 0,
            "extractor": {"name": "inception-v3-compat", "weights_sha256": "ef" * 32},
            "image_px": 1,
            "directions": directions,
        },
    )


def table() -> None:
    """The table's CSV, with the columns that matter here."""
    lines = [f"small,Small,cat2dog,{direction},kid,{value:.4f},0" for direction, value in VALUES.items()]
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    TABLE.write_text("\n".join(["model,label,dataset,direction,metric,ours,seeds", *lines]) + "\n")


def record(path: Path, rule: str, inputs: list[Path]) -> None:
    """What Snakemake writes of a job."""
    file = Path(".snakemake/metadata") / record_name(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "rule": rule,
        "input": list(map(str, inputs)),
        "starttime": 1577934245.0,
        "endtime": 1577934246.0,
    }
    file.write_text(json.dumps(content))
