"""Tables of a network's layers, taken from the network as it runs (the paper's Tables 4 to 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from ugatit.errors import UserError
from ugatit.modules import method_module
from ugatit.params import Params
from ugatit.reporting.markup import Document, Entry, Grid, Section
from ugatit.reporting.paper_values import PaperLayer, published_layers
from ugatit.run import resolve
from ugatit.strict import Strict, check, nearest
from ugatit.tables import ArchitectureTable, PaperLayers

if TYPE_CHECKING:
    from ugatit.reporting.layers import Layer

KIND: Literal["architecture"] = "architecture"

HEADER = ("layer", "operation", "then", "kernel", "stride", "padding", "output", "parameters")
WORDS = 2
"""Columns of words after the layer's name."""

COLUMNS = (
    "table", "model", "network", "image_px", "layer", "operation", "then", "kernel", "stride", "padding",
    "output", "parameters", "paper_kernel", "paper_stride", "paper_padding", "paper_output",
)  # fmt: skip
"""Columns of the CSV; the last line is the whole network."""

TOTAL = "total"


class ArchitectureSettings(Strict):
    """All that decides a table of layers; plain JSON."""

    kind: Literal["architecture"]
    table: str
    caption: str
    model: str
    label: str
    network: str
    method: str
    numerics: int
    parameters: dict[str, Any]
    image_px: int
    paper: PaperLayers | None


def architecture_settings(params: Params, name: str, table: ArchitectureTable) -> ArchitectureSettings:
    """Take from the parameters what the network is built from.

    Raises: UserError if the model's parameters do not pass the method's checks.
    """
    run = resolve(params, table.dataset, table.model, params.seeds[0])
    return ArchitectureSettings(
        kind=KIND,
        table=name,
        caption=table.caption,
        model=table.model,
        label=params.models[table.model].label,
        network=table.network,
        method=run.method,
        numerics=run.numerics,
        parameters=run.parameters,
        image_px=run.training.image_px,
        paper=table.paper,
    )


def describe_network(settings: object) -> tuple[Document, list[Sequence[str]]]:
    """Build a network, run it, and lay out its layers; its weights take no memory, and nothing is computed.

    Returns: the document, and the rows of the CSV with their header.
    Raises: UserError if settings are not of the expected form, there is no such network, it cannot be run, or
        the paper's table is one of other layers.
    """
    checked = check(ArchitectureSettings, settings, "table settings")
    layers = run_network(checked)
    paper = published_layers(checked.paper) if checked.paper else {}
    shared = sum(layer.path in paper for layer in layers)
    if 2 * shared < len(paper):
        raise UserError(
            f"table {checked.table!r}: {checked.network} of {checked.model} has {shared} of the {len(paper)} "
            f"layers of the paper's {checked.paper}. Name the network that it is of, or set `paper: null`."
        )
    return _document(checked, layers, paper), _rows(checked, layers, paper)


def run_network(settings: ArchitectureSettings) -> list[Layer]:
    """The layers of a network as `translate` runs it; a network that judges is given a picture.

    Raises: UserError if there is no such network, or it is run by neither.
    """
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode

    from ugatit.reporting.layers import record_layers

    method = method_module(settings.method)
    parameters = check(method.Parameters, settings.parameters, "table settings: parameters")
    with FakeTensorMode(), torch.no_grad():
        networks = method.build(parameters, settings.image_px, None)
        picture = torch.empty(1, 3, settings.image_px, settings.image_px)
        if settings.network not in networks:
            raise UserError(
                f"tables.{settings.table}.network: {settings.model} has no network {settings.network!r}"
                f"{nearest(settings.network, networks)}; known: {', '.join(networks)}."
            )
        for each in networks.values():
            each.eval()
        network = networks[settings.network]
        for direction in method.traits(parameters).directions:
            translate = partial(method.translate, networks, picture, direction, torch.Generator())
            if layers := record_layers(network, translate):
                return layers
        try:
            layers, reason = record_layers(network, partial(network, picture)), "it has no layers"
        except (TypeError, ValueError, RuntimeError) as error:
            layers, reason = [], str(error).splitlines()[0][:120]
    if not layers:
        raise UserError(
            f"tables.{settings.table}.network: {settings.network} of {settings.model} takes no part in "
            f"translating and does not judge a picture ({reason}). Name another."
        )
    return layers


def _document(
    settings: ArchitectureSettings, layers: Sequence[Layer], paper: Mapping[str, PaperLayer]
) -> Document:
    """One grid: a line per layer, the paper's statement in brackets where it differs."""
    modes = {_mode(layer) for layer in layers} - {""}
    lines = [_line(layer, paper.get(layer.path), settings.image_px, len(modes) < 2) for layer in layers]
    differs = any(entry.paper for _, entries in lines for entry in entries)
    total = sum(layer.parameters for layer in layers)
    lines.append((TOTAL, (*[Entry("")] * (len(HEADER) - 2), Entry(f"{total:,}", bold=True))))
    reading = (
        f"{settings.network} of {settings.label} as it runs on {settings.image_px} × {settings.image_px} "
        "pixels. Output: side² × channels, or channels. Parameters: of the layer and of what follows it."
    )
    if differs:
        reading += " In brackets: the paper's, where it differs."
    elif paper:
        reading += " The paper states the same sizes."
    absent = [name for name in paper if name not in {layer.path for layer in layers}]
    remarks = (
        f"Padding: {', '.join(modes)}." if len(modes) == 1 else "",
        "Padding a/b: a before (left, top), b after."
        if any("/" in layer.padding for layer in layers)
        else "",
        "SN: spectral normalisation." if any("SN " in layer.operation for layer in layers) else "",
        f"Only in the paper: {', '.join(absent)}." if absent else "",
    )
    section = Section(
        settings.network, (Grid(HEADER, tuple(lines), words=WORDS),), tuple(filter(None, remarks))
    )
    return Document(settings.caption, (reading,), (section,), ())


def _line(
    layer: Layer, paper: PaperLayer | None, image_px: int, plain: bool
) -> tuple[str, tuple[Entry, ...]]:
    """One layer; `plain` leaves out the kind of padding, which is the same everywhere."""
    theirs = _stated(paper, image_px)
    padding = _width(layer) if plain else layer.padding
    ours = (layer.kernel, layer.stride, padding, _size(layer.output))
    same = (layer.kernel, layer.stride, _width(layer), _size(layer.output))
    values = [
        Entry(text, paper="" if stated in ("", compared) else stated)
        for text, compared, stated in zip(ours, same, theirs, strict=True)
    ]
    entries = (Entry(layer.operation), Entry(_then(layer)), *values, Entry(f"{layer.parameters:,}"))
    return layer.path.removesuffix(".conv"), entries


def _rows(
    settings: ArchitectureSettings, layers: Sequence[Layer], paper: Mapping[str, PaperLayer]
) -> list[Sequence[str]]:
    """The CSV with its header."""
    first = [settings.table, settings.model, settings.network, str(settings.image_px)]
    rows: list[Sequence[str]] = [COLUMNS]
    for layer in layers:
        ours = [layer.path, layer.operation, _then(layer), layer.kernel, layer.stride, layer.padding]
        stated = _stated(paper.get(layer.path), settings.image_px)
        rows.append([*first, *ours, _size(layer.output), str(layer.parameters), *stated])
    total = str(sum(layer.parameters for layer in layers))
    return [*rows, [*first, TOTAL, *[""] * 6, total, *[""] * 4]]


def _stated(paper: PaperLayer | None, image_px: int) -> tuple[str, str, str, str]:
    """The paper's kernel, stride, padding and output; empty where it says nothing."""
    if paper is None:
        return "", "", "", ""
    side = () if paper.divisor is None else (image_px // paper.divisor,) * 2
    return paper.kernel, paper.stride, paper.padding, _size((paper.channels, *side))


def _then(layer: Layer) -> str:
    """What follows a layer."""
    return ", ".join(layer.followed_by)


def _size(shape: Sequence[int]) -> str:
    """Height and width, then channels."""
    if len(shape) != 3:
        return " × ".join(map(str, shape))
    channels, height, width = shape
    return f"{height}² × {channels}" if height == width else f"{height} × {width} × {channels}"


def _mode(layer: Layer) -> str:
    """The kind of a layer's padding; empty if it has none."""
    return layer.padding.rpartition(" ")[0]


def _width(layer: Layer) -> str:
    """The width of a layer's padding."""
    return layer.padding.rpartition(" ")[2]
