"""The command that says what is wrong with a folder of pictures."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from data_prep.cli.app import app
from data_prep.cli.options import Threads, threads_of


class FaceDetector(StrEnum):
    """The detectors of `data_prep.cut_faces.DETECTORS`."""

    MTCNN = "mtcnn"
    ANIMEFACE = "animeface"
    LBPCASCADE = "lbpcascade"


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
    report = check_folder(folder, kid_subset_size, threads_of(threads), detectors)
    show(report)
    if json_file is not None:
        write_report(json_file, report)
    raise typer.Exit(1 if report.problems else 0)
