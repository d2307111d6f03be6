"""A SLURM of one node on the loopback address, with GPUs that are device files: started, and stopped again.

Real munged, slurmctld and slurmd of Debian's slurm-wlm with a configuration of their own. It runs as root,
because slurmd starts jobs in their users' names. The node announces more cores, memory and GPUs than the
machine has; nothing listens on another address than 127.0.0.1.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol")
PACKAGES = ("slurm-wlm", "munge")
SYSTEM_CONFIG = Path("/etc/slurm")
"""Where srun looks inside of jobs, to which SLURM_CONF is not handed on."""
FOLDER_PREFIX = "ugatit-slurm-"
"""Of the folders that hold a cluster's files."""

GPUS, CORES, MEMORY_MB = 3, 64, 256_000
CONTROLLER_PORT, NODE_PORT = 16817, 16818
PATIENCE_S = 60

CONFIG = """\
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.socket
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
MpiDefault=none
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
# The plugin must load, and with these settings touches nothing.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
SlurmdParameters=config_overrides
ReturnToService=2
MinJobAge=3600
KillWait=30
SchedulerParameters=sched_interval=2,bf_interval=5
SchedulerType=sched/backfill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=500
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 Port={node_port} CPUs={cores} RealMemory={memory} Gres=gpu:fake:{gpus} State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP PriorityTier=1
PartitionName=urgent Nodes={host} Default=NO MaxTime=INFINITE State=UP PriorityTier=9
"""


class MissingSlurm(Exception):  # noqa: N818
    """SLURM is not there and cannot be installed, or cannot be started here."""


def install() -> None:
    """Install SLURM from Debian's archive where it is missing.

    Raises: MissingSlurm saying what is missing and why.
    """
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if not missing:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise MissingSlurm(
            f"{', '.join(missing)} not found; installing {' '.join(PACKAGES)} needs root and apt-get"
        )
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "-o", "DPkg::Lock::Timeout=300", "-q", "-y", "--no-install-recommends", "install"]
    for step in (["apt-get", "-q", "update"], [*command, *PACKAGES]):
        done = subprocess.run(step, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise MissingSlurm(f"`{' '.join(step)}` failed: {done.stderr.strip() or done.stdout.strip()}")


def place_link(link: Path, target: Path) -> None:
    """Make a link, in place of one that an earlier cluster left: it dangles or leads into such a cluster's folder.

    Raises: MissingSlurm if anything else is there.
    """
    if link.exists() and not (
        link.is_symlink() and any(part.startswith(FOLDER_PREFIX) for part in link.resolve().parts)
    ):
        raise MissingSlurm(f"{link} exists: this machine has a SLURM of its own, which stays untouched")
    link.unlink(missing_ok=True)
    link.symlink_to(target)


class Cluster:
    """The daemons of one private cluster; a context manager that always stops them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._daemons: list[subprocess.Popen[bytes]] = []
        self._links: list[Path] = []

    def __enter__(self) -> Cluster:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Cancel what runs, end the daemons that were started here, and remove the links."""
        if len(self._daemons) == 3:
            subprocess.run(["scancel", "--quiet", "--user", "root"], check=False, timeout=30)
            self._wait_until(
                lambda: not self.queue("--states=RUNNING,COMPLETING"), "jobs to end", fatal=False
            )
        for daemon in reversed(self._daemons):
            daemon.send_signal(signal.SIGTERM)
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        self._daemons.clear()
        for link in self._links:
            link.unlink(missing_ok=True)
        self._links.clear()

    def queue(self, *options: str) -> list[list[str]]:
        """Rows of squeue: job, state, comment (the rule and its wildcards), reason."""
        command = ["squeue", "--noheader", "--format=%i|%T|%k|%r", *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return [line.split("|") for line in done.stdout.splitlines()]

    def control(self, *words: str) -> str:
        """Run scontrol."""
        return subprocess.run(["scontrol", *words], capture_output=True, text=True, check=True).stdout

    @property
    def node(self) -> str:
        """The name of the only node."""
        return socket.gethostname().split(".")[0]

    def _start(self) -> None:
        if os.geteuid() != 0:
            raise MissingSlurm("slurmd must be started by root")
        for name in ("state", "spool"):
            (self.folder / name).mkdir(parents=True)
        self.folder.chmod(0o755)
        self._configure()
        self._start_munge()
        for program in ("slurmctld", "slurmd"):
            log = (self.folder / f"{program}.out").open("wb")
            daemon = subprocess.Popen([program, "-D"], stdout=log, stderr=subprocess.STDOUT, close_fds=True)
            self._daemons.append(daemon)
        self._wait_until(self._idle, f"an idle node; see {self.folder}/*.log")

    def _configure(self) -> None:
        """Write both configuration files and lead srun to them."""
        text = CONFIG.format(
            folder=self.folder, host=self.node, cores=CORES, memory=MEMORY_MB, gpus=GPUS,
            controller_port=CONTROLLER_PORT, node_port=NODE_PORT,
        )  # fmt: skip
        devices = []
        for number in range(GPUS):
            device = self.folder / f"gpu{number}"
            os.mknod(device, 0o666 | 0o020000, os.makedev(1, 3))  # a second /dev/null
            devices.append(f"NodeName={self.node} Name=gpu Type=fake File={device}")
        files = {
            "slurm.conf": text,
            "gres.conf": "AutoDetect=off\n" + "\n".join(devices) + "\n",
            "cgroup.conf": "CgroupPlugin=cgroup/v1\n",
        }
        SYSTEM_CONFIG.mkdir(exist_ok=True)
        for name, content in files.items():
            (self.folder / name).write_text(content)
            place_link(SYSTEM_CONFIG / name, self.folder / name)
            self._links.append(SYSTEM_CONFIG / name)

    def _start_munge(self) -> None:
        """Start a munged with a key and a socket of its own."""
        home = self.folder / "munge"
        home.mkdir(mode=0o700)
        key = home / "munge.key"
        key.write_bytes(secrets.token_bytes(1024))
        key.chmod(0o600)
        command = [
            "munged", "--foreground", f"--key-file={key}", f"--socket={self.folder}/munge.socket",
            f"--pid-file={home}/munged.pid", f"--log-file={home}/munged.log", f"--seed-file={home}/munged.seed",
        ]  # fmt: skip
        log = (self.folder / "munged.out").open("wb")
        self._daemons.append(subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT))
        self._wait_until((self.folder / "munge.socket").exists, f"munged; see {self.folder}/munged.out")

    def _idle(self) -> bool:
        done = subprocess.run(
            ["sinfo", "--noheader", "-o", "%T"], capture_output=True, text=True, check=False
        )
        return "idle" in done.stdout.split()

    def _wait_until(self, condition: object, what: str, fatal: bool = True) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if condition():  # type: ignore[operator]
                return
            time.sleep(0.1)
        if fatal:
            raise MissingSlurm(f"waited {PATIENCE_S} s for {what}")


def submit(command: Sequence[str], *options: str) -> str:
    """Submit a job that is no part of the workflow; returns its number."""
    line = ["sbatch", "--parsable", "--output=/dev/null", *options, "--wrap", " ".join(command)]
    return subprocess.run(line, capture_output=True, text=True, check=True).stdout.strip()
