"""Commands from weights to metrics: translate, take over, extract, evaluate, score."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ugatit.cli.app import app
from ugatit.cli.options import (
    BatchSize,
    DeviceOption,
    DirectionName,
    ExtractorHash,
    ExtractorName,
    ExtractorWeights,
    ImagePx,
    Match,
    Threads,
    direction_of,
    source_split,
)
from ugatit.datasets import Direction

if TYPE_CHECKING:
    from ugatit.evaluation.extractors import Extractor


@app.command()
def translate(
    weights: Annotated[
        Path, typer.Argument(metavar="WEIGHTS_JSON", help="From `ugatit train` or an import.")
    ],
    pictures: Annotated[Path, typer.Option(help="A dataset's manifest.csv, or any folder of pictures.")],
    direction: Annotated[DirectionName, typer.Option(help="a2b or b2a.")],
    output: Annotated[Path, typer.Option(help="Folder for one PNG per picture, and manifest.csv.")],
    split: Annotated[str | None, typer.Option(help="Split of the manifest; default: the test split.")] = None,
    codes: Annotated[
        int | None,
        typer.Option(
            min=1, help="With random codes: so many translations per picture, in folders code0, code1, ..."
        ),
    ] = None,
    device: DeviceOption = "auto",
    threads: Threads = None,
) -> None:
    """Translate pictures with trained weights: one PNG per picture, under its own name."""
    from ugatit.evaluation.translate import translate as translate_pictures

    way = direction_of(direction)
    translate_pictures(weights, pictures, split or source_split(way), way, output, device, threads, codes)


@app.command()
def attention(
    weights: Annotated[
        Path, typer.Argument(metavar="WEIGHTS_JSON", help="From `ugatit train` or an import.")
    ],
    pictures: Annotated[Path, typer.Option(help="A dataset's manifest.csv, or any folder of pictures.")],
    direction: Annotated[DirectionName, typer.Option(help="a2b or b2a.")],
    output: Annotated[Path, typer.Option(help="Folder for attention.json and attention.npz.")],
    split: Annotated[str | None, typer.Option(help="Split of the manifest; default: the test split.")] = None,
    masked_share: Annotated[
        float, typer.Option(help="Faithfulness: share of a picture's area that is masked.")
    ] = 0.2,
    draws: Annotated[int, typer.Option(help="Faithfulness: random regions per picture.")] = 10,
    seed: Annotated[int, typer.Option(help="Faithfulness: seed of their places.")] = 0,
    overlay: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Also write overlays/<map>/<picture>.png with maps of this opacity."),
    ] = None,
    device: DeviceOption = "auto",
    threads: Threads = None,
) -> None:
    """Write the attention maps of pictures, and how faithful they are: what masking does to the logit."""
    from ugatit.evaluation.attend import attend
    from ugatit.params import Masking
    from ugatit.strict import check

    way = direction_of(direction)
    values = {"masked_share": masked_share, "draws": draws, "seed": seed}
    masking = check(Masking, values, "faithfulness options")
    attend(weights, pictures, split or source_split(way), way, output, masking, overlay, device, threads)


@app.command()
def import_translations(
    folder: Annotated[Path, typer.Argument(help="Pictures made by another program.")],
    pictures: Annotated[Path, typer.Option(help="manifest.csv of the dataset they were made from.")],
    direction: Annotated[DirectionName, typer.Option(help="a2b or b2a.")],
    output: Annotated[Path, typer.Option(help="Folder for the pictures, and manifest.csv.")],
    match: Annotated[
        Match, typer.Option(help="name: called as the test picture; number: its rank, from 1, ends the name.")
    ] = Match.NAME,
    split: Annotated[
        str | None, typer.Option(help="Split they were made from; default: the test split.")
    ] = None,
    absent: Annotated[
        list[str] | None, typer.Option(help="A picture that the other program did not have; may be repeated.")
    ] = None,
) -> None:
    """Take over translations made elsewhere, so that they are evaluated like our own."""
    from ugatit.evaluation import external
    from ugatit.manifest import read_manifest

    way = direction_of(direction)
    manifest = read_manifest(pictures)
    external.import_translations(
        folder, manifest, split or source_split(way), way, match.value, output, absent or ()
    )


@app.command()
def extract_features(
    pictures: Annotated[Path, typer.Argument(help="A manifest.csv, or any folder of pictures.")],
    output: Annotated[Path, typer.Option(help="The features.json to write; the array goes beside it.")],
    split: Annotated[
        str, typer.Option(help="Split of the manifest; of a folder's pictures, only what they are called.")
    ],
    extractor: ExtractorName = "inception-v3-compat",
    weights: ExtractorWeights = None,
    sha256: ExtractorHash = None,
    image_px: ImagePx = 256,
    limit_to_split: Annotated[
        str | None, typer.Option(help="At most as many pictures as this split of the manifest has.")
    ] = None,
    batch_size: BatchSize = 32,
    device: DeviceOption = "auto",
    threads: Threads = None,
) -> None:
    """Compute the features that metrics compare. Nothing is done if they are there already."""
    from ugatit.devices import choose_device, use_threads
    from ugatit.evaluation import features
    from ugatit.evaluation.extractors import load_extractor
    from ugatit.evaluation.translate import open_pictures

    use_threads(threads)
    manifest = open_pictures(pictures, split)
    limit = len(manifest.kept(limit_to_split)) if limit_to_split else None
    network = load_extractor(extractor, weights, sha256, choose_device(device))
    features.extract_features(manifest, split, network, output, image_px, batch_size, limit)


@app.command()
def evaluate(
    real_a: Annotated[
        Path, typer.Option(help="Real pictures of A: features.json, manifest.csv or a folder.")
    ],
    real_b: Annotated[Path, typer.Option(help="Real pictures of B, likewise.")],
    output: Annotated[Path, typer.Option(help="The metrics.json to write.")],
    a2b: Annotated[Path | None, typer.Option(help="Translations from A to B, likewise.")] = None,
    b2a: Annotated[Path | None, typer.Option(help="Translations from B to A, likewise.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Noted in the result.")] = None,
    model: Annotated[str | None, typer.Option(help="Noted in the result.")] = None,
    seed: Annotated[int | None, typer.Option(help="Noted in the result.")] = None,
    kid_subsets: Annotated[int, typer.Option(min=1, help="Protocol kid: number of random subsets.")] = 100,
    kid_subset_size: Annotated[int, typer.Option(min=2, help="Protocol kid: pictures per subset.")] = 50,
    kid_seed: Annotated[int, typer.Option(min=0, help="Protocol kid: seed of the subsets.")] = 2020,
    paper_block_size: Annotated[
        int, typer.Option(min=2, help="Protocol kid_paper: pictures per block.")
    ] = 10,
    extractor: ExtractorName = "inception-v3-compat",
    weights: ExtractorWeights = None,
    sha256: ExtractorHash = None,
    image_px: ImagePx = 256,
    batch_size: BatchSize = 32,
    device: DeviceOption = "auto",
    threads: Threads = None,
) -> None:
    """Compute KID (four protocols) and FID of translations. Extractor options matter only for pictures."""
    from ugatit.evaluation import metrics
    from ugatit.evaluation.feature_file import Features, read_features
    from ugatit.files import write_json

    @cache
    def load() -> Extractor:
        from ugatit.devices import choose_device, use_threads
        from ugatit.evaluation.extractors import load_extractor

        use_threads(threads)
        return load_extractor(extractor, weights, sha256, choose_device(device))

    def read(path: Path, split: str) -> Features:
        if path.suffix == ".json":
            return read_features(path)
        from ugatit.evaluation.features import features_of

        return features_of(path, split, load(), image_px, batch_size)

    fakes: dict[Direction, Features] = {}
    if a2b is not None:
        fakes["a2b"] = read(a2b, "a2b")
    if b2a is not None:
        fakes["b2a"] = read(b2a, "b2a")
    protocols = metrics.Protocols(kid_subsets, kid_subset_size, kid_seed, paper_block_size)
    result = metrics.evaluate(
        read(real_a, "testA"),
        read(real_b, "testB"),
        fakes,
        protocols,
        dataset=dataset,
        model=model,
        seed=seed,
    )
    write_json(output, result)


@app.command()
def score(
    fakes: Annotated[
        Path, typer.Argument(metavar="FEATURES_JSON", help="Of translations, from `ugatit extract-features`.")
    ],
    target: Annotated[Path, typer.Option(help="features.json of real test pictures of the target.")],
    output: Annotated[Path, typer.Option(help="The CSV to write, one line per translation.")],
) -> None:
    """Tell what each translation contributes to kid_full: lower is nearer to the target domain."""
    from ugatit.evaluation.feature_file import read_features
    from ugatit.evaluation.scores import score_translations, write_scores

    write_scores(output, score_translations(read_features(fakes), read_features(target)))
