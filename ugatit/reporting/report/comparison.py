"""The data of the comparison browser: test pictures, their translations by every run, and their scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ugatit.datasets import DIRECTIONS, Direction
from ugatit.evaluation.scores import read_scores
from ugatit.files import read_json, sha256_file
from ugatit.manifest import KEPT, Manifest, Picture, read_manifest
from ugatit.reporting.collect import MetricRow, read_metrics
from ugatit.reporting.report.attention_maps import read_attention_maps
from ugatit.reporting.report.picture_store import THUMBNAIL_PX, PictureStore
from ugatit.reporting.report.run_facts import HASH_DIGITS, RunFacts
from ugatit.reporting.report.settings import DatasetEntry, ReportSettings

SCORE_MEANING = (
    "Score: the picture's share of kid_full × 100, so the mean over all pictures is kid_full. "
    "Lower is better: nearer to the target's pictures than to the other translations."
)

SHOWN_METRICS = ("kid", "kid_full")
"""Metrics that stand above a column, where the run has them."""


def comparisons(
    settings: ReportSettings, runs: Sequence[RunFacts], store: PictureStore
) -> list[dict[str, Any]]:
    """One entry per dataset and direction in which some run has translations; plain JSON for the page.

    Raises: UserError if a file that is there is damaged.
    """
    found = []
    for dataset in settings.datasets:
        path = Path(settings.data, dataset.name, "manifest.csv")
        if not path.is_file():
            continue
        manifest = read_manifest(path)
        for direction in DIRECTIONS:
            comparison = _compare(settings, manifest, dataset, direction, runs, store)
            if comparison["columns"]:
                found.append(comparison)
    return found


def _compare(
    settings: ReportSettings,
    manifest: Manifest,
    dataset: DatasetEntry,
    direction: Direction,
    runs: Sequence[RunFacts],
    store: PictureStore,
) -> dict[str, Any]:
    """The test pictures of one direction and the runs that translated them."""
    source, target = dataset.domains[:: 1 if direction == "a2b" else -1]
    inputs = manifest.kept("testA" if direction == "a2b" else "testB")
    columns = [
        column
        for run in runs
        if run.entry.dataset == dataset.name and direction in run.entry.directions
        if (column := _column(Path(settings.results), run, direction, inputs, store))
    ]
    return {
        "id": f"{dataset.name}/{direction}",
        "title": f"{source} → {target} ({dataset.name})",
        "source": source,
        "names": [picture.stem for picture in inputs],
        "pictures": [
            store.add_square(manifest.path.parent / picture.path, picture.sha256, dataset.image_px)
            if columns
            else ""
            for picture in inputs
        ],
        "thumbnails": dataset.image_px > THUMBNAIL_PX,
        "image_px": dataset.image_px,
        "columns": columns,
    }


def _column(
    results: Path, run: RunFacts, direction: Direction, inputs: Sequence[Picture], store: PictureStore
) -> dict[str, Any] | None:
    """A run's translations in the order of the inputs; None if it has none."""
    folder = results / run.entry.folder
    path = folder / "translations" / direction / "manifest.csv"
    samples = _samples(run, direction, inputs, store)
    if not path.is_file() and not samples["steps"]:
        return None
    rows = read_manifest(path).rows if path.is_file() else ()
    translated = {row.stem: row for row in rows if row.split == direction and row.status == KEPT}
    thumbnails = any(max(row.width, row.height) > THUMBNAIL_PX for row in translated.values())
    pictures = []
    for picture in inputs:
        row = translated.get(picture.stem)
        if row is None or row.source != picture.sha256:
            pictures.append("")
        else:
            pictures.append(store.add_file(path.parent / row.path, row.sha256, thumbnails))
    return {
        "key": run.entry.folder.removeprefix(f"{run.entry.dataset}/"),
        "label": run.entry.label,
        "step": run.step,
        "steps": run.steps,
        "seed": run.entry.seed,
        "state": run.state,
        "weights": run.weights_sha256[:HASH_DIGITS],
        "metrics": _metrics(folder / "metrics.json", direction),
        "pictures": pictures,
        "thumbnails": thumbnails,
        "stale": sum(row.stem in translated for row in inputs) - sum(map(bool, pictures)),
        "scores": _scores(folder / "scores" / f"{direction}.csv", inputs),
        "attention": _attention(run, folder / "attention" / direction / "attention.json", inputs, store),
        "samples": samples,
    }


def _metrics(path: Path, direction: Direction) -> list[dict[str, str]]:
    """The values that stand above a column, with their protocol and counts."""
    rows = read_metrics(path) if path.is_file() else []
    own = {row.metric: row for row in rows if row.direction == direction}
    return [_metric(own[name]) for name in SHOWN_METRICS if name in own]


def _metric(row: MetricRow) -> dict[str, str]:
    spread = "" if row.plus_minus is None else f" ± {row.plus_minus:.2f}"
    meaning = f"; ± is the {row.plus_minus_is}" if spread else ""
    return {
        "name": row.metric,
        "text": f"{row.value:.2f}{spread}".replace("-", "−"),
        "protocol": f"{row.metric} × {row.scale}: {row.protocol}{meaning}; {row.n_fake} translations, "
        f"{row.n_target} target and {row.n_source} source pictures at {row.image_px} px; features of "
        f"{row.extractor} ({row.extractor_sha256[:HASH_DIGITS]})",
    }


def _scores(path: Path, inputs: Sequence[Picture]) -> list[float | None] | None:
    """Scores in the order of the inputs, with two decimals more than the page prints."""
    if not path.is_file():
        return None
    scores = read_scores(path)
    return [round(scores[p.stem], 4) if p.stem in scores else None for p in inputs]


def _attention(
    run: RunFacts, path: Path, inputs: Sequence[Picture], store: PictureStore
) -> dict[str, dict[str, Any]]:
    """The maps in the order of the inputs, by their kind."""
    if not path.is_file():
        return {}
    maps = read_attention_maps(path, run.weights_sha256, store)
    return {
        kind: {"low": m.low, "high": m.high, "pictures": [m.pictures.get(p.sha256, "") for p in inputs]}
        for kind, m in maps.items()
    }


def _samples(
    run: RunFacts, direction: Direction, inputs: Sequence[Picture], store: PictureStore
) -> dict[str, Any]:
    """Translations of some inputs during the training, by the place of the input."""
    index = run.training / "samples" / "samples.json" if run.training else None
    if index is None or not index.is_file():
        return {"steps": [], "pictures": {}}
    listed: Mapping[str, Any] = read_json(index, "a list of samples", "Delete it.")
    places = {(picture.stem, picture.sha256): place for place, picture in enumerate(inputs)}
    pictures = {}
    for sample in listed["pictures"].get(direction, ()):
        place = places.get((sample["name"], sample["sha256"]))
        files = [
            index.parent / direction / sample["name"] / f"step_{step:07d}.png" for step in listed["steps"]
        ]
        if place is not None:
            pictures[str(place)] = [store.add_file(f, sha256_file(f), False) for f in files]
    return {"steps": listed["steps"] if pictures else [], "pictures": pictures}
