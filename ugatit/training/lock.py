"""No two processes train the same run, on one machine or on several over a shared file system.

The lock is a file that says who trains; its time stamp is a sign of life that a thread renews. A lock whose
process is gone, or that gave no sign for long, is taken over.
"""

from __future__ import annotations

import getpass
import json
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from ugatit.errors import UserError

BEAT_S = 15.0
"""Seconds between two signs of life."""

STALE_S = 120.0
"""A lock without a sign of life for so long is nobody's: eight were missed."""

LOOK_S = 1.0
"""Seconds between two looks at a lock that may or may not be alive."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Holder:
    """Who holds a lock."""

    owner: str
    host: str
    pid: int
    birth: str  # tells the process from a later one with the same number; empty where it cannot be known
    since: str
    token: str

    def __str__(self) -> str:
        return f"{self.owner} on {self.host}, process {self.pid}, since {self.since}"

    def gone(self) -> bool | None:
        """Whether the process has ended; None if that cannot be seen from here."""
        if (self.host, _world(self.birth)) != (socket.gethostname(), _world(_birth(os.getpid()))):
            return None
        return _birth(self.pid) != self.birth


class Lock:
    """A lock that this process holds."""

    def __init__(self, path: Path, holder: Holder) -> None:
        self.path, self.holder = path, holder
        self._released = threading.Event()
        self._heart = threading.Thread(target=self._beat, name="lock", daemon=True)
        self._heart.start()

    def require(self) -> None:
        """Make sure that nobody has taken the lock over, as others may after a long pause of this process.

        Raises: UserError saying who has.
        """
        found = _look(self.path)
        if found is None or found.token != self.holder.token:
            raise UserError(
                f"{self.path}: taken over by {found or 'a process that has ended'}, since this one gave no "
                f"sign of life for {STALE_S:.0f} s. Nothing is lost: the other one does the same training."
            )

    def release(self) -> None:
        """Give the lock back, if it is still this process's."""
        self._released.set()
        self._heart.join()
        found = _look(self.path)
        if found is not None and found.token == self.holder.token:
            self.path.unlink(missing_ok=True)

    def _beat(self) -> None:
        while not self._released.wait(BEAT_S):
            with suppress(OSError):  # a file system may be away for a while; `require` looks again
                os.utime(self.path)


@contextmanager
def alone(path: Path) -> Iterator[Lock]:
    """Hold the lock of this path while inside.

    Raises: UserError naming the process that holds it and lives.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    pid = os.getpid()
    holder = Holder(_user(), socket.gethostname(), pid, _birth(pid), now, uuid.uuid4().hex)
    _acquire(path, holder)
    lock = Lock(path, holder)
    try:
        yield lock
    finally:
        lock.release()


@dataclass(frozen=True)
class _Found:
    """What one look at a lock file shows."""

    holder: Holder | None  # None while its owner writes it
    stamp_ns: int

    @property
    def token(self) -> str | None:
        return self.holder.token if self.holder else None

    def __str__(self) -> str:
        return str(self.holder or "somebody")


def _acquire(path: Path, me: Holder) -> None:
    """Create the lock, or take over one that is nobody's."""
    first: _Found | None = None
    while not _create(path, me):
        found = _look(path)
        if found is None:
            continue
        quiet_s = _seconds_since(path, found)
        gone = found.holder.gone() if found.holder else None
        if gone or quiet_s > STALE_S:
            reason = "that process is gone" if gone else f"no sign of life for {quiet_s:.0f} s"
            if _take_over(path, found, me):
                log.warning("%s: left by %s; %s: taking over", path, found, reason)
                return
            continue
        if gone is False or (first is not None and found != first):
            raise UserError(
                f"{path.parent}: being trained by {found}. Wait for it to end, or stop it there; the same "
                "command then continues."
            )
        if first is None:
            log.info("%s: held by %s; looking whether it is alive, %.0f s at most", path, found, STALE_S)
            first = found
        time.sleep(LOOK_S)


def _create(path: Path, holder: Holder) -> bool:
    """Create a lock file that is not there; False if it is. One process alone can succeed."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        json.dump(asdict(holder), handle)
    return True


def _look(path: Path) -> _Found | None:
    """Read a lock file; opening it makes a network file system ask its server."""
    try:
        with path.open(encoding="utf-8") as handle:
            text, stamp_ns = handle.read(), os.fstat(handle.fileno()).st_mtime_ns
    except FileNotFoundError:
        return None
    try:
        return _Found(Holder(**json.loads(text)), stamp_ns)
    except (ValueError, TypeError):
        return _Found(None, stamp_ns)


def _take_over(path: Path, stale: _Found, me: Holder) -> bool:
    """Put this process's lock in place of a stale one; False if another process was faster.

    Whoever replaces a lock first creates a file that is named after it, and looks at the lock again.
    """
    claim = path.with_name(f"{path.name}.{stale.token or stale.stamp_ns}")
    if not _create(claim, me):
        if (found := _look(claim)) is not None and _seconds_since(claim, found) > STALE_S:
            claim.unlink(missing_ok=True)  # its owner died within the few lines below
        time.sleep(LOOK_S)
        return False
    try:
        if _look(path) != stale:
            return False
        own = path.with_name(f"{path.name}.{me.token}")
        _create(own, me)
        own.replace(path)
        return True
    finally:
        claim.unlink(missing_ok=True)


def _seconds_since(path: Path, found: _Found) -> float:
    """Seconds since the last sign of life, both ends by the clock of the file system."""
    probe = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    probe.touch()
    now_ns = probe.stat().st_mtime_ns
    probe.unlink()
    return (now_ns - found.stamp_ns) / 1e9


def _user() -> str:
    """The name of the user, or its number where it has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _birth(pid: int) -> str:
    """Since when a process runs, and in which space of process numbers; empty if there is no such process."""
    if not Path("/proc/self/stat").exists():
        return "alive" if _answers(pid) else ""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    world = os.readlink("/proc/self/ns/pid")
    return "" if state == "Z" else f"{world} {fields[18]}"  # what waits for its parent has ended


def _world(birth: str) -> str:
    """The space of process numbers of a birth."""
    return birth.partition(" ")[0]


def _answers(pid: int) -> bool:
    """Whether there is a process of this number, where there is no /proc."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
