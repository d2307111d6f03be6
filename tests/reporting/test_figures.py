"""Figures: what they need, what they show pixel by pixel, and that the same results give the same bytes."""

from __future__ import annotations

import io
import json
import re
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.reporting.small_results import PX, ROOT, make_results, parameters, write_scores
from ugatit.errors import UserError
from ugatit.evaluation.attention import read_attention
from ugatit.evaluation.heat_map import blend, color_range, heat
from ugatit.images import read_rgb
from ugatit.manifest import read_manifest
from ugatit.modules import figure_module
from ugatit.params import Params
from ugatit.reporting.figure import (
    figure_found,
    figure_inputs,
    figure_settings,
    make_figure,
    planned_figures,
)
from ugatit.reporting.figures.curves import RATE, SPEED, read_series, running_median
from ugatit.reporting.figures.rho import read_rho
from ugatit.reporting.picture_grid import MIN_TILE_PX
from ugatit.reporting.sheet import choose_pictures
from ugatit.strict import check

DRAWN = ("figure2", "figure4", "rho", "curves", "kid", "funnel")
FACTOR = MIN_TILE_PX // PX


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    make_results(folder)
    return folder


@pytest.fixture(scope="module")
def params(results: Path) -> Params:
    return parameters(results)


def drawing(params: Params, name: str) -> Any:
    """The matplotlib figure of an entry."""
    value = figure_settings(params, name)
    module = figure_module(value["kind"])
    return module.draw(check(module.Settings, value["settings"], "test"), lambda target: f"make {target}")


def texts(figure: Any) -> str:
    """All that is written on a figure."""
    parts = [text.get_text() for text in figure.texts]
    for axes in figure.axes:
        parts += [axes.get_title(), *(text.get_text() for text in axes.texts)]
    return "\n".join(parts)


@pytest.mark.parametrize("name", DRAWN)
def test_same_results_give_the_same_bytes(params: Params, name: str, tmp_path: Path) -> None:
    for stem in ("first", "second"):
        make_figure(figure_settings(params, name), tmp_path / stem)
    for suffix in ("pdf", "png"):
        first, second = ((tmp_path / f"{stem}.{suffix}").read_bytes() for stem in ("first", "second"))
        assert first == second
        assert len(first) > 5000
    assert b"CreationDate" not in (tmp_path / "first.pdf").read_bytes()


@pytest.mark.parametrize("name", DRAWN)
def test_no_panel_is_empty_and_the_caption_stands_below(params: Params, name: str) -> None:
    figure = drawing(params, name)
    for axes in figure.axes:
        assert axes.images or axes.lines or axes.patches or axes.collections or axes.texts, axes.get_title()
    assert params.figure(name).caption.split()[0] in texts(figure)


def test_curves_add_up_what_belongs_together(results: Path) -> None:
    series = read_series(results / "results/cat2dog/ugatit/seed0/train.jsonl")
    assert list(series) == ["discriminator", "generator", "cycle", RATE, SPEED]
    steps, cycle = series["cycle"]
    assert steps.tolist() == list(range(1, 41))
    assert set(cycle.tolist()) == {1.5}
    assert running_median(np.array([1.0, 9.0, 2.0, 3.0, 4.0]), windows=1).tolist() == [
        2.0,
        2.5,
        3.0,
        3.5,
        3.0,
    ]


def test_curves_keep_losses_of_other_names_apart(tmp_path: Path) -> None:
    terms = (
        "discriminator disc_a_global disc_b2 disc_content generator generator_random content_a content_b "
        "content_prior_a content_prior_b latent_a latent_cycle_a cam_ab cam_ba mode_seeking_b"
    )
    line = {"step": 1, "losses": dict.fromkeys(terms.split(), 1.0), "lr_factor": 1.0, "steps_per_s": 4.0}
    (tmp_path / "train.jsonl").write_text(json.dumps(line) + "\n")
    values = {name: value.tolist() for name, (_, value) in read_series(tmp_path / "train.jsonl").items()}
    both = {"content", "content_prior", "cam"}
    one = {
        "discriminator",
        "disc_content",
        "generator",
        "generator_random",
        "latent",
        "latent_cycle",
        "mode_seeking",
    }
    assert values == {n: [2.0] for n in both} | {n: [1.0] for n in one} | {RATE: [1.0], SPEED: [4.0]}


def test_a_set_compared_with_itself_has_no_line(params: Params) -> None:
    written = " ".join(texts(drawing(params, "kid")).split())
    assert "No real against real for cat2dog: these are the target's test pictures themselves." in written


def test_curves_of_a_method_with_phases(tmp_path: Path) -> None:
    """CartoonGAN's discriminator comes in after its initial phase."""
    lines = [
        {"step": step, "losses": {"generator": 1.0} | ({"discriminator": 2.0} if step > 2 else {})}
        | {"lr_factor": 1.0, "steps_per_s": 4.0}
        for step in range(1, 5)
    ]
    log = tmp_path / "train.jsonl"
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    series = read_series(log)
    assert series["generator"][0].tolist() == [1, 2, 3, 4]
    assert series["discriminator"][0].tolist() == [3, 4]
    assert series["discriminator"][1].tolist() == [2.0, 2.0]


def test_rho_is_that_of_the_weights_and_smoothed_in_the_residual_blocks_alone(tmp_path: Path) -> None:
    make_results(tmp_path)
    path = tmp_path / "results/cat2dog/ugatit/seed0/weights.json"
    plain = read_rho(path)
    assert len(plain) == 12
    path.write_text(path.read_text().replace('"rho_smoothing": 0.0', '"rho_smoothing": 0.1'))
    for name, rho in read_rho(path).items():
        expected = np.clip(plain[name] - 0.1, 0, 1) if ".residual." in name else plain[name]
        assert np.array_equal(rho, expected), name
    path.with_name("weights.safetensors").write_bytes(b"others")
    with pytest.raises(UserError, match="is not the file that"):
        read_rho(path)


def test_drawing_does_not_wait_for_pytorch(params: Params, tmp_path: Path) -> None:
    value = json.dumps(figure_settings(params, "figure2"))
    code = (
        "import json, sys; from pathlib import Path; from ugatit.reporting.figure import make_figure; "
        "make_figure(json.loads(sys.argv[1]), Path(sys.argv[2])); assert 'torch' not in sys.modules"
    )
    command = [sys.executable, "-c", code, value, str(tmp_path / "figure2")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "figure2.png").is_file()


def tile_of(png: np.ndarray, picture: np.ndarray) -> tuple[int, int] | None:
    """Where a picture, enlarged by a whole factor, stands in a drawing: top and left; None if nowhere."""
    large = picture.repeat(FACTOR, axis=0).repeat(FACTOR, axis=1)
    rows, columns = np.nonzero((png[: -MIN_TILE_PX + 1, : -MIN_TILE_PX + 1] == large[0, 0]).all(axis=2))
    for y, x in zip(rows.tolist(), columns.tolist(), strict=True):
        if np.array_equal(png[y : y + MIN_TILE_PX, x : x + MIN_TILE_PX], large):
            return y, x
    return None


def shown_tiles(params: Params, results: Path) -> list[list[np.ndarray]]:
    """What figure 2 shows, row by row."""
    data = read_manifest(results / "data/cat2dog/manifest.csv")
    run = results / "results/cat2dog/ugatit/seed0"
    attention = read_attention(run / "attention/a2b/attention.json")
    rows = []
    for picture in choose_pictures(data.kept("testA"), 2, 0):
        source = data.read(picture).rgb
        with_cam = read_rgb(run / f"translations/a2b/{picture.stem}.png")
        without = read_rgb(
            results / f"results/cat2dog/ugatit-no-cam/seed0/translations/a2b/{picture.stem}.png"
        )
        row = [source]
        for name, below in (("generator", source), ("local", with_cam), ("global", with_cam)):
            drawn = attention.of(name, picture.stem)
            assert drawn is not None
            row.append(blend(below, heat(drawn, PX, color_range(attention.arrays[name])), 0.6))
        rows.append([*row, with_cam, without])
    return rows


def test_every_pixel_of_the_pictures_and_maps_is_in_the_png(
    params: Params, results: Path, tmp_path: Path
) -> None:
    make_figure(figure_settings(params, "figure2"), tmp_path / "figure2")
    png = read_rgb(tmp_path / "figure2.png")
    places = [[tile_of(png, tile) for tile in row] for row in shown_tiles(params, results)]
    assert all(place is not None for row in places for place in row)
    tops = [{place[0] for place in row if place} for row in places]
    lefts = [{row[k][0:2][1] for row in places if row[k]} for k in range(6)]  # type: ignore[index]
    assert [len(top) for top in tops] == [1, 1], "rows are level"
    assert [len(left) for left in lefts] == [1] * 6, "columns are aligned"
    assert sorted(min(left) for left in lefts) == [min(left) for left in lefts], "in the paper's order"


def test_pdf_holds_the_pictures_unblurred(params: Params, results: Path, tmp_path: Path) -> None:
    make_figure(figure_settings(params, "figure2"), tmp_path / "figure2")
    pdf = (tmp_path / "figure2.pdf").read_bytes()
    assert b"/Interpolate" not in pdf
    pattern = rb"/Width %d\b[^>]*>>[^>]*>>\nstream\r?\n(.*?)\r?\nendstream" % MIN_TILE_PX
    images = [_undo_png(zlib.decompress(data)) for data in re.findall(pattern, pdf, re.DOTALL)]
    source = shown_tiles(params, results)[0][0]
    large = source.repeat(FACTOR, axis=0).repeat(FACTOR, axis=1)
    # Row order in the file is the backend's business, undone by the placing transformation.
    assert any(np.array_equal(image, large) or np.array_equal(image[::-1], large) for image in images)


def _undo_png(rows: bytes) -> np.ndarray:
    """The pixels of PNG-filtered rows, as PDF streams hold them."""
    side = MIN_TILE_PX

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    png = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def test_rule_of_choice_and_faithfulness_stand_below(params: Params) -> None:
    written = texts(drawing(params, "figure2"))
    assert "chosen at random with seed 0, 2 per dataset" in written
    assert "one colour scale per map" in " ".join(written.split())
    assert "Faithfulness (cat2dog): masking the hottest 20%" in " ".join(written.split())


def test_panels_without_a_run_are_pale_and_say_the_command(params: Params, results: Path) -> None:
    written = texts(drawing(params, "figure4"))
    assert written.count("no run yet") == 2 * 1 + 2 * 3
    assert written.count("no dataset yet") == 2
    whole = "".join(written.split())  # commands of this folder's long names are broken into lines
    assert f"U-GAT-ITw/GN:make{results}/results/cat2dog/ugatit-gn/seed0/metrics.json" in whole
    alike = f"make{results}/results/horse2zebra/{{ugatit,ugatit-no-cam,ugatit-gn}}/seed0/metrics.json"
    assert alike in whole
    for name in ("rho", "curves"):
        assert "make " in texts(drawing(params, name))
    assert "not made from raw pictures" in texts(drawing(params, "funnel"))


def test_commands_name_the_parameter_files_laid_over(params: Params, tmp_path: Path) -> None:
    value = figure_settings(params, "figure4")
    module = figure_module("grid")
    drawn: list[str] = []

    def remember(settings: Any, command: Any) -> Any:
        drawn.append(command("results/x.json"))
        return original(settings, command)

    original, module.draw = module.draw, remember
    try:
        make_figure(value, tmp_path / "f", [Path("mine.yaml"), Path("my runs/b.yaml")])
        make_figure(value, tmp_path / "f")
    finally:
        module.draw = original
    assert drawn == [
        "snakemake --cores all results/x.json --configfile mine.yaml 'my runs/b.yaml'",
        "snakemake --cores all results/x.json",
    ]


def test_only_what_the_tables_plan_is_made_for_a_figure(params: Params, results: Path) -> None:
    run = f"{results}/results/cat2dog/ugatit"
    assert figure_inputs(params, "figure4") == [
        f"{results}/data/cat2dog/manifest.csv",
        f"{run}/seed0/translations/a2b/manifest.csv",
        f"{run}-no-cam/seed0/translations/a2b/manifest.csv",
    ]
    assert f"{run}/seed0/attention/a2b/attention.json" in figure_inputs(params, "figure2")
    assert set(planned_figures(params)) == {
        "figure2", "figure4", "appendix-cat2dog", "appendix-dog2cat", "rho", "curves", "kid"
    }  # fmt: skip
    restricted = parameters(results, {"only_model": "ugatit-no-cam"})
    assert f"{run}/seed0/attention/a2b/attention.json" not in figure_inputs(restricted, "figure2")


def test_other_results_are_shown_if_they_are_there_and_noticed_if_they_change(tmp_path: Path) -> None:
    make_results(tmp_path)
    params = parameters(tmp_path, {"tables": {"kid": {"models": ["ugatit"]}}})
    other = tmp_path / "results/cat2dog/ugatit-no-cam/seed0/translations/a2b/manifest.csv"
    assert str(other) not in figure_inputs(params, "figure4")
    before = figure_found(params, "figure4")
    assert list(before) == [str(other)]
    assert (
        "U-GAT-IT w/o CAM"
        not in texts(drawing(params, "figure4")).split("No run yet of cat2dog")[1].split("make")[0]
    )
    other.write_bytes(other.read_bytes() + b"\n")
    assert figure_found(params, "figure4") != before


def test_attention_of_another_picture_is_refused(tmp_path: Path) -> None:
    make_results(tmp_path)
    data = tmp_path / "results/cat2dog/ugatit/seed0/attention/a2b/attention.json"
    sha = read_manifest(tmp_path / "data/cat2dog/manifest.csv").kept("testA")[0].sha256
    data.write_text(data.read_text().replace(sha, "0" * 64))
    params = parameters(tmp_path, {"figures": {"figure2": {"choice": {"rows": 6}}}})
    with pytest.raises(UserError, match="of another picture"):
        drawing(params, "figure2")


def test_a_model_without_a_map_or_a_direction_says_so(results: Path) -> None:
    over = {"figures": {"figure2": {"attention": {"model": "ugatit-no-cam"}}}}
    assert texts(drawing(parameters(results, over), "figure2")).count("the model has no\nsuch map") == 6


def test_pictures_by_score_are_in_the_order_of_the_score(tmp_path: Path) -> None:
    make_results(tmp_path)
    score = {"by": "score", "model": "ugatit", "places": ["best", "worst"], "rows": 2}
    params = parameters(tmp_path)
    entry = params.figures["figure2"] | {"choice": score}
    params = params.model_copy(update={"figures": {"figure2": entry}})
    path = tmp_path / "results/cat2dog/ugatit/seed0/scores/a2b.csv"
    assert str(path) in figure_inputs(params, "figure2")
    missing = texts(drawing(params, "figure2"))
    assert "no scores yet" in missing and f"make{path}" in "".join(missing.split())
    write_scores(path, {f"p{k}": float(value) for k, value in enumerate([3, 1, 4, 1.5, 9, 2])})
    written = texts(drawing(params, "figure2"))
    assert "by score (share of kid_full) of U-GAT-IT: 1 best, 1 worst" in written


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"kind": "grit"}, r"kind 'grit': no file ugatit/reporting/figures/grit.py; did you mean 'grid'\?"),
        ({"rows": 3}, "figures.figure2: rows: unknown key"),
        (
            {"datasets": ["cat2dgo"]},
            "figures.figure2.datasets: unknown name 'cat2dgo'; did you mean 'cat2dog'",
        ),
        ({"models": ["ugatitt"]}, "figures.figure2.models: unknown name 'ugatitt'"),
        ({"attention": {"model": "ugatitt"}}, "figures.figure2.models: unknown name 'ugatitt'"),
        ({"choice": {"by": "hand"}}, "figures.figure2: choice"),
        ({"choice": {"rows": 0}}, "figures.figure2: choice.rows"),
        ({"direction": "a2c"}, "figures.figure2: direction"),
    ],
)
def test_mistakes_in_an_entry_are_refused(results: Path, entry: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        parameters(results, {"figures": {"figure2": entry}})


def test_unknown_figure_is_refused(params: Params) -> None:
    with pytest.raises(UserError, match="unknown figure 'figure5'; did you mean 'figure"):
        figure_settings(params, "figure5")
