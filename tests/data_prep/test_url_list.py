from __future__ import annotations

import hashlib
import io
import json
import logging
from pathlib import Path

import pytest
from PIL import Image

from data_prep.sources import list_files
from data_prep.transfer import Patience
from data_prep.url_list import FAILURES_SHOWN, fetch_urls
from tests.data_prep.http_server import Answer, Server
from ugatit.errors import UserError

PAGE = b"<!DOCTYPE html><title>Not here</title>"
ROBOTS = "/robots.txt"


def picture(level: int, format: str = "PNG") -> bytes:
    memory = io.BytesIO()
    Image.new("RGB", (4, 4), (level, level, level)).save(memory, format)
    return memory.getvalue()


ONE, TWO = picture(1), picture(2)


class Clock:
    """Time that passes only while somebody waits."""

    def __init__(self) -> None:
        self.now, self.pauses = 0.0, list[float]()

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def patience(clock: Clock) -> Patience:
    return Patience(timeout_s=5, retries=2, sleep=clock.sleep, clock=clock.time)


class Session:
    """A list of URLs and the folder that they are fetched to."""

    def __init__(self, root: Path, patience: Patience) -> None:
        self.list, self.folder, self.patience = root / "urls.txt", root / "out", patience

    def fetch(self, *urls: str, **options: float) -> dict[str, int]:
        self.list.write_text("\n".join(urls))
        counts = fetch_urls(self.list, self.folder, patience=self.patience, **options)
        return {name: count for name, count in counts.items() if count}

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in (self.folder / "fetched.jsonl").read_text().splitlines()]

    def pictures(self) -> dict[str, bytes]:
        return {f.name: f.read_bytes() for f in list_files(self.folder) if f.name != "fetched.jsonl"}


@pytest.fixture
def session(tmp_path: Path, patience: Patience) -> Session:
    return Session(tmp_path, patience)


def test_pictures_are_downloaded_named_and_recorded(server: Server, session: Session) -> None:
    url = server.set("/images/one.png?t=1", Answer(ONE, headers={"ETag": '"e"'}))
    counts = session.fetch("# a comment", "", f"  {url}  # another", url)
    assert counts == {"ok": 1}
    assert session.pictures() == {"one.png": ONE}
    assert session.lines() == [
        {
            "url": url,
            "outcome": "ok",
            "status": 200,
            "etag": '"e"',
            "sha256": hashlib.sha256(ONE).hexdigest(),
            "bytes": len(ONE),
            "file": "one.png",
            "reason": "",
        }
    ]
    assert [path for path, _ in server.requests] == [ROBOTS, "/images/one.png?t=1"]
    assert all("ugatit" in headers["User-Agent"] for _, headers in server.requests)


def test_a_rerun_asks_only_for_what_is_missing(server: Server, session: Session) -> None:
    one, two = server.set("/1.png", Answer(ONE)), server.set("/2.png", Answer(status=404))
    assert session.fetch(one, two) == {"ok": 1, "4xx": 1}
    server.set("/2.png", Answer(TWO))
    assert session.fetch(one, two) == {"cached": 1, "ok": 1}
    assert len(server.asked("/1.png")) == 1
    assert [line["outcome"] for line in session.lines()] == ["ok", "ok"]
    (session.folder / "1.png").unlink()
    assert session.fetch(one, two) == {"cached": 1, "ok": 1}
    assert session.pictures() == {"1.png": ONE, "2.png": TWO}


def test_every_failure_is_counted_recorded_and_shown(
    server: Server, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    cases = {
        "4xx": server.set("/403.png", Answer(b"no", 403)),
        "5xx": server.set("/503.png", Answer(status=503)),
        "html_instead": server.set("/page.png", Answer(PAGE)),
        "not_a_picture": server.set("/data.png", Answer(b"{}")),
        "no_answer": server.set("/cut.png", Answer(ONE, cut=0)),
    }
    counts = session.fetch(*cases.values())
    assert counts == {**dict.fromkeys(cases, 1), "retried": 2}
    assert {line["url"]: line["outcome"] for line in session.lines()} == {u: o for o, u in cases.items()}
    assert [line["status"] for line in session.lines()[:3]] == [403, 503, 200]
    for url in cases.values():
        assert url in caplog.text
    assert "5 URLs not downloaded" in caplog.text
    assert session.pictures() == {}


def test_an_answer_that_is_not_understood_stops_nothing(server: Server, session: Session) -> None:
    bad = server.set("/1.png", Answer(status=302, headers={"Location": "http://[bad/"}))
    assert session.fetch(bad, server.set("/2.png", Answer(TWO))) == {"no_answer": 1, "ok": 1}
    assert "not to be followed" in str(session.lines()[0]["reason"])


def test_a_long_list_of_failures_is_cut(
    server: Server, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    session.fetch(*(server.url(f"/{number}.png") for number in range(FAILURES_SHOWN + 5)))
    assert (
        len([record for record in caplog.records if record.levelno == logging.WARNING]) == FAILURES_SHOWN + 1
    )
    assert len(session.lines()) == FAILURES_SHOWN + 5


def test_trouble_that_passes_is_counted(server: Server, session: Session, clock: Clock) -> None:
    url = server.set("/1.png", Answer(status=429, headers={"Retry-After": "9"}), Answer(ONE))
    assert session.fetch(url) == {"ok": 1, "retried": 1}
    assert 9.0 in clock.pauses


def test_a_cut_off_picture_never_has_its_name_and_is_continued(server: Server, session: Session) -> None:
    etag = {"ETag": '"e"'}
    url = server.set("/1.png", Answer(ONE, headers=etag, cut=20), Answer(status=503))
    assert session.fetch(url) == {"5xx": 1, "retried": 1}
    assert session.pictures() == {}
    server.set("/1.png", Answer(ONE, headers=etag))
    assert session.fetch(url) == {"ok": 1}
    assert server.asked("/1.png")[-1]["Range"] == "bytes=20-"
    assert session.pictures() == {"1.png": ONE}
    assert not [file for file in session.folder.iterdir() if file.name.startswith(".")]


def test_robots_are_obeyed(server: Server, session: Session) -> None:
    rules = b"User-agent: ugatit-data-prep\nDisallow: /private/\n\nUser-agent: *\nDisallow: /\n"
    server.set(ROBOTS, Answer(rules))
    urls = server.set("/private/1.png", Answer(ONE)), server.set("/2.png", Answer(TWO))
    assert session.fetch(*urls) == {"robots": 1, "ok": 1}
    assert not server.asked("/private/1.png")
    assert len(server.asked(ROBOTS)) == 1
    assert "does not allow" in str(session.lines()[0]["reason"])


@pytest.mark.parametrize(
    ("answer", "allowed"),
    [
        (Answer(status=404), True),
        (Answer(status=410), True),
        (Answer(PAGE), True),
        (Answer(b""), True),
        (Answer(b"\xef\xbb\xbfUser-agent: *\r\nDisallow: /"), False),
        (Answer(status=403), False),
        (Answer(status=429), False),
        (Answer(status=503), False),
        (Answer(b"User-agent: *", cut=5), False),
        (Answer(b"User-agent: *\nDisallow: http://[x"), False),
        (Answer("User-agent: *\nCrawl-delay: \u00b2".encode()), False),
        (Answer(status=302, headers={"Location": "/"}), True),
        (Answer(status=302, headers={"Location": ROBOTS}), False),
        (Answer(status=302, headers={"Location": "http://[bad/"}), False),
    ],
)
def test_what_the_answer_for_robots_means(
    answer: Answer, allowed: bool, server: Server, session: Session
) -> None:
    server.set(ROBOTS, answer)
    assert session.fetch(server.set("/1.png", Answer(ONE))) == ({"ok": 1} if allowed else {"robots": 1})
    assert bool(server.asked("/1.png")) == allowed


def test_robots_hold_after_a_redirect_too(server: Server, session: Session) -> None:
    server.set(ROBOTS, Answer(b"User-agent: *\nDisallow: /private/"))
    server.set("/private/1.png", Answer(ONE))
    url = server.set("/1.png", Answer(status=302, headers={"Location": "/private/1.png"}))
    assert session.fetch(url) == {"robots": 1}
    assert not server.asked("/private/1.png")


def test_robots_are_read_wherever_they_are_redirected_to(server: Server, session: Session) -> None:
    """No other host's robots.txt is asked whether this one's may be read."""
    with Server() as other:
        other.set(ROBOTS, Answer(b"User-agent: *\nDisallow: /"))
        rules = other.set("/rules", Answer(b"User-agent: *\nDisallow: /private/"))
        server.set(ROBOTS, Answer(status=301, headers={"Location": rules}))
        urls = [server.set(path, Answer(ONE)) for path in ("/private/1.png", "/2.png", "/private/3.png")]
        urls.append(other.set("/4.png", Answer(ONE)))
        assert session.fetch(*urls) == {"robots": 3, "ok": 1}
        assert [path for path, _ in other.requests] == ["/rules", ROBOTS]
        other.shutdown()
    assert [path for path, _ in server.requests] == [ROBOTS, "/2.png"]


def test_redirects_of_robots_wait_for_their_turn(server: Server, session: Session, clock: Clock) -> None:
    server.set(ROBOTS, Answer(status=302, headers={"Location": "/rules"}))
    session.fetch(server.set("/1.png", Answer(ONE)))
    assert [path for path, _ in server.requests] == [ROBOTS, "/rules", "/1.png"]
    assert clock.pauses == [1.0, 1.0]


def test_a_host_is_asked_no_faster_than_agreed(server: Server, session: Session, clock: Clock) -> None:
    urls = [server.set(f"/{number}.png", Answer(picture(number))) for number in range(3)]
    assert session.fetch(*urls, per_second=0.5) == {"ok": 3}
    assert clock.pauses == [2.0, 2.0, 2.0]


def test_hosts_do_not_wait_for_each_other(server: Server, session: Session, clock: Clock) -> None:
    with Server() as other:
        urls = server.set("/1.png", Answer(ONE)), other.set("/2.png", Answer(TWO))
        assert session.fetch(*urls) == {"ok": 2}
        other.shutdown()
    assert clock.pauses == [1.0, 1.0]


def test_a_slower_pace_that_robots_ask_for_is_kept(server: Server, session: Session, clock: Clock) -> None:
    server.set(ROBOTS, Answer(b"User-agent: *\nCrawl-delay: 5"))
    session.fetch(*(server.set(f"/{number}.png", Answer(picture(number))) for number in range(3)))
    assert clock.pauses == [1.0, 5.0, 5.0]


def test_pictures_of_the_same_name_are_all_kept(server: Server, session: Session) -> None:
    urls = [
        server.set(path, Answer(picture(number)))
        for number, path in enumerate(("/a/1.png", "/b/1.png", "/c/1.PNG"))
    ]
    assert session.fetch(*urls) == {"ok": 3}
    names = [str(line["file"]) for line in session.lines()]
    assert names[0] == "1.png"
    assert len({name.casefold() for name in names}) == 3
    assert session.fetch(*urls) == {"cached": 3}


def test_a_file_that_nobody_recorded_is_not_replaced(server: Server, session: Session) -> None:
    session.folder.mkdir()
    (session.folder / "1.png").write_bytes(TWO)
    session.fetch(server.set("/1.png", Answer(ONE)))
    assert sorted(session.pictures().values()) == sorted([ONE, TWO])


def test_a_kill_between_naming_and_recording_leaves_one_file(server: Server, session: Session) -> None:
    url = server.set("/1.png", Answer(ONE))
    session.fetch(url)
    record = session.folder / "fetched.jsonl"
    record.write_text(record.read_text()[:-30])
    assert session.fetch(url) == {"ok": 1}
    assert session.pictures() == {"1.png": ONE}
    assert len(session.lines()) == 1


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/%2e%2e%2fup.png", "up.png"),
        ("/..%5cup.png", "_up.png"),
        ("/.hidden.png", "hidden.png"),
        ("/", "picture.png"),
        ("/get.php?id=3", "get.png"),
        ("/photo.jpg", "photo.png"),
        ("/a%00b%20c%0a.png", "a_b_c_.png"),
        ("/" + "x" * 300 + ".png", "x" * 50 + ".png"),
        ("/%E8%AA%9E.png", "語.png"),
    ],
)
def test_names_are_safe_and_end_as_their_content_is(
    path: str, name: str, server: Server, session: Session
) -> None:
    server.set(ROBOTS, Answer(status=404))
    server.set("*", Answer(ONE))
    session.fetch(server.url(path))
    assert session.pictures() == {name: ONE}


def test_endless_answers_are_given_up(
    server: Server, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data_prep.url_list.MAX_PICTURE_BYTES", len(ONE) - 1)
    session.fetch(server.set("/1.png", Answer(ONE)), server.set("/2.png", Answer(ONE, length=False)))
    assert ["more than" in str(line["reason"]) for line in session.lines()] == [True, True]
    assert [file.name for file in session.folder.iterdir()] == ["fetched.jsonl"]


def test_a_list_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        fetch_urls(tmp_path / "none.txt", tmp_path / "out")
    (tmp_path / "urls.txt").write_text("http://127.0.0.1/1.png\nftp://127.0.0.1/2.png\n")
    with pytest.raises(UserError, match="line 2: found 'ftp://127.0.0.1/2.png'"):
        fetch_urls(tmp_path / "urls.txt", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_a_file_is_named(server: Server, session: Session) -> None:
    session.folder.write_text("mine")
    with pytest.raises(UserError, match=r"out: cannot be written \(File exists\)\. Give another folder"):
        session.fetch(server.url("/1.png"))
    assert session.folder.read_text() == "mine"
