from __future__ import annotations

import hashlib
import io
import json
import logging
import re
import time
import zipfile
from email.utils import formatdate
from pathlib import Path

import pytest

from data_prep.fetch import download
from data_prep.transfer import Patience
from tests.data_prep.http_server import Answer, Server
from ugatit.errors import UserError
from ugatit.sources import Mirror


def _archive() -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as container:
        container.writestr("trainA/0.png", bytes(range(256)) * 800)
    return memory.getvalue()


BODY = _archive()
OTHER = BODY.replace(b"0.png", b"1.png")
SUM = hashlib.sha256(BODY).hexdigest()
HALF = len(BODY) // 2
ETAG, OTHER_ETAG = {"ETag": '"one"'}, {"ETag": '"two"'}
QUOTA = (
    b"<!DOCTYPE html><html><head><title>Google Drive - Quota exceeded</title></head><body>Sorry, you can't "
    b"view or download this file at this time.</body></html>"
)


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def patience(pauses: list[float]) -> Patience:
    """Waits that are written down instead."""
    return Patience(timeout_s=5, retries=3, sleep=pauses.append)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "raw" / "set.zip"


def refused(patience: Patience, target: Path, *mirrors: Mirror, accept: bool = False) -> str:
    with pytest.raises(UserError) as error:
        download(mirrors, target, accept_checksum=accept, patience=patience)
    return str(error.value)


def names(target: Path) -> list[str]:
    return sorted(file.name for file in target.parent.iterdir())


def leave_part(
    target: Path, url: str, body: bytes, total: int | None = len(BODY), etag: str = '"one"'
) -> None:
    """What a killed download leaves."""
    target.parent.mkdir(exist_ok=True)
    target.with_name("set.zip.part").write_bytes(body)
    record = {"url": url, "validator": etag, "total": total}
    target.with_name("set.zip.part.json").write_text(json.dumps(record))


def test_a_file_is_downloaded_checked_and_recorded(
    server: Server, target: Path, patience: Patience, caplog: pytest.LogCaptureFixture
) -> None:
    mirror = Mirror(url=server.set("/a", Answer(BODY)), sha256=SUM, bytes=len(BODY), swapped=True)
    with caplog.at_level(logging.INFO):
        fetched = download([mirror], target, patience=patience)
    assert target.read_bytes() == BODY
    assert (fetched.url, fetched.mirror, fetched.bytes) == (mirror.url, mirror, len(BODY))
    assert (fetched.sha256, fetched.verified) == (SUM, True)
    assert names(target) == ["set.zip", "set.zip.fetched.json"]
    assert SUM in caplog.text
    assert "ugatit" in server.asked("/a")[0]["User-Agent"]


def test_the_first_digits_of_a_sum_are_compared_whatever_their_case(
    server: Server, target: Path, patience: Patience
) -> None:
    mirror = Mirror(url=server.set("/a", Answer(BODY)), sha256=SUM[:8].upper())
    assert download([mirror], target, patience=patience).verified


def test_without_a_known_sum_it_is_not_called_verified(
    server: Server, target: Path, patience: Patience
) -> None:
    fetched = download([Mirror(url=server.set("/a", Answer(BODY)))], target, patience=patience)
    assert (fetched.sha256, fetched.verified) == (SUM, False)


def test_nothing_is_shown_without_a_terminal(
    server: Server, target: Path, patience: Patience, capfd: pytest.CaptureFixture[str]
) -> None:
    download([Mirror(url=server.set("/a", Answer(BODY)))], target, patience=patience)
    shown = capfd.readouterr()
    assert shown.out + shown.err == ""


def test_a_file_that_is_there_is_taken_without_a_request(
    server: Server, target: Path, patience: Patience
) -> None:
    target.parent.mkdir()
    target.write_bytes(BODY)
    first = Mirror(url=server.url("/a"), sha256="0" * 64)
    second = Mirror(url=server.url("/b"), sha256=SUM, swapped=True)
    fetched = download([first, second], target, patience=patience)
    assert (fetched.url, fetched.mirror, fetched.verified) == ("", second, True)
    assert not server.requests


def test_a_file_that_is_no_known_one_is_refused_and_left_alone(target: Path, patience: Patience) -> None:
    target.parent.mkdir()
    target.write_bytes(BODY)
    mirror = Mirror(url="http://127.0.0.1:9/a", sha256="0" * 64)
    message = refused(patience, target, mirror)
    assert SUM in message
    assert "0" * 64 in message
    assert "--accept-checksum" in message
    assert target.read_bytes() == BODY
    fetched = download([mirror], target, accept_checksum=True, patience=patience)
    assert (fetched.verified, fetched.sha256) == (False, SUM)


def test_a_file_of_unknown_sum_belongs_to_the_mirror_that_gave_it(
    server: Server, target: Path, patience: Patience, caplog: pytest.LogCaptureFixture
) -> None:
    first = Mirror(url=server.set("/a", Answer(status=404)))
    second = Mirror(url=server.set("/b", Answer(BODY)), swapped=True)
    assert download([first, second], target, patience=patience).mirror == second
    assert download([first, second], target, patience=patience).mirror == second
    assert not caplog.records
    target.write_bytes(OTHER)
    assert download([first, second], target, patience=patience).mirror == first
    assert "sides differ" in caplog.text


def test_a_saved_error_page_that_is_there_is_named(target: Path, patience: Patience) -> None:
    target.parent.mkdir()
    target.write_bytes(QUOTA)
    assert "Quota exceeded" in refused(patience, target, Mirror(url="http://127.0.0.1:9/a"))


@pytest.mark.parametrize("status", [403, 404, 410, 451])
def test_a_refusal_leads_to_the_next_mirror_at_once(
    status: int, server: Server, target: Path, patience: Patience, pauses: list[float]
) -> None:
    first = Mirror(url=server.set("/a", Answer(b"no", status)))
    second = Mirror(url=server.set("/b", Answer(BODY)))
    assert download([first, second], target, patience=patience).mirror == second
    assert len(server.asked("/a")) == 1
    assert not pauses


@pytest.mark.parametrize("status", [429, 500, 503])
def test_trouble_that_may_pass_is_retried_with_growing_pauses(
    status: int, server: Server, target: Path, patience: Patience, pauses: list[float]
) -> None:
    trouble = Answer(b"<html>later</html>", status)
    download([Mirror(url=server.set("/a", trouble, trouble, Answer(BODY)))], target, patience=patience)
    assert target.read_bytes() == BODY
    assert pauses == [1.0, 2.0]


@pytest.mark.parametrize(
    ("value", "pause"),
    [
        *(("7", 7.0), ("0", 1.0), ("5000", 60.0), ("nonsense", 1.0), ("\u00b2", 1.0)),
        *(("Wed, 21 Oct 2015 07:28:00 GMT", 1.0), ("Wed, 21 Oct 2015 07:28:00 +99999999999999", 1.0)),
    ],
)
def test_the_pause_that_a_server_asks_for_is_kept_within_bounds(
    value: str, pause: float, server: Server, target: Path, patience: Patience, pauses: list[float]
) -> None:
    busy = Answer(status=429, headers={"Retry-After": value})
    download([Mirror(url=server.set("/a", busy, Answer(BODY)))], target, patience=patience)
    assert pauses == [pause]


def test_a_pause_can_be_asked_for_as_a_date(
    server: Server, target: Path, patience: Patience, pauses: list[float]
) -> None:
    busy = Answer(status=503, headers={"Retry-After": formatdate(time.time() + 30, usegmt=True)})
    download([Mirror(url=server.set("/a", busy, Answer(BODY)))], target, patience=patience)
    assert 20 < pauses[0] <= 30


def test_a_mirror_that_keeps_failing_is_left(
    server: Server, target: Path, patience: Patience, pauses: list[float]
) -> None:
    first = Mirror(url=server.set("/a", Answer(status=503)))
    second = Mirror(url=server.set("/b", Answer(BODY)))
    assert download([first, second], target, patience=patience).mirror == second
    assert len(server.asked("/a")) == patience.retries + 1
    assert pauses == [1.0, 2.0, 4.0]


def test_a_cut_off_answer_is_continued(server: Server, target: Path, patience: Patience) -> None:
    url = server.set("/a", Answer(BODY, headers=ETAG, cut=HALF), Answer(BODY, headers=ETAG))
    download([Mirror(url=url, sha256=SUM)], target, patience=patience)
    assert target.read_bytes() == BODY
    second = server.asked("/a")[1]
    assert (second["Range"], second["If-Range"]) == (f"bytes={HALF}-", '"one"')


def test_a_date_will_do_to_continue(server: Server, target: Path, patience: Patience) -> None:
    dated = {"ETag": 'W/"weak"', "Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"}
    url = server.set("/a", Answer(BODY, headers=dated, cut=HALF), Answer(BODY, headers=dated))
    download([Mirror(url=url, sha256=SUM)], target, patience=patience)
    assert server.asked("/a")[1]["If-Range"] == dated["Last-Modified"]


@pytest.mark.parametrize(
    "second",
    [
        Answer(BODY, headers=ETAG, ranges=False),
        Answer(BODY, headers={**ETAG, "Content-Range": f"bytes 0-{len(BODY) - 1}/{len(BODY)}"}),
        Answer(b"", headers=ETAG),
    ],
    ids=["no range support", "another range", "range refused"],
)
def test_a_server_that_does_not_continue_begins_again(
    second: Answer, server: Server, target: Path, patience: Patience
) -> None:
    begun = Answer(BODY, headers=ETAG, cut=HALF)
    url = server.set("/a", begun, second, Answer(BODY, headers=ETAG))
    download([Mirror(url=url, sha256=SUM)], target, patience=patience)
    assert target.read_bytes() == BODY


def test_without_a_version_nothing_is_continued(server: Server, target: Path, patience: Patience) -> None:
    url = server.set("/a", Answer(BODY, cut=HALF), Answer(OTHER))
    download([Mirror(url=url)], target, patience=patience)
    assert "Range" not in server.asked("/a")[1]
    assert target.read_bytes() == OTHER


@pytest.mark.parametrize("obeys", [True, False], ids=["whole file", "range of the new file"])
def test_a_file_that_changed_on_the_server_begins_again(
    obeys: bool, server: Server, target: Path, patience: Patience
) -> None:
    changed = Answer(OTHER, headers=OTHER_ETAG, obeys_if_range=obeys)
    url = server.set("/a", Answer(BODY, headers=ETAG, cut=HALF), changed)
    download([Mirror(url=url)], target, patience=patience)
    assert target.read_bytes() == OTHER


def test_a_killed_download_is_continued(server: Server, target: Path, patience: Patience) -> None:
    url = server.set("/a", Answer(BODY, headers=ETAG))
    leave_part(target, url, BODY[:HALF])
    download([Mirror(url=url, sha256=SUM)], target, patience=patience)
    assert server.asked("/a")[0]["Range"] == f"bytes={HALF}-"
    assert names(target) == ["set.zip", "set.zip.fetched.json"]


def test_a_download_killed_before_its_last_name_is_not_asked_for_again(
    server: Server, target: Path, patience: Patience
) -> None:
    leave_part(target, server.url("/a"), BODY)
    download([Mirror(url=server.url("/a"), sha256=SUM)], target, patience=patience)
    assert not server.requests


@pytest.mark.parametrize(
    "planted", ["other url", "damaged record", "no record", "longer", "longer, total unknown"]
)
def test_a_leftover_that_does_not_fit_is_not_continued(
    planted: str, server: Server, target: Path, patience: Patience
) -> None:
    url = server.set("/a", Answer(BODY, headers=ETAG))
    long = planted.startswith("longer")
    total = None if planted.endswith("unknown") else len(BODY)
    leave_part(
        target, server.url("/b") if planted == "other url" else url, b"x" * (len(BODY) + long * 9), total
    )
    if planted == "damaged record":
        target.with_name("set.zip.part.json").write_text('{"url": 3')
    if planted == "no record":
        target.with_name("set.zip.part.json").unlink()
    download([Mirror(url=url, sha256=SUM)], target, patience=patience)
    assert target.read_bytes() == BODY


def test_a_cut_off_download_keeps_what_came(server: Server, target: Path, patience: Patience) -> None:
    url = server.set("/a", Answer(BODY, headers=ETAG, cut=HALF), Answer(status=503))
    assert "HTTP 503 (4 attempts)" in refused(patience, target, Mirror(url=url))
    assert target.with_name("set.zip.part").read_bytes() == BODY[:HALF]
    assert not target.exists()
    server.set("/a", Answer(BODY, headers=ETAG))
    download([Mirror(url=url, sha256=SUM)], target, patience=patience)
    assert target.read_bytes() == BODY


def test_a_refusing_mirror_does_not_cost_the_begun_download_of_another(
    server: Server, target: Path, patience: Patience
) -> None:
    begun = Mirror(url=server.set("/a", Answer(BODY, headers=ETAG, cut=HALF), Answer(status=503)))
    refusing = Mirror(url=server.set("/b", Answer(status=403)))
    refused(patience, target, begun, refusing)
    assert target.with_name("set.zip.part").read_bytes() == BODY[:HALF]


def test_a_server_that_always_cuts_off_is_given_up(server: Server, target: Path, patience: Patience) -> None:
    url = server.set("/a", Answer(BODY, cut=10))
    assert "cut off" in refused(patience, target, Mirror(url=url))


def test_a_slow_server_is_waited_for(server: Server, target: Path, patience: Patience) -> None:
    url = server.set("/a", Answer(BODY, delay_s=0.01, pieces=5))
    download([Mirror(url=url, sha256=SUM)], target, patience=patience)
    assert len(server.asked("/a")) == 1


def test_a_silent_server_is_asked_again(server: Server, target: Path, pauses: list[float]) -> None:
    hasty = Patience(timeout_s=0.1, retries=1, sleep=pauses.append)
    url = server.set("/a", Answer(BODY, delay_s=0.4), Answer(BODY))
    download([Mirror(url=url, sha256=SUM)], target, patience=hasty)
    assert len(pauses) == 1
    server.set("/a", Answer(BODY, delay_s=0.4))
    target.unlink()
    assert "no answer for 0.1 s" in refused(hasty, target, Mirror(url=url))


def test_a_server_that_falls_silent_in_the_middle_is_continued(
    server: Server, target: Path, pauses: list[float]
) -> None:
    hasty = Patience(timeout_s=0.1, retries=1, sleep=pauses.append)
    stuck = Answer(BODY, headers=ETAG, cut=HALF, hangs=True)
    url = server.set("/a", stuck, Answer(BODY, headers=ETAG))
    download([Mirror(url=url, sha256=SUM)], target, patience=hasty)
    assert len(pauses) == 1
    begin = int(server.asked("/a")[1]["Range"].removeprefix("bytes=").removesuffix("-"))
    assert 0 < begin <= HALF


def test_a_length_need_not_be_told(server: Server, target: Path, patience: Patience) -> None:
    download([Mirror(url=server.set("/a", Answer(BODY, length=False)))], target, patience=patience)
    assert target.read_bytes() == BODY


def test_a_length_that_is_no_number_is_none(server: Server, target: Path, patience: Patience) -> None:
    answer = Answer(BODY, headers={"Content-Length": "\u00b2"}, length=False)
    download([Mirror(url=server.set("/a", answer), sha256=SUM)], target, patience=patience)
    assert target.read_bytes() == BODY


def test_bytes_are_kept_as_they_were_sent(server: Server, target: Path, patience: Patience) -> None:
    packed = Answer(b"\x1f\x8b" + BODY, headers={"Content-Encoding": "gzip"})
    download([Mirror(url=server.set("/a", packed))], target, patience=patience)
    assert target.read_bytes() == packed.body
    assert server.asked("/a")[0]["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("known", [{"sha256": "1" * 64}, {"bytes": 3}])
def test_a_wrong_file_stops_everything_and_is_kept_aside(
    known: dict[str, object], server: Server, target: Path, patience: Patience
) -> None:
    first = Mirror.model_validate({"url": server.set("/a", Answer(BODY)), **known})
    second = Mirror(url=server.set("/b", Answer(BODY)))
    message = refused(patience, target, first, second)
    assert SUM in message
    assert str(next(iter(known.values()))) in message
    assert "--accept-checksum" in message
    assert not server.asked("/b")
    assert names(target) == ["set.zip.rejected", "set.zip.rejected.fetched.json"]
    fetched = download([second, first], target, accept_checksum=True, patience=patience)
    assert len(server.requests) == 1
    assert (fetched.mirror, fetched.verified) == (second, False)
    assert names(target) == ["set.zip", "set.zip.fetched.json"]


def test_a_rejected_file_still_belongs_to_the_mirror_that_gave_it(
    server: Server, target: Path, patience: Patience
) -> None:
    other = Mirror(url=server.set("/a", Answer(status=404)), sha256="2" * 64)
    mirror = Mirror(url=server.set("/b", Answer(BODY)), sha256="1" * 64, swapped=True)
    refused(patience, target, other, mirror)
    for _ in range(2):
        fetched = download([other, mirror], target, accept_checksum=True, patience=patience)
        assert (fetched.mirror, fetched.verified) == (mirror, False)


def test_a_wrong_checksum_can_be_accepted_at_once(server: Server, target: Path, patience: Patience) -> None:
    mirror = Mirror(url=server.set("/a", Answer(BODY)), sha256="1" * 64)
    fetched = download([mirror], target, accept_checksum=True, patience=patience)
    assert (fetched.sha256, fetched.verified) == (SUM, False)
    assert target.read_bytes() == BODY


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (QUOTA, "Google Drive's page about its quota or its virus scan (Google Drive - Quota exceeded)"),
        (b'\xef\xbb\xbf\n<HTML lang="en"><title> Not\n here </title>', "an HTML page (Not"),
        (b"<?xml version='1.0'?><!DOCTYPE html PUBLIC '-//W3C'><html>", "an HTML page"),
        (b"<!-- gone --><head></head>", "an HTML page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0859\n", "expected zip or gzip or tar"),
        (b"", "expected zip or gzip or tar"),
    ],
    ids=["quota", "html", "xhtml", "comment", "lfs pointer", "empty"],
)
def test_a_page_instead_of_the_archive_is_recognised(
    body: bytes, words: str, server: Server, target: Path, patience: Patience
) -> None:
    mirror = Mirror(url=server.set("/a", Answer(body)), sha256=SUM)
    message = refused(patience, target, mirror)
    assert words in message
    assert "by hand" in message
    assert len(server.requests) == 1
    assert names(target) == []


def test_after_a_page_the_next_mirror_is_asked(server: Server, target: Path, patience: Patience) -> None:
    page, good = server.set("/a", Answer(QUOTA)), server.set("/b", Answer(BODY))
    assert download([Mirror(url=page), Mirror(url=good)], target, patience=patience).url == good


def test_an_xml_asset_is_no_page(server: Server, tmp_path: Path, patience: Patience) -> None:
    body = b'<?xml version="1.0"?>\n<!-- licence -->\n<opencv_storage></opencv_storage>'
    target = tmp_path / "cascade.xml"
    download([Mirror(url=server.set("/a", Answer(body)))], target, patience=patience)
    assert target.read_bytes() == body


def test_when_all_mirrors_fail_each_is_named_with_its_reason(
    server: Server, target: Path, patience: Patience
) -> None:
    mirrors = [
        Mirror(url=server.set("/a", Answer(status=403))),
        Mirror(url=server.set("/b", Answer(status=503))),
        Mirror(url=server.set("/c", Answer(QUOTA))),
        Mirror(url="http://127.0.0.1:1/d"),
    ]
    message = refused(patience, target, *mirrors)
    reasons = ("HTTP 403", "HTTP 503 (4 attempts)", "Google Drive", "NewConnectionError")
    for mirror, reason in zip(mirrors, reasons, strict=True):
        assert re.search(re.escape(mirror.url) + ": [^;]*" + re.escape(reason), message), message
    assert f"Download set.zip by hand from {mirrors[0].url} and put it at {target}." in message
    assert "Traceback" not in message
    assert len(message) < 900


def test_without_a_mirror_the_place_is_named(target: Path, patience: Patience) -> None:
    assert f"put it at {target}" in refused(patience, target)


@pytest.mark.parametrize("where", ["file:///etc/hostname", "ftp://127.0.0.1/a", "//"])
def test_no_redirect_leaves_the_web(where: str, server: Server, target: Path, patience: Patience) -> None:
    url = server.set("/a", Answer(status=302, headers={"Location": where}))
    refused(patience, target, Mirror(url=url))
    assert names(target) == []


def test_a_redirect_that_is_no_address_leads_to_the_next_mirror(
    server: Server, target: Path, patience: Patience
) -> None:
    bad = server.set("/a", Answer(status=302, headers={"Location": "http://[bad/"}))
    good = server.set("/b", Answer(BODY))
    assert download([Mirror(url=bad), Mirror(url=good)], target, patience=patience).url == good


def test_redirects_within_the_web_are_followed(server: Server, target: Path, patience: Patience) -> None:
    server.set("/b", Answer(BODY))
    url = server.set("/a", Answer(status=302, headers={"Location": "/b"}))
    assert download([Mirror(url=url, sha256=SUM)], target, patience=patience).url == url
    circle = server.set("/c", Answer(status=302, headers={"Location": "/c"}))
    target.unlink()
    assert "redirects" in refused(patience, target, Mirror(url=circle))
