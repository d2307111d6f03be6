"""What a report is made of: its text, its pictures, and what it says of what lacks."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from tests.conftest import ROOT
from tests.reporting import browser
from tests.reporting.invented_results import ODD_LABEL, invent, invent_attention, invent_scores
from ugatit.cli import app
from ugatit.errors import UserError
from ugatit.images import read_rgb
from ugatit.params import load
from ugatit.reporting.report.attention_maps import palette
from ugatit.reporting.report.build import PAGE_FILES, make_report
from ugatit.reporting.report.html_text import element, join, table
from ugatit.reporting.report.markdown_html import markdown_html
from ugatit.reporting.report.picture_store import THUMBNAIL_PX, PictureStore
from ugatit.reporting.report.settings import ReportSettings, report_settings

LARGE_PX = THUMBNAIL_PX + 8


def report(settings: ReportSettings, output: Path) -> tuple[str, dict]:
    """Make a report. Returns: its page and its data."""
    index = make_report(settings, output, threads=1)
    script = (output / "data.js").read_text()
    return index.read_text(), json.loads(script.split("const REPORT = ", 1)[1].rstrip().rstrip(";"))


def file_of(output: Path, name: str) -> Path:
    return output / "pictures" / name[:2] / f"{name}.png"


def files_of(folder: Path) -> dict[str, int]:
    """Files below a folder and when they were written."""
    return {str(p.relative_to(folder)): p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file()}


# Text


def test_text_is_escaped_and_html_is_not() -> None:
    assert element("b", "<i>", class_='a"b') == '<b class="a&quot;b">&lt;i&gt;</b>'
    assert join([element("br"), "<"], "&") == "<br>&&lt;"
    assert "<td>&lt;script&gt;</td>" in table(["a"], [["<script>"]], "label")


def test_markdown_of_our_tables() -> None:
    text = "# One **two** `three`\n\nfirst\nsecond \\*\n\n| a | b |\n|---|--:|\n| 1 \\| 2 | **3** |\n"
    assert markdown_html(text, 2).splitlines() == [
        "<h2>One <strong>two</strong> <code>three</code></h2>",
        "<p>first second *</p>",
        '<div class="scroll" role="region" aria-label="One two three" tabindex="0"><table><thead><tr><th>a</th>'
        '<th class="number">b</th></tr></thead><tbody><tr><td>1 | 2</td><td class="number"><strong>3</strong>'
        "</td></tr></tbody></table></div>",
    ]


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "a <b> **<i>** `<u>`", "| not | a table |"])
def test_markdown_makes_no_elements_of_its_text(text: str) -> None:
    assert set(re.findall(r"<(\w+)", markdown_html(text))) <= {"p", "strong", "code"}


# Pictures


def test_pictures_are_taken_over_as_they_are_and_sources_as_the_models_see_them(tmp_path: Path) -> None:
    settings = invent(tmp_path, px=16)
    _, data = report(settings, tmp_path / "report")
    comparison = data["comparisons"][0]
    source = Image.open(file_of(tmp_path / "report", comparison["pictures"][1]))
    assert source.size == (16, 16)
    made = tmp_path / "results/set/one/seed0/translations/a2b/0002.png"
    taken = file_of(tmp_path / "report", comparison["columns"][0]["pictures"][1])
    assert taken.read_bytes() == made.read_bytes()
    assert not comparison["thumbnails"] and not (tmp_path / "report/thumbnails").exists()


def test_large_pictures_have_thumbnails(tmp_path: Path) -> None:
    _, data = report(invent(tmp_path, models=["one"], pictures=2, px=LARGE_PX), tmp_path / "report")
    column = data["comparisons"][0]["columns"][0]
    assert column["thumbnails"]
    name = column["pictures"][0]
    thumbnail = read_rgb(tmp_path / "report/thumbnails" / name[:2] / f"{name}.jpg")
    assert thumbnail.shape == (THUMBNAIL_PX, THUMBNAIL_PX, 3)


def test_report_made_again_writes_no_picture_and_removes_old_ones(tmp_path: Path) -> None:
    settings = invent(tmp_path)
    report(settings, tmp_path / "report")
    before = files_of(tmp_path / "report/pictures")
    report(settings, tmp_path / "report")
    assert files_of(tmp_path / "report/pictures") == before
    report(settings.model_copy(update={"runs": settings.runs[:1]}), tmp_path / "report")
    after = files_of(tmp_path / "report/pictures")
    assert after.items() < before.items()


def test_changed_picture_is_refused(tmp_path: Path) -> None:
    store = PictureStore(tmp_path / "report")
    (tmp_path / "a.png").write_bytes(b"changed")
    store.add_file(tmp_path / "a.png", hashlib.sha256(b"described").hexdigest(), thumbnail=False)
    with pytest.raises(UserError, match=r"a\.png: changed since it was described"):
        store.write(threads=1)
    assert list((tmp_path / "report").rglob("*.p*")) == []


def test_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    settings = invent(tmp_path)
    with pytest.raises(UserError, match="holds files that are no report"):
        make_report(settings, tmp_path / "results")
    assert (tmp_path / "results/tables/kid.md").is_file()


# What is there and what is not


def test_facts_of_runs_and_datasets(tmp_path: Path) -> None:
    page, _ = report(invent(tmp_path), tmp_path / "report")
    for text in (
        "finished",
        "12 s",
        "0.50",
        "1,234",
        "cpu, threads: 1, torch 2.0",
        "The first &lt;figure&gt;.",
    ):
        assert text in page
    assert "Not drawn: not made yet; its target is <code>" in page
    assert 'href="figures/one.pdf"' in page and (tmp_path / "report/figures/one.pdf").is_file()
    assert ODD_LABEL not in page


def test_provenance_is_one_link_away(tmp_path: Path) -> None:
    page, _ = report(invent(tmp_path), tmp_path / "report")
    for place in ("tables/kid", "figures/one", "runs/set/one/seed0"):
        assert f'href="provenance/{place}.txt"' in page
    assert "does not match" not in page
    text = (tmp_path / "report/provenance/runs/set/one/seed0.txt").read_text()
    assert text.startswith(f"{tmp_path}/results/set/one/seed0/weights.json\n")
    assert "\n    from step 0: " in text and "all that could be compared matches" in text
    assert "looked at" not in text  # so that the same results make the same report


def test_what_does_not_match_is_told_where_it_is_shown(tmp_path: Path) -> None:
    settings = invent(tmp_path)
    weights = tmp_path / "results/set/one/seed0/weights.json"
    weights.write_text(json.dumps(json.loads(weights.read_text()) | {"run_sha256": "0" * 64}))
    page, _ = report(settings, tmp_path / "report")
    assert re.search(
        r'href="provenance/runs/set/one/seed0.txt"><code[^>]*>\w+</code> \(does not match: 1\)', page
    )
    assert page.count("does not match") == 1
    text = (tmp_path / "report/provenance/runs/set/one/seed0.txt").read_text()
    assert "DOES NOT MATCH: the run in it is not that of its hash" in text


def test_report_of_nothing_says_what_to_make(tmp_path: Path) -> None:
    settings = invent(tmp_path)
    shutil.rmtree(tmp_path / "results")
    shutil.rmtree(tmp_path / "data")
    (tmp_path / "results").mkdir()
    page, data = report(settings, tmp_path / "report")
    assert data["comparisons"] == []
    assert "0 of 2 trainings finished" in page
    assert page.count("not made yet") == 4  # the table, two figures, the dataset
    assert f"snakemake --cores all {tmp_path}/results/set/one/seed0/metrics.json" in page


def test_missing_results_are_a_users_error(tmp_path: Path) -> None:
    settings = invent(tmp_path).model_copy(update={"results": str(tmp_path / "nowhere")})
    with pytest.raises(UserError, match="nowhere: no such folder"):
        make_report(settings, tmp_path / "report")


def test_running_training_is_shown_with_its_samples(tmp_path: Path) -> None:
    settings = invent(tmp_path)
    folder = tmp_path / "results/set/one/seed0"
    described = json.loads((folder / "weights.json").read_text())
    (training,) = folder.glob("training/*")
    (training / "run.json").write_text(json.dumps(described["run"]))
    step = {"step": 4, "elapsed_s": 8.0, "steps_per_s": 0.5, "losses": {"generator": 1.0}}
    (training / "train.jsonl").write_text(json.dumps(step) + "\n")
    for file in ("weights.json", "train.jsonl"):
        (folder / file).unlink()
    shutil.rmtree(folder / "translations")
    page, data = report(settings, tmp_path / "report")
    assert "1 of 2 trainings finished" in page and "4 of 6" in page
    column = data["comparisons"][0]["columns"][0]
    assert (column["state"], column["step"], column["weights"]) == ("running", 4, "")
    assert column["pictures"] == [""] * 6 and len(column["samples"]["pictures"]["0"]) == 3


def test_translations_of_other_pictures_are_left_out_and_counted(tmp_path: Path) -> None:
    settings = invent(tmp_path)
    path = tmp_path / "results/set/one/seed0/translations/a2b/manifest.csv"
    first = (tmp_path / "data/set/testA/0002.png").read_bytes()
    path.write_text(path.read_text().replace(hashlib.sha256(first).hexdigest(), "ef" * 32))
    _, data = report(settings, tmp_path / "report")
    column = data["comparisons"][0]["columns"][0]
    assert column["stale"] == 1 and column["pictures"][1] == "" and all(column["pictures"][2:])


def test_scores_stand_beside_their_pictures(tmp_path: Path) -> None:
    settings = invent(tmp_path)
    invent_scores(settings, "two", [1.0, -2.0])
    _, data = report(settings, tmp_path / "report")
    one, two = data["comparisons"][0]["columns"]
    assert one["scores"] is None
    assert two["scores"] == [1.0, -2.0, None, None, None, None]


@pytest.mark.parametrize("text", ["name,other\n", "name,kid_x100\na,b\n", "name,kid_x100\na,nan\n"])
def test_damaged_scores_are_refused(tmp_path: Path, text: str) -> None:
    settings = invent(tmp_path)
    invent_scores(settings, "one", [1.0])
    (tmp_path / "results/set/one/seed0/scores/a2b.csv").write_text(text)
    with pytest.raises(UserError, match=r"scores/a2b\.csv: .* Write it with `ugatit score`"):
        make_report(settings, tmp_path / "report")


def test_attention_has_one_scale_and_the_brightest_is_the_highest(tmp_path: Path) -> None:
    settings = invent(tmp_path)
    path = invent_attention(settings, "one")
    with np.load(path.with_name("attention.npz")) as arrays:
        values = arrays["generator"]
    _, data = report(settings, tmp_path / "report")
    column = data["comparisons"][0]["columns"][0]
    shown = column["attention"]["generator"]
    assert (shown["low"], shown["high"]) == pytest.approx(tuple(np.percentile(values, [1, 99])))
    picture = Image.open(file_of(tmp_path / "report", shown["pictures"][2]))
    assert bytes(picture.getpalette() or []) == palette()
    levels = np.asarray(picture)
    assert levels.argmax() == values[2].argmax() and levels.argmin() == values[2].argmin()
    assert data["comparisons"][0]["columns"][1]["attention"] == {}


def test_attention_of_other_weights_is_left_out_and_changed_arrays_are_refused(tmp_path: Path) -> None:
    settings = invent(tmp_path)
    path = invent_attention(settings, "one")
    original = path.read_text()
    path.write_text(original.replace(json.loads(original)["weights_sha256"], "0" * 64))
    _, data = report(settings, tmp_path / "report")
    assert data["comparisons"][0]["columns"][0]["attention"] == {}
    path.with_name("attention.npz").write_bytes(b"changed")
    with pytest.raises(UserError, match=r"attention\.npz: is not the file"):
        make_report(settings, tmp_path / "report")


# The page as a whole


def test_page_asks_for_nothing_beyond_its_folder(tmp_path: Path) -> None:
    page, _ = report(invent(tmp_path), tmp_path / "report")
    assert "default-src 'none'" in page and "connect-src" not in page
    addresses = re.findall(r'(?:src|href)="([^"#][^"]*)"', page)
    assert not [a for a in addresses if not a.startswith("data:") and not (tmp_path / "report" / a).is_file()]
    for name in PAGE_FILES:
        assert not re.search(r"https?:|innerHTML|eval\(|fetch\(", (tmp_path / "report" / name).read_text())


def test_settings_hold_what_the_tables_plan() -> None:
    params = load(ROOT / "params.yaml", [ROOT / "profiles/demo/params.yaml"])
    settings = ReportSettings.model_validate(report_settings(params))
    assert [dataset.name for dataset in settings.datasets] == ["demo"]
    assert [run.folder for run in settings.runs] == [
        "demo/ugatit-light/seed0",
        "demo/cyclegan/seed0",
        "demo/aggan/seed0",
        "demo/cartoongan/seed0",
        "demo/ugatit-light-no-cam/seed0",
    ]
    assert [run.attends for run in settings.runs] == [True, False, True, False, False]
    assert settings.runs[3].directions == ["a2b"]
    assert settings.tables[:2] == ["kid", "ablation"]
    files = {figure.file: figure.caption for figure in settings.figures}
    assert files.keys() >= {"figures/curves.png", "sheets/demo_a2b.png", "sheets/demo_b2a.png"}
    assert files["figures/curves.png"] == params.figures["curves"]["caption"]


def test_command(tmp_path: Path) -> None:
    settings = invent(tmp_path)
    done = CliRunner().invoke(app, ["report", "--settings", settings.model_dump_json()])
    assert done.exit_code == 0, done.output
    assert done.stdout.strip() == str(tmp_path / "results/report/index.html")
    assert (tmp_path / "results/report/index.html").is_file()


def test_without_a_browser_the_tests_are_skipped_but_where_it_is_required_they_fail(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(browser.shutil, "which", lambda name: None)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("UGATIT_BROWSER", raising=False)
    with pytest.raises(pytest.skip.Exception, match="chromium"):
        browser.require_chromium()
    monkeypatch.setenv("UGATIT_BROWSER", "required")
    with pytest.raises(pytest.fail.Exception, match="chromium"):
        browser.require_chromium()
