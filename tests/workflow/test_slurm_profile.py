"""The SLURM profile plans as it says; a real SLURM is needed only for `make test-slurm`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT
from tests.workflow.planning import copy_workflow, snakemake

PROFILE = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())

LOCAL = {
    rule
    for file in (ROOT / "Snakefile", *ROOT.glob("workflow/rules/*.smk"))
    for block in re.findall(r"^localrules:\n((?:    \w+,\n)+)", file.read_text(), re.MULTILINE)
    for rule in re.findall(r"\w+", block)
}
"""Rules that run where Snakemake runs; those that are nothing but a target are among them."""

LITERAL = ("--cores", "all", "--profile", "slurm", "results/tables/kid.csv")
"""The command of the README, from the repository's root."""


JOB = re.compile(r"^ *rule (\w+):\n(?: +.+\n)*? +resources: (.+)$", re.MULTILINE)
"""A job with its resources; jobs of a group are indented."""

THREADS = re.compile(
    r"^ *rule (\w+):\n(?: +.+\n)*? +threads: (\d+)\n +resources: .*cpus_per_task=(\d+)", re.MULTILINE
)
"""A job that computes on several threads: its rule, the threads, and the cores that it asks for."""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_workflow(tmp_path_factory.mktemp("repository"))


def test_the_literal_command_plans_with_the_profiles_resources(repository: Path) -> None:
    planned = snakemake(repository, *LITERAL, "--dry-run")
    assert planned.code == 0, planned.text
    jobs = dict(JOB.findall(planned.text))
    for rule, resources in PROFILE["set-resources"].items():
        for name, value in resources.items() if rule in jobs else ():
            assert f"{name}={str(value).strip(chr(39))}" in jobs[rule].split(", "), (rule, name)
    assert "gpu=1" in jobs["train"].split(", ")
    assert "runtime=60" in jobs["evaluate"].split(", ")


def test_jobs_compute_on_no_more_threads_than_they_ask_cores_for(repository: Path) -> None:
    targets = ("all", "--configfile", "profiles/demo/params.yaml")
    planned = snakemake(repository, "--cores", "64", "--profile", "slurm", "--dry-run", *targets)
    assert planned.code == 0, planned.text
    asked = dict.fromkeys(THREADS.findall(planned.text))
    assert {("train", "8", "8"), ("translate", "4", "4"), ("attend", "4", "4")} <= asked.keys()
    assert [job for job in asked if int(job[1]) > int(job[2]) and job[0] not in LOCAL] == []


def test_the_rules_that_are_documented_as_jobs_are_submitted(repository: Path) -> None:
    listed = set(re.findall(r"^\w+$", snakemake(repository, "--list-rules").text, re.MULTILINE))
    assert LOCAL and listed > LOCAL
    text = (ROOT / "docs/cluster.md").read_text()
    sentence = re.search(r"\nA job each are: (.+?)\.\n\n", text, re.DOTALL)
    assert sentence
    assert sorted(re.findall(r"`(\w+)`", sentence[1])) == sorted(listed - LOCAL)


def test_a_training_over_four_gpus_is_four_devices(repository: Path) -> None:
    profile = (repository / "profiles/slurm/config.yaml").read_text()
    assert profile.count("    gpu: 1\n") == 1
    (repository / "four.yaml").write_text(profile.replace("    gpu: 1\n", "    gpu: 4\n"))
    options = (
        "--cores",
        "all",
        "--profile",
        "four.yaml",
        "--resources",
        "gpu=4",
        "--printshellcmds",
        "--dry-run",
    )
    planned = snakemake(repository, *options, "--", "results/cat2dog/ugatit/seed0/weights.json")
    assert planned.code == 0, planned.text
    assert re.search(r"ugatit train .* --devices 4$", planned.text, re.MULTILINE)
    assert "runtime=1440, gpu=4" in planned.text or "gpu=4, cpus_per_task=8" in planned.text


def test_the_link_at_the_root_leads_to_the_profile() -> None:
    assert (ROOT / "slurm").is_symlink()
    assert (ROOT / "slurm").readlink() == Path("profiles/slurm")


def test_every_rule_that_the_profile_names_exists(repository: Path) -> None:
    listed = snakemake(repository, "--list-rules")
    rules = set(listed.text.split())
    assert {"train", "translate"} <= rules
    assert set(PROFILE["set-resources"]) | set(PROFILE["groups"]) <= rules


def test_gpu_jobs_ask_for_cores_and_time_and_get_a_warning_in_time() -> None:
    train = PROFILE["set-resources"]["train"]
    assert {"gpu", "cpus_per_task", "mem_mb", "runtime", "slurm_extra"} <= set(train)
    assert train["slurm_extra"] == "'--signal=TERM@120'"
    assert "train" not in PROFILE["groups"], "a training must be cut and tried again alone"


def test_rules_and_code_know_nothing_of_slurm() -> None:
    files = [ROOT / "Snakefile", *ROOT.glob("workflow/rules/*.smk"), *ROOT.glob("ugatit/**/*.py")]
    assert len(files) > 50
    assert [
        file.name for file in files if re.search("slurm|sbatch|srun", file.read_text(), re.IGNORECASE)
    ] == []


def test_retries_are_set_by_profiles_alone() -> None:
    rules = "".join(file.read_text() for file in ROOT.glob("workflow/rules/*.smk"))
    assert "retries:" not in rules
    assert PROFILE["retries"] > 0
