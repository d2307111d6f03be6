"""Figures: parameters to needs and settings, settings and results to PDF and PNG. Names no kind of figure."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ugatit.errors import UserError
from ugatit.files import sha256_file
from ugatit.modules import figure_module
from ugatit.params import Params
from ugatit.strict import check, nearest


@dataclass(frozen=True)
class Need:
    """A file that a figure shows."""

    path: str
    planned: bool
    """Whether it is made for the figure, because the tables plan it; others are shown if they are there."""


Command = Callable[[str], str]
"""What to type for a file that is not there, so that a panel can say it."""


def planned_figures(params: Params) -> list[str]:
    """Figures for which something is planned that they show."""
    return [name for name in params.figures if figure_inputs(params, name)]


def figure_inputs(params: Params, name: str) -> list[str]:
    """Files that a figure has made for it."""
    return list(dict.fromkeys(need.path for need in _needs(params, name) if need.planned))


def figure_found(params: Params, name: str) -> dict[str, str]:
    """Hashes of the other files that a figure shows and that are there: drawing never makes them anew."""
    others = dict.fromkeys(need.path for need in _needs(params, name) if not need.planned)
    return {path: sha256_file(Path(path)) for path in others if Path(path).is_file()}


def figure_settings(params: Params, name: str) -> dict[str, Any]:
    """Take from the parameters all that one figure needs, as plain JSON; it changes only if the figure does.

    Raises: UserError if there is no such figure.
    """
    entry = params.figure(_known(params, name))
    settings = figure_module(entry.kind).settings(params, entry)
    return {"kind": entry.kind, "settings": settings.model_dump()}


def make_figure(value: Any, output_stem: Path, configfiles: Sequence[Path] = ()) -> None:
    """Draw a figure as `<stem>.pdf` and `<stem>.png`.

    `configfiles` are the parameter files laid over params.yaml; commands for missing panels name them.

    Raises: UserError if settings or results are not of the expected form.
    """
    from ugatit.reporting.canvas import save, styled

    if not isinstance(value, dict) or value.keys() != {"kind", "settings"}:
        raise UserError("figure settings: expected a mapping of `kind` and `settings`.")
    module = figure_module(str(value["kind"]))
    settings = check(module.Settings, value["settings"], "figure settings")
    overlays = ["--configfile", *map(str, configfiles)] if configfiles else []

    def command(target: str) -> str:
        return shlex.join(["snakemake", "--cores", "all", target, *overlays])

    with styled():
        save(module.draw(settings, command), output_stem)


def _needs(params: Params, name: str) -> list[Need]:
    entry = params.figure(_known(params, name))
    needs: list[Need] = figure_module(entry.kind).needs(params, entry)
    return needs


def _known(params: Params, name: str) -> str:
    if name not in params.figures:
        raise UserError(
            f"unknown figure {name!r}{nearest(name, params.figures)}; known: {', '.join(params.figures)}. "
            "Add it under `figures:`."
        )
    return name
