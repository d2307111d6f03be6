"""Raw folders as the two sources give them, drawn: good faces, and among them known trouble of every kind."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from data_prep.drawing import Box, Drawn
from data_prep.drawing.anime import draw_anime
from data_prep.drawing.labels import anime_name, anime_row, selfie_name, selfie_row
from data_prep.drawing.selfie import draw_selfie
from data_prep.drawing.spoiling import CHANGES, ODD_FILES, save
from data_prep.parallel import in_parallel
from ugatit.errors import UserError
from ugatit.files import write_text

FACE = "face"
"""A woman's face, one in the picture, large and sharp enough; all other kinds are trouble."""

SHARES = {
    "man": 0.1,
    "unknown-gender": 0.04,
    "no-face": 0.08,
    "two-faces": 0.04,
    "grey": 0.03,
    "sepia": 0.03,
    "blurred": 0.03,
    "small-face": 0.03,
    "border": 0.02,
    "tiny": 0.02,
    "duplicate": 0.02,
    "near-duplicate": 0.03,
    "truncated": 0.01,
    "html": 0.01,
    "empty": 0.01,
    "misnamed": 0.01,
    "grey-jpeg": 0.01,
    "cmyk": 0.01,
    "exif-rotated": 0.01,
    "file-without-row": 0.01,
    "row-without-file": 0.01,
}
"""How many of each kind of trouble, as a share of the good faces; at least one each."""

ONLY = {
    "selfie": {"minor": 0.03},
    "anime": {
        "other-gender": 0.01,
        "palette": 0.01,
        "transparent": 0.01,
        "sixteen-bit": 0.01,
        "animated": 0.01,
    },
}
"""Further trouble of one side; the attribute file of the selfies knows JPEG files only."""

SIDES = ("selfie", "anime")

PICTURES = {"selfie": Path("selfies/images"), "anime": Path("anime/pictures")}
"""Where each side's pictures lie in the raw folder."""

ATTRIBUTES, CHARACTERS, PLANTED = (
    Path("selfies/selfie_dataset.txt"),
    Path("anime/characters.csv"),
    Path("planted.csv"),
)

PURPOSES = ("name", "place", "format", "attributes")
"""What random numbers are drawn for, each from its own stream."""

COPIES = ("duplicate", "near-duplicate")

RESIZED = (0.5, 1.5)
"""Sizes of near duplicates, in turn."""


@dataclass(frozen=True)
class Plan:
    """One file to be made: its side, its number there, its kind, and the number of the face it copies."""

    side: str
    number: int
    what: str
    of: int | None = None


@dataclass(frozen=True)
class Made:
    """One file as it was made; empty boxes if no face is on it."""

    plan: Plan
    file: str
    boxes: tuple[Box, ...]
    hair: str
    eyes: str


def draw_raw_folders(folder: Path, faces: int, seed: int, threads: int) -> None:
    """Draw the raw folders of both sides, with metadata and a list of what each file is.

    The list, planted.csv, is written last and has one row per face (or one for a file without a face).

    Args:
        folder: made if it is missing.
        faces: good faces per side; trouble comes on top, see `SHARES`.
        seed: of everything that is chosen.
        threads: pictures drawn at a time.

    Raises: UserError if there is already something in the folder; ValueError if `faces` is below 1.
    """
    if faces < 1:
        raise ValueError(f"faces is {faces}, expected at least 1")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(
            f"{folder}: already there; expected a new or an empty folder. Delete it or name another."
        )
    for pictures in PICTURES.values():
        (folder / pictures).mkdir(parents=True)
    plans = [plan for side in SIDES for plan in plan_side(side, faces)]
    made = in_parallel(partial(_make, folder, seed), plans, threads, "Drawing")
    _write_metadata(folder, made, seed)
    header = ["side", "file", "what", "left", "top", "width", "height", "of"]
    names = {(m.plan.side, m.plan.number): m.file for m in made}
    rows = [
        [m.plan.side, m.file, m.plan.what, *box, "" if m.plan.of is None else names[m.plan.side, m.plan.of]]
        for m in made
        for box in (m.boxes or (("",) * 4,))
    ]
    _write_csv(folder / PLANTED, header, rows)


def plan_side(side: str, faces: int) -> list[Plan]:
    """Say which files one side gets: the good faces first, then trouble, kind by kind."""
    plans = [Plan(side, number, FACE) for number in range(faces)]
    for what, share in (SHARES | ONLY[side]).items():
        for k in range(max(1, round(share * faces))):
            of = (7 * k + len(what)) % faces if what in COPIES else None
            plans.append(Plan(side, len(plans), what, of))
    return plans


def _make(folder: Path, seed: int, plan: Plan) -> Made:
    """Draw and write one file."""
    data, suffix, drawn = _render(seed, plan)
    rng = _generator(seed, plan, "name")
    name = selfie_name(rng) if plan.side == "selfie" else anime_name(rng, plan.number)
    file = name + suffix
    if plan.what != "row-without-file":
        (folder / PICTURES[plan.side] / file).write_bytes(data)
    return Made(plan, file, drawn.boxes, drawn.hair, drawn.eyes)


def _generator(seed: int, plan: Plan, purpose: str) -> np.random.Generator:
    """Random numbers of one file for one purpose."""
    return np.random.default_rng([seed, SIDES.index(plan.side), plan.number, PURPOSES.index(purpose)])


def _render(seed: int, plan: Plan) -> tuple[bytes, str, Drawn]:
    """A file's bytes, the ending of its name, and what is on it."""
    if plan.of is not None:
        original = Plan(plan.side, plan.of, FACE)
        return (
            _render(seed, original) if plan.what == "duplicate" else _save_again(seed, original, plan.number)
        )
    drawn = _draw(seed, plan)
    rgb = CHANGES[plan.what](drawn.rgb) if plan.what in CHANGES else drawn.rgb
    if plan.what in ODD_FILES:
        write, suffix = ODD_FILES[plan.what]
        boxes = () if plan.what in ("html", "empty") else drawn.boxes
        return write(rgb), suffix, Drawn(rgb, boxes, drawn.hair, drawn.eyes)
    format_name, suffix = "JPEG", ".jpg"
    rng = _generator(seed, plan, "format")
    if plan.side == "anime":
        format_name, suffix = (("JPEG", ".jpg"), ("PNG", ".png"), ("WEBP", ".webp"))[
            rng.choice(3, p=(0.6, 0.25, 0.15))
        ]
    return save(Image.fromarray(rgb), format_name, quality=int(rng.integers(86, 96))), suffix, drawn


def _draw(seed: int, plan: Plan) -> Drawn:
    """Draw what a plan asks for; sizes and places vary as in the sources."""
    rng = _generator(seed, plan, "place")
    options: dict[str, Any] = {"man": plan.what == "man"}
    draw: Callable[..., Drawn]
    if plan.side == "selfie":
        draw, width = draw_selfie, int(rng.integers(144, 209))
        size, face = (width, width), float(rng.uniform(0.38, 0.46))
        center = (float(rng.uniform(0.4, 0.6)), float(rng.uniform(0.44, 0.52)))
    else:
        draw, width = draw_anime, int(rng.integers(144, 241))
        size = (width, int(width * rng.uniform(0.95, 1.45)))
        face = float(np.clip(rng.uniform(45, 72) / width, 0.22, 0.45))
        room = 0.85 * face
        x = float(rng.uniform(max(0.3, room), min(0.7, 1 - room)))
        center = (x, float(rng.uniform(max(0.3, room * width / size[1]), 0.5)))
    if plan.what == "no-face":
        options["people"] = 0
    elif plan.what == "two-faces":
        options["people"], face = 2, min(face, 0.3)
    elif plan.what == "small-face":
        face = float(rng.uniform(0.1, 0.14))
    elif plan.what == "border":
        center = (float(rng.choice((0.02, 0.98))), center[1])
    elif plan.what == "tiny":
        size = (int(rng.integers(36, 60)),) * 2
    return draw(seed, plan.number, size, face=face, center=center, **options)


def _save_again(seed: int, original: Plan, number: int) -> tuple[bytes, str, Drawn]:
    """A picture at another size and quality, as another site would hold it."""
    drawn = _draw(seed, original)
    factor = RESIZED[number % len(RESIZED)]
    height, width = (round(side * factor) for side in drawn.rgb.shape[:2])
    image = Image.fromarray(drawn.rgb).resize((width, height), Image.Resampling.BICUBIC)
    left, top, box_width, box_height = (round(side * factor) for side in drawn.boxes[0])
    copy = Drawn(np.asarray(image), ((left, top, box_width, box_height),), drawn.hair, drawn.eyes)
    return save(image, "JPEG", quality=70), ".jpg", copy


def _write_metadata(folder: Path, made: Sequence[Made], seed: int) -> None:
    """Write the attribute file of the selfies and the table of the anime characters."""
    listed = [m for m in made if m.plan.what != "file-without-row"]
    lines, rows = [], []
    for m in listed:
        rng = _generator(seed, m.plan, "attributes")
        if m.plan.side == "selfie":
            lines.append(selfie_row(Path(m.file).stem, m.plan.what, m.hair, rng))
        else:
            rows.append(anime_row(m.file, m.plan.what, m.hair, m.eyes))
    write_text(folder / ATTRIBUTES, "\n".join(lines) + "\n")
    header = ["file", "slug", "name", "gender", "hair_color", "eye_color", "tags", "url"]
    _write_csv(folder / CHARACTERS, header, rows)


def _write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write a table."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    write_text(path, text.getvalue())
