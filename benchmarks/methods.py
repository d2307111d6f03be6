"""Is a training step slower than a plain one? `python -m benchmarks.methods`.

Times the update of every method and the step of `benchmarks.plain` in turn: the same networks, losses and
pictures, in one process with the trainer's settings for threads, memory and determinism. First it checks that
both compute the same losses. Models are those of params.yaml that are called as their methods, at a size for
two CPU cores and two to three minutes; `--image-px 256 --base-channels 64` is that of the papers. Pictures
are noise, and so are the weights of CartoonGAN's VGG19, which always has its full width: time depends on
neither.
"""

from __future__ import annotations

import importlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from benchmarks.side_by_side import Case, Comparison, compare
from ugatit.devices import choose_device, compute_deterministically, keep_freed_memory, use_threads
from ugatit.errors import UserError
from ugatit.methods.drit import PAIR
from ugatit.modules import method_module
from ugatit.nn.drit import smallest_content_px
from ugatit.nn.vgg import VGG19
from ugatit.params import Params, load, merge
from ugatit.run import method_parameters
from ugatit.strict import check

METHODS = "ugatit,cyclegan,unit,munit,drit,aggan,cartoongan"
DATASET = "selfie2anime"

PUBLISHED_CHANNELS = 64
"""To which --base-channels is the share of all widths; AGGAN's generators have half of it."""


def main(
    methods: Annotated[str, typer.Option(help="Which, with commas between.")] = METHODS,
    image_px: Annotated[int, typer.Option(help="Side of the pictures; DRIT takes 212 at least.")] = 128,
    base_channels: Annotated[int, typer.Option(help="Width of the first layers; 64 in the papers.")] = 16,
    batch_size: Annotated[int, typer.Option(help="Pictures per domain; DRIT always takes pairs.")] = 1,
    progress: Annotated[float, typer.Option(help="Share of the training that is done, above 0.")] = 1.0,
    seconds: Annotated[float, typer.Option(help="To time each method for; three pairs at least.")] = 8.0,
    device: Annotated[str, typer.Option(help="auto, cuda, cuda:N, mps or cpu.")] = "cpu",
    threads: Annotated[int | None, typer.Option(help="Of the CPU; otherwise all cores.")] = None,
    params: Annotated[Path, typer.Option(help="The parameter file.")] = Path("params.yaml"),
    output: Annotated[Path | None, typer.Option(help="File for the numbers as JSON.")] = None,
) -> None:
    """Print the seconds and operations of a step of ours and of a plain one, and the ratio of the seconds."""
    found: dict[str, Any] = {}
    try:
        chosen, loaded = choose_device(device), load(params)
        keep_freed_memory()
        compute_deterministically(chosen)
        where = torch.cuda.get_device_name(chosen) if chosen.type == "cuda" else chosen.type
        typer.echo(f"{where}, {use_threads(threads)} threads, first layers of {base_channels} channels")
        typer.echo("                   s/step          ours/plain          TFLOP/step      peak MiB")
        typer.echo("method       px    ours   plain   median (quartiles)   ours   plain    ours   plain")
        for name in methods.split(","):
            case = build_case(loaded, name, image_px, base_channels, batch_size, progress, chosen)
            compared = compare(case, importlib.import_module(f"benchmarks.plain.{name}"), seconds)
            typer.echo(_row(name, case.px, compared))
            found[name] = {"px": case.px, **asdict(compared)}
    except (UserError, ValueError) as error:
        raise typer.BadParameter(str(error)) from None
    if output is not None:
        output.write_text(json.dumps(found, indent=2) + "\n")


def build_case(
    params: Params,
    name: str,
    image_px: int,
    base_channels: int,
    batch_size: int,
    progress: float,
    device: torch.device,
) -> Case:
    """The model that is called as its method, made narrower, with pictures of noise.

    Raises: UserError for an unknown method, or a size that its networks do not allow.
    """
    if name not in METHODS.split(","):
        raise UserError(f"--methods: found {name!r}, expected some of {METHODS}, with commas between.")
    method, parameters = method_module(name), method_parameters(params, DATASET, name).model_dump()
    widths = {
        key: max(1, width * base_channels // PUBLISHED_CHANNELS)
        for key, width in parameters["network"].items()
        if key.endswith("_channels")
    }
    parameters = check(method.Parameters, merge(parameters, {"network": widths}), name)
    px, pictures = image_px, batch_size
    if name == "drit":
        px, pictures = max(px, smallest_content_px(parameters.network.content_layers)), PAIR
    sizes = {"image_px": px, "crop_px": None, "batch_size": pictures}
    method.check_training(parameters, params.training.model_copy(update=sizes))
    traits, generator = method.traits(parameters), torch.Generator().manual_seed(0)
    batches = [
        tuple(
            (torch.rand(pictures, 3, px, px, generator=generator) * 2 - 1).to(device) for _ in traits.streams
        )
        for _ in range(traits.draws)
    ]
    given: dict[str, torch.nn.Module] = {}
    if name == "cartoongan" and parameters.content.vgg:
        given["vgg"] = VGG19(parameters.content.vgg.input, parameters.content.vgg.px).eval().to(device)
    return Case(method, parameters, px, batches, given, progress, device)


def _row(name: str, px: int, c: Comparison) -> str:
    """A line of the table."""
    memory = [f"{peak:7.0f}" if peak else "      –" for peak in (c.ours.peak_mib, c.plain.peak_mib)]
    return (
        f"{name:10} {px:4} {c.ours.seconds:7.3f} {c.plain.seconds:7.3f}   {c.ratio:5.2f} "
        f"({c.quartiles[0]:.2f} to {c.quartiles[1]:.2f}) {c.ours.tflop:7.3f} {c.plain.tflop:7.3f} "
        f"{' '.join(memory)}"
    )


if __name__ == "__main__":
    typer.run(main)
