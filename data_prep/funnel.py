"""The funnel of a construction: how many pictures each stage took out and why, beside the paper's numbers."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from data_prep.items import Item, kind
from data_prep.stages.order import SIDE_STAGES
from data_prep.stages.split import TEST, TRAIN
from ugatit.construction import Side
from ugatit.files import atomic_path, write_text
from ugatit.manifest import ERROR, KEPT

NO_PLACE = "spare"
"""Why a good picture is in no split."""


@dataclass(frozen=True)
class Step:
    """What one stage did to the pictures of a side."""

    side: Side
    stage: str
    taken: int
    """Pictures that came to it."""
    left: int
    """Pictures that are in after it, those that a later stage drops included."""
    reasons: Mapping[str, int]
    """Kinds of reasons with their counts, the most frequent first; errors among them."""
    paper: int | None


def funnel(sides: Mapping[Side, Sequence[Item]]) -> list[Step]:
    """Count the rows of the last stage's manifests: each picture is out by one stage and for one reason."""
    published = _published()
    steps = []
    for side, items in sides.items():
        left = len(items)
        for stage in SIDE_STAGES:
            out = _out(items, stage)
            steps.append(Step(side, stage, left, left - len(out), _counts(out), published.get((side, stage))))
            left -= len(out)
    return steps


def summary(steps: Sequence[Step]) -> str:
    """One line per side: the pictures that are left after the stages that took some."""
    lines = []
    for side in dict.fromkeys(step.side for step in steps):
        own = [step for step in steps if step.side == side]
        numbers = [f"{own[0].taken:,}", *(f"{s.left:,} ({s.stage})" for s in own if s.left < s.taken)]
        lines.append(f"{side}: " + " → ".join(numbers))
    return "\n".join(lines)


def write_funnel(steps: Sequence[Step], names: Mapping[Side, str], reviewed: bool, stem: Path) -> None:
    """Write `<stem>.csv`, `.md` and `.png`; `names` are the domains'."""
    _write_csv(steps, stem.with_suffix(".csv"))
    write_text(stem.with_suffix(".md"), _markdown(steps, names, reviewed))
    _draw(steps, names, stem.with_suffix(".png"))


def _out(items: Sequence[Item], stage: str) -> list[str]:
    """Reasons of the pictures that a stage took out."""
    if stage == SIDE_STAGES[-1]:
        return [NO_PLACE for item in items if item.status == KEPT and item.split not in (TRAIN, TEST)]
    return [
        f"error: {kind(item.reason)}" if item.status == ERROR else kind(item.reason)
        for item in items
        if item.status != KEPT and item.stage == stage
    ]


def _counts(reasons: Sequence[str]) -> dict[str, int]:
    return dict(sorted(Counter(reasons).items(), key=lambda pair: (-pair[1], pair[0])))


def _published() -> dict[tuple[str, str], int]:
    """The paper's counts by side and stage."""
    text = files("data_prep").joinpath("paper_funnel.csv").read_text(encoding="utf-8")
    return {(row["side"], row["stage"]): int(row["pictures"]) for row in csv.DictReader(io.StringIO(text))}


def _write_csv(steps: Sequence[Step], path: Path) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["side", "stage", "in", "out", "left", "paper", "reasons"])
    for step in steps:
        reasons = "; ".join(f"{name} {count}" for name, count in step.reasons.items())
        paper = "" if step.paper is None else step.paper
        writer.writerow(
            [step.side, step.stage, step.taken, step.taken - step.left, step.left, paper, reasons]
        )
    write_text(path, text.getvalue())


def _markdown(steps: Sequence[Step], names: Mapping[Side, str], reviewed: bool) -> str:
    """A table per side."""
    state = "Reviewed by hand." if reviewed else "Not reviewed by hand: what was doubtful is left out."
    lines = ["# Construction", "", state, "`paper`: its counts for selfie2anime."]
    for side, name in names.items():
        lines += [
            "",
            f"## {side}: {name}",
            "",
            "| stage | left | out | why | paper |",
            "|---|---:|---:|---|---:|",
        ]
        for step in (step for step in steps if step.side == side):
            why = ", ".join(f"{reason} {count:,}" for reason, count in step.reasons.items())
            paper = "" if step.paper is None else f"{step.paper:,}"
            lines.append(f"| {step.stage} | {step.left:,} | {step.taken - step.left:,} | {why} | {paper} |")
    return "\n".join(lines) + "\n"


def _draw(steps: Sequence[Step], names: Mapping[Side, str], path: Path) -> None:
    """One panel per side: bars of what is left after each stage, with shares of the raw pictures."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, side in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        own = [step for step in steps if step.side == side]
        raw = max(1, own[0].taken)
        places = range(len(own))
        axes.barh(places, [step.taken for step in own], color="#d9d9d9", height=0.8)
        axes.barh(places, [step.left for step in own], color="#3b7dbd", height=0.8)
        for place, step in zip(places, own, strict=True):
            text = f"{step.left:,} ({step.left / raw:.0%})"
            if step.paper is not None:
                text += f"; paper {step.paper:,}"
            axes.text(step.taken + raw * 0.02, place, text, va="center", fontsize=8)
        axes.set_yticks(places, [step.stage for step in own])
        axes.invert_yaxis()
        axes.set_xlim(0, raw * 1.45)
        axes.set_xlabel("pictures left (grey: before the stage)")
        axes.set_title(f"{side.upper()}: {names[side]}")
        axes.spines[["top", "right"]].set_visible(False)
    with atomic_path(path) as part:
        figure.savefig(part, format="png", dpi=120, metadata={"Software": None})
