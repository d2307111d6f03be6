"""Draw a grid of pictures: every pixel stays what it is, in the PNG and in the PDF."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from ugatit.errors import UserError
from ugatit.evaluation.attention import Attention, read_attention
from ugatit.evaluation.heat_map import COLORS, blend, color_range, heat
from ugatit.images import resize
from ugatit.manifest import Picture, read_manifest
from ugatit.reporting.canvas import (
    GREY,
    MARGIN_IN,
    POINTS_PER_INCH,
    draw_footer,
    footer_height_in,
    footer_lines,
    say_instead,
)
from ugatit.reporting.choice import ByScore, choose, row_count, rule
from ugatit.reporting.figure import Command
from ugatit.reporting.lettering import wrap
from ugatit.reporting.tiles import NO_RUN, Tile, native_px, translated

if TYPE_CHECKING:
    from ugatit.reporting.figures.grid import Column, Part, Settings

MIN_TILE_PX = 192
"""Smaller pictures are enlarged by a whole factor until a tile has at least this side."""

TILE_IN, GAP_IN = 1.1, 0.04
MIN_WIDTH_IN = 6.5
TITLE_IN = 0.2
LABEL_PT, LABEL_LINE_IN = 7.5, 0.135
TICK_PT = 6
BAR_IN, BAR_ROOM_IN = 0.07, 0.26

Ends = tuple[float, float]


@dataclass(frozen=True)
class _Rows:
    """The tiles of one dataset, column by column."""

    part: Part
    tiles: list[list[Tile]]
    native: int


def draw_grid(settings: Settings, command: Command) -> Figure:
    """Draw rows of test pictures below the labels of their columns, and the rule of choice below all."""
    attention = {c.path: read_attention(Path(c.path)) for c in _map_columns(settings) if _is_there(c)}
    ends = _ends(settings, attention)
    parts = [_rows(part, settings, attention, ends) for part in settings.parts]
    paragraphs = [settings.caption, rule(settings.choice, settings.score_label)]
    paragraphs += _on_attention(settings, attention) + _missing(settings, command)
    return _compose(parts, ends, paragraphs)


def _map_columns(settings: Settings) -> list[Column]:
    return [column for part in settings.parts for column in part.columns if column.kind == "map"]


def _is_there(column: Column) -> bool:
    return not column.lacks and Path(column.path).is_file()


def _ends(settings: Settings, attention: dict[str, Attention]) -> dict[str, Ends]:
    """The colour scale of each map: of all pictures that were attended to, in all datasets."""
    arrays: dict[str, list[np.ndarray]] = {}
    for column in _map_columns(settings):
        found, name = attention.get(column.path), str(column.name)
        if found and name in found.arrays:
            arrays.setdefault(name, []).append(found.arrays[name].ravel())
    return {name: color_range(np.concatenate(found)) for name, found in arrays.items()}


def _rows(part: Part, settings: Settings, attention: dict[str, Attention], ends: dict[str, Ends]) -> _Rows:
    """Choose the pictures of a dataset and fill its tiles."""
    empty = [Tile(None, "")] * max(1, row_count(settings.choice, part.dataset))
    source, scores = Path(part.columns[0].path), Path(part.scores) if part.scores else None
    if not source.is_file():
        reasons = ["no dataset yet", *(c.lacks or NO_RUN for c in part.columns[1:])]
        return _Rows(part, [[Tile(None, why)] * len(empty) for why in reasons], MIN_TILE_PX)
    if isinstance(settings.choice, ByScore) and not (scores and scores.is_file()):
        return _Rows(part, [[Tile(None, "no scores yet")] * len(empty) for _ in part.columns], MIN_TILE_PX)
    manifest = read_manifest(source)
    chosen = choose(manifest.kept(part.split), settings.choice, part.dataset, scores)
    sources = [Tile(manifest.read(picture).rgb) for picture in chosen]
    tiles = [sources if c.kind == "source" else _tiles(c, part, chosen) for c in part.columns]
    shown = [t for t, c in zip(tiles, part.columns, strict=True) if c.kind == "translation"]
    below = [t for t, c in zip(tiles, part.columns, strict=True) if c.kind == "map" and c.name != "generator"]
    native = native_px(shown + below, sources)
    for k, column in enumerate(part.columns):
        if column.kind == "map":
            beneath = sources if column.below == part.columns[0].path else tiles[k]
            tiles[k] = _attended(column, chosen, beneath, native, attention, ends, settings.opacity or 0.0)
    return _Rows(part, tiles, native)


def _tiles(column: Column, part: Part, chosen: Sequence[Picture]) -> list[Tile]:
    """Translations, of a map those that it is laid over."""
    if column.lacks:
        return [Tile(None, column.lacks)] * len(chosen)
    path = column.below if column.kind == "map" else column.path
    return translated(Path(path or ""), part.direction, chosen)


def _attended(
    column: Column,
    chosen: Sequence[Picture],
    beneath: Sequence[Tile],
    native: int,
    attention: dict[str, Attention],
    ends: dict[str, Ends],
    opacity: float,
) -> list[Tile]:
    """The maps of a column over their pictures."""
    found, name = attention.get(column.path), str(column.name)
    if column.lacks or found is None:
        return [Tile(None, column.lacks or NO_RUN)] * len(chosen)
    tiles = []
    for picture, tile in zip(chosen, beneath, strict=True):
        drawn = found.of(name, picture.stem)
        if drawn is None or tile.rgb is None:
            tiles.append(Tile(None, tile.reason or "no map"))
            continue
        if found.record.sources[found.record.names.index(picture.stem)] != picture.sha256:
            raise UserError(
                f"{column.path}: the map of {picture.stem} is of another picture than {picture.name}. "
                "Write it again with `ugatit attention`."
            )
        tiles.append(Tile(blend(resize(tile.rgb, native), heat(drawn, native, ends[name]), opacity)))
    return tiles


def _on_attention(settings: Settings, attention: dict[str, Attention]) -> list[str]:
    """How maps are drawn and how faithful they are."""
    if not attention:
        return []
    over = "" if settings.opacity == 1 else f" over that picture with opacity {settings.opacity:g}"
    text = (
        "Attention: the generator's of the source, the discriminators' of the translation,"
        f"{over}; one colour scale per map (1st to 99th percentile of all test pictures)."
    )
    sentences = [text]
    for found in attention.values():
        record = found.record.faithfulness
        effects = [
            f"{name} {e.difference:.3f} ± {e.standard_error or 0.0:.3f}".replace("-", "−")
            for name, e in record.maps.items()
        ]
        if effects:
            sentences.append(
                f"Faithfulness ({found.record.dataset}): masking the hottest {record.masked_share:.0%} takes "
                f"more from the classifier's logit than masking as much elsewhere, by {', '.join(effects)} "
                f"(± standard error, {len(found.record.names)} pictures)."
            )
    return sentences


def _missing(settings: Settings, command: Command) -> list[str]:
    """What to type for the panels that are empty, a line per dataset."""
    lines = []
    for part in settings.parts:
        absent = [c for c in part.columns if not c.lacks and not Path(c.path).is_file()]
        # What makes a run makes its dataset too.
        absent = [c for c in absent if c.model] or absent
        if part.scores and not Path(part.scores).is_file():
            lines.append(f"No scores yet of {part.title}: {command(part.scores)}")
        targets = dict.fromkeys(c.target for c in absent)
        if targets:
            labels = dict.fromkeys(c.label for c in absent)
            lines.append(
                f"No run yet of {part.title}, {', '.join(labels)}: {command(_braced(list(targets)))}"
            )
    return lines


def _braced(targets: Sequence[str]) -> str:
    """Targets that differ in one folder only as a shell's braces, others one after the other."""
    parts = [target.split("/") for target in targets]
    alike = {len(part) for part in parts} == {len(parts[0])}
    differing = [k for k in range(len(parts[0])) if alike and len({part[k] for part in parts}) > 1]
    if len(differing) != 1:
        return " ".join(targets)
    (k,) = differing
    inner = "{" + ",".join(part[k] for part in parts) + "}"
    return "/".join([*parts[0][:k], inner, *parts[0][k + 1 :]])


def _compose(parts: Sequence[_Rows], ends: dict[str, Ends], paragraphs: Sequence[str]) -> Figure:
    """Place tiles at whole pixels, with labels, titles of the datasets, colour bars and footer."""
    columns = parts[0].part.columns
    side = max(rows.native * -(-MIN_TILE_PX // rows.native) for rows in parts)
    dpi = side / TILE_IN
    labels = _labels([column.label for column in columns])
    step = round((TILE_IN + GAP_IN) * dpi)
    top = round((MARGIN_IN + max(map(len, labels)) * LABEL_LINE_IN) * dpi)
    wide = len(columns) * step + round((TITLE_IN + 2 * MARGIN_IN) * dpi)
    width = max(wide, round(MIN_WIDTH_IN * dpi))
    left = (width - wide) // 2 + round((MARGIN_IN + TITLE_IN) * dpi)
    count = sum(len(rows.tiles[0]) for rows in parts)
    gaps = (len(parts) - 1) * 2 * (step - side)
    bars = round(BAR_ROOM_IN * dpi) if ends else 0
    footer = footer_lines(paragraphs, width / dpi)
    height = top + count * step + gaps + bars + round(footer_height_in(footer) * dpi)
    figure = Figure(figsize=(width / dpi, height / dpi), dpi=dpi)

    def place(x: int, y: int, w: int, h: int) -> tuple[float, float, float, float]:
        """Pixels from the top left as the fractions from the bottom left that axes want."""
        return x / width, (height - y - h) / height, w / width, h / height

    for k, lines in enumerate(labels):
        figure.text(
            (left + k * step + side / 2) / width, 1 - (top - 0.03 * dpi) / height, "\n".join(lines),
            ha="center", va="bottom", fontsize=LABEL_PT, linespacing=1.1, parse_math=False,
        )  # fmt: skip
    y = top
    for rows in parts:
        tall = len(rows.tiles[0]) * step - (step - side)
        figure.text(
            (left - TITLE_IN * dpi / 2) / width, 1 - (y + tall / 2) / height, rows.part.title,
            ha="center", va="center", rotation=90, fontsize=LABEL_PT, parse_math=False,
        )  # fmt: skip
        for k, column in enumerate(rows.tiles):
            for j, tile in enumerate(column):
                axes = figure.add_axes(place(left + k * step, y + j * step, side, side))
                _fill(axes, tile, rows.native, side)
        y += len(rows.tiles[0]) * step + 2 * (step - side)
    y -= 2 * (step - side)
    for k, head in enumerate(columns):
        if head.name in ends:
            axes = figure.add_axes(place(left + k * step, y + round(0.02 * dpi), side, round(BAR_IN * dpi)))
            _draw_bar(axes, ends[head.name])
    draw_footer(figure, footer)
    return figure


def _labels(labels: Sequence[str]) -> list[list[str]]:
    """Letters and labels, wrapped to the width of a tile."""
    width, size = round(TILE_IN * POINTS_PER_INCH * 10), round(LABEL_PT * 10)
    return [
        wrap(f"({letter}) {label}", width, size)
        for letter, label in zip(string.ascii_lowercase, labels, strict=False)
    ]


def _fill(axes: Axes, tile: Tile, native: int, side: int) -> None:
    """Show a picture, or say why there is none."""
    if tile.rgb is None:
        say_instead(axes, "\n".join(wrap(tile.reason, 700, 65)))
        return
    axes.set_axis_off()
    # Whole factors repeat pixels; `none` leaves them as they are in the PDF too.
    factor = max(1, side // native)
    large = resize(tile.rgb, native).repeat(factor, axis=0).repeat(factor, axis=1)
    axes.imshow(large, interpolation="none", aspect="auto")


def _draw_bar(axes: Axes, ends: Ends) -> None:
    """A colour bar with the values of its ends."""
    colors = ScalarMappable(Normalize(*ends), COLORS).to_rgba(np.linspace(*ends, 256))
    axes.imshow(colors[None], aspect="auto", interpolation="none", extent=(0, 1, 0, 1))
    axes.set_yticks([])
    axes.set_xticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    for x, value, side in ((0, ends[0], "left"), (1, ends[1], "right")):
        axes.text(
            x, -0.3, f"{value:.3g}", ha=side, va="top", fontsize=TICK_PT, color=GREY, transform=axes.transAxes
        )
