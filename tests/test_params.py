"""The parameter parser: what it refuses and how it says so, layering, and the run that comes out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT
from ugatit.errors import UserError
from ugatit.modules import method_module
from ugatit.params import Params, load, merge, parse
from ugatit.run import differences, read_run, resolve, write_run
from ugatit.schema import schema_text


def overlay(params: Params, text: str) -> dict[str, Any]:
    """params.yaml with a piece of YAML laid over it."""
    return merge(params.model_dump(exclude_unset=True), yaml.safe_load(text))


def test_the_file_in_the_repository_has_the_paper_s_datasets_and_ablations(params: Params) -> None:
    assert list(params.datasets) == [
        "selfie2anime", "selfie2anime-rebuilt", "horse2zebra", "cat2dog", "photo2portrait", "photo2vangogh"
    ]  # fmt: skip
    assert params.sources["vangogh2photo"].swap
    assert {"ugatit", "ugatit-light", "ugatit-in", "ugatit-ln", "ugatit-adain", "ugatit-gn", "ugatit-no-cam",
            "ugatit-no-g-cam", "ugatit-no-d-cam"} <= params.models.keys()  # fmt: skip
    assert (params.training.steps, params.training.decay_start) == (1_000_000, 500_000)
    assert params.datasets["photo2vangogh"].direction_name("b2a") == "vangogh2photo"


REFUSED = [
    ("training: {step: 5}", r"training\.step: unknown key; did you mean 'steps'\?"),
    ("methods: {ugatit: {optimizer: {lr: 1e-4}}}", r"optimizer\.lr: found the string '1e-4', expected a number; "
     r"in YAML write 0\.0001"),
    ("training: {steps: '1000'}", r"training\.steps: found the string '1000', expected a number; in YAML write 1000$"),
    ("training: {steps: 10.5}", r"training\.steps: found float 10\.5"),
    ("training: {steps: true}", r"training\.steps: found bool True"),
    ("methods: {ugatit: {network: {light: 1}}}", r"network\.light: found int 1; .*boolean"),
    ("methods: {ugatit: {network: {light: 'yes'}}}", r"network\.light: found str 'yes'"),
    ("methods: {ugatit: {network: {lihgt: true}}}", r"network\.lihgt: unknown key; did you mean 'light'\?"),
    ("methods: {ugatit: {network: {decoder_norm: bn}}}", r"decoder_norm: found str 'bn'; .*'adalin', 'in', 'ln' or 'gn'"),
    ("training: {load_px: 100}", r"load_px 100 is smaller than the crop of 256"),
    ("training: {decay_start: 2000000}", r"decay_start 2000000 is after the last step 1000000"),
    ("datasets: {cat2dog: {source: {kind: folder, pth: x}}}", r"datasets\.cat2dog\.source\.pth: unknown key; did "
     r"you mean 'path'\?"),
    ("datasets: {cat2dog: {source: {kind: zip}}}", r"datasets\.cat2dog\.source: found dict .*`kind: folder` or `constructed`"),
    ("datasets: {cat2dog: {pictures: {train: 5}}}", r"datasets\.cat2dog\.pictures"),
    ("datasets: {Cat_Dog: {domains: [a, b], source: {kind: folder, path: x}}}", r"dataset name 'Cat_Dog': use lower"),
    ("datasets: {tables: {domains: [a, b], source: {kind: folder, path: x}}}", r"'tables' is reserved"),
    ("models: {mine: {label: x}}", r"models\.mine: needs either `method` or `external`"),
    ("models: {mine: {label: x, method: stargan}}", r"models\.mine\.method: unknown name 'stargan'"),
    ("models: {mine: {label: x, method: ugatit, preset: tff}}", r"preset: unknown name 'tff'; did you mean 'tf'\?"),
    ("tables: {kid: {models: [ugatit-lite]}}", r"tables\.kid\.models: unknown name 'ugatit-lite'; did you mean "
     r"'ugatit-light'\?"),
    ("tables: {kid: {kind: votes}}", r"tables\.kid: .*expected a mapping of `kind: metrics` \(or none\), preference or"),
    ("tables: {mine: [kid]}", r"tables\.mine: .*expected a mapping of `kind: metrics`"),
    ("tables: {preference: {metrics: [fid]}}", r"tables\.preference\.metrics: unknown key"),
    ("tables: {architecture-generator: {modl: ugatit}}", r"architecture-generator\.modl: unknown key; did you mean 'model'\?"),
    ("tables: {architecture-generator: {model: ugatit-lite}}", r"architecture-generator\.model: unknown name 'ugatit-lite'"),
    ("tables: {architecture-generator: {model: out}}\n"
     "models: {out: {label: x, external: {folders: {}, match: name}}}", r"generator\.model: out is made elsewhere"),
    ("only_dataset: cat2dogs", r"only_dataset: unknown name 'cat2dogs'; did you mean 'cat2dog'\?"),
    ("only_model: ugatit,lite", r"only_model: unknown name 'lite'"),
    ("models: {out: {label: x, external: {folders: {dogs: {}}, match: name}}}", r"folders: unknown name 'dogs'"),
    ("models: {out: {label: x, external: {folders: {}, match: name}, training: {steps: 1}}}",
     r"models\.out: external translations are not trained; remove training"),
    ("models: {cyclegan: {training: {steps: 1}}}",
     r"models\.cyclegan: `epochs` tells the length and decay, so training\.steps would not matter"),
    ("seeds: [0, -1]", r"seeds\.1: found int -1; .*greater than or equal to 0"),
    ("seeds: [0, 0]", r"seeds: found \[0, 0\], expected each once"),
    ("sedes: [1]", r"sedes: unknown key; did you mean 'seeds'\?"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), REFUSED, ids=[text for text, _ in REFUSED])
def test_refusals_say_where_what_and_what_to_do(params: Params, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        resolve(parse(overlay(params, text)), "cat2dog", "ugatit", 0)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(("params.yaml: ", "parameters of cat2dog/ugatit: "))


def test_layers_are_defaults_then_dataset_then_model(params: Params) -> None:
    config = overlay(
        params,
        """
        training: {steps: 10, decay_start: 5, flip: 0.1}
        datasets: {cat2dog: {training: {steps: 20, flip: 0.2}}}
        models: {ugatit-light: {training: {steps: 30}}}
        """,
    )
    light = resolve(parse(config), "cat2dog", "ugatit-light", 0).training
    full = resolve(parse(config), "cat2dog", "ugatit", 0).training
    other = resolve(parse(config), "horse2zebra", "ugatit", 0).training
    assert (light.steps, light.flip) == (30, 0.2)
    assert (full.steps, full.flip) == (20, 0.2)
    assert (other.steps, other.flip) == (10, 0.1)


def test_presets_come_before_a_model_s_own_parameters(params: Params) -> None:
    config = overlay(params, "models: {ugatit-tf: {parameters: {network: {rho_init: 0.5}}}}")
    network = resolve(parse(config), "cat2dog", "ugatit-tf", 0).parameters["network"]
    assert network["rho_init"] == 0.5
    assert network["cam_fc"] == "shared"


def test_a_run_holds_no_label_and_nothing_of_evaluation(params: Params) -> None:
    before = resolve(params, "cat2dog", "ugatit", 0)
    changed = overlay(
        params,
        """
        models: {ugatit: {label: Ours}}
        evaluation: {kid_subsets: 7}
        tables: {kid: {caption: other}}
        """,
    )
    assert resolve(parse(changed), "cat2dog", "ugatit", 0) == before


@pytest.mark.parametrize(
    ("dataset", "model", "message"),
    [
        ("cats", "ugatit", r"unknown dataset 'cats'"),
        ("cat2dog", "ugatit-ligth", r"did you mean 'ugatit-light'\?"),
    ],
)
def test_unknown_runs_are_refused_with_the_known_names(
    params: Params, dataset: str, model: str, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        resolve(params, dataset, model, 0)


def test_overlay_files_are_laid_over_each_other(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("training: {steps: 10, decay_start: 5}")
    (tmp_path / "b.yaml").write_text("training: {steps: 20}")
    training = load(ROOT / "params.yaml", [tmp_path / "a.yaml", tmp_path / "b.yaml"]).training
    assert (training.steps, training.decay_start, training.image_px) == (20, 5, 256)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "No such file"),
        ("a: [", "not valid YAML"),
        ("- a", "holds list; expected"),
        ("", "holds NoneType"),
    ],
)
def test_unreadable_files_are_refused(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "overlay.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UserError, match=message):
        load(ROOT / "params.yaml", [path])


EPOCHS = {"length": 200, "full_rate": 100}


@pytest.mark.parametrize(
    ("epochs", "batch_size", "expected"),
    [
        (EPOCHS, 1, (252_800, 126_400)),  # 1,264 dogs, the larger side
        (EPOCHS, 8, (31_600, 15_800)),
        ({**EPOCHS, "at_most": 200_000}, 1, (200_000, 126_400)),
        ({**EPOCHS, "at_most": 100_000}, 1, (100_000, 100_000)),
    ],
)
def test_epochs_become_steps_by_the_larger_side(
    params: Params, epochs: dict[str, int], batch_size: int, expected: tuple[int, int]
) -> None:
    model = {"epochs": epochs, "training": {"batch_size": batch_size}}
    changed = merge(params.model_dump(exclude_unset=True), {"models": {"ugatit-light": model}})
    training = resolve(parse(changed), "cat2dog", "ugatit-light", 0).training
    assert (training.steps, training.decay_start) == expected


@pytest.mark.parametrize("batch_size", [0, "two", None])
def test_epochs_with_an_impossible_batch_size_are_refused(params: Params, batch_size: object) -> None:
    model = {"epochs": EPOCHS, "training": {"batch_size": batch_size}}
    changed = parse(merge(params.model_dump(exclude_unset=True), {"models": {"ugatit-light": model}}))
    with pytest.raises(UserError, match=r"cat2dog/ugatit-light: training: batch_size: "):
        resolve(changed, "cat2dog", "ugatit-light", 0)


def test_epochs_tell_the_length_whatever_the_dataset_says(params: Params) -> None:
    changes = {
        "datasets": {"cat2dog": {"training": {"steps": 100}}},
        "models": {"ugatit-light": {"epochs": EPOCHS}},
    }
    changed = parse(merge(params.model_dump(exclude_unset=True), changes))
    assert resolve(changed, "cat2dog", "ugatit-light", 0).training.steps == 252_800


def test_epochs_without_counts_are_refused(params: Params) -> None:
    changes = {
        "datasets": {"mine": {"domains": ["a", "b"], "source": {"kind": "folder", "path": "mine"}}},
        "models": {"ugatit-light": {"epochs": EPOCHS}},
    }
    changed = parse(merge(params.model_dump(exclude_unset=True), changes))
    with pytest.raises(UserError, match=r"datasets\.mine\.pictures does not say .* set `epochs: null`"):
        resolve(changed, "mine", "ugatit-light", 0)


def test_a_model_differs_by_dataset_where_it_says_so(params: Params) -> None:
    changes = {"models": {"ugatit-light": {"per_dataset": {"cat2dog": {"loss": {"cycle": 3.0}}}}}}
    changed = parse(merge(params.model_dump(exclude_unset=True), changes))
    weights = {
        d: resolve(changed, d, "ugatit-light", 0).parameters["loss"]["cycle"]
        for d in ("cat2dog", "horse2zebra")
    }
    assert weights == {"cat2dog": 3.0, "horse2zebra": 10.0}
    changes["models"]["ugatit-light"]["per_dataset"] = {"cat2dgo": {}}
    with pytest.raises(UserError, match=r"per_dataset.*cat2dgo.*cat2dog"):
        parse(merge(params.model_dump(exclude_unset=True), changes))


def test_run_json_round_trip_and_guard(params: Params, tmp_path: Path) -> None:
    run = resolve(params, "cat2dog", "ugatit-light", 3)
    path = tmp_path / "run.json"
    write_run(path, run)
    assert read_run(path) == run
    write_run(path, run)
    other = run.model_copy(
        update={"training": run.training.model_copy(update={"steps": 5, "decay_start": 5})}
    )
    with pytest.raises(
        UserError,
        match=r"different: training\.decay_start: 500000 -> 5; training\.steps: 1000000 -> 5\. .*--force",
    ):
        write_run(path, other)
    assert read_run(path) == run
    write_run(path, other, replace=True)
    assert read_run(path) == other


def test_a_run_of_another_arithmetic_is_refused(params: Params, tmp_path: Path) -> None:
    run = resolve(params, "cat2dog", "ugatit-light", 0)
    path = tmp_path / "run.json"
    path.write_text(json.dumps({**run.model_dump(), "numerics": run.numerics + 1}))
    with pytest.raises(UserError, match="numerics 3 of ugatit; this version has 2 and 2"):
        read_run(path)


def test_differences_name_nested_keys() -> None:
    old, new = {"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": 1, "c": 5}, "e": None, "d": 3, "f": 1}
    assert differences(old, new) == ["a.c: 2 -> 5", "f: null -> 1"]


def test_the_schema_in_the_repository_is_generated_from_the_code() -> None:
    path = ROOT / "workflow" / "schemas" / "params.schema.json"
    assert path.read_text() == schema_text(), "run `ugatit schema > workflow/schemas/params.schema.json`"


def test_the_schema_knows_each_method_s_own_parameters() -> None:
    """Methods call the classes of their parameters alike; none takes the place of another's."""
    schema = json.loads(schema_text())
    for method, described in schema["properties"]["methods"]["properties"].items():
        network = described["properties"].get("network", {}).get("$ref", "").removeprefix("#/$defs/")
        if network:
            assert network == f"{method}.NetworkParameters"
            expected = method_module(method).Parameters.model_fields["network"].annotation
            assert schema["$defs"][network]["properties"].keys() == expected.model_fields.keys()
