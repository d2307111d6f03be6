"""What docs/dvc.md claims, carried out with the real programs on small numbers and drawn pictures.

`python -m tests.dvc.claims` prints a transcript; `make test-dvc` carries it out as
a test. Lines of output that differ from run to run (times, hashes, paths) are not shown.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tests.dvc.small_repository import commit, run, small_repository

RUNS = Path("results/cat2dog/ugatit-light/seed0")

EVERYTHING = "datasets models evaluations all summarize_tables"
"""Rules whose outputs a release can hold."""

NOTHING = "Nothing to be done"

JOB = re.compile(r"^(?:local)?rule (\w+):$", re.MULTILINE)

HEAD = """## Transcript

Made by `python -m tests.dvc.claims` on drawn pictures of discs and boxes, networks of 4 channels and 4 training steps. `make test-dvc`
repeats it and stops at the first claim that does not hold. Of each output only the telling lines are shown.
"""


class ClaimError(Exception):
    """Something that the documentation says did not happen."""


class Transcript:
    """Runs commands, checks what they did, and keeps what a reader should see."""

    def __init__(self) -> None:
        self.lines = [HEAD]

    def claim(self, text: str) -> None:
        """Begin a section."""
        sys.stderr.write(f"{text}\n")
        self.lines.append(f"\n### {text}\n")

    def shell(self, folder: Path, command: str, show: str = "", code: int = 0) -> str:
        """Run a command; show it with the lines of its output that match.

        Raises: ClaimError if it ends with another code, or shows nothing where it should.
        """
        done = run(folder, command)
        text = done.stdout + done.stderr
        if done.returncode != code:
            raise ClaimError(f"{command}: exit code {done.returncode}, expected {code}\n{text}")
        lines = text.replace(str(folder.parent), "...").splitlines()
        shown = [line.rstrip() for line in lines if show and re.search(show, line)]
        if show and not shown:
            raise ClaimError(f"{command}: no line matches {show!r}\n{text}")
        body = "\n".join([f"{folder.name}$ {command}", *dict.fromkeys(shown)])
        self.lines.append(f"```console\n{body}\n```")
        return text

    def note(self, text: str, holds: bool) -> None:
        """Write a sentence that was checked.

        Raises: ClaimError if it does not hold.
        """
        if not holds:
            raise ClaimError(text)
        self.lines.append(text)

    def text(self) -> str:
        """The page."""
        return "\n".join(self.lines) + "\n"


def jobs(text: str) -> dict[str, int]:
    """Jobs by rule that Snakemake ran, without rules that only name targets."""
    counts = Counter(JOB.findall(text))
    return {
        rule: n for rule, n in counts.items() if rule not in EVERYTHING.split() or rule == "summarize_tables"
    }


def states(
    folder: Path, roots: Iterable[str] = ("results", "data", "raw")
) -> dict[str, tuple[int, int, int]]:
    """Inode, size and time of every file that Snakemake watches."""
    files = (file for root in roots for file in sorted((folder / root).rglob("*")) if file.is_file())
    return {
        str(file.relative_to(folder)): (file.stat().st_ino, file.stat().st_size, file.stat().st_mtime_ns)
        for file in files
    }


def without_logs(found: dict[str, tuple[int, int, int]]) -> dict[str, tuple[int, int, int]]:
    """The same without logs and benchmarks."""
    return {
        name: state for name, state in found.items() if not name.startswith(("results/logs", "results/bench"))
    }


def carry_out(folder: Path) -> Transcript:
    """Carry out every claim in an empty folder.

    Raises: ClaimError at the first that does not hold.
    """
    told = Transcript()
    here = small_repository(folder / "here")
    first_results(told, here)
    dvc_leaves_alone(told, here)
    there = folder / "there"
    pulled_clone(told, here, there)
    refusals(told, there)
    both_entrances(told, here, there)
    experiment(told, here)
    raw_inputs(told, here)
    return told


def first_results(told: Transcript, here: Path) -> None:
    """`dvc repro` from raw pictures, and again."""
    told.claim("`dvc repro` makes everything from raw pictures, and nothing the second time")
    made = jobs(told.shell(here, "dvc repro", r"^(Running stage|> |release/)"))
    told.note(
        f"Snakemake ran {sum(made.values())} jobs, {made['train']} of them a training.", made["train"] == 1
    )
    told.shell(here, "git status --short")
    commit(here, "First results")
    told.shell(here, "dvc repro", r"didn't change|up to date")
    told.shell(here, "dvc status", r"up to date")
    told.shell(here, f"snakemake --dry-run --cores 1 {EVERYTHING}", NOTHING)
    told.shell(here, "dvc metrics show", r"Path|summary")
    told.shell(here, "dvc plots show --out plots", r"index\.html")
    page = (here / "plots/index.html").read_text()
    told.note("The plot's page has a bar for every row of the tables.", page.count('"row": "cat2dog') == 6)


def dvc_leaves_alone(told: Transcript, here: Path) -> None:
    """DVC's commands change no file that Snakemake watches."""
    told.claim("DVC neither removes nor re-links what Snakemake watches")
    before = states(here)
    told.shell(here, "dvc remote add --default store ../store")
    told.shell(here, "dvc push", r"pushed")
    told.shell(here, "dvc commit --force")
    told.shell(here, "dvc checkout --force")
    told.shell(here, "dvc gc --workspace --force", r"Removed|No unused")
    told.note(
        "Every file of raw/, data/ and results/ has the inode, size and time that it had.",
        states(here) == before,
    )
    told.note(
        "Checkpoints, samples and logs are in no output of DVC's.",
        not [file for file in (here / "release").rglob("*") if {"training", "logs"} & set(file.parts)],
    )
    commit(here, "Add a remote")


def pulled_clone(told: Transcript, here: Path, there: Path) -> None:
    """A pull on another machine."""
    told.claim("A pull on another machine makes the results available without training")
    told.shell(here, "git clone --quiet . ../there")
    told.shell(there, "dvc pull", r"added|fetched")
    told.shell(there, "ugatit restore", r"put back")
    told.shell(there, f"snakemake --dry-run --cores 1 {EVERYTHING}", NOTHING)
    told.shell(there, "dvc repro", r"didn't change|up to date")
    told.shell(there, "git status --short")
    same = [file for file in (here / "results/tables").iterdir()]
    told.note(
        "The tables are equal, byte for byte; neither raw pictures nor checkpoints came along.",
        all((there / file.relative_to(here)).read_bytes() == file.read_bytes() for file in same)
        and not (there / "raw").exists()
        and not (there / RUNS / "training").exists(),
    )
    told.shell(
        there,
        "ugatit provenance results/tables/kid.csv --cell cat2dog/ugatit-light/a2b",
        r"^(results|\w[\w ]*: )|from step|commit|matches$",
    )


def refusals(told: Transcript, there: Path) -> None:
    """`ugatit restore` is guarded."""
    told.claim("`ugatit restore` refuses what it cannot vouch for")
    parameters = (there / "params.yaml").read_text()
    (there / "params.yaml").write_text(parameters.replace("kid_subsets: 5", "kid_subsets: 9"))
    told.shell(there, "ugatit restore", r"not clean", code=2)
    (there / "params.yaml").write_text(parameters)
    table = there / "results/tables/kid.csv"
    content = table.read_text()
    table.write_text("mine\n")
    told.shell(there, "ugatit restore", r"in the way", code=2)
    told.note("Neither was anything copied, nor my file replaced.", table.read_text() == "mine\n")
    table.write_text(content)
    told.shell(there, "ugatit restore", r"put back")


def both_entrances(told: Transcript, here: Path, there: Path) -> None:
    """A changed parameter through Snakemake and through DVC."""
    told.claim("A changed parameter reruns the same through both entrances")
    before = states(here)
    told.shell(here, "sed -i 's/kid_subsets: 5/kid_subsets: 6/' params.yaml")
    told.shell(there, "sed -i 's/kid_subsets: 5/kid_subsets: 6/' params.yaml")
    told.shell(here, "dvc status", r"kid_subsets|modified|tables|changed")
    told.shell(here, "dvc params diff", r"kid_subsets|Path")
    by_dvc = jobs(told.shell(here, "dvc repro", r"didn't change|Running stage|^> "))
    by_snakemake = jobs(
        told.shell(there, "snakemake --cores all all summarize_tables", r"steps \(100%\) done")
    )
    told.note(
        f"Both ran {', '.join(f'{rule} ({n})' for rule, n in sorted(by_dvc.items()))}, and no training.",
        by_dvc == by_snakemake and "train" not in by_dvc and by_dvc["evaluate"] == 1,
    )
    told.note(
        "The tables are equal, byte for byte.",
        (here / "results/tables/kid.csv").read_bytes() == (there / "results/tables/kid.csv").read_bytes(),
    )
    told.note("Nothing was removed.", set(before) <= set(states(here)))
    told.shell(here, "dvc metrics diff", r"Path|kid")
    told.shell(there, "echo 'training: {steps: 5}' > longer.yaml")
    planned = jobs(told.shell(there, "snakemake --dry-run --cores 1 all --configfile longer.yaml"))
    told.note(
        "In the pulled clone a changed number of steps means to train again: "
        f"{', '.join(f'{rule} ({n})' for rule, n in sorted(planned.items()))}.",
        planned.get("train") == 1 and planned.get("resolve_run") == 1 and "build_dataset" not in planned,
    )
    told.shell(there, "echo 'datasets: {cat2dog: {pictures: {testA: 5}}}' > counted.yaml")
    planned = jobs(told.shell(there, "snakemake --dry-run --cores 1 all --configfile counted.yaml"))
    told.note(
        "A changed dataset is noticed too, and its raw pictures are obtained.",
        planned.get("build_dataset") == 1 and planned.get("fetch_source") == 1,
    )
    commit(here, "Six subsets")


def experiment(told: Transcript, here: Path) -> None:
    """An experiment with another learning rate."""
    told.claim("`dvc exp run` trains what is new and keeps what was there")
    before = without_logs(states(here, ["data", "raw"]))
    weights = (here / RUNS / "weights.safetensors").read_bytes()
    made = jobs(
        told.shell(here, "dvc exp run --name slower -S training.steps=5", r"Running stage|didn't change|^> ")
    )
    told.note(
        "The new run was trained, from its beginning; datasets were left alone.",
        made.get("train") == 1
        and "build_dataset" not in made
        and (here / RUNS / "weights.safetensors").read_bytes() != weights
        and without_logs(states(here, ["data", "raw"])) == before,
    )
    told.note(
        "The resume state of the earlier run is still there, beside the new one.",
        len([path for path in (here / RUNS / "training").iterdir() if path.is_dir()]) == 2,
    )
    told.shell(here, "dvc exp show --only-changed --no-pager --md", r"slower|Experiment")
    told.shell(here, "dvc exp diff", r"steps|kid")


def raw_inputs(told: Transcript, here: Path) -> None:
    """Raw pictures under DVC."""
    told.claim("Raw pictures by `dvc add` and `dvc import-url`")
    before = states(here, ["raw"])
    told.shell(here, "dvc add raw/drawn --quiet && ls raw", r"drawn\.dvc")
    told.note("No raw picture was moved or re-linked.", before.items() <= states(here, ["raw"]).items())
    told.shell(here, f"snakemake --dry-run --cores 1 {EVERYTHING}", NOTHING)
    told.shell(here, "dvc import-url --quiet raw/drawn/trainA/00.png raw/one.png && ls raw", r"one\.png\.dvc")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        sys.stdout.write(carry_out(Path(temporary)).text())
