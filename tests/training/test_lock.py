"""The lock of a run: who is refused, what is taken over, and what a kill leaves behind."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from ugatit.errors import UserError
from ugatit.training import lock
from ugatit.training.lock import Holder, alone

PATIENCE_S = 60

HOLD = """
import sys, time
from pathlib import Path
from ugatit.training.lock import alone
with alone(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Signs of life come and are missed within tenths of a second."""
    monkeypatch.setattr(lock, "BEAT_S", 0.05)
    monkeypatch.setattr(lock, "STALE_S", 1.0)
    monkeypatch.setattr(lock, "LOOK_S", 0.05)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "training" / "lock.json"


def elsewhere(path: Path, **changes: object) -> Holder:
    """A lock that a process on another machine holds."""
    path.parent.mkdir(exist_ok=True)
    holder = replace(Holder("ada", "node7", 4711, "pid:[1] 5", "2020-05-01 12:00:00 UTC", "abc"), **changes)
    path.write_text(json.dumps(asdict(holder)))
    return holder


def hold_in_another_process(path: Path) -> subprocess.Popen[str]:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def test_a_lock_says_who_holds_it_and_goes_with_its_holder(path: Path) -> None:
    with alone(path):
        found = json.loads(path.read_text())
        assert (found["host"], found["pid"]) == (socket.gethostname(), os.getpid())
    assert list(path.parent.iterdir()) == []


def test_a_living_process_of_this_machine_is_refused_at_once_and_named(path: Path) -> None:
    holder = hold_in_another_process(path)
    began = time.monotonic()
    named = rf"being trained by \w+ on {socket.gethostname()}, process {holder.pid}, since 2"
    with pytest.raises(UserError, match=named), alone(path):
        pass
    assert time.monotonic() - began < lock.STALE_S
    holder.kill()
    holder.wait()


@pytest.mark.parametrize("reaped", [True, False])
def test_what_kill_9_leaves_is_taken_over_at_once(
    path: Path, caplog: pytest.LogCaptureFixture, reaped: bool
) -> None:
    holder = hold_in_another_process(path)
    holder.send_signal(signal.SIGKILL)
    if reaped:
        holder.wait()
    else:
        os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)
    assert path.exists()
    with alone(path) as mine:
        assert json.loads(path.read_text())["token"] == mine.holder.token
    assert f"process {holder.pid}, since" in caplog.text
    assert "that process is gone: taking over" in caplog.text
    holder.wait()


def test_another_process_with_the_same_number_is_not_the_holder(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    me = lock._birth(os.getpid())
    elsewhere(
        path, host=socket.gethostname(), pid=os.getpid(), birth=me[:-1] + ("1" if me[-1] != "1" else "2")
    )
    with alone(path):
        assert "that process is gone" in caplog.text


def test_a_living_process_of_another_machine_is_refused(path: Path) -> None:
    elsewhere(path)
    stop = threading.Event()

    def live() -> None:
        while not stop.wait(lock.BEAT_S):
            os.utime(path)

    thread = threading.Thread(target=live)
    thread.start()
    try:
        named = "being trained by ada on node7, process 4711, since 2020-05-01"
        with pytest.raises(UserError, match=named), alone(path):
            pass
    finally:
        stop.set()
        thread.join()


def test_silence_of_another_machine_is_waited_for_and_explained(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    elsewhere(path)
    began = time.monotonic()
    with caplog.at_level(logging.INFO), alone(path):
        assert time.monotonic() - began >= lock.STALE_S * 0.9
    assert "looking whether it is alive" in caplog.text
    assert (
        "left by ada on node7, process 4711, since 2020-05-01 12:00:00 UTC; no sign of life for 1 s"
        in caplog.text
    )


@pytest.mark.parametrize("text", ["", "{", '{"owner": "ada"}'])
def test_an_unfinished_lock_is_nobodys_after_a_while(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text)
    os.utime(path, (time.time() - 60, time.time() - 60))
    with alone(path):
        assert json.loads(path.read_text())["pid"] == os.getpid()


def test_of_many_that_find_a_stale_lock_one_alone_gets_it(path: Path) -> None:
    elsewhere(path)
    os.utime(path, (0, 0))
    inside, refused, most = [], [], []
    door = threading.Barrier(8)

    def try_it() -> None:
        door.wait()
        try:
            with alone(path):
                inside.append(1)
                most.append(len(inside))
                time.sleep(0.3)
                inside.pop()
        except UserError:
            refused.append(1)

    threads = [threading.Thread(target=try_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert max(most) == 1
    assert len(most) + len(refused) == 8
    assert refused
    assert list(path.parent.iterdir()) == []


def test_one_that_was_taken_over_notices_and_leaves_the_lock_alone(path: Path) -> None:
    with alone(path) as mine:
        mine.require()
        elsewhere(path)
        with pytest.raises(UserError, match="taken over by ada on node7"):
            mine.require()
    assert path.exists()


def test_signs_of_life_are_given_while_the_holder_works(path: Path) -> None:
    with alone(path):
        first = path.stat().st_mtime_ns
        deadline = time.monotonic() + PATIENCE_S
        while path.stat().st_mtime_ns == first:
            assert time.monotonic() < deadline
            time.sleep(0.02)
