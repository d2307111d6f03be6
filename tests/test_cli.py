"""The commands: what a user's mistake looks like, and that help teaches."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image

from tests.conftest import ROOT, MakeRun
from ugatit import cli
from ugatit.evaluation.extractors import WEIGHTS_SHA256
from ugatit.files import read_json, write_json
from ugatit.manifest import Manifest
from ugatit.params import Params
from ugatit.training.loop import Options, train


class Outcome:
    """How a command ended and what it wrote."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def run_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):  # noqa: ANN201
    """Run `ugatit` with arguments, in this process."""

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["ugatit", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        written = capsys.readouterr()
        return Outcome(int(ended.value.code or 0), written.out, written.err)

    return run


def assert_refused(outcome: Outcome, *parts: str) -> None:
    """Exit code 2, and one line that says the parts."""
    assert outcome.code == 2, outcome.err
    lines = [line for line in outcome.err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    assert "Traceback" not in outcome.err
    for part in parts:
        assert part in lines[0]


COMMANDS = sorted(
    command.name or command.callback.__name__.replace("_", "-") for command in cli.app.registered_commands
)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_explains_every_option(run_command, command: str) -> None:  # noqa: ANN001
    parameters = typer.main.get_command(cli.app).commands[command].params  # type: ignore[attr-defined]
    assert [parameter.name for parameter in parameters if not parameter.help] == []
    outcome = run_command(command, "--help")
    assert outcome.code == 0
    assert all(
        option in outcome.out for parameter in parameters for option in parameter.opts if "--" in option
    )


def test_resolve_refuses_unknown_names_and_bad_overlays(run_command, tmp_path: Path) -> None:  # noqa: ANN001
    params = ["--params", ROOT / "params.yaml", "--output", tmp_path / "run.json"]
    assert_refused(run_command("resolve", "cats", "ugatit", *params), "unknown dataset 'cats'")
    (tmp_path / "o.yaml").write_text("methods: {ugatit: {optimizer: {lr: 1e-4}}}")
    outcome = run_command("resolve", "cat2dog", "ugatit", *params, "--overlay", tmp_path / "o.yaml")
    assert_refused(outcome, "optimizer.lr", "found the string '1e-4'", "0.0001")
    assert_refused(run_command("resolve", *params), "which run?")
    assert_refused(run_command("resolve", *params, "--value", "{"), "--value: not JSON")
    both = run_command("resolve", "cat2dog", "ugatit", *params, "--value", "{}")
    assert_refused(both, "leave out DATASET and MODEL")
    assert not (tmp_path / "run.json").exists()


def test_resolve_refuses_a_size_that_the_networks_do_not_allow(run_command, tmp_path: Path) -> None:  # noqa: ANN001
    (tmp_path / "o.yaml").write_text("training: {image_px: 64}")
    outcome = run_command(
        *("resolve", "cat2dog", "ugatit", "--params", ROOT / "params.yaml", "--overlay", tmp_path / "o.yaml"),
        *("--output", tmp_path / "run.json"),
    )
    assert_refused(outcome, "found 64", "from 96 on", "Use 96 or more")


def test_figure_and_attention_refuse_what_they_cannot_use(run_command, tmp_path: Path) -> None:  # noqa: ANN001
    figure = ("figure", "figure9", "--output-stem", tmp_path / "f", "--params", ROOT / "params.yaml")
    assert_refused(run_command(*figure), "unknown figure 'figure9'", "did you mean 'figure", "`figures:`")
    outcome = run_command("figure", "figure2", "--output-stem", tmp_path / "f", "--settings", "[]")
    assert_refused(outcome, "figure settings: expected a mapping")
    attention = ("attention", tmp_path / "weights.json", "--pictures", tmp_path, "--direction", "a2b")
    outcome = run_command(*attention, "--output", tmp_path, "--masked-share", "1.5")
    assert_refused(outcome, "faithfulness options: masked_share", "less than 1")
    assert not list(tmp_path.iterdir())


def test_train_refuses_missing_and_damaged_input(run_command, make_run: MakeRun, dataset: Manifest) -> None:  # noqa: ANN001
    path, _ = make_run()
    nowhere = path.with_name("nowhere.json")
    assert_refused(run_command("train", nowhere, "--data", dataset.path), "no such file", "ugatit resolve")
    assert_refused(run_command("train", path, "--data", nowhere), "no such manifest", "data-prep build")
    outcome = run_command("train", path, "--data", dataset.path, "--device", "gpu")
    assert_refused(outcome, "device 'gpu': unknown", "cuda")
    path.write_text("{}")
    assert_refused(run_command("train", path, "--data", dataset.path), "run.json", "missing; add it")


def test_translate_takes_odd_pictures_and_names_bad_ones(
    run_command,  # noqa: ANN001
    make_run: MakeRun,
    dataset: Manifest,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    weights = train(make_run()[0], dataset.path, Options(device="cpu", threads=1, samples=0))
    folder = tmp_path / "pictures"
    folder.mkdir()
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 20, 3), dtype=np.uint8))
    picture.convert("L").save(folder / "grey.jpg")
    picture.convert("CMYK").save(folder / "cmyk.jpg")
    picture.convert("RGBA").save(folder / "alpha.png")
    rotated = Image.Exif()
    rotated[0x0112] = 6
    picture.save(folder / "rotated.jpg", exif=rotated)
    (folder / "text.png").write_text("no picture")
    whole = (folder / "alpha.png").read_bytes()
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    output = tmp_path / "out"
    common = ["--pictures", folder, "--direction", "a2b", "--device", "cpu", "--output", output]
    assert run_command("translate", weights, *common).code == 0
    assert sorted(file.name for file in output.glob("*.png")) == [
        "alpha.png",
        "cmyk.png",
        "grey.png",
        "rotated.png",
    ]
    assert "text.png: left out: not a picture (text)" in caplog.text
    assert "cut.png: left out:" in caplog.text
    picture.save(folder / "grey.png")
    assert_refused(run_command("translate", weights, *common), "both would become grey.png")


def test_translate_refuses_weights_that_are_missing_changed_or_of_another_shape(
    run_command,  # noqa: ANN001
    make_run: MakeRun,
    dataset: Manifest,
    tmp_path: Path,
) -> None:
    weights = train(make_run()[0], dataset.path, Options(device="cpu", threads=1, samples=0))
    common = [
        "--pictures",
        dataset.path,
        "--direction",
        "b2a",
        "--device",
        "cpu",
        "--output",
        tmp_path / "out",
    ]
    assert_refused(
        run_command("translate", tmp_path / "weights.json", *common), "no such file", "Train the run"
    )
    described = read_json(weights, "", "")
    described["run"]["parameters"]["network"]["base_channels"] = 8
    write_json(weights, described)
    assert_refused(run_command("translate", weights, *common), "does not fit gen_ab")
    tensors = weights.with_name("weights.safetensors")
    tensors.write_bytes(tensors.read_bytes()[:-1])
    assert_refused(run_command("translate", weights, *common), "SHA-256 differs")
    assert not (tmp_path / "out").exists()


def test_evaluate_refuses_too_few_pictures_and_features_of_another_extractor(
    run_command,  # noqa: ANN001
    dataset: Manifest,
    tmp_path: Path,
) -> None:
    small = ["--extractor", "efficientnet-lite0", "--image-px", 16, "--device", "cpu"]
    features = {split: tmp_path / f"{split}.json" for split in ("trainA", "trainB")}
    for split, path in features.items():
        assert (
            run_command("extract-features", dataset.path, "--split", split, "--output", path, *small).code
            == 0
        )
    a, b = features.values()
    common = ["--real-a", a, "--real-b", b, "--a2b", a, "--output", tmp_path / "metrics.json"]
    assert_refused(run_command("evaluate", *common), "a KID subset needs 50", "--kid-subset-size")
    sizes = ["--kid-subset-size", 3, "--paper-block-size", 5]
    assert run_command("evaluate", *common, *sizes).code == 0
    changed = read_json(b, "", "")
    changed["extractor"]["name"] = "inception-v3-compat"
    write_json(b, changed)
    assert_refused(run_command("evaluate", *common, *sizes), "inception-v3-compat", "efficientnet-lite0")


NUMBERS_OUT_OF_RANGE = [
    ("evaluate", "--kid-subsets", 0), ("evaluate", "--kid-subset-size", 1), ("evaluate", "--kid-seed", -1),
    ("evaluate", "--paper-block-size", 1), ("evaluate", "--image-px", 0), ("evaluate", "--batch-size", 0),
    ("extract-features", "--threads", 0), ("train", "--samples", -1), ("resolve", "--seed", -1),
    ("sheet", "--rows", 0), ("sheet", "--seed", -1),
]  # fmt: skip


@pytest.mark.parametrize(("command", "option", "number"), NUMBERS_OUT_OF_RANGE)
def test_numbers_out_of_range_are_refused(run_command, command: str, option: str, number: int) -> None:  # noqa: ANN001
    outcome = run_command(command, option, number)
    assert outcome.code == 2
    assert (
        f"Invalid value for '{option}': Input should be greater than or equal to {number + 1}" in outcome.err
    )
    assert "Traceback" not in outcome.err


def test_by_hand_the_protocols_are_those_of_the_tables(params: Params) -> None:
    tables = params.evaluation
    commands = typer.main.get_command(cli.app).commands  # type: ignore[attr-defined]
    options = {parameter.name: parameter.default for parameter in commands["evaluate"].params}
    for name in ("kid_subsets", "kid_subset_size", "kid_seed", "paper_block_size", "batch_size"):
        assert options[name] == getattr(tables, name), name
    assert options["extractor"] == tables.extractor.name
    assert options["image_px"] == params.training.image_px
    assert tables.extractor.sha256 == WEIGHTS_SHA256[tables.extractor.name]
    options = {parameter.name: parameter.default for parameter in commands["attention"].params}
    assert {name: options[name] for name in params.attention.model_dump()} == params.attention.model_dump()


def test_extract_features_refuses_missing_and_empty_folders(run_command, tmp_path: Path) -> None:  # noqa: ANN001
    small = [
        "--split",
        "x",
        "--extractor",
        "efficientnet-lite0",
        "--output",
        tmp_path / "f.json",
    ]
    assert_refused(run_command("extract-features", tmp_path / "nowhere.csv", *small), "no such manifest")
    (tmp_path / "empty").mkdir()
    assert_refused(
        run_command("extract-features", tmp_path / "empty", *small), "no pictures; expected files ending"
    )


def test_a_label_without_a_manifest_is_refused(run_command, dataset: Manifest, tmp_path: Path) -> None:  # noqa: ANN001
    outcome = run_command(
        *("sheet", "--pictures", dataset.path, "--direction", "a2b", "--translations", "x.csv"),
        *("--output", tmp_path / "s.png"),
    )
    assert_refused(outcome, "expected LABEL=MANIFEST")


def test_status_shows_what_runs_and_what_is_finished(
    run_command, make_run: MakeRun, dataset: Manifest
) -> None:  # noqa: ANN001
    path, _ = make_run("cat2dog/ugatit/seed0")
    train(path, dataset.path, Options(device="cpu", threads=1, samples=0))
    outcome = run_command("status", path.parents[3])
    assert outcome.code == 0
    assert "finished" in outcome.out
    assert_refused(run_command("status", path.parent / "nowhere"), "no such folder")
