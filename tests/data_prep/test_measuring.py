from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Collection
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from data_prep import measuring
from data_prep.items import REVIEW, Item
from data_prep.measuring import CHUNK, CHUNKS_AHEAD, measure_all
from tests.conftest import ROOT
from tests.data_prep.counting_stage import WORDS, CountingStage, numbered, run
from ugatit.errors import UserError
from ugatit.manifest import DROPPED, ERROR, KEPT

PATIENCE_S = 20
"""For processes to end on a busy machine; it takes a tenth of a second."""


def measured(folder: Path, items: list[Item], processes: int = 1, **settings: Any) -> list[Item]:
    return measure_all(CountingStage(folder, **settings), items, folder / "measured", processes)


def calls(folder: Path) -> list[str]:
    """The files that were measured, in order; begins anew each time."""
    log = folder / "calls"
    found = log.read_text().splitlines() if log.exists() else []
    log.unlink(missing_ok=True)
    return found


def journal(folder: Path) -> Path:
    (file,) = (folder / "measured").iterdir()
    return file


def test_what_concerns_the_stage_is_measured_and_everything_comes_back_in_order(tmp_path: Path) -> None:
    items = numbered(5)
    items[1] = items[1].out(DROPPED, "index", "same bytes: 0.png")
    items[3] = items[3].out(REVIEW, "select", "gender unknown")
    items[4] = items[4].out(ERROR, "index", "cannot be opened")
    after = measured(tmp_path, items, setting=7)
    assert [made.file for made in after] == [item.file for item in items]
    assert [made.width for made in after] == [0, None, 14, 21, None]
    assert [made.sharpness for made in after] == [0.0, None, 0.6667, 1.0, None]
    assert (after[1], after[4]) == (items[1], items[4])
    assert calls(tmp_path) == ["0.png", "2.png", "3.png"]


def test_nothing_is_measured_twice(tmp_path: Path) -> None:
    first = measured(tmp_path, numbered(5))
    assert len(calls(tmp_path)) == 5
    assert measured(tmp_path, numbered(5)) == first
    assert calls(tmp_path) == []
    assert measured(tmp_path, numbered(7)[::-1])[2:] == first[::-1]
    assert calls(tmp_path) == ["6.png", "5.png"]


def test_how_much_was_measured_before_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    measured(tmp_path, numbered(3))
    assert "measured before" not in caplog.text
    measured(tmp_path, numbered(5))
    assert "counting: 3 of 5 were measured before" in caplog.text


def test_items_that_cannot_differ_are_measured_once(tmp_path: Path) -> None:
    twins = [Item("1", name, "1", 4, KEPT) for name in ("a.png", "b.png")]
    assert [made.width for made in measured(tmp_path, twins)] == [4, 4]
    assert len(calls(tmp_path)) == 1


def test_a_changed_limit_measures_nothing_again_and_a_changed_setting_everything(tmp_path: Path) -> None:
    statuses = [[made.status for made in measured(tmp_path, numbered(4), limit=limit)] for limit in (9, 2, 0)]
    assert statuses == [[KEPT] * 4, [KEPT] * 3 + [REVIEW], [KEPT] + [REVIEW] * 3]
    assert len(calls(tmp_path)) == 4
    assert [made.width for made in measured(tmp_path, numbered(4), setting=2)] == [0, 2, 4, 6]
    assert len(calls(tmp_path)) == 4
    measured(tmp_path, numbered(4), setting=1)
    assert calls(tmp_path) == []


def test_another_file_under_the_same_name_is_measured(tmp_path: Path) -> None:
    measured(tmp_path, [Item("1", "a.png", "1", 4, KEPT)])
    assert measured(tmp_path, [Item("2", "a.png", "2", 5, KEPT)])[0].width == 5


def test_a_file_that_is_gone_is_made_again(tmp_path: Path) -> None:
    first = measured(tmp_path, numbered(4), makes_files=True)
    calls(tmp_path)
    (tmp_path / first[2].crop).unlink()
    assert measured(tmp_path, numbered(4), makes_files=True) == first
    assert calls(tmp_path) == ["2.png"]
    assert (tmp_path / first[2].crop).read_text() == "2.png"
    assert measured(tmp_path, numbered(4), makes_files=True) == first
    assert calls(tmp_path) == []


def test_a_journal_whose_last_line_is_cut_anywhere_goes_on(tmp_path: Path) -> None:
    expected = measured(tmp_path, numbered(3))
    assert expected[2].mode == WORDS
    whole = journal(tmp_path).read_bytes()
    last = whole.rstrip(b"\n").rindex(b"\n") + 1
    for end in range(last, len(whole)):
        journal(tmp_path).write_bytes(whole[:end])
        calls(tmp_path)
        assert measured(tmp_path, numbered(3)) == expected, end
        assert calls(tmp_path) == (["2.png"] if end < len(whole) - 1 else [])
        assert measured(tmp_path, numbered(4))[:3] == expected, end
        assert [json.loads(line)["columns"]["width"] for line in journal(tmp_path).open("rb")][:2] == [0, 1]
        assert calls(tmp_path)[-1] == "3.png"


def test_what_was_measured_before_a_failure_is_kept(tmp_path: Path) -> None:
    (tmp_path / "trouble").write_text("fail")
    count = CHUNK + 3
    with pytest.raises(UserError, match="^the user's mistake$"):
        measured(tmp_path, numbered(count), trouble_at=count - 1)
    calls(tmp_path)
    (tmp_path / "trouble").unlink()
    measured(tmp_path, numbered(count), trouble_at=count - 1)
    assert len(calls(tmp_path)) == count - CHUNK


def test_more_items_than_fit_in_flight_give_the_same_in_two_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = []
    wait = measuring.wait

    def counted(futures: Collection[Future[Any]], **options: Any) -> Any:
        waiting.append(len(futures))
        return wait(futures, **options)

    monkeypatch.setattr(measuring, "wait", counted)
    in_flight = 2 * CHUNKS_AHEAD * CHUNK
    folders = [tmp_path / "one", tmp_path / "two"]
    for processes, folder in enumerate(folders, start=1):
        folder.mkdir()
        run(folder, 2 * in_flight + 5, processes)
    assert max(waiting) * CHUNK == in_flight
    assert (folders[0] / "counting.csv").read_bytes() == (folders[1] / "counting.csv").read_bytes()
    assert sorted(calls(folders[0])) == sorted(calls(folders[1]))


def test_a_users_mistake_comes_out_of_a_process_as_such(tmp_path: Path) -> None:
    (tmp_path / "trouble").write_text("fail")
    with pytest.raises(UserError, match="^the user's mistake$"):
        measured(tmp_path, numbered(2 * CHUNK), processes=2, trouble_at=3)


def test_a_process_that_dies_is_named_and_the_rest_is_kept(tmp_path: Path) -> None:
    (tmp_path / "trouble").write_text("die")
    count = 2 * CHUNK + 1
    with pytest.raises(
        UserError, match=r"counting: a process died .* What was measured is kept.*fewer --threads"
    ):
        measured(tmp_path, numbered(count), processes=2, trouble_at=count - 1)
    calls(tmp_path)
    kept = len(journal(tmp_path).read_bytes().splitlines())
    (tmp_path / "trouble").unlink()
    measured(tmp_path, numbered(count), trouble_at=count - 1)
    assert len(calls(tmp_path)) == count - kept


@pytest.mark.parametrize("processes", [1, 2])
def test_a_killed_stage_leaves_nothing_running_and_goes_on_to_the_same_bytes(
    tmp_path: Path, processes: int
) -> None:
    count = 3 * CHUNK
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    for folder in (undisturbed, killed):
        folder.mkdir()
    run(undisturbed, count, 1)
    (killed / "trouble").write_text("hang")
    program = (
        "from pathlib import Path; from tests.data_prep.counting_stage import run; "
        f"__name__ == '__main__' and run(Path({str(killed)!r}), {count}, {processes})"
    )
    command = [sys.executable, "-c", program]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "hanging\n"
        process.kill()
        # The end of the output comes when every process that could write to it is gone.
        process.communicate(timeout=PATIENCE_S)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert not (killed / "counting.csv").exists()
    kept = len(journal(killed).read_bytes().splitlines())
    assert kept == 2 * CHUNK or processes > 1
    calls(killed)
    (killed / "trouble").unlink()
    run(killed, count, 1)
    assert len(calls(killed)) == count - kept
    assert (killed / "counting.csv").read_bytes() == (undisturbed / "counting.csv").read_bytes()
