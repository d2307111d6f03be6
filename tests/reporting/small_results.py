"""A folder of results as the workflow leaves them, made of noise: what figures are drawn from."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import yaml
from safetensors.numpy import save_file

from ugatit.evaluation.attention import effect, write_attention
from ugatit.files import sha256_file, write_json
from ugatit.images import write_png
from ugatit.manifest import Manifest, Picture, describe_picture, read_manifest, write_manifest
from ugatit.params import Params, merge, parse

ROOT = Path(__file__).parents[2]
PX = 24
"""More pixels than the 256 colours with which a PDF would hold a palette."""

PICTURES = 6
FUNNEL = """\
side,stage,in,out,left,paper,reasons
a,index,100,0,100,46836,
a,split,100,40,60,3500,spare 40
b,index,90,10,80,69926,not a picture 10
b,split,80,20,60,3500,spare 20
"""


def parameters(folder: Path, over: dict[str, object] | None = None) -> Params:
    """params.yaml with one small dataset, its tables and figures, below a folder."""
    config = yaml.safe_load((ROOT / "params.yaml").read_text())
    small = {
        "paths": {"raw": f"{folder}/raw", "data": f"{folder}/data", "results": f"{folder}/results"},
        "tables": {"kid": {"datasets": ["cat2dog"], "models": ["ugatit", "ugatit-no-cam"]}},
        "figures": {
            "figure2": {"datasets": ["cat2dog"], "choice": {"rows": 2}},
            "figure4": {
                "datasets": ["cat2dog", "horse2zebra"],
                "models": ["ugatit", "ugatit-no-cam", "ugatit-gn"],
            },
            "rho": {"datasets": ["cat2dog"], "models": ["ugatit", "ugatit-no-cam", "ugatit-gn"]},
            "curves": {"datasets": ["cat2dog"], "models": ["ugatit", "ugatit-no-cam", "ugatit-gn"]},
            "funnel": {"datasets": ["selfie2anime-rebuilt", "cat2dog"]},
        },
    }
    for name in ("ablation", "kid-equal"):
        del config["tables"][name], config["figures"][name]
    return parse(merge(merge(config, small), over or {}))


def make_results(folder: Path) -> None:
    """Write data, translations, attention, weights, logs, metrics and counts of `parameters`."""
    data = _pictures(folder / "data/cat2dog", "testA", "testA", seed=0)
    for k, model in enumerate(("ugatit", "ugatit-no-cam")):
        run = folder / f"results/cat2dog/{model}/seed0"
        _translations(run / "translations/a2b", data.kept("testA"), seed=k + 1)
        _training(run, learns_rho=model == "ugatit")
    _attention(folder / "results/cat2dog/ugatit/seed0/attention/a2b", data.kept("testA"))
    _metrics(folder / "results/metrics/kid.csv")
    counts = folder / "data/selfie2anime-rebuilt/report/funnel.csv"
    counts.parent.mkdir(parents=True)
    counts.write_text(FUNNEL)


def write_scores(path: Path, values: dict[str, float]) -> None:
    """Per-picture scores as the evaluation writes them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ["name,kid_x100", *(f"{name},{value}" for name, value in values.items())]
    path.write_text("\n".join(lines) + "\n")


def _pictures(folder: Path, split: str, subfolder: str, seed: int) -> Manifest:
    rng = np.random.default_rng(seed)
    rows = []
    for k in range(PICTURES):
        file = folder / subfolder / f"p{k}.png"
        write_png(file, rng.integers(0, 256, (PX, PX, 3), dtype=np.uint8))
        rows.append(describe_picture(file, split, f"{subfolder}/{file.name}", file.name))
    write_manifest(folder / "manifest.csv", rows)
    return read_manifest(folder / "manifest.csv")


def _translations(folder: Path, pictures: list[Picture], seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = []
    for picture in pictures:
        file = folder / f"{picture.stem}.png"
        write_png(file, rng.integers(0, 256, (PX, PX, 3), dtype=np.uint8))
        rows.append(describe_picture(file, "a2b", file.name, picture.sha256))
    write_manifest(folder / "manifest.csv", rows)


def _attention(folder: Path, pictures: list[Picture]) -> None:
    rng = np.random.default_rng(0)
    sides = {"generator": 4, "local": 3, "global": 2}
    arrays = {
        name: rng.random((len(pictures), side, side)).astype(np.float32) for name, side in sides.items()
    }
    effects = {name: effect(list(rng.random((len(pictures), 4)))).model_dump() for name in sides}
    record = {
        "dataset": "cat2dog", "model": "ugatit", "seed": 0, "direction": "a2b", "step": 6, "weights_sha256": "ab",
        "names": [p.stem for p in pictures], "sources": [p.sha256 for p in pictures],
        "faithfulness": {"masked_share": 0.2, "draws": 2, "seed": 0, "maps": effects},
    }  # fmt: skip
    write_attention(folder / "attention.json", record, arrays)


def _training(run: Path, learns_rho: bool) -> None:
    rng = np.random.default_rng(0)
    tensors = {"gen_ab.output.conv.weight": rng.random(3).astype(np.float32)}
    layers = [f"residual.{block}.norm{norm}" for block in (0, 1) for norm in (1, 2)] + [
        "up.0.norm",
        "up.1.norm",
    ]
    names = [f"{generator}.{layer}" for generator in ("gen_ab", "gen_ba") for layer in layers]
    if learns_rho:
        tensors |= {f"{name}.rho": rng.random(8).astype(np.float32) for name in names}
    run.mkdir(parents=True, exist_ok=True)
    save_file(tensors, run / "weights.safetensors")
    described = {
        "run": {"parameters": {"network": {"rho_smoothing": 0.0}}},
        "weights_sha256": sha256_file(run / "weights.safetensors"),
    }
    write_json(run / "weights.json", described)
    records: list[dict[str, object]] = [{"event": "start", "step": 0, "elapsed_s": 0.0}]
    for step in range(1, 41):
        losses = {"discriminator": 4.0 / step, "generator": 100.0 / step, "cycle_a": 1.0, "cycle_b": 0.5}
        record = {
            "step": step,
            "elapsed_s": step,
            "steps_per_s": 2.0,
            "lr_factor": 1 - step / 80,
            "losses": losses,
        }
        watched = {"watched": {f"rho.{name}": 0.9 for name in names}} if learns_rho else {}
        records.append(record | watched)
    (run / "train.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))


def _metrics(path: Path) -> None:
    from ugatit.reporting.collect import COLUMNS

    path.parent.mkdir(parents=True)
    with path.open("w", newline="") as handle:
        writer = csv.DictWriter(handle, COLUMNS)
        writer.writeheader()
        for k, (model, seed) in enumerate(
            [("ugatit", 0), ("ugatit-no-cam", 0), ("source", None), ("real", None)]
        ):
            for direction in ("a2b", "b2a"):
                for metric in ("kid", "kid_full", "kid_paper", "kid_paper_alpha98", "fid"):
                    spread = ("", "") if metric in ("kid_full", "fid") else (0.5, "standard error")
                    writer.writerow(
                        dict(
                            zip(
                                COLUMNS,
                                ["cat2dog", model, "" if seed is None else seed, direction, metric, 5.0 + k, *spread,
                                 100, 6, 6, 6, 256, "inception-v3-compat", "ab" * 32, metric, model == "real" and direction == "a2b"],
                                strict=True,
                            )
                        )
                    )  # fmt: skip
