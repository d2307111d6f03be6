"""What AdaLIN learned: how much instance (1) and layer (0) normalisation each decoder layer blends."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from ugatit import plan
from ugatit.datasets import DIRECTIONS
from ugatit.errors import UserError
from ugatit.files import read_json, read_json_lines, sha256_file
from ugatit.params import Figure, Params
from ugatit.reporting.figure import Command, Need
from ugatit.strict import Strict

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

GENERATORS = ("gen_ab", "gen_ba")
PANEL_IN = (2.7, 2.1)
REMEDY = "Train the run again."

LAYER = re.compile(r"^(gen_ab|gen_ba)\.(residual|up)\.(\d+)\.norm(\d?)\.rho$")
"""Names of the learned rho among the weights."""

RESIDUAL, UP = "#0072b2", "#d55e00"


class Entry(Figure):
    """A row of panels per dataset and model."""

    datasets: list[str] = Field(min_length=1)
    models: list[str] = Field(min_length=1)


class Run(Strict):
    """One row."""

    dataset: str
    model: str
    label: str
    directions: list[str]
    folder: str


class Settings(Strict):
    """The runs, in order."""

    caption: str
    runs: list[Run]


def needs(params: Params, entry: Entry) -> list[Need]:
    """Weights and log of every run."""
    planned = plan.planned_runs(params)
    return [
        Need(f"{run.folder}/{file}", (run.dataset, run.model) in planned)
        for run in settings(params, entry).runs
        for file in ("weights.json", "train.jsonl")
    ]


def settings(params: Params, entry: Entry) -> Settings:
    """Folders and labels; the first seed stands for all."""
    runs = [
        Run(
            dataset=dataset,
            model=model,
            label=params.models[model].label,
            directions=[params.datasets[dataset].direction_name(d) for d in DIRECTIONS],
            folder=f"{params.paths.results}/{plan.run_folders(params, dataset, model)[0]}",
        )
        for dataset in entry.datasets
        for model in entry.models
        if not params.models[model].external and params.has_run(dataset, model)
    ]
    return Settings(caption=entry.caption, runs=runs)


def draw(settings: Settings, command: Command) -> Drawing:
    """Draw the distribution over the channels of each layer, by generator, and its mean over training."""
    from ugatit.reporting.canvas import chart, say_instead

    remarks = [
        "Boxes: quartiles over a layer's channels, with the median; whiskers: 5th to 95th percentile; dots: "
        "mean. "
        "1: instance normalisation, 0: layer normalisation. Over training: mean of each layer, solid for the "
        "first direction, dashed for the second."
    ]
    absent = [run for run in settings.runs if not Path(run.folder, "weights.json").is_file()]
    remarks += [
        f"No run yet of {run.label} on {run.dataset}: {command(f'{run.folder}/metrics.json')}"
        for run in absent
    ]
    width, height = PANEL_IN
    figure = chart(3 * width, height * len(settings.runs), [settings.caption, *remarks])
    panels = figure.subplots(len(settings.runs), 3, squeeze=False)
    for run, row in zip(settings.runs, panels, strict=True):
        layers = {} if run in absent else read_rho(Path(run.folder, "weights.json"))
        why = "no run yet" if run in absent else "this model learns no rho"
        for axes, generator, direction in zip(row, GENERATORS, run.directions, strict=False):
            axes.set_title(f"{run.label}, {direction}")
            own = {
                name.removeprefix(f"{generator}."): v
                for name, v in layers.items()
                if name.startswith(generator)
            }
            _draw_layers(axes, own) if own else say_instead(axes, why)
        row[2].set_title("over training")
        over = {} if run in absent else read_watched(Path(run.folder, "train.jsonl"))
        _draw_training(row[2], over) if over else say_instead(row[2], why if not layers else "not recorded")
    return figure


def read_rho(path: Path) -> dict[str, np.ndarray]:
    """The rho that each layer uses, (C,), by generator and layer; none if the model learns none.

    Raises: UserError if the weights are missing or not those of weights.json.
    """
    from safetensors import safe_open

    described = read_json(path, "a weights.json", REMEDY)
    file = path.with_name("weights.safetensors")
    if not file.is_file() or sha256_file(file) != described["weights_sha256"]:
        raise UserError(f"{file}: is not the file that {path} names. {REMEDY}")
    network: dict[str, Any] = described["run"]["parameters"].get("network", {})
    smoothing = network.get("rho_smoothing", 0.0)
    with safe_open(file, framework="numpy") as tensors:
        found = {name: tensors.get_tensor(name) for name in tensors.keys() if LAYER.match(name)}  # noqa: SIM118
    # Smoothing concerns the residual blocks alone (D29).
    return {
        name: np.clip(found[name] - (smoothing if ".residual." in name else 0.0), 0, 1)
        for name in sorted(found)
    }


def read_watched(path: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Steps and mean rho of each layer over training; none if the log has none."""
    records = [r for r in read_json_lines(path) if "watched" in r] if path.is_file() else []
    names = [name for name in (records[0]["watched"] if records else {}) if name.startswith("rho.")]
    steps = np.array([record["step"] for record in records])
    return {
        name.removeprefix("rho."): (steps, np.array([r["watched"][name] for r in records])) for name in names
    }


def _draw_layers(axes: Axes, layers: dict[str, np.ndarray]) -> None:
    """A box per layer, from the first of the decoder to the last."""
    boxes = axes.boxplot(
        list(layers.values()), whis=(5, 95), showfliers=False, showmeans=True, patch_artist=True, widths=0.6,
        meanprops={"marker": "o", "markersize": 3, "markerfacecolor": "black", "markeredgecolor": "none"},
        medianprops={"color": "black"},
    )  # fmt: skip
    for box, name in zip(boxes["boxes"], layers, strict=True):
        box.set(facecolor=RESIDUAL if name.startswith("residual") else UP, alpha=0.5, linewidth=0.6)
    axes.set_xticks(range(1, len(layers) + 1), [_label(name) for name in layers], rotation=60)
    axes.set_ylim(-0.03, 1.03)
    axes.set_ylabel("rho")


def _draw_training(axes: Axes, over: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
    """A line per layer and generator."""
    for name, (steps, means) in over.items():
        color = RESIDUAL if ".residual." in name else UP
        style = "-" if name.startswith(GENERATORS[0]) else "--"
        axes.plot(steps, means, color=color, linewidth=0.8, linestyle=style)
    axes.plot([], [], color=RESIDUAL, label="residual blocks (AdaLIN)")
    axes.plot([], [], color=UP, label="up-sampling (LIN)")
    axes.legend(frameon=False, loc="center")
    axes.set_ylim(-0.03, 1.03)
    axes.set_xlabel("step")


def _label(layer: str) -> str:
    """`residual.0.norm1.rho` as `res 1.1`, `up.0.norm.rho` as `up 1`."""
    kind, block, norm = layer.split(".")[:3]
    number = f"{int(block) + 1}"
    return f"res {number}.{norm.removeprefix('norm')}" if kind == "residual" else f"up {number}"
