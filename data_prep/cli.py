"""The `data-prep` command."""

from __future__ import annotations

import json
import logging
import os
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from ugatit.errors import UserError, exit_on_user_error
from ugatit.params import Dataset, load
from ugatit.strict import check

app = typer.Typer(
    help="Build and check datasets: trainA, trainB, testA and testB, with a manifest of every picture.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def _configure() -> None:
    """Send the log to standard error."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s")


@app.command()
def build(
    dataset: Annotated[
        str | None, typer.Argument(help="A key of `datasets:` in the parameter file.", show_default=False)
    ] = None,
    params: Annotated[Path, typer.Option(help="The parameter file.")] = Path("params.yaml"),
    overlay: Annotated[
        list[Path] | None, typer.Option(help="A file laid over it key by key; can be given several times.")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            help='Instead of DATASET: a `source` as JSON, such as {"kind": "folder", "path": "raw/mine"}.',
            show_default=False,
        ),
    ] = None,
    pictures: Annotated[
        str | None,
        typer.Option(
            help='With --source: expected counts as JSON, such as {"testA": 100}. Others are a warning.',
            show_default="none",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            help="Folder to build into; what an earlier build left there is replaced. Needed with --source.",
            show_default="<paths.data>/<DATASET>",
        ),
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Pictures worked on at a time.", show_default="all cores")
    ] = None,
) -> None:
    """Build one dataset from its folder of pictures, or draw it.

    Pictures are copied as they are, under the extension of their real format.

    One that cannot be read is left out with a warning; the manifest names it and the reason.
    """
    if source is None:
        entry, folder = _from_params(dataset, pictures, params, overlay or [])
    else:
        entry, folder = _from_json(dataset, source, pictures), None
    target = output or folder
    if target is None:
        raise typer.BadParameter("is needed with --source", param_hint="--output")

    from data_prep.build import build_dataset

    expected = {str(split): count for split, count in entry.pictures.items()}
    manifest = build_dataset(entry.source, target, expected, threads or os.cpu_count() or 1)
    counts = Counter(f"{row.split}: {row.status}" for row in manifest.rows)
    typer.echo(f"{manifest.path}: " + ", ".join(f"{name} {count}" for name, count in counts.items()))


@app.command("check")
def check_pictures(
    folder: Annotated[
        Path, typer.Argument(help="A folder with trainA, trainB, testA and testB: raw, or a built dataset.")
    ],
    kid_subset_size: Annotated[
        int, typer.Option(min=1, help="evaluation.kid_subset_size: how many test pictures it takes.")
    ] = 50,
    json_file: Annotated[
        Path | None,
        typer.Option(
            "--json", help="File to write the whole report to, with every name.", show_default=False
        ),
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Pictures worked on at a time.", show_default="all cores")
    ] = None,
) -> None:
    """Say what is wrong with a folder of pictures, and what to do about it.

    Looks for unreadable, odd and repeated pictures, and for pictures in train and test or on both sides.

    Exit code: 0 without a problem (warnings and notes do not count), 1 with problems, 2 without a folder.
    """
    from data_prep.check import check_folder
    from data_prep.report import show, write_report

    report = check_folder(folder, kid_subset_size, threads or os.cpu_count() or 1)
    show(report)
    if json_file is not None:
        write_report(json_file, report)
    raise typer.Exit(1 if report.problems else 0)


def main() -> None:
    """Run the command; a user's mistake is one line and exit code 2."""
    exit_on_user_error(app)


def _from_params(
    dataset: str | None, pictures: str | None, params: Path, overlays: list[Path]
) -> tuple[Dataset, Path]:
    """The entry of a parameter file, and the folder that belongs to it."""
    if dataset is None:
        raise typer.BadParameter("give a dataset of the parameter file, or --source", param_hint="DATASET")
    if pictures is not None:
        raise typer.BadParameter("belongs to --source; DATASET has its own counts", param_hint="--pictures")
    values = load(params, overlays)
    if dataset not in values.datasets:
        raise UserError(f"unknown dataset {dataset!r}; {params} has: {', '.join(values.datasets)}.")
    return values.datasets[dataset], Path(values.paths.data) / dataset


def _from_json(dataset: str | None, source: str, pictures: str | None) -> Dataset:
    """An entry made from the options."""
    if dataset is not None:
        raise typer.BadParameter("give either DATASET or --source, not both", param_hint="--source")
    # An entry has names for its domains too; building has no use for them.
    entry = {"domains": ["a", "b"], "source": _parse("--source", source)}
    entry["pictures"] = _parse("--pictures", pictures or "{}")
    return check(Dataset, entry, "options")


def _parse(option: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise UserError(f"{option}: {text!r} is not valid JSON ({error}).") from None
