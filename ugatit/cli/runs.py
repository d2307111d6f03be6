"""Commands of runs: resolve, train, watch, and exchange checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ugatit.cli.app import app
from ugatit.cli.options import (
    DeviceOption,
    Overlays,
    ParamsFile,
    Threads,
    json_of,
)
from ugatit.errors import UserError


@app.command()
def resolve(
    output: Annotated[Path, typer.Option(help="The run.json to write.")],
    dataset: Annotated[str | None, typer.Argument(help="A key of `datasets`.")] = None,
    model: Annotated[str | None, typer.Argument(help="A key of `models`.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of weights, order and augmentation.")] = 0,
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

    if value is not None and dataset is not None:
        raise UserError("--value tells the whole run: leave out DATASET and MODEL.")
    if value is not None:
        run = check(Run, json_of(value, "--value"), "--value")
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
    samples: Annotated[int, typer.Option(min=0, help="Sample sheets over the whole run; 0: none.")] = 20,
    devices: Annotated[
        int, typer.Option(min=0, help="GPUs (or CPU processes) that share every batch; 0 or 1: no sharing.")
    ] = 1,
) -> None:
    """Train a run. The same command again continues it.

    No two processes train the same run: the second is refused, and told who the first one is. SIGTERM,
    Ctrl-C and --max-hours end in a checkpoint and exit code 75. Progress is in training/*/train.jsonl (see
    `ugatit status`), pictures in training/*/samples, the result in weights.json and weights.safetensors.
    """
    from ugatit.nn.losses import NonFiniteLoss
    from ugatit.training import loop
    from ugatit.training.stop import STOPPED_EXIT, Stopped

    options = loop.Options(device, threads, max_hours, checkpoint_minutes, samples, max(1, devices))
    try:
        loop.train(run, data, options)
    except Stopped as stopped:
        typer.echo(str(stopped), err=True)
        raise SystemExit(STOPPED_EXIT) from None
    except NonFiniteLoss as loss:
        typer.echo(f"error: non-finite loss at {loss}. Lower the learning rate, or use float32.", err=True)
        raise SystemExit(1) from None


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
    from ugatit.schema import schema_text

    typer.echo(schema_text(), nl=False)


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
