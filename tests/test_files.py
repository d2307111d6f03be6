from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from ugatit.errors import USER_ERROR_EXIT, UserError, exit_on_user_error
from ugatit.files import atomic_path, read_json, sha256_file, sha256_json, write_json, write_text

ROOT = Path(__file__).resolve().parents[1]


def test_a_written_file_is_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "new" / "folder" / "note.txt"
    write_text(target, "a\nü\n")
    assert target.read_bytes() == "a\nü\n".encode()
    assert list(target.parent.iterdir()) == [target]


def test_an_exception_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "note.txt"
    write_text(target, "old")
    with pytest.raises(ZeroDivisionError), atomic_path(target) as part:
        part.write_text("half")
        raise ZeroDivisionError
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_process_killed_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "note.txt"
    write_text(target, "old")
    script = (
        "import os, signal, sys; from pathlib import Path; from ugatit.files import atomic_path\n"
        "with atomic_path(Path(sys.argv[1])) as part:\n"
        "    part.write_text('half'); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(target)], cwd=ROOT, check=False)
    assert killed.returncode < 0
    assert target.read_text() == "old"
    write_text(target, "new")
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_json_keeps_its_value_and_the_order_of_its_keys(tmp_path: Path) -> None:
    value = {"b": 1e-4, "a": ["ü", None, True]}
    write_json(tmp_path / "value.json", value)
    again = read_json(tmp_path / "value.json", "a value", "Write it.")
    assert again == value
    assert list(again) == ["b", "a"]


@pytest.mark.parametrize("content", [None, b"", b"{", b"\xff\xfe"])
def test_json_that_cannot_be_read_is_named_with_its_remedy(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "value.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"value\.json: .*expected a value.* Write it\.") as error:
        read_json(path, "a value", "Write it.")
    assert "\n" not in str(error.value)


def test_hashes_are_those_of_the_standard(tmp_path: Path) -> None:
    data = bytes(range(256)) * 5000
    (tmp_path / "data").write_bytes(data)
    assert sha256_file(tmp_path / "data") == hashlib.sha256(data).hexdigest()
    assert sha256_json({"b": 1, "a": 2}) == sha256_json(json.loads('{"a":2,"b":1}'))
    assert sha256_json({"b": 1}) != sha256_json({"b": 2})


def test_a_users_mistake_is_one_line_and_its_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> None:
        raise UserError("raw/x: no such folder;\n  expected pictures.")

    with pytest.raises(SystemExit) as exit_info:
        exit_on_user_error(command)
    assert exit_info.value.code == USER_ERROR_EXIT == 2
    assert capsys.readouterr().err == "error: raw/x: no such folder; expected pictures.\n"


def test_a_command_that_ends_well_exits_with_zero(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_info:
        exit_on_user_error(lambda: None)
    assert exit_info.value.code == 0
    assert capsys.readouterr().err == ""


def test_a_programming_mistake_keeps_its_traceback() -> None:
    def command() -> None:
        raise KeyError("bug")

    with pytest.raises(KeyError):
        exit_on_user_error(command)


def test_a_reader_of_the_old_file_never_sees_the_new_one(tmp_path: Path) -> None:
    target = tmp_path / "note.txt"
    write_text(target, "old")
    with target.open() as reader:
        write_text(target, "new")
        assert reader.read() == "old"
    assert target.read_text() == "new"
