"""The commands of a construction, as a shell or a rule of the workflow gives them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import data_prep.review.server
from data_prep.drawing.anime import draw_anime
from data_prep.items import read_items
from data_prep.obtain import read_obtained
from data_prep.review.decisions import DROP, KEEP, Decision, write_decisions
from data_prep.review.page import Review
from data_prep.stages.order import SIDE_STAGES
from tests.data_prep.http_server import Answer, Server
from tests.data_prep.small_side import DETECTOR, encoded, small_stages
from tests.data_prep.test_build_command import PARAMS, run
from tests.data_prep.test_opening import DATASET, come_so_far, parameter_file
from ugatit.construction import SIDES, Construction
from ugatit.manifest import SPLITS, read_manifest, write_manifest
from ugatit.params import Params

FACES, TRAIN, TEST = 5, 3, 1
SIDE = json.dumps({"source": "faces", "pictures": "a", "metadata": "a.csv", "format": "table"})


@dataclass(frozen=True)
class Shell:
    """Runs the command and keeps what it said."""

    monkeypatch: pytest.MonkeyPatch
    captured: pytest.CaptureFixture[str]

    def ok(self, *arguments: object) -> str:
        """Standard output of a command that must succeed."""
        code = run(self.monkeypatch, *arguments)
        shown = self.captured.readouterr()
        assert code == 0, shown.err
        return shown.out

    def mistake(self, *arguments: object) -> str:
        """The one line that is said of a user's mistake."""
        code = run(self.monkeypatch, *arguments)
        shown = self.captured.readouterr()
        assert code == 2
        assert shown.err.count("\n") == 1 and shown.err.startswith("error: ")
        assert not shown.out
        return shown.err

    def misuse(self, *arguments: object) -> str:
        """What is said of options that do not go together."""
        code = run(self.monkeypatch, *arguments)
        shown = self.captured.readouterr()
        assert code == 2
        assert "Traceback" not in shown.err and "Usage" in shown.err
        return shown.err


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Shell:
    """A shell in an empty folder."""
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    return Shell(monkeypatch, capfd)


def faces(root: Path) -> Path:
    """Raw pictures of two sides with their tables: good faces, a man and a picture without a face each."""
    for number, side in enumerate(SIDES):
        (root / side).mkdir(parents=True)
        table = ["file,gender"]
        for k in range(FACES + 2):
            options: dict[str, Any] = {"people": 0} if k == FACES else {"face": 0.44}
            (root / side / f"{k}.png").write_bytes(encoded(draw_anime(10 + number, k, 120, **options).rgb))
            table.append(f"{k}.png,{'Male' if k > FACES else 'Female'}")
        (root / f"{side}.csv").write_text("\n".join(table) + "\n")
    return root


@pytest.fixture
def stages(params: Params) -> Construction:
    """Stages that need no file and no network, and find nothing doubtful."""
    changes: dict[str, Any] = {
        "detect": {"detector": DETECTOR},
        "quality": {"review_side_px": 32, "min_side_px": 32, "monochrome": None},
        "dedupe": {"drop_distance": 0, "review_distance": 0},
    }
    side = small_stages(params, **changes)
    return Construction(a=side, b=side.model_copy(update={"export": params.construction.a.export}))


def construct(shell: Shell, root: Path, stages: Construction, side: str, *last: object) -> Path:
    """Run all stages of a side as the workflow's rules do; returns the last manifest."""
    folder, settings = root / "data" / "stages" / side, getattr(stages, side)
    raw_side = {"source": "faces", "pictures": side, "metadata": f"{side}.csv", "format": "table"}
    before: list[object] = []
    for stage in SIDE_STAGES:
        values = settings if stage == "review" else getattr(settings, stage, None)
        options = [*before, "--output", folder / f"{stage}.csv", "--threads", 1]
        if values is not None:
            options += ["--settings", values.model_dump_json()]
        if stage == "review":
            options += ["--decisions", root / "decisions.csv", "--dataset", "mine", "--auto"]
        if stage == "split":
            options += ["--train", TRAIN, "--test", TEST]
        shell.ok(
            "construct",
            stage,
            "--obtained",
            root / "raw/faces.json",
            "--side",
            json.dumps(raw_side),
            *options,
        )
        before = ["--input", folder / f"{stage}.csv"]
    return folder / "split.csv"


def test_the_commands_lead_from_raw_pictures_to_a_dataset(
    shell: Shell, tmp_path: Path, stages: Construction
) -> None:
    entry = json.dumps({"path": str(faces(tmp_path / "faces"))})
    record = tmp_path / "raw/faces.json"
    shown = shell.ok("fetch", "faces", "--entry", entry, "--raw", tmp_path / "raw")
    assert shown == f"{record}: {tmp_path / 'faces'}\n"
    manifests = {side: construct(shell, tmp_path, stages, side) for side in SIDES}
    for manifest in manifests.values():
        chosen = read_items(manifest)
        assert len(chosen) == FACES + 2
        assert {"train", "test"} <= {item.split for item in chosen}

    data = tmp_path / "data"
    last = ["--side-a", manifests["a"], "--side-b", manifests["b"]]
    shown = shell.ok("export", *last, "--settings", stages.model_dump_json(), "--output", data, "--auto")
    assert shown == f"{data}: {2 * (TRAIN + TEST)} pictures\n"
    assert not (data / "manifest.csv").exists()
    assert json.loads((data / "source.json").read_text())["source"]["reviewed"] is False

    listed, counts = (
        data / "stages/export.csv",
        {"trainA": TRAIN, "trainB": TRAIN, "testA": TEST, "testB": TEST},
    )
    check = ["verify", listed, "--size-px", stages.a.upscale.size_px, "--output", data / "manifest.csv"]
    assert "trainA 3 of 4" in shell.mistake(*check, "--pictures", json.dumps({**counts, "trainA": TRAIN + 1}))
    assert not (data / "manifest.csv").exists()
    shown = shell.ok(*check, "--pictures", json.dumps(counts))
    assert f"{data}: no bytes twice\n" in shown and f"{data}: counts as asked\n" in shown
    verified = read_manifest(data / "manifest.csv")
    assert {split: len(verified.kept(split)) for split in SPLITS} == counts
    assert (data / "manifest.csv").read_bytes() == listed.read_bytes()

    sides = [
        option
        for side, name in zip(SIDES, ("selfie", "anime"), strict=True)
        for option in (
            "--raw-side", json.dumps({"source": "faces", "pictures": side, "metadata": None}),
            "--obtained", record, "--domain", name,
        )
    ]  # fmt: skip
    shown = shell.ok("funnel", *last, *sides, "--auto", "--output", data / "report")
    assert [line[:4] for line in shown.splitlines()] == ["a: 7", "b: 7"]
    assert "4 (split)" in shown
    assert "Not reviewed" in (data / "report/funnel.md").read_text()
    assert len(list((data / "report").glob("*.png"))) == 5


def test_the_manifest_waits_for_every_check(shell: Shell, tmp_path: Path, stages: Construction) -> None:
    entry = json.dumps({"path": str(faces(tmp_path / "faces"))})
    shell.ok("fetch", "faces", "--entry", entry, "--raw", tmp_path / "raw")
    a, b = (construct(shell, tmp_path, stages, side) for side in SIDES)
    data = tmp_path / "data"
    export = [
        "export",
        "--side-a",
        a,
        "--side-b",
        b,
        "--settings",
        stages.model_dump_json(),
        "--output",
        data,
    ]
    verify = ["verify", data / "stages/export.csv", "--output", data / "manifest.csv", "--size-px"]
    shell.ok(*export)
    shell.ok(*verify, stages.a.upscale.size_px)
    shell.ok(*export)
    assert not (data / "manifest.csv").exists()
    assert "not true that every picture is whole" in shell.mistake(*verify, 100)
    assert not (data / "manifest.csv").exists()


def test_an_entry_of_the_file_is_fetched(shell: Shell, tmp_path: Path) -> None:
    faces(tmp_path / "faces")
    mine = ["--params", PARAMS, "--overlay", parameter_file(tmp_path)]
    shell.ok("fetch", "faces", *mine)
    assert read_obtained(tmp_path / "raw/faces.json").folder == str(tmp_path / "faces")
    shell.ok("fetch", "faces", *mine, "--raw", tmp_path / "elsewhere", "--state", "later")
    assert read_obtained(tmp_path / "elsewhere/faces.json").state == "later"


def test_an_asset_is_fetched(shell: Shell, tmp_path: Path, server: Server) -> None:
    file = tmp_path / "assets/model.xml"
    url = server.set("/model.xml", Answer(b"<?xml?>"))
    entry = {"file": str(file), "mirrors": [{"url": url, "sha256": "0" * 64}]}
    fetch = ["fetch", "model", "--asset", json.dumps(entry)]
    assert "--accept-checksum" in shell.mistake(*fetch)
    assert shell.ok(*fetch, "--accept-checksum") == f"{file}\n"
    assert file.read_bytes() == b"<?xml?>"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["fetch", "hors2zebra"], "unknown source 'hors2zebra'; did you mean 'horse2zebra'?"),
        (["fetch", "lbpcascade-animefac"], "did you mean 'lbpcascade-animeface'?"),
        (["fetch", "anime-planet"], "raw/anime-planet: no such folder"),
        (["fetch", "x", "--asset", "{"], "--asset: '{' is not valid JSON"),
        (["fetch", "x", "--asset", "{}"], "--asset: file: missing"),
        (["fetch", "x", "--asset", "[]"], "--asset: "),
        (["fetch", "x", "--entry", "[", "--raw", "r"], "--entry: '[' is not valid JSON"),
        (["fetch", "x", "--entry", '{"pth": "y"}', "--raw", "r"], "pth: unknown key; did you mean 'path'?"),
        (["fetch", "x", "--entry", '{"path": "none.zip"}', "--raw", "r"], "none.zip does not exist"),
        (["fetch", "x", "--params", "none.yaml"], "none.yaml: "),
        (["fetch-urls", "none.txt", "pictures"], "none.txt"),
        (
            ["build", "selfie2anime-rebuilt"],
            "is made in stages; run `snakemake --cores all data/selfie2anime",
        ),
        (["build", "cat2dgo"], "unknown dataset 'cat2dgo'; did you mean 'cat2dog'?"),
        (["build", "--source", '"x"', "--obtained", "x.json", "--output", "y"], "x.json: no such file"),
        (["review", "selfie2anime-rebuild"], "; did you mean 'selfie2anime-rebuilt'?"),
        (["status", "cat2dgo"], "; did you mean 'cat2dog'?"),
        (["review", "cat2dog"], "datasets.cat2dog: is not constructed"),
        (["status", "cat2dog"], "datasets.cat2dog: is not constructed"),
        (["review", "selfie2anime-rebuilt"], "nothing to review yet. Run `snakemake --cores all data/"),
        (["status", "selfie2anime-rebuilt"], "nothing to review yet. Run `snakemake --cores all data/"),
    ],
)
def test_a_mistake_in_what_is_asked_for_is_one_line(shell: Shell, arguments: list[str], words: str) -> None:
    Path("params.yaml").write_bytes(PARAMS.read_bytes())
    assert words in shell.mistake(*arguments)


CONSTRUCT = ["--obtained", "raw/faces.json", "--output", "stages/x.csv"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["dedup", "--side", SIDE],
            "unknown stage 'dedup'; did you mean 'dedupe'?; there are: index, decode, ",
        ),
        (["index", "--side", "{"], "--side: '{' is not valid JSON"),
        (["index", "--side", "{}"], "--side: source: missing"),
        (["index", "--side", "[]"], "--side: "),
        (["index", "--side", SIDE], "raw/faces.json: no such file; expected the record of raw pictures"),
    ],
)
def test_a_stage_that_cannot_begin_says_so_in_one_line(
    shell: Shell, arguments: list[str], words: str
) -> None:
    assert words in shell.mistake("construct", *arguments, *CONSTRUCT)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["decode", "--settings", "{", "--input", "x.csv"], "--settings: '{' is not valid JSON"),
        (["decode", "--settings", "{}", "--input", "x.csv"], "x.csv: no such file; expected the manifest"),
        (["decode", "--settings", "{}", "--input", "stages/a.csv"], "settings of decode: "),
        (["decode", "--settings", "[]", "--input", "stages/a.csv"], "settings of decode: "),
        (["index"], "pictures"),
    ],
)
def test_a_stage_with_a_record_says_what_else_it_lacks(
    shell: Shell, tmp_path: Path, arguments: list[str], words: str
) -> None:
    come_so_far(tmp_path)
    record = tmp_path / "raw/faces.json"
    Path("stages").mkdir()
    Path("stages/a.csv").write_bytes((tmp_path / "data" / DATASET / "stages/a/dedupe.csv").read_bytes())
    side = json.dumps({"source": "faces", "pictures": "none", "metadata": None})
    options = ["--side", side, "--obtained", record, "--output", "stages/x.csv"]
    assert words in shell.mistake("construct", *arguments, *options)
    assert not Path("stages/x.csv").exists()


BOTH = ["--side-a", "a.csv", "--side-b", "b.csv"]
RAW_SIDES = ["--raw-side", SIDE, "--obtained", "r.json", "--domain", "one"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["export", *BOTH, "--settings", "{", "--output", "x"], "--settings: '{' is not valid JSON"),
        (["export", *BOTH, "--settings", "{}", "--output", "x"], "--settings: a: missing"),
        (["verify", "none.csv", "--size-px", "48", "--output", "x/manifest.csv"], "none.csv: no such"),
        (["verify", "list.csv", "--size-px", "48", "--output", "m.csv", "--pictures", "{"], "--pictures: '{'"),
        (["verify", "list.csv", "--size-px", "48", "--output", "m.csv", "--pictures", "[5]"], "--pictures: "),
        (["verify", "list.csv", "--size-px", "48", "--output", "m.csv", "--pictures", '{"trainA": "5"}'],
         "--pictures: "),
        (["funnel", *BOTH, *RAW_SIDES, *RAW_SIDES, "--output", "x"], "r.json: no such file"),
        (["funnel", *BOTH, "--raw-side", "{", *RAW_SIDES[2:], *RAW_SIDES, "--output", "x"], "--raw-side: '{'"),
    ],
)  # fmt: skip
def test_the_last_stages_say_in_one_line_what_they_lack(
    shell: Shell, arguments: list[str], words: str
) -> None:
    write_manifest(Path("list.csv"), [])
    assert words in shell.mistake(*arguments)


def test_a_missing_manifest_of_a_side_is_named(shell: Shell, stages: Construction) -> None:
    text = stages.model_dump_json()
    assert "a.csv: no such file" in shell.mistake("export", *BOTH, "--settings", text, "--output", "x")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["fetch"], "name"),
        (["fetch", "x", "--entry", "{}"], "--raw"),
        (["fetch-urls", "urls.txt", "pictures", "--per-second", "5"], "--per-second"),
        (["build", "--source", '"x"', "--output", "y"], "--obtained"),
        (["construct", "decode", "--side", SIDE, *CONSTRUCT], "--input"),
        (["construct", "index", "--side", SIDE], "--obtained"),
        (["construct", "split", "--side", SIDE, *CONSTRUCT, "--train", "-1"], "--train"),
        (["export", "--side-a", "a.csv"], "--side-b"),
        (["verify", "list.csv", "--size-px", "0", "--output", "m.csv"], "--size-px"),
        (["funnel", *BOTH, *RAW_SIDES, "--output", "x"], "twice"),
        (["funnel", *BOTH, *RAW_SIDES, *RAW_SIDES, *RAW_SIDES, "--output", "x"], "twice"),
        (["review"], "dataset"),
        (["review", "mine", "--port", "70000"], "--port"),
        (["status"], "dataset"),
    ],
)
def test_wrong_usage_is_shown_and_refused(shell: Shell, arguments: list[str], word: str) -> None:
    assert word in shell.misuse(*arguments)


OPTIONS = {
    "fetch": ("--params", "--overlay", "--entry", "--asset", "--raw", "--accept-checksum", "--threads"),
    "fetch-urls": ("--per-second"),
    "build": ("--obtained", "--strict"),
    "construct": ("--side", "--obtained", "--output", "--settings", "--input", "--decisions", "--auto",
                  "--train", "--test", "--dataset", "--threads"),
    "export": ("--side-a", "--side-b", "--settings", "--output", "--auto", "--threads"),
    "verify": ("--size-px", "--output", "--pictures", "--threads"),
    "funnel": ("--side-a", "--side-b", "--raw-side", "--obtained", "--domain", "--output", "--auto"),
    "review": ("--params", "--overlay", "--port", "--reviewer"),
    "status": ("--params", "--overlay"),
    "check": ("--kid-subset-size", "--json", "--threads"),
}  # fmt: skip


@pytest.mark.parametrize("command", OPTIONS)
def test_help_names_every_option(shell: Shell, command: str) -> None:
    shown = shell.ok(command, "--help")
    assert [option for option in OPTIONS[command] if option not in shown] == []


def test_every_command_is_in_the_help(shell: Shell) -> None:
    shown = shell.ok("--help")
    assert [command for command in OPTIONS if command not in shown] == []


def decided(tmp_path: Path, **verdicts: str) -> None:
    """Write decisions about items of the example, by number."""
    rows = {}
    for key, verdict in verdicts.items():
        item_id = f"{int(key[1:]):016x}"
        rows[item_id] = Decision(item_id, verdict, "ada", "2026-01-31T12:00:00Z")
    write_decisions(tmp_path / "decisions.csv", rows)


def test_the_status_follows_the_decisions(shell: Shell, tmp_path: Path) -> None:
    come_so_far(tmp_path, "a")
    status = ["status", DATASET, "--params", PARAMS, "--overlay", parameter_file(tmp_path)]
    expected = "a selfie: shown 3, review 1, kept {}, dropped {}, undecided {}\n"
    assert shell.ok(*status) == expected.format(1, 1, 1)
    decided(tmp_path, n2=KEEP)
    assert shell.ok(*status) == expected.format(2, 1, 0)
    decided(tmp_path, n1=DROP, n2=DROP, n3=KEEP, n9=KEEP)
    assert shell.ok(*status) == expected.format(1, 2, 0)


def test_the_status_tells_of_both_sides(shell: Shell, tmp_path: Path) -> None:
    come_so_far(tmp_path)
    shown = shell.ok("status", DATASET, "--params", PARAMS, "--overlay", parameter_file(tmp_path))
    assert [line.partition(":")[0] for line in shown.splitlines()] == ["a selfie", "b anime"]


def test_a_damaged_file_of_decisions_is_named(shell: Shell, tmp_path: Path) -> None:
    come_so_far(tmp_path)
    (tmp_path / "decisions.csv").write_text("keep,everything\n")
    shown = shell.mistake("status", DATASET, "--params", PARAMS, "--overlay", parameter_file(tmp_path))
    assert "decisions.csv, line 1" in shown


def test_the_review_is_served_and_says_how_it_ended(shell: Shell, tmp_path: Path) -> None:
    come_so_far(tmp_path)
    served: list[tuple[Review, int]] = []

    def serve(review: Review, *, port: int, started: Any) -> int:
        served.append((review, port))
        started(f"http://127.0.0.1:{port}/")
        return 7

    shell.monkeypatch.setattr(data_prep.review.server, "serve", serve)
    mine = ["--params", PARAMS, "--overlay", parameter_file(tmp_path)]
    shown = shell.ok("review", DATASET, *mine, "--port", 1234, "--reviewer", "ada")
    ((review, port),) = served
    assert (review.reviewer, review.dataset, port) == ("ada", DATASET, 1234)
    first, last = shown.splitlines()
    assert first == f"{DATASET}: review at http://127.0.0.1:1234/ (Ctrl-C ends)"
    assert last.startswith(f"{tmp_path / 'decisions.csv'}: 7 undecided.")
