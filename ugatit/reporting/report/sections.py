"""The parts of the page that need no script: overview, figures, runs, datasets."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ugatit.manifest import KEPT, SPLITS, read_manifest
from ugatit.reporting.report.html_text import Html, element, join, table
from ugatit.reporting.report.markdown_html import inline_html, markdown_html
from ugatit.reporting.report.run_facts import HASH_DIGITS, RunFacts
from ugatit.reporting.report.settings import DatasetEntry, ReportSettings
from ugatit.reporting.report.shown_files import ShownFiles

SHEETS = (
    ("kept_a", "Pictures of {a} that were kept, chosen at random."),
    ("kept_b", "Pictures of {b} that were kept, chosen at random."),
    ("out_a", "Pictures of {a} that were left out, by reason."),
    ("out_b", "Pictures of {b} that were left out, by reason."),
)
"""Sheets beside a funnel, and what they show."""


RUN_COLUMNS = (
    "dataset", "model", "seed", "state", "steps", "time", "steps/s", "parameters", "weights", "data",
    "trained on",
)  # fmt: skip


def overview(settings: ReportSettings, runs: Sequence[RunFacts], files: ShownFiles) -> Html:
    """How much there is, then every table."""
    trained = [run for run in runs if run.entry.seed is not None]
    finished = sum(run.has_weights for run in trained)
    datasets = ", ".join(f"{d.name} ({' and '.join(d.domains)})" for d in settings.datasets)
    facts = [f"{finished} of {len(trained)} trainings finished", f"datasets: {datasets or 'none'}"]
    if elsewhere := sum(run.state == "made elsewhere" for run in runs):
        facts.append(f"translations of {elsewhere} other programs")
    parts = [element("p", "; ".join(facts) + ".", class_="facts")]
    results = Path(settings.results)
    parts += [_table(results / "tables" / f"{name}.md", files) for name in settings.tables]
    return join(parts, "\n")


def figures(settings: ReportSettings, files: ShownFiles) -> Html:
    """Every figure of the parameters, then others that lie beside them."""
    results = Path(settings.results)
    planned = {results / entry.file: entry.caption for entry in settings.figures}
    others = [path for path in sorted((results / "figures").glob("*.png")) if path not in planned]
    parts = []
    for path, caption in planned.items():
        if path.is_file():
            behind = files.provenance(path, f"{path.parent.name}/{path.stem}", "provenance")
            parts.append(files.figure(path, f"figures/{path.name}", caption, behind))
        else:
            parts.append(_missing(caption, path))
    parts += [files.figure(path, f"figures/{path.name}", path.stem) for path in others]
    return join(parts, "\n") if parts else element("p", "No figures are planned.")


def runs_table(settings: ReportSettings, runs: Sequence[RunFacts], files: ShownFiles) -> Html:
    """One line per run: how far, how long, what came out."""
    rows = [
        (
            run.entry.dataset,
            run.entry.label,
            "" if run.entry.seed is None else str(run.entry.seed),
            element("span", run.state, class_="state", data_state=run.state),
            _steps(run),
            _duration(run.elapsed_s),
            "" if run.steps_per_s is None else f"{run.steps_per_s:.2f}",
            _count(run.parameters),
            _weights(settings, run, files),
            element("code", run.data_sha256[:HASH_DIGITS], title=run.data_sha256),
            run.machine,
        )
        for run in runs
    ]
    notes: list[Html] = [
        element(
            "p",
            "Weights and data are known by the first digits of their SHA-256, which stands in full in "
            "weights.json; all parameters of a run are in its run.json. The links lead to code, parameters, "
            "data, versions, machine and time behind the weights.",
        )
    ]
    unmade = [run.entry.folder for run in runs if not run.has_weights and run.entry.seed is not None]
    if unmade:
        target = f"snakemake --cores all {settings.results}/{unmade[0]}/metrics.json"
        command = element("code", target)
        notes.append(element("p", "A run is made, or goes on, with ", command, " and this report's options."))
    return join([table(RUN_COLUMNS, rows, "Runs", numeric=(2, 4, 5, 6, 7)), *notes])


def _weights(settings: ReportSettings, run: RunFacts, files: ShownFiles) -> Html:
    """The hash of a run's weights, leading to what stands behind them."""
    digits = element("code", run.weights_sha256[:HASH_DIGITS], title=run.weights_sha256)
    path = Path(settings.results, run.entry.folder, "weights.json")
    return files.provenance(path, f"runs/{run.entry.folder}", digits) if path.is_file() else digits


def datasets_section(settings: ReportSettings, files: ShownFiles) -> Html:
    """Counts of every dataset; of those made from raw pictures also how."""
    return join([_dataset(settings, dataset, files) for dataset in settings.datasets], "\n")


def _table(path: Path, files: ShownFiles) -> Html:
    """A table from its Markdown: the first metric is open, the others unfold."""
    name = path.stem
    if not path.is_file():
        return _missing(f"Table {name}", path)
    head, *sections = re.split(r"^(?=## )", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    parts = [markdown_html(head, 2), *(_unfolding(section, k == 0) for k, section in enumerate(sections))]
    links: list[str] = []
    for suffix in (".csv", ".md", ".tex"):
        file = path.with_suffix(suffix)
        if file.is_file():
            address = files.add(file, f"tables/{file.name}")
            links += [" ", element("a", suffix.removeprefix("."), href=address)]
    links += [", and its ", files.provenance(path, f"tables/{name}", "provenance")]
    parts.append(element("p", "This table as", *links, class_="links"))
    return element("section", *parts, class_="table")


def _unfolding(section: str, is_open: bool) -> Html:
    """One section of a table."""
    title, _, body = section.partition("\n")
    summary = element("summary", inline_html(title.removeprefix("## ")))
    content = (summary, markdown_html(body, 3))
    return element("details", *content, open="") if is_open else element("details", *content)


def _dataset(settings: ReportSettings, dataset: DatasetEntry, files: ShownFiles) -> Html:
    """One dataset."""
    folder = Path(settings.data, dataset.name)
    parts: list[Html] = [element("h2", f"{dataset.name}: {' and '.join(dataset.domains)}")]
    if (folder / "manifest.csv").is_file():
        parts.append(_counts(folder / "manifest.csv", dataset))
    else:
        parts.append(_missing(f"Dataset {dataset.name}", folder / "manifest.csv"))
    funnel = folder / "report" / "funnel.md"
    if funnel.is_file():
        parts.append(markdown_html(funnel.read_text(encoding="utf-8"), 3))
        captions = {"funnel": "Pictures left after each stage, beside the paper's counts."}
        a, b = dataset.domains
        captions |= {name: text.format(a=a, b=b) for name, text in SHEETS}
        parts += [
            files.figure(path, f"datasets/{dataset.name}/{path.name}", caption)
            for name, caption in captions.items()
            if (path := folder / "report" / f"{name}.png").is_file()
        ]
    elif dataset.constructed:
        parts.append(_missing("Its construction", funnel))
    return element("section", *parts)


def _counts(path: Path, dataset: DatasetEntry) -> Html:
    """Pictures by split, and why others are not used."""
    manifest = read_manifest(path)
    rows = []
    for split in SPLITS:
        own = [row for row in manifest.rows if row.split == split]
        kept = [row for row in own if row.status == KEPT]
        sizes = Counter(f"{row.width} × {row.height}" for row in kept)
        size, count = sizes.most_common(1)[0] if sizes else ("", 0)
        reasons = Counter(row.reason or row.status for row in own if row.status != KEPT)
        rows.append(
            (
                split,
                dataset.domains[0 if split.endswith("A") else 1],
                f"{len(kept):,}",
                f"{len(own) - len(kept):,}",
                "; ".join(f"{reason}: {n}" for reason, n in reasons.most_common(3)),
                size if count == len(kept) else f"{size} ({count:,}), others",
            )
        )
    header = ("split", "domain", "pictures", "left out", "why", "size, pixels")
    digest = manifest.digest()
    return join(
        [
            table(header, rows, f"Pictures of {dataset.name}", numeric=(2, 3)),
            element("p", "Data ", element("code", digest[:HASH_DIGITS], title=digest), "."),
        ]
    )


def _missing(what: str, path: Path) -> Html:
    """A note on what is planned and not made yet."""
    target = element("code", str(path))
    return element("p", f"{what.rstrip('.')}: not made yet; its target is ", target, ".", class_="missing")


def _steps(run: RunFacts) -> str:
    """Steps that are done, and of how many if some are not."""
    done = _count(run.step)
    return done if run.step is None or run.step == run.steps else f"{done} of {_count(run.steps)}"


def _count(number: int | None) -> str:
    return "" if number is None else f"{number:,}"


def _duration(seconds: float | None) -> str:
    """Time in the unit that suits it."""
    if seconds is None:
        return ""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
