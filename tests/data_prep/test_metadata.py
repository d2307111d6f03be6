from __future__ import annotations

from pathlib import Path

import pytest

from data_prep.drawing import labels
from data_prep.metadata import (
    ATTRIBUTES,
    FEMALE,
    MALE,
    OTHER,
    UNKNOWN,
    gender_of,
    read_scores,
    read_table,
    read_ucf,
)
from ugatit.errors import UserError


def row(name: str = "a", separator: str = " ", **marks: int) -> str:
    """A line of the attribute file; what is not named does not apply."""
    values = [marks.get(attribute, -1) for attribute in ATTRIBUTES]
    return separator.join([name, "4.521", *map(str, values)])


def write(folder: Path, content: str | bytes) -> Path:
    file = folder / "metadata"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def test_the_attributes_are_the_36_of_the_source() -> None:
    assert len(set(ATTRIBUTES)) == 36
    assert ATTRIBUTES == labels.ATTRIBUTES


@pytest.mark.parametrize("separator", [" ", "\t", "   ", " \t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_attributes_that_apply_are_labels(tmp_path: Path, separator: str, end: str) -> None:
    lines = [
        row("a1_6", separator, is_female=1, child=1, dim_lighting=1),
        row("b2_6", separator, is_female=0, teenager=0, youth=1),
        "",
        row("c3_6", separator, partial_faces=1),
    ]
    read = read_ucf(write(tmp_path, end.join(lines) + end))
    assert list(read) == ["a1_6", "b2_6", "c3_6"]
    assert {"is_female", "child", "dim_lighting"} <= set(read["a1_6"])
    assert {"?is_female", "?teenager", "youth"} <= set(read["b2_6"])
    assert not {"is_female", "teenager", "?youth"} & set(read["b2_6"])
    assert "partial_faces" in read["c3_6"] and not {"is_female", "?is_female"} & set(read["c3_6"])
    assert [gender_of(read[name]) for name in read] == [FEMALE, UNKNOWN, MALE]


def test_a_man_of_whom_nothing_else_is_said_is_a_man(tmp_path: Path) -> None:
    assert gender_of(read_ucf(write(tmp_path, row()))["a"]) == MALE


@pytest.mark.parametrize(
    "line",
    [
        "a 4.5",
        row() + " 1",
        row().removesuffix(" -1"),
        row(is_female=2),
        row().replace("-1", "yes"),
        "<html><body>404</body></html>",
    ],
)
def test_a_line_of_another_shape_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(
        UserError, match=r"metadata, line 2: found .*; expected name, score and 36 attributes"
    ):
        read_ucf(write(tmp_path, f"{row('first')}\n{line}\n"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_encodings_are_recognised(tmp_path: Path, encoding: str) -> None:
    assert list(read_ucf(write(tmp_path, row("josé_6", is_female=1).encode(encoding)))) == ["josé_6"]
    table = read_table(write(tmp_path, "file,gender,name\né.png,Female,José\n".encode(encoding)))
    assert table == {"é.png": ("gender=Female", "name=José")}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_tables_of_any_program_are_read(tmp_path: Path, delimiter: str, end: str) -> None:
    lines = [
        ["Slug", " FILE ", "Gender", "Tags"],
        ["rin", "a.png", " Female ", '"red,  hat"'],
        ["", "b.png", "", ""],
    ]
    lines.append(["mai", "c.png"])
    read = read_table(write(tmp_path, "".join(delimiter.join(line) + end for line in lines)))
    assert set(read["a.png"]) == {"slug=rin", "gender=Female", "red", "hat"}
    assert [gender_of(read[name]) for name in ("a.png", "b.png", "c.png")] == [FEMALE, UNKNOWN, UNKNOWN]


def test_a_value_cannot_make_two_labels(tmp_path: Path) -> None:
    read = read_table(write(tmp_path, 'file,gender,tags\na.png,"Female;child","hat;1boy"\n'))
    assert not any(";" in label for label in read["a.png"])


@pytest.mark.parametrize(
    ("read", "content", "words"),
    [
        (read_table, "picture,gender\na.png,f\n", "columns ['picture', 'gender']; expected at least file, gender"),
        (read_table, "file,sex\na.png,f\n", "expected at least file, gender"),
        (read_table, "", "columns []"),
        (read_table, "<!DOCTYPE html>\n", "expected at least file, gender"),
        (read_table, 'file,gender\na.png,"f' + "x" * 200_000, "is a quote open?"),
        (read_table, 'file,"gender\na.png,f' + "x" * 200_000, "is a quote open?"),
        (read_scores, "file,score\na.png,1\n", "expected at least female, file"),
        (read_scores, "file,female\na.png,0.5\nb.png,1.5\n", "line 3: female is '1.5'; expected 0 to 1"),
        (read_scores, "file,female\na.png,-0.1\n", "line 2"),
        (read_scores, "file,female\na.png,nan\n", "line 2"),
        (read_scores, "file,female\na.png,\n", "line 2: female is ''"),
        (read_scores, "file,female\na.png,yes\n", "line 2"),
    ],
)  # fmt: skip
def test_a_table_of_another_shape_is_refused(tmp_path: Path, read: object, content: str, words: str) -> None:
    with pytest.raises(UserError) as refused:
        read(write(tmp_path, content))  # type: ignore[operator]
    assert str(tmp_path / "metadata") in str(refused.value)
    assert words in str(refused.value)


@pytest.mark.parametrize("read", [read_ucf, read_table, read_scores])
def test_missing_metadata_are_named(tmp_path: Path, read: object) -> None:
    with pytest.raises(UserError, match=r"absent: No such file.*metadata of the raw pictures"):
        read(tmp_path / "absent")  # type: ignore[operator]


def test_scores_are_read_by_file(tmp_path: Path) -> None:
    scores = read_scores(write(tmp_path, "file;female\na/b.png;0\nc.png;1\nd.png;0.25\n"))
    assert scores == {"a/b.png": 0.0, "c.png": 1.0, "d.png": 0.25}


@pytest.mark.parametrize(
    ("word", "gender"),
    [
        ("female", FEMALE), ("Female", FEMALE), ("F", FEMALE), ("1girl", FEMALE), ("Woman", FEMALE), ("girl", FEMALE),
        ("male", MALE), ("M", MALE), ("1boy", MALE), ("MAN", MALE), ("boy", MALE),
        ("", UNKNOWN), ("?", UNKNOWN), ("Unknown", UNKNOWN),
        ("Other", OTHER), ("2girls", OTHER), ("femal", OTHER),
    ],
)  # fmt: skip
def test_words_for_gender(word: str, gender: str) -> None:
    assert gender_of(("slug=rin", f"gender={word}", "hat")) == gender


def test_without_metadata_nothing_is_known() -> None:
    assert gender_of(()) == UNKNOWN
