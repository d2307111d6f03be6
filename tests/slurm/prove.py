"""`make test-slurm`: the demo through a real SLURM, disturbed, equals a local run bit for bit.

Two copies of the workflow make the tables of the demo, shortened: one locally, one through `--profile slurm` on
a SLURM of one node that is started here. There both trainings are preempted and requeued; one is cut by its
time limit and tried again; the node is drained meanwhile. What happens is printed with the
seconds since the start.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import yaml

from tests.slurm.cluster import FOLDER_PREFIX, GPUS, Cluster, MissingSlurm, install, submit
from tests.workflow.planning import ROOT, copy_workflow
from ugatit.files import read_json_lines, sha256_file

PATIENCE_S = 1800
"""For any one thing to happen, also on a busy machine."""

TRAINING_S = 90
"""How long a training shall take undisturbed: SLURM looks at time limits every 30 s."""

TRIAL_STEPS = 40
FIRST_STEPS = 5
"""A training is disturbed after so many steps."""

CUT, OTHER = MODELS = ("ugatit-light", "ugatit-light-no-cam")
TABLES = [
    f"results/tables/{table}.{suffix}" for table in ("kid", "ablation") for suffix in ("csv", "md", "tex")
]

# One thread each, in both runs: the number of threads is part of what makes a result equal bit for bit.
ONE_THREAD = ["--set-threads", "train=1", "translate=1", "extract_features=1", "extract_real_features=1"]
CONFIG = ["--configfile", "profiles/demo/params.yaml", "short.yaml", "--"]
TARGETS = ["results/tables/kid.csv", "results/tables/ablation.csv"]
LOCAL = ["snakemake", "--cores", "all", "--resources", f"gpu={len(MODELS)}"]
THROUGH_SLURM = [
    "snakemake",
    "--cores",
    "all",
    "--profile",
    "slurm",
    "--slurm-init-seconds-before-status-checks",
    "5",
]


EMPTY_JOBS = 3
EMPTY = f"""
rule all:
    input: expand("{{number}}.txt", number=range({EMPTY_JOBS}))
rule empty:
    output: "{{number}}.txt"
    shell: "touch {{output}}"
"""
"""A workflow of jobs that do nothing."""


class Failed(Exception):  # noqa: N818
    """Something did not happen that must."""


class Transcript:
    """Tells what happens, and when."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def say(self, text: str) -> None:
        """Print a line with the seconds since the start."""
        print(f"{time.monotonic() - self._start:5.0f} s  {text}", flush=True)  # noqa: T201


def main() -> int:
    """Run the proof; 0 if all of it held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true", help="keep the folder of both runs")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that all is stopped then, too
    transcript = Transcript()
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    folder = Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX))
    folder.chmod(0o755)  # munged insists that all may reach its socket
    try:
        install()
        prove(folder, transcript)
    except (MissingSlurm, Failed) as error:
        transcript.say(f"FAILED: {error}")
        return 1
    finally:
        if not arguments.keep:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


def prove(folder: Path, transcript: Transcript) -> None:
    """Make the tables in both ways, disturb one of them, and compare."""
    local, slurm = (copy_workflow(folder / name) for name in ("local", "slurm"))
    steps = choose_steps(local)
    for copy in (local, slurm):
        write_settings(copy, steps)
    transcript.say(f"{steps} steps per training, about {TRAINING_S} s of one idle core")
    with Cluster(folder / "cluster") as cluster:
        transcript.say(f"SLURM is up: node {cluster.node}, {GPUS} GPUs, on 127.0.0.1")
        measure_overhead(cluster, folder / "empty", transcript)
        runs = {}
        for name, copy, command in (("local", local, LOCAL), ("slurm", slurm, THROUGH_SLURM)):
            line = [*command, *ONE_THREAD, *CONFIG, *TARGETS]
            transcript.say(f"{name}$ {' '.join(line)}")
            runs[name] = start(line, copy)
        try:
            disturb(cluster, slurm, runs["slurm"], transcript)
            for name, run in runs.items():
                if run.wait(PATIENCE_S):
                    raise Failed(f"{name} ended with {run.returncode}:\n{said(folder / name)[-6000:]}")
                transcript.say(f"{name}: finished")
        finally:
            for run in runs.values():
                if run.poll() is None:
                    run.terminate()
                    run.wait()
    compare(local, slurm, transcript)
    report_attempts(slurm, transcript)
    report_jobs(slurm, transcript)


def measure_overhead(cluster: Cluster, folder: Path, transcript: Transcript) -> None:
    """Say how long jobs take that do nothing."""
    shutil.copytree(ROOT / "profiles/slurm", folder / "slurm")
    (folder / "Snakefile").write_text(EMPTY)
    began = time.monotonic()
    if start([*THROUGH_SLURM, "--jobs", "1"], folder).wait(PATIENCE_S):
        raise Failed(f"empty jobs failed:\n{said(folder)[-6000:]}")
    elapsed_s = time.monotonic() - began
    names = {f"rule_empty_wildcards_{number}" for number in range(EMPTY_JOBS)}
    rows = cluster.queue("--states=all", "--format=%i|%T|%k|%M")
    spent = [60 * int(m) + int(s) for _, _, name, t in rows if name in names for m, s in [t.split(":")]]
    before = time.monotonic()
    submit(["true"])
    sbatch_s = time.monotonic() - before
    transcript.say(
        f"overhead of a job: sbatch {1000 * sbatch_s:.0f} ms; on the node {min(spent)} to {max(spent)} s for nothing, "
        f"in which Snakemake starts twice; {EMPTY_JOBS} one after another {elapsed_s:.0f} s, most of it polling"
    )


def choose_steps(copy: Path) -> int:
    """As many steps as this machine does in the time that a training shall take."""
    write_settings(copy, TRIAL_STEPS)
    target = f"results/demo/{CUT}/seed0/weights.json"
    trial = start([*LOCAL, *ONE_THREAD, *CONFIG, target], copy)
    if trial.wait(PATIENCE_S):
        raise Failed(f"the trial ended with {trial.returncode}:\n{said(copy)[-6000:]}")
    losses = [r for r in read_json_lines(copy / f"results/demo/{CUT}/seed0/train.jsonl") if "losses" in r]
    shutil.rmtree(copy / "results")
    return max(TRIAL_STEPS, round(TRAINING_S * losses[-1]["steps_per_s"]))


def write_settings(copy: Path, steps: int) -> None:
    """Write the overlay that shortens the demo."""
    settings = yaml.safe_load((ROOT / "tests/slurm/short.yaml").read_text())
    settings["training"] = {"steps": steps, "decay_start": steps // 2}
    (copy / "short.yaml").write_text(yaml.safe_dump(settings))


def disturb(cluster: Cluster, copy: Path, run: subprocess.Popen[bytes], transcript: Transcript) -> None:
    """Preempt both trainings, cut one by its time limit, drain the node and resume it."""

    def until(what: str, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            if run.poll() is not None or time.monotonic() > deadline:
                raise Failed(f"waited for {what}; snakemake said:\n{said(copy)[-6000:]}")
            time.sleep(0.5)

    def trained(model: str, starts: int) -> int:
        """Steps after the latest start, if there were so many starts."""
        records = log_of(copy, model)
        begun = [i for i, record in enumerate(records) if record.get("event") == "start"]
        return sum("losses" in r for r in records[begun[-1] :]) if len(begun) >= starts else 0

    until("both trainings", lambda: all(trained(model, 1) >= FIRST_STEPS for model in MODELS))
    jobs = {model: job_of(cluster, model) for model in MODELS}
    transcript.say(f"both trainings run: {', '.join(f'{model} is job {job}' for model, job in jobs.items())}")

    urgent = submit(["sleep", "1"], "--partition=urgent", f"--gpus={GPUS}", "--job-name=urgent")
    until("preemption", lambda: all(state_of(cluster, job) == "PENDING" for job in jobs.values()))
    for model in MODELS:
        transcript.say(f"{model}: preempted by urgent job {urgent}, {last_stop(copy, model)}; requeued")
    until("the urgent job", lambda: state_of(cluster, urgent) == "COMPLETED")
    for job, *_ in cluster.queue("--states=PENDING"):  # else SLURM lets requeued jobs wait for two minutes
        cluster.control("update", f"JobId={job}", "StartTime=now")
    until("both trainings again", lambda: all(trained(model, 2) for model in MODELS))
    transcript.say("both trainings go on in the same jobs")

    minutes = elapsed_minutes(cluster, jobs[CUT]) + 3
    cluster.control("update", f"JobId={jobs[CUT]}", f"TimeLimit={minutes}")
    transcript.say(f"{CUT}: time limit of job {jobs[CUT]} set to {minutes} min, a signal is due 120 s before")
    until("the time limit", lambda: state_of(cluster, jobs[CUT]) in ("FAILED", "TIMEOUT"))
    transcript.say(f"{CUT}: job {jobs[CUT]} is {state_of(cluster, jobs[CUT])}, {last_stop(copy, CUT)}")

    cluster.control("update", f"NodeName={cluster.node}", "State=DRAIN", "Reason=proof")
    transcript.say("node drained")
    until("another job for it", lambda: job_of(cluster, CUT) not in ("", jobs[CUT]))
    retried = job_of(cluster, CUT)
    time.sleep(5)  # in which it would start
    if state_of(cluster, retried) != "PENDING":
        raise Failed(f"job {retried} did not wait for the drained node")
    transcript.say(f"{CUT}: tried again as job {retried}, waits for the node")
    cluster.control("update", f"NodeName={cluster.node}", "State=RESUME")
    until("the retry", lambda: trained(CUT, 3))
    transcript.say(f"node resumed, job {retried} continues")


def compare(local: Path, slurm: Path, transcript: Transcript) -> None:
    """Demand equal bytes of tables and weights."""
    weights = [f"results/demo/{model}/seed0/weights.safetensors" for model in MODELS]
    for name in ["data/demo/manifest.csv", *weights, *TABLES]:
        ours, theirs = sha256_file(local / name), sha256_file(slurm / name)
        if ours != theirs:
            raise Failed(f"{name} differs: local {ours}, SLURM {theirs}")
        transcript.say(f"equal: {ours[:12]}  {name}")


def report_attempts(slurm: Path, transcript: Transcript) -> None:
    """Demand that every attempt continued where the one before it stopped."""
    for model, attempts in ((CUT, 3), (OTHER, 2)):
        events = [
            r for r in read_json_lines(slurm / f"results/demo/{model}/seed0/train.jsonl") if "event" in r
        ]
        starts = [event["step"] for event in events if event["event"] == "start"]
        stops = [event["step"] for event in events if event["event"] == "stop"]
        transcript.say(f"{model}: began after step {starts}, stopped after step {stops}")
        if len(starts) != attempts or starts != [0, *stops] or starts != sorted(set(starts)):
            raise Failed(f"{model}: expected {attempts} attempts, each from where the one before it stopped")


def report_jobs(slurm: Path, transcript: Transcript) -> None:
    """Say how many jobs were submitted."""
    submitted = re.findall(r"has been submitted with SLURM jobid (\d+)", said(slurm))
    transcript.say(f"{len(submitted)} jobs submitted")


def start(command: Sequence[str], copy: Path) -> subprocess.Popen[bytes]:
    """Start a program in a copy of the workflow; what it says goes to a file."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with (copy / "said.txt").open("wb") as log:
        return subprocess.Popen(command, cwd=copy, env=environment, stdout=log, stderr=subprocess.STDOUT)


def said(copy: Path) -> str:
    """What the program last started in a copy has said."""
    return (copy / "said.txt").read_text(errors="replace")


def log_of(copy: Path, model: str) -> list[dict[str, object]]:
    """What a training has recorded so far."""
    (log,) = [*(copy / f"results/demo/{model}/seed0/training").glob("*/train.jsonl")] or [None]
    return read_json_lines(log) if log else []


def last_stop(copy: Path, model: str) -> str:
    """How a training was last stopped."""
    stop = [record for record in log_of(copy, model) if record.get("event") == "stop"][-1]
    return f"saved after step {stop['step']} on {stop['reason']}"


def job_of(cluster: Cluster, model: str) -> str:
    """The number of the newest job that trains a model, by the comment that Snakemake gives it."""
    jobs = [job for job, _, comment, _ in cluster.queue("--states=all") if comment == comment_of(model)]
    return max(jobs, key=int, default="")


def comment_of(model: str) -> str:
    """What Snakemake's SLURM jobs are told by."""
    return f"rule_train_wildcards_demo_{model}_0"


def state_of(cluster: Cluster, job: str) -> str:
    """A job's state."""
    return next((state for number, state, *_ in cluster.queue("--states=all") if number == job), "")


def elapsed_minutes(cluster: Cluster, job: str) -> int:
    """Whole minutes since a job was last started."""
    shown = re.search(r"RunTime=(?:(\d+)-)?(\d+):(\d+):", cluster.control("show", "job", job))
    days, hours, minutes = (int(part or 0) for part in shown.groups()) if shown else (0, 0, 0)
    return (24 * days + hours) * 60 + minutes


if __name__ == "__main__":
    sys.exit(main())
