"""The command that builds a dataset from an archive or a folder."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from data_prep.cli.app import app
from data_prep.cli.options import Overlays, ParamsFile, Threads, json_of, threads_of
from ugatit.datasets import Dataset
from ugatit.errors import UserError
from ugatit.params import Params, load
from ugatit.sources import ConstructedSource, FolderSource
from ugatit.strict import check, nearest


@app.command()
def build(
    dataset: Annotated[
        str | None, typer.Argument(help="A key of `datasets:` in the parameter file.", show_default=False)
    ] = None,
    params: ParamsFile = Path("params.yaml"),
    overlay: Overlays = None,
    source: Annotated[
        str | None,
        typer.Option(
            help='Instead of DATASET: a `source` as JSON, such as {"kind": "folder", "path": "raw/mine"}.',
            show_default=False,
        ),
    ] = None,
    obtained: Annotated[
        Path | None,
        typer.Option(
            help="With the name of a source: what `data-prep fetch` wrote, such as raw/mine.json.",
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
    strict: Annotated[bool, typer.Option("--strict", help="Fail on other counts than expected.")] = False,
    threads: Threads = None,
) -> None:
    """Build one dataset from its archive or its folder of pictures.

    Pictures are copied as they are, under the extension of their real format.

    One that cannot be read is left out with a warning; the manifest names it and the reason.
    """
    if source is None:
        values, entry = _from_params(dataset, pictures, params, overlay or [])
        folder, raw = Path(values.paths.data) / str(dataset), Path(values.paths.raw)
    else:
        values, entry, folder, raw = None, _from_json(dataset, source, pictures), None, None
    target = output or folder
    if target is None:
        raise typer.BadParameter("is needed with --source", param_hint="--output")

    from data_prep.build import build_dataset, unpacked_folder
    from data_prep.obtain import obtain, read_obtained

    pictures_of: str | FolderSource | ConstructedSource = entry.source
    if isinstance(pictures_of, ConstructedSource):
        raise UserError(f"{dataset}: is made in stages; run `snakemake --cores all {target}/manifest.csv`.")
    if isinstance(pictures_of, str):
        if obtained is not None:
            pictures_of = unpacked_folder(read_obtained(obtained))
        elif values is not None and raw is not None:
            origin = values.sources[pictures_of]
            pictures_of = unpacked_folder(obtain(pictures_of, origin, raw, threads=threads_of(threads)))
        else:
            raise typer.BadParameter("is needed with the name of a source", param_hint="--obtained")
    expected = {str(split): count for split, count in entry.pictures.items()}
    manifest = build_dataset(pictures_of, target, expected, threads_of(threads), strict)
    counts = Counter(f"{row.split}: {row.status}" for row in manifest.rows)
    typer.echo(f"{manifest.path}: " + ", ".join(f"{name} {count}" for name, count in counts.items()))


def _from_params(
    dataset: str | None, pictures: str | None, params: Path, overlays: list[Path]
) -> tuple[Params, Dataset]:
    """The parameters and the entry of a dataset."""
    if dataset is None:
        raise typer.BadParameter("give a dataset of the parameter file, or --source", param_hint="DATASET")
    if pictures is not None:
        raise typer.BadParameter("belongs to --source; DATASET has its own counts", param_hint="--pictures")
    values = load(params, overlays)
    if dataset not in values.datasets:
        known = ", ".join(values.datasets)
        raise UserError(
            f"unknown dataset {dataset!r}{nearest(dataset, values.datasets)}; {params} has: {known}."
        )
    return values, values.datasets[dataset]


def _from_json(dataset: str | None, source: str, pictures: str | None) -> Dataset:
    """An entry made from the options."""
    if dataset is not None:
        raise typer.BadParameter("give either DATASET or --source, not both", param_hint="--source")
    # An entry has names for its domains too; building has no use for them.
    entry = {"domains": ["a", "b"], "source": json_of("--source", source)}
    entry["pictures"] = json_of("--pictures", pictures or "{}")
    return check(Dataset, entry, "options")
