"""Commands of constructions, for the workflow: one stage, the export, its check, the report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from data_prep.cli.app import app
from data_prep.cli.options import Threads, json_of, threads_of
from data_prep.stages.order import SIDE_STAGES
from ugatit.construction import SIDES, Construction, Side
from ugatit.errors import UserError
from ugatit.sources import RawSide
from ugatit.strict import Strict, check, nearest


class Counts(Strict):
    """How many pictures the splits have."""

    pictures: dict[str, int]


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
    raw_side = check(RawSide, json_of("--side", side), "--side")
    work = Work(
        read_obtained(obtained), raw_side, before, output, threads_of(threads),
        decisions, auto, train, test, dataset,
    )  # fmt: skip
    run_stage(stage, json_of("--settings", settings), work)


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

    stages = check(Construction, json_of("--settings", settings), "--settings")
    rows = export_pictures(
        {"a": read_items(side_a), "b": read_items(side_b)}, stages, output, not auto, threads_of(threads)
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
    expected = check(Counts, {"pictures": json_of("--pictures", pictures)}, "--pictures").pictures
    for line in verify_pictures(rows, output.parent, size_px, expected, threads_of(threads)):
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
        place = check(RawSide, json_of("--raw-side", text), "--raw-side").pictures
        pictures[side] = Path(read_obtained(record).folder) / place
    text = write_construction_report(manifests, pictures, names, not auto, output)
    typer.echo(text)
