"""How training went: losses, learning rate and speed, one line per run."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from ugatit import plan
from ugatit.files import read_json_lines
from ugatit.params import Figure, Params
from ugatit.reporting.figure import Command, Need
from ugatit.strict import Strict

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

PER_ROW = 4
PANEL_IN = (2.1, 1.55)

WINDOWS = 60
"""The dark line is a running median over so many-th part of the records."""

OF_ONE_JUDGE = re.compile(r"disc_[ab]")
"""How the parts of `discriminator` begin that belong to one network; they add up to what is shown already."""

OF_ONE_SIDE = re.compile(r"_(a|b|ab|ba)$")
"""How terms end that are there once per domain or direction."""

RATE, SPEED = "learning rate / first", "steps per second"


class Entry(Figure):
    """A block of panels per dataset."""

    datasets: list[str] = Field(min_length=1)
    models: list[str] = Field(min_length=1)


class Run(Strict):
    """One line of every panel of its dataset."""

    dataset: str
    model: str
    label: str
    path: str


class Settings(Strict):
    """The runs, in order."""

    caption: str
    runs: list[Run]


def needs(params: Params, entry: Entry) -> list[Need]:
    """The log of every run, all seeds."""
    planned = plan.planned_runs(params)
    return [Need(run.path, (run.dataset, run.model) in planned) for run in settings(params, entry).runs]


def settings(params: Params, entry: Entry) -> Settings:
    """Paths and labels; models whose translations were made elsewhere have no log."""
    runs = [
        Run(
            dataset=dataset,
            model=model,
            label=params.models[model].label + (f", seed {seed}" if len(params.seeds) > 1 else ""),
            path=f"{params.paths.results}/{folder}/train.jsonl",
        )
        for dataset in entry.datasets
        for model in entry.models
        if not params.models[model].external and params.has_run(dataset, model)
        for seed, folder in zip(params.seeds, plan.run_folders(params, dataset, model), strict=True)
    ]
    return Settings(caption=entry.caption, runs=runs)


def draw(settings: Settings, command: Command) -> Drawing:
    """Draw a block per dataset: losses by kind, then learning rate and speed."""
    from ugatit.reporting.canvas import COLORS, chart, say_instead

    series = {run.path: read_series(Path(run.path)) for run in settings.runs if Path(run.path).is_file()}
    colors = {
        label: COLORS[k % len(COLORS)]
        for k, label in enumerate(dict.fromkeys(r.label for r in settings.runs))
    }
    blocks = [
        (dataset, [run for run in settings.runs if run.dataset == dataset])
        for dataset in dict.fromkeys(run.dataset for run in settings.runs)
    ]
    panels = [_panels([series.get(run.path, {}) for run in runs]) for _, runs in blocks]
    rows = [-(-len(names) // PER_ROW) for names in panels]
    remarks = [
        "Losses: unweighted, summed over networks and directions; discriminator, generator and "
        "generator_random: the totals. "
        f"Pale: as recorded; dark: running median over {1 / WINDOWS:.1%} of the steps."
    ]
    absent = [run for run in settings.runs if run.path not in series]
    remarks += [
        f"No run yet of {r.label} on {r.dataset}: {command(r.path.replace('train.jsonl', 'metrics.json'))}"
        for r in absent
    ]
    figure = chart(PER_ROW * PANEL_IN[0], sum(rows) * PANEL_IN[1] + 0.25, [settings.caption, *remarks])
    grid = figure.add_gridspec(sum(rows), PER_ROW)
    top = 0
    for (dataset, runs), names, tall in zip(blocks, panels, rows, strict=True):
        for k, name in enumerate(names):
            axes = figure.add_subplot(grid[top + k // PER_ROW, k % PER_ROW])
            axes.set_title(f"{dataset}: {name}" if k == 0 and len(blocks) > 1 else name)
            if not name:
                say_instead(axes, "no run yet")
                continue
            for run in runs:
                if name in series.get(run.path, ()):
                    _draw_line(axes, *series[run.path][name], colors[run.label], run.label)
            _scale(axes, name)
        top += tall
    handles = {
        label: line for a in figure.axes for line, label in zip(*a.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=PER_ROW, frameon=False)
    return figure


def _panels(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names of a dataset's panels: losses, rate and speed; a single empty one without a run."""
    names = dict.fromkeys(name for series in found for name in series)
    return [*(n for n in names if n not in (RATE, SPEED)), RATE, SPEED] if names else [""]


def read_series(path: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Steps and values of every panel; loss terms of the two sides are added up.

    A term has the steps at which it is part of the loss: some methods have phases.
    """
    found: dict[str, list[tuple[int, float]]] = {}
    for record in read_json_lines(path):
        if "losses" in record:
            for name, value in _of(record).items():
                found.setdefault(name, []).append((record["step"], value))
    return {
        name: (np.array([step for step, _ in points]), np.array([value for _, value in points]))
        for name, points in found.items()
    }


def _of(record: Mapping[str, Any]) -> dict[str, float]:
    """The panels' values at one step."""
    values: dict[str, float] = {}
    for term, value in record["losses"].items():
        if not OF_ONE_JUDGE.match(term):
            name = OF_ONE_SIDE.sub("", term)
            values[name] = values.get(name, 0.0) + value
    return values | {RATE: record["lr_factor"], SPEED: record["steps_per_s"]}


def running_median(values: np.ndarray, windows: int = WINDOWS) -> np.ndarray:
    """The median of each value and its neighbours, as many as a `windows`-th part of all."""
    half = max(1, len(values) // windows) // 2
    return np.array([np.median(values[max(0, k - half) : k + half + 1]) for k in range(len(values))])


def _draw_line(axes: Axes, steps: np.ndarray, values: np.ndarray, color: str, label: str) -> None:
    axes.plot(steps, values, color=color, alpha=0.25, linewidth=0.5)
    axes.plot(steps, running_median(values), color=color, linewidth=1.0, label=label)


def _scale(axes: Axes, name: str) -> None:
    """Logarithmic where losses span powers of ten; from 0 for rate and speed."""
    axes.set_xlabel("step")
    axes.ticklabel_format(axis="x", style="sci", scilimits=(-3, 5))
    low, high = axes.get_ylim()
    values: Sequence[float] = [v for line in axes.get_lines() for v in np.asarray(line.get_ydata())]
    if name in (RATE, SPEED):
        axes.set_ylim(0, max(high, 1e-9))
    elif values and min(values) > 0 and max(values) > 20 * min(values):
        axes.set_yscale("log")
