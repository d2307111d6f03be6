"""The `data-prep` command."""

from __future__ import annotations

import json
import logging
import os
from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from data_prep.stages.order import SIDE_STAGES
from ugatit.construction import SIDES, Construction, Side
from ugatit.datasets import Dataset
from ugatit.errors import UserError, exit_on_user_error
from ugatit.params import Params, load
from ugatit.sources import (
    Asset,
    ConstructedSource,
    FolderSource,
    RawSide,
    RawSource,
)
from ugatit.strict import Strict, check, nearest


class Counts(Strict):
    """How many pictures the splits have."""

    pictures: dict[str, int]


class FaceDetector(StrEnum):
    """The detectors of `data_prep.cut_faces.DETECTORS`."""

    MTCNN = "mtcnn"
    ANIMEFACE = "animeface"
    LBPCASCADE = "lbpcascade"


ParamsFile = Annotated[Path, typer.Option(help="The parameter file.")]
Overlays = Annotated[
    list[Path] | None, typer.Option(help="A file laid over it key by key; can be given several times.")
]
Threads = Annotated[
    int | None, typer.Option(min=1, help="Pictures worked on at a time.", show_default="all cores")
]

app = typer.Typer(
    help="Fetch, build, review and check datasets: trainA, trainB, testA and testB, with a manifest of every "
    "picture.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def _configure() -> None:
    """Send the log to standard error."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s")


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(help="A key of `sources:` or `assets:` in the parameter file.")],
    params: ParamsFile = Path("params.yaml"),
    overlay: Overlays = None,
    entry: Annotated[
        str | None, typer.Option(help="Instead of the file's entry: a source as JSON.", show_default=False)
    ] = None,
    asset: Annotated[
        str | None, typer.Option(help="Instead of the file's entry: an asset as JSON.", show_default=False)
    ] = None,
    raw: Annotated[
        Path | None,
        typer.Option(help="Folder of raw pictures. Needed with --entry.", show_default="<paths.raw>"),
    ] = None,
    state: Annotated[
        str, typer.Option(help="The workflow's name for the folder's state.", hidden=True)
    ] = "first",
    accept_checksum: Annotated[
        bool, typer.Option("--accept-checksum", help="Take a file whose checksum is another than known.")
    ] = False,
    threads: Threads = None,
) -> None:
    """Fetch raw pictures or a file that a step needs, unless it is there.

    A download that was cut off goes on where it was. `path` in the entry of a source names an archive or
    folder that you have. An archive is unpacked into <raw>/NAME and stays.
    """
    from data_prep.obtain import fetch_asset, obtain

    if asset is not None:
        value = check(Asset, _parse("--asset", asset), "--asset")
        typer.echo(fetch_asset(value, accept_checksum=accept_checksum))
        return
    if entry is not None:
        if raw is None:
            raise typer.BadParameter("is needed with --entry", param_hint="--raw")
        source = check(RawSource, _parse("--entry", entry), "--entry")
    else:
        values = load(params, overlay or [])
        if name in values.assets:
            typer.echo(fetch_asset(values.assets[name], accept_checksum=accept_checksum))
            return
        if name not in values.sources:
            known = [*values.sources, *values.assets]
            raise UserError(
                f"unknown source {name!r}{nearest(name, known)}; {params} has: {', '.join(known)}."
            )
        source, raw = values.sources[name], raw or Path(values.paths.raw)
    obtained = obtain(
        name, source, raw, state=state, threads=_threads(threads), accept_checksum=accept_checksum
    )
    typer.echo(f"{raw / name}.json: {obtained.folder}")


@app.command("fetch-urls")
def fetch_url_list(
    urls: Annotated[Path, typer.Argument(help="A text file with one URL per line.")],
    folder: Annotated[Path, typer.Argument(help="Folder for the pictures.")],
    per_second: Annotated[float, typer.Option(min=0.01, max=1.0, help="Requests per second and host.")] = 1.0,
) -> None:
    """Download a list of pictures politely: obeying robots.txt, slowly, going on where it was.

    You answer for the right to download them. <folder>/fetched.jsonl says what became of each.
    """
    from data_prep.url_list import fetch_urls

    counts = fetch_urls(urls, folder, per_second=per_second)
    typer.echo(f"{folder}: " + ", ".join(f"{name} {count}" for name, count in sorted(counts.items())))


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
            pictures_of = unpacked_folder(obtain(pictures_of, origin, raw, threads=_threads(threads)))
        else:
            raise typer.BadParameter("is needed with the name of a source", param_hint="--obtained")
    expected = {str(split): count for split, count in entry.pictures.items()}
    manifest = build_dataset(pictures_of, target, expected, _threads(threads), strict)
    counts = Counter(f"{row.split}: {row.status}" for row in manifest.rows)
    typer.echo(f"{manifest.path}: " + ", ".join(f"{name} {count}" for name, count in counts.items()))


@app.command()
def construct(
    stage: Annotated[str, typer.Argument(help=f"One of {', '.join(SIDE_STAGES)}.")],
    side: Annotated[str, typer.Option(help="Where the side's pictures and metadata are, as JSON.")],
    obtained: Annotated[Path, typer.Option(help="What `data-prep fetch` wrote for the source.")],
    output: Annotated[Path, typer.Option(help="The stage's manifest.")],
    settings: Annotated[str, typer.Option(help="The stage's group of `construction:`, as JSON.")] = "{}",
    before: Annotated[
        Path | None, typer.Option("--input", help="Manifest of the stage before.", show_default="none")
    ] = None,
    decisions: Annotated[Path | None, typer.Option(help="review: file of decisions.")] = None,
    auto: Annotated[bool, typer.Option("--auto", help="review: leave out what is undecided.")] = False,
    train: Annotated[int, typer.Option(min=0, help="split: training pictures.")] = 0,
    test: Annotated[int, typer.Option(min=0, help="split: test pictures.")] = 0,
    dataset: Annotated[str, typer.Option(help="The dataset's name, for messages.")] = "",
    threads: Threads = None,
) -> None:
    """Run one stage of a construction on one side; the workflow's rules do that in order.

    What was measured before is not measured again: a stage that was killed goes on where it was.
    """
    from data_prep.construct import Work, run_stage
    from data_prep.obtain import read_obtained

    if stage not in SIDE_STAGES:
        raise UserError(
            f"unknown stage {stage!r}{nearest(stage, SIDE_STAGES)}; there are: {', '.join(SIDE_STAGES)}."
        )
    if before is None and stage != SIDE_STAGES[0]:
        raise typer.BadParameter(f"{stage} reads the manifest of the stage before", param_hint="--input")
    raw_side = check(RawSide, _parse("--side", side), "--side")
    work = Work(
        read_obtained(obtained), raw_side, before, output, _threads(threads),
        decisions, auto, train, test, dataset,
    )  # fmt: skip
    run_stage(stage, _parse("--settings", settings), work)


@app.command()
def export(
    side_a: Annotated[Path, typer.Option(help="Manifest of the last stage of side A.")],
    side_b: Annotated[Path, typer.Option(help="Manifest of the last stage of side B.")],
    settings: Annotated[str, typer.Option(help="The whole `construction:`, as JSON.")],
    output: Annotated[Path, typer.Option(help="Folder of the dataset.")],
    auto: Annotated[bool, typer.Option("--auto", help="Mark the dataset as not reviewed.")] = False,
    threads: Threads = None,
) -> None:
    """Write the chosen pictures of both sides into trainA, trainB, testA and testB."""
    from data_prep.items import read_items
    from data_prep.stages.export import export as export_pictures

    stages = check(Construction, _parse("--settings", settings), "--settings")
    rows = export_pictures(
        {"a": read_items(side_a), "b": read_items(side_b)}, stages, output, not auto, _threads(threads)
    )
    typer.echo(f"{output}: {len(rows)} pictures")


@app.command()
def verify(
    listed: Annotated[Path, typer.Argument(help="The list that `data-prep export` wrote.")],
    size_px: Annotated[int, typer.Option(min=1, help="Side of the pictures.")],
    output: Annotated[Path, typer.Option(help="The dataset's manifest, written if all is well.")],
    pictures: Annotated[str, typer.Option(help="Counts to insist on, as JSON.")] = "{}",
    threads: Threads = None,
) -> None:
    """Check an exported dataset against its list, and give it its manifest."""
    from data_prep.stages.verify import verify as verify_pictures
    from ugatit.manifest import read_manifest, write_manifest

    rows = read_manifest(listed).rows
    expected = check(Counts, {"pictures": _parse("--pictures", pictures)}, "--pictures").pictures
    for line in verify_pictures(rows, output.parent, size_px, expected, _threads(threads)):
        typer.echo(f"{output.parent}: {line}")
    write_manifest(output, rows)


@app.command("funnel")
def report_funnel(
    side_a: Annotated[Path, typer.Option(help="Manifest of the last stage of side A.")],
    side_b: Annotated[Path, typer.Option(help="Manifest of the last stage of side B.")],
    raw_side: Annotated[
        list[str], typer.Option(help="Where a side's pictures are, as JSON; twice, A first.")
    ],
    obtained: Annotated[list[Path], typer.Option(help="What `data-prep fetch` wrote; twice, A first.")],
    domain: Annotated[list[str], typer.Option(help="Name of a domain; given twice, A's first.")],
    output: Annotated[Path, typer.Option(help="Folder for the tables and sheets.")],
    auto: Annotated[bool, typer.Option("--auto", help="Say that nobody reviewed it.")] = False,
) -> None:
    """Count what each stage took out, beside the paper's numbers, and draw sheets of what is in and out."""
    from data_prep.obtain import read_obtained
    from data_prep.stages.report import write_construction_report

    for option, values in (("--raw-side", raw_side), ("--obtained", obtained), ("--domain", domain)):
        if len(values) != len(SIDES):
            raise typer.BadParameter("is needed twice, A's first", param_hint=option)
    manifests: dict[Side, Path] = {"a": side_a, "b": side_b}
    names: dict[Side, str] = dict(zip(SIDES, domain, strict=True))
    pictures: dict[Side, Path] = {}
    for side, text, record in zip(SIDES, raw_side, obtained, strict=True):
        place = check(RawSide, _parse("--raw-side", text), "--raw-side").pictures
        pictures[side] = Path(read_obtained(record).folder) / place
    text = write_construction_report(manifests, pictures, names, not auto, output)
    typer.echo(text)


@app.command()
def review(
    dataset: Annotated[str, typer.Argument(help="A constructed dataset of the parameter file.")],
    params: ParamsFile = Path("params.yaml"),
    overlay: Overlays = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of this machine; 0: any free one.")] = 8765,
    reviewer: Annotated[str | None, typer.Option(help="Who decides.", show_default="your user name")] = None,
) -> None:
    """Look through the crops of a dataset in a browser and decide what stays.

    Serves a page on this machine only; press ? there for the keys. Decisions go at once into the text file
    that the dataset's `decisions` names, and are applied on every build.
    """
    from data_prep.review.opening import open_review
    from data_prep.review.server import serve

    opened = open_review(load(params, overlay or []), dataset, reviewer)
    left = serve(
        opened, port=port, started=lambda url: typer.echo(f"{dataset}: review at {url} (Ctrl-C ends)")
    )
    typer.echo(f"{opened.decisions}: {left} undecided. Go on with `data-prep review {dataset}`, or build.")


@app.command()
def status(
    dataset: Annotated[str, typer.Argument(help="A constructed dataset of the parameter file.")],
    params: ParamsFile = Path("params.yaml"),
    overlay: Overlays = None,
) -> None:
    """Say how far the review of a constructed dataset is."""
    from data_prep.review.decisions import read_decisions
    from data_prep.review.opening import open_review
    from data_prep.review.page import all_counts

    opened = open_review(load(params, overlay or []), dataset)
    for side, counted in all_counts(opened, read_decisions(opened.decisions)).items():
        text = ", ".join(f"{name} {count}" for name, count in counted.items())
        typer.echo(f"{side} {opened.sides[side].name}: {text}")


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
    faces_a: Annotated[
        FaceDetector | None,
        typer.Option(help="Side A shows faces: find those cut off, by this detector.", show_default=False),
    ] = None,
    faces_b: Annotated[
        FaceDetector | None, typer.Option(help="The same for side B.", show_default=False)
    ] = None,
    threads: Threads = None,
) -> None:
    """Say what is wrong with a folder of pictures, and what to do about it.

    Looks for unreadable, odd and repeated pictures, and for pictures in train and test or on both sides, also
    mirrored. With --faces-a or --faces-b it also searches for faces that the edge cuts off: mtcnn knows
    photographs, animeface and lbpcascade know drawings.

    Exit code: 0 without a problem (warnings and notes do not count), 1 with problems, 2 without a folder.
    """
    from data_prep.check import check_folder
    from data_prep.report import show, write_report

    detectors = {}
    if faces_a or faces_b:
        from data_prep.cut_faces import DETECTORS

        asked = {"A": faces_a, "B": faces_b}
        detectors = {side: DETECTORS[name] for side, name in asked.items() if name}
    report = check_folder(folder, kid_subset_size, _threads(threads), detectors)
    show(report)
    if json_file is not None:
        write_report(json_file, report)
    raise typer.Exit(1 if report.problems else 0)


def main() -> None:
    """Run the command; a user's mistake is one line and exit code 2."""
    exit_on_user_error(app)


def _threads(asked: int | None) -> int:
    return asked or os.cpu_count() or 1


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
    entry = {"domains": ["a", "b"], "source": _parse("--source", source)}
    entry["pictures"] = _parse("--pictures", pictures or "{}")
    return check(Dataset, entry, "options")


def _parse(option: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise UserError(f"{option}: {text!r} is not valid JSON ({error}).") from None
