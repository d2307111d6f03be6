"""Commands that obtain raw pictures and other files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from data_prep.cli.app import app
from data_prep.cli.options import Overlays, ParamsFile, Threads, json_of, threads_of
from ugatit.errors import UserError
from ugatit.params import load
from ugatit.sources import Asset, RawSource
from ugatit.strict import check, nearest


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(help="A key of `sources:` or `assets:` in the parameter file.")],
    params: ParamsFile = Path("params.yaml"),
    overlay: Overlays = None,
    entry: Annotated[
        str | None, typer.Option(help="Instead of the file's entry: a source as JSON.", show_default=False)
    ] = None,
    asset: Annotated[
        str | None, typer.Option(help="Instead of the file's entry: an asset as JSON.", show_default=False)
    ] = None,
    raw: Annotated[
        Path | None,
        typer.Option(help="Folder of raw pictures. Needed with --entry.", show_default="<paths.raw>"),
    ] = None,
    state: Annotated[
        str, typer.Option(help="The workflow's name for the folder's state.", hidden=True)
    ] = "first",
    accept_checksum: Annotated[
        bool, typer.Option("--accept-checksum", help="Take a file whose checksum is another than known.")
    ] = False,
    threads: Threads = None,
) -> None:
    """Fetch raw pictures or a file that a step needs, unless it is there.

    A download that was cut off goes on where it was. `path` in the entry of a source names an archive or
    folder that you have. An archive is unpacked into <raw>/NAME and stays.
    """
    from data_prep.obtain import fetch_asset, obtain

    if asset is not None:
        value = check(Asset, json_of("--asset", asset), "--asset")
        typer.echo(fetch_asset(value, accept_checksum=accept_checksum))
        return
    if entry is not None:
        if raw is None:
            raise typer.BadParameter("is needed with --entry", param_hint="--raw")
        source = check(RawSource, json_of("--entry", entry), "--entry")
    else:
        values = load(params, overlay or [])
        if name in values.assets:
            typer.echo(fetch_asset(values.assets[name], accept_checksum=accept_checksum))
            return
        if name not in values.sources:
            known = [*values.sources, *values.assets]
            raise UserError(
                f"unknown source {name!r}{nearest(name, known)}; {params} has: {', '.join(known)}."
            )
        source, raw = values.sources[name], raw or Path(values.paths.raw)
    obtained = obtain(
        name, source, raw, state=state, threads=threads_of(threads), accept_checksum=accept_checksum
    )
    typer.echo(f"{raw / name}.json: {obtained.folder}")


@app.command("fetch-urls")
def fetch_url_list(
    urls: Annotated[Path, typer.Argument(help="A text file with one URL per line.")],
    folder: Annotated[Path, typer.Argument(help="Folder for the pictures.")],
    per_second: Annotated[float, typer.Option(min=0.01, max=1.0, help="Requests per second and host.")] = 1.0,
) -> None:
    """Download a list of pictures politely: obeying robots.txt, slowly, going on where it was.

    You answer for the right to download them. <folder>/fetched.jsonl says what became of each.
    """
    from data_prep.url_list import fetch_urls

    counts = fetch_urls(urls, folder, per_second=per_second)
    typer.echo(f"{folder}: " + ", ".join(f"{name} {count}" for name, count in sorted(counts.items())))
